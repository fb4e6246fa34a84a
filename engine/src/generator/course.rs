//! The course of made-up data: which sample or fault comes next, and when. A course is a value: who keeps a
//! copy of it can go on from there, with nothing left out and nothing twice.

use core::time::Duration;

use super::fault::{Fault, FaultKind};

/// How far samples may fall behind and still be caught up with. After a longer pause the rest comes as much
/// later, since a burst of old samples helps nobody.
pub const CATCH_UP: Duration = Duration::from_secs(1);

/// Numbered samples, each due one period after the one before. None is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    every: Duration,
    next: u64,
    delay: Duration,
}

impl Steps {
    /// The samples that are due at n * `every`, from `now` on; the first ones too where they can be caught
    /// up with. An `every` of zero counts as a nanosecond.
    pub fn new(every: Duration, now: Duration) -> Steps {
        let every = every.max(Duration::from_nanos(1));
        let next = now.saturating_sub(CATCH_UP).as_nanos().div_ceil(every.as_nanos());
        Steps { every, next: u64::try_from(next).unwrap_or(u64::MAX), delay: Duration::ZERO }
    }

    /// The number and the time of the next sample, which is taken by this.
    pub fn next(&mut self, now: Duration) -> (u64, Duration) {
        let (n, at) = (self.next, self.delayed(self.due(), now));
        self.next = n.saturating_add(1);
        (n, at)
    }

    /// When the next sample is due, if there never was a pause.
    fn due(&self) -> Duration {
        from_nanos(self.every.as_nanos().saturating_mul(u128::from(self.next)))
    }

    /// When that comes which was `due`, after all pauses.
    fn delayed(&mut self, due: Duration, now: Duration) -> Duration {
        let behind = now.saturating_sub(due.saturating_add(self.delay));
        if behind > CATCH_UP {
            self.delay = self.delay.saturating_add(behind);
        }
        due.saturating_add(self.delay)
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The sample of this number.
    Sample(u64),
    /// A reading of a flood, with the value of the sample of this number.
    Flooded(u64),
    /// A fault before the sample of this number. Floods are steps of their own.
    Fault(u64, FaultKind),
}

/// Where made-up data with faults is.
///
/// ```
/// use core::time::Duration;
/// use engine::generator::{Course, Fault, FaultKind, Step, When};
///
/// let faults = [Fault { kind: FaultKind::Error, when: When::At(1) }];
/// let mut course = Course::new(Duration::from_secs(1), Duration::ZERO);
/// let steps: Vec<Step> = (0..3).map(|_| course.next(Duration::ZERO, &faults, 7, 0).1).collect();
/// assert_eq!(steps, [Step::Sample(0), Step::Fault(1, FaultKind::Error), Step::Sample(1)]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    steps: Steps,
    /// How many faults of the next sample are done with.
    struck: usize,
    flood: Option<Flood>,
}

/// The rest of a flood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Flood {
    since: Duration,
    rate: u32,
    sent: u64,
    readings: u64,
}

impl Flood {
    /// When its next reading is due, if there never was a pause; `None` at its end.
    fn due(&self) -> Option<Duration> {
        let after = u128::from(self.sent) * 1_000_000_000 / u128::from(self.rate.max(1));
        (self.sent < self.readings).then(|| self.since.saturating_add(from_nanos(after)))
    }
}

impl Course {
    /// The samples that are due at n * `every`; see [`Steps::new`].
    pub fn new(every: Duration, now: Duration) -> Course {
        Course { steps: Steps::new(every, now), struck: 0, flood: None }
    }

    /// What comes next and when, which is taken by this. Steps come in the order of their times; of those
    /// at one time the faults come first, in their order, then the sample, then a flood. A flood that
    /// begins while another runs takes its place.
    pub fn next(&mut self, now: Duration, faults: &[Fault], seed: u64, stream: u64) -> (Duration, Step) {
        let (n, due) = (self.steps.next, self.steps.due());
        for (index, fault) in faults.iter().enumerate().skip(self.struck) {
            let flooded = self.flooded(due, now);
            if let Some(at) = flooded {
                return (at, Step::Flooded(n));
            }
            if !fault.when.strikes(n, seed, fault_stream(stream, index)) {
                continue;
            }
            self.struck = index + 1;
            match fault.kind {
                FaultKind::Flood { rate, span } => {
                    let readings = (span.as_nanos() * u128::from(rate) / 1_000_000_000).max(1);
                    let readings = u64::try_from(readings).unwrap_or(u64::MAX);
                    self.flood = Some(Flood { since: due, rate, sent: 0, readings });
                }
                kind => return (self.steps.delayed(due, now), Step::Fault(n, kind)),
            }
        }
        if let Some(at) = self.flooded(due, now) {
            return (at, Step::Flooded(n));
        }
        self.struck = 0;
        let (n, at) = self.steps.next(now);
        (at, Step::Sample(n))
    }

    /// Takes the next reading of a flood, if it is due before the sample, which is due at `due`.
    fn flooded(&mut self, due: Duration, now: Duration) -> Option<Duration> {
        let flood = self.flood.as_mut()?;
        let Some(at) = flood.due() else {
            self.flood = None;
            return None;
        };
        (at < due).then(|| {
            flood.sent += 1;
            self.steps.delayed(at, now)
        })
    }
}

/// The stream of the fault at `index`, apart from those of all other sources and from the data's own.
pub(super) fn fault_stream(stream: u64, index: usize) -> u64 {
    stream ^ (index as u64 + 1) << 32
}

fn from_nanos(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
    Duration::new(seconds, (nanos % 1_000_000_000) as u32)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::generator::fault::When;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn steps_leave_none_out() {
        let check = |every_ms, start_ms, now_ms: &[u64], expected: &[(u64, u64)]| {
            let mut steps = Steps::new(MS(every_ms), MS(start_ms));
            let next = now_ms.iter().map(|now| steps.next(MS(*now)));
            let found: Vec<(u64, u64)> = next.map(|(n, at)| (n, at.as_millis() as u64)).collect();
            assert_eq!(found, expected, "every {every_ms} from {start_ms}");
        };
        check(100, 0, &[0, 0, 100], &[(0, 0), (1, 100), (2, 200)]);
        check(100, 150, &[150, 200], &[(0, 0), (1, 100)]);
        check(100, 3_650_000, &[3_650_000], &[(36_490, 3_649_000)]);
        // A second is caught up with; after a longer pause what follows stays as much later.
        check(100, 0, &[0, 1_100, 1_201], &[(0, 0), (1, 100), (2, 1_201)]);
        check(100, 0, &[0, 60_100, 60_100], &[(0, 0), (1, 60_100), (2, 60_200)]);
    }

    fn course(faults: &[Fault], count: usize) -> Vec<(u64, Step)> {
        let mut course = Course::new(MS(100), MS(0));
        let next = (0..count).map(|_| course.next(MS(0), faults, 7, 0));
        next.map(|(at, step)| (at.as_millis() as u64, step)).collect()
    }

    #[test]
    fn faults_come_before_their_samples_in_their_order() {
        let fault = |kind, when| Fault { kind, when };
        let faults = [
            fault(FaultKind::Garbage, When::Every(2)),
            fault(FaultKind::Panic, When::At(2)),
            fault(FaultKind::Error, When::At(0)),
        ];
        let expected = [
            (0, Step::Fault(0, FaultKind::Error)),
            (0, Step::Sample(0)),
            (100, Step::Sample(1)),
            (200, Step::Fault(2, FaultKind::Garbage)),
            (200, Step::Fault(2, FaultKind::Panic)),
            (200, Step::Sample(2)),
            (300, Step::Sample(3)),
        ];
        assert_eq!(course(&faults, 7), expected);
    }

    #[test]
    fn a_flood_comes_beside_the_samples() {
        let flood = |at, rate, span_ms| {
            let kind = FaultKind::Flood { rate, span: MS(span_ms) };
            Fault { kind, when: When::At(at) }
        };
        let expected = [
            (0, Step::Sample(0)),
            (100, Step::Sample(1)),
            (100, Step::Flooded(2)),
            (140, Step::Flooded(2)),
            (180, Step::Flooded(2)),
            (200, Step::Sample(2)),
            (220, Step::Flooded(3)),
            (300, Step::Sample(3)),
        ];
        assert_eq!(course(&[flood(1, 25, 160)], 8), expected);
        // However short, a flood is one reading.
        let expected = [(0, Step::Sample(0)), (0, Step::Flooded(1)), (100, Step::Sample(1))];
        assert_eq!(course(&[flood(0, 1, 0)], 3), expected);
        // The second takes the first one's place, and faults wait for what is due before them.
        let both = [flood(1, 1_000, 1_000), flood(2, 10, 100), flood(2, 20, 100)];
        let steps = course(&both, 110);
        let floods: Vec<u64> =
            steps.iter().filter(|(_, step)| matches!(step, Step::Flooded(_))).map(|(at, _)| *at).collect();
        assert_eq!(floods.len(), 102, "{floods:?}");
        assert_eq!(floods[99..], [199, 200, 250]);
    }

    fn any_fault() -> impl Strategy<Value = Fault> {
        let kind = prop_oneof![
            Just(FaultKind::Error),
            Just(FaultKind::Garbage),
            (1..500u32, 0..300u64).prop_map(|(rate, span)| FaultKind::Flood { rate, span: MS(span) }),
        ];
        let when = prop_oneof![
            (0..20u64).prop_map(When::At),
            (1..9u64).prop_map(When::Every),
            (0.0..1.0).prop_map(When::Chance),
        ];
        (kind, when).prop_map(|(kind, when)| Fault { kind, when })
    }

    proptest! {
        #[test]
        fn every_sample_comes_once_and_time_never_goes_back(
            faults in prop::collection::vec(any_fault(), 0..5),
            pauses in prop::collection::vec((0..200usize, 0..5_000u64), 0..5),
        ) {
            let mut course = Course::new(MS(100), MS(0));
            let (mut now, mut last, mut expected) = (MS(0), MS(0), 0);
            for index in 0..200 {
                now += pauses.iter().filter(|(at, _)| *at == index).map(|(_, ms)| MS(*ms)).sum::<Duration>();
                let (at, step) = course.next(now, &faults, 7, 0);
                prop_assert!(at >= last, "{at:?} after {last:?}");
                prop_assert!(at + CATCH_UP >= now);
                (last, now) = (at, now.max(at));
                match step {
                    Step::Sample(n) => {
                        prop_assert_eq!(n, expected);
                        expected += 1;
                    }
                    Step::Flooded(n) | Step::Fault(n, _) => prop_assert_eq!(n, expected),
                }
            }
        }
    }
}
