//! The promise of the runtime: the same recording gives the same events and the same frames, on real threads
//! in real time as in a simulation, and a recorded live run can be shown again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use actors::recording::Recording;
use actors::runtime::{self, Options, Time};
use engine::event::Event;

/// Everything at once: racing sources of several kinds, one that always fails, formulas, windows over time,
/// templates, triggers, animations, charts.
pub(crate) const PANEL: &str = r##"
version = 1

[display]
fps = 60
seed = 7

[source.fast]
kind = "generator"
shape = "walk"
min = 0
max = 100
every = "7ms"

[source.wave]
kind = "generator"
shape = "square"
min = -1
max = 1
period = "900ms"
every = "100ms"
stale_after = "40ms"

[source.clock]
kind = "time"

[source.machine]
kind = "system"
every = "250ms"

[source.broken]
kind = "playback"
file = "gone.csv"

[value]
level = "round(fast.value)"
risky = "100 / wave.value"
high = "level > 50 and wave.value > 0"
calm = "avg(fast.value, 300ms) + stddev(fast.value, '20ticks') + percentile(fast.value, 90, 1s)"
swing = "max_over(fast.value, 300ms) - min_over(fast.value, 1s) + rate_of_change(fast.value, 500ms)"
quiet = "delta(fast.value) + age(wave.value) + stale(wave.value) * 10 + count(wave.value, 50ms)"

[animation.flash]
widget = "lamp"
duration = "200ms"
from = { opacity = 0 }
to = { opacity = 1 }
easing = "ease_out"

[animation.slide]
widget = "title"
duration = "30ticks"
from = { x = -20 }
to = { x = 0 }
easing = "ease_in_out"
start = "load"

[[trigger]]
name = "high"
when = "high"
cooldown = "300ms"
start = ["flash"]

[page.main]
widgets = [
    { kind = "text", id = "title", at = [4, 4], size = [152, 16], text = "level {level} {clock.second}", font_size = 12, color = "#ffffff" },
    { kind = "shape", id = "lamp", at = [140, 4], size = [12, 12], figure = "ellipse", fill = "#ff4040" },
    { kind = "progress", id = "bar", at = [4, 30], size = [152, 8], value = "level", range = [0, 100], color = "#40c0ff", transition = { duration = "200ms" } },
    { kind = "sparkline", id = "chart", at = [4, 50], size = [152, 60], value = "fast.value", span = "10s", color = "#40ff80" },
    { kind = "text", id = "past", at = [4, 40], size = [152, 12], text = "{calm:.4f} {swing:.4f} {quiet:.3f}", font_size = 8, color = "#a0a0a0" },
    { kind = "text", id = "load", at = [4, 112], size = [152, 14], text = "cpu {machine.cpu:.0f}%", font_size = 10, color = "#a0a0a0" },
]
"##;

/// What a run decided and showed.
#[derive(Default)]
pub(crate) struct Run {
    events: Vec<Event>,
    /// The hash of every frame that was painted, by tick.
    pub(crate) frames: BTreeMap<u64, u64>,
}

pub(crate) fn run(panel: &str, folder: &Path, options: Options) -> Run {
    let config =
        tinydisplay::config::parse("panel.toml", panel, folder).map_err(|report| report.render(false));
    let seen = Arc::new(Mutex::new(Run::default()));
    let (frames, events) = (seen.clone(), seen.clone());
    let options = Options {
        on_frame: Some(Box::new(move |tick, frame| {
            frames.lock().unwrap().frames.insert(tick.0, frame.hash());
        })),
        on_event: Some(Box::new(move |event| events.lock().unwrap().events.push(event.clone()))),
        ..options
    };
    runtime::run(config.unwrap().panel, options, |_| {}).unwrap();
    std::mem::take(&mut *seen.lock().unwrap())
}

/// Whether both decided the same, and showed the same at every tick that both painted.
fn assert_same(one: &Run, other: &Run, painted_min: usize) {
    for (one, other) in one.events.iter().zip(&other.events) {
        assert_eq!(one, other);
    }
    assert_eq!(one.events.len(), other.events.len());
    let both = one.frames.iter().filter_map(|(tick, hash)| Some((tick, hash, other.frames.get(tick)?)));
    let both: Vec<_> = both.collect();
    assert!(both.len() >= painted_min, "{} frames were painted by both", both.len());
    for (tick, one, other) in both {
        assert_eq!(one, other, "the frames of tick {tick}");
    }
}

#[test]
fn a_live_run_can_be_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    let ticks = Some(600);
    let live = run(PANEL, folder.path(), Options { ticks, record: Some(file.clone()), ..Options::default() });
    let input = Recording::read(&file).unwrap();
    // Few enough for the busiest machine; that all which both painted is the same is what matters.
    assert!(input.inputs.len() > 60, "{} ticks had inputs", input.inputs.len());

    let simulated = Options { ticks, input: Some(input.clone()), time: Time::Virtual, ..Options::default() };
    let simulated = run(PANEL, folder.path(), simulated);
    assert_eq!(simulated.frames.len(), 600, "a simulation paints every tick");
    assert_same(&live, &simulated, 30);

    let again = run(PANEL, folder.path(), Options { ticks, input: Some(input), ..Options::default() });
    assert_same(&again, &simulated, 30);

    let kinds: Vec<_> = simulated.events.iter().map(|event| event.kind.name()).collect();
    for kind in ["trigger_activated", "trigger_deactivated", "animation_completed", "source_state"] {
        assert!(kinds.contains(&kind), "the run had a {kind}");
    }
    let distinct: std::collections::BTreeSet<_> = simulated.frames.values().collect();
    assert!(distinct.len() > 60, "the picture moved: {} different frames", distinct.len());
}

#[test]
fn a_simulation_depends_on_its_seed_alone() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = |seed| {
        let panel = PANEL.replace("seed = 7", &format!("seed = {seed}"));
        run(&panel, folder.path(), Options { ticks: Some(300), time: Time::Virtual, ..Options::default() })
    };
    let (first, second, other) = (simulate(7), simulate(7), simulate(8));
    assert_eq!(first.events, second.events);
    assert_eq!(first.frames, second.frames);
    assert_ne!(first.frames, other.frames);
}

#[test]
fn a_core_that_panics_whenever_it_comes_back_ends_the_run_and_says_so() {
    for time in [Time::Live, Time::Virtual] {
        let folder = tempfile::tempdir().unwrap();
        let config = tinydisplay::config::parse("panel.toml", PANEL, folder.path()).unwrap();
        let options = Options {
            time,
            on_frame: Some(Box::new(|tick, _| assert!(tick.0 < 3, "a fault at tick 3"))),
            ..Options::default()
        };
        let ended = runtime::run(config.panel, options, |_| {});
        assert!(matches!(ended, Err(runtime::Error::Escalated(_))), "{time:?}: {ended:?}");
    }
}

#[test]
fn charts_are_filled_at_the_first_frame_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let panel = r##"
        version = 1
        [source.wave]
        kind = "generator"
        shape = "saw"
        min = 0
        max = 100
        period = "2s"
        every = "50ms"
        [page.main]
        widgets = [{ kind = "sparkline", at = [0, 0], size = [160, 128], value = "wave.value", span = "16s", range = [0, 100], color = "#ffffff", fill = "#ffffff", dot = false }]
        [persistence]
        file = "state.db"
    "##;
    // How many columns show anything, in the first frame and in the last.
    let filled = || {
        let counts = Arc::new(Mutex::new(Vec::new()));
        let seen = counts.clone();
        let options = Options {
            ticks: Some(150),
            on_frame: Some(Box::new(move |_, frame| {
                let bottom = frame.row(120, 0, 160).chunks_exact(4);
                seen.lock().unwrap().push(bottom.filter(|pixel| pixel[0] > 60).count());
            })),
            ..Options::default()
        };
        let config = tinydisplay::config::parse("panel.toml", panel, folder.path()).unwrap();
        runtime::run(config.panel, options, |_| {}).unwrap();
        let counts = counts.lock().unwrap();
        (counts[0], counts[counts.len() - 1])
    };
    let (first, last) = filled();
    assert!(first <= 1, "nothing is known at first: {first} columns");
    // About 25, but a busy machine gets there as it can.
    assert!((10..80).contains(&last), "2.5 of 16 seconds: {last} of 160 columns");
    let (again, more) = filled();
    assert!(
        again >= last / 2,
        "the first frame after the restart has {again} columns, the last before {last}"
    );
    assert!(more > again + 5, "and it goes on: {more} columns");
}
