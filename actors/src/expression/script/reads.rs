//! Which keys formulas depend on where scripts read for them.

use std::collections::BTreeSet;

use engine::formula::{FormulaId, Program};
use engine::tick::Fps;

use super::{Library, View};

/// What the formulas of a panel depend on, by way of scripts' functions too, as far as these write out the names
/// that they read.
#[derive(Debug)]
pub struct Reads<'a> {
    program: &'a Program,
    values: &'a [(String, FormulaId)],
    view: View,
    /// By function: keys, and behind them named values.
    by_function: Vec<Vec<usize>>,
}

impl<'a> Reads<'a> {
    /// What is read in a panel with these keys and named values.
    pub fn new<'k>(
        program: &'a Program,
        library: &Library,
        keys: impl IntoIterator<Item = &'k str>,
        values: &'a [(String, FormulaId)],
    ) -> Reads<'a> {
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        let view = View::new(keys, names, Fps::default());
        let of = |function| {
            let names = library.reads(function).into_iter();
            names.filter_map(|name| view.index(name)).map(|index| index as usize).collect()
        };
        let by_function = (0..library.functions.len()).map(of).collect();
        Reads { program, values, view, by_function }
    }

    /// What scripts call so: a key, or behind the keys a named value.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.view.index(name).map(|index| index as usize)
    }

    /// What a call of a function may read: keys, and behind them named values, by their indices.
    pub fn of(&self, function: usize) -> &[usize] {
        self.by_function.get(function).map_or(&[], Vec::as_slice)
    }

    /// The keys that a formula's result depends on: indices, ascending.
    pub fn keys_of(&self, id: FormulaId) -> Vec<usize> {
        if self.by_function.is_empty() {
            return self.program.keys_of(id);
        }
        let (mut keys, mut nodes) = (BTreeSet::new(), BTreeSet::new());
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let new: BTreeSet<usize> =
                self.program.nodes_of(id).into_iter().filter(|node| nodes.insert(*node)).collect();
            if new.is_empty() {
                continue;
            }
            keys.extend(self.program.keys_of(id));
            let calls = self.program.script_calls().iter().filter(|call| new.contains(&(call.node as usize)));
            for index in calls.flat_map(|call| self.of(call.function as usize)) {
                match index.checked_sub(self.program.key_count()) {
                    None => drop(keys.insert(*index)),
                    Some(value) => open.extend(self.values.get(value).map(|(_, id)| *id)),
                }
            }
        }
        keys.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use engine::formula::{Entry, Environment, Key, Kind, compile};

    use super::super::{File, Limits};
    use super::*;

    #[test]
    fn what_scripts_read_counts_for_those_who_call_them() {
        let text = "function f() return get('a.x') end\nfunction g() return get('late') end\nfunction h(n) return get(n) end";
        let names = ["a.x", "a.y", "a.z"];
        let formulas =
            [("late", "f() + y"), ("early", "z"), ("by", "g()"), ("loop", "g() + z"), ("made_up", "h('z')")];
        let view = View::new(names, formulas.map(|(name, _)| name), Fps::default());
        let file = File { name: "a.lua".into(), text: text.into() };
        let (library, problems) = Library::check(vec![file], Limits::default(), &Rc::new(view), |_| false);
        assert_eq!(problems, []);
        let keys = names.map(|name| Key { name: name.into(), kind: Kind::Number });
        let entries = formulas.map(|(name, text)| Entry { name: Some(name), text });
        let environment = Environment { scripts: &library.functions, ..Environment::of(&keys) };
        let compiled = compile(&entries, &environment);
        assert_eq!(compiled.problems, []);
        let values: Vec<_> =
            (0..).map(FormulaId).zip(formulas).map(|(id, (name, _))| (name.to_owned(), id)).collect();
        let reads = Reads::new(&compiled.program, &library, names, &values);
        let found: Vec<_> = values.iter().map(|(_, id)| reads.keys_of(*id)).collect();
        assert_eq!(found, [vec![0, 1], vec![2], vec![0, 1], vec![0, 1, 2], vec![]]);
    }
}
