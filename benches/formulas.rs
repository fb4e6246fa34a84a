//! What formulas cost: a tick of 100 to 10,000 of them, loading and compiling them, their memory, and a
//! template with three of them.
//!
//! `cargo bench --bench formulas`. A tick's figures are whole: setting the keys, evaluation with errors, missing
//! values and finite checks, finding out what changed, and taking every changed result. The *plain* lines leave
//! all of that out: they are the same formulas as bare Luau over a buffer, to see what the care costs.
#![allow(clippy::print_stdout, reason = "what memory is held is no time")]

#[path = "formulas/plain.rs"]
mod plain;
#[path = "formulas/set.rs"]
mod set;

use std::hint::black_box;

use actors::expression::chunk::{Code, Evaluator};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::formula::{Entry, Environment, FormulaId, Key, Kind, Program, Results, compile};
use engine::template;
use engine::tick::{Fps, Tick};
use engine::value::Value;
use plain::Plain;

const COUNTS: [usize; 3] = [100, 1_000, 10_000];

fn program(count: usize) -> Program {
    let keys: Vec<_> = (0..count).map(|key| Key { name: format!("s.k{key}"), kind: Kind::Number }).collect();
    let texts: Vec<_> = (0..count).map(|index| set::text(index, count)).collect();
    let entries: Vec<_> = texts.iter().map(|text| Entry { name: None, text }).collect();
    let compiled = compile(&entries, &Environment::of(&keys));
    assert!(compiled.problems.is_empty());
    compiled.program
}

fn evaluator(count: usize, native: bool) -> Evaluator {
    let mut evaluator = Evaluator::new(program(count), Fps::default()).expect("the set compiles");
    if native {
        evaluator.compile_native().expect("there is memory for native code");
    }
    evaluator
}

/// A tick: every key in `keys` gets its value, everything is evaluated, what changed is taken.
fn tick(evaluator: &mut Evaluator, keys: impl Iterator<Item = usize>, tick: u64) -> f64 {
    for key in keys {
        evaluator.set_key(key, Some(&Value::Number(set::value(key, tick))));
    }
    evaluator.run(Tick(tick)).expect("it runs");
    let mut sum = 0.0;
    for id in evaluator.changed() {
        // Looked at where it is: to move it costs more than all the rest.
        if let Some(Value::Number(n)) = &evaluator.value(id) {
            sum += n;
        }
    }
    sum
}

fn ticks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a tick");
    for count in COUNTS {
        group.throughput(Throughput::Elements(count as u64));
        for (native, name) in [(false, "interpreted"), (true, "native")] {
            let mut evaluator = evaluator(count, native);
            let mut now = 0;
            tick(&mut evaluator, 0..count, now);
            let share = count / 100;
            group.bench_function(format!("{count} {name}, all inputs change"), |bencher| {
                bencher.iter(|| {
                    now += 1;
                    black_box(tick(&mut evaluator, 0..count, now))
                });
            });
            // Far apart, so that nearly each is in a group of its own.
            group.bench_function(format!("{count} {name}, 1 % of the inputs change"), |bencher| {
                bencher.iter(|| {
                    now += 1;
                    // 101 places, so that a key is another number when its turn comes again.
                    let first = now as usize * 31 % 101;
                    black_box(tick(&mut evaluator, (0..share).map(|n| (100 * n + first) % count), now))
                });
            });
            group.bench_function(format!("{count} {name}, nothing changes"), |bencher| {
                bencher.iter(|| {
                    now += 1;
                    black_box(tick(&mut evaluator, 0..0, now))
                });
            });
        }
        let plain = plain_of(count);
        let mut now = 0;
        group.bench_function(format!("{count} plain"), |bencher| {
            bencher.iter(|| {
                now += 1;
                plain.set((0..count).map(|key| set::value(key, now)));
                plain.run();
            });
        });
    }
    group.finish();
}

/// Bare Luau that was seen to give the right results.
fn plain_of(count: usize) -> Plain {
    let plain = Plain::new(count);
    plain.set((0..count).map(|key| set::value(key, 3)));
    plain.run();
    for index in 0..count {
        let [x, y] = set::keys(index, count).map(|key| set::value(key, 3));
        assert_eq!(plain.result(index, count), set::plain(index, x, y), "{}", set::text(index, count));
    }
    plain
}

/// From texts to a program, to a virtual machine, to native code.
fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("loading");
    group.sample_size(10);
    for count in [1_000, 10_000] {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("{count}: checked and lowered"), |bencher| {
            bencher.iter(|| black_box(program(count)));
        });
        let program = program(count);
        let new = |code: &Code| Evaluator::built(program.clone(), code, Fps::default(), &mut || ());
        group.bench_function(format!("{count}: a virtual machine, interpreted"), |bencher| {
            bencher.iter(|| new(&Code::default()).expect("the set compiles"));
        });
        let code = Code::default();
        new(&code).expect("the set compiles");
        group.bench_function(format!("{count}: another one, of compiled code"), |bencher| {
            bencher.iter(|| new(&code).expect("the set compiles"));
        });
        group.bench_function(format!("{count}: native code"), |bencher| {
            let setup = || new(&code).expect("the set compiles");
            bencher.iter_batched(
                setup,
                |mut evaluator| {
                    evaluator.compile_native().expect("there is memory for native code");
                    evaluator
                },
                BatchSize::PerIteration,
            );
        });
        let mut groups = new(&code).expect("the set compiles");
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("{count}: native code, a step"), |bencher| {
            bencher.iter(|| {
                if groups.compile_native_step(1).expect("there is memory for native code") {
                    groups = new(&code).expect("the set compiles");
                }
            });
        });
    }
    group.finish();
}

/// What a set of formulas holds, in its virtual machine and in all.
fn memory(_: &mut Criterion) {
    let resident = || {
        let pages = std::fs::read_to_string("/proc/self/statm").ok();
        let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
        pages.unwrap_or(0) * 4_096
    };
    for count in COUNTS {
        for native in [false, true] {
            let before = resident();
            let evaluator = evaluator(count, native);
            let name = if native { "native" } else { "interpreted" };
            println!(
                "memory/{count} {name}: {} KB in the virtual machine, {} KB more of the process",
                evaluator.used_bytes() / 1_000,
                resident().saturating_sub(before) / 1_000,
            );
        }
    }
}

fn rendering(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a template");
    let (draft, problems) = template::parse("CPU {cpu:.0f}% {if(hot, '!', ' ')} {mem:.1f} of {total:.1f} GB");
    assert!(problems.is_empty());
    let mut ids = (0..).map(FormulaId);
    let template = draft.resolve(|_, _| ids.next().unwrap_or(FormulaId(0)));
    let mut results = Results::new(4);
    for (id, value) in [Value::Number(41.7), Value::from("!"), Value::Number(3.12), Value::Number(8.0)]
        .into_iter()
        .enumerate()
    {
        results.set(FormulaId(id as u32), Some(value));
    }
    let mut text = String::new();
    group.bench_function("with four formulas, rendered", |bencher| {
        bencher.iter(|| {
            text.clear();
            template.render(black_box(&results), &mut text);
            black_box(text.len())
        });
    });
    group.finish();
}

criterion_group!(benches, ticks, loading, rendering, memory);
criterion_main!(benches);
