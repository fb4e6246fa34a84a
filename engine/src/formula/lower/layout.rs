//! Where inputs and results are.

use super::GROUP;

/// Where things are in the buffer, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    keys: usize,
    derived: usize,
    nodes: usize,
    scratch: usize,
}

impl Layout {
    pub(in crate::formula) fn new(keys: usize, derived: usize, nodes: usize) -> Layout {
        Layout { keys, derived, nodes, scratch: 0 }
    }

    /// The lane of the built-in name at this index of [`Builtin::ALL`](crate::formula::Builtin::ALL).
    pub fn builtin(self, index: usize) -> usize {
        8 * index
    }

    /// The lane of a key.
    pub fn key(self, index: usize) -> usize {
        8 * (3 + index)
    }

    /// The lane of a derived input.
    pub fn derived(self, index: usize) -> usize {
        8 * (3 + self.keys + index)
    }

    /// The lane of a node's result. A whole group's lanes can be read from its first on.
    pub fn node(self, index: usize) -> usize {
        8 * (3 + self.keys + self.derived + index)
    }

    /// Where a node's failing site is written: 32 bits, the site's index plus 1.
    pub fn error(self, index: usize) -> usize {
        self.node(self.nodes + GROUP) + 4 * index
    }

    pub(super) fn scratch(self, index: usize) -> usize {
        self.error(self.nodes.next_multiple_of(2)) + 8 * index
    }

    /// The whole buffer.
    pub fn len(self) -> usize {
        self.scratch(self.scratch)
    }

    /// Whether there is nothing in it; never so.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub(in crate::formula) fn reserve(&mut self, scratch: usize) {
        self.scratch = self.scratch.max(scratch);
    }
}
