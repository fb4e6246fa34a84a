//! What scripts cost: a call of a function that is remembered and one that is not, with what it reads and without,
//! the first call of a tick, which runs the script's text anew, and reading a file of 20 functions, at the start and
//! when it changes.
//!
//! `cargo bench --bench scripts`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::rc::Rc;

use actors::expression::script::calls::Calls;
use actors::expression::script::{File, Library, Limits, Script, View};
use criterion::{Criterion, criterion_group, criterion_main};
use engine::tick::{Fps, Tick};
use engine::value::Value;

const KEY: &str = "room.celsius";

/// Functions as people write them: short, with a local or two, a library function and a branch.
fn text(functions: usize) -> String {
    let mut text = String::from("local A, B = 17.62, 243.12\n");
    for number in 0..functions {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n--- The dew point, number {number}.\n\
             function dew_{number}(celsius: number, humidity: number): number?\n    \
                 if humidity <= 0 then\n        return nil\n    end\n    \
                 local gamma = math.log(humidity / 100) + A * celsius / (B + celsius)\n    \
                 return B * gamma / (A - gamma)\nend\n\n\
             function read_{number}(humidity: number): number?\n    \
                 return dew_{number}(get(\"{KEY}\") or 20, humidity)\nend\n"
        );
    }
    text
}

fn view() -> Rc<View> {
    Rc::new(View::new([KEY], [], Fps::default()))
}

fn library(functions: usize) -> Library {
    library_of(text(functions))
}

fn library_of(text: String) -> Library {
    let file = File { name: "bench.lua".into(), text: text.into() };
    let (library, problems) = Library::check(vec![file], Limits::default(), &view(), |_| false);
    assert_eq!(problems, []);
    library
}

/// Calls of one site, of the function with this name.
fn calls(library: &Library, name: &str) -> Calls {
    let function = library.functions.iter().position(|function| function.name == name);
    let sites = [function.expect("it is there") as u32];
    let mut calls = Calls::new(library, sites, [KEY], [], Fps::default(), 0).expect("it was checked");
    calls.show(0, Some(Value::Number(21.0)), |_| ());
    calls
}

fn calling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a call");
    let library = library(10);
    for (name, what, given) in [("dew_3", "of numbers", 2), ("read_3", "that reads a key", 1)] {
        let arguments = |humidity: f64| {
            let all = [Some(Value::Number(21.0)), Some(Value::Number(humidity))];
            all[2 - given..].to_vec()
        };
        let mut site = calls(&library, name);
        let same = arguments(50.0);
        group.bench_function(format!("{what}, remembered"), |bencher| {
            bencher.iter(|| black_box(site.answer(0, black_box(&same))));
        });
        let turns = [arguments(40.0), arguments(60.0)];
        let mut turn = 0;
        group.bench_function(format!("{what}, with other arguments"), |bencher| {
            bencher.iter(|| {
                turn = 1 - turn;
                black_box(site.answer(0, black_box(&turns[turn])))
            });
        });
        let mut tick = Tick(0);
        group.bench_function(format!("{what}, the first of a tick"), |bencher| {
            bencher.iter(|| {
                tick = tick + 1;
                turn = 1 - turn;
                site.begin(tick, |_| ());
                black_box(site.answer(0, black_box(&turns[turn])))
            });
        });
    }
    let mut site = calls(&library, "read_3");
    let (arguments, mut celsius) = ([Some(Value::Number(50.0))], 20.0);
    group.bench_function("whose key has changed", |bencher| {
        bencher.iter(|| {
            celsius = 41.0 - celsius;
            site.show(0, Some(Value::Number(celsius)), |_| ());
            black_box(site.answer(0, black_box(&arguments)))
        });
    });
    group.finish();
}

fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a script of 20 functions");
    let source = text(10);
    group.bench_function("checked and compiled", |bencher| {
        bencher.iter(|| {
            Script::load("bench.lua", black_box(source.as_bytes()), Limits::default(), view()).is_ok()
        });
    });
    group.bench_function("checked, compiled and run, for a panel", |bencher| {
        bencher.iter(|| black_box(library(10)));
    });
    // What a tick pays for it; the checks are made elsewhere before.
    let texts = [library(10), library_of(text(10) + "-- changed\n")];
    let mut site = calls(&texts[0], "dew_3");
    let mut turn = 0;
    group.bench_function("taken up between two ticks", |bencher| {
        bencher.iter(|| {
            turn = 1 - turn;
            site.reload(&texts[turn], |_| ()).expect("it was checked");
        });
    });
    group.finish();
}

criterion_group!(benches, calling, loading);
criterion_main!(benches);
