//! The inputs: what is in their lanes, and who reads them.

use engine::formula::{Builtin, Dependents, Program};
use mlua::Buffer;

use super::lists::Lists;
use super::{lane, mark, ones, same};

/// So many lanes are written to the buffer together.
const BLOCK: usize = 64;

/// Built-in names, then keys, then what is derived from these, in the order of the buffer's lanes.
pub(super) struct Inputs {
    keys: usize,
    lanes: Vec<[u8; 8]>,
    /// A bit a block: what the buffer does not have yet.
    stale: Vec<u64>,
    readers: Lists<Dependents>,
}

impl Inputs {
    /// Nothing has a value.
    pub(super) fn new(program: &Program) -> Inputs {
        let builtins = (0..Builtin::ALL.len()).map(|index| program.dependents_of_builtin(index));
        let keys = (0..program.key_count()).map(|index| program.dependents_of_key(index));
        let derived = (0..program.derived().len()).map(|index| program.dependents_of_derived(index));
        let readers: Lists<Dependents> = builtins.chain(keys).chain(derived).collect();
        let lanes = vec![f64::NAN.to_le_bytes(); readers.len()];
        let stale = vec![0; lanes.len().div_ceil(64 * BLOCK)];
        Inputs { keys: program.key_count(), lanes, stale, readers }
    }

    /// What is in the lanes.
    pub(super) fn memory(&self) -> Vec<[u8; 8]> {
        self.lanes.clone()
    }

    /// Goes back to what was in the lanes.
    pub(super) fn restore(&mut self, lanes: &[[u8; 8]]) {
        self.lanes = lanes.into();
        self.stale.fill(u64::MAX);
    }

    /// The lanes of the keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = f64> + '_ {
        self.lanes.iter().skip(Builtin::ALL.len()).take(self.keys).map(|bytes| lane(bytes))
    }

    /// Whether anything reads the built-in name of this index.
    pub(super) fn is_read(&self, builtin: usize) -> bool {
        !self.readers.of(builtin).is_empty()
    }

    pub(super) fn set_builtin(&mut self, index: usize, new: f64, dirty: &mut [u32]) {
        self.set(index, new, dirty);
    }

    /// Returns whether it is another value than before.
    #[inline]
    pub(super) fn set_key(&mut self, index: usize, new: f64, dirty: &mut [u32]) -> bool {
        self.set(Builtin::ALL.len() + index, new, dirty)
    }

    pub(super) fn set_derived(&mut self, index: usize, new: f64, dirty: &mut [u32]) {
        self.set(Builtin::ALL.len() + self.keys + index, new, dirty);
    }

    #[inline]
    fn set(&mut self, index: usize, new: f64, dirty: &mut [u32]) -> bool {
        let Some(old) = self.lanes.get_mut(index).filter(|old| !same(f64::from_le_bytes(**old), new)) else {
            return false;
        };
        *old = new.to_le_bytes();
        self.stale[index / BLOCK / 64] |= 1 << (index / BLOCK % 64);
        mark(dirty, self.readers.of(index));
        true
    }

    /// Writes what is new to the buffer.
    pub(super) fn flush(&mut self, buffer: &Buffer) {
        for (word, stale) in self.stale.iter_mut().enumerate() {
            for bit in ones(std::mem::take(stale)) {
                let first = BLOCK * (64 * word + bit);
                let end = self.lanes.len().min(first + BLOCK);
                if let Some(lanes) = self.lanes.get(first..end) {
                    buffer.write_bytes(8 * first, lanes.as_flattened());
                }
            }
        }
    }
}
