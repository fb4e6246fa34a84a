//! A run in which everything fails all the time, by seeded chance, in virtual time: the same for the same
//! seed, and never out of order.
//!
//! Five minutes by default. `FAILURE_MINUTES=60 cargo test --release --test it failures` is an hour.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actors::fault::{Chance, Fault, Faults, Strike};
use actors::handle::{ActorReport, ActorState, Handle};
use actors::recording::Recording;
use actors::runtime::{self, Face, Options, Time};
use actors::supervisor::policy::Supervision;
use engine::event::{Event, EventKind};
use engine::hash;

const PANEL: &str = r##"
version = 1
[display]
seed = 7
[source.fast]
kind = "generator"
shape = "walk"
every = "20ms"
on_full = "block"
[source.slow]
kind = "generator"
shape = "saw"
period = "2s"
every = "500ms"
on_full = "block"
stale_after = "3s"
[source.machine]
kind = "system"
every = "1s"
on_full = "block"
[scripts]
files = ["acts.lua"]
[keys]
"script.level" = { default = 0 }
[value]
high = "slow.value > 50"
[page.main]
widgets = [
  { kind = "text", id = "number", at = [8, 8], size = [144, 20], text = "{fast.value:.1f} {machine.cpu:.0f}", color = "#fff" },
  { kind = "text", id = "weight", at = [8, 80], size = [144, 20], text = "{weigh(slow.value, script.level):.2f}", color = "#fff" },
  { kind = "sparkline", at = [8, 32], size = [144, 40], value = "slow.value", span = "30s", color = "#fff" },
]
[animation.nudge]
widget = "number"
duration = "300ms"
from = { x = 6 }
[[trigger]]
name = "high"
when = "high"
start = ["nudge"]
[[output]]
kind = "null"
[[output]]
kind = "png"
file = "frame.png"
[persistence]
file = "state.db"
"##;

/// Handlers that count, and a function that goes by what they set.
const ACTS: &str = r#"
function weigh(value: number, level: number): number
    return value * math.sin(level) + math.random()
end
function on_event(name: string, event)
    if name == "trigger_activated" then state.high = (state.high or 0) + 1 end
end
function on_tick(n: number)
    state.n = (state.n or 0) + 1
    if state.n % 30 == 0 then set("level", state.n + (state.high or 0)) end
    if state.n % 500 == 0 then signal("counted", {n = state.n}) end
end
"#;

/// How often what fails, each time that it could: each by an error, a panic and a hang.
const CHANCES: [(&str, f64); 13] = [
    ("ring.seal", 2e-5),
    ("expression.evaluate", 2e-5),
    ("coordination.step", 2e-5),
    ("renderer.step", 2e-5),
    ("renderer.paint", 2e-5),
    ("clock.tick", 2e-5),
    ("source.emit", 1e-3),
    ("source.start", 2e-2),
    ("writer.flush", 2e-3),
    ("output.show", 5e-4),
    ("output.start", 2e-2),
    ("http", 5e-3),
    ("http.start", 2e-2),
];

fn faults(seed: u64) -> Faults {
    // A hang outlasts what any group bears, and ends some time later.
    let kinds = [Fault::Error, Fault::Panic, Fault::Hang(Some(Duration::from_secs(40)))];
    let chances = CHANCES.into_iter().flat_map(|(point, probability)| {
        kinds.map(|fault| Chance { point: point.into(), probability, fault })
    });
    Faults::seeded(seed, chances)
}

fn minutes() -> u64 {
    std::env::var("FAILURE_MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(5)
}

/// What a run told.
#[derive(Default)]
struct Told {
    events: Vec<Event>,
    frames: Vec<(u64, u64)>,
    /// Every change of every actor's state, with its moment in milliseconds.
    log: Vec<(u64, ActorReport)>,
    /// What went wrong on purpose.
    struck: Vec<Strike>,
}

impl Told {
    /// One number for all of it.
    fn hash(&self) -> u64 {
        let mut text = format!("{:?} {:?}", self.events, self.frames);
        for (at, report) in &self.log {
            let ActorReport { name, state, generation, restarts, error, .. } = report;
            write!(text, "{at} {name} {state:?} {generation} {restarts} {error:?}").unwrap();
        }
        hash::of(text.as_bytes())
    }

    fn restarts(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.kind == EventKind::ActorRestarted)
    }
}

fn run(folder: &Path, options: Options) -> Told {
    std::fs::write(folder.join("acts.lua"), ACTS).unwrap();
    let config = tinydisplay::config::parse("panel.toml", PANEL, folder).unwrap_or_else(|report| {
        panic!("{}", report.render(false));
    });
    let told = Arc::new(Mutex::new(Told::default()));
    let (frames, events, log) = (told.clone(), told.clone(), told.clone());
    let faults = options.faults.clone();
    let options = Options {
        time: Time::Virtual,
        ticks: Some(minutes() * 3_600),
        on_frame: Some(Box::new(move |tick, frame| {
            frames.lock().unwrap().frames.push((tick.0, frame.hash()));
        })),
        on_event: Some(Box::new(move |event| events.lock().unwrap().events.push(event.clone()))),
        ..options
    };
    let ended = runtime::run(config.panel, options, |handle| {
        actix::spawn(watch(handle, log));
    });
    // A writer may hang just when the run ends, and is left behind.
    assert!(matches!(ended, Ok(_) | Err(runtime::Error::CutShort(_))), "{ended:?}");
    let told = Arc::try_unwrap(told).ok().unwrap().into_inner().unwrap();
    Told { struck: faults.struck(), ..told }
}

/// Notes every change of a state, until the run is over.
async fn watch(handle: Handle, told: Arc<Mutex<Told>>) {
    let mut actors = handle.actors.clone();
    let mut known = Vec::new();
    // Nobody else must keep the run from ending.
    let world = handle.world;
    drop(handle);
    while actors.changed().await.is_ok() {
        let now = actors.borrow_and_update().clone();
        let at = world.now().as_millis() as u64;
        for (index, report) in now.iter().enumerate() {
            let state = (report.state, report.generation);
            if known.get(index) != Some(&state) {
                told.lock().unwrap().log.push((at, report.clone()));
            }
        }
        known = now.iter().map(|report| (report.state, report.generation)).collect();
    }
}

/// A face that does nothing but live, and ends the run where that is asked for.
fn face(end: Option<Duration>) -> Face {
    Arc::new(move |context, handle| {
        Box::pin(async move {
            while context.sleep_until(context.world.now() + Duration::from_secs(1)).await {
                if end.is_some_and(|end| context.world.now() >= end) {
                    handle.stop.send_replace(true);
                }
                context.strike("http").await?;
            }
            Ok(())
        })
    })
}

fn fail(folder: &Path, seed: u64) -> Told {
    let record = Some(folder.join("run.jsonl"));
    run(
        folder,
        Options { record, edges: true, face: Some(face(None)), faults: faults(seed), ..Options::default() },
    )
}

#[test]
fn a_run_in_which_everything_fails_is_in_order_and_depends_on_its_seed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let told = fail(folder.path(), 7);
    assert_failed_everywhere(&told);
    assert_caused(&told);
    assert_in_order(&told);
    assert_ended_in_time(&told);

    let recording = Recording::read(&folder.path().join("run.jsonl")).unwrap();
    assert_numbered(&recording);
    let again = run(folder.path(), Options { input: Some(recording), ..Options::default() });
    assert_eq!(told.events, again.events, "nothing was told twice or left out");
    let frames: BTreeMap<_, _> = again.frames.into_iter().collect();
    for (tick, hash) in &told.frames {
        assert_eq!(frames.get(tick), Some(hash), "the frame of tick {tick}");
    }

    let same = fail(tempfile::tempdir().unwrap().path(), 7);
    assert_eq!(told.hash(), same.hash());
    let other = fail(tempfile::tempdir().unwrap().path(), 8);
    assert_ne!(told.hash(), other.hash());
}

/// Sources, outputs and the core were started anew for each reason that the chances have, and the writer and the
/// web server for one of them.
fn assert_failed_everywhere(told: &Told) {
    let mut counts = BTreeMap::<(&str, String), u32>::new();
    for event in told.restarts() {
        let group = event.id.split('.').next().unwrap();
        let group = if ["source", "output", "writer", "http"].contains(&group) { group } else { "core" };
        *counts.entry((group, event.data[0].1.to_string())).or_default() += 1;
    }
    for cause in ["error", "panic", "hang"] {
        for group in ["source", "output", "core"] {
            assert!(counts.contains_key(&(group, cause.into())), "{group} {cause}: {counts:?}");
        }
    }
    for group in ["writer", "http"] {
        assert!(counts.keys().any(|(found, _)| *found == group), "{group}: {counts:?}");
    }
    assert!(counts.values().sum::<u32>() > 30, "{counts:?}");
}

/// Whatever was started anew had been made to fail, and for that cause. Outside of the core, where one restart may
/// be for several, each fault was answered by a restart, save the last of an actor as the run ended.
fn assert_caused(told: &Told) {
    let cause = |fault| match fault {
        Fault::Error => "error",
        Fault::Panic => "panic",
        Fault::Hang(_) => "hang",
    };
    let mut causes = BTreeMap::<String, Vec<String>>::new();
    for event in told.restarts() {
        causes.entry(event.id.to_string()).or_default().push(event.data[0].1.to_string());
    }
    for (actor, causes) in causes {
        let struck = told.struck.iter().filter(|strike| *strike.actor == *actor);
        let struck: Vec<_> = struck.map(|strike| cause(strike.fault)).collect();
        let is_core = !["source", "output", "writer", "http"].iter().any(|name| actor.starts_with(name));
        if is_core {
            let mut rest = struck.iter();
            let is_part = causes.iter().all(|cause| rest.any(|struck| struck == cause));
            assert!(is_part, "{actor}: {causes:?} of {struck:?}");
        } else {
            let begin = &struck[..causes.len().min(struck.len())];
            assert!(begin == causes && struck.len() <= causes.len() + 1, "{actor}: {causes:?} of {struck:?}");
        }
    }
}

/// Events and frames come in order and once; generations and restarts only grow; the core is not started
/// anew more often than its intensity allows.
fn assert_in_order(told: &Told) {
    assert!(told.frames.is_sorted_by(|(one, _), (other, _)| one < other), "a frame came twice");
    assert!(told.events.is_sorted_by_key(|event| event.tick), "events are out of order");
    let mut newest = BTreeMap::new();
    for (_, ActorReport { name, generation, restarts, .. }) in &told.log {
        let before = newest.insert(name, (*generation, *restarts)).unwrap_or_default();
        assert!(before <= (*generation, *restarts), "{name} went back");
    }
    let mut core = BTreeMap::new();
    for (at, report) in told.log.iter().filter(|(_, report)| &*report.name == "clock") {
        core.entry(report.generation).or_insert(*at);
    }
    let restarts: Vec<u64> = core.into_values().skip(1).collect();
    for restarts in restarts.windows(4) {
        assert!(restarts[3] - restarts[0] > 9_900, "four restarts of the core within 10 s: {restarts:?}");
    }
}

/// Of every source the values that were sealed came once, in order and without a gap, though each of them failed
/// time and again. What waits in its port at the end of the run is not seen here.
fn assert_numbered(recording: &Recording) {
    let mut next = BTreeMap::new();
    for sample in recording.inputs.iter().flat_map(|inputs| &inputs.samples) {
        let expected = next.entry(sample.source.clone()).or_insert(0);
        assert_eq!(sample.sequence, *expected, "{}", sample.source);
        *expected += 1;
    }
    // What handlers set comes as from a fourth.
    assert!(next.len() == 4 && next.values().all(|count| *count > 100), "{next:?}");
}

/// From the moment at which the first actor was told to end to the end of the last one it takes no longer than all
/// of them may.
fn assert_ended_in_time(told: &Told) {
    let last = told.log.last().unwrap();
    assert_eq!((&*last.1.name, last.1.state.name()), ("http", "stopped"), "the web server ends last");
    // Nobody tells a source to end before.
    let is_first = |report: &ActorReport| report.group == "sources" && report.state == ActorState::Stopping;
    let (began, _) = told.log.iter().find(|(_, report)| is_first(report)).unwrap();
    let end = minutes() * 60_000;
    assert!((end - 100..=end + 60_000).contains(began), "told to end at {began} ms of {end} ms");
    let Supervision { http, outputs, recorder, writer, core, sources, .. } = Supervision::default();
    // Five are the core, and that and the writer may come back before they end.
    let most = sources.shutdown + 2 * (5 * core.shutdown + writer.shutdown);
    let most = most + recorder.shutdown + outputs.shutdown + http.shutdown;
    assert!(u128::from(last.0 - began) <= most.as_millis(), "{began} to {}, and {most:?} at most", last.0);
}

/// Sources of each policy, two of which send more for a second than the ring takes.
const FLOODED: &str = r##"
version = 1
[ring]
samples = 300
[source.block]
kind = "generator"
shape = "saw"
every = "5ms"
on_full = "block"
[source.oldest]
kind = "generator"
shape = "saw"
every = "10ms"
on_full = "drop_oldest"
faults = [{ kind = "flood", at = "10s", rate = 50_000, for = "200ms" }]
[source.newest]
kind = "generator"
shape = "saw"
every = "10ms"
on_full = "drop_newest"
faults = [{ kind = "flood", at = "20s", rate = 50_000, for = "200ms" }]
[page.main]
widgets = [{ kind = "text", at = [8, 8], size = [144, 20], text = "{block.value:.1f}", color = "#fff" }]
"##;

/// A run that is told to end: every reading that was offered is sealed, waits in its port, or was dropped and counted,
/// exactly, whatever fails. And none waits, where nothing hangs at the very end.
#[test]
fn every_reading_is_sealed_or_waits_or_is_counted_as_dropped() {
    const SEEDS: u64 = 5;
    let mut clean = 0;
    let mut dropped = BTreeMap::new();
    for seed in 0..SEEDS {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.jsonl");
        let config = tinydisplay::config::parse("panel.toml", FLOODED, folder.path());
        let config = config.unwrap_or_else(|report| panic!("{}", report.render(false)));
        let names: Vec<String> = config.panel.sources.iter().map(|source| source.name.clone()).collect();
        let options = Options {
            time: Time::Virtual,
            record: Some(file.clone()),
            edges: true,
            face: Some(face(Some(Duration::from_secs(60)))),
            // Where faults strike, no flood gets far: each of its readings meets them.
            faults: if seed == 0 { Faults::default() } else { faults(seed) },
            ..Options::default()
        };
        let summary = match runtime::run(config.panel, options, |_| {}) {
            Ok(summary) => summary,
            Err(runtime::Error::CutShort(_)) => continue,
            Err(error) => panic!("{seed}: {error}"),
        };
        clean += 1;
        let recording = Recording::read(&file).unwrap();
        for (name, traffic) in names.iter().zip(&summary.traffic) {
            let samples = recording.inputs.iter().flat_map(|inputs| &inputs.samples);
            let sealed: Vec<u64> =
                samples.filter(|sample| *sample.source == **name).map(|sample| sample.sequence).collect();
            assert!(sealed.is_sorted_by(|one, other| one < other), "{seed} {name}: out of order");
            let told = format!("{seed} {name}: {traffic:?}, {} sealed", sealed.len());
            assert_eq!(traffic.offered, sealed.len() as u64 + traffic.waiting + traffic.dropped, "{told}");
            assert_eq!(traffic.waiting, 0, "{told}");
            *dropped.entry(name.clone()).or_insert(0) += traffic.dropped;
            assert!(sealed.len() > 1_000, "{told}");
        }
    }
    assert!(clean > SEEDS / 2, "{clean} of {SEEDS} runs ended in order");
    let policies: Vec<_> = dropped.iter().map(|(name, dropped)| (name.as_str(), *dropped > 0)).collect();
    assert_eq!(policies, [("block", false), ("newest", true), ("oldest", true)], "{dropped:?}");
}
