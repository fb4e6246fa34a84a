//! Templates: text with formulas inside, such as `CPU {cpu:.0f}%`.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::formula::{FormulaId, Results};

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

/// How a result is written; see `docs/templates.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Digits after the point; `None` for the shortest form.
    pub precision: Option<u8>,
}

impl Template {
    // A stand-in until templates with formats are merged.
    /// Appends the text with the newest results in it; a formula without a value is a dash.
    pub fn render(&self, results: &Results, out: &mut String) {
        use core::fmt::Write;
        for part in &self.parts {
            // Writing to a string cannot fail.
            let _ = match part {
                Part::Literal(text) => out.write_str(text),
                Part::Formula(id, format) => match (results.get(*id), format.precision) {
                    (Some(value), Some(digits)) => match value.number() {
                        Some(number) => write!(out, "{number:.*}", usize::from(digits)),
                        None => write!(out, "{value}"),
                    },
                    (Some(value), None) => write!(out, "{value}"),
                    (None, _) => out.write_str("–"),
                },
            };
        }
    }
}
