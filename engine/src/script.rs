//! What is sealed of users' scripts, which run outside of the engine: new texts of them, and those of their
//! calls that a clock has ended, since no two runs have the same clock.

use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

/// A script's text, which takes the place of the one before. Written as `[file, text]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Arc<str>, Arc<str>)", into = "(Arc<str>, Arc<str>)")]
pub struct Script {
    /// The script's file, as the configuration names it.
    pub file: Arc<str>,
    /// What is in it.
    pub text: Arc<str>,
}

/// A call that the clock ended. Written as `["function", call, line]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Caller, u32, u32)", into = "(Caller, u32, u32)")]
pub struct Ended {
    /// Who called.
    pub caller: Caller,
    /// Which call: that of a function by its place among all calls in the formulas, that of a handler by its
    /// place among all calls of the tick.
    pub call: u32,
    /// The line of the script that ran then.
    pub line: u32,
}

/// Who calls scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// A formula calls a function. There is at most one call from each place in a tick.
    Function,
    /// The runtime calls a handler.
    Handler,
}

impl From<(Arc<str>, Arc<str>)> for Script {
    fn from((file, text): (Arc<str>, Arc<str>)) -> Script {
        Script { file, text }
    }
}

impl From<Script> for (Arc<str>, Arc<str>) {
    fn from(Script { file, text }: Script) -> (Arc<str>, Arc<str>) {
        (file, text)
    }
}

impl From<(Caller, u32, u32)> for Ended {
    fn from((caller, call, line): (Caller, u32, u32)) -> Ended {
        Ended { caller, call, line }
    }
}

impl From<Ended> for (Caller, u32, u32) {
    fn from(Ended { caller, call, line }: Ended) -> (Caller, u32, u32) {
        (caller, call, line)
    }
}
