//! How long a restart waits, and when failures are forgotten.

use core::time::Duration;

use crate::hash;

/// Exponential back-off with full jitter: before attempt `n` a child waits a random time between 0 and
/// `base * 2^n`, at most `cap`. After `healthy` without a failure the count begins anew.
///
/// Source: Marc Brooker, "Exponential Backoff And Jitter" (2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait before the first restart.
    pub base: Duration,
    /// The longest wait before any restart.
    pub cap: Duration,
    /// How long a child has to run for its failures to be forgotten.
    pub healthy: Duration,
}

impl Default for Backoff {
    /// 100 ms, 30 s, 10 s.
    fn default() -> Backoff {
        Backoff {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(30),
            healthy: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// The longest wait before the restart that follows `failures` earlier ones in a row.
    pub fn longest(&self, failures: u32) -> Duration {
        self.base.saturating_mul(1 << failures.min(31)).min(self.cap)
    }
}

/// The failures of one child. Time is an argument: since any fixed moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    backoff: Backoff,
    seed: u64,
    child: u64,
    in_a_row: u32,
    total: u64,
    started: Duration,
    failing_since: Option<Duration>,
}

impl Restarts {
    /// No failures yet. `seed` and `child` decide on the jitter alone.
    pub fn new(backoff: Backoff, seed: u64, child: u64) -> Restarts {
        let started = Duration::ZERO;
        Restarts { backoff, seed, child, in_a_row: 0, total: 0, started, failing_since: None }
    }

    /// The child was started.
    pub fn started(&mut self, now: Duration) {
        self.started = now;
    }

    /// The child failed: returns when it is to be started anew.
    pub fn failed(&mut self, now: Duration) -> Duration {
        self.failed_after(now, now)
    }

    /// The child failed, and was last known to be well at `well`: returns when it is to be started anew.
    pub fn failed_after(&mut self, now: Duration, well: Duration) -> Duration {
        self.forget_if_healthy(well);
        let longest = self.backoff.longest(self.in_a_row);
        let jitter = hash::unit(self.seed, self.child, self.total);
        self.failing_since = self.failing_since.or(Some(now));
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.total += 1;
        now.saturating_add(longest.mul_f64(jitter))
    }

    /// When the failures will be forgotten if it runs on; none where there is nothing to forget.
    pub fn healthy_at(&self) -> Option<Duration> {
        self.failing_since.map(|_| self.started.saturating_add(self.backoff.healthy))
    }

    /// Forgets the failures if the child, which was last known to be well at `well`, has been so for long.
    pub fn forget_if_healthy(&mut self, well: Duration) {
        if self.healthy_at().is_some_and(|at| well >= at) {
            self.failing_since = None;
            self.in_a_row = 0;
        }
    }

    /// The next wait is as long as the first. What [`Restarts::failing_since`] says stays.
    pub fn begin_anew(&mut self) {
        self.in_a_row = 0;
    }

    /// How often it failed so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How often it failed without a healthy spell in between.
    pub fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// When the first failure was that is not forgotten.
    pub fn failing_since(&self) -> Option<Duration> {
        self.failing_since
    }

    /// Whether its failures in a row have brought the wait to the cap.
    pub fn is_degraded(&self) -> bool {
        self.in_a_row > 0 && self.backoff.longest(self.in_a_row - 1) >= self.backoff.cap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_begin_anew_after_a_healthy_spell() {
        let mut restarts = Restarts::new(Backoff::default(), 7, 0);
        let mut now = Duration::ZERO;
        for failure in 0..40 {
            let longest = Duration::from_millis(100 << failure.min(9)).min(Duration::from_secs(30));
            restarts.started(now);
            let next = restarts.failed(now);
            assert!(next - now <= longest, "failure {failure}: {:?}", next - now);
            assert_eq!(restarts.is_degraded(), failure >= 9, "failure {failure}");
            now = next;
        }
        restarts.started(now);
        now += Duration::from_secs(10);
        assert!(restarts.failed(now) - now <= Duration::from_millis(100));
        assert_eq!((restarts.total(), restarts.in_a_row(), restarts.is_degraded()), (41, 1, false));
        assert_eq!(restarts.failing_since(), Some(now));
    }

    #[test]
    fn jitter_spreads_and_repeats() {
        let wait = |seed, child| Restarts::new(Backoff::default(), seed, child).failed(Duration::ZERO);
        assert_eq!(wait(7, 1), wait(7, 1));
        assert!(wait(7, 1) != wait(7, 2) && wait(7, 1) != wait(8, 1));
        let total: Duration = (0..1_000).map(|child| wait(7, child)).sum();
        let mean_ms = total.as_millis() / 1_000;
        assert!((45..=55).contains(&mean_ms), "the mean of 0..100 ms is about 50: {mean_ms}");
    }

    #[test]
    fn the_longest_times_overflow_nothing() {
        let (max, zero) = (Duration::MAX, Duration::ZERO);
        for backoff in
            [Backoff { base: max, cap: max, healthy: max }, Backoff { base: zero, cap: zero, healthy: zero }]
        {
            let mut restarts = Restarts::new(backoff, 7, 0);
            for now in [zero, max, max] {
                restarts.started(now);
                assert!(restarts.failed(now) >= now);
                assert!(restarts.is_degraded());
            }
        }
    }
}
