//! What a sample or a formula can be.

use alloc::sync::Arc;
use core::fmt;

use serde::{Deserialize, Serialize};

/// The value of a sample or the result of a formula. "No value" is `Option::None` around it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// A truth value, as a source reports it; formulas see 1 or 0.
    Bool(bool),
    /// A text.
    Text(Arc<str>),
}

impl Value {
    /// The number that a formula sees: a truth value counts as 1 or 0, a text is none.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(*n),
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Text(_) => None,
        }
    }

    /// Whether both are the same value, bit for bit: what "unchanged" means to change detection.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => a.to_bits() == b.to_bits(),
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for Value {
    /// Numbers in their shortest form that reads back as the same number, with a power of ten where there
    /// would be many zeros: from 1e16 on, and below 0.0001.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // -0 equals 0, and no formula sees it.
            Value::Number(n) if *n == 0.0 => f.write_str("0"),
            Value::Number(n) if (1e-4..1e16).contains(&libm::fabs(*n)) => write!(f, "{n}"),
            Value::Number(n) => write!(f, "{n:e}"),
            Value::Bool(b) => b.fmt(f),
            Value::Text(t) => f.write_str(t),
        }
    }
}

impl From<f64> for Value {
    fn from(n: f64) -> Value {
        Value::Number(n)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}
