//! Every evaluator over the same formulas and the same values.

use std::hint::black_box;

use actors::expression::chunk::Evaluator;
use engine::formula::{Entry, Environment, FormulaId, Key, Kind, compile};
use engine::tick::{Fps, Tick};
use engine::value::Value;
use exmex::{BinOp, Express, FlatEx, MakeOperators, Operator};
use fasteval::{Compiler, Evaler};

use crate::plain::Plain;
use crate::set;
use crate::table::{Row, least};

/// A formula and the keys that it reads.
struct Question {
    kind: usize,
    keys: [usize; 2],
}

pub fn all(count: usize) -> Vec<Row> {
    let questions: Vec<Question> = (0..count)
        .map(|index| Question { kind: index % set::KINDS, keys: set::keys(index, count) })
        .collect();
    let row = |name: &str, ns: f64| Row { what: "formulas".into(), name: name.into(), count, ns };
    vec![
        row("tinydisplay, native, whole", own(count, true)),
        row("tinydisplay, interpreted, whole", own(count, false)),
        row("tinydisplay, native, plain", plain(count)),
        row("Rust closures, plain", closures(&questions)),
        row("fasteval, plain", fasteval(&questions)),
        row("exmex, plain", exmex(&questions)),
        row("rhai, plain", rhai(&questions)),
    ]
}

fn values(count: usize, tick: u64) -> impl Iterator<Item = f64> {
    (0..count).map(move |key| set::value(key, tick))
}

/// Runs a peer, after it gave the right results once.
fn measured(questions: &[Question], mut peer: impl FnMut(&[f64], &mut [f64])) -> f64 {
    let mut results = vec![0.0; questions.len()];
    let mut keys: Vec<f64> = values(questions.len(), 3).collect();
    peer(&keys, &mut results);
    for (question, result) in questions.iter().zip(&results) {
        let [x, y] = question.keys.map(|key| keys[key]);
        assert_eq!(*result, set::plain(question.kind, x, y), "kind {}", question.kind);
    }
    least(questions.len(), |tick| {
        values(questions.len(), tick).zip(&mut keys).for_each(|(value, key)| *key = value);
        peer(black_box(&keys), &mut results);
        black_box(&results);
    })
}

fn own(count: usize, native: bool) -> f64 {
    let keys: Vec<_> = (0..count).map(|key| Key { name: format!("s.k{key}"), kind: Kind::Number }).collect();
    let texts: Vec<_> = (0..count).map(|index| set::text(index, count)).collect();
    let entries: Vec<_> = texts.iter().map(|text| Entry { name: None, text }).collect();
    let mut evaluator = Evaluator::new(compile(&entries, &Environment::of(&keys)).program, Fps::default())
        .expect("it compiles");
    if native {
        evaluator.compile_native().expect("there is memory");
    }
    let mut run = |tick: u64| {
        for (key, value) in values(count, tick).enumerate() {
            evaluator.set_key(key, Some(&Value::Number(value)));
        }
        evaluator.run(Tick(tick)).expect("it runs");
        let mut sum = 0.0;
        for id in evaluator.changed() {
            // Looked at where it is: to move it costs more than all the rest.
            if let Some(Value::Number(n)) = &evaluator.value(id) {
                sum += n;
            }
        }
        black_box(sum);
    };
    let ns = least(count, &mut run);
    run(3);
    for index in 0..count {
        let [x, y] = set::keys(index, count).map(|key| set::value(key, 3));
        let result = evaluator.value(FormulaId(index as u32)).and_then(|value| value.number());
        assert_eq!(result, Some(set::plain(index, x, y)), "{}", set::text(index, count));
    }
    ns
}

fn plain(count: usize) -> f64 {
    let plain = Plain::new(count);
    let ns = least(count, |tick| {
        plain.set(values(count, tick));
        plain.run();
    });
    plain.set(values(count, 3));
    plain.run();
    for index in 0..count {
        let [x, y] = set::keys(index, count).map(|key| set::value(key, 3));
        assert_eq!(plain.result(index, count), set::plain(index, x, y), "{}", set::text(index, count));
    }
    ns
}

fn closures(questions: &[Question]) -> f64 {
    type Closure = Box<dyn Fn(&[f64]) -> f64>;
    let closure = |question: &Question| -> Closure {
        let [x, y] = question.keys;
        match question.kind {
            0 => Box::new(move |keys| set::plain(0, keys[x], keys[y])),
            1 => Box::new(move |keys| set::plain(1, keys[x], keys[y])),
            2 => Box::new(move |keys| set::plain(2, keys[x], keys[y])),
            _ => Box::new(move |keys| set::plain(3, keys[x], keys[y])),
        }
    };
    let all: Vec<Closure> = questions.iter().map(closure).collect();
    measured(questions, |keys, results| {
        all.iter().zip(results).for_each(|(closure, result)| *result = closure(keys));
    })
}

/// fasteval has no `if`.
fn fasteval(questions: &[Question]) -> f64 {
    let texts = [
        "(x > 50) * (x * 0.25) + (x <= 50) * (y + 1)",
        "round(abs(x - 220) / 220 * 100)",
        "max(0, min(100, x)) + y * 2",
        "(x > 80) && (y < 20)",
    ];
    let parser = fasteval::Parser::new();
    let all: Vec<_> = questions
        .iter()
        .map(|question| {
            let mut slab = fasteval::Slab::new();
            let parsed = parser.parse(texts[question.kind], &mut slab.ps).expect("it parses");
            let compiled = parsed.from(&slab.ps).compile(&slab.ps, &mut slab.cs);
            (slab, compiled, question.keys)
        })
        .collect();
    measured(questions, |keys, results| {
        for ((slab, compiled, [x, y]), result) in all.iter().zip(results) {
            let mut names = |name: &str, _: Vec<f64>| match name {
                "x" => Some(keys[*x]),
                "y" => Some(keys[*y]),
                _ => None,
            };
            *result = compiled.eval(slab, &mut names).expect("it runs");
        }
    })
}

/// Comparisons and the like are no part of exmex's numbers, but can be added.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Operators;

impl MakeOperators<f64> for Operators {
    fn make<'a>() -> Vec<Operator<'a, f64>> {
        let binary = |name, apply: fn(f64, f64) -> f64, prio| {
            Operator::make_bin(name, BinOp { apply, prio, is_commutative: false })
        };
        vec![
            binary("&&", |a, b| f64::from(u8::from(a != 0.0 && b != 0.0)), 0),
            binary(">", |a, b| f64::from(u8::from(a > b)), 1),
            binary("<=", |a, b| f64::from(u8::from(a <= b)), 1),
            binary("<", |a, b| f64::from(u8::from(a < b)), 1),
            Operator::make_bin_unary(
                "+",
                BinOp { apply: |a, b| a + b, prio: 2, is_commutative: true },
                |a| a,
            ),
            Operator::make_bin_unary(
                "-",
                BinOp { apply: |a, b| a - b, prio: 2, is_commutative: false },
                |a| -a,
            ),
            binary("*", |a, b| a * b, 3),
            binary("/", |a, b| a / b, 3),
            binary("min", f64::min, 4),
            binary("max", f64::max, 4),
            Operator::make_unary("abs", f64::abs),
            Operator::make_unary("round", f64::round),
        ]
    }
}

fn exmex(questions: &[Question]) -> f64 {
    let texts = [
        "(x > 50) * (x * 0.25) + (x <= 50) * (y + 1)",
        "round(abs(x - 220) / 220 * 100)",
        "(0 max (100 min x)) + y * 2",
        "(x > 80) && (y < 20)",
    ];
    let parse = |text: &str| FlatEx::<f64, Operators>::parse(text).expect("it parses");
    let all: Vec<_> = questions.iter().map(|question| (parse(texts[question.kind]), question.keys)).collect();
    measured(questions, |keys, results| {
        for ((expression, [x, y]), result) in all.iter().zip(results) {
            // The second kind has but one variable.
            let variables = [keys[*x], keys[*y]];
            *result = expression.eval(&variables[..expression.var_names().len()]).expect("it runs");
        }
    })
}

fn rhai(questions: &[Question]) -> f64 {
    let texts = [
        "if x > 50.0 { x * 0.25 } else { y + 1.0 }",
        "((x - 220.0).abs() / 220.0 * 100.0).round()",
        "max(0.0, min(100.0, x)) + y * 2.0",
        "if x > 80.0 && y < 20.0 { 1.0 } else { 0.0 }",
    ];
    let mut engine = rhai::Engine::new();
    engine.set_optimization_level(rhai::OptimizationLevel::Full);
    let compile = |text: &str| {
        let mut scope = rhai::Scope::new();
        scope.push("x", 0.0_f64).push("y", 0.0_f64);
        (engine.compile_with_scope(&scope, text).expect("it parses"), scope)
    };
    let mut all: Vec<_> =
        questions.iter().map(|question| (compile(texts[question.kind]), question.keys)).collect();
    measured(questions, |keys, results| {
        for (((tree, scope), [x, y]), result) in all.iter_mut().zip(results) {
            scope.set_value("x", keys[*x]);
            scope.set_value("y", keys[*y]);
            *result = engine.eval_ast_with_scope::<f64>(scope, tree).expect("it runs");
        }
    })
}
