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
