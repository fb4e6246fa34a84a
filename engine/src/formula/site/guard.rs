//! What to write instead of a part of a formula that can fail: the part itself, guarded.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Problem;
use crate::formula::ast::{Expr, Link, Node, Operator, Span};
use crate::formula::functions::{FUNCTIONS, Function};
use crate::formula::parser::parse;
use crate::formula::print::print;

/// A longer guard is shown with letters for what it guards, in bytes.
const SHOWN_MAX: usize = 200;

/// When a function fails, and how it is guarded then; the letters stand for its arguments.
const GUARDS: &[(&str, &str, &str)] = &[
    ("sqrt", "it can be negative", "sqrt(max(0, a))"),
    ("log", "it can be zero or less", "if(a > 0, log(a), 0)"),
    ("log10", "it can be zero or less", "if(a > 0, log10(a), 0)"),
    ("log2", "it can be zero or less", "if(a > 0, log2(a), 0)"),
    ("asin", "it can be out of range", "asin(clamp(a, -1, 1))"),
    ("acos", "it can be out of range", "acos(clamp(a, -1, 1))"),
    ("mod", "the divisor can be zero", "if(b == 0, 0, mod(a, b))"),
    ("pow", "the base can be negative", "pow(max(0, a), b)"),
    ("clamp", "the bounds can be swapped", "clamp(a, min(b, c), max(b, c))"),
    ("map", "the range can be empty", "if(b == c, d, map(a, b, c, d, e))"),
    ("round", "the digits can be others", "round(a, clamp(round(b), -300, 300))"),
    ("number", "the text can be empty", "if(a == '', 0, number(a))"),
    ("color", "the text can be empty", "color(if(a == '', '#000000', a))"),
    ("replace", "it can be empty", "if(b == '', a, replace(a, b, c))"),
];

/// The letters of patterns, in the order of what they stand for.
const LETTERS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// What to write instead of the part of a formula that stands at `span` and has this `problem`.
pub(super) fn help(tree: Option<&Expr>, span: &Span, problem: Problem) -> Option<String> {
    let part = tree.and_then(|tree| part(tree, span, problem));
    match problem {
        Problem::DivisionByZero | Problem::ModuloByZero => {
            let operator = part.as_ref().map_or(default_operator(problem), |part| part.operator);
            match part.as_ref().and_then(|part| part.operands.get(1)) {
                Some(divisor) if is_written_out(divisor) => {
                    Some(format!("divide by another number than `{}`", print(divisor)))
                }
                _ => {
                    let pattern = format!("if(b == 0, 0, a {} b)", operator.symbol());
                    Some(written("it can be zero", &pattern, part))
                }
            }
        }
        Problem::Domain(index) => {
            let function = FUNCTIONS.get(index).map(|function| function.name)?;
            let (_, when, pattern) = GUARDS.iter().find(|(name, ..)| *name == function)?;
            // Another text is to be written then, and not the same one guarded.
            let is_text = |part: &Part| part.operands.iter().all(|one| matches!(one.node, Node::Text(_)));
            if part.as_ref().is_some_and(is_text) {
                return None;
            }
            let is_power = part.as_ref().is_some_and(|part| part.is_power);
            Some(written(when, if is_power { "max(0, a) ^ b" } else { pattern }, part))
        }
        Problem::Overflow if part.as_ref().is_some_and(|part| part.function == Some("exp")) => {
            Some(written("it can be large", "exp(min(700, a))", part))
        }
        Problem::Overflow => {
            Some("where it can be that large, bound what it is made of: `clamp(x, low, high)`".into())
        }
        Problem::TextTooLong => Some("where it can be that long, take a part: `substr(text, 1, 100)`".into()),
        // The script's own message says it.
        Problem::Script => None,
    }
}

fn default_operator(problem: Problem) -> Operator {
    if problem == Problem::ModuloByZero { Operator::Modulo } else { Operator::Divide }
}

/// The part of a formula that can fail.
struct Part {
    operator: Operator,
    is_power: bool,
    function: Option<&'static str>,
    operands: Vec<Expr>,
}

fn written(when: &str, pattern: &str, part: Option<Part>) -> String {
    // What is written out fails for certain: a guard around it would be odd.
    let part = part.filter(|part| !part.operands.iter().all(is_written_out));
    let own = part.and_then(|part| filled(pattern, &part.operands));
    let shown = own.filter(|own| own.len() <= SHOWN_MAX);
    format!("where {when}, write `{}`", shown.as_deref().unwrap_or(pattern))
}

/// A pattern with expressions instead of its letters.
fn filled(pattern: &str, operands: &[Expr]) -> Option<String> {
    let mut tree = parse(pattern).tree?;
    fill(&mut tree, operands).then(|| print(&tree))
}

/// Puts expressions instead of letters; whether there is one for each.
fn fill(expr: &mut Expr, operands: &[Expr]) -> bool {
    if let Node::Name(name) = &expr.node {
        let place = LETTERS.iter().position(|letter| letter == name);
        let operand = place.and_then(|place| operands.get(place));
        if let Some(operand) = operand {
            expr.node = operand.node.clone();
        }
        return operand.is_some();
    }
    expr.parts_mut().into_iter().all(|part| fill(part, operands))
}

fn is_written_out(expr: &Expr) -> bool {
    matches!(expr.node, Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::Nil) || {
        let parts = expr.parts();
        !parts.is_empty() && parts.into_iter().all(is_written_out)
    }
}

/// The part that stands at `span` and can have this problem.
fn part(tree: &Expr, span: &Span, problem: Problem) -> Option<Part> {
    let mut open = Vec::from([tree]);
    while let Some(expr) = open.pop() {
        let found = match problem {
            Problem::DivisionByZero | Problem::ModuloByZero => division(expr, span),
            _ => call(expr, span, problem),
        };
        if found.is_some() {
            return found;
        }
        open.extend(expr.parts());
    }
    None
}

/// A link of a chain, with all that stands left of it in the chain.
fn division(expr: &Expr, span: &Span) -> Option<Part> {
    let Node::Chain(first, links) = &expr.node else { return None };
    let is_here = |link: &Link| first.span.start == span.start && link.operand.span.end == span.end;
    let index = links.iter().position(is_here)?;
    let left = match index {
        0 => (**first).clone(),
        _ => Expr { span: span.clone(), node: Node::Chain(first.clone(), links[..index].to_vec()) },
    };
    let Link { operator, operand, .. } = &links[index];
    let operands = Vec::from([left, operand.clone()]);
    Some(Part { operator: *operator, is_power: false, function: None, operands })
}

fn call(expr: &Expr, span: &Span, problem: Problem) -> Option<Part> {
    let wanted = |name: &str| match problem {
        Problem::Domain(index) => Function::index_of(name) == Some(index),
        _ => true,
    };
    let operator = Operator::Divide;
    match &expr.node {
        Node::Call(call) if expr.span == *span && wanted(&call.name) => {
            let function = Function::named(&call.name).map(|function| function.name);
            Some(Part { operator, is_power: false, function, operands: call.arguments.clone() })
        }
        Node::Power(a, b) if expr.span == *span && wanted("pow") => {
            let operands = Vec::from([(**a).clone(), (**b).clone()]);
            Some(Part { operator, is_power: true, function: None, operands })
        }
        _ => None,
    }
}
