//! How long a key has been silent, by ticks.

use crate::sample::SourceState;
use crate::tick::Tick;

/// What makes a key stale.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    /// The index of the key.
    pub(super) key: usize,
    /// The index of its source, if it has one.
    pub(super) source: Option<usize>,
    /// After so many silent ticks it is stale.
    pub(super) stale_after: Option<u64>,
    pub(super) state: SourceState,
    /// The lane that says whether it is stale, if that is asked.
    pub(super) lane: Option<u32>,
}

/// Ticks since the newest sample, which came at the tick `arrived`; `None` where there was none.
pub(super) fn age(arrived: Option<i64>, tick: Tick) -> Option<u64> {
    let now = i64::try_from(tick.0).unwrap_or(i64::MAX);
    arrived.map(|arrived| u64::try_from(now.saturating_sub(arrived)).unwrap_or(0))
}

impl Silence {
    /// Whether what the key holds is old: its source does not deliver, or it has been silent for too long. A
    /// key that never had a sample is silent from the first tick on.
    pub(super) fn is_stale(&self, arrived: Option<i64>, tick: Tick) -> bool {
        let is_silent = self.stale_after.is_some_and(|ticks| age(arrived, tick).unwrap_or(tick.0) > ticks);
        let is_down = match self.state {
            SourceState::Connecting | SourceState::Live => false,
            SourceState::Stale | SourceState::Retrying | SourceState::Stopped | SourceState::Failed => true,
        };
        is_silent || is_down
    }

    /// The tick from which on it has been silent for too long.
    pub(super) fn ends(&self, arrived: Option<i64>) -> Option<u64> {
        let after = i64::try_from(self.stale_after?.saturating_add(1)).unwrap_or(i64::MAX);
        Some(u64::try_from(arrived.unwrap_or(0).saturating_add(after)).unwrap_or(0))
    }
}
