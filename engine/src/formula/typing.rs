//! What a part of a formula is, as far as that is known when it is read.

use super::Kind;

/// What a part of a formula is. At run time truth values are numbers (1 or 0), and so are durations
/// (seconds) and colours (`0xRRGGBBAA`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Any number.
    Number,
    /// 1 or 0.
    Truth,
    /// A duration that is written out; computing with it makes a number of it.
    Duration,
    /// A text.
    Text,
    /// A colour.
    Color,
}

impl Type {
    /// What it is at run time.
    pub fn kind(self) -> Kind {
        match self {
            Type::Number | Type::Truth | Type::Duration => Kind::Number,
            Type::Text => Kind::Text,
            Type::Color => Kind::Color,
        }
    }

    /// As messages name it.
    pub fn noun(self) -> &'static str {
        match self {
            Type::Number => "a number",
            Type::Truth => "a truth value",
            Type::Duration => "a duration",
            Type::Text => "a text",
            Type::Color => "a colour",
        }
    }

    pub(crate) fn is_number(self) -> bool {
        self.kind() == Kind::Number
    }
}

impl From<Kind> for Type {
    fn from(kind: Kind) -> Type {
        match kind {
            Kind::Number => Type::Number,
            Kind::Text => Type::Text,
            Kind::Color => Type::Color,
        }
    }
}
