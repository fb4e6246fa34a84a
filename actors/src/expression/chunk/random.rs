//! Random programs: the evaluator, interpreted and in native code, against the plain interpreter, bit by bit
//! and change by change.

use std::collections::BTreeMap;

use engine::formula::derived::Measure;
use engine::formula::parser::parse;
use proptest::prelude::*;

use super::reference::{self, Plain, Variables};
use super::*;

const NUMBERS: [&str; 4] = ["s.a", "s.b", "s.c", "s.d"];
const TEXTS: [&str; 2] = ["s.t", "s.u"];

/// What is asked of keys' pasts: the call, its function, and what the program asks for it.
pub(super) const QUESTIONS: [(&str, &str, Measure); 3] = [
    ("age(s.a)", "age", Measure::Age),
    ("sum(s.b, '1h')", "sum", Measure::Sum),
    ("stale(s.c)", "stale", Measure::Stale),
];

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (-4i32..5).prop_map(|n| n.to_string()),
        2 => (-300i32..300).prop_map(|n| (f64::from(n) / 7.0).to_string()),
        1 => Just("1e300".to_string()),
        1 => Just("nil".to_string()),
    ]
}

/// An expression that is a number; `v0`, `v1` and so on are filled in later.
pub(super) fn numeric() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => proptest::sample::select(&NUMBERS[..]).prop_map(String::from),
        2 => literal(),
        1 => proptest::sample::select(&QUESTIONS[..]).prop_map(|(call, ..)| call.to_string()),
        2 => Just("VALUE".to_string()),
        1 => proptest::sample::select(&["tick", "time", "fps"][..]).prop_map(String::from),
        1 => (text(), proptest::sample::select(&["<", "<=", ">", ">=", "==", "!="][..]), text())
            .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        1 => (proptest::sample::select(&["contains", "starts_with", "ends_with"][..]), text(), text())
            .prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
        1 => (proptest::sample::select(&["len", "number"][..]), text()).prop_map(|(f, a)| format!("{f}({a})")),
        1 => (color(), proptest::sample::select(&["==", "!="][..]), color()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        1 => proptest::sample::select(&["500ms", "2s", "1.5m", "90ticks"][..])
            .prop_map(|duration| format!("({duration} + 0)")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let binary = ["+", "-", "*", "/", "%", "//", "^", "<", "<=", ">", ">=", "==", "!=", "and", "or"];
        let unary = ["-", "+", "not ", "!"];
        let one = ["abs", "floor", "ceil", "trunc", "round", "sign", "sqrt", "sin", "log", "exp", "deg", "rad", "not", "coalesce"];
        let two = ["min", "max", "pow", "hypot", "atan2", "mod", "and", "or", "coalesce", "approx", "round"];
        let three = ["if", "clamp", "lerp", "min", "max", "and", "or", "coalesce"];
        let of = proptest::sample::select::<&'static str>;
        prop_oneof![
            4 => (inner.clone(), of(binary.to_vec()), inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            2 => (inner.clone(), of(vec!["+", "-", "*", "/"]), inner.clone(), of(vec!["+", "-", "*", "/", "%", "//"]), inner.clone())
                .prop_map(|(a, op, b, op2, c)| format!("({a} {op} {b} {op2} {c})")),
            1 => (of(unary.to_vec()), inner.clone()).prop_map(|(op, a)| format!("({op}{a})")),
            1 => inner.clone().prop_map(|a| format!("({a} == nil)")),
            2 => (of(one.to_vec()), inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            2 => (of(two.to_vec()), inner.clone(), inner.clone()).prop_map(|(f, a, b)| format!("{f}({a}, {b})")),
            2 => (of(three.to_vec()), inner.clone(), inner.clone(), inner).prop_map(|(f, a, b, c)| format!("{f}({a}, {b}, {c})")),
        ]
    })
}

/// An expression that is a colour.
pub(super) fn color() -> impl Strategy<Value = String> {
    let of = proptest::sample::select::<&'static str>;
    let leaf = prop_oneof![
        (of(NUMBERS.to_vec()), of(NUMBERS.to_vec())).prop_map(|(a, b)| format!("rgb({a} * 60, {b} * 9, 70)")),
        (of(NUMBERS.to_vec()), of(NUMBERS.to_vec())).prop_map(|(a, b)| format!("hsl({a} * 50, 90, 40, {b})")),
        of(vec!["color('#8f1')", "color(s.t)", "rgb(1, 2, 3)"]).prop_map(String::from),
    ];
    leaf.prop_recursive(2, 6, 2, move |inner| {
        prop_oneof![
            (inner.clone(), inner.clone(), of(NUMBERS.to_vec()))
                .prop_map(|(a, b, n)| format!("mix({a}, {b}, {n} / 4)")),
            (inner.clone(), of(NUMBERS.to_vec())).prop_map(|(a, n)| format!("alpha({a}, {n})")),
            (of(NUMBERS.to_vec()), inner.clone()).prop_map(|(c, a)| format!("if({c} > 0, {a}, 'orange')")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("coalesce({a}, {b}, '#123')")),
        ]
    })
}

/// An expression that is a text.
pub(super) fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => proptest::sample::select(&TEXTS[..]).prop_map(String::from),
        1 => "[a-c]{0,2}".prop_map(|t| format!("'{t}'")),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} .. {b})")),
            (inner.clone(), proptest::sample::select(&NUMBERS[..]))
                .prop_map(|(a, n)| format!("({a} .. {n} .. {n})")),
            (proptest::sample::select(&NUMBERS[..]), inner.clone(), inner.clone())
                .prop_map(|(c, a, b)| format!("if({c} > 0, {a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("coalesce({a}, {b})")),
            (proptest::sample::select(&["upper", "lower", "trim"][..]), inner.clone())
                .prop_map(|(f, a)| format!("{f}({a})")),
            (inner.clone(), "[a-c]{0,1}", "[x-z]{0,2}")
                .prop_map(|(a, b, c)| format!("replace({a}, '{b}', '{c}')")),
            (inner.clone(), -4i32..5, 0i32..4).prop_map(|(a, n, m)| format!("substr({a}, {n}, {m})")),
            (inner.clone(), proptest::sample::select(&NUMBERS[..]))
                .prop_map(|(a, n)| format!("substr({a}, {n})")),
            (inner.clone(), proptest::sample::select(&NUMBERS[..]))
                .prop_map(|(a, n)| format!("pad({a}, {n} * 3, '.')")),
            (
                inner,
                proptest::sample::select(&NUMBERS[..]),
                proptest::sample::select(&[">6.1f", "si", "05d", ","][..])
            )
                .prop_map(|(a, n, f)| format!("fmt({n}, '{f}') .. fmt({a}, '^5')")),
        ]
    })
}

fn sample() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        4 => (-3i32..4).prop_map(|n| Some(f64::from(n))),
        2 => (-50i32..50).prop_map(|n| Some(f64::from(n) / 8.0 + 0.1)),
        1 => Just(Some(-0.0)),
        1 => proptest::sample::select(&[1e200, -1e308, 5e-324, 2.5][..]).prop_map(Some),
        2 => Just(None),
    ]
}

/// One step: a key, or behind them all a question, and its new value.
fn step() -> impl Strategy<Value = (usize, Option<f64>)> {
    (0..NUMBERS.len() + TEXTS.len() + QUESTIONS.len(), sample())
}

/// Puts names of other formulas in: at any index but its own and only of numbers, and only backwards, so that
/// there are no cycles.
fn with_values(index: usize, texts_from: usize, text: &str) -> String {
    let mut text = text.to_string();
    let mut salt = text.len();
    while let Some(at) = text.find("VALUE") {
        salt = salt * 31 + at;
        let name = if index == 0 { "s.a".to_string() } else { format!("v{}", salt % index.min(texts_from)) };
        text.replace_range(at..at + 5, &name);
    }
    text
}

/// The same formula over other keys; questions stay those that they are.
fn with_other_keys(text: &str, copy: usize) -> String {
    let asked = |text: &str, from: &str, to: &str| {
        QUESTIONS.iter().fold(text.to_string(), |text, (call, ..)| {
            text.replace(&call.replace("s.", from), &call.replace("s.", to))
        })
    };
    let mut text = asked(text, "s.", "Q.").replace("s.", "S.");
    for (index, name) in NUMBERS.iter().enumerate() {
        text = text.replace(&name.replace("s.", "S."), NUMBERS[(index + copy) % NUMBERS.len()]);
    }
    asked(&text.replace("S.", "s."), "Q.", "s.")
}

fn plain(value: Option<Value>, kind: Option<Kind>) -> Option<Plain> {
    value.map(|value| match value {
        Value::Text(text) if kind == Some(Kind::Color) => Plain::Color(Color::parse(&text).unwrap()),
        Value::Text(text) => Plain::Text(text.to_string()),
        number => Plain::Number(number.number().unwrap()),
    })
}

/// The same to the last bit.
fn identical(a: &Option<Plain>, b: &Option<Plain>) -> bool {
    match (a, b) {
        (Some(Plain::Number(a)), Some(Plain::Number(b))) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

/// What the plain interpreter makes of all formulas at one tick; `shown` keeps the last good results.
fn expected(
    texts: &[String],
    keys: &Variables,
    tick: u64,
    shown: &mut [Option<Plain>],
    ids: &[bool],
) -> Vec<bool> {
    let mut variables = keys.clone();
    let seconds = tick as f64;
    for (name, value) in [("tick", seconds), ("time", seconds / 60.0), ("fps", 60.0)] {
        variables.insert(name.into(), Some(Plain::Number(value)));
    }
    let mut failed = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let tree = parse(text).tree.unwrap();
        let outcome = if ids[index] { reference::result(&tree, &variables) } else { Ok(None) };
        variables.insert(format!("v{index}"), outcome.clone().unwrap_or(None));
        // A formula that is only a name is that value.
        let alias = text.strip_prefix('v').and_then(|rest| rest.parse::<usize>().ok());
        let outcome = match alias {
            Some(other) if failed[other] => Err(()),
            _ => outcome,
        };
        failed.push(outcome.is_err());
        if let Ok(value) = outcome {
            shown[index] = value;
        }
    }
    failed
}

/// Runs the program step by step and compares everything that can be seen of it.
fn check(texts: &[String], steps: &[Vec<(usize, Option<f64>)>], native: bool) -> Result<(), TestCaseError> {
    let names: Vec<String> = (0..texts.len()).map(|index| format!("v{index}")).collect();
    let entries: Vec<Entry<'_>> =
        names.iter().zip(texts).map(|(name, text)| Entry { name: Some(name), text }).collect();
    let keys = keys();
    let compiled = compile(&entries, &Environment::of(&keys));
    for (id, problem) in compiled.problems.iter().filter(|(_, problem)| problem.severity == Severity::Error) {
        let certain = ["division-by-zero", "domain", "overflow", "text-too-long"].contains(&problem.code);
        prop_assert!(certain, "{}: {problem:?}", texts[id.0 as usize]);
    }
    let program = compiled.program;
    let ids: Vec<bool> = (0u32..).zip(texts).map(|(id, _)| program.kind(FormulaId(id)).is_some()).collect();
    let mut evaluator = Evaluator::new(program, Fps::default()).unwrap();
    if native {
        evaluator.compile_native().unwrap();
    }
    let mut variables: Variables =
        keys.iter().map(|key| (key.name.clone(), None)).collect::<BTreeMap<_, _>>();
    let mut shown = vec![None; texts.len()];
    for (tick, changes) in (0u64..).zip(steps) {
        for (index, number) in changes {
            if let Some((_, function, measure)) = index.checked_sub(keys.len()).map(|at| QUESTIONS[at]) {
                let at = evaluator.program().derived().iter().position(|derived| derived.measure == measure);
                if let Some(at) = at {
                    evaluator.set_derived(at, *number);
                }
                variables.insert(function.into(), number.map(|n| Plain::Number(n + 0.0)));
                continue;
            }
            let value = number.map(|n| match keys[*index].kind {
                Kind::Number => Value::Number(n),
                _ => Value::Text(["a", "red", "ab C\u{e9}", "", " 2.5"][n.to_bits() as usize % 5].into()),
            });
            evaluator.set_key(*index, value.as_ref());
            let seen = plain(value, None)
                .map(|value| if let Plain::Number(n) = value { Plain::Number(n + 0.0) } else { value });
            variables.insert(keys[*index].name.clone(), seen);
        }
        evaluator.run(Tick(tick)).unwrap();
        let before = shown.clone();
        let failed = expected(texts, &variables, tick, &mut shown, &ids);
        let mut changed = Vec::new();
        for (id, index) in (0u32..).zip(0..texts.len()) {
            let value = plain(evaluator.value(FormulaId(id)), evaluator.program().kind(FormulaId(id)));
            prop_assert!(
                identical(&value, &shown[index]),
                "tick {tick}, v{index} = {}\nwith {variables:?}\nis {value:?}, not {:?}",
                texts[index],
                shown[index]
            );
            prop_assert_eq!(
                evaluator.is_failing(FormulaId(id)),
                failed[index],
                "tick {}, v{} = {}\nwith {:?}",
                tick,
                index,
                texts[index],
                variables
            );
            if !identical(&before[index], &shown[index]) {
                changed.push(FormulaId(id));
            }
        }
        prop_assert_eq!(evaluator.changed().collect::<Vec<_>>(), changed);
        if tick % 3 == 2 {
            evaluator = successor(&evaluator);
        }
    }
    Ok(())
}

/// The keys that programs may name.
fn keys() -> Vec<Key> {
    let numbers = NUMBERS.iter().map(|name| (name, Kind::Number));
    let texts = TEXTS.iter().map(|name| (name, Kind::Text));
    numbers.chain(texts).map(|(name, kind)| Key { name: (*name).into(), kind }).collect()
}

/// Another one that takes over, as after a failure of the core.
fn successor(evaluator: &Evaluator) -> Evaluator {
    let mut successor = Evaluator::new(evaluator.program().clone(), Fps::default()).unwrap();
    successor.restore(&evaluator.memory());
    successor
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_agree_with_the_plain_interpreter(
        numbers in proptest::collection::vec(numeric(), 1..60),
        texts in proptest::collection::vec(prop_oneof![text(), color()], 0..6),
        steps in proptest::collection::vec(proptest::collection::vec(step(), 0..5), 1..8),
        native in any::<bool>(),
    ) {
        let texts_from = numbers.len();
        let all: Vec<String> = numbers.iter().chain(&texts).enumerate()
            .map(|(index, text)| with_values(index, texts_from, text)).collect();
        check(&all, &steps, native)?;
    }

    #[test]
    fn formulas_that_share_their_code_agree_with_the_plain_interpreter(
        numbers in proptest::collection::vec(numeric(), 1..4),
        texts in proptest::collection::vec(text(), 0..2),
        copies in 7usize..40,
        steps in proptest::collection::vec(proptest::collection::vec(step(), 0..5), 1..6),
        native in any::<bool>(),
    ) {
        let numbers: Vec<String> = numbers.iter().flat_map(|text| (0..copies).map(|copy| {
            format!("{} + {}", with_other_keys(text, copy), copy / 3)
        })).collect();
        let texts_from = numbers.len();
        let texts = texts.iter().flat_map(|text| (0..copies).map(move |copy| format!("{text} .. '{copy}'")));
        let all: Vec<String> = numbers.iter().cloned().chain(texts).enumerate()
            .map(|(index, text)| with_values(index, texts_from, &text)).collect();
        check(&all, &steps, native)?;
    }

    #[test]
    fn any_text_is_compiled_or_refused_without_a_panic(text in "[-+*/%^<>=!&|?:.,()'\"`a-f0-9_ \\[{~\u{e9}]{0,60}|(if|and|or|not|\\(|\\)|1|x| |,|<|==|-|\\^|'a'|nil|\\.\\.){0,40}|.{0,60}") {
        let result = evaluate(&text, &[("x".into(), Some(Value::Number(2.0)))]);
        for problem in result.err().into_iter().flatten() {
            prop_assert!(text.get(problem.span.clone()).is_some(), "{problem:?} in {text:?}");
            prop_assert_ne!(problem.code, "internal", "{:?}", problem);
        }
    }
}
