//! What a checkpoint of the core costs the ticks on which it is made, with a full ring and 1,000 formulas: it may
//! be 2 ms on the board that this is made for, whose cores are about ten times slower than a desktop's.
//!
//! `cargo bench --bench checkpoint`. In virtual time the core's actors share a thread, so that the time between two
//! frames is what one tick costs; a checkpoint falls into two of them.

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actors::journal::CHECKPOINT_EVERY;
use actors::panel::Panel;
use actors::runtime::{self, Options, Time};
use criterion::{Criterion, criterion_group, criterion_main};

/// Ticks of a run, and of them those until the ring is full and all is warm.
const TICKS: usize = 1_440;
const WARM: usize = 240;

/// A source that fills the ring at once and goes on with a reading a tick, so that every tick is painted.
const SOURCE: &str = r##"
version = 1
[ring]
samples = 10_000
[source.wave]
kind = "generator"
shape = "saw"
every = "15ms"
on_full = "block"
faults = [{ kind = "flood", at = "100ms", rate = 20_000, for = "1s" }]
[page.main]
widgets = [{ kind = "text", at = [8, 8], size = [144, 20], text = "{wave.value:.3f}", color = "#ffffff" }]
"##;

fn panel(formulas: usize) -> Panel {
    let mut text = format!("{SOURCE}[value]\n");
    for index in 0..formulas {
        let _ = writeln!(text, "v{index} = \"if(wave.value > {index} / 10, {index}, {index} + 1)\"");
    }
    let config = tinydisplay::config::parse("checkpoint", &text, Path::new(""));
    config.unwrap_or_else(|report| panic!("{}", report.render(false))).panel
}

/// How long each tick took, from frame to frame.
fn ticks(panel: Panel) -> Vec<Duration> {
    let frames = Arc::new(Mutex::new(Vec::with_capacity(TICKS)));
    let seen = frames.clone();
    let options = Options {
        time: Time::Virtual,
        ticks: Some(TICKS as u64),
        on_frame: Some(Box::new(move |_, _| seen.lock().expect("nobody panicked").push(Instant::now()))),
        ..Options::default()
    };
    runtime::run(panel, options, |_| {}).expect("it runs");
    let frames = frames.lock().expect("nobody panicked");
    assert_eq!(frames.len(), TICKS, "every tick is painted");
    frames.windows(2).map(|two| two[1] - two[0]).skip(WARM).collect()
}

/// What a checkpoint costs beyond a usual tick: the median of all in a run.
fn cost(panel: Panel) -> Duration {
    let ticks = ticks(panel);
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let usual = median(ticks.clone());
    let every = CHECKPOINT_EVERY as usize;
    // Two neighbours, at the place in the round where they cost most: when the first was made depends on the flood.
    let pairs = |place: usize| -> Vec<Duration> {
        let first = ticks.iter().skip(place).step_by(every);
        first.zip(ticks.iter().skip(place + 1).step_by(every)).map(|(one, other)| *one + *other).collect()
    };
    let most = (0..every).map(|place| median(pairs(place))).max().unwrap_or_default();
    most.saturating_sub(2 * usual)
}

fn checkpoints(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checkpoint");
    group.sample_size(10).warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_secs(1));
    for formulas in [1, 1_000] {
        let panel = panel(formulas);
        // Each run has many; as often as it is asked for, it is the same one.
        group.bench_function(format!("full ring, {formulas} formulas"), |bencher| {
            bencher.iter_custom(|times| cost(panel.clone()) * u32::try_from(times).unwrap_or(u32::MAX));
        });
    }
    group.finish();
}

criterion_group!(benches, checkpoints);
criterion_main!(benches);
