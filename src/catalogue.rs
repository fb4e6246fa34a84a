//! The catalogue of functions, as the command line and the API tell it.

use engine::formula::functions::{FUNCTIONS, Function};
use serde::Serialize;

/// What is to be known of a function.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its name; formulas may write it in any case.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// The group that it stands in.
    pub category: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// Further names for it.
    pub aliases: &'static [&'static str],
    /// A call.
    pub example: &'static str,
    /// What the example gives.
    pub result: &'static str,
    /// The fewest arguments.
    pub min_arguments: usize,
    /// The most arguments; `None` for any number.
    pub max_arguments: Option<usize>,
}

impl From<&'static Function> for Entry {
    fn from(function: &'static Function) -> Entry {
        Entry {
            name: function.name,
            description: function.description,
            category: function.category.name(),
            signature: function.signature,
            aliases: function.aliases,
            example: function.example,
            result: function.example_result,
            min_arguments: function.min_arguments,
            max_arguments: function.max_arguments,
        }
    }
}

/// All functions, in the order of their categories.
pub fn functions() -> Vec<Entry> {
    let mut functions: Vec<&'static Function> = FUNCTIONS.iter().collect();
    functions.sort_by_key(|function| function.category);
    functions.into_iter().map(Entry::from).collect()
}
