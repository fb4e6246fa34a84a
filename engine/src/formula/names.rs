//! What a name in a formula means: a named value, a key, a built-in name, or a constant.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;

use super::ast::Expr;
use super::{Entry, Environment, Key};
use crate::diagnostic::nearest;

/// The names that always have a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Builtin {
    /// The number of the tick.
    Tick,
    /// The seconds since tick 0: tick / fps.
    Time,
    /// Ticks a second.
    Fps,
}

impl Builtin {
    /// All of them, in the order of their lanes.
    pub const ALL: [Builtin; 3] = [Builtin::Tick, Builtin::Time, Builtin::Fps];

    /// How formulas write it.
    pub fn name(self) -> &'static str {
        match self {
            Builtin::Tick => "tick",
            Builtin::Time => "time",
            Builtin::Fps => "fps",
        }
    }

    pub(super) fn named(name: &str) -> Option<Builtin> {
        Builtin::ALL.into_iter().find(|builtin| builtin.name() == name)
    }
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning<'a> {
    /// The entry at this index.
    Value(u32),
    /// The given value at this index.
    Given(u32),
    /// The key at this index.
    Key(u32),
    Builtin(Builtin),
    /// The constant at this index.
    Constant(usize),
    /// The bare part of several keys.
    Ambiguous(Vec<&'a str>),
    Unknown,
}

/// How many different unknown names get suggestions: each costs a walk over all names.
const MAX_SUGGESTIONS: u32 = 100;

/// All names that formulas may use.
pub(super) struct Names<'a> {
    values: BTreeMap<&'a str, u32>,
    given: BTreeMap<&'a str, u32>,
    environment: Environment<'a>,
    /// Full names and every part of them behind a dot.
    by_suffix: BTreeMap<&'a str, Vec<u32>>,
    suggestions_left: Cell<u32>,
}

impl<'a> Names<'a> {
    /// Of two entries with one name the first has it.
    pub(super) fn new(entries: &[Entry<'a>], environment: &Environment<'a>) -> Names<'a> {
        let mut values = BTreeMap::new();
        for (index, entry) in (0u32..).zip(entries) {
            if let Some(name) = entry.name {
                values.entry(name).or_insert(index);
            }
        }
        let given = (0u32..).zip(environment.given).map(|(index, given)| (given.name.as_str(), index));
        let given = given.collect();
        let mut by_suffix: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (index, key) in (0u32..).zip(environment.keys) {
            let mut suffix = key.name.as_str();
            loop {
                by_suffix.entry(suffix).or_default().push(index);
                match suffix.split_once('.') {
                    Some((_, rest)) => suffix = rest,
                    None => break,
                }
            }
        }
        let suggestions_left = Cell::new(MAX_SUGGESTIONS);
        Names { values, given, environment: *environment, by_suffix, suggestions_left }
    }

    /// What `name` stands for. A full name comes before a bare one, and a value before a key.
    pub(super) fn meaning(&self, name: &str) -> Meaning<'a> {
        if let Some(value) = self.values.get(name) {
            return Meaning::Value(*value);
        }
        if let Some(given) = self.given.get(name) {
            return Meaning::Given(*given);
        }
        let keys = self.by_suffix.get(name).map_or(&[][..], Vec::as_slice);
        let full_name =
            |index: &u32| self.environment.keys.get(*index as usize).map_or("", |key| key.name.as_str());
        if let Some(full) = keys.iter().find(|index| full_name(index) == name) {
            return Meaning::Key(*full);
        }
        match (Builtin::named(name), keys) {
            (Some(builtin), _) => Meaning::Builtin(builtin),
            (None, []) => {
                let constant = self.environment.constants.iter().position(|(constant, _)| constant == name);
                constant.map_or(Meaning::Unknown, Meaning::Constant)
            }
            (None, [key]) => Meaning::Key(*key),
            (None, several) => Meaning::Ambiguous(several.iter().map(full_name).collect()),
        }
    }

    /// Whether a constant has a part in an expression.
    pub(super) fn names_constant(&self, expr: &Expr) -> bool {
        let mut found = false;
        expr.names(&mut |name, _| found |= matches!(self.meaning(name), Meaning::Constant(_)));
        found
    }

    /// The entry that has this name.
    pub(super) fn value(&self, name: &str) -> Option<u32> {
        self.values.get(name).copied()
    }

    /// A key whose bare name this is.
    pub(super) fn key_called(&self, name: &str) -> Option<&'a Key> {
        self.by_suffix.get(name).and_then(|keys| self.environment.keys.get(*keys.first()? as usize))
    }

    /// What stands for one key.
    fn clear_keys(&self) -> impl Iterator<Item = &'a str> + '_ {
        let is_clear = |name: &&&str| !matches!(self.meaning(name), Meaning::Ambiguous(_));
        self.by_suffix.keys().filter(is_clear).copied()
    }

    /// Keys that were probably meant by an unknown name.
    pub(super) fn near_keys(&self, name: &str) -> Vec<String> {
        let Some(left) = self.suggestions_left.get().checked_sub(1) else { return Vec::new() };
        self.suggestions_left.set(left);
        nearest(name, self.clear_keys())
    }

    /// Names that were probably meant by an unknown one.
    pub(super) fn suggestions(&self, name: &str) -> Vec<String> {
        let Some(left) = self.suggestions_left.get().checked_sub(1) else { return Vec::new() };
        self.suggestions_left.set(left);
        let builtins = Builtin::ALL.iter().map(|builtin| builtin.name());
        let constants = self.environment.constants.iter().map(|(name, _)| name.as_str());
        let values = self.values.keys().chain(self.given.keys()).copied();
        nearest(name, values.chain(self.clear_keys()).chain(builtins).chain(constants))
    }
}
