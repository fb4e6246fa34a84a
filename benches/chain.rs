//! What a tick costs on its way through the actors: how long it takes on real threads, how much in virtual
//! time, and how often it allocates.
//!
//! `cargo bench --bench chain`. Not criterion's way of measuring: a run is timed from within.
#![allow(clippy::print_stdout, reason = "its results go there")]

use std::alloc::System;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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

fn main() {
    let demo = panel("demo", include_str!("../config/demo.toml"));
    latencies(demo.clone(), 1_200);
    virtual_time("the demo", demo, 20_000);
    virtual_time("a still page", panel("still", STILL), 20_000);
    allocations("a still page", panel("still", STILL));
}

/// How long ticks take from their beginning to their end, at 60 a second on real threads.
fn latencies(panel: Panel, ticks: u64) {
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
        "a tick of the demo, live, 60 a second: p50 {:?}, p99 {:?}, p99.9 {:?}; {} of {ticks} late",
        at(0.5),
        at(0.99),
        at(0.999),
        summary.pulse.late_ticks,
    );
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
