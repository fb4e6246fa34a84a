//! Checks operators, and computes them where both sides are known.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Checker, MAX_TEXT, Typed};
use crate::diagnostic::Diagnostic;
use crate::formula::Kind;
use crate::formula::ast::{self, Comparison, Expr, Node, Operator, Span};
use crate::formula::functions::floored_modulo;
use crate::formula::ir::{Arithmetic, Chain, Ir, Link, Piece, Subject};
use crate::formula::site::Problem;
use crate::formula::typing::Type;
use crate::value::Value;

impl Checker<'_, '_> {
    pub(super) fn logic(&mut self, first: &Expr, links: &[ast::Link]) -> Typed {
        let operator = links[0].operator;
        let mut parts = Vec::from([self.condition(first, operator.symbol())]);
        self.in_branch(|checker| {
            parts.extend(links.iter().map(|link| checker.condition(&link.operand, operator.symbol())));
        });
        let span = first.span.start..links.last().map_or(first.span.end, |link| link.operand.span.end);
        self.joined(operator, parts, &span)
    }

    /// Conditions of which all have to hold, or one.
    pub(super) fn joined(&mut self, operator: Operator, parts: Vec<Ir>, span: &Span) -> Typed {
        let ir = if operator == Operator::And { all(parts) } else { any(parts) };
        self.warn_of_contradiction(&ir, span);
        Typed::truth(ir)
    }

    pub(super) fn join(&mut self, first: &Expr, links: &[ast::Link]) -> Typed {
        let mut pieces = Vec::new();
        for operand in core::iter::once(first).chain(links.iter().map(|link| &link.operand)) {
            let typed = self.expression(operand);
            pieces.push(Piece { ir: typed.ir, kind: typed.of.map_or(Kind::Number, Type::kind) });
        }
        let span = first.span.start..links.last().map_or(first.span.end, |link| link.operand.span.end);
        if let Some(text) = self.known_join(&pieces) {
            return if text.len() > MAX_TEXT { self.too_long(pieces, &span) } else { self.text(&text) };
        }
        let site = self.site(&span, Problem::TextTooLong);
        Typed::new(Type::Text, Ir::Join(pieces, site))
    }

    fn too_long(&mut self, pieces: Vec<Piece>, span: &Span) -> Typed {
        self.certain(span, Problem::TextTooLong);
        let site = self.site(span, Problem::TextTooLong);
        Typed::new(Type::Text, Ir::Join(pieces, site))
    }

    /// The pieces put together, if all are known now.
    fn known_join(&self, pieces: &[Piece]) -> Option<String> {
        let mut joined = String::new();
        for piece in pieces {
            match piece.kind {
                Kind::Text => joined.push_str(&self.known_text(&piece.ir)?),
                // Adding 0 makes 0 of -0.
                Kind::Number => joined.push_str(&Value::Number(piece.ir.as_number()? + 0.0).to_string()),
                Kind::Color => joined.push_str(&piece.ir.as_color()?.to_string()),
            }
        }
        Some(joined)
    }

    pub(super) fn arithmetic(&mut self, first: &Expr, links: &[ast::Link], span: &Span) -> Typed {
        let symbol = links[0].operator.symbol();
        let mut chain = Chain {
            first: self.numeric(first, symbol),
            links: Vec::new(),
            overflow: self.site(span, Problem::Overflow),
        };
        for link in links {
            let arithmetic = arithmetic(link.operator);
            let operand = self.numeric(&link.operand, link.operator.symbol());
            let around = first.span.start..link.operand.span.end;
            let problem = match arithmetic {
                Arithmetic::Modulo => Problem::ModuloByZero,
                _ => Problem::DivisionByZero,
            };
            let divides =
                !matches!(arithmetic, Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply);
            let site = if divides { self.site(&around, problem) } else { chain.overflow };
            if divides && operand.as_number() == Some(0.0) && !is_never(&chain) {
                self.certain(&around, problem);
            }
            self.extend(&mut chain, Link { arithmetic, operand, site }, &around);
        }
        Typed::number(if chain.links.is_empty() { chain.first } else { Ir::Chain(Box::new(chain)) })
    }

    /// Adds a link, or computes it now where both sides are known.
    fn extend(&mut self, chain: &mut Chain, link: Link, span: &Span) {
        let constants =
            chain.first.as_number().zip(link.operand.as_number()).filter(|_| chain.links.is_empty());
        if let Some((a, b)) = constants {
            let result = compute(link.arithmetic, a, b);
            if result.is_finite() {
                chain.first = Ir::number(result);
                return;
            }
            if b != 0.0 {
                self.certain(span, Problem::Overflow);
            }
        }
        chain.links.push(link);
    }

    pub(super) fn compare(&mut self, a: &Expr, comparison: Comparison, b: &Expr, span: &Span) -> Typed {
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let (left, right) = (self.expression(a), self.expression(b));
        if equality && (a.node == Node::Nil || b.node == Node::Nil) {
            // The one test that sees whether there is a value; everything else has none then.
            let tested = if a.node == Node::Nil { right.ir } else { left.ir };
            let test = is_nil(tested);
            return Typed::truth(if comparison == Comparison::Equal { test } else { negate(test) });
        }
        let (subject, left, right) = self.subject((left, a), comparison, (right, b), span);
        let inexact = equality && subject == Subject::Numbers && (has_fraction(a) || has_fraction(b));
        if inexact {
            let message = format!("`{}` between fractions is rarely exact", comparison.symbol());
            let warning = Diagnostic::warning("inexact-equality", span.clone(), message);
            self.report(warning.with_help("compare with a tolerance: `approx(a, b)`"));
        }
        let ir = match (self.known_text(&left), self.known_text(&right)) {
            (Some(left), Some(right)) => Ir::truth(comparison.holds(left, right)),
            _ => compare(comparison, subject, left, right),
        };
        if !inexact {
            self.warn_of_comparison(&ir, [a, b], span);
        }
        Typed::truth(ir)
    }

    /// What is compared: two numbers, two texts, or two colours, which are numbers without an order.
    fn subject(
        &mut self,
        (left, a): (Typed, &Expr),
        comparison: Comparison,
        (right, b): (Typed, &Expr),
        span: &Span,
    ) -> (Subject, Ir, Ir) {
        let symbol = comparison.symbol();
        let (Some(of_left), Some(of_right)) = (left.of, right.of) else {
            let texts = [left.of, right.of].contains(&Some(Type::Text));
            return (if texts { Subject::Texts } else { Subject::Numbers }, left.ir, right.ir);
        };
        let color = [of_left, of_right].contains(&Type::Color);
        let text = [of_left, of_right].contains(&Type::Text);
        if color && (text || of_left == of_right) {
            if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
                let message = format!("`{symbol}` compares colours, which have no order");
                let error = Diagnostic::error("wrong-kind", span.clone(), message);
                self.report(error.with_help("colours are compared with `==` and `!=`"));
            }
            let colors = [self.as_color(left, a, symbol), self.as_color(right, b, symbol)];
            let [left, right] = colors;
            return (Subject::Numbers, left, right);
        }
        if of_left.kind() != of_right.kind() {
            let message = format!("`{symbol}` compares {} with {}", of_left.noun(), of_right.noun());
            let error = Diagnostic::error("wrong-kind", span.clone(), message);
            let is_key = |of, expr| of == Type::Number && self.is_key(expr);
            let help = match text {
                true if is_key(of_left, a) || is_key(of_right, b) => {
                    "`number(text)` reads a number from a text; a key of texts has `kind = \"text\"` under `[keys]`"
                }
                true => "`number(text)` reads a number from a text",
                false => "",
            };
            self.report(if help.is_empty() { error } else { error.with_help(help) });
        }
        (if text { Subject::Texts } else { Subject::Numbers }, left.ir, right.ir)
    }
}

/// Whether an operand of `==` is hardly ever met exactly: a literal with a fraction, or one in a sum.
fn has_fraction(expr: &Expr) -> bool {
    match &expr.node {
        Node::Number(n) => *n != libm::trunc(*n),
        Node::Negate(a) | Node::Plus(a) => has_fraction(a),
        Node::Chain(first, links) => {
            has_fraction(first) || links.iter().any(|link| has_fraction(&link.operand))
        }
        _ => false,
    }
}

/// Whether it never has a value: then nothing is divided either.
fn is_never(chain: &Chain) -> bool {
    fn never(ir: &Ir) -> bool {
        match ir {
            Ir::Nil => true,
            Ir::Chain(chain) => is_never(chain),
            Ir::Negate(operand) | Ir::Exact(_, operand, _) => never(operand),
            Ir::Compare(.., operands) => operands.iter().any(never),
            Ir::Call(_, arguments, ..) => arguments.iter().any(never),
            Ir::Coalesce(parts) | Ir::Min(parts) | Ir::Max(parts) => parts.iter().all(never),
            Ir::Join(pieces, _) | Ir::Textual(_, pieces, ..) => pieces.iter().any(|piece| never(&piece.ir)),
            _ => false,
        }
    }
    never(&chain.first) || chain.links.iter().any(|link| never(&link.operand))
}

fn arithmetic(operator: Operator) -> Arithmetic {
    match operator {
        Operator::Subtract => Arithmetic::Subtract,
        Operator::Multiply => Arithmetic::Multiply,
        Operator::Divide => Arithmetic::Divide,
        Operator::Modulo => Arithmetic::Modulo,
        Operator::FloorDivide => Arithmetic::FloorDivide,
        _ => Arithmetic::Add,
    }
}

fn compute(arithmetic: Arithmetic, a: f64, b: f64) -> f64 {
    match arithmetic {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Modulo => floored_modulo(a, b),
        Arithmetic::FloorDivide => libm::floor(a / b),
    }
}

/// The extreme of numbers that are all known, by the same steps as in the generated code.
pub(super) fn compute_extreme(parts: &[Ir], is_better: fn(f64, f64) -> bool) -> Option<Ir> {
    let numbers: Option<Vec<f64>> = parts.iter().map(Ir::as_number).collect();
    let best = numbers?.into_iter().reduce(|best, n| if is_better(n, best) { n } else { best });
    best.map(Ir::number)
}

fn compare(comparison: Comparison, subject: Subject, a: Ir, b: Ir) -> Ir {
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => Ir::truth(comparison.holds(a, b)),
        _ => Ir::Compare(comparison, subject, Box::new([a, b])),
    }
}

fn is_nil(ir: Ir) -> Ir {
    match ir {
        Ir::Nil => Ir::truth(true),
        Ir::Number(_) | Ir::Text(_) => Ir::truth(false),
        ir => Ir::IsNil(Box::new(ir)),
    }
}

pub(super) fn negate(ir: Ir) -> Ir {
    match ir.as_truth() {
        Some(holds) => Ir::truth(!holds),
        None => Ir::Not(Box::new(ir)),
    }
}

/// 1 if all hold. What is known to hold is left out, and nothing behind what does not is computed.
fn all(parts: Vec<Ir>) -> Ir {
    let mut kept = Vec::new();
    for part in parts {
        match part.as_truth() {
            Some(true) => {}
            Some(false) if kept.is_empty() => return Ir::truth(false),
            Some(false) => {
                kept.push(Ir::truth(false));
                break;
            }
            None => kept.push(part),
        }
    }
    if kept.is_empty() { Ir::truth(true) } else { Ir::All(kept) }
}

/// 1 if one holds.
fn any(parts: Vec<Ir>) -> Ir {
    let mut kept = Vec::new();
    for part in parts {
        match part.as_truth() {
            Some(false) => {}
            Some(true) if kept.is_empty() => return Ir::truth(true),
            Some(true) => {
                kept.push(Ir::truth(true));
                break;
            }
            None => kept.push(part),
        }
    }
    if kept.is_empty() { Ir::truth(false) } else { Ir::Any(kept) }
}
