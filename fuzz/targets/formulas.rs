#![no_main]
//! Formulas: a few lines, each a formula or `name: formula`. They are parsed, checked and lowered; Luau takes the
//! generated code, which ends and gives the same bits interpreted and native; whatever is wrong has a place.

use actors::expression::chunk::Evaluator;
use engine::formula::{Entry, Environment, FormulaId, Key, Kind, Program, compile};
use engine::tick::{Fps, Tick};
use engine::value::Value;
use libfuzzer_sys::fuzz_target;

/// The most formulas of one input.
const LINES: usize = 40;

fuzz_target!(|text: &str| {
    let entries: Vec<Entry<'_>> = text.lines().take(LINES).map(entry).collect();
    let keys = [("s.a", Kind::Number), ("s.b", Kind::Number), ("s.t", Kind::Text), ("o.b", Kind::Number)];
    let keys = keys.map(|(name, kind)| Key { name: name.into(), kind });
    let compiled = compile(&entries, &Environment::of(&keys));
    for (id, problem) in &compiled.problems {
        let text = entries[id.0 as usize].text;
        assert!(text.get(problem.span.clone()).is_some(), "{problem:?} has no place in {text:?}");
    }
    let interpreted = results(compiled.program.clone(), false);
    assert_eq!(interpreted, results(compiled.program, true), "native code gives other results");
});

fn entry(line: &str) -> Entry<'_> {
    match line.split_once(": ") {
        Some((name, text)) => Entry { name: Some(name), text },
        None => Entry { name: None, text: line },
    }
}

/// What everything comes to at a few ticks, as bits, with the places of errors.
fn results(program: Program, native: bool) -> Vec<String> {
    let count = program.len() as u32;
    let mut evaluator = Evaluator::new(program, Fps::default()).expect("Luau takes the generated code");
    if native {
        evaluator.compile_native().expect("Luau takes the generated code");
    }
    let mut told = Vec::new();
    let steps = [
        [Some(Value::Number(3.0)), Some(Value::Number(0.0)), Some(Value::from("on"))],
        [Some(Value::Number(-2.5)), None, Some(Value::from("2"))],
        [Some(Value::Number(1e300)), Some(Value::Number(7.0)), None],
    ];
    for (tick, step) in (0..).zip(steps) {
        for (key, value) in step.iter().enumerate() {
            evaluator.set_key(key, value.as_ref());
        }
        evaluator.run(Tick(tick)).expect("no formula raises an error");
        assert!(evaluator.panics().is_empty(), "{:?}", evaluator.panics());
        told.extend((0..count).map(|id| shown(evaluator.value(FormulaId(id)))));
        told.extend(evaluator.errors().map(|(id, site)| format!("{id:?} {site:?}")));
    }
    told
}

fn shown(value: Option<Value>) -> String {
    if let Some(Value::Number(number)) = value {
        assert!(number.is_finite(), "a result is finite");
        return format!("{:x}", number.to_bits());
    }
    format!("{value:?}")
}
