//! The frame: a finished picture in RGBA8888.

use alloc::vec::Vec;
use core::fmt;

use super::{Color, Point, Rect, Size};
use crate::hash;

/// A picture in RGBA8888, row by row from the top, always opaque: what every output converts.
///
/// Two frames are equal where their pixels are. [`Frame::hash`] is their identity in recordings.
#[derive(Default, PartialEq, Eq)]
pub struct Frame {
    size: Size,
    pixels: Vec<u8>,
}

impl Frame {
    /// The longest side of a frame in pixels.
    pub const SIDE_MAX: u32 = 4_096;

    /// A frame of one colour, as if painted over black. Sides beyond [`Frame::SIDE_MAX`] are cut to it.
    pub fn new(size: Size, color: Color) -> Frame {
        let size = Size::new(size.width.min(Frame::SIDE_MAX), size.height.min(Frame::SIDE_MAX));
        let bytes = size.width as usize * size.height as usize * 4;
        let mut frame = Frame { size, pixels: alloc::vec![0; bytes] };
        let color = color.over(Color::rgb(0, 0, 0));
        frame.pixels.as_chunks_mut().0.fill([color.r, color.g, color.b, 255]);
        frame
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The rectangle of all its pixels.
    pub fn bounds(&self) -> Rect {
        Rect { at: Point::default(), size: self.size }
    }

    /// All pixels: four bytes (red, green, blue, alpha) each, row by row from the top.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixel at `at`, or `None` outside.
    pub fn pixel(&self, at: Point) -> Option<Color> {
        match self.row(at.y, at.x, at.x.checked_add(1)?) {
            [r, g, b, a] => Some(Color { r: *r, g: *g, b: *b, a: *a }),
            _ => None,
        }
    }

    /// The bytes of row `y` from column `left` up to but without column `right`; none where that is not
    /// wholly inside.
    pub fn row(&self, y: i32, left: i32, right: i32) -> &[u8] {
        self.range(y, left, right).and_then(|range| self.pixels.get(range)).unwrap_or(&[])
    }

    /// XXH3-64 of the pixels ([`hash::of`]).
    pub fn hash(&self) -> u64 {
        hash::of(&self.pixels)
    }

    /// The same pixels as [`Frame::row`], to be drawn on.
    pub(super) fn row_mut(&mut self, y: i32, left: i32, right: i32) -> &mut [[u8; 4]] {
        match self.range(y, left, right) {
            Some(range) => self.pixels.get_mut(range).unwrap_or(&mut []).as_chunks_mut().0,
            None => &mut [],
        }
    }

    fn range(&self, y: i32, left: i32, right: i32) -> Option<core::ops::Range<usize>> {
        let (y, left, right) =
            (u32::try_from(y).ok()?, u32::try_from(left).ok()?, u32::try_from(right).ok()?);
        if y >= self.size.height || right > self.size.width || left > right {
            return None;
        }
        let start = y as usize * self.size.width as usize;
        Some((start + left as usize) * 4..(start + right as usize) * 4)
    }
}

impl Clone for Frame {
    fn clone(&self) -> Frame {
        Frame { size: self.size, pixels: self.pixels.clone() }
    }

    /// Reuses the memory that is there.
    fn clone_from(&mut self, source: &Frame) {
        self.size = source.size;
        self.pixels.clone_from(&source.pixels);
    }
}

impl fmt::Debug for Frame {
    /// Size and hash: the pixels would fill screens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}x{}, {:016x})", self.size.width, self.size.height, self.hash())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_opaque_and_knows_its_pixels() {
        let frame = Frame::new(Size::new(3, 2), Color::rgb(1, 2, 3).with_alpha(255));
        assert_eq!(frame.pixels().len(), 24);
        assert_eq!(frame.pixel(Point::new(2, 1)), Some(Color::rgb(1, 2, 3)));
        for outside in [Point::new(3, 0), Point::new(0, 2), Point::new(-1, 0), Point::new(i32::MAX, i32::MIN)]
        {
            assert_eq!(frame.pixel(outside), None);
        }
        assert_eq!(Frame::new(Size::new(1, 1), Color::TRANSPARENT).pixels(), [0, 0, 0, 255]);
    }

    #[test]
    fn rows_outside_are_empty() {
        let frame = Frame::new(Size::new(4, 4), Color::default());
        assert_eq!(frame.row(1, 1, 3).len(), 8);
        assert_eq!(frame.row(1, 3, 1).len(), 0);
        assert_eq!(frame.row(1, 0, 5).len(), 0);
        assert_eq!(frame.row(4, 0, 4).len(), 0);
    }

    #[test]
    fn sides_are_bounded() {
        assert_eq!(
            Frame::new(Size::new(u32::MAX, 1), Color::default()).size(),
            Size::new(Frame::SIDE_MAX, 1)
        );
    }

    #[test]
    fn equal_pixels_have_equal_hashes() {
        let frame = |color| Frame::new(Size::new(8, 8), color).hash();
        assert_eq!(frame(Color::rgb(9, 9, 9)), frame(Color::rgb(9, 9, 9)));
        assert_ne!(frame(Color::rgb(9, 9, 9)), frame(Color::rgb(9, 9, 8)));
    }
}
