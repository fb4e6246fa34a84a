//! What becomes of data between its arrival and what is decided about it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use actors::recording::{Header, Inputs, RecordedSample, Recording, StateName};
use actors::runtime::{self, Options, Time};
use engine::sample::SourceState;

/// A recording in which the source `s` reads `x` as given, tick by tick.
fn recording(readings: &[f64]) -> Recording {
    let header = Header {
        recording: 1,
        engine: "0.1.0".into(),
        panel: "panel".into(),
        fingerprint: String::new(),
        fps: 60,
        seed: 0,
        start_ms: 0,
        host: None,
        states: false,
        history: Default::default(),
        past: Default::default(),
        newest: Default::default(),
        scripts: Vec::new(),
        state: Default::default(),
    };
    let inputs = (0..).zip(readings).map(|(tick, x)| Inputs {
        tick,
        samples: vec![RecordedSample {
            source: "s".into(),
            key: "value".into(),
            value: (*x).into(),
            timestamp_ms: None,
            sequence: tick,
        }],
        ..Inputs::default()
    });
    Recording { header, inputs: inputs.collect() }
}

/// The events of a simulation as `tick type id`.
fn events(panel: &str, folder: &Path, options: Options) -> Vec<String> {
    let config =
        tinydisplay::config::parse("panel.toml", panel, folder).map_err(|report| report.render(false));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let events = seen.clone();
    let on_event = move |event: &engine::event::Event| {
        let data: Vec<_> = event.data.iter().map(|(_, value)| format!(" {value}")).collect();
        let line = format!("{} {} {}{}", event.tick, event.kind.name(), event.id, data.concat());
        events.lock().unwrap().push(line);
    };
    let options = Options { time: Time::Virtual, on_event: Some(Box::new(on_event)), ..options };
    runtime::run(config.unwrap().panel, options, |_| {}).unwrap();
    std::mem::take(&mut *seen.lock().unwrap())
}

#[test]
fn a_condition_does_not_hold_while_it_fails_and_holds_again_after() {
    let panel = |when: &str| {
        format!(
            r##"
            version = 1
            [source.s]
            kind = "generator"
            shape = "saw"
            every = "1h"
            [value]
            ratio = "100 / s.value"
            [[trigger]]
            name = "t"
            when = "{when}"
            cooldown = "1ticks"
            start = ["a"]
            [animation.a]
            widget = "w"
            to = {{ x = 1 }}
            duration = "1h"
            [page.main]
            widgets = [{{ id = "w", kind = "text", at = [0, 0], size = [9, 9], text = "" }}]
            "##
        )
    };
    for when in ["100 / s.value > 5", "ratio > 5", "ratio"] {
        let input = Some(recording(&[10.0, 0.0, 0.0, 10.0]));
        let events =
            events(&panel(when), Path::new(""), Options { input, ticks: Some(5), ..Options::default() });
        let triggers: Vec<_> = events.iter().filter(|event| event.contains("trigger")).collect();
        assert_eq!(
            triggers,
            ["0 trigger_activated t", "1 trigger_deactivated t", "3 trigger_activated t"],
            "{when}"
        );
    }
}

#[test]
fn recorded_states_stand_whatever_arrives_beside_them() {
    let panel = r##"
        version = 1
        [source.s]
        kind = "generator"
        shape = "saw"
        every = "1h"
        stale_after = "20ms"
        [page.main]
        widgets = [{ kind = "text", at = [0, 0], size = [9, 9], text = "{s.value}" }]
    "##;
    let mut input = recording(&[1.0, 2.0, 3.0]);
    let derived = events(
        panel,
        Path::new(""),
        Options { input: Some(input.clone()), ticks: Some(9), ..Options::default() },
    );
    assert_eq!(derived, ["0 page_shown main", "0 source_state s live", "4 source_state s stale"]);
    // As a run recorded it in which the source failed and came back within a tick, again and again.
    input.header.states = true;
    input.inputs[1].states = vec![("s".into(), StateName(SourceState::Retrying))];
    let told =
        events(panel, Path::new(""), Options { input: Some(input), ticks: Some(9), ..Options::default() });
    assert_eq!(told, ["0 page_shown main", "1 source_state s retrying"]);
}

#[test]
fn a_port_that_blocks_loses_nothing_however_small_the_ring() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String =
        (0..3_000).map(|ms| format!("{{\"time\": {}, \"x\": {ms}}}\n", f64::from(ms) / 1e3)).collect();
    std::fs::write(folder.path().join("tape.jsonl"), rows).unwrap();
    let panel = r##"
        version = 1
        [ring]
        samples = 100
        [source.tape]
        kind = "playback"
        file = "tape.jsonl"
        speed = 1000
        on_full = "block"
        [page.main]
        widgets = [{ kind = "text", at = [0, 0], size = [9, 9], text = "{tape.x}" }]
    "##;
    let file = folder.path().join("run.jsonl");
    events(
        panel,
        folder.path(),
        Options { record: Some(file.clone()), ticks: Some(120), ..Options::default() },
    );
    let recording = Recording::read(&file).unwrap();
    let sequences: Vec<_> =
        recording.inputs.iter().flat_map(|inputs| &inputs.samples).map(|sample| sample.sequence).collect();
    assert_eq!(sequences, (0..3_000).collect::<Vec<_>>(), "every sample once, in its order");
    assert!(recording.inputs.len() > 20, "and not more in a tick than the ring holds");
}
