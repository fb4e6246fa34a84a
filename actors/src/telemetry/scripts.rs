//! What is counted of scripts that change while they are used.

use super::number::Counter;
use super::table;

/// The handles of scripts that change.
#[derive(Clone)]
#[allow(missing_docs, reason = "both are explained in the table, under one name")]
pub struct Scripts {
    pub reloaded: Counter,
    pub refused: Counter,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        Scripts {
            reloaded: table::SCRIPT_RELOADS.counter(&["reloaded"]),
            refused: table::SCRIPT_RELOADS.counter(&["refused"]),
        }
    }
}
