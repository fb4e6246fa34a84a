//! The promise of the journal: whatever fails in the core, and when, the run goes on as if nothing had
//! happened. No event, frame or tick is told twice, none is left out, and no sample is lost.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actors::fault::{Fault, Faults, Rule};
use actors::recording::{Inputs, Recording};
use actors::runtime::{self, Options, Time};
use engine::event::{Event, EventKind};
use engine::hash;

use crate::replay::PANEL;

/// Where the actors of the core can be made to fail: before, in the middle of and after their work.
pub(crate) const POINTS: [&str; 15] = [
    "clock.tick",
    "ring.seal",
    "ring.seal.middle",
    "ring.seal.after",
    "expression.evaluate",
    "expression.evaluate.middle",
    "expression.evaluate.after",
    "coordination.step",
    "coordination.step.middle",
    "coordination.step.after",
    "renderer.step",
    "renderer.paint",
    "renderer.paint.middle",
    "renderer.paint.after",
    "renderer.step.after",
];

/// Two checkpoints and a little more.
const TICKS: u64 = 140;

/// What a run told the world.
#[derive(Default)]
struct Told {
    events: Vec<Event>,
    /// Tick and hash of every frame, in the order in which they were given.
    frames: Vec<(u64, u64)>,
}

impl Told {
    /// All events but those that speak of the failures themselves.
    fn events(&self) -> Vec<&Event> {
        self.events.iter().filter(|event| event.kind != EventKind::ActorRestarted).collect()
    }
}

/// Runs the panel in virtual time.
fn run(folder: &Path, options: Options) -> Result<Told, runtime::Error> {
    let options = Options { time: Time::Virtual, ticks: Some(TICKS), ..options };
    // Ports have room for what comes until then.
    run_panel(PANEL, folder, Duration::from_millis(500), options)
}

fn run_panel(
    panel: &str,
    folder: &Path,
    hang_after: Duration,
    options: Options,
) -> Result<Told, runtime::Error> {
    let mut config = tinydisplay::config::parse("panel.toml", panel, folder).unwrap();
    config.panel.supervision.core.hang_after = hang_after;
    let told = Arc::new(Mutex::new(Told::default()));
    let (frames, events) = (told.clone(), told.clone());
    let options = Options {
        on_frame: Some(Box::new(move |tick, frame| {
            frames.lock().unwrap().frames.push((tick.0, frame.hash()));
        })),
        on_event: Some(Box::new(move |event| events.lock().unwrap().events.push(event.clone()))),
        ..options
    };
    runtime::run(config.panel, options, |_| {})?;
    Ok(std::mem::take(&mut *told.lock().unwrap()))
}

/// What was sealed, without what was said of the failures.
pub(crate) fn sealed(file: &Path) -> Vec<Inputs> {
    let mut inputs = Recording::read(file).unwrap().inputs;
    inputs.iter_mut().for_each(|inputs| inputs.restarts.clear());
    inputs.retain(|inputs| *inputs != Inputs { tick: inputs.tick, ..Inputs::default() });
    inputs
}

pub(crate) fn rule(point: &str, after: u64, fault: Fault) -> Rule {
    Rule { point: point.into(), actor: None, after, fault }
}

/// A recording of the panel, and what a run of it tells that nothing disturbs.
struct Control {
    folder: tempfile::TempDir,
    input: Recording,
    told: Told,
    sealed: Vec<Inputs>,
}

impl Control {
    fn new() -> Control {
        let folder = tempfile::tempdir().unwrap();
        let (file, again) = (folder.path().join("run.jsonl"), folder.path().join("again.jsonl"));
        run(folder.path(), Options { record: Some(file.clone()), ..Options::default() }).unwrap();
        let input = Recording::read(&file).unwrap();
        let options =
            Options { input: Some(input.clone()), record: Some(again.clone()), ..Options::default() };
        let told = run(folder.path(), options).unwrap();
        assert!(told.frames.len() == TICKS as usize && told.events.len() > 10 && input.inputs.len() > 30);
        Control { folder, input, told, sealed: sealed(&again) }
    }

    /// Replays the recording with these faults. What is told must be the same; with `all_frames` no frame
    /// may be missing, which costs time.
    fn check(&self, rules: &[Rule], all_frames: bool) -> Told {
        let file = self.folder.path().join("faulty.jsonl");
        let options = Options {
            input: Some(self.input.clone()),
            record: Some(file.clone()),
            faults: Faults::listed(rules.to_vec()),
            ..Options::default()
        };
        let told = run(self.folder.path(), options).unwrap_or_else(|error| panic!("{rules:?}: {error}"));
        assert_eq!(told.events(), self.told.events(), "{rules:?}");
        assert_frames(&told, &self.told, rules);
        assert!(!all_frames || told.frames.len() == self.told.frames.len(), "{rules:?}: a frame is missing");
        assert!(sealed(&file) == self.sealed, "{rules:?}: something else was recorded");
        told
    }
}

/// Every frame was given once, in order, and is the one that a run without faults gave.
fn assert_frames(told: &Told, control: &Told, rules: &[Rule]) {
    let frames: BTreeMap<_, _> = control.frames.iter().copied().collect();
    assert!(
        told.frames.is_sorted_by(|(one, _), (other, _)| one < other),
        "{rules:?}: a frame was given twice"
    );
    for (tick, hash) in &told.frames {
        assert_eq!(frames.get(tick), Some(hash), "{rules:?}: the frame of tick {tick}");
    }
}

#[test]
fn a_panic_anywhere_changes_nothing() {
    let control = Control::new();
    for point in POINTS {
        // At the first tick; soon; between checkpoints and at one; two and three in a row, the later ones
        // of which strike while the core catches up.
        for ticks in [&[0][..], &[1], &[59], &[60], &[75], &[119], &[70, 71], &[70, 90, 91]] {
            let rules: Vec<_> = ticks.iter().map(|after| rule(point, *after, Fault::Panic)).collect();
            control.check(&rules, true);
        }
    }
}

#[test]
fn a_hang_anywhere_costs_frames_alone() {
    let control = Control::new();
    for point in POINTS {
        // One that never ends, and one that wakes up when others have long taken over.
        for span in [None, Some(Duration::from_secs(4))] {
            control.check(&[rule(point, 70, Fault::Hang(span))], false);
        }
    }
}

#[test]
fn a_failure_at_a_start_or_an_end_changes_nothing() {
    let control = Control::new();
    let roles = ["renderer", "coordination", "expression", "ring", "clock"];
    for role in roles {
        for (point, after) in [("start", 0), ("start", 1), ("stop", 0)] {
            // One that hangs wakes up when another has taken its place.
            for fault in [Fault::Error, Fault::Panic, Fault::Hang(Some(Duration::from_secs(1)))] {
                // All stop and start once more, besides.
                let rules = [
                    rule("coordination.step", 30, Fault::Panic),
                    rule(&format!("{role}.{point}"), after, fault),
                ];
                control.check(&rules, false);
            }
        }
    }
}

#[test]
fn random_failures_change_nothing() {
    let control = Control::new();
    for seed in 0..60 {
        let random = |index, below: u64| (hash::unit(seed, 1, index) * below as f64) as u64;
        let count = 1 + random(0, 3);
        let rules = (1..=count).map(|index| {
            let fault = if random(10 * index, 5) == 0 { Fault::Hang(None) } else { Fault::Panic };
            rule(
                POINTS[random(10 * index + 1, POINTS.len() as u64) as usize],
                random(10 * index + 2, TICKS),
                fault,
            )
        });
        let rules: Vec<_> = rules.collect();
        let all_frames = rules.iter().all(|rule| rule.fault == Fault::Panic);
        control.check(&rules, all_frames);
    }
}

#[test]
fn a_run_with_failures_is_what_its_recording_says() {
    let folder = tempfile::tempdir().unwrap();
    // Nothing arrives in a replay.
    for (point, after) in ["ring.arrive"].into_iter().chain(POINTS).zip((0..).step_by(9)) {
        let file = folder.path().join("run.jsonl");
        let faults = Faults::listed([rule(point, after, Fault::Panic), rule(point, 60, Fault::Hang(None))]);
        let faulty = Options { record: Some(file.clone()), faults, ..Options::default() };
        let told = run(folder.path(), faulty).unwrap();
        let input = Recording::read(&file).unwrap();
        assert_numbered(&input);
        let shown = run(folder.path(), Options { input: Some(input), ..Options::default() }).unwrap();
        assert_eq!(told.events, shown.events, "{point}");
        assert_frames(&told, &shown, &[]);
    }
}

/// Every sequence number of every source arrived once.
fn assert_numbered(recording: &Recording) {
    let mut next = BTreeMap::new();
    for sample in recording.inputs.iter().flat_map(|inputs| &inputs.samples) {
        let expected = next.entry(sample.source.clone()).or_insert(0);
        assert_eq!(sample.sequence, *expected, "{}", sample.source);
        *expected += 1;
    }
    assert!(next.values().sum::<u64>() > 100, "samples arrived: {next:?}");
}

#[test]
fn what_fails_every_time_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let always = (0..100).map(|after| rule("coordination.step", after, Fault::Panic));
    let faulty = Options { faults: Faults::listed(always), ..Options::default() };
    let ended = run(folder.path(), faulty).map(|_| ());
    assert!(matches!(ended, Err(runtime::Error::Escalated(_))), "{ended:?}");
}

/// What the database has of a run, row by row.
fn rows(file: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(file).unwrap();
    let mut rows = Vec::new();
    for query in [
        "SELECT tick, event_type, coordination_id || ' ' || event_data_json FROM timeline_events \
         WHERE event_type <> 'actor_restarted' ORDER BY event_id",
        "SELECT tick, data_key, source || ' ' || ifnull(sequence, '') || ' ' || ifnull(data_value, data_text) \
         FROM data_history ORDER BY data_id",
    ] {
        let mut statement = database.prepare(query).unwrap();
        let row = |row: &rusqlite::Row<'_>| {
            Ok(format!(
                "{} {} {:?}",
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, Option<String>>(2)?
            ))
        };
        rows.extend(statement.query_map([], row).unwrap().map(Result::unwrap));
    }
    rows
}

/// Runs a recording in real time, with real threads and a database.
fn live(input: Recording, ticks: u64, faults: Faults) -> (Told, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let panel = format!("{PANEL}\n[persistence]\nfile = \"state.db\"\n");
    let options =
        Options { time: Time::Live, ticks: Some(ticks), input: Some(input), faults, ..Options::default() };
    let told = run_panel(&panel, folder.path(), Duration::from_secs(2), options).unwrap();
    (told, rows(&folder.path().join("state.db")))
}

#[test]
fn a_thread_that_hangs_and_wakes_up_late_changes_nothing() {
    let control = Control::new();
    // It is given up after two seconds, and wakes up when its successor has long gone on.
    const LONG: u64 = 60 * 5;
    let late = |point: &str| {
        let hang = rule(point, 30, Fault::Hang(Some(Duration::from_millis(3_300))));
        let rules = [hang, rule("expression.evaluate", 20, Fault::Panic)];
        let (input, point) = (control.input.clone(), point.to_string());
        std::thread::spawn(move || (point, live(input, LONG, Faults::listed(rules))))
    };
    let faulty: Vec<_> = ["ring.seal", "coordination.step", "renderer.paint.middle"].map(late).into();
    let (told, expected) = live(control.input.clone(), LONG, Faults::default());
    assert!(expected.len() > 100, "{} rows", expected.len());
    for (point, (faulty, rows)) in faulty.into_iter().map(|thread| thread.join().unwrap()) {
        assert_eq!(faulty.events(), told.events(), "{point}");
        assert!(
            faulty.frames.is_sorted_by(|(one, _), (other, _)| one < other),
            "{point}: a frame came twice"
        );
        let frames: BTreeMap<_, _> = told.frames.iter().copied().collect();
        let both = faulty.frames.iter().filter_map(|(tick, hash)| Some((tick, hash, frames.get(tick)?)));
        both.for_each(|(tick, hash, expected)| {
            assert_eq!(hash, expected, "{point}: the frame of tick {tick}")
        });
        assert!(rows == expected, "{point}: the database has something else");
    }
}
