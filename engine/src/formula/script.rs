//! Functions that users' scripts define, as far as formulas know them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Kind;

/// The most arguments of a call of a script's function, also of one that takes any number: a call is one
/// call in Luau, which refuses some two hundred of them.
pub const MAX_ARGUMENTS: usize = 32;

/// What a parameter of a script's function takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParameterKind {
    /// Anything.
    #[default]
    Any,
    /// A number, as which truth values and durations count.
    Number,
    /// A truth value, which a number is as well: all but 0 are true.
    Truth,
    /// A text.
    Text,
    /// A colour, or a text that is one and written out.
    Color,
}

/// A function that a user's script defines for formulas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserFunction {
    /// Its name, as formulas write it: capitals count.
    pub name: String,
    /// The names of its parameters, for the signature.
    pub parameters: Vec<String>,
    /// What they take; what is not among these takes anything.
    pub kinds: Vec<ParameterKind>,
    /// The fewest arguments.
    pub min_arguments: usize,
    /// The most arguments; `None` for any number up to [`MAX_ARGUMENTS`].
    pub max_arguments: Option<usize>,
    /// What it returns.
    pub result: Kind,
    /// What it does, in a sentence.
    pub description: String,
    /// The script's file.
    pub file: String,
    /// The line where it begins, from 1.
    pub line: u32,
}

impl UserFunction {
    /// How it is called.
    ///
    /// ```
    /// use engine::formula::UserFunction;
    /// let dew_point = UserFunction {
    ///     name: "dew_point".into(),
    ///     parameters: ["temperature".into(), "humidity".into()].into(),
    ///     min_arguments: 1,
    ///     max_arguments: Some(2),
    ///     ..UserFunction::default()
    /// };
    /// assert_eq!(dew_point.signature(), "dew_point(temperature[, humidity])");
    /// ```
    pub fn signature(&self) -> String {
        let mut list = String::new();
        let mut optional = 0;
        for (index, parameter) in self.parameters.iter().enumerate() {
            let open = if index >= self.min_arguments { "[" } else { "" };
            optional += open.len();
            let comma = if index > 0 { ", " } else { "" };
            list.push_str(&format!("{open}{comma}{parameter}"));
        }
        if self.max_arguments.is_none() {
            list.push_str(if self.parameters.is_empty() { "..." } else { ", ..." });
        }
        format!("{}({list}{})", self.name, "]".repeat(optional))
    }
}

/// A place in the formulas where a script's function is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptCall {
    /// The function: an index into [`Environment::scripts`](super::Environment::scripts).
    pub function: u32,
    /// The node that the call is a part of.
    pub node: u32,
    /// What its arguments are.
    pub arguments: Vec<Kind>,
    /// What it returns.
    pub result: Kind,
}
