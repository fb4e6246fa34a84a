//! Persistence: one writer with a connection and a thread of its own. The core hands it what each tick
//! decided through a bounded mailbox and never waits for it.

use std::sync::Arc;

use engine::event::Event;
use engine::formula::FormulaId;
use engine::sample::{KeyId, Sample};
use engine::tick::Tick;
use engine::value::Value;

/// What one tick has for the database. All of it is written in one transaction or not at all.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The tick.
    pub tick: Tick,
    /// The engine's time at the tick: Unix time in milliseconds.
    pub now_ms: i64,
    /// Keys that were interned at this tick, with their full names; the declared ones come with tick 0.
    pub new_keys: Arc<[(KeyId, Arc<str>)]>,
    /// The sealed samples.
    pub samples: Arc<[Sample]>,
    /// Formulas whose result changed; the writer keeps those that have a label.
    pub changed: Arc<[(FormulaId, Option<Value>)]>,
    /// What was decided.
    pub events: Arc<[Event]>,
}

/// What the writer is told.
#[derive(Debug)]
pub enum Entry {
    /// Keep this; written with the next flush.
    Keep(Ledger),
    /// The last message: write everything, close the database, then answer.
    Drain(flume::Sender<()>),
}
