//! What a tick costs on its way through the actors: how long it takes on real threads, idle and under a flood
//! of samples, how much in virtual time, and how often it allocates; and how long a source that failed is away.
//!
//! `cargo bench --bench chain`. Not criterion's way of measuring: a run is timed from within.
#![allow(clippy::print_stdout, reason = "its results go there")]

use std::alloc::System;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actors::handle::ActorState;
use actors::panel::Panel;
use actors::runtime::{self, Options, Time};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A page that nothing moves, so that every tick is a steady one.
const STILL: &str = r##"
version = 1
[source.still]
kind = "generator"
shape = "saw"
every = "1h"
[value]
double = "still.value * 2"
[page.main]
widgets = [{ kind = "text", at = [8, 8], size = [144, 20], text = "{double:.1f}", color = "#ffffff" }]
"##;

fn panel(name: &str, text: &str) -> Panel {
    let config = tinydisplay::config::parse(name, text, Path::new(""));
    config.unwrap_or_else(|report| panic!("{}", report.render(false))).panel
}

/// The demo, and as many samples a second beside it as `RATE` says.
const FLOOD: &str = r##"
[source.flood]
kind = "generator"
shape = "sine"
every = "1s"
on_full = "drop_oldest"
faults = [{ kind = "flood", at = "0s", rate = 100_000, for = "1h" }]
[ring]
samples = 20_000
"##;

/// A source that panics fifty times, a tenth of a second apart, and is started anew at once.
const FRAIL: &str = r##"
version = 1
[source.frail]
kind = "generator"
shape = "saw"
every = "10ms"
faults = [{ kind = "panic", every = "100ms" }]
[supervision.sources]
backoff = { base = "1ms", cap = "1s", healthy = "10ms" }
[page.main]
widgets = [{ kind = "text", at = [8, 8], size = [144, 20], text = "{frail.value:.1f}", color = "#ffffff" }]
"##;

fn main() {
    let text = include_str!("../config/demo.toml");
    let demo = panel("demo", text);
    latencies("the demo", demo.clone(), 3_600);
    latencies("the demo beside 100,000 samples a second", panel("flood", &format!("{text}{FLOOD}")), 3_600);
    restarts(panel("frail", FRAIL));
    virtual_time("the demo", demo, 20_000);
    virtual_time("a still page", panel("still", STILL), 20_000);
    allocations("a still page", panel("still", STILL));
}

/// How long ticks take from their beginning to their end, at 60 a second on real threads.
fn latencies(name: &str, panel: Panel, ticks: u64) {
    let mut sampler = None;
    let options = Options { ticks: Some(ticks), ..Options::default() };
    let run = runtime::run(panel, options, |handle| {
        sampler = Some(std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let mut pulse = handle.pulse.clone();
            runtime.block_on(async {
                let mut durations = Vec::new();
                while pulse.changed().await.is_ok() {
                    durations.push(pulse.borrow_and_update().duration);
                }
                durations
            })
        }));
    });
    let summary = run.expect("the demo runs");
    let mut durations = sampler.expect("it was started").join().expect("it ends with the run");
    durations.sort();
    let at = |share: f64| durations[((durations.len() - 1) as f64 * share) as usize];
    println!(
        "a tick of {name}, live, 60 a second: p50 {:?}, p99 {:?}, p99.9 {:?}; {} of {ticks} late",
        at(0.5),
        at(0.99),
        at(0.999),
        summary.pulse.late_ticks,
    );
}

/// How long a source is away that panics: from the panic until its successor runs, back-off left out.
fn restarts(panel: Panel) {
    let mut sampler = None;
    let options = Options { ticks: Some(600), ..Options::default() };
    let run = runtime::run(panel, options, |handle| {
        sampler = Some(std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let mut actors = handle.actors.clone();
            runtime.block_on(async {
                let (mut failed, mut away) = (None, Vec::new());
                while actors.changed().await.is_ok() {
                    let now = handle.world.now();
                    let reports = actors.borrow_and_update().clone();
                    let Some(source) = reports.iter().find(|report| &*report.name == "source.frail") else {
                        continue;
                    };
                    match (source.state, failed) {
                        (ActorState::BackingOff(_), None) => failed = Some(now),
                        (ActorState::Starting | ActorState::Running, Some(since)) => {
                            away.push(now.saturating_sub(since));
                            failed = None;
                        }
                        _ => {}
                    }
                }
                away
            })
        }));
    });
    run.expect("it runs");
    let mut away = sampler.expect("it was started").join().expect("it ends with the run");
    away.sort();
    match away.as_slice() {
        [] => println!("no restart was seen"),
        [.., most] => println!(
            "a source that panics is away for p50 {:?}, at most {most:?}, in {} restarts",
            away[away.len() / 2],
            away.len(),
        ),
    }
}

/// What a tick costs in all, actors, sources and painting, where nobody waits.
fn virtual_time(name: &str, panel: Panel, ticks: u64) {
    let began = Instant::now();
    let options = Options { time: Time::Virtual, ticks: Some(ticks), ..Options::default() };
    runtime::run(panel, options, |_| {}).expect("it runs");
    let each = began.elapsed() / u32::try_from(ticks).expect("not so many");
    let per_second = Duration::from_secs(1).as_nanos() / each.as_nanos().max(1);
    println!("{name} in virtual time: {each:?} a tick, {per_second} ticks a second");
}

/// How often a steady tick allocates, counted between two ticks long after the start.
fn allocations(name: &str, panel: Panel) {
    let counts = Arc::new(Mutex::new(Vec::with_capacity(2)));
    let seen = counts.clone();
    let options = Options {
        time: Time::Virtual,
        ticks: Some(3_001),
        on_frame: Some(Box::new(move |tick, _| {
            if tick.0 % 1_000 == 0 && tick.0 >= 2_000 {
                seen.lock().expect("nobody panicked").push(ALLOCATOR.stats());
            }
        })),
        ..Options::default()
    };
    runtime::run(panel, options, |_| {}).expect("it runs");
    let counts = counts.lock().expect("nobody panicked");
    let change = counts[1] - counts[0];
    let each = |count: usize| count as f64 / 1_000.0;
    println!(
        "{name}: {} allocations and {} bytes a steady tick",
        each(change.allocations),
        each(change.bytes_allocated),
    );
}
