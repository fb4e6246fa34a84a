//! How long a key has been silent, by ticks.

use crate::sample::SourceState;
use crate::tick::Tick;

/// When a key's newest sample came, and what makes it stale.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Silence {
    /// The index of its source, if it has one.
    pub(super) source: Option<usize>,
    /// After so many silent ticks it is stale.
    pub(super) stale_after: Option<u64>,
    pub(super) state: SourceState,
    /// The tick of its newest sample; below 0 where that is older than the run.
    pub(super) arrived: Option<i64>,
}

impl Silence {
    /// Ticks since its newest sample; `None` where there was none.
    pub(super) fn age(&self, tick: Tick) -> Option<u64> {
        let now = i64::try_from(tick.0).unwrap_or(i64::MAX);
        self.arrived.map(|arrived| u64::try_from(now.saturating_sub(arrived)).unwrap_or(0))
    }

    /// Whether what the key holds is old: its source does not deliver, or it has been silent for too long. A
    /// key that never had a sample is silent from the first tick on.
    pub(super) fn is_stale(&self, tick: Tick) -> bool {
        let is_silent = self.stale_after.is_some_and(|ticks| self.age(tick).unwrap_or(tick.0) > ticks);
        let is_down = match self.state {
            SourceState::Connecting | SourceState::Live => false,
            SourceState::Stale | SourceState::Retrying | SourceState::Stopped | SourceState::Failed => true,
        };
        is_silent || is_down
    }
}
