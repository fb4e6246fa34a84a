//! What metrics cost: a scrape, and what a tick has to count.
//!
//! `cargo bench --bench scrape`.

use std::hint::black_box;
use std::time::Duration;

use actors::telemetry::exporter;
use actors::telemetry::process::Process;
use actors::telemetry::{Http, Telemetry};
use criterion::{Criterion, criterion_group, criterion_main};
use engine::event::EventKind;
use engine::sample::SourceId;

fn names(kind: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{kind}{index}")).collect()
}

/// What a tick counts and times: its parts, a reading, a result, an event.
fn count_a_tick(telemetry: &Telemetry) {
    let took = Duration::from_micros(40);
    telemetry.clock.ticks.increment(1);
    telemetry.clock.late_ticks.increment(0);
    telemetry.clock.skipped_frames.increment(0);
    telemetry.clock.rebases.increment(0);
    for histogram in [
        &telemetry.clock.duration,
        &telemetry.clock.lateness,
        &telemetry.ring.ingest,
        &telemetry.ring.seal,
        &telemetry.formulas.duration,
        &telemetry.events.duration,
        &telemetry.events.from_ring,
        &telemetry.painting.step,
        &telemetry.painting.duration,
        &telemetry.painting.from_tick,
        &telemetry.painting.from_sample,
    ] {
        histogram.record(took);
    }
    telemetry.ring.samples.set(1e4);
    telemetry.ring.bytes.set(1e6);
    telemetry.source(SourceId(0)).samples.absolute(1);
    telemetry.formulas.changed.increment(3);
    telemetry.formulas.bindings.increment(2);
    telemetry.value(0).set(Some(1.5));
    telemetry.events.count(EventKind::TriggerActivated);
    telemetry.painting.damage_pixels.increment(900);
}

fn scrape(criterion: &mut Criterion) {
    let handle = exporter::install().expect("nobody else has installed one");
    let telemetry = Telemetry::new(&names("source", 8), &names("output", 2), &names("value", 100));
    (0..100).for_each(|value| telemetry.value(value).set(Some(value as f64)));
    let http = Http::new();
    http.answered("/metrics", 200, Duration::from_millis(1));
    let mut process = Process::new();
    // As many ticks as there are between two scrapes.
    let ticks = || (0..900).for_each(|_| count_a_tick(&telemetry));
    ticks();
    let page = handle.render();
    let series = page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
    criterion.bench_function(&format!("render {series} lines, {} KB", page.len() / 1_000), |bencher| {
        bencher.iter(|| black_box(handle.render()).len());
    });
    criterion.bench_function("upkeep after 15 s", |bencher| {
        bencher.iter_batched(ticks, |()| handle.run_upkeep(), criterion::BatchSize::PerIteration);
    });
    criterion.bench_function("measure the process", |bencher| bencher.iter(|| process.measure()));
    criterion.bench_function("count a tick", |bencher| bencher.iter(|| count_a_tick(black_box(&telemetry))));
}

criterion_group!(benches, scrape);
criterion_main!(benches);
