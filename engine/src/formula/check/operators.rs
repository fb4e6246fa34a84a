//! Checks operators, and computes them where both sides are known.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::{Checker, Typed};
use crate::diagnostic::Diagnostic;
use crate::formula::Kind;
use crate::formula::ast::{self, Comparison, Expr, Node, Operator, Span};
use crate::formula::functions::floored_modulo;
use crate::formula::ir::{Arithmetic, Chain, Ir, Link, Piece, Subject};
use crate::formula::site::Problem;

impl Checker<'_, '_> {
    pub(super) fn logic(&mut self, first: &Expr, links: &[ast::Link]) -> Typed {
        let operator = links[0].operator;
        let mut parts = Vec::from([self.condition(first, operator.symbol())]);
        self.in_branch(|checker| {
            parts.extend(links.iter().map(|link| checker.condition(&link.operand, operator.symbol())));
        });
        Typed::number(if operator == Operator::And { all(parts) } else { any(parts) })
    }

    pub(super) fn join(&mut self, first: &Expr, links: &[ast::Link]) -> Typed {
        let mut pieces = Vec::new();
        for operand in core::iter::once(first).chain(links.iter().map(|link| &link.operand)) {
            let typed = self.expression(operand);
            pieces.push(Piece { ir: typed.ir, is_text: typed.kind == Some(Kind::Text) });
        }
        let span = first.span.start..links.last().map_or(first.span.end, |link| link.operand.span.end);
        let site = self.site(&span, Problem::TextTooLong);
        Typed { ir: Ir::Join(pieces, site), kind: Some(Kind::Text) }
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
            let site = self.site(&around, problem);
            let divides =
                !matches!(arithmetic, Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply);
            if divides && operand.as_number() == Some(0.0) {
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
            return Typed::number(if comparison == Comparison::Equal { test } else { negate(test) });
        }
        let subject = match (left.kind, right.kind) {
            (Some(a), Some(b)) if a != b => {
                let message = format!("`{}` compares a number with a text", comparison.symbol());
                self.report(Diagnostic::error("wrong-kind", span.clone(), message));
                Subject::Numbers
            }
            (Some(Kind::Text), _) | (_, Some(Kind::Text)) => Subject::Texts,
            _ => Subject::Numbers,
        };
        if equality && subject == Subject::Numbers && (has_fraction(a) || has_fraction(b)) {
            let message = format!("`{}` between fractions is rarely exact", comparison.symbol());
            let warning = Diagnostic::warning("inexact-equality", span.clone(), message);
            self.report(warning.with_help("compare with a tolerance: `approx(a, b)`"));
        }
        Typed::number(compare(comparison, subject, left.ir, right.ir))
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
pub(super) fn all(parts: Vec<Ir>) -> Ir {
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
pub(super) fn any(parts: Vec<Ir>) -> Ir {
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
