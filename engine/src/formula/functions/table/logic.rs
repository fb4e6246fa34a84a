//! Conditions, and values that may not be there.

use super::{BLANK, any_number, call};
use crate::formula::functions::{Category, Function, Parameter, Rule};
use crate::formula::typing::Type;

const LOGIC: Function =
    Function { category: Category::Logic, parameters: &[Parameter::Condition], result: Type::Truth, ..BLANK };

pub(super) const ALL: [Function; 6] = [
    Function {
        name: "if",
        signature: "if(condition, a, b)",
        description: "a if the condition holds, else b; the other one is not computed",
        example: "if(2 > 1, 10, 20)",
        example_result: "10",
        min_arguments: 3,
        max_arguments: Some(3),
        parameters: &[Parameter::Condition, Parameter::Any, Parameter::Any],
        rule: Rule::If,
        ..LOGIC
    },
    any_number(Function {
        name: "and",
        signature: "and(a, b, ...)",
        description: "1 if all conditions hold, else 0; it stops at the first that does not",
        example: "and(1, 2 > 1)",
        example_result: "1",
        min_arguments: 2,
        rule: Rule::And,
        ..LOGIC
    }),
    any_number(Function {
        name: "or",
        signature: "or(a, b, ...)",
        description: "1 if a condition holds, else 0; it stops at the first that does",
        example: "or(0, 2 > 1)",
        example_result: "1",
        min_arguments: 2,
        rule: Rule::Or,
        ..LOGIC
    }),
    Function {
        name: "not",
        signature: "not(a)",
        description: "1 if the condition does not hold, else 0",
        example: "not(0)",
        example_result: "1",
        rule: Rule::Not,
        ..LOGIC
    },
    Function {
        name: "approx",
        signature: "approx(a, b[, eps])",
        description: "1 if a and b differ by no more than eps (1e-9), relative to the greater of 1, |a| and |b|; else 0",
        example: "approx(0.1 + 0.2, 0.3)",
        example_result: "1",
        min_arguments: 2,
        max_arguments: Some(3),
        parameters: &[Parameter::Number],
        rule: call("the tolerance of `approx` is negative", |a| {
            let eps = a.get(2).copied().unwrap_or(1e-9);
            let scale = if a[0].abs() > a[1].abs() { a[0].abs() } else { a[1].abs() };
            let near = (a[0] - a[1]).abs() <= eps * if scale > 1.0 { scale } else { 1.0 };
            if eps < 0.0 { f64::NAN } else { f64::from(u8::from(near)) }
        }),
        ..LOGIC
    },
    any_number(Function {
        name: "coalesce",
        signature: "coalesce(a, b, ...)",
        category: Category::Values,
        description: "The first of its arguments that has a value",
        example: "coalesce(nil, 7)",
        example_result: "7",
        parameters: &[Parameter::Any],
        rule: Rule::Coalesce,
        ..LOGIC
    }),
];
