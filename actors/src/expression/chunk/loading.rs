//! How much work of loading one tick can be given: counted in bytecode, which native code is made of.

use super::machine::NATIVE_BYTES_MAX;
use super::*;

fn evaluator(texts: &[String]) -> Evaluator {
    let entries: Vec<_> = texts.iter().map(|text| Entry { name: None, text }).collect();
    let keys = ["s.a", "s.b", "s.c"].map(|name| Key { name: name.into(), kind: Kind::Number });
    let compiled = compile(&entries, &Environment::of(&keys));
    assert!(compiled.problems.is_empty(), "{:?}", compiled.problems.first());
    Evaluator::new(compiled.program, Fps::default()).unwrap()
}

/// The bytecode that each step to native code makes native.
fn steps(texts: &[String]) -> Vec<usize> {
    let mut evaluator = evaluator(texts);
    let disabled = vec![0; evaluator.program.groups().len()];
    let mut steps = Vec::new();
    loop {
        let step = evaluator.machine.compile_native(1, &disabled).unwrap();
        steps.push(step.bytes);
        if step.is_last {
            return steps;
        }
    }
}

fn typical(n: usize) -> String {
    match n % 4 {
        0 => format!("clamp(a * {n} + b / 3, 0, 100)"),
        1 => format!("if(a > {n} and b < 5, round(c), coalesce(b, {n}))"),
        2 => format!("(a - b) / (c + {n}) * 100"),
        _ => format!("max(a, b, {n}) .. ' %'"),
    }
}

/// Operands of a formula, each behind an operator.
fn chain(n: usize, operands: usize, operator: &str) -> String {
    let names: Vec<_> = (0..operands).map(|m| ["a", "b", "c"][(n + m) % 3]).collect();
    format!("{n} + {}", names.join(operator))
}

/// What a tick is given does not depend on how many formulas there are, nor on how long they are.
#[test]
fn a_step_to_native_code_is_bounded() {
    let ten_thousand: Vec<String> = (0..10_000).map(typical).collect();
    let found = steps(&ten_thousand);
    assert_eq!(found.len(), 10_000_usize.div_ceil(GROUP), "a group a step");
    assert!(found.iter().all(|bytes| (1..NATIVE_BYTES_MAX / 2).contains(bytes)), "{:?}", found.iter().max());
    for operator in [" * ", " / ", " .. ", " and "] {
        let several: Vec<String> = (0..200).map(|n| chain(n, 2 + n % 90, operator)).collect();
        let found = steps(&several);
        assert!(found.iter().all(|bytes| (1..=NATIVE_BYTES_MAX).contains(bytes)), "{operator}: {found:?}");
    }
    let long: Vec<String> = (0..4).map(|n| chain(n, 1_000, " / ")).collect();
    assert_eq!(steps(&long), [0; 4], "they stay interpreted");
}
