//! What scripts keep, on its way into the database: of each the newest alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::tick::Tick;

use super::Ledger;
use crate::expression::script::state::Plain;

/// What all scripts keep, by their files.
#[derive(Debug, Default)]
pub(super) struct Keeping(BTreeMap<Arc<str>, State>);

/// What one script keeps.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) plain: Arc<Plain>,
    pub(super) tick: Tick,
    pub(super) now_ms: i64,
    is_written: bool,
}

impl Keeping {
    /// Takes what is new in a ledger. Returns whether anything is.
    pub(super) fn take(&mut self, ledger: &Ledger) -> bool {
        let (tick, now_ms) = (ledger.tick, ledger.now_ms);
        for (file, plain) in ledger.kept.iter() {
            let state = State { plain: plain.clone(), tick, now_ms, is_written: false };
            self.0.insert(file.clone(), state);
        }
        !ledger.kept.is_empty()
    }

    /// What is not written yet.
    pub(super) fn unwritten(&self) -> Vec<(Arc<str>, State)> {
        let unwritten = self.0.iter().filter(|(_, state)| !state.is_written);
        unwritten.map(|(file, state)| (file.clone(), state.clone())).collect()
    }

    /// Whether all is written.
    pub(super) fn is_written(&self) -> bool {
        self.0.values().all(|state| state.is_written)
    }

    /// Notes that these were written, as far as nothing newer has come since.
    pub(super) fn note_written(&mut self, written: &[(Arc<str>, State)]) {
        for (file, state) in written {
            if let Some(known) = self.0.get_mut(file) {
                known.is_written |= known.tick == state.tick;
            }
        }
    }

    /// Has all of it written again: the file may be a new one.
    pub(super) fn begin_anew(&mut self) {
        self.0.values_mut().for_each(|state| state.is_written = false);
    }
}
