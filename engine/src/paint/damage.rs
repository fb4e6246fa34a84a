//! Damage: which rectangles of a picture changed.

use alloc::vec::Vec;

use super::{Frame, Rect};

/// The fixed cost of one more rectangle, in pixels, where nothing better is known: about what the
/// addressing of a window costs an ST7735 at 15 MHz.
pub const RECT_COST: u64 = 73;

/// Adds `rect` to the damaged rectangles and merges greedily: two become one wherever that costs less
/// than `rect_cost` pixels more than keeping both. Empty rectangles add nothing.
pub fn add(damage: &mut Vec<Rect>, rect: Rect, rect_cost: u64) {
    if rect.is_empty() {
        return;
    }
    let mut rect = rect;
    let mut at = 0;
    while let Some(other) = damage.get(at) {
        let both = rect.union(other);
        if both.area() <= rect.area().saturating_add(other.area()).saturating_add(rect_cost) {
            rect = both;
            damage.swap_remove(at);
            // The grown rectangle may now be near to ones that were far before.
            at = 0;
        } else {
            at += 1;
        }
    }
    damage.push(rect);
}

/// The rectangles that cover every pixel in which two frames differ, merged as by [`add`]; the whole of
/// `b` where their sizes differ.
pub fn diff(a: &Frame, b: &Frame, rect_cost: u64) -> Vec<Rect> {
    if a.size() != b.size() {
        return alloc::vec![b.bounds()];
    }
    let mut damage = Vec::new();
    let width = b.size().width as usize;
    let rows = a.pixels().chunks_exact(width.max(1) * 4).zip(b.pixels().chunks_exact(width.max(1) * 4));
    for (y, (a, b)) in (0..).zip(rows) {
        if a != b {
            spans(a, b, rect_cost, |left, right| {
                add(&mut damage, Rect::between(left, y, right, y + 1), rect_cost)
            });
        }
    }
    damage
}

/// Calls `found` for each stretch [left, right) of unequal pixels; stretches that are nearer than
/// `rect_cost` pixels are one.
fn spans(a: &[u8], b: &[u8], rect_cost: u64, mut found: impl FnMut(i32, i32)) {
    let mut open: Option<(i32, i32)> = None;
    for (x, (a, b)) in (0..).zip(a.chunks_exact(4).zip(b.chunks_exact(4))) {
        if a == b {
            continue;
        }
        open = match open {
            Some((left, right)) if i64::from(x - right) <= rect_cost as i64 => Some((left, x + 1)),
            Some((left, right)) => {
                found(left, right);
                Some((x, x + 1))
            }
            None => Some((x, x + 1)),
        };
    }
    if let Some((left, right)) = open {
        found(left, right);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::paint::{Canvas, Color, Point, Size};

    fn merged(rects: &[Rect], rect_cost: u64) -> Vec<Rect> {
        let mut damage = Vec::new();
        rects.iter().for_each(|rect| add(&mut damage, *rect, rect_cost));
        damage
    }

    #[test]
    fn merges_where_it_pays() {
        let (a, b, c) = (Rect::new(0, 0, 4, 4), Rect::new(6, 0, 4, 4), Rect::new(2, 0, 6, 4));
        assert_eq!(merged(&[a, b], 0), [a, b]);
        assert_eq!(merged(&[a, b], 8), [Rect::new(0, 0, 10, 4)]);
        assert_eq!(merged(&[a, b], 7), [a, b]);
        assert_eq!(merged(&[a, b, c], 0), [Rect::new(0, 0, 10, 4)], "one that bridges two");
        assert_eq!(merged(&[a, a, Rect::default(), Rect::new(1, 1, 2, 2)], 0), [a]);
        assert_eq!(merged(&[Rect::default()], 99), []);
    }

    fn frame(rects: &[(i32, i32, u32, u32, u8)]) -> Frame {
        let mut frame = Frame::new(Size::new(32, 24), Color::rgb(0, 0, 0));
        for (x, y, width, height, grey) in rects {
            Canvas::new(&mut frame).fill(Rect::new(*x, *y, *width, *height), Color::rgb(*grey, 0, 0));
        }
        frame
    }

    #[test]
    fn finds_what_changed() {
        let check = |rects: &[(i32, i32, u32, u32, u8)], rect_cost, expected: &[Rect]| {
            assert_eq!(diff(&frame(&[]), &frame(rects), rect_cost), expected);
        };
        check(&[], 0, &[]);
        check(&[(3, 4, 5, 6, 1)], 0, &[Rect::new(3, 4, 5, 6)]);
        check(&[(3, 4, 5, 6, 1), (20, 4, 5, 6, 1)], 0, &[Rect::new(3, 4, 5, 6), Rect::new(20, 4, 5, 6)]);
        check(&[(0, 0, 1, 1, 1), (31, 23, 1, 1, 1)], 999, &[Rect::new(0, 0, 32, 24)]);
        let other = Frame::new(Size::new(3, 3), Color::rgb(0, 0, 0));
        assert_eq!(diff(&frame(&[]), &other, 0), [other.bounds()]);
    }

    fn any_rects() -> impl Strategy<Value = Vec<(i32, i32, u32, u32, u8)>> {
        prop::collection::vec((-4..32i32, -4..24i32, 0..12u32, 0..12u32, 0..4u8), 0..8)
    }

    proptest! {
        #[test]
        fn sending_the_damage_is_enough(old in any_rects(), new in any_rects(), rect_cost in 0..200u64) {
            let (old, new) = (frame(&old), frame(&new));
            let mut glass = old.clone();
            for rect in diff(&old, &new, rect_cost) {
                for y in rect.at.y..rect.bottom() {
                    for x in rect.at.x..rect.right() {
                        let at = Point::new(x, y);
                        Canvas::new(&mut glass).cover(at, 255, new.pixel(at).unwrap());
                    }
                }
            }
            prop_assert_eq!(glass, new);
        }

        #[test]
        fn merging_loses_no_pixel(rects in any_rects(), rect_cost in 0..200u64) {
            let rects: Vec<Rect> = rects.iter().map(|(x, y, w, h, _)| Rect::new(*x, *y, *w, *h)).collect();
            let damage = merged(&rects, rect_cost);
            for rect in rects.iter().filter(|rect| !rect.is_empty()) {
                prop_assert!(damage.iter().any(|other| other.intersection(rect) == *rect));
            }
        }
    }
}
