#![no_main]
//! Templates: any text is a template or has its problems placed; whatever its formulas come to is written.

use engine::formula::{FormulaId, Results};
use engine::template;
use engine::value::Value;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (draft, problems) = template::parse(text);
    for problem in &problems {
        assert!(text.get(problem.span.clone()).is_some(), "{problem:?} has no place in {text:?}");
    }
    for (formula, span) in draft.formulas() {
        assert_eq!(text.get(span), Some(formula), "a formula is where it is said to be");
    }
    let template = draft.resolve(|_, _| FormulaId(0));
    let numbers = [0.0, -1.5, 1e300, 5e-324, 123_456_789.987, 86_399.99, -0.5, 2.5];
    let numbers = numbers.map(|number| Some(Value::Number(number)));
    let others = [None, Some(Value::from("caf\u{e9} \u{1f600}")), Some(Value::Bool(true))];
    let mut out = String::new();
    for value in numbers.into_iter().chain(others) {
        let mut results = Results::new(1);
        results.set(FormulaId(0), value);
        out.clear();
        template.render(&results, &mut out);
    }
});
