//! The scene: all widgets of a page, and what they remember from tick to tick.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::paint::{Color, Size};
use crate::widget::Widget;

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
