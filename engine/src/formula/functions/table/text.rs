//! Texts.

use super::BLANK;
use crate::formula::functions::{
    Argument, Category, Fault, Function, Output, Parameter, Rule, Textual, texts,
};
use crate::formula::typing::Type;

const TEXT: Function =
    Function { category: Category::Text, parameters: &[Parameter::Text], result: Type::Text, ..BLANK };

const TWO_TEXTS: Function = Function {
    parameters: &[Parameter::Text],
    min_arguments: 2,
    max_arguments: Some(2),
    result: Type::Truth,
    ..TEXT
};

type Eval = fn(&[Argument<'_>], &mut alloc::string::String) -> Result<Output, Fault>;

const fn rule(domain: &'static str, eval: Eval) -> Rule {
    Rule::Textual(Textual { eval, domain })
}

const EVERYWHERE: &str = super::EVERYWHERE;

pub(super) const ALL: [Function; 12] = [
    Function {
        name: "fmt",
        signature: "fmt(value, format)",
        description: "The value as a template writes it in that format",
        example: "fmt(3.14159, '.2f')",
        example_result: "3.14",
        min_arguments: 2,
        max_arguments: Some(2),
        parameters: &[Parameter::Any, Parameter::Text],
        rule: rule("the format of `fmt` cannot be read", texts::fmt),
        ..TEXT
    },
    Function {
        name: "upper",
        signature: "upper(text)",
        description: "The text in capitals",
        example: "upper('on air')",
        example_result: "ON AIR",
        rule: rule(EVERYWHERE, texts::upper),
        ..TEXT
    },
    Function {
        name: "lower",
        signature: "lower(text)",
        description: "The text in small letters",
        example: "lower('OPEN')",
        example_result: "open",
        rule: rule(EVERYWHERE, texts::lower),
        ..TEXT
    },
    Function {
        name: "len",
        signature: "len(text)",
        description: "How many characters the text has",
        example: "len('20 \u{b0}C')",
        example_result: "5",
        result: Type::Number,
        rule: rule(EVERYWHERE, texts::len),
        ..TEXT
    },
    Function {
        name: "trim",
        signature: "trim(text)",
        description: "The text without the spaces around it",
        example: "trim('  idle ')",
        example_result: "idle",
        rule: rule(EVERYWHERE, texts::trim),
        ..TEXT
    },
    Function {
        name: "contains",
        signature: "contains(text, part)",
        description: "1 if the part stands in the text, else 0; capitals count",
        example: "contains('door open', 'open')",
        example_result: "1",
        rule: rule(EVERYWHERE, texts::contains),
        ..TWO_TEXTS
    },
    Function {
        name: "starts_with",
        signature: "starts_with(text, part)",
        description: "1 if the text starts with the part, else 0",
        example: "starts_with('error 7', 'error')",
        example_result: "1",
        rule: rule(EVERYWHERE, texts::starts_with),
        ..TWO_TEXTS
    },
    Function {
        name: "ends_with",
        signature: "ends_with(text, part)",
        description: "1 if the text ends with the part, else 0",
        example: "ends_with('a.log', '.txt')",
        example_result: "0",
        rule: rule(EVERYWHERE, texts::ends_with),
        ..TWO_TEXTS
    },
    Function {
        name: "replace",
        signature: "replace(text, old, new)",
        description: "The text with each old part replaced by the new one",
        example: "replace('a_b_c', '_', ' ')",
        example_result: "a b c",
        min_arguments: 3,
        max_arguments: Some(3),
        rule: rule("what `replace` looks for is empty", texts::replace),
        ..TEXT
    },
    Function {
        name: "substr",
        signature: "substr(text, first[, count])",
        description: "That many characters from the first one on, which is 1, or -1 for the text's last; without a count all",
        example: "substr('2026-11-21', 6, 2)",
        example_result: "11",
        min_arguments: 2,
        max_arguments: Some(3),
        parameters: &[Parameter::Text, Parameter::Number, Parameter::Number],
        rule: rule(
            "the place in `substr` is not a whole number other than 0, or its count is not one of 0 or more",
            texts::substr,
        ),
        ..TEXT
    },
    Function {
        name: "pad",
        signature: "pad(text, width[, fill])",
        description: "The text filled up to so many characters, on its right, or on its left for a negative width",
        example: "pad('7', -3, '0')",
        example_result: "007",
        min_arguments: 2,
        max_arguments: Some(3),
        parameters: &[Parameter::Text, Parameter::Number, Parameter::Text],
        rule: rule(
            "the width of `pad` is not a whole number between -200 and 200, or its filling is not one character",
            texts::pad,
        ),
        ..TEXT
    },
    Function {
        name: "number",
        signature: "number(text)",
        description: "The number that the text says; an error where it says none",
        example: "number('21.5') + 1",
        example_result: "22.5",
        result: Type::Number,
        rule: rule("the text is not a number", texts::number),
        ..TEXT
    },
];
