//! The table of functions: the one place that names them. The checker, the lowering, the trampolines, the
//! catalogue and the manual are all made from it.

mod colors;
mod numeric;
mod table;
mod texts;

use alloc::string::String;
use alloc::vec::Vec;

use super::ast::Span;
use super::derived::Measure;
use super::typing::Type;
use super::{Kind, MAX_TEXT};
use crate::diagnostic::Diagnostic;
use crate::paint::Color;

pub(crate) use numeric::floored_modulo;
pub use table::FUNCTIONS;

/// A built-in function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// Its name in small letters; formulas may write it in any case.
    pub name: &'static str,
    /// Further names for it, in any case too.
    pub aliases: &'static [&'static str],
    /// How it is called, `round(x[, digits])`.
    pub signature: &'static str,
    /// The group that it stands in.
    pub category: Category,
    /// What it returns, in a sentence without a full stop.
    pub description: &'static str,
    /// A call.
    pub example: &'static str,
    /// The samples of the key `v` that the example looks at: the age of each in seconds, and its number,
    /// the oldest first. Empty where the example names no key.
    pub example_samples: &'static [(f64, f64)],
    /// What the example gives.
    pub example_result: &'static str,
    /// The fewest arguments.
    pub min_arguments: usize,
    /// The most arguments; `None` for any number.
    pub max_arguments: Option<usize>,
    /// What its arguments are; the last one stands for all further ones.
    pub(crate) parameters: &'static [Parameter],
    /// What it returns, unless its rule says that its arguments decide.
    pub(crate) result: Type,
    pub(crate) rule: Rule,
}

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    Number,
    Condition,
    Text,
    Color,
    /// Anything.
    Any,
    /// The name of a key of numbers.
    Series,
    /// The name of any key.
    Key,
    /// A number from 0 to 100 that is written out.
    Percent,
    /// A duration that is written out.
    Span,
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
    /// Texts.
    Text,
    /// Colours.
    Colors,
    /// Samples of the past.
    Time,
}

impl Category {
    /// All of them, in the catalogue's order.
    pub const ALL: [Category; 6] =
        [Category::Math, Category::Logic, Category::Values, Category::Text, Category::Colors, Category::Time];

    /// The group's title.
    pub fn name(self) -> &'static str {
        match self {
            Category::Math => "Math",
            Category::Logic => "Logic",
            Category::Values => "Values",
            Category::Text => "Text",
            Category::Colors => "Colours",
            Category::Time => "Time and windows",
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
    /// Computed in Rust, over texts.
    Textual(Textual),
    /// Looks at a key's past: a hidden input of the program.
    Derived(Measure),
    /// The same, of the rank that an argument says.
    Percentile,
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

/// A function on finite numbers and on colours, `0xRRGGBBAA`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numeric {
    /// NaN outside the domain, an infinity where the result is too large.
    eval: fn(&[f64]) -> f64,
    /// What is wrong outside the domain.
    pub(crate) domain: &'static str,
    /// Where it is no more than a few exact operations, how the generated code does without a call.
    pub(crate) open: Option<Open>,
}

/// Functions that the generated code writes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    Clamp,
    Lerp,
    Map,
}

/// A function that takes or returns texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Textual {
    /// A text that it returns is written to the end of the string.
    eval: fn(&[Argument<'_>], &mut String) -> Result<Output, Fault>,
    /// What is wrong outside the domain.
    pub(crate) domain: &'static str,
}

/// An argument of a function that takes or returns texts.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Argument<'a> {
    Number(f64),
    Text(&'a str),
    Color(Color),
}

/// What a function of texts returned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// A number, or a colour as `0xRRGGBBAA`.
    Number(f64),
    /// The text that it wrote.
    Text,
}

/// Why a function has no result for its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not defined for them.
    Domain,
    /// The result is too large for a number.
    Overflow,
    /// The result is longer than [`MAX_TEXT`].
    TooLong,
}

impl Function {
    /// The function of that name, in any case.
    ///
    /// ```
    /// use engine::formula::functions::Function;
    /// assert_eq!(Function::named("SQRT").map(|f| f.signature), Some("sqrt(x)"));
    /// ```
    pub fn named(name: &str) -> Option<&'static Function> {
        Function::index_of(name).map(|index| &FUNCTIONS[index])
    }

    /// Its index in the table.
    pub(crate) fn index_of(name: &str) -> Option<usize> {
        FUNCTIONS.iter().position(|function| {
            let mut names = core::iter::once(&function.name).chain(function.aliases);
            names.any(|own| own.eq_ignore_ascii_case(name))
        })
    }

    /// What the argument at an index has to be.
    pub(crate) fn parameter(&self, index: usize) -> Parameter {
        self.parameters.get(index).or(self.parameters.last()).copied().unwrap_or(Parameter::Any)
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

    /// Computes a function that takes or returns texts; a text is written to the end of `out`. `None` for
    /// those that are none, and for a wrong number of arguments.
    ///
    /// ```
    /// use engine::formula::functions::{Argument, Function, Output};
    /// let mut out = String::new();
    /// let upper = Function::named("upper").unwrap();
    /// assert_eq!(upper.compute_text(&[Argument::Text("ok")], &mut out), Some(Ok(Output::Text)));
    /// assert_eq!(out, "OK");
    /// ```
    pub fn compute_text(
        &self,
        arguments: &[Argument<'_>],
        out: &mut String,
    ) -> Option<Result<Output, Fault>> {
        let Rule::Textual(textual) = self.rule else { return None };
        let start = out.len();
        self.takes(arguments.len()).then(|| match (textual.eval)(arguments, out) {
            Ok(_) if out.len() - start > MAX_TEXT => Err(Fault::TooLong),
            result => result,
        })
    }

    fn takes(&self, count: usize) -> bool {
        count >= self.min_arguments && self.max_arguments.is_none_or(|max| count <= max)
    }

    /// Why this number of arguments does not fit, if so.
    pub(crate) fn arity_problem(&self, count: usize, span: Span) -> Option<Diagnostic> {
        let problem = arity_problem(self.name, (self.min_arguments, self.max_arguments), count, span)?;
        Some(problem.with_help(alloc::format!("write `{}`", self.signature)))
    }

    /// How the generated code does without a call of it, where it does.
    pub(crate) fn open(&self) -> Option<Open> {
        match self.rule {
            Rule::Call(numeric) => numeric.open,
            _ => None,
        }
    }

    /// The numbers of arguments that the call's trampoline has to be made for; empty where none is called.
    pub fn trampolines(&self) -> core::ops::RangeInclusive<usize> {
        match (self.rule, self.max_arguments) {
            (Rule::Call(_) | Rule::Textual(_), Some(max)) => self.min_arguments..=max,
            (Rule::ExactOrCall(..), Some(max)) => self.min_arguments + 1..=max,
            #[allow(clippy::reversed_empty_ranges, reason = "it is to be empty")]
            _ => 1..=0,
        }
    }

    /// Whether it takes or returns texts.
    pub fn is_textual(&self) -> bool {
        matches!(self.rule, Rule::Textual(_))
    }

    /// What so many arguments can be: all combinations of kinds.
    pub fn kinds(&self, count: usize) -> Vec<Vec<Kind>> {
        let mut all = Vec::from([Vec::new()]);
        for index in 0..count {
            let kinds: &[Kind] = match self.parameter(index) {
                Parameter::Text => &[Kind::Text],
                Parameter::Color => &[Kind::Color],
                Parameter::Any => &[Kind::Number, Kind::Text, Kind::Color],
                _ => &[Kind::Number],
            };
            let with = |before: &Vec<Kind>| {
                let before = before.clone();
                kinds.iter().map(move |kind| before.iter().copied().chain([*kind]).collect())
            };
            all = all.iter().flat_map(with).collect();
        }
        all
    }
}

/// Why a number of arguments does not fit a function that takes so few and so many, if so.
pub(crate) fn arity_problem(
    name: &str,
    (min, max): (usize, Option<usize>),
    count: usize,
    span: Span,
) -> Option<Diagnostic> {
    if count >= min && max.is_none_or(|max| count <= max) {
        return None;
    }
    let wanted = match max {
        None => alloc::format!("{min} or more"),
        Some(max) if max == min => alloc::format!("{min}"),
        Some(max) if max == min + 1 => alloc::format!("{min} or {max}"),
        Some(max) => alloc::format!("{min} to {max}"),
    };
    let noun = if wanted == "1" { "argument" } else { "arguments" };
    let message = alloc::format!("`{name}` takes {wanted} {noun}, not {count}");
    Some(Diagnostic::error("wrong-arity", span, message))
}
