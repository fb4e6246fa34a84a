//! Places, sizes and rectangles on the panel, in whole pixels.

use serde::{Deserialize, Serialize};

/// A place on the panel in pixels, the upper left corner being (0, 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: i32,
    /// Pixels from the upper edge.
    pub y: i32,
}

impl Point {
    /// The place `x` pixels from the left and `y` from the upper edge.
    pub const fn new(x: i32, y: i32) -> Point {
        Point { x, y }
    }
}

/// A size in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// `width` pixels across, `height` down.
    pub const fn new(width: u32, height: u32) -> Size {
        Size { width, height }
    }
}

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rect {
    /// The upper left corner.
    pub at: Point,
    /// How far it reaches.
    pub size: Size,
}

impl Rect {
    /// The rectangle with its upper left corner at (`x`, `y`).
    pub const fn new(x: i32, y: i32, width: u32, height: u32) -> Rect {
        Rect { at: Point { x, y }, size: Size { width, height } }
    }

    /// The rectangle of the pixels from (`left`, `top`) up to but without (`right`, `bottom`); empty where
    /// those are not below and to the right.
    pub fn between(left: i32, top: i32, right: i32, bottom: i32) -> Rect {
        let width = i64::from(right) - i64::from(left);
        let height = i64::from(bottom) - i64::from(top);
        if width <= 0 || height <= 0 {
            return Rect { at: Point { x: left, y: top }, size: Size::default() };
        }
        Rect::new(left, top, width.try_into().unwrap_or(u32::MAX), height.try_into().unwrap_or(u32::MAX))
    }

    /// The first column to the right of it.
    pub const fn right(&self) -> i32 {
        self.at.x.saturating_add_unsigned(self.size.width)
    }

    /// The first row below it.
    pub const fn bottom(&self) -> i32 {
        self.at.y.saturating_add_unsigned(self.size.height)
    }

    /// Whether it has no pixels.
    pub const fn is_empty(&self) -> bool {
        self.size.width == 0 || self.size.height == 0
    }

    /// How many pixels it has.
    pub const fn area(&self) -> u64 {
        self.size.width as u64 * self.size.height as u64
    }

    /// Whether the pixel at `point` is part of it.
    pub const fn contains(&self, point: Point) -> bool {
        point.x >= self.at.x && point.x < self.right() && point.y >= self.at.y && point.y < self.bottom()
    }

    /// The pixels that both have.
    ///
    /// ```
    /// use engine::paint::Rect;
    /// assert_eq!(Rect::new(0, 0, 8, 8).intersection(&Rect::new(6, 4, 8, 8)), Rect::new(6, 4, 2, 4));
    /// assert!(Rect::new(0, 0, 8, 8).intersection(&Rect::new(8, 0, 8, 8)).is_empty());
    /// ```
    pub fn intersection(&self, other: &Rect) -> Rect {
        Rect::between(
            self.at.x.max(other.at.x),
            self.at.y.max(other.at.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        )
    }

    /// The smallest rectangle around both; an empty one adds nothing.
    ///
    /// ```
    /// use engine::paint::Rect;
    /// assert_eq!(Rect::new(0, 0, 2, 2).union(&Rect::new(6, 4, 2, 2)), Rect::new(0, 0, 8, 6));
    /// ```
    #[must_use]
    pub fn union(&self, other: &Rect) -> Rect {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        Rect::between(
            self.at.x.min(other.at.x),
            self.at.y.min(other.at.y),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// The same rectangle, moved right by `by.x` and down by `by.y` pixels.
    #[must_use]
    pub const fn moved(&self, by: Point) -> Rect {
        let at = Point { x: self.at.x.saturating_add(by.x), y: self.at.y.saturating_add(by.y) };
        Rect { at, size: self.size }
    }
}

/// The whole number below `x` or equal to it; what is no number counts as 0.
pub(super) fn floor(x: f32) -> i32 {
    // The cast cuts towards 0 and saturates. `libm::floorf` gives the same, but only after taking the
    // number apart, which costs more than the rest of a line's row.
    let cut = x as i32;
    if (cut as f32) > x { cut.saturating_sub(1) } else { cut }
}

/// The whole number above `x` or equal to it; what is no number counts as 0.
pub(super) fn ceil(x: f32) -> i32 {
    let cut = x as i32;
    if (cut as f32) < x { cut.saturating_add(1) } else { cut }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_rect() -> impl Strategy<Value = Rect> {
        (any::<i32>(), any::<i32>(), any::<u32>(), any::<u32>())
            .prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    fn small_rect() -> impl Strategy<Value = Rect> {
        (-4..9i32, -4..9i32, 0..7u32, 0..7u32).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
    }

    #[test]
    fn rounding_agrees_with_libm() {
        for x in
            [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.000_000_2, -7.999_999_5, 8_388_607.5, 1e9, -1e9, f32::NAN]
        {
            assert_eq!(floor(x), libm::floorf(x) as i32, "{x}");
            assert_eq!(ceil(x), libm::ceilf(x) as i32, "{x}");
        }
        assert_eq!((floor(f32::MIN), ceil(f32::MAX)), (i32::MIN, i32::MAX));
    }

    proptest! {
        #[test]
        fn extreme_rectangles_do_not_overflow(a in any_rect(), b in any_rect(), x in any::<i32>(), y in any::<i32>()) {
            let both = a.intersection(&b);
            prop_assert!(both.area() <= a.area().min(b.area()));
            let _ = (a.union(&b), a.moved(Point { x, y }));
        }

        #[test]
        fn intersection_and_union_agree_with_their_pixels(a in small_rect(), b in small_rect()) {
            for y in -5..16 {
                for x in -5..16 {
                    let at = Point { x, y };
                    prop_assert_eq!(a.intersection(&b).contains(at), a.contains(at) && b.contains(at));
                    prop_assert!(a.union(&b).contains(at) || !(a.contains(at) || b.contains(at)));
                }
            }
        }
    }
}
