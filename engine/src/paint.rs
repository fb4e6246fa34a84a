//! Painting: colours, places, and the canvas that widgets draw on.
//!
//! A [`Frame`] is the finished picture. A [`Canvas`] draws on a frame inside a clip rectangle; every shape
//! becomes coverage (0 to 255 for each pixel) and one integer blend of a colour, so that the same drawing
//! gives the same bytes on every machine. Geometry is computed in `f32` and `f64` with the four basic
//! operations and the square root alone, which IEEE 754 defines to the last bit.

mod blend;
mod canvas;
mod color;
pub mod damage;
mod font;
mod frame;
mod geometry;
mod glyph;
mod line;
#[cfg(test)]
pub(crate) mod picture;
mod shape;
mod text;

pub use canvas::Canvas;
pub use color::Color;
pub use font::{Fonts, Lookups, Metrics, Style};
pub use frame::Frame;
pub use geometry::{Point, Rect, Size};
pub use line::Mask;
pub use shape::{Ellipse, Overlap, RoundRect};
pub use text::Line;

pub(crate) use blend::scale;
