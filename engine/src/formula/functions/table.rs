//! The table itself, a file for each part of it.

mod color;
mod logic;
mod math;
mod text;
mod window;

use super::{Category, Function, Numeric, Open, Parameter, Rule};
use crate::formula::typing::Type;

/// The parts, by category.
const PARTS: [&[Function]; 5] = [&math::ALL, &logic::ALL, &text::ALL, &color::ALL, &window::ALL];

const COUNT: usize =
    math::ALL.len() + logic::ALL.len() + text::ALL.len() + color::ALL.len() + window::ALL.len();

/// Every function, by category and then from the common to the special.
pub static FUNCTIONS: [Function; COUNT] = {
    let mut all = [math::ALL[0]; COUNT];
    let (mut part, mut at) = (0, 0);
    while part < PARTS.len() {
        let mut index = 0;
        while index < PARTS[part].len() {
            all[at] = PARTS[part][index];
            (index, at) = (index + 1, at + 1);
        }
        part += 1;
    }
    all
};

/// What the others are made from: a function of one number.
const BLANK: Function = Function {
    name: "",
    aliases: &[],
    signature: "",
    category: Category::Math,
    description: "",
    example: "",
    example_samples: &[],
    example_result: "",
    min_arguments: 1,
    max_arguments: Some(1),
    parameters: &[Parameter::Number],
    result: Type::Number,
    rule: Rule::Not,
};

const fn any_number(of: Function) -> Function {
    Function { max_arguments: None, ..of }
}

const fn call(domain: &'static str, eval: fn(&[f64]) -> f64) -> Rule {
    Rule::Call(Numeric { eval, domain, open: None })
}

/// Like [`call`], for what the generated code writes out, operation by operation.
const fn open(open: Open, domain: &'static str, eval: fn(&[f64]) -> f64) -> Rule {
    Rule::Call(Numeric { eval, domain, open: Some(open) })
}

/// The domain's message for functions that are defined everywhere.
const EVERYWHERE: &str = "the result is not a number";
