//! Easings: how the progress of an animation becomes motion.

use serde::{Deserialize, Serialize};

/// A curve through (0, 0) and (1, 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Easing {
    /// Steady: `t`.
    #[default]
    Linear,
    /// Slow at first: `t²`.
    EaseIn,
    /// Slow at the end: `1 - (1 - t)²`.
    EaseOut,
    /// Slow at both ends.
    EaseInOut,
}
