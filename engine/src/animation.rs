//! Animations: what a widget's place and opacity are at any tick.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::effect::easing::Easing;
use crate::widget::WidgetId;

/// Names an animation: its index in the configuration's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AnimationId(pub u32);

/// What an animation adds to a widget at a tick: the offset adds to its place, the opacity multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Pixels to the right of the widget's own place.
    pub x: f64,
    /// Pixels below the widget's own place.
    pub y: f64,
    /// Factor on the widget's opacity, 0 to 1.
    pub opacity: f64,
}

impl Pose {
    /// The pose that changes nothing.
    pub const REST: Pose = Pose { x: 0.0, y: 0.0, opacity: 1.0 };
}

/// What an odd cycle of a repeated animation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Repeat {
    /// Every cycle runs from the start to the end.
    #[default]
    Restart,
    /// Odd cycles run back.
    Reverse,
}

/// An animation as configured. It runs on the half-open span [start, start + duration * cycles).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Animation {
    /// The name in the configuration.
    pub name: String,
    /// Which widget it moves.
    pub widget: WidgetId,
    /// Length of one cycle in ticks, at least 1.
    pub duration: u64,
    /// The pose at progress 0.
    pub from: Pose,
    /// The pose at progress 1.
    pub to: Pose,
    /// How progress becomes motion.
    pub easing: Easing,
    /// How many cycles it runs, at least 1; `None` for ever.
    pub cycles: Option<u64>,
    /// What odd cycles do.
    pub repeat: Repeat,
    /// Whether it starts at tick 0 by itself.
    pub starts_at_load: bool,
}
