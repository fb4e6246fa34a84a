//! The frame: the painted picture.

use alloc::vec::Vec;

use crate::paint::Size;

/// A picture in RGBA8888, row by row from the upper left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    size: Size,
    pixels: Vec<u8>,
}

impl Frame {
    /// A black frame.
    pub fn new(size: Size) -> Frame {
        let pixels = [0, 0, 0, 255].repeat(size.width as usize * size.height as usize);
        Frame { size, pixels }
    }

    /// Its size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Its pixels: red, green, blue, alpha, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}
