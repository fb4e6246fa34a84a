//! What is missing between two parts of a formula, or left over behind it.

use alloc::format;
use alloc::string::String;

use super::Parser;
use super::foreign::broken;
use crate::diagnostic::Diagnostic;
use crate::formula::ast::{Expr, Operator};
use crate::formula::duration::Unit;
use crate::formula::lexer::{Foreign, Token, TokenKind, no_comment, shortened, units};

impl Parser<'_> {
    /// What stands behind a complete expression.
    pub(super) fn leftover(&mut self, first: &Expr) {
        match self.peek() {
            TokenKind::Close => {
                let error = Diagnostic::error(
                    "unexpected-parenthesis",
                    self.span(),
                    "this parenthesis closes nothing",
                );
                let before = shortened(&self.text[first.span.clone()]);
                self.diagnostics
                    .push(error.with_help(format!("leave it out, or write `(` before `{before}`")));
                self.advance();
            }
            TokenKind::Comma => self.stray_comma(),
            TokenKind::Broken | TokenKind::Foreign(_) => self.stray(),
            _ => self.missing_operator(),
        }
    }

    /// An operator without a value in front of it.
    pub(super) fn operator_first(&mut self) -> Expr {
        let token = self.tokens[self.at].clone();
        let symbol = self.text[token.span.clone()].trim();
        if symbol == "//" {
            self.comment(self.at);
            return broken(token.span);
        }
        let start = token.span.start;
        if symbol == "=" && self.at == 0 {
            let rest = shortened(&self.text[token.span.end..]);
            let message = "a formula does not begin with `=`";
            self.report("leading-equals", token.span, message, format!("write `{rest}`"));
            self.advance();
            return self.prefix(super::Level::Lowest);
        }
        let message = format!("a value is missing before `{symbol}`");
        self.error("missing-value", start..start, message);
        broken(start..start)
    }

    pub(super) fn missing_value(&mut self) -> Expr {
        let before = self.at.checked_sub(1).map(|before| self.tokens[before].clone());
        // Right behind what came before, not behind the space after it.
        let end = before.as_ref().map_or(self.span().start, |before| before.span.end);
        let written = before.map(|before| &self.text[before.span]);
        let closes = self.peek() == &TokenKind::Close;
        let (message, help) = match written {
            Some("(") if closes => ("there is nothing between the parentheses".into(), None),
            Some(",") if closes => {
                ("a value is missing after `,`".into(), Some("write one, or leave the comma out"))
            }
            Some(written) => (format!("a value is missing after `{written}`"), None),
            None => (String::from("a value is missing here"), None),
        };
        let error = Diagnostic::error("missing-value", end..end, message);
        self.diagnostics.push(match help {
            Some(help) => error.with_help(help),
            None => error,
        });
        broken(end..end)
    }

    pub(super) fn stray_comma(&mut self) {
        let span = self.span();
        let around =
            [self.at.checked_sub(1), Some(self.at + 1)].map(|at| at.and_then(|at| self.number_at(at)));
        let touches = around
            .each_ref()
            .map(|n| n.as_ref().is_some_and(|(_, n)| n.start == span.end || n.end == span.start));
        let help = match around {
            [Some((whole, _)), Some((fraction, _))]
                if touches == [true, true] && [&whole, &fraction].iter().all(|part| is_digits(part)) =>
            {
                Some(if fraction.len() == 3 {
                    format!("write `{whole}.{fraction}`, or `{whole}_{fraction}` for thousands")
                } else {
                    format!("decimals are written with a point: `{whole}.{fraction}`")
                })
            }
            _ => None,
        };
        let error = Diagnostic::error("unexpected-comma", span, "a comma stands between arguments only");
        self.diagnostics.push(Diagnostic { help, ..error });
        self.advance();
    }

    /// The text and the place of a number at `at`.
    fn number_at(&self, at: usize) -> Option<(&str, core::ops::Range<usize>)> {
        let token = self.tokens.get(at).filter(|token| matches!(token.kind, TokenKind::Number(_)))?;
        Some((&self.text[token.span.clone()], token.span.clone()))
    }

    /// Something that was reported already, or a foreign sign, in an operator's place.
    pub(super) fn stray(&mut self) {
        let TokenKind::Foreign(foreign) = *self.peek() else { return self.advance() };
        let span = self.span();
        let last = self.peek_second() == &TokenKind::End;
        let (code, message, help) = match foreign {
            Foreign::OpenBrace | Foreign::OpenBracket | Foreign::Root => return self.missing_operator(),
            Foreign::Colon => (
                "unexpected-colon",
                "a colon has no place in a formula",
                "a format is given as `fmt(x, '.1f')`, in a template as `{x:.1f}`",
            ),
            Foreign::Semicolon if last => {
                ("unexpected-semicolon", "a formula needs no semicolon", "leave it out")
            }
            Foreign::Semicolon => (
                "unexpected-semicolon",
                "a formula is one expression",
                "write several as named values, under `[value]`",
            ),
            Foreign::CloseBrace | Foreign::CloseBracket => {
                ("unexpected-bracket", "this bracket closes nothing", "leave it out")
            }
            Foreign::Dot => ("unexpected-dot", "this dot belongs to nothing", "leave it out"),
            _ => {
                let message = format!("`{}` has no place here", &self.text[span.clone()]);
                let help = "a name with such characters stands in backquotes";
                self.report("unexpected-character", span, &message, help.into());
                return self.advance();
            }
        };
        self.report(code, span, message, help.into());
        self.advance();
    }

    /// Two values side by side.
    pub(super) fn missing_operator(&mut self) {
        if let Some(comment) = self.comment_before() {
            return self.comment(comment);
        }
        let token = self.tokens[self.at].clone();
        let next = &self.text[token.span.clone()];
        let before = self.at.checked_sub(1).map(|before| self.tokens[before].clone());
        let help = before.and_then(|before| self.instead_of_neighbours(&before, &token));
        let message = format!("an operator is missing before `{}`", shortened(next));
        let error = Diagnostic::error("missing-operator", token.span.clone(), message);
        self.push(Diagnostic { help, ..error });
        let branches = ["then", "else", "elseif", "elif", "end", "not"];
        if matches!(&token.kind, TokenKind::Word(word) if branches.iter().any(|b| word.eq_ignore_ascii_case(b)))
        {
            self.advance();
        }
    }

    /// What was probably meant by two values side by side.
    fn instead_of_neighbours(&self, before: &Token, token: &Token) -> Option<String> {
        let [left, right] = [before, token].map(|t| shortened(&self.text[t.span.clone()]));
        let touch = before.span.end == token.span.start;
        let is_time =
            |amount: &str, unit: &str| Unit::named(unit).map(|unit| format!("{amount}{}", unit.symbol()));
        match (&before.kind, &token.kind) {
            (_, TokenKind::Word(word))
                if matches!(&*word.to_ascii_lowercase(), "then" | "else" | "elseif" | "elif" | "end") =>
            {
                Some("a choice is written `if(condition, a, b)`".into())
            }
            (TokenKind::Number(_), TokenKind::Word(unit)) => is_time(&left, unit)
                .or_else(|| units::meant(&format!("{left}{unit}")))
                .map(|duration| format!("a duration has no space inside: write `{duration}`"))
                .or_else(|| Some(format!("to multiply, write `{left} * {right}`"))),
            (TokenKind::Number(_), TokenKind::Number(_)) if right.len() == 3 => {
                Some(format!("if that is one number, write `{left}_{right}`"))
            }
            (TokenKind::Text(_), _) if touch => {
                Some("a quote inside a text is written `\\'` or `\\\"`".into())
            }
            (TokenKind::Text(_), _) | (_, TokenKind::Text(_)) => {
                Some(format!("texts are joined with `..`: write `{left} .. {right}`"))
            }
            (TokenKind::Word(_), TokenKind::Word(word)) if !word.eq_ignore_ascii_case("not") => {
                Some(format!("a name with a space inside stands in backquotes: `{left} {right}`"))
            }
            (_, TokenKind::Open) => Some(format!("to multiply, write `{left} * (`")),
            _ => None,
        }
    }

    /// The token of this line that begins a comment in another language, if one does.
    fn comment_before(&self) -> Option<usize> {
        let line = self.text[..self.span().start].rfind('\n').unwrap_or(0);
        let on_line = |at: &usize| self.tokens[*at].span.start >= line;
        (0..self.at).rev().take_while(on_line).find(|at| {
            let (token, second) = (&self.tokens[*at], &self.tokens[*at + 1]);
            match token.kind {
                TokenKind::Operator(Operator::FloorDivide) => true,
                TokenKind::Operator(Operator::Subtract) => {
                    second.kind == token.kind
                        && second.span.start == token.span.end
                        && self.text[second.span.end..].starts_with(char::is_whitespace)
                }
                _ => false,
            }
        })
    }

    /// Reports a comment that begins with the token at `at`, and goes past it.
    fn comment(&mut self, at: usize) {
        let start = self.tokens[at].span.start;
        let end = self.text[start..].find('\n').map_or(self.text.trim_end().len(), |line| start + line);
        self.diagnostics.push(no_comment(start..end.max(start)));
        while self.peek() != &TokenKind::End && self.span().start < end {
            self.advance();
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
