//! How often scripts broke limits, whether formulas called them or the runtime did. Both go by it, each in its
//! place in the chain of a tick, so that they see the same in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A script that broke so many limits is not called any more.
pub const OFFENCES_MAX: u32 = 3;

/// Who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Formulas, for a function.
    Functions,
    /// The runtime, for a handler.
    Handlers,
}

/// By script, how many limits it broke. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Offences(Arc<[[AtomicU32; 2]]>);

impl Offences {
    /// None so far, of so many scripts.
    ///
    /// ```
    /// use actors::expression::script::Offences;
    /// assert_eq!(Offences::new(3).disabled(), 0);
    /// ```
    pub fn new(scripts: usize) -> Offences {
        Offences((0..scripts).map(|_| Default::default()).collect())
    }

    /// How many scripts are not called any more.
    pub fn disabled(&self) -> usize {
        (0..self.0.len()).filter(|script| self.is_off(*script)).count()
    }

    /// Whether a script is not called any more.
    pub(super) fn is_off(&self, script: usize) -> bool {
        self.of(script) >= OFFENCES_MAX
    }

    /// Counts one more, and returns whether that is the one too many.
    pub(super) fn add(&self, script: usize, by: By) -> bool {
        let Some(counts) = self.0.get(script) else { return false };
        counts[by as usize].fetch_add(1, Ordering::Relaxed);
        self.of(script) == OFFENCES_MAX
    }

    /// Begins anew with a script whose text is another one, on one side.
    pub(super) fn forget(&self, script: usize, by: By) {
        self.0.get(script).into_iter().for_each(|counts| counts[by as usize].store(0, Ordering::Relaxed));
    }

    /// By script: what is to be known of one side.
    pub(super) fn all(&self, by: By) -> Vec<u32> {
        self.0.iter().map(|counts| counts[by as usize].load(Ordering::Relaxed)).collect()
    }

    /// Goes back to what was known of one side.
    pub(super) fn restore(&self, by: By, all: &[u32]) {
        for (counts, known) in self.0.iter().zip(all) {
            counts[by as usize].store(*known, Ordering::Relaxed);
        }
    }

    fn of(&self, script: usize) -> u32 {
        let counts = self.0.get(script);
        counts.map_or(0, |counts| counts.iter().map(|count| count.load(Ordering::Relaxed)).sum())
    }
}
