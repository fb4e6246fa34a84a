//! All formulas of a configuration, ready to be evaluated.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::derived::Derived;
use super::lower::Layout;
use super::script::ScriptCall;
use super::site::Site;
use super::typing::Type;
use super::{FormulaId, Kind};

/// All formulas of a configuration, ready to be evaluated: the graph of what depends on what, and the text
/// of the Luau functions that compute it over a buffer (see [`super::lower`] for their contract).
///
/// Equal formulas are one *node*. Nodes are in an order in which each comes after those it needs, cut into
/// groups of at most [`GROUP`](super::lower::GROUP), each one Luau function.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(super) formulas: Vec<Formula>,
    pub(super) nodes: Vec<Node>,
    pub(super) groups: Vec<Group>,
    pub(super) texts: Vec<Arc<str>>,
    pub(super) key_kinds: Vec<Kind>,
    pub(super) layout: Layout,
    pub(super) builtins: [Vec<Dependents>; 3],
    pub(super) keys: Vec<Vec<Dependents>>,
    pub(super) derived: Vec<Derived>,
    /// By derived input.
    pub(super) derived_dependents: Vec<Vec<Dependents>>,
    pub(super) script_calls: Vec<ScriptCall>,
}

/// What is known of one formula.
#[derive(Clone, Debug, Default)]
pub(super) struct Formula {
    pub(super) name: Option<String>,
    pub(super) text: String,
    /// `None` where it is in error.
    pub(super) node: Option<u32>,
    pub(super) result: Option<Type>,
    pub(super) sites: Vec<Site>,
    /// Whether it holds as a condition, where that never changes.
    pub(super) certainty: Option<bool>,
}

/// A result that is computed.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) formulas: Vec<FormulaId>,
    /// In other groups than its own.
    pub(super) dependents: Vec<Dependents>,
    /// What is asked of a key's past needs the key.
    pub(super) needs_keys: Vec<u32>,
    pub(super) needs_nodes: Vec<u32>,
}

/// Nodes of one group that depend on something: one bit each, the group's first node the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependents {
    /// The index of the group.
    pub group: u32,
    /// Its nodes.
    pub mask: u32,
}

/// Nodes that one Luau function computes.
#[derive(Clone, Debug)]
pub struct Group {
    /// The text of a Luau chunk that returns the function.
    pub code: String,
    /// The indices of its nodes.
    pub nodes: Range<usize>,
}

impl Program {
    /// How many formulas there are, those in error included.
    pub fn len(&self) -> usize {
        self.formulas.len()
    }

    /// Whether there is no formula.
    pub fn is_empty(&self) -> bool {
        self.formulas.is_empty()
    }

    /// How many inputs it was compiled with: keys, and behind them [given](super::Given) values.
    pub fn key_count(&self) -> usize {
        self.key_kinds.len()
    }

    /// The kind of a key, by its index.
    pub fn key_kind(&self, index: usize) -> Option<Kind> {
        self.key_kinds.get(index).copied()
    }

    /// The name that other formulas use for it, if it is a named value.
    pub fn name(&self, id: FormulaId) -> Option<&str> {
        self.formula(id)?.name.as_deref()
    }

    /// The user's text.
    pub fn text(&self, id: FormulaId) -> &str {
        self.formula(id).map_or("", |formula| &formula.text)
    }

    /// What its result is, `None` for a formula in error. A formula that never has a value counts as a
    /// number.
    pub fn kind(&self, id: FormulaId) -> Option<Kind> {
        Some(self.node_kind(self.node_of(id)?))
    }

    /// What its result is, as exactly as is known before it runs. `None` for one that never has a value, and
    /// for one in error.
    pub fn result(&self, id: FormulaId) -> Option<Type> {
        self.formula(id)?.result
    }

    /// Whether it holds as a condition, where that is the same always and everywhere.
    pub fn certainty(&self, id: FormulaId) -> Option<bool> {
        self.formula(id)?.certainty
    }

    /// The keys, and behind them the given values, that its result depends on, directly or through other values:
    /// indices, ascending.
    pub fn keys_of(&self, id: FormulaId) -> Vec<usize> {
        let nodes = self.nodes_of(id).into_iter();
        let keys = nodes.flat_map(|node| self.nodes[node].needs_keys.iter().map(|key| *key as usize));
        let mut keys: Vec<usize> = keys.collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The nodes that its result depends on, its own included: indices, ascending.
    pub fn nodes_of(&self, id: FormulaId) -> Vec<usize> {
        let mut seen = alloc::vec![false; self.nodes.len()];
        let mut open: Vec<usize> = self.node_of(id).into_iter().collect();
        let mut nodes = Vec::new();
        while let Some(node) = open.pop() {
            if !core::mem::replace(&mut seen[node], true) {
                nodes.push(node);
                open.extend(self.nodes[node].needs_nodes.iter().map(|node| *node as usize));
            }
        }
        nodes.sort_unstable();
        nodes
    }

    /// What its text speaks of: keys, as indices, and other formulas that have names, each ascending.
    pub fn needs_of(&self, id: FormulaId) -> (Vec<usize>, Vec<FormulaId>) {
        let Some(node) = self.node_of(id).and_then(|node| self.nodes.get(node)) else {
            return Default::default();
        };
        let keys = node.needs_keys.iter().map(|key| *key as usize).collect();
        let named = |node: &u32| {
            let formulas = self.formulas_of(*node as usize).iter();
            formulas.copied().find(|id| self.name(*id).is_some())
        };
        (keys, node.needs_nodes.iter().filter_map(named).collect())
    }

    /// A place in the formula where it can fail, by the number that the generated code writes, less 1.
    pub fn site(&self, id: FormulaId, index: usize) -> Option<&Site> {
        self.formula(id)?.sites.get(index)
    }

    fn formula(&self, id: FormulaId) -> Option<&Formula> {
        self.formulas.get(id.0 as usize)
    }
}

/// What an evaluator needs.
impl Program {
    /// The node that computes a formula, `None` for one in error.
    pub fn node_of(&self, id: FormulaId) -> Option<usize> {
        self.formula(id)?.node.map(|node| node as usize)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// What a node's result is.
    pub fn node_kind(&self, node: usize) -> Kind {
        self.nodes.get(node).map_or(Kind::Number, |node| node.kind)
    }

    /// The formulas that a node computes, ascending.
    pub fn formulas_of(&self, node: usize) -> &[FormulaId] {
        self.nodes.get(node).map_or(&[], |node| &node.formulas)
    }

    /// The groups, in the order in which they are to be run.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The nodes outside its own group that read a node's result.
    pub fn dependents_of_node(&self, node: usize) -> &[Dependents] {
        self.nodes.get(node).map_or(&[], |node| &node.dependents)
    }

    /// The nodes that read a key.
    pub fn dependents_of_key(&self, key: usize) -> &[Dependents] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// What is asked of keys' pasts, each question once. Their indices count the derived inputs.
    pub fn derived(&self) -> &[Derived] {
        &self.derived
    }

    /// The nodes that read a derived input.
    pub fn dependents_of_derived(&self, index: usize) -> &[Dependents] {
        self.derived_dependents.get(index).map_or(&[], Vec::as_slice)
    }

    /// The calls of scripts' functions, in the order of the numbers that the generated code calls them by.
    pub fn script_calls(&self) -> &[ScriptCall] {
        &self.script_calls
    }

    /// A node's group, and its bit there: what has to be marked for it to be computed anew.
    pub fn place_of_node(&self, node: usize) -> Option<Dependents> {
        let group = self.groups.partition_point(|group| group.nodes.end <= node);
        let first = self.groups.get(group)?.nodes.start;
        Some(Dependents { group: u32::try_from(group).ok()?, mask: 1 << node.checked_sub(first)? })
    }

    /// The nodes that read a built-in name, by its index in [`Builtin::ALL`](super::Builtin::ALL).
    pub fn dependents_of_builtin(&self, builtin: usize) -> &[Dependents] {
        self.builtins.get(builtin).map_or(&[], Vec::as_slice)
    }

    /// The texts that formulas hold. In a lane a text is a number; these have their indices.
    pub fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }

    /// Where everything is in the buffer.
    pub fn layout(&self) -> Layout {
        self.layout
    }
}
