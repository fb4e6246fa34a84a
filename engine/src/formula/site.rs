//! Where a formula can go wrong at run time, and what to say when it does.

mod guard;

use alloc::format;
use alloc::string::String;

use super::ast::{Expr, Span};
use super::check::MAX_TEXT;
use super::functions::{FUNCTIONS, Rule};
use super::parser::parse;
use crate::diagnostic::Diagnostic;

/// A place in a formula where evaluation can fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The bytes of the formula's text.
    pub span: Span,
    /// What goes wrong there.
    pub problem: Problem,
}

/// What can go wrong at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// `a / b` or `a // b` where b is 0.
    DivisionByZero,
    /// `a % b` where b is 0.
    ModuloByZero,
    /// A result beyond the largest number, 1.8e308.
    Overflow,
    /// The function at this index of the table is not defined for its arguments.
    Domain(usize),
    /// A text of more than [`MAX_TEXT`] bytes.
    TextTooLong,
    /// A function of a user's script failed. Whoever called it knows why.
    Script,
}

impl Problem {
    /// A short stable name.
    pub fn code(self) -> &'static str {
        match self {
            Problem::DivisionByZero | Problem::ModuloByZero => "division-by-zero",
            Problem::Overflow => "overflow",
            Problem::Domain(_) => "domain",
            Problem::TextTooLong => "text-too-long",
            Problem::Script => "script",
        }
    }

    /// What is wrong, in one sentence without a full stop.
    pub fn message(self) -> String {
        match self {
            Problem::DivisionByZero => "division by zero".into(),
            Problem::ModuloByZero => "modulo by zero".into(),
            Problem::Overflow => "the result is too large for a number".into(),
            Problem::Domain(index) => match FUNCTIONS.get(index).map(|function| function.rule) {
                Some(Rule::Call(numeric) | Rule::ExactOrCall(_, numeric)) => numeric.domain.into(),
                Some(Rule::Textual(textual)) => textual.domain.into(),
                _ => "the square root of a negative number is not defined".into(),
            },
            Problem::TextTooLong => format!("the text is longer than {MAX_TEXT} bytes"),
            Problem::Script => "the script's function failed".into(),
        }
    }
}

impl Site {
    /// The error, as it is shown in the formula's text, with what to write instead.
    ///
    /// ```
    /// use engine::formula::{Problem, Site};
    /// let site = Site { span: 4..15, problem: Problem::DivisionByZero };
    /// let help = site.diagnostic("1 + 100 / power").help;
    /// assert_eq!(help.unwrap(), "where it can be zero, write `if(power == 0, 0, 100 / power)`");
    /// ```
    pub fn diagnostic(&self, text: &str) -> Diagnostic {
        self.diagnostic_in(parse(text).tree.as_ref())
    }

    /// The same, of a formula that was read already.
    pub(super) fn diagnostic_in(&self, tree: Option<&Expr>) -> Diagnostic {
        let error = Diagnostic::error(self.problem.code(), self.span.clone(), self.problem.message());
        match guard::help(tree, &self.span, self.problem) {
            Some(help) => error.with_help(help),
            None => error,
        }
    }
}
