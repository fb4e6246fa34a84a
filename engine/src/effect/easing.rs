//! Easings: how the progress of an animation becomes motion.

use serde::{Deserialize, Serialize};

/// A curve through (0, 0) and (1, 1).
///
/// ```
/// use engine::effect::easing::Easing;
/// assert_eq!(Easing::EaseOut.at(0.25), 0.4375);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Easing {
    /// Steady: `t`.
    #[default]
    Linear,
    /// Slow at first: `t²`.
    EaseIn,
    /// Slow at the end: `1 - (1 - t)²`.
    EaseOut,
    /// Slow at both ends: `2t²` in the first half, `1 - 2(1 - t)²` in the second.
    EaseInOut,
    /// Slower at first: `t³`.
    EaseInCubic,
    /// Slower at the end: `1 - (1 - t)³`.
    EaseOutCubic,
    /// Slower at both ends: `4t³` in the first half, `1 - 4(1 - t)³` in the second.
    EaseInOutCubic,
    /// Falls and bounces three times, after Penner.
    Bounce,
}

impl Easing {
    /// Every easing with its name in configurations.
    pub const ALL: [(&'static str, Easing); 8] = [
        ("linear", Easing::Linear),
        ("ease_in", Easing::EaseIn),
        ("ease_out", Easing::EaseOut),
        ("ease_in_out", Easing::EaseInOut),
        ("ease_in_cubic", Easing::EaseInCubic),
        ("ease_out_cubic", Easing::EaseOutCubic),
        ("ease_in_out_cubic", Easing::EaseInOutCubic),
        ("bounce", Easing::Bounce),
    ];

    /// Motion at progress `t`, which is taken as 0 below 0 and as 1 above 1.
    pub fn at(self, t: f64) -> f64 {
        let t = t.clamp(0.0, 1.0);
        let rest = 1.0 - t;
        match self {
            Easing::Linear => t,
            Easing::EaseIn => t * t,
            Easing::EaseOut => 1.0 - rest * rest,
            Easing::EaseInOut if t < 0.5 => 2.0 * t * t,
            Easing::EaseInOut => 1.0 - 2.0 * rest * rest,
            Easing::EaseInCubic => t * t * t,
            Easing::EaseOutCubic => 1.0 - rest * rest * rest,
            Easing::EaseInOutCubic if t < 0.5 => 4.0 * t * t * t,
            Easing::EaseInOutCubic => 1.0 - 4.0 * rest * rest * rest,
            Easing::Bounce => bounce(t),
        }
    }
}

/// Penner's bounce: four parabolas of curvature 7.5625 whose feet lie at multiples of 1/2.75.
fn bounce(t: f64) -> f64 {
    let (shift, floor) = if t < 1.0 / 2.75 {
        (0.0, 0.0)
    } else if t < 2.0 / 2.75 {
        (1.5 / 2.75, 0.75)
    } else if t < 2.5 / 2.75 {
        (2.25 / 2.75, 0.9375)
    } else {
        (2.625 / 2.75, 0.984_375)
    };
    let t = t - shift;
    7.5625 * t * t + floor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves() {
        for (easing, t, expected) in [
            (Easing::Linear, 0.75, 0.75),
            (Easing::EaseIn, 0.5, 0.25),
            (Easing::EaseOut, 0.9, 0.99),
            (Easing::EaseInOut, 0.1, 0.02),
            (Easing::EaseInOut, 0.75, 0.875),
            (Easing::EaseInCubic, 0.5, 0.125),
            (Easing::EaseOutCubic, 0.25, 0.578125),
            (Easing::EaseInOutCubic, 0.1, 0.004),
            (Easing::EaseInOutCubic, 0.75, 0.9375),
            (Easing::Bounce, 0.5, 0.765625),
            (Easing::Bounce, 0.75, 0.97265625),
            (Easing::EaseIn, -3.0, 0.0),
            (Easing::EaseIn, 3.0, 1.0),
        ] {
            let found = easing.at(t);
            assert!((found - expected).abs() < 1e-12, "{easing:?} at {t}: {found}, not {expected}");
        }
    }

    #[test]
    fn all_go_from_0_to_1() {
        for (name, easing) in Easing::ALL {
            assert_eq!((easing.at(0.0), easing.at(1.0)), (0.0, 1.0), "{name}");
        }
    }
}
