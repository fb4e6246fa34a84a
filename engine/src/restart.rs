//! Restarts: how long a failed child waits until it is started anew.

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

/// The failures of one child. Time is an argument: since any fixed moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    backoff: Backoff,
    seed: u64,
    child: u64,
    attempt: u32,
    total: u64,
    started: Duration,
}

impl Restarts {
    /// No failures yet. `seed` and `child` decide on the jitter alone.
    pub fn new(backoff: Backoff, seed: u64, child: u64) -> Restarts {
        Restarts { backoff, seed, child, attempt: 0, total: 0, started: Duration::ZERO }
    }

    /// The child was started.
    pub fn started(&mut self, now: Duration) {
        self.started = now;
    }

    /// The child failed: returns when it is to be started anew.
    pub fn failed(&mut self, now: Duration) -> Duration {
        if now.saturating_sub(self.started) >= self.backoff.healthy {
            self.attempt = 0;
        }
        let longest = self.backoff.base.saturating_mul(1 << self.attempt.min(20)).min(self.backoff.cap);
        let jitter = hash::unit(self.seed, self.child, self.total);
        self.attempt += 1;
        self.total += 1;
        now + longest.mul_f64(jitter)
    }

    /// How often it failed so far.
    pub fn total(&self) -> u64 {
        self.total
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
            now = next;
        }
        restarts.started(now);
        now += Duration::from_secs(10);
        assert!(restarts.failed(now) - now <= Duration::from_millis(100));
        assert_eq!(restarts.total(), 41);
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
}
