//! When a periodic source is due: absolute deadlines, so that it never drifts.

use std::time::Duration;

/// How far a schedule may fall behind and still catch up. After a longer pause (the machine slept) what
/// was missed is left out, since a burst of old deadlines helps nobody.
const CATCH_UP: Duration = Duration::from_secs(1);

/// The deadlines n * `every`.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    every: Duration,
    next: u128,
}

impl Schedule {
    /// The deadlines from `now` on. An `every` of zero counts as a nanosecond.
    pub(crate) fn new(every: Duration, now: Duration) -> Schedule {
        let every = every.max(Duration::from_nanos(1));
        Schedule { every, next: now.as_nanos().div_ceil(every.as_nanos()) }
    }

    /// The number and the time of the next deadline; each call moves on by at least one.
    pub(crate) fn next(&mut self, now: Duration) -> (u64, Duration) {
        let every = self.every.as_nanos();
        let oldest = now.saturating_sub(CATCH_UP).as_nanos();
        if self.next.saturating_mul(every) < oldest {
            self.next = now.as_nanos().div_ceil(every);
        }
        let n = self.next;
        self.next += 1;
        (u64::try_from(n).unwrap_or(u64::MAX), from_nanos(n.saturating_mul(every)))
    }
}

fn from_nanos(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, (nanos % 1_000_000_000) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines() {
        let check = |every_ms, start_ms, now_ms: &[u64], expected: &[(u64, u64)]| {
            let ms = Duration::from_millis;
            let mut schedule = Schedule::new(ms(every_ms), ms(start_ms));
            let found: Vec<(u64, u64)> = now_ms
                .iter()
                .map(|now| schedule.next(ms(*now)))
                .map(|(n, at)| (n, at.as_millis() as u64))
                .collect();
            assert_eq!(found, expected, "every {every_ms} from {start_ms}");
        };
        check(100, 0, &[0, 0, 100], &[(0, 0), (1, 100), (2, 200)]);
        // Started between two deadlines, and exactly on one.
        check(100, 150, &[150, 200], &[(2, 200), (3, 300)]);
        check(100, 200, &[200], &[(2, 200)]);
        // A short delay is caught up with, a long one is not.
        check(100, 0, &[0, 950, 950], &[(0, 0), (1, 100), (2, 200)]);
        check(100, 0, &[0, 60_050, 60_050], &[(0, 0), (601, 60_100), (602, 60_200)]);
    }
}
