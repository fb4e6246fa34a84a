//! The table of functions: the one place that names them. The checker, the lowering, the trampolines, the
//! catalogue and the manual are all made from it.

mod numeric;
mod table;

use super::ast::Span;
use crate::diagnostic::Diagnostic;

pub(crate) use numeric::floored_modulo;
pub use table::FUNCTIONS;

/// A built-in function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name in small letters; formulas may write it in any case.
    pub name: &'static str,
    /// How it is called, `round(x[, digits])`.
    pub signature: &'static str,
    /// The group that it stands in.
    pub category: Category,
    /// What it returns, in a sentence without a full stop.
    pub description: &'static str,
    /// A call.
    pub example: &'static str,
    /// What the example gives.
    pub example_result: &'static str,
    /// The fewest arguments.
    pub min_arguments: usize,
    /// The most arguments; `None` for any number.
    pub max_arguments: Option<usize>,
    pub(crate) rule: Rule,
}

/// The groups of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Numbers to a number.
    Math,
    /// Conditions.
    Logic,
    /// Values that may not be there.
    Values,
}

impl Category {
    /// The group's title.
    pub fn name(self) -> &'static str {
        match self {
            Category::Math => "Math",
            Category::Logic => "Logic",
            Category::Values => "Values",
        }
    }
}

/// How a call is checked and computed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    If,
    And,
    Or,
    Not,
    Coalesce,
    Min,
    Max,
    /// Exact in every implementation of IEEE 754, so that the generated code computes it itself.
    Exact(Exact),
    /// Computed in Rust, so that every machine computes the same bits.
    Call(Numeric),
    /// Exact with one argument, computed in Rust with more.
    ExactOrCall(Exact, Numeric),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exact {
    Abs,
    Floor,
    Ceil,
    Trunc,
    Sign,
    Round,
    Sqrt,
}

/// A function on finite numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numeric {
    /// NaN outside the domain, an infinity where the result is too large.
    eval: fn(&[f64]) -> f64,
    /// What is wrong outside the domain.
    pub(crate) domain: &'static str,
}

/// Why a function has no result for its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not defined for them.
    Domain,
    /// The result is too large for a number.
    Overflow,
}

impl Function {
    /// The function of that name, in any case.
    ///
    /// ```
    /// use engine::formula::functions::Function;
    /// assert_eq!(Function::named("SQRT").map(|f| f.signature), Some("sqrt(x)"));
    /// ```
    pub fn named(name: &str) -> Option<&'static Function> {
        FUNCTIONS.iter().find(|function| function.name.eq_ignore_ascii_case(name))
    }

    /// Computes a function of finite numbers; `None` for those that are no plain function of numbers, and
    /// for a wrong number of arguments.
    ///
    /// ```
    /// use engine::formula::functions::{Fault, Function};
    /// let sqrt = Function::named("sqrt").unwrap();
    /// assert_eq!(sqrt.compute(&[9.0]), Some(Ok(3.0)));
    /// assert_eq!(sqrt.compute(&[-9.0]), Some(Err(Fault::Domain)));
    /// ```
    pub fn compute(&self, arguments: &[f64]) -> Option<Result<f64, Fault>> {
        if !self.takes(arguments.len()) {
            return None;
        }
        let result = match self.rule {
            Rule::Call(numeric) | Rule::ExactOrCall(_, numeric) => (numeric.eval)(arguments),
            Rule::Exact(exact) => exact.eval(*arguments.first()?),
            _ => return None,
        };
        Some(match result {
            r if r.is_nan() => Err(Fault::Domain),
            r if r.is_infinite() => Err(Fault::Overflow),
            r => Ok(r),
        })
    }

    fn takes(&self, count: usize) -> bool {
        count >= self.min_arguments && self.max_arguments.is_none_or(|max| count <= max)
    }

    /// Why this number of arguments does not fit, if so.
    pub(crate) fn arity_problem(&self, count: usize, span: Span) -> Option<Diagnostic> {
        if self.takes(count) {
            return None;
        }
        let wanted = match (self.min_arguments, self.max_arguments) {
            (min, None) => alloc::format!("{min} or more"),
            (min, Some(max)) if min == max => alloc::format!("{min}"),
            (min, Some(max)) => alloc::format!("{min} or {max}"),
        };
        let noun = if wanted == "1" { "argument" } else { "arguments" };
        let message = alloc::format!("`{}` takes {wanted} {noun}, not {count}", self.name);
        Some(
            Diagnostic::error("wrong-arity", span, message)
                .with_help(alloc::format!("write `{}`", self.signature)),
        )
    }

    /// The numbers of arguments that the call's trampoline has to be made for; empty where none is called.
    pub fn trampolines(&self) -> core::ops::RangeInclusive<usize> {
        match (self.rule, self.max_arguments) {
            (Rule::Call(_), Some(max)) => self.min_arguments..=max,
            (Rule::ExactOrCall(..), Some(max)) => self.min_arguments + 1..=max,
            #[allow(clippy::reversed_empty_ranges, reason = "it is to be empty")]
            _ => 1..=0,
        }
    }
}
