//! Ticks: the only time that the engine knows.

use core::fmt;
use core::num::NonZeroU32;
use core::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// The number of a frame. The first tick is 0; [`Fps`] ticks make a second.
///
/// ```
/// use engine::tick::Tick;
/// assert_eq!(Tick(40) + 2, Tick(42));
/// assert_eq!(Tick(42) - Tick(40), 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tick(pub u64);

impl Tick {
    /// The ticks since `earlier`, 0 if `earlier` is later.
    pub fn since(self, earlier: Tick) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The next tick.
    pub fn next(self) -> Tick {
        self + 1
    }
}

impl Add<u64> for Tick {
    type Output = Tick;
    fn add(self, ticks: u64) -> Tick {
        Tick(self.0.saturating_add(ticks))
    }
}

impl Sub for Tick {
    type Output = u64;
    fn sub(self, other: Tick) -> u64 {
        self.since(other)
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Ticks a second, 1 to [`Fps::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fps(NonZeroU32);

impl Fps {
    /// The highest rate that a configuration may ask for.
    pub const MAX: u32 = 1_000;

    /// `None` unless `per_second` is in 1..=[`Fps::MAX`].
    pub fn new(per_second: u32) -> Option<Fps> {
        NonZeroU32::new(per_second).filter(|n| n.get() <= Fps::MAX).map(Fps)
    }

    /// Ticks a second.
    pub fn per_second(self) -> u32 {
        self.0.get()
    }

    /// The time from tick 0 to `tick`, in nanoseconds, rounded down. Computed from the tick alone,
    /// so that it never drifts.
    ///
    /// ```
    /// use engine::tick::{Fps, Tick};
    /// assert_eq!(Fps::default().nanos_at(Tick(3)), 50_000_000);
    /// ```
    pub fn nanos_at(self, tick: Tick) -> u64 {
        let per_second = u128::from(self.per_second());
        u64::try_from(u128::from(tick.0) * 1_000_000_000 / per_second).unwrap_or(u64::MAX)
    }

    /// The time from tick 0 to `tick`, in milliseconds, rounded down.
    pub fn millis_at(self, tick: Tick) -> u64 {
        self.nanos_at(tick) / 1_000_000
    }

    /// The ticks in `millis` milliseconds: at least 1, or 0 for 0 (SPEC 23: `max(1, floor(s * fps))`).
    ///
    /// ```
    /// use engine::tick::Fps;
    /// assert_eq!(Fps::default().ticks_in(500), 30);
    /// assert_eq!(Fps::default().ticks_in(1), 1);
    /// assert_eq!(Fps::default().ticks_in(0), 0);
    /// ```
    pub fn ticks_in(self, millis: u64) -> u64 {
        if millis == 0 {
            return 0;
        }
        (millis.saturating_mul(u64::from(self.per_second())) / 1_000).max(1)
    }
}

impl Default for Fps {
    /// 60 ticks a second.
    fn default() -> Fps {
        Fps(NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN))
    }
}
