//! The scene: all widgets of a page, and what they remember from tick to tick.
//!
//! [`Scene`] is the definition. [`Stage`] is a scene on show: it takes a [`Step`] at every tick and paints
//! on demand, so that a picture depends on what was stepped and never on which ticks were painted.

mod entry;
mod stage;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::paint::{Color, Size};
use crate::widget::Widget;

pub use stage::{Guard, Memory, Stage, Step};

/// A page as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// The panel's size in pixels.
    pub size: Size,
    /// The colour behind all widgets.
    pub background: Color,
    /// The widgets, in the configuration's order.
    pub widgets: Vec<Widget>,
}
