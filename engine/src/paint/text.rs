//! Text: a line of glyphs, each at a whole pixel, cut with an ellipsis where it does not fit.

use alloc::vec::Vec;

use super::font::{Fonts, Style};
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
        let mut bearings = |placed: Option<&Placed>| match placed {
            Some(placed) if !placed.character.is_ascii_digit() => {
                let (before, after) = fonts.glyph(self.style, placed.character).bearings();
                (before.clamp(0, upright), after.clamp(0, upright))
            }
            _ => (upright, upright),
        };
        let (before, after) = (bearings(self.glyphs.first()).0, bearings(self.glyphs.last()).1);
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

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;
    use crate::paint::picture::{WHITE, picture};
    use crate::widget::Weight;

    fn laid_out(text: &str, size: f64, width_max: i32) -> (Line, Fonts) {
        let (mut line, mut fonts) = (Line::default(), Fonts::bundled());
        line.lay_out(text, Style::new(Weight::Regular, size), width_max, &mut fonts);
        (line, fonts)
    }

    fn shown(text: &str, size: f64, width: u32, height: u32) -> String {
        let (line, mut fonts) = laid_out(text, size, width as i32);
        picture(width, height, |canvas| {
            line.paint(canvas, Point::new(0, height as i32 - 3), WHITE, &mut fonts)
        })
    }

    fn text(line: &Line) -> String {
        line.glyphs.iter().map(|placed| placed.character).collect()
    }

    #[test]
    fn small_type_is_crisp() {
        insta::assert_snapshot!(shown("CPU 42%", 11.0, 46, 13), @r"
        ..............................................
        ...::.........................................
        .:*%@x-.:@@%%+.:@:...%-......-@+..............
        .*x-:+%::@::=%-:@:...%-.....:%%+..............
        :%:..:+-:@:..x+:@:...%-.....+**+..............
        =%......:@:.-%=:@:...%-....-%:*+..............
        =%......:@x%%*::@:...%-...:x=.*+..............
        :%:...+-:@--:..:@:..:@-...=%**xx=.............
        .*x-:+%::@:.....x*::*%:...-+++xx-:=::=::=:....
        .:*%@x-.:@:.....-x%%x-........*+.:%--%:-%:....
        ...::.............::..............:..:..:.....
        ..............................................
        ..............................................
        ");
        insta::assert_snapshot!(shown("Âgj°", 14.0, 38, 18), @r"
        ......................................
        ....--................................
        ...=%%-...............................
        ..-%-=x:..............................
        ...:--.............:+-..:-:...........
        ...-@%:............:%+.+%%x:..........
        ...*%@=.............:::%-:x=..........
        ..:%*xx.....=**-+=.:*=:@-.x+..........
        ..=@-+%:...+@**x%*.:@+.*%x%:..........
        ..*%::%+..:%*..-@*.:@+..-=:...........
        .:%+..xx..-@-...%*.:@+................
        .=@%%%%@-.=@-...%*.:@+................
        .xx====%+.:@+..:%*.:@+................
        :%+....*%:.*%+=x%*.:@+................
        +@:....=@-.:+xx-x*.:@+................
        ...........::..:%+.:@+................
        ...........xx=-*@-:*@-................
        ...........:*%%x=.-x+.................
        ");
    }

    #[test]
    fn missing_glyphs_are_boxes_and_reported_once() {
        insta::assert_snapshot!(shown("a\u{6f22}", 11.0, 16, 13), @r"
        ................
        ................
        .......@@@@@....
        ...:...@...@....
        .+%%x:.@...@....
        :*::x=.@...@....
        .:=*%+.@...@....
        -%+=x+.@...@....
        +x.:%+.@...@....
        :x%xx+.@@@@@....
        ..:.............
        ................
        ................
        ");
        let (_, fonts) = laid_out("\u{6f22}a\u{6f22}\u{1f600}", 11.0, 99);
        assert_eq!(fonts.missing().collect::<String>(), "\u{6f22}\u{1f600}");
    }

    #[test]
    fn controls_are_spaces_and_joiners_are_nothing() {
        let width = |text| laid_out(text, 11.0, 999).0.width();
        assert_eq!(width("a\u{200d}\u{fe0f}\u{202e}b"), width("ab"));
        assert!(width("a\nb") > width("ab"));
        assert_eq!(laid_out("\t\r\n\u{0}", 11.0, 999).1.missing().count(), 0);
    }

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        let full = laid_out("network", 11.0, 999).0.width();
        let cut = |text: &str, width| self::text(&laid_out(text, 11.0, width).0);
        assert_eq!(cut("network", full), "network");
        assert_eq!(cut("network", full - 1), "netwo…");
        assert_eq!(cut("to be or not", 36), "to be…", "no space before it");
        assert_eq!(cut("network", 0), "…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn digits_are_tabular() {
        let (line, _) = laid_out("0123456789", 28.0, 999);
        let places: alloc::vec::Vec<i32> = line.glyphs.iter().map(|placed| placed.x).collect();
        assert!(places.windows(3).all(|at| at[2] - at[1] == at[1] - at[0]), "{places:?}");
    }

    #[test]
    fn only_what_differs_is_damaged() {
        let (old, mut fonts) = laid_out("12:34:56", 11.0, 99);
        let (mut new, mut wider) = (old.clone(), old.clone());
        let style = Style::new(Weight::Regular, 11.0);
        new.lay_out("12:34:57", style, 99, &mut fonts);
        wider.lay_out("112:34:57", style, 99, &mut fonts);
        let at = Point::new(0, 20);
        let all = old.ink(at, &mut fonts);
        assert!(old.difference(at, &old.clone(), at, &mut fonts).is_empty());
        let last = new.difference(at, &old, at, &mut fonts);
        assert!(last.area() * 6 < all.area() && last.right() == all.right(), "{last:?} of {all:?}");
        // Right-aligned, a digit more leaves the others in their place.
        let digit = fonts.metrics(style).digit;
        let more = wider.difference(Point::new(-digit, 20), &new, at, &mut fonts);
        assert!(more.right() <= digit, "{more:?}");
        // Characters without width stand at one place: none may count both as beginning and as end.
        let (mut twice, mut once) = (old.clone(), old.clone());
        twice.lay_out("\u{200d}\u{200d}\u{200d}", style, 99, &mut fonts);
        once.lay_out("\u{200d}\u{200d}", style, 99, &mut fonts);
        assert!(once.difference(at, &twice, at, &mut fonts).is_empty());
        let moved = old.difference(Point::new(0, 21), &old, at, &mut fonts);
        assert_eq!(moved, all.union(&all.moved(Point::new(0, 1))));
    }

    proptest! {
        #[test]
        fn any_text_is_answered_and_keeps_its_width(text in ".{0,40}", size in -9.0..300.0f64, width_max in -9..200i32) {
            let (line, mut fonts) = laid_out(&text, size, width_max);
            let ellipsis = laid_out("…", size, 999).0.width();
            prop_assert!(line.width() <= width_max.max(ellipsis));
            let _ = line.ink(Point::new(i32::MAX, i32::MIN), &mut fonts);
        }
    }
}
