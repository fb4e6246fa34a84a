//! Templates: text with formulas inside, such as `CPU {cpu:.0f}%`.
//!
//! `{formula}` or `{formula:format}` stands for the formula's result, `{include(name)}` for another
//! template, `{{` and `}}` for braces. [`parse`] reads the text into a [`Draft`]; with its formulas' ids and
//! the [`Library`] of the templates that it may include it becomes a [`Template`], which
//! [`Template::render`] writes at any tick. [`Format`] says what formats there are.

mod draft;
mod format;
mod include;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use draft::{Draft, DraftPart, parse};
pub use format::{Alignment, Case, Format, Grouping, MAX_PRECISION, MAX_WIDTH, Sign, Style};
pub use include::{Library, MAX_DEPTH, MAX_PARTS, MAX_TEXT};

use crate::formula::{FormulaId, Results};

/// What is written where a formula has no value.
pub const NO_VALUE: &str = "\u{2013}";

/// A compiled template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// What is shown, one part after the other.
    pub parts: Vec<Part>,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// Text as it stands.
    Literal(String),
    /// A formula's result.
    Formula(FormulaId, Format),
}

impl Template {
    /// Adds the text to `out`. Nothing is allocated besides.
    ///
    /// ```
    /// use engine::formula::{FormulaId, Results};
    /// use engine::template;
    /// use engine::value::Value;
    ///
    /// let (draft, problems) = template::parse("CPU {cpu:.0f}%");
    /// assert!(problems.is_empty());
    /// let template = draft.resolve(|_formula, _span| FormulaId(0));
    /// let mut results = Results::new(1);
    /// results.set(FormulaId(0), Some(Value::Number(41.7)));
    /// let mut text = String::new();
    /// template.render(&results, &mut text);
    /// assert_eq!(text, "CPU 42%");
    /// ```
    pub fn render(&self, results: &Results, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Formula(id, format) => format.write(results.get(*id), out),
            }
        }
    }

    /// The formulas in it, in their order.
    pub fn formulas(&self) -> impl Iterator<Item = FormulaId> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Formula(id, _) => Some(*id),
        })
    }
}
