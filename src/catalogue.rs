//! The catalogue of functions, as the command line and the API tell it.

use std::borrow::Cow;

use engine::formula::UserFunction;
use engine::formula::functions::{FUNCTIONS, Function};
use serde::Serialize;

/// The category of functions that scripts define.
pub const SCRIPT: &str = "Script";

/// What is to be known of a function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its name; formulas may write that of a built-in one in any case.
    pub name: Cow<'static, str>,
    /// What it does, in a sentence.
    pub description: Cow<'static, str>,
    /// The group that it stands in.
    pub category: &'static str,
    /// How it is called.
    pub signature: Cow<'static, str>,
    /// Further names for it.
    pub aliases: &'static [&'static str],
    /// A call; empty for one that a script defines.
    pub example: &'static str,
    /// What the example gives.
    pub result: &'static str,
    /// The fewest arguments.
    pub min_arguments: usize,
    /// The most arguments; `None` for any number.
    pub max_arguments: Option<usize>,
    /// The script that defines it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line where it begins there, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl From<&'static Function> for Entry {
    fn from(function: &'static Function) -> Entry {
        Entry {
            name: function.name.into(),
            description: function.description.into(),
            category: function.category.name(),
            signature: function.signature.into(),
            aliases: function.aliases,
            example: function.example,
            result: function.example_result,
            min_arguments: function.min_arguments,
            max_arguments: function.max_arguments,
            file: None,
            line: None,
        }
    }
}

impl From<&UserFunction> for Entry {
    fn from(function: &UserFunction) -> Entry {
        Entry {
            name: function.name.clone().into(),
            // Those of the built-in ones have no full stop.
            description: function.description.trim_end_matches('.').to_owned().into(),
            category: SCRIPT,
            signature: function.signature().into(),
            aliases: &[],
            example: "",
            result: "",
            min_arguments: function.min_arguments,
            max_arguments: function.max_arguments,
            file: Some(function.file.clone()),
            line: Some(function.line),
        }
    }
}

/// All functions, in the order of their categories, and behind them those of `scripts`.
pub fn functions(scripts: &[UserFunction]) -> Vec<Entry> {
    let mut functions: Vec<&'static Function> = FUNCTIONS.iter().collect();
    functions.sort_by_key(|function| function.category);
    functions.into_iter().map(Entry::from).chain(scripts.iter().map(Entry::from)).collect()
}
