//! What the engine's parts cost by themselves: the ring, sets of formulas, and the demo's page.
//!
//! `cargo bench --bench engine`. Ratios between lines of one run carry over to other machines.

use std::hint::black_box;
use std::path::Path;

use actors::expression::chunk::Evaluator;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::animation::Pose;
use engine::formula::{Entry, Environment, FormulaId, Key, Kind, Results, compile};
use engine::ring::{Limits, Ring};
use engine::sample::{KeyId, Sample, SourceId, SourceState};
use engine::scene::{Stage, Step};
use engine::tick::{Fps, Tick};
use engine::value::Value;

/// Samples in a batch, about what a machine's own metrics are.
const BATCH: u64 = 100;

fn sample(sequence: u64) -> Sample {
    let (source, key, value) = (SourceId(0), KeyId((sequence % 50) as u32), Value::Number(sequence as f64));
    Sample { source, key, value, timestamp_ms: sequence as i64, sequence }
}

fn ring(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring");
    let mut ring = Ring::new(Limits::default());
    group.throughput(Throughput::Elements(1)).bench_function("push one", |bencher| {
        bencher.iter(|| ring.push(black_box(sample(1))));
    });
    let batch: Vec<_> = (0..BATCH).map(sample).collect();
    group.throughput(Throughput::Elements(BATCH)).bench_function("push a batch of 100", |bencher| {
        bencher.iter_batched(|| batch.clone(), |batch| ring.push_batch(batch), BatchSize::SmallInput);
    });
    group.finish();
}

/// Formulas as people write them, each over keys of its own.
fn evaluator(formulas: usize, native: bool) -> Evaluator {
    let keys: Vec<_> =
        (0..formulas).map(|index| Key { name: format!("s.k{index}"), kind: Kind::Number }).collect();
    let texts: Vec<_> = (0..formulas)
        .map(|index| {
            let other = (index + 1) % formulas;
            match index % 4 {
                0 => format!("if(k{index} > 50, k{index} * 0.25, k{other} + 1)"),
                1 => format!("round(abs(k{index} - 220) / 220 * 100)"),
                2 => format!("max(0, min(100, k{index})) + k{other} * 2"),
                _ => format!("k{index} > 80 and k{other} < 20"),
            }
        })
        .collect();
    let entries: Vec<_> = texts.iter().map(|text| Entry { name: None, text }).collect();
    let compiled = compile(&entries, &Environment::of(&keys));
    assert!(compiled.problems.is_empty());
    let mut evaluator = Evaluator::new(compiled.program, Fps::default()).expect("the set compiles");
    if native {
        evaluator.compile_native().expect("there is memory for native code");
    }
    evaluator
}

fn formulas(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("formulas");
    for count in [100, 1_000] {
        for (native, name) in [(false, "interpreted"), (true, "native")] {
            let mut evaluator = evaluator(count, native);
            let mut tick = 0;
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(format!("{count} {name}, all inputs change"), |bencher| {
                bencher.iter(|| {
                    tick += 1;
                    for key in 0..count {
                        evaluator.set_key(key, Some(&Value::Number((tick % 100 + key as u64) as f64)));
                    }
                    evaluator.run(Tick(tick)).expect("it runs");
                    black_box(evaluator.value(FormulaId(0)))
                });
            });
            group.bench_function(format!("{count} {name}, nothing changes"), |bencher| {
                bencher.iter(|| {
                    tick += 1;
                    evaluator.run(Tick(tick)).expect("it runs");
                });
            });
        }
    }
    group.finish();
}

/// The demo's page with a number for every formula.
fn demo() -> (Stage, Results, Vec<Pose>, Vec<SourceState>) {
    let text = include_str!("../config/demo.toml");
    let config = tinydisplay::config::parse("demo.toml", text, Path::new(""));
    let panel = config.unwrap_or_else(|report| panic!("{}", report.render(false))).panel;
    let mut results = Results::new(panel.program.len());
    (0..panel.program.len() as u32).for_each(|id| results.set(FormulaId(id), Some(Value::Number(42.0))));
    let poses = vec![Pose::REST; panel.scene.widgets.len()];
    let states = vec![SourceState::Live; panel.sources.len()];
    (Stage::new(panel.scene, panel.fps), results, poses, states)
}

fn painting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("painting the demo");
    let (fresh, mut results, poses, states) = demo();
    let step = |stage: &mut Stage, tick: u64, results: &Results| {
        let now_ms = 1_800_000_000_000 + tick as i64 * 16;
        stage.step(&Step { tick: Tick(tick), now_ms, results, poses: &poses, states: &states });
        stage.paint().len()
    };
    let mut warm = fresh.clone();
    step(&mut warm, 0, &results);
    group.bench_function("all of it, glyphs known", |bencher| {
        bencher.iter_batched(
            || {
                let mut stage = warm.clone();
                stage.invalidate();
                stage
            },
            |mut stage| step(&mut stage, 1, &results),
            BatchSize::SmallInput,
        );
    });
    let mut tick = 1;
    let formulas = warm.scene().widgets.len() as u32 * 2;
    group.bench_function("every number changes", |bencher| {
        bencher.iter(|| {
            tick += 1;
            let number = Some(Value::Number((tick % 90 + 10) as f64));
            (0..formulas).for_each(|id| results.set(FormulaId(id), number.clone()));
            step(&mut warm, tick, &results)
        });
    });
    group.bench_function("nothing changes", |bencher| bencher.iter(|| step(&mut warm, tick, &results)));
    group.finish();
}

criterion_group!(benches, ring, formulas, painting);
criterion_main!(benches);
