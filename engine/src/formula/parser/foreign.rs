//! Operators and signs of other languages, read as what was meant and answered with what to write.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{Level, Operators, Parser, extend, join, last_operand, starts_operand};
use crate::diagnostic::Diagnostic;
use crate::formula::ast::{Call, Comparison, Expr, Link, Node, Operator, Span};
use crate::formula::lexer::{Foreign, TokenKind, shortened};
use crate::formula::print::print;

/// Comparisons and operators of other languages.
impl Parser<'_> {
    /// How `expr` is to be written: mended where all of it could be read, else as it stands.
    pub(super) fn shown(&self, expr: &Expr) -> String {
        shortened(&if is_broken(expr) { self.text[expr.span.clone()].into() } else { print(expr) })
    }

    pub(super) fn report(&mut self, code: &'static str, span: Span, message: &str, help: String) {
        self.push(Diagnostic::error(code, span, message).with_help(help));
    }

    /// `a < b < c`, which was read as `a < b and b < c`.
    pub(super) fn chained_comparison(&mut self, meant: &Expr, span: Span) {
        let help = format!("write `{}`", self.shown(meant));
        self.report("chained-comparison", span, "comparisons do not chain", help);
    }

    /// `not(a) > b`
    pub(super) fn warn_not_call(&mut self, call: &Expr, comparison: Comparison, b: &Expr, span: Span) {
        let Node::Call(Call { arguments, .. }) = &call.node else { return };
        let [a] = arguments.as_slice() else { return };
        let [a, b] = [a, b].map(|e| self.shown(e));
        let symbol = comparison.symbol();
        let message = format!("this compares the result of `not({a})`, which is 1 or 0");
        let warning = Diagnostic::warning("compared-not", span, message);
        self.diagnostics
            .push(warning.with_help(format!("to negate the comparison, write `not({a} {symbol} {b})`")));
    }

    /// `a & b`, which was read as `a and b`.
    pub(super) fn foreign_operator(&mut self, left: &Expr, symbol: &str, right: &Expr, span: &Span) {
        let written = &self.text[span.clone()];
        let joins = written == "&" && joins_texts(left, Operator::And, right);
        let symbol = if joins { ".." } else { symbol };
        let left = last_operand(left);
        let message = format!("`{written}` is no operator here");
        let help = format!("write `{} {symbol} {}`", self.shown(left), self.shown(right));
        self.report("foreign-operator", span.clone(), &message, help);
    }

    /// `~a`
    pub(super) fn foreign_not(&mut self, meant: &Expr, span: Span) {
        let message = format!("`{}` is no operator here", &self.text[span.clone()]);
        let help = format!("write `{}`", self.shown(meant));
        self.report("foreign-operator", span, &message, help);
    }

    /// A sign that is read as `meant`, at the current place.
    pub(super) fn foreign_sign(&mut self, meant: &str) {
        let span = self.span();
        let message = format!("`{}` is no sign of formulas", &self.text[span.clone()]);
        self.report("foreign-operator", span, &message, format!("write `{meant}`"));
    }

    /// `f(a; b)`
    pub(super) fn semicolon_for_comma(&mut self) {
        let message = "arguments are separated by commas";
        self.report("unexpected-semicolon", self.span(), message, "write `,`".into());
    }

    /// Whether an operator is one half of `x++` or `x--`.
    pub(super) fn is_step(&self, operator: Operator) -> bool {
        let [Some(second), Some(third)] = [1, 2].map(|next| self.tokens.get(self.at + next)) else {
            return false;
        };
        matches!(operator, Operator::Add | Operator::Subtract)
            && second.kind == TokenKind::Operator(operator)
            && second.span.start == self.span().end
            && matches!(
                third.kind,
                TokenKind::End | TokenKind::Close | TokenKind::Comma | TokenKind::Foreign(Foreign::Semicolon)
            )
    }

    /// `x++`
    pub(super) fn step(&mut self, left: Expr) -> Expr {
        let start = self.span();
        let operator = match self.peek() {
            TokenKind::Operator(operator) => *operator,
            _ => Operator::Add,
        };
        self.advance();
        let span = start.start..self.span().end;
        self.advance();
        self.change(left, operator, Expr { span: span.clone(), node: Node::Number(1.0) }, span)
    }

    /// `x += 1`
    fn assign(&mut self, left: Expr, operator: Operator) -> Expr {
        let span = self.span();
        self.advance();
        let right = self.operators(Level::Or);
        self.change(left, operator, right, span)
    }

    fn change(&mut self, left: Expr, operator: Operator, operand: Expr, span: Span) -> Expr {
        // One that was mended already gets no deeper.
        let left = if matches!(left.node, Node::Chain(..)) { broken(left.span) } else { left };
        let message =
            format!("`{}` changes a variable, and formulas change nothing", &self.text[span.clone()]);
        let meant = extend(left, Link { operator, span: span.clone(), operand }, false);
        let help = format!("write `{}`", self.shown(&meant));
        self.report("foreign-operator", span, &message, help);
        meant
    }

    /// Whether nothing follows this operator that it could compute with.
    pub(super) fn ends_behind(&self) -> bool {
        match self.peek_second() {
            TokenKind::End
            | TokenKind::Close
            | TokenKind::Comma
            | TokenKind::Compare(_)
            | TokenKind::Power
            | TokenKind::Foreign(Foreign::Semicolon | Foreign::Question | Foreign::Colon) => true,
            TokenKind::Operator(operator) => !matches!(operator, Operator::Add | Operator::Subtract),
            // A name may be called `of`, and then an operator comes behind it; `and(…)` is a call.
            TokenKind::Word(word) => {
                let is = |words: &[&str]| words.iter().any(|other| word.eq_ignore_ascii_case(other));
                let third = self.tokens.get(self.at + 2).map(|token| &token.kind);
                match third {
                    Some(TokenKind::Open) => false,
                    Some(third) => is(&["and", "or"]) || is(&["of", "then", "else"]) && starts_operand(third),
                    None => false,
                }
            }
            _ => false,
        }
    }

    /// `80%`, `80% of x`
    pub(super) fn percent(&mut self, left: Expr) -> Expr {
        let span = left.span.start..self.span().end;
        self.advance();
        let share = match left.node {
            Node::Number(n) => Node::Number(n / 100.0),
            _ => Node::Error,
        };
        let mut meant = Expr { span: span.clone(), node: share };
        let mut help = match meant.node {
            Node::Error => format!("write `{} / 100`", self.shown(&left)),
            _ => format!(
                "write `{}`, or `{}` where what it is compared with is in percent",
                self.shown(&meant),
                self.shown(&left)
            ),
        };
        if self.is_word("of") {
            let of = self.span();
            self.advance();
            let whole = self.operators(Level::Product);
            meant = extend(meant, Link { operator: Operator::Multiply, span: of, operand: whole }, false);
            help = format!("write `{}`", self.shown(&meant));
        }
        self.report("percentage", span, "`%` is the remainder of a division here", help);
        meant
    }
}

/// Signs of other languages.
impl Parser<'_> {
    /// How tightly a foreign sign behind an operand binds; `None` for those that have no place there.
    pub(super) fn foreign_level(&self, foreign: Foreign) -> Option<Level> {
        match foreign {
            Foreign::Question | Foreign::Coalesce | Foreign::Assign(_) => Some(Level::Or),
            Foreign::Dot if matches!(self.peek_second(), TokenKind::Word(_)) => Some(Level::Behind),
            Foreign::OpenBracket | Foreign::Raised(_) => Some(Level::Behind),
            _ => None,
        }
    }

    /// A foreign sign behind `left`.
    pub(super) fn foreign(&mut self, foreign: Foreign, left: Expr) -> Expr {
        match foreign {
            Foreign::Question => self.question(left),
            Foreign::Coalesce => self.coalesce(left),
            Foreign::Assign(operator) => self.assign(left, operator),
            Foreign::Dot => self.method(&left),
            Foreign::OpenBracket => self.index(&left),
            Foreign::Raised(_) => self.raised(left),
            _ => left,
        }
    }

    /// A foreign sign in an operand's place.
    pub(super) fn foreign_prefix(&mut self, foreign: Foreign) -> Expr {
        match foreign {
            Foreign::OpenBrace => self.braces(self.span().start),
            Foreign::OpenBracket => self.list(),
            Foreign::Sigil => self.sigil(),
            Foreign::Root => {
                let span = self.span();
                self.advance();
                let operand = self.expression(Level::Unary);
                let meant = call("sqrt", vec![operand], &span);
                let help = format!("write `{}`", self.shown(&meant));
                self.report("foreign-operator", span, "a root is a call of `sqrt`", help);
                meant
            }
            _ => self.operator_first(),
        }
    }

    /// `a ?? b`
    fn coalesce(&mut self, left: Expr) -> Expr {
        let span = self.span();
        self.advance();
        let right = self.operators(Level::Or);
        let end = right.span.end.max(span.end);
        let whole = left.span.start..end;
        let mut arguments = match left.node {
            Node::Call(Call { name, arguments, .. }) if name == "coalesce" => arguments,
            _ => vec![left],
        };
        arguments.push(right);
        let meant = Expr { span: whole, ..call("coalesce", arguments, &span) };
        let message = format!("`{}` is no operator here", &self.text[span.clone()]);
        let help = format!("write `{}`", self.shown(&meant));
        self.report("foreign-operator", span, &message, help);
        meant
    }

    /// `x.round(1)`, `text.length`
    fn method(&mut self, left: &Expr) -> Expr {
        self.advance();
        let span = self.span();
        let name = String::from(&self.text[span.clone()]);
        let name = if matches!(&*name, "length" | "size") { "len".into() } else { name };
        let called = self.peek_second() == &TokenKind::Open;
        let mut arguments = vec![left.clone()];
        let is_call = if called { self.call(name.clone()) } else { self.leaf(Node::Error) };
        if let Node::Call(call) = is_call.node {
            arguments.extend(call.arguments);
        }
        let shown: Vec<String> = arguments.iter().map(|argument| self.shown(argument)).collect();
        let help = format!("write `{name}({})`", shown.join(", "));
        self.report("foreign-call", span, "functions stand in front of their arguments", help);
        broken(left.span.start..self.behind().max(left.span.start))
    }

    /// `x[0]`, `data['cpu']`
    fn index(&mut self, left: &Expr) -> Expr {
        let start = self.span().start;
        self.advance();
        let index = self.expression(Level::Lowest);
        if self.peek() == &TokenKind::Foreign(Foreign::CloseBracket) {
            self.advance();
        }
        let end = self.behind().max(start);
        let written = shortened(&self.text[left.span.start..end]);
        let help = match (&left.node, &index.node) {
            (Node::Name(name), Node::Text(part)) => {
                format!("write `{}`", print(&name_of(format!("{name}.{part}"))))
            }
            (Node::Name(_), _) => format!("if that is a key's name, write it in backquotes: `{written}`"),
            _ => "formulas have numbers, texts and colours".into(),
        };
        self.report("no-lists", start..end, "there are no lists", help);
        broken(left.span.start..end)
    }

    /// `x²`
    fn raised(&mut self, left: Expr) -> Expr {
        let start = self.span().start;
        let mut power = 0.0;
        while let TokenKind::Foreign(Foreign::Raised(digit)) = self.peek() {
            power = power * 10.0 + f64::from(*digit);
            self.advance();
        }
        let span = start..self.behind();
        let meant = join(left, Expr { span: span.clone(), node: Node::Number(power) }, Node::Power);
        let help = format!("write `{}`", self.shown(&meant));
        self.report("foreign-operator", span, "powers are written with `^`", help);
        meant
    }

    /// `{x}`, `${x}`: what stands in braces is a formula already.
    fn braces(&mut self, start: usize) -> Expr {
        self.advance();
        let reported = self.diagnostics.len();
        let inner = self.expression(Level::Lowest);
        if self.peek() == &TokenKind::Foreign(Foreign::CloseBrace) {
            self.advance();
        }
        // Of braces within braces the outer ones are enough.
        let within = self.diagnostics.split_off(reported.min(self.diagnostics.len()));
        self.diagnostics.extend(within.into_iter().filter(|problem| problem.code != "braces"));
        let span = start..self.behind().max(start);
        let help = format!("write `{}`", self.shown(&inner));
        self.report("braces", span, "braces stand in templates only, around a formula", help);
        inner
    }

    /// `[x]`, `[1, 2]`
    fn list(&mut self) -> Expr {
        let start = self.span().start;
        self.advance();
        let mut items = Vec::new();
        while !matches!(
            self.peek(),
            TokenKind::Foreign(Foreign::CloseBracket) | TokenKind::Close | TokenKind::End
        ) {
            let before = self.at;
            items.push(self.expression(Level::Lowest));
            if self.peek() == &TokenKind::Comma || self.at == before {
                self.advance();
            }
        }
        if self.peek() == &TokenKind::Foreign(Foreign::CloseBracket) {
            self.advance();
        }
        let span = start..self.behind().max(start);
        let help = match items.as_slice() {
            [item] => format!("write `{}`", self.shown(item)),
            _ => "functions take their arguments one by one: `max(1, 2, 3)`".into(),
        };
        self.report("no-lists", span.clone(), "there are no lists", help);
        if items.len() == 1 { items.remove(0) } else { broken(span) }
    }

    /// `$x`, `@x`, `${x}`
    fn sigil(&mut self) -> Expr {
        let span = self.span();
        let sign = &self.text[span.clone()];
        let message = format!("names have no `{sign}` in front");
        self.advance();
        let name = match self.peek() {
            TokenKind::Foreign(Foreign::OpenBrace) => return self.braces(span.start),
            TokenKind::Word(word) | TokenKind::Quoted(word) => word.clone(),
            _ => {
                let message = format!("the character `{sign}` has no place in a formula");
                self.error("unexpected-character", span.clone(), message);
                return broken(span);
            }
        };
        let help = format!("write `{}`", print(&name_of(name.clone())));
        self.report("foreign-name", span, &message, help);
        self.leaf(Node::Name(name))
    }
}

impl Operators {
    /// Takes what the operands became for a comparison that was mended.
    pub(super) fn take_comparison(&mut self, meant: Expr) {
        self.left = if self.compared { broken(meant.span) } else { meant };
        self.compared = true;
    }
}

/// Whether `left & right` joins texts, as in spreadsheets.
pub(super) fn joins_texts(left: &Expr, operator: Operator, right: &Expr) -> bool {
    let is_text = |e: &Expr| match &e.node {
        Node::Text(_) => true,
        Node::Chain(_, links) => links.last().is_some_and(|link| link.operator == Operator::Join),
        _ => false,
    };
    operator == Operator::And && (is_text(left) || is_text(right))
}

/// What could not be read.
pub(super) fn broken(span: Span) -> Expr {
    Expr { span, node: Node::Error }
}

pub(super) fn name_of(name: String) -> Expr {
    Expr { span: 0..0, node: Node::Name(name) }
}

/// A call that stands for something else, at the place of that.
pub(super) fn call(name: &str, arguments: Vec<Expr>, span: &Span) -> Expr {
    let start = arguments.first().map_or(span.start, |first| first.span.start.min(span.start));
    let end = arguments.last().map_or(span.end, |last| last.span.end.max(span.end));
    let call = Call { name: name.into(), name_span: span.clone(), arguments };
    Expr { span: start..end, node: Node::Call(call) }
}

/// A comparison that stands for something else.
pub(super) fn comparison(a: Expr, by: Comparison, b: Expr) -> Expr {
    let span = a.span.start.min(b.span.start)..a.span.end.max(b.span.end);
    Expr { span, node: Node::Compare(Box::new(a), by, Box::new(b)) }
}

/// Whether a part of it could not be read.
pub(super) fn is_broken(expr: &Expr) -> bool {
    match &expr.node {
        Node::Error => true,
        Node::Negate(a) | Node::Plus(a) | Node::Not(a) => is_broken(a),
        Node::Power(a, b) | Node::Compare(a, _, b) => is_broken(a) || is_broken(b),
        Node::Chain(first, links) => is_broken(first) || links.iter().any(|link| is_broken(&link.operand)),
        Node::Call(call) => call.arguments.iter().any(is_broken),
        Node::Number(_) | Node::Duration(_) | Node::Text(_) | Node::Nil | Node::Name(_) => false,
    }
}
