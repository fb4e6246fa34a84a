//! Made-up data: waves, steps and random walks. Every value is a pure function of the seed and the number
//! of the sample, so that a run can be repeated, entered in the middle, or looked back into.

mod course;
mod fault;

use core::f64::consts::{SQRT_2, TAU};
use core::time::Duration;

use crate::hash;
pub use course::{CATCH_UP, Course, Step, Steps};
pub use fault::{Fault, FaultKind, Garbage, When};

/// The forms of made-up data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A sine wave that begins in the middle and goes up.
    Sine,
    /// The maximum in the first half of the period, the minimum in the second.
    Square,
    /// From the minimum up to the maximum, then at once down.
    Saw,
    /// Up, then down, steadily.
    Triangle,
    /// A new random value each period.
    Step,
    /// A random walk that turns back at its limits.
    Walk,
}

/// A sequence of made-up samples.
///
/// ```
/// use core::time::Duration;
/// use engine::generator::{Generator, Shape};
///
/// let second = Duration::from_secs(1);
/// let wave = Generator { shape: Shape::Triangle, min: 0.0, max: 10.0, period: second * 4, every: second };
/// let values: Vec<f64> = (0..5).map(|n| wave.value(n, 7, 0)).collect();
/// assert_eq!(values, [0.0, 5.0, 10.0, 5.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    /// The form of the data.
    pub shape: Shape,
    /// The lowest value.
    pub min: f64,
    /// The highest value.
    pub max: f64,
    /// The length of one wave; for `Step` the time a step is held, for `Walk` unused. Above 0.
    pub period: Duration,
    /// The time between two samples. Above 0.
    pub every: Duration,
}

impl Generator {
    /// Sample `n`, which is due at `n * every`; always within the limits. `seed` and `stream` (see
    /// [`hash::unit`]) matter to the random shapes alone.
    pub fn value(&self, n: u64, seed: u64, stream: u64) -> f64 {
        let (cycle, phase) = self.phase(n);
        let unit = match self.shape {
            Shape::Sine => 0.5 + 0.5 * libm::sin(TAU * phase),
            Shape::Square => f64::from(u8::from(phase < 0.5)),
            Shape::Saw => phase,
            Shape::Triangle => 1.0 - (2.0 * phase - 1.0).abs(),
            Shape::Step => hash::unit(seed, stream, cycle),
            Shape::Walk => walk(n, seed, stream),
        };
        between(self.min, self.max, unit)
    }

    /// Which period sample `n` is in and how far, in [0, 1). In whole nanoseconds, so that it never drifts.
    fn phase(&self, n: u64) -> (u64, f64) {
        let at = self.every.as_nanos().saturating_mul(u128::from(n));
        let period = self.period.as_nanos().max(1);
        ((at / period) as u64, (at % period) as f64 / period as f64)
    }
}

/// The number that is `unit` (in [0, 1]) of the way from `min` to `max`: never beyond them, and finite
/// where both are.
pub fn between(min: f64, max: f64, unit: f64) -> f64 {
    // Not min + (max - min) * unit, whose difference may overflow.
    let value = min * (1.0 - unit) + max * unit;
    libm::fmax(min, libm::fmin(max, value))
}

/// The longest swing of a [`walk`], as a power of two samples.
const OCTAVES: u32 = 10;

/// How far a [`walk`] would swing beyond its limits if it did not turn back there.
const GAIN: f64 = 2.4;

/// Step `n` of a random walk in [0, 1], at a constant cost for any `n`: fractional Brownian noise, the sum
/// of interpolated random lattices each twice as long and √2 times as high as the one before, reflected
/// at the limits. Neighbours differ by less than 0.15.
///
/// Source: B. Mandelbrot, J. Van Ness, "Fractional Brownian Motions, Fractional Noises and Applications",
/// SIAM Review 10 (1968); summed in octaves as in K. Perlin, "An Image Synthesizer" (1985).
pub fn walk(n: u64, seed: u64, stream: u64) -> f64 {
    let (mut sum, mut total, mut height) = (0.0, 0.0, 1.0);
    for octave in 0..OCTAVES {
        sum += height * lattice(n, octave, seed, stream);
        total += height;
        height *= SQRT_2;
    }
    reflect(0.5 + (sum / total - 0.5) * GAIN)
}

/// Random numbers at every 2^`octave`-th place, joined by straight lines.
fn lattice(n: u64, octave: u32, seed: u64, stream: u64) -> f64 {
    let stream = stream ^ u64::from(octave + 1) << 56;
    let cell = n >> octave;
    let phase = (n - (cell << octave)) as f64 / (1u64 << octave) as f64;
    let from = hash::unit(seed, stream, cell);
    let to = hash::unit(seed, stream, cell.wrapping_add(1));
    from + (to - from) * phase
}

/// Folds a number of [-1, 2] into [0, 1] as a mirror at each end would.
fn reflect(x: f64) -> f64 {
    1.0 - (1.0 - x.abs()).abs()
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn values(shape: Shape, count: u64) -> Vec<f64> {
        let generator = Generator { shape, min: -10.0, max: 10.0, period: SECOND * 4, every: SECOND };
        (0..count).map(|n| libm::round(generator.value(n, 7, 3) * 1e3) / 1e3).collect()
    }

    #[test]
    fn shapes_have_their_form() {
        let check = |shape, expected: [f64; 6]| assert_eq!(values(shape, 6), expected, "{shape:?}");
        check(Shape::Sine, [0.0, 10.0, 0.0, -10.0, 0.0, 10.0]);
        check(Shape::Square, [10.0, 10.0, -10.0, -10.0, 10.0, 10.0]);
        check(Shape::Saw, [-10.0, -5.0, 0.0, 5.0, -10.0, -5.0]);
        check(Shape::Triangle, [-10.0, 0.0, 10.0, 0.0, -10.0, 0.0]);
    }

    #[test]
    fn a_step_is_held_for_its_period() {
        let steps = values(Shape::Step, 12);
        for held in steps.chunks(4) {
            assert!(held.iter().all(|value| *value == held[0]), "{steps:?}");
        }
        assert!(steps[0] != steps[4] && steps[4] != steps[8], "{steps:?}");
    }

    #[test]
    fn a_walk_wanders_over_its_range_in_small_steps() {
        for seed in 0..20 {
            let walked: Vec<f64> = (0..4_000).map(|n| walk(n, seed, 0)).collect();
            let low = walked.iter().copied().fold(1.0, f64::min);
            let high = walked.iter().copied().fold(0.0, f64::max);
            assert!(low < 0.25 && high > 0.75, "seed {seed}: {low}..{high}");
            let longest = walked.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
            assert!(longest < 0.15, "seed {seed}: {longest}");
        }
    }

    #[test]
    fn seeds_and_streams_are_independent() {
        assert_ne!(walk(100, 1, 0), walk(100, 2, 0));
        assert_ne!(walk(100, 1, 0), walk(100, 1, 1));
        assert_eq!(walk(100, 1, 1), walk(100, 1, 1));
    }

    fn any_shape() -> impl Strategy<Value = Shape> {
        let shapes =
            [Shape::Sine, Shape::Square, Shape::Saw, Shape::Triangle, Shape::Step, Shape::Walk].to_vec();
        proptest::sample::select(shapes)
    }

    proptest! {
        #[test]
        fn values_stay_within_their_limits(
            shape in any_shape(),
            ends in (-f64::MAX..f64::MAX, -f64::MAX..f64::MAX),
            period in any::<Duration>(),
            every in any::<Duration>(),
            (n, seed, stream) in any::<(u64, u64, u64)>(),
        ) {
            let (min, max) = (ends.0.min(ends.1), ends.0.max(ends.1));
            let value = Generator { shape, min, max, period, every }.value(n, seed, stream);
            prop_assert!((min..=max).contains(&value), "{} not in {}..={}", value, min, max);
        }
    }
}
