//! Templates: text with formulas inside, such as `CPU {cpu:.0f}%`.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::formula::FormulaId;

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
