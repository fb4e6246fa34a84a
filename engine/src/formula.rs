//! Formulas: users' expressions over samples and other values. Text becomes a tree, the tree is checked,
//! and all formulas of a configuration together become one [`Program`]: a dependency graph in one
//! topological order and the text of one Luau chunk that computes it over a buffer.

mod arrange;
pub mod ast;
mod check;
mod compile;
pub mod derived;
pub mod duration;
pub mod functions;
pub(crate) mod graph;
mod ir;
mod lexer;
pub mod lower;
mod names;
pub mod parser;
pub mod print;
mod program;
mod script;
mod site;
mod typing;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
pub use check::MAX_TEXT;
pub use names::Builtin;
pub use program::{Dependents, Group, Program};
pub use script::{MAX_ARGUMENTS as MAX_SCRIPT_ARGUMENTS, ParameterKind, ScriptCall, UserFunction};
pub use site::{Problem, Site};
pub use typing::Type;

use crate::paint::Color;
use crate::tick::Fps;
use crate::value::Value;

/// Names a formula: its index in the configuration's order, values, triggers and bindings alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FormulaId(pub u32);

/// What a key holds or a formula gives. Truth values are numbers (1 or 0) to a formula, and durations are
/// seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A number or a truth value.
    #[default]
    Number,
    /// A text.
    Text,
    /// A colour. No key holds one; as a [`Value`] it is its text, `#rrggbb` or `#rrggbbaa`.
    Color,
}

/// A key that formulas may name.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The full name, `source.key`. Its bare last part is a name too where no other key has it.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// A named value that is not among the formulas that are compiled: they take its result as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// What it is: [`Program::result`] of the program that computes it.
    pub result: Option<Type>,
}

/// What formulas are compiled with: all that they may name besides each other.
///
/// A name stands for a value, else a key, else one of the built-in names, else a constant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment<'a> {
    /// The keys, in the order of their indices.
    pub keys: &'a [Key],
    /// Values that are computed elsewhere, which are inputs here, behind the keys.
    pub given: &'a [Given],
    /// The functions of users' scripts, in the order of their indices. None of them has the name of a
    /// built-in function.
    pub scripts: &'a [UserFunction],
    /// What is known when the formulas are read, such as `host`.
    pub constants: &'a [(String, Value)],
    /// Ticks a second, which makes seconds of `120ticks`.
    pub fps: Fps,
}

impl<'a> Environment<'a> {
    /// One with these keys alone, at the default rate.
    pub fn of(keys: &'a [Key]) -> Environment<'a> {
        Environment { keys, ..Environment::default() }
    }
}

/// A formula to compile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry<'a> {
    /// The name that other formulas use for its result, if it is a named value.
    pub name: Option<&'a str>,
    /// The user's text.
    pub text: &'a str,
}

/// What [`compile`] returns: always a program, which leaves out the formulas that are in error, and all
/// problems, each with the index of its entry.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The formulas that are free of errors.
    pub program: Program,
    /// Errors and warnings, in the order of the entries.
    pub problems: Vec<(FormulaId, Diagnostic)>,
    /// By entry: the named values that it names, in the order in which it does.
    pub needs: Vec<Vec<FormulaId>>,
}

/// Compiles `entries`. The entry at index `i` becomes `FormulaId(i)`.
///
/// A formula in error is left out: it has no value, and whatever names it neither, without a report of its
/// own. An empty formula has no value and is no error.
///
/// ```
/// use engine::formula::{Entry, Environment, Key, Kind, compile};
///
/// let keys = [Key { name: "system.cpu".into(), kind: Kind::Number }];
/// let hot = Entry { name: Some("hot"), text: "cpu > 80" };
/// let wrong = Entry { name: None, text: "hott + 1" };
/// let compiled = compile(&[hot, wrong], &Environment::of(&keys));
/// let (id, problem) = &compiled.problems[0];
/// assert_eq!((id.0, problem.candidates[0].as_str()), (1, "hot"));
/// ```
pub fn compile(entries: &[Entry<'_>], environment: &Environment<'_>) -> Compiled {
    compile::compile(entries, environment)
}

/// The newest result of every formula.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    values: Vec<Option<Value>>,
}

impl Results {
    /// No values yet for `len` formulas.
    pub fn new(len: usize) -> Results {
        Results { values: alloc::vec![None; len] }
    }

    /// The newest result, `None` where there is no value.
    pub fn get(&self, id: FormulaId) -> Option<&Value> {
        self.values.get(id.0 as usize)?.as_ref()
    }

    /// The newest result where it is a number.
    pub fn number(&self, id: FormulaId) -> Option<f64> {
        self.get(id)?.number()
    }

    /// The newest result where it is a colour, or a text that is one.
    pub fn color(&self, id: FormulaId) -> Option<Color> {
        match self.get(id)? {
            Value::Text(text) => Color::parse(text),
            _ => None,
        }
    }

    /// Whether a condition holds: its value is a number other than 0.
    pub fn holds(&self, id: FormulaId) -> bool {
        self.number(id).is_some_and(|n| n != 0.0)
    }

    /// Takes a new result.
    pub fn set(&mut self, id: FormulaId, value: Option<Value>) {
        if let Some(slot) = self.values.get_mut(id.0 as usize) {
            *slot = value;
        }
    }
}

#[cfg(test)]
mod messages;
#[cfg(test)]
mod tests;
