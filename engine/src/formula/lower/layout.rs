//! Where inputs and results are.

use super::GROUP;

/// How many bytes a report has.
pub const REPORT: usize = 12;

/// Where things are in the buffer, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    keys: usize,
    derived: usize,
    nodes: usize,
    groups: usize,
    table: usize,
    scratch: usize,
}

impl Layout {
    pub(in crate::formula) fn new((keys, derived): (usize, usize), nodes: usize, groups: usize) -> Layout {
        Layout { keys, derived, nodes, groups, table: 0, scratch: 0 }
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

    /// Where the mask of a group's nodes that have to be computed is: 32 bits.
    pub fn dirty(self, group: usize) -> usize {
        self.error(self.nodes) + 4 * group
    }

    /// Where [the driver](super::driver) reports on the group that it ran at this place, from 0: three times
    /// 32 bits, the index of the group, the mask of what failed, and that of what was computed.
    pub fn report(self, index: usize) -> usize {
        self.dirty(self.groups) + REPORT * index
    }

    /// Where [the table of operands](crate::formula::Program::table) is.
    pub fn table(self) -> usize {
        self.report(self.groups).next_multiple_of(8)
    }

    pub(super) fn scratch(self, index: usize) -> usize {
        self.table() + self.table + 8 * index
    }

    /// The whole buffer.
    pub fn len(self) -> usize {
        self.scratch(self.scratch)
    }

    /// Whether there is nothing in it; never so.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Makes room for a table of so many bytes.
    pub(in crate::formula) fn hold(&mut self, table: usize) {
        self.table = table.next_multiple_of(8);
    }

    pub(in crate::formula) fn reserve(&mut self, scratch: usize) {
        self.scratch = self.scratch.max(scratch);
    }
}
