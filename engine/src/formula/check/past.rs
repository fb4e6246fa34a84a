//! Checks questions about keys' pasts: windows, `age`, `stale`. They name a key, which is no expression, and
//! what else they take has to be written out.

use alloc::boxed::Box;
use alloc::format;

use super::{Checker, Typed, suggest};
use crate::diagnostic::Diagnostic;
use crate::formula::Kind;
use crate::formula::ast::{self, Expr, Node};
use crate::formula::derived::{self, Derived, Measure, Percent};
use crate::formula::duration::Duration;
use crate::formula::functions::{Function, Parameter};
use crate::formula::ir::Ir;
use crate::formula::lexer::units;
use crate::formula::names::Meaning;
use crate::formula::site::Problem;

impl Checker<'_, '_> {
    /// A call of a function that looks at a key's past; its number of arguments is right. The measure is
    /// `None` where an argument says of which rank it is.
    pub(super) fn past(
        &mut self,
        function: &Function,
        measure: Option<Measure>,
        call: &ast::Call,
        at: &ast::Span,
    ) -> Typed {
        let (mut key, mut span, mut rank) = (None, None, None);
        for (index, argument) in call.arguments.iter().enumerate() {
            match function.parameter(index) {
                Parameter::Span => span = self.span(function, argument),
                Parameter::Percent => rank = self.percent(function, argument),
                wanted => key = self.key(function, argument, wanted),
            }
        }
        let ir = match (key, measure.or(rank.map(Measure::Percentile))) {
            (Some(key), Some(measure)) => {
                let input = Ir::Derived(self.derived.intern(Derived { measure, key, span }));
                match measure.may_be_infinite() {
                    true => Ir::Finite(Box::new(input), self.site(at, Problem::Overflow)),
                    false => input,
                }
            }
            // Reported.
            _ => Ir::Nil,
        };
        Typed::new(function.result, ir)
    }

    fn key(&mut self, function: &Function, argument: &Expr, wanted: Parameter) -> Option<u32> {
        let name = match &argument.node {
            Node::Name(name) | Node::Text(name) => name,
            Node::Error => {
                self.failed = true;
                return None;
            }
            _ => {
                let message = format!("`{}` looks at a key's past, this is an expression", function.name);
                let error = Diagnostic::error("no-key", argument.span.clone(), message);
                self.report(error.with_help(format!("write the key's name: `{}`", function.signature)));
                return None;
            }
        };
        match self.around.names.meaning(name) {
            Meaning::Key(key) if wanted == Parameter::Key || self.is_number(key) => return Some(key),
            Meaning::Key(_) => {
                let message = format!("`{}` needs a key of numbers, `{name}` holds texts", function.name);
                self.report(Diagnostic::error("wrong-kind", argument.span.clone(), message));
            }
            Meaning::Ambiguous(keys) => self.ambiguous(name, &keys, &argument.span),
            Meaning::Value(_) | Meaning::Given(_) => {
                let message = format!("`{}` looks at a key's past, `{name}` is a value", function.name);
                let error = Diagnostic::error("no-key", argument.span.clone(), message);
                self.report(match self.around.names.key_called(name) {
                    Some(key) => error.with_help(format!("for the key write its full name, `{}`", key.name)),
                    None => error.with_help("name a key that the value is computed from"),
                });
            }
            Meaning::Builtin(_) | Meaning::Constant(_) => {
                let message = format!("`{}` looks at a key's past, `{name}` is no key", function.name);
                self.report(Diagnostic::error("no-key", argument.span.clone(), message));
            }
            Meaning::Unknown => {
                let message = format!("there is no key called `{name}`");
                let error = Diagnostic::error("unknown-name", argument.span.clone(), message);
                let near = self.around.names.near_keys(name);
                self.report(suggest(error, near));
            }
        }
        None
    }

    fn is_number(&self, key: u32) -> bool {
        self.around.environment.keys.get(key as usize).is_some_and(|key| key.kind == Kind::Number)
    }

    fn span(&mut self, function: &Function, argument: &Expr) -> Option<derived::Span> {
        let duration = match &argument.node {
            Node::Duration(duration) => Some(*duration),
            Node::Text(text) => Duration::parse(text),
            Node::Error => {
                self.failed = true;
                return None;
            }
            _ => None,
        };
        let (code, message) = match (duration, &argument.node) {
            (Some(duration), _) => match duration.span() {
                Some(span) => return Some(span),
                None => ("empty-window", "a window of 0 holds nothing".into()),
            },
            (None, Node::Text(text)) => ("malformed-duration", format!("`{text}` is no duration")),
            (None, Node::Number(n)) => ("malformed-duration", format!("the window `{n}` has no unit")),
            _ => ("not-constant", format!("the window of `{}` has to be written out", function.name)),
        };
        let help = match &argument.node {
            Node::Text(text) => units::help(text),
            Node::Number(n) => units::help(&format!("{n}")),
            _ => units::help(""),
        };
        self.report(Diagnostic::error(code, argument.span.clone(), message).with_help(help));
        None
    }

    fn percent(&mut self, function: &Function, argument: &Expr) -> Option<Percent> {
        let failed = core::mem::take(&mut self.failed);
        let ir = self.numeric(argument, function.name);
        let wrong = core::mem::replace(&mut self.failed, failed);
        self.failed |= wrong;
        if wrong {
            return None;
        }
        let percent = ir.as_number().map(Percent::new);
        let (code, message) = match percent {
            Some(Some(percent)) => return Some(percent),
            Some(None) => ("out-of-range", "p is a number from 0 to 100".into()),
            None => ("not-constant", format!("the p of `{}` has to be written out", function.name)),
        };
        let error = Diagnostic::error(code, argument.span.clone(), message);
        self.report(error.with_help("write for example `percentile(key, 95, 1h)`"));
        None
    }
}
