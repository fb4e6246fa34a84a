//! From a tree back to text: one canonical way to write each formula, with no more parentheses than it needs.

use alloc::format;
use alloc::string::{String, ToString};

use super::ast::{Expr, Node, Operator};
use super::lexer::is_bare_name;
use super::parser::{Level, level_of};

/// The text of `expr`. Reading it again gives the same tree; where something could not be read it has `…`.
///
/// ```
/// use engine::formula::{parser::parse, print::print};
/// let tree = parse("((`cpu`)*60 + (1_000)) ^ -2 >= 300s && !\"a b\"").tree.unwrap();
/// assert_eq!(print(&tree), "(cpu * 60 + 1000) ^ -2 >= 300s and not 'a b'");
/// ```
pub fn print(expr: &Expr) -> String {
    let mut out = String::new();
    write(expr, Level::Lowest, &mut out);
    out
}

/// Writes `expr` where an operand of something that binds as tightly as `above` is read.
fn write(expr: &Expr, above: Level, out: &mut String) {
    match &expr.node {
        Node::Number(n) => write_number(*n, out),
        Node::Duration(duration) => out.push_str(&duration.to_string()),
        Node::Text(text) => write_text(text, out),
        Node::Nil => out.push_str("nil"),
        Node::Name(name) => write_name(name, out),
        Node::Error => out.push('\u{2026}'),
        Node::Call(call) => {
            out.push_str(&call.name);
            write_list(&call.arguments, out);
        }
        Node::Negate(operand) => write_prefixed('-', operand, above, out),
        Node::Plus(operand) => write_prefixed('+', operand, above, out),
        Node::Not(operand) => write_not(operand, above, out),
        Node::Chain(..) | Node::Power(..) | Node::Compare(..) if level(expr) <= above => {
            out.push('(');
            write_binary(expr, out);
            out.push(')');
        }
        Node::Chain(..) | Node::Power(..) | Node::Compare(..) => write_binary(expr, out),
    }
}

fn write_binary(expr: &Expr, out: &mut String) {
    match &expr.node {
        Node::Chain(first, links) => {
            let level = level(expr);
            write_first(first, level, out);
            for link in links {
                write_symbol(link.operator.symbol(), out);
                write(&link.operand, level, out);
            }
        }
        Node::Compare(a, comparison, b) => {
            write_first(a, Level::Compare, out);
            write_symbol(comparison.symbol(), out);
            write(b, Level::Compare, out);
        }
        Node::Power(a, b) => {
            write_first(a, Level::Power, out);
            write_symbol("^", out);
            write(b, Level::Unary, out);
        }
        _ => {}
    }
}

/// Writes the first operand of an operator of `level`.
fn write_first(expr: &Expr, level: Level, out: &mut String) {
    if is_too_loose(expr, level) {
        out.push('(');
        write(expr, Level::Lowest, out);
        out.push(')');
    } else {
        write(expr, level, out);
    }
}

/// Whether a sign or `not` in front of an operator of `level` would take it into its own operand.
fn is_too_loose(first: &Expr, level: Level) -> bool {
    match &first.node {
        Node::Not(operand) => level > Level::Not && !is_call_of_not(operand, level),
        Node::Negate(_) | Node::Plus(_) => level > Level::Unary,
        _ => false,
    }
}

fn write_prefixed(sign: char, operand: &Expr, above: Level, out: &mut String) {
    out.push(sign);
    // `--` is no sign here, but it begins comments elsewhere.
    if matches!(operand.node, Node::Negate(_) | Node::Plus(_)) {
        out.push(' ');
    }
    write(operand, tighter(Level::Unary, above), out);
}

/// `not` in front of a parenthesis is the function, which is as good.
fn write_not(operand: &Expr, above: Level, out: &mut String) {
    if is_call_of_not(operand, above) {
        out.push_str("not(");
        write(operand, Level::Lowest, out);
        out.push(')');
    } else {
        out.push_str("not ");
        write(operand, tighter(Level::Not, above), out);
    }
}

/// Whether the text of `operand` begins with a parenthesis.
fn is_call_of_not(operand: &Expr, above: Level) -> bool {
    begins_with_parenthesis(operand, tighter(Level::Not, above))
}

fn begins_with_parenthesis(expr: &Expr, above: Level) -> bool {
    match &expr.node {
        Node::Chain(first, _) | Node::Compare(first, ..) | Node::Power(first, _) => {
            let own = level(expr);
            own <= above || is_too_loose(first, own) || begins_with_parenthesis(first, own)
        }
        _ => false,
    }
}

fn write_list(arguments: &[Expr], out: &mut String) {
    out.push('(');
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(argument, Level::Lowest, out);
    }
    out.push(')');
}

fn write_symbol(symbol: &str, out: &mut String) {
    out.push(' ');
    out.push_str(symbol);
    out.push(' ');
}

/// The shortest digits that are read as the same number.
fn write_number(n: f64, out: &mut String) {
    let plain = n == 0.0 || (1e-5..1e16).contains(&n);
    out.push_str(&if plain { format!("{n}") } else { format!("{n:e}") });
}

/// In single quotes, which need no escape inside a configuration's double ones, unless there are such
/// quotes inside.
fn write_text(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
}

fn write_name(name: &str, out: &mut String) {
    if is_bare_name(name) {
        out.push_str(name);
    } else {
        out.extend(["`", name, "`"]);
    }
}

/// How tightly the node's own operator binds.
fn level(expr: &Expr) -> Level {
    match &expr.node {
        Node::Chain(_, links) => level_of(links.first().map_or(Operator::Add, |link| link.operator)),
        Node::Compare(..) => Level::Compare,
        _ => Level::Power,
    }
}

fn tighter(a: Level, b: Level) -> Level {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests;
