//! What windows over time cost: a sample that comes while as many leave, and what each window holds, by
//! measure, with 3,600 and 216,000 samples (an hour of one and of sixty a second).
//!
//! `cargo bench --bench windows`. Ratios between lines of one run carry over to other machines.

#![allow(clippy::print_stdout, reason = "its results go there")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use engine::formula::derived::{Derived, Measure, Percent, Span};
use engine::hash;
use engine::tick::{Fps, Tick};
use engine::value::Value;
use engine::window::{Limits, Windows};

const START_MS: i64 = 1_800_000_000_000;

/// An hour, in which so many samples come.
const HOUR_MS: u64 = 3_600_000;

fn measures() -> [(&'static str, Measure); 12] {
    let p95 = Percent::new(95.0).expect("it is one");
    [
        ("count", Measure::Count),
        ("sum", Measure::Sum),
        ("avg", Measure::Average),
        ("stddev", Measure::Deviation),
        ("min_over", Measure::Minimum),
        ("max_over", Measure::Maximum),
        ("median", Measure::Median),
        ("percentile", Measure::Percentile(p95)),
        ("delta", Measure::Delta),
        ("rate", Measure::Rate),
        ("rate_of_change", Measure::RateOfChange),
        ("percent_change", Measure::PercentChange),
    ]
}

/// A window in steady state, and when its next sample comes.
struct Steady {
    windows: Windows,
    samples: u64,
    next: u64,
}

impl Steady {
    fn new(measures: &[Measure], samples: u64, limits: Limits) -> Steady {
        let span = Span::Milliseconds(HOUR_MS);
        let asked = |measure: &Measure| Derived {
            measure: *measure,
            key: 0,
            span: (*measure != Measure::Delta).then_some(span),
        };
        let asked: Vec<_> = measures.iter().map(asked).collect();
        let windows = Windows::limited(&asked, &[], Fps::default(), limits);
        let mut steady = Steady { windows, samples, next: 0 };
        for _ in 0..samples + samples / 10 {
            steady.step();
        }
        steady
    }

    /// A sample comes, one leaves, and what changed is answered.
    fn step(&mut self) {
        let ms = START_MS + (self.next * HOUR_MS / self.samples) as i64;
        self.windows.advance(Tick(self.next), ms);
        self.windows.push(0, ms, &Value::Number(100.0 * hash::unit(7, 0, self.next)));
        black_box(self.windows.settle().len());
        self.next += 1;
    }
}

/// All samples one by one, however many.
const EXACT: Limits = Limits { samples: 1 << 18, panes: 7_200 };

fn updates(criterion: &mut Criterion) {
    for (samples, limits, name) in [
        (3_600, Limits::default(), "3,600 samples"),
        (216_000, Limits::default(), "216,000 samples, the older ones in panes"),
        (216_000, EXACT, "216,000 samples, one by one"),
    ] {
        let mut group = criterion.benchmark_group(format!("a sample into a window of {name}"));
        for (measure, kind) in measures() {
            let mut steady = Steady::new(&[kind], samples, limits);
            println!("{measure}, {name}: {} bytes", steady.windows.bytes());
            group.bench_function(measure, |bencher| bencher.iter(|| steady.step()));
        }
        let mut steady = Steady::new(&measures().map(|(_, kind)| kind), samples, limits);
        println!("all of them, {name}: {} bytes", steady.windows.bytes());
        group.bench_function("all of them", |bencher| bencher.iter(|| steady.step()));
        group.finish();
    }
}

fn others(criterion: &mut Criterion) {
    let all = measures().map(|(_, kind)| kind);
    let mut group = criterion.benchmark_group("windows");
    let mut steady = Steady::new(&all, 216_000, Limits::default());
    group.bench_function("a sample a second late", |bencher| {
        bencher.iter(|| {
            let ms = START_MS + (steady.next * HOUR_MS / steady.samples) as i64;
            steady.windows.push(0, ms - 1_000, &Value::Number(3.0));
        });
    });
    let mut steady = Steady::new(&all, 216_000, Limits::default());
    group.bench_function("a copy of what they remember", |bencher| bencher.iter(|| steady.windows.memory()));
    let memory = steady.windows.memory();
    group.bench_function("going back to it", |bencher| bencher.iter(|| steady.windows.restore(&memory)));
    let span = Some(Span::Milliseconds(60_000));
    let average = |key| Derived { measure: Measure::Average, key, span };
    let spans: Vec<_> = (0..1_000).map(average).collect();
    let mut idle = Windows::new(&spans, &[], Fps::default());
    idle.advance(Tick(0), START_MS);
    (0..1_000).for_each(|key| idle.push(key, START_MS, &Value::Number(1.0)));
    group.bench_function("a tick of 1,000 windows where nothing comes or goes", |bencher| {
        bencher.iter(|| {
            idle.advance(Tick(1), START_MS + 1);
            black_box(idle.settle().len())
        });
    });
    let history: Vec<_> = (0..250_000_i64).map(|n| (START_MS - 250_000 + n, (n % 977) as f64)).collect();
    let asked = all.map(|measure| Derived { measure, key: 0, span: Some(Span::Milliseconds(HOUR_MS)) });
    group.sample_size(10).bench_function("filling one with 250,000 samples", |bencher| {
        bencher.iter_batched(
            || Windows::new(&asked, &[], Fps::default()),
            |mut windows| {
                windows.advance(Tick(0), START_MS);
                history.iter().for_each(|(ms, number)| windows.fill(0, *ms, *number));
                windows
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, updates, others);
criterion_main!(benches);
