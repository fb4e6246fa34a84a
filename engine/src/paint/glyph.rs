//! Glyphs: pictures of characters as A8 coverage, kept in a bounded cache.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::{Canvas, Color, Point, Rect};

/// The picture of a character in one face and size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Glyph {
    /// The pixels that it covers, relative to the pen on the baseline.
    pub(super) bounds: Rect,
    /// A byte for each of them.
    pub(super) coverage: Vec<u8>,
    /// How far it moves the pen, in whole pixels.
    pub(super) advance: i32,
}

impl Glyph {
    /// Nothing, and no way on.
    pub(super) const EMPTY: Glyph = Glyph { bounds: Rect::new(0, 0, 0, 0), coverage: Vec::new(), advance: 0 };

    /// A box in place of a character that the face does not have: `width` x `height` pixels on the baseline,
    /// with a bearing of one pixel on both sides.
    pub(super) fn missing(width: u32, height: u32) -> Glyph {
        let (width, height) = (width.max(3), height.max(3));
        let inside = |x: u32, y: u32| (1..width - 1).contains(&x) && (1..height - 1).contains(&y);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let coverage = pixels.map(|(x, y)| if inside(x, y) { 0 } else { 255 }).collect();
        let top = 0i32.saturating_sub_unsigned(height);
        let advance = 2i32.saturating_add_unsigned(width);
        Glyph { bounds: Rect::new(1, top, width, height), coverage, advance }
    }

    /// The empty columns before and after it.
    pub(super) fn bearings(&self) -> (i32, i32) {
        (self.bounds.at.x, self.advance - self.bounds.right())
    }

    /// Draws it with the pen at `pen`.
    pub(super) fn paint(&self, canvas: &mut Canvas<'_>, pen: Point, color: Color) {
        canvas.mask(self.bounds.moved(pen), &self.coverage, color);
    }

    /// What it costs to keep, in bytes.
    fn cost(&self) -> usize {
        self.coverage.len() + size_of::<Glyph>()
    }
}

/// Glyphs of one face and size. Latin letters and digits are found by index, the rest by search.
#[derive(Clone, Debug)]
pub(super) struct Glyphs {
    ascii: Box<[Option<Glyph>; 128]>,
    others: BTreeMap<char, Glyph>,
    bytes: usize,
}

impl Default for Glyphs {
    fn default() -> Glyphs {
        Glyphs { ascii: Box::new([const { None }; 128]), others: BTreeMap::new(), bytes: 0 }
    }
}

impl Glyphs {
    /// The glyph of `character`, if it is kept.
    pub(super) fn find(&self, character: char) -> Option<&Glyph> {
        match self.ascii.get(character as usize) {
            Some(slot) => slot.as_ref(),
            None => self.others.get(&character),
        }
    }

    /// Keeps a glyph.
    pub(super) fn keep(&mut self, character: char, glyph: Glyph) {
        self.bytes += glyph.cost();
        match self.ascii.get_mut(character as usize) {
            Some(slot) => *slot = Some(glyph),
            None => drop(self.others.insert(character, glyph)),
        }
    }

    /// Drops all glyphs.
    pub(super) fn clear(&mut self) {
        *self = Glyphs::default();
    }

    /// How much they take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}
