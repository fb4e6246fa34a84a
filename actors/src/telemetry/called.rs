//! What scripts' functions came to, as it was last looked at: for whoever wants to draw what they read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::expression::script::calls::Called;

/// The calls of scripts' functions, by function. Clones are the same.
#[derive(Clone, Default)]
pub struct LastCalls(Arc<Mutex<BTreeMap<usize, Called>>>);

impl LastCalls {
    /// Shows what they came to now.
    pub fn show(&self, calls: BTreeMap<usize, Called>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = calls;
    }

    /// What they came to; nothing of functions that were not called yet.
    pub fn read(&self) -> BTreeMap<usize, Called> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
