//! Coordination: triggers on formulas, and what they set off.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::animation::AnimationId;
use crate::formula::FormulaId;

/// A condition and what is done when it begins to hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// The name in the configuration.
    pub name: String,
    /// Holds where its value is true or a number other than 0.
    pub when: FormulaId,
    /// Ticks after a firing in which it does not fire again.
    pub cooldown: u64,
    /// Done in order when it fires.
    pub actions: Vec<Action>,
}

/// Something that a trigger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Starts an animation at this tick, anew if it runs.
    Start(AnimationId),
    /// Stops an animation: its widget returns to rest.
    Stop(AnimationId),
}
