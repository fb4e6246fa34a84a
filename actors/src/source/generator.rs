//! Made-up data: waves, steps and random walks, seeded, for demonstrations and tests.

use std::time::Duration;

/// What is made up.
#[derive(Clone, Debug)]
pub struct Options {
    /// The form of the data.
    pub shape: Shape,
    /// The lowest value.
    pub min: f64,
    /// The highest value.
    pub max: f64,
    /// The length of one wave; for `Step` the time a step is held, for `Walk` unused.
    pub period: Duration,
    /// The time between two samples.
    pub every: Duration,
}

/// The forms of made-up data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A sine wave.
    Sine,
    /// The maximum in the first half of the period, the minimum in the second.
    Square,
    /// From the minimum up to the maximum, then at once down.
    Saw,
    /// Up, then down, steadily.
    Triangle,
    /// A new random value each period.
    Step,
    /// A random walk that stays within its limits.
    Walk,
}
