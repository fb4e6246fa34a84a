//! Samples and readings: data on its way from a source into the ring.

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// Names a source: its index in the configuration's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId(pub u16);

/// Names a key (`source.key`): its index in the ring's table of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId(pub u32);

/// What a source read at one moment. All its values are sealed in one tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Which source it comes from.
    pub source: SourceId,
    /// The sequence number of the first value; the others follow it one by one. Counted per source,
    /// from 0, without gaps.
    pub sequence: u64,
    /// Unix time in milliseconds, or `None` to take the engine's time at the seal.
    pub timestamp_ms: Option<i64>,
    /// Key (without the source's name) and value.
    pub values: Vec<(Arc<str>, Value)>,
}

impl Reading {
    /// The bytes that it takes, names and texts included.
    pub fn bytes(&self) -> usize {
        let value = |(key, value): &(Arc<str>, Value)| {
            let text = if let Value::Text(text) = value { text.len() } else { 0 };
            size_of::<(Arc<str>, Value)>() + key.len() + text
        };
        size_of::<Reading>() + self.values.iter().map(value).sum::<usize>()
    }
}

/// One value of one key, as the ring keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Which source it comes from.
    pub source: SourceId,
    /// Which key it is of.
    pub key: KeyId,
    /// What was read.
    pub value: Value,
    /// Unix time in milliseconds.
    pub timestamp_ms: i64,
    /// The source's own sequence number.
    pub sequence: u64,
}

/// How a source is doing, as widgets, the page and the metrics show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SourceState {
    /// Started, nothing read yet.
    #[default]
    Connecting,
    /// Samples arrive.
    Live,
    /// Nothing has arrived for longer than the source's `stale_after`.
    Stale,
    /// It failed and will be started anew.
    Retrying,
    /// It ended for good, by intention.
    Stopped,
    /// It cannot work: its configuration is at fault, or it was given up.
    Failed,
}

impl SourceState {
    /// Every state, in the order of their severity.
    pub const ALL: [SourceState; 6] = [
        SourceState::Connecting,
        SourceState::Live,
        SourceState::Stale,
        SourceState::Retrying,
        SourceState::Stopped,
        SourceState::Failed,
    ];

    /// The word for it in pages, metrics and messages.
    pub fn name(self) -> &'static str {
        match self {
            SourceState::Connecting => "connecting",
            SourceState::Live => "live",
            SourceState::Stale => "stale",
            SourceState::Retrying => "retrying",
            SourceState::Stopped => "stopped",
            SourceState::Failed => "failed",
        }
    }
}
