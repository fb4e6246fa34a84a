//! Sources: where data comes from. Each runs as an actor of its own and speaks to the ring through a
//! bounded port that outlives its restarts.

pub mod generator;
pub mod playback;
pub mod system;
pub mod time;

use std::time::Duration;

/// A source as configured.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name in the configuration: the first part of its keys.
    pub name: String,
    /// What it reads.
    pub kind: Kind,
    /// Silence longer than this makes it stale; `None` never does.
    pub stale_after: Option<Duration>,
    /// What happens when its port is full.
    pub policy: Policy,
}

/// The kinds of source.
#[derive(Clone, Debug)]
pub enum Kind {
    /// This machine's own metrics.
    System(system::Options),
    /// The wall clock.
    Time(time::Options),
    /// Made-up data.
    Generator(generator::Options),
    /// Recorded data.
    Playback(playback::Options),
}

/// What happens to a reading when the port is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The source waits; nothing is lost.
    Block,
    /// The oldest waiting reading makes room and is counted.
    DropOldest,
    /// The new reading is dropped and counted.
    DropNewest,
}
