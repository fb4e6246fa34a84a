//! What is written differently in other languages, and what is left over.

use alloc::format;
use alloc::string::String;

use super::{Level, Parser};
use crate::diagnostic::Diagnostic;
use crate::formula::ast::{Call, Comparison, Expr, Node, Span};
use crate::formula::lexer::TokenKind;

impl Parser<'_> {
    /// `a < b < c`
    pub(super) fn chained_comparison(&mut self, left: &Expr, comparison: Comparison, c: &Expr, span: Span) {
        let Node::Compare(a, first, b) = &left.node else { return };
        let [a, b, c] = [a, b, c].map(|e| &self.text[e.span.clone()]);
        let (first, second) = (first.symbol(), comparison.symbol());
        let error = Diagnostic::error("chained-comparison", span, "comparisons do not chain");
        self.diagnostics.push(error.with_help(format!("write `{a} {first} {b} and {b} {second} {c}`")));
    }

    /// `not(a) > b`
    pub(super) fn warn_not_call(&mut self, call: &Expr, comparison: Comparison, b: &Expr, span: Span) {
        let Node::Call(Call { arguments, .. }) = &call.node else { return };
        let [a] = arguments.as_slice() else { return };
        let [a, b] = [a, b].map(|e| &self.text[e.span.clone()]);
        let symbol = comparison.symbol();
        let message = format!("this compares the result of `not({a})`, which is 1 or 0");
        let warning = Diagnostic::warning("compared-not", span, message);
        self.diagnostics
            .push(warning.with_help(format!("to negate the comparison, write `not({a} {symbol} {b})`")));
    }

    /// `c ? a : b`
    pub(super) fn question(&mut self, condition: Expr) -> Expr {
        let span = self.span();
        self.advance();
        let a = self.expression(Level::Lowest);
        let b = if self.peek() == &TokenKind::Colon {
            self.advance();
            self.expression(Level::Lowest)
        } else {
            Expr { span: a.span.end..a.span.end, node: Node::Error }
        };
        self.foreign_conditional(span, &condition, &a, &b)
    }

    /// `a if c else b`
    pub(super) fn trailing_if(&mut self, a: Expr) -> Expr {
        let span = self.span();
        self.advance();
        let condition = self.expression(Level::Lowest);
        let b = self.after_word("else");
        self.foreign_conditional(span, &condition, &a, &b)
    }

    /// `if c then a else b end`
    pub(super) fn leading_if(&mut self) -> Expr {
        let span = self.span();
        self.advance();
        let condition = self.expression(Level::Lowest);
        let a = self.after_word("then");
        let b = self.after_word("else");
        if self.is_word("end") {
            self.advance();
        }
        self.foreign_conditional(span, &condition, &a, &b)
    }

    fn after_word(&mut self, word: &str) -> Expr {
        if self.is_word(word) {
            self.advance();
            return self.expression(Level::Lowest);
        }
        let at = self.span().start;
        Expr { span: at..at, node: Node::Error }
    }

    fn foreign_conditional(&mut self, span: Span, condition: &Expr, a: &Expr, b: &Expr) -> Expr {
        let part = |e: &Expr, otherwise: &str| match self.text[e.span.clone()].trim() {
            "" => String::from(otherwise),
            written => written.into(),
        };
        let help =
            format!("write `if({}, {}, {})`", part(condition, "condition"), part(a, "a"), part(b, "b"));
        let error =
            Diagnostic::error("foreign-conditional", span.clone(), "a choice is written as a call of `if`");
        self.diagnostics.push(error.with_help(help));
        Expr { span, node: Node::Error }
    }

    pub(super) fn stray_comma(&mut self) {
        let span = self.span();
        let error =
            Diagnostic::error("unexpected-comma", span.clone(), "a comma stands between arguments only");
        let around = [span.start.checked_sub(1), Some(span.end)]
            .map(|at| at.and_then(|at| self.text.as_bytes().get(at)));
        let decimal = around.iter().all(|byte| byte.is_some_and(u8::is_ascii_digit));
        self.diagnostics.push(if decimal {
            error.with_help("decimals are written with a point: `1.5`")
        } else {
            error
        });
        self.advance();
    }

    /// Something that was reported already, or a colon, in an operator's place.
    pub(super) fn stray(&mut self) {
        if self.peek() == &TokenKind::Colon {
            self.error("unexpected-colon", self.span(), "a colon has no place in a formula".into());
        }
        self.advance();
    }

    pub(super) fn missing_operator(&mut self) {
        let span = self.span();
        let next = &self.text[span.clone()];
        let message = format!("an operator is missing before `{next}`");
        let error = Diagnostic::error("missing-operator", span, message);
        let help = match next {
            "mod" => "the remainder is written `a % b` or `mod(a, b)`",
            "is" | "eq" => "equality is written `a == b`",
            "then" | "else" | "elseif" => "a choice is written `if(condition, a, b)`",
            "(" => "to multiply, write `*`",
            _ => "",
        };
        self.diagnostics.push(if help.is_empty() { error } else { error.with_help(help) });
        // Words that only other languages know as operators are passed over.
        if !help.is_empty() && next != "(" {
            self.advance();
        }
    }
}
