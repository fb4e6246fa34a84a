use engine::ring::Limits as RingLimits;
use engine::ring::intake::{Intake, Sealed, SourceSpec};
use engine::sample::{Reading, SourceId};
use engine::script::Caller;
use engine::tick::{Fps, Tick};
use proptest::prelude::*;

use super::*;
use crate::source::rig::simulate;
use crate::supervisor::worker;
use crate::world::World;

const SOURCES: [&str; 2] = ["room", "tape"];
const HEADER: &str = r#"{"recording":1,"engine":"0.1.0","panel":"demo","fingerprint":"9f","fps":60,"seed":7,"start_ms":1000000}"#;

fn read(bytes: &[u8], limits: Limits) -> Result<Recording, String> {
    Recording::read_from(bytes, Path::new("run.jsonl"), limits).map_err(|error| error.to_string())
}

/// A recording with these lines after its header.
fn recording(lines: &str) -> Recording {
    read(format!("{HEADER}\n{lines}").as_bytes(), Limits::default()).unwrap()
}

fn header() -> Header {
    serde_json::from_str(HEADER).unwrap()
}

fn sources() -> Vec<String> {
    SOURCES.map(String::from).to_vec()
}

#[test]
fn bad_recordings_are_told_where_and_why() {
    let limits = Limits { line_bytes: 200, file_bytes: 1_000 };
    let after = |line: &str| format!("{HEADER}\n{line}\n").into_bytes();
    let sample = |sample: &str| after(&format!(r#"{{"tick":1,"samples":[{sample}]}}"#));
    let signal = |signal: &str| after(&format!(r#"{{"tick":1,"signals":[{signal}]}}"#));
    let blank = format!("{HEADER}\n{}", "\n".repeat(1_000));
    let table: [(&str, Vec<u8>); 24] = [
        ("nothing", Vec::new()),
        ("half a header", HEADER.as_bytes()[..40].to_vec()),
        ("another header", b"{\"tick\":1}\n".to_vec()),
        ("a later version", HEADER.replacen("1", "2", 1).into_bytes()),
        ("an endless header", vec![0; 300]),
        ("no text", after("").into_iter().chain([b'a', 0xff, b'\n']).collect()),
        ("a long line", after(&" ".repeat(201))),
        ("a long file", blank.into_bytes()),
        ("no JSON", after("tick 1")),
        ("half a line, and then another", after("{\"tick\":1,\"sam\n{\"tick\":2}")),
        ("no tick", after(r#"{"samples":[]}"#)),
        ("a tick again", after("{\"tick\":3}\n\n{\"tick\":2}")),
        ("an unknown part", after(r#"{"tick":1,"sample":[]}"#)),
        ("an unknown state", after(r#"{"tick":1,"states":[["room","happy"]]}"#)),
        ("a sample that is no list", sample(r#"{"room":1}"#)),
        ("a sample without a value", sample(r#"["room","heat"]"#)),
        ("a value that is null", sample(r#"["room","heat",null]"#)),
        ("a time that is text", sample(r#"["room","heat",1,"noon"]"#)),
        ("a negative number", sample(r#"["room","heat",1,null,-1]"#)),
        ("six parts", sample(r#"["room","heat",1,null,0,0]"#)),
        ("a signal that is no list", signal(r#""ring""#)),
        ("a signal without a name", signal(r#"[{"at":1}]"#)),
        ("a fact that is a list", signal(r#"["ring",{"at":[1]}]"#)),
        ("a signal's name that is none", signal(r#"["ring the bell",{}]"#)),
    ];
    let told = table.map(|(case, bytes)| format!("{case}\n    {}\n", read(&bytes, limits).unwrap_err()));
    insta::assert_snapshot!(told.concat());
}

#[test]
fn what_has_no_end_is_not_read_to_it() {
    let error = Recording::read(Path::new("/dev/zero")).unwrap_err();
    assert_eq!(error.to_string(), format!("/dev/zero:1: this line is longer than {LINE_BYTES_MAX} bytes"));
}

#[test]
fn an_interrupted_recording_is_read_to_its_last_whole_line() {
    let whole = format!("{HEADER}\n{}\n{}\n", r#"{"tick":1}"#, r#"{"tick":9,"states":[["röom","live"]]}"#);
    let ticks = |bytes: &[u8]| -> Vec<u64> {
        read(bytes, Limits::default()).unwrap().inputs.iter().map(|inputs| inputs.tick).collect()
    };
    let end = whole.len();
    let second = end - 1 - r#"{"tick":9,"states":[["röom","live"]]}"#.len();
    for cut in HEADER.len()..=end {
        // The end of the line itself says nothing.
        let expected: &[u64] = match cut {
            _ if cut >= end - 1 => &[1, 9],
            _ if cut >= second - 1 => &[1],
            _ => &[],
        };
        assert_eq!(ticks(&whole.as_bytes()[..cut]), expected, "cut after {cut} of {end} bytes");
    }
}

#[test]
fn short_forms_say_the_same_as_long_ones() {
    for (short, long) in [
        (
            r#"{"tick":1}"#,
            r#"{"tick":1,"samples":[],"states":[],"signals":[],"restarts":[],"scripts":[],"ended":[],"rebased_ms":0}"#,
        ),
        (r#"{"tick":1,"signals":[["ring"]]}"#, r#"{"tick":1,"signals":[["ring",{}]]}"#),
        (
            r#"{"tick":1,"samples":[["room","heat",1],["room","heat",2.5,7],["room","on",true,null]]}"#,
            r#"{"tick":1,"samples":[["room","heat",1.0,null,0],["room","heat",2.5,7,0],["room","on",true,null,0]]}"#,
        ),
        ("{\"tick\":1}\n\n  \r\n{\"tick\":2}", "{\"tick\":1}\n{\"tick\":2}\n"),
    ] {
        assert_eq!(recording(short).inputs, recording(long).inputs, "{short}");
    }
    let inputs = &recording(r#"{"tick":1,"samples":[["room","note","warm",5,6]]}"#).inputs[0];
    let (key, value) = ("note".into(), Value::from("warm"));
    let sample = RecordedSample { source: "room".into(), key, value, timestamp_ms: Some(5), sequence: 6 };
    assert_eq!(inputs.samples, [sample]);
}

#[test]
fn sources_that_the_panel_lacks_are_named_once() {
    let inputs = r#"{"tick":1,"samples":[["cellar","a",1],["room","b",2],["cellar","c",3]],"states":[["attic","live"]]}"#;
    let panel = SOURCES.map(String::from).into_iter().zip((0..).map(SourceId)).collect();
    assert_eq!(Vec::from_iter(replay::unknown(&recording(inputs), &panel)), ["attic", "cellar"]);
    let replayed = Replay::new(recording(inputs), sources()).inputs(Tick(1));
    assert_eq!((replayed.readings.len(), replayed.states.len()), (1, 0));
}

/// Seals what arrives before each tick.
fn seal(ticks: impl IntoIterator<Item = Replayed>, states_told: bool) -> Vec<Arc<Sealed>> {
    let specs = SOURCES.map(|name| SourceSpec { name: name.into(), stale_after: Some(2) });
    let mut intake = Intake::new(&specs, &[], RingLimits::default(), Fps::default(), 1_000_000).unwrap();
    if states_told {
        intake.only_told_states();
    }
    let seal = |tick: Replayed| {
        tick.readings.into_iter().for_each(|reading| intake.accept(&reading));
        tick.states.into_iter().for_each(|(id, state)| intake.report(id, state, u64::MAX));
        tick.signals.into_iter().for_each(|signal| assert!(intake.signal(signal)));
        tick.restarts.into_iter().for_each(|restarted| intake.restarted(restarted));
        tick.scripts.into_iter().for_each(|script| intake.reload(script));
        tick.ended.into_iter().for_each(|ended| intake.end(ended));
        Arc::new(intake.seal(tick.rebased_ms).0)
    };
    ticks.into_iter().map(seal).collect()
}

/// Records what was sealed, through the task of a live run.
fn record(sealed: &[Arc<Sealed>]) -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    simulate(async {
        let header = Header { states: true, ..header() };
        let recorder = Recorder::create(file.clone(), &header, &sources()).unwrap();
        sealed.iter().for_each(|sealed| recorder.keep(sealed));
        let stopped = tokio::sync::watch::channel(true).1;
        let supervision = worker::Context::unsupervised(World::simulated(false), stopped);
        recorder.run(supervision).await.unwrap();
        recorder.outcome().unwrap();
    });
    Recording::read(&file).unwrap()
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<f64>().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Bool),
        ".{0,8}".prop_map(|text| Value::from(&*text)),
    ]
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let values = prop::collection::vec(("[a-c.\"\\\\ü]{0,3}".prop_map(Arc::from), any_value()), 0..4);
    (0..2_u16, any::<u32>(), prop::option::of(999_000..1_001_000_i64), values).prop_map(
        |(source, sequence, timestamp_ms, values)| {
            let (source, sequence) = (SourceId(source), u64::from(sequence));
            Reading { source, sequence, timestamp_ms, values }
        },
    )
}

fn any_tick() -> impl Strategy<Value = Replayed> {
    let readings = prop::collection::vec(any_reading(), 0..4);
    let state = (0..2_u16).prop_map(SourceId);
    let states = prop::collection::vec((state, prop::sample::select(&SourceState::ALL[..])), 0..2);
    let rebased_ms = prop_oneof![9 => Just(0), 1 => -9_000..9_000_i64];
    let facts = prop::collection::btree_map("[a-c][a-c-]{0,2}", any_value(), 0..3);
    let signal =
        ("[a-c_]{1,3}", facts).prop_filter_map("not finite", |(name, facts)| Signal::new(&name, facts).ok());
    let signals = prop::collection::vec(signal, 0..3);
    let restarted = ("[a-c.]{1,8}", prop::sample::select(vec!["error", "panic"]), any::<u32>()).prop_map(
        |(actor, cause, restarts)| Restarted {
            actor: actor.into(),
            cause: cause.into(),
            restarts: u64::from(restarts),
        },
    );
    let restarts = prop::collection::vec(restarted, 0..2);
    let script = ("[ab].lua", ".{0,8}")
        .prop_map(|(file, text)| Script { file: file.as_str().into(), text: text.as_str().into() });
    let scripts = prop::collection::vec(script, 0..2);
    let caller = prop::sample::select(vec![Caller::Function, Caller::Handler]);
    let ended = (caller, 0..9_u32, 1..99_u32).prop_map(|(caller, call, line)| Ended { caller, call, line });
    let ended = prop::collection::vec(ended, 0..2);
    (readings, states, signals, restarts, scripts, ended, rebased_ms).prop_map(
        |(readings, states, signals, restarts, scripts, ended, rebased_ms)| Replayed {
            readings,
            states,
            signals,
            restarts,
            scripts,
            ended,
            rebased_ms,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_replay_seals_what_was_recorded(ticks in prop::collection::vec(any_tick(), 1..12)) {
        let sealed = seal(ticks, false);
        let replay = Replay::new(record(&sealed), sources());
        let ticks = (0..sealed.len() as u64).map(|tick| replay.inputs(Tick(tick)));
        prop_assert_eq!(seal(ticks, true), sealed);
    }
}
