//! Text: a line of glyphs, each at a whole pixel, cut with an ellipsis where it does not fit.

use alloc::vec::Vec;

use super::font::{Fonts, Style};
use super::glyph::Glyph;
use super::{Canvas, Color, Point, Rect};

/// A line of text, laid out from its pen's start at 0.
///
/// ```
/// use engine::paint::{Fonts, Line, Style};
/// use engine::widget::Weight;
/// let mut fonts = Fonts::bundled();
/// let style = Style::new(Weight::Regular, 14.0);
/// let mut line = Line::default();
/// line.lay_out("11:11", style, 100, &mut fonts);
/// let narrow = line.width();
/// line.lay_out("00:00", style, 100, &mut fonts);
/// assert_eq!(line.width(), narrow, "digits are tabular");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    style: Style,
    glyphs: Vec<Placed>,
    width: i32,
}

/// A character and its pen's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Placed {
    character: char,
    x: i32,
}

impl Line {
    /// Lays out `text` in at most `width_max` pixels, in place of what was there.
    pub fn lay_out(&mut self, text: &str, style: Style, width_max: i32, fonts: &mut Fonts) {
        self.style = style;
        self.glyphs.clear();
        self.width = 0;
        for character in text.chars() {
            self.push(character, fonts);
            if self.width > width_max {
                self.shorten(width_max, fonts);
                return;
            }
        }
    }

    /// The pixels from the pen's start to its end.
    pub fn width(&self) -> i32 {
        self.width
    }

    /// The empty columns before and after the line that do not count where it is set out against an edge:
    /// those of an upright letter or, where the line begins or ends with a sign that has less, of that
    /// sign. Digits count as upright letters, so that numbers do not jump.
    pub fn bearings(&self, fonts: &mut Fonts) -> (i32, i32) {
        let upright = fonts.metrics(self.style).bearing;
        let mut bearing = |placed: Option<&Placed>, side: fn(&Glyph) -> i32| match placed {
            Some(placed) if !placed.character.is_ascii_digit() => {
                side(fonts.glyph(self.style, placed.character)).clamp(0, upright)
            }
            _ => upright,
        };
        let before = bearing(self.glyphs.first(), |glyph| glyph.bounds.at.x);
        let after = bearing(self.glyphs.last(), |glyph| glyph.advance - glyph.bounds.right());
        (before, after)
    }

    /// Draws the line with the pen starting at `pen`, on the baseline.
    pub fn paint(&self, canvas: &mut Canvas<'_>, pen: Point, color: Color, fonts: &mut Fonts) {
        for placed in &self.glyphs {
            let at = Point { x: pen.x.saturating_add(placed.x), y: pen.y };
            fonts.glyph(self.style, placed.character).paint(canvas, at, color);
        }
    }

    /// The pixels that [`Line::paint`] draws on.
    pub fn ink(&self, pen: Point, fonts: &mut Fonts) -> Rect {
        self.ink_of(0..self.glyphs.len(), pen, fonts)
    }

    /// The pixels in which this line at `pen` and another one at `other_pen` can differ: those of the
    /// characters between their common beginning and their common end.
    pub fn difference(&self, pen: Point, other: &Line, other_pen: Point, fonts: &mut Fonts) -> Rect {
        if self.style != other.style || pen.y != other_pen.y {
            return self.ink(pen, fonts).union(&other.ink(other_pen, fonts));
        }
        let same = |(a, b): &(&Placed, &Placed)| {
            a.character == b.character && pen.x.saturating_add(a.x) == other_pen.x.saturating_add(b.x)
        };
        let (ours, theirs) = (self.glyphs.len(), other.glyphs.len());
        let head = self.glyphs.iter().zip(&other.glyphs).take_while(same).count();
        let rest = ours.min(theirs) - head;
        let tail =
            self.glyphs.iter().rev().zip(other.glyphs.iter().rev()).take(rest).take_while(same).count();
        let before = other.ink_of(head..theirs - tail, other_pen, fonts);
        self.ink_of(head..ours - tail, pen, fonts).union(&before)
    }

    fn push(&mut self, character: char, fonts: &mut Fonts) {
        self.glyphs.push(Placed { character, x: self.width });
        self.width = self.width.saturating_add(fonts.glyph(self.style, character).advance);
    }

    /// Replaces the end of the line by an ellipsis, so that both fit. Where not even that fits, it stands
    /// alone.
    fn shorten(&mut self, width_max: i32, fonts: &mut Fonts) {
        let ellipsis = fonts.glyph(self.style, ELLIPSIS).advance;
        while let Some(last) = self.glyphs.pop() {
            self.width = last.x;
            let space_before = self.glyphs.last().is_some_and(|placed| placed.character.is_whitespace());
            if self.width.saturating_add(ellipsis) <= width_max && !space_before {
                break;
            }
        }
        self.push(ELLIPSIS, fonts);
    }

    fn ink_of(&self, glyphs: core::ops::Range<usize>, pen: Point, fonts: &mut Fonts) -> Rect {
        let placed = self.glyphs.get(glyphs).unwrap_or(&[]);
        placed.iter().fold(Rect::default(), |ink, placed| {
            let at = Point { x: pen.x.saturating_add(placed.x), y: pen.y };
            ink.union(&fonts.glyph(self.style, placed.character).bounds.moved(at))
        })
    }
}

const ELLIPSIS: char = '…';
