//! Lines: anti-aliased strokes, collected as coverage first and drawn as one.

use alloc::vec::Vec;

use super::{Canvas, Color, Point, Rect, blend};

/// Coverage of a rectangle of pixels, filled by strokes and dots. Where they overlap the greater coverage
/// counts, so joints and crossings of a translucent line are no darker than the line.
///
/// ```
/// use engine::paint::{Mask, Rect};
/// let mut mask = Mask::default();
/// mask.clear(Rect::new(0, 0, 4, 3));
/// mask.line((0.5, 1.5), (3.5, 1.5), 1.0);
/// assert_eq!(mask.coverage(), [0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Mask {
    bounds: Rect,
    coverage: Vec<u8>,
}

impl Mask {
    /// The most pixels of a mask: what a frame can have at most is far more than any widget needs.
    const AREA_MAX: u64 = 1 << 24;

    /// Begins anew with an empty mask for the pixels of `bounds`. Memory is kept. A rectangle of more than
    /// 16.7 million pixels is taken as empty.
    pub fn clear(&mut self, bounds: Rect) {
        let area = if bounds.area() <= Mask::AREA_MAX { bounds.area() as usize } else { 0 };
        self.bounds = if area == 0 { Rect::default() } else { bounds };
        self.coverage.clear();
        self.coverage.resize(area, 0);
    }

    /// The pixels that it is for.
    pub fn bounds(&self) -> Rect {
        self.bounds
    }

    /// One byte for each pixel, row by row.
    pub fn coverage(&self) -> &[u8] {
        &self.coverage
    }

    /// Adds a straight stroke with round ends, `thickness` pixels wide, between two places in pixels.
    pub fn line(&mut self, from: (f32, f32), to: (f32, f32), thickness: f32) {
        Capsule::new(from, to, thickness).visit(self.bounds, |at, covered| {
            if let Some(byte) = self.byte(at) {
                *byte = covered.max(*byte);
            }
        });
    }

    /// Adds a filled circle.
    pub fn dot(&mut self, center: (f32, f32), radius: f32) {
        self.line(center, center, radius * 2.0);
    }

    /// Replaces what is there by an empty circle whose line of `thickness` pixels lies inside `radius`.
    pub fn ring(&mut self, center: (f32, f32), radius: f32, thickness: f32) {
        let outer = Capsule::new(center, center, radius * 2.0);
        let inner = Capsule::new(center, center, (radius - thickness) * 2.0);
        outer.visit(self.bounds, |at, covered| {
            let hollow = inner.coverage(at.x as f32 + 0.5, at.y as f32 + 0.5);
            if let Some(byte) = self.byte(at) {
                *byte = covered.saturating_sub(hollow).max(blend::scale(*byte, 255 - covered));
            }
        });
    }

    /// Adds strokes through all `points`, one after the other.
    pub fn polyline(&mut self, points: &[(f32, f32)], thickness: f32) {
        for pair in points.windows(2) {
            if let [from, to] = pair {
                self.line(*from, *to, thickness);
            }
        }
    }

    /// Draws what was collected.
    pub fn paint(&self, canvas: &mut Canvas<'_>, color: Color) {
        canvas.mask(self.bounds, &self.coverage, color);
    }

    fn byte(&mut self, at: Point) -> Option<&mut u8> {
        if !self.bounds.contains(at) {
            return None;
        }
        let (x, y) = ((at.x - self.bounds.at.x) as usize, (at.y - self.bounds.at.y) as usize);
        self.coverage.get_mut(y * self.bounds.size.width as usize + x)
    }
}

/// All places within a radius of a straight line.
struct Capsule {
    from: (f32, f32),
    to: (f32, f32),
    delta: (f32, f32),
    /// 1 over the length squared, or 0 for a single point.
    inverse: f32,
    radius: f32,
    /// The most of a pixel that a thin line covers.
    most: f32,
}

impl Capsule {
    fn new(from: (f32, f32), to: (f32, f32), thickness: f32) -> Capsule {
        let delta = (to.0 - from.0, to.1 - from.1);
        let length = delta.0 * delta.0 + delta.1 * delta.1;
        let inverse = if length > 0.0 { 1.0 / length } else { 0.0 };
        let thickness = thickness.max(0.0);
        Capsule { from, to, delta, inverse, radius: thickness / 2.0, most: thickness.min(1.0) }
    }

    /// Calls `found` for each pixel of `bounds` that the line covers a part of.
    fn visit(&self, bounds: Rect, mut found: impl FnMut(Point, u8)) {
        let reach = self.radius + 0.5;
        let top = libm::floorf(self.from.1.min(self.to.1) - reach) as i32;
        let bottom = libm::ceilf(self.from.1.max(self.to.1) + reach) as i32;
        for y in top.max(bounds.at.y)..bottom.min(bounds.bottom()) {
            let (left, right) = self.columns(y as f32 + 0.5, reach);
            for x in left.max(bounds.at.x)..right.min(bounds.right()) {
                let covered = self.coverage(x as f32 + 0.5, y as f32 + 0.5);
                if covered > 0 {
                    found(Point { x, y }, covered);
                }
            }
        }
    }

    /// The columns of a row that the line can touch: around where it crosses the row, and never beyond its
    /// ends. A long steep line would otherwise cost its whole bounding box.
    fn columns(&self, y: f32, reach: f32) -> (i32, i32) {
        let left = self.from.0.min(self.to.0) - reach;
        let right = self.from.0.max(self.to.0) + reach;
        let (left, right) = if self.delta.1 == 0.0 {
            (left, right)
        } else {
            let slope = self.delta.0 / self.delta.1;
            let middle = self.from.0 + (y - self.from.1) * slope;
            let half = reach * libm::sqrtf(1.0 + slope * slope);
            (left.max(middle - half), right.min(middle + half))
        };
        (libm::floorf(left) as i32, libm::ceilf(right) as i32)
    }

    fn coverage(&self, x: f32, y: f32) -> u8 {
        let (px, py) = (x - self.from.0, y - self.from.1);
        let along = ((px * self.delta.0 + py * self.delta.1) * self.inverse).clamp(0.0, 1.0);
        let (dx, dy) = (px - along * self.delta.0, py - along * self.delta.1);
        let square = dx * dx + dy * dy;
        let (inner, outer) = (self.radius - 0.5, self.radius + 0.5);
        if square >= outer * outer {
            return 0;
        }
        if inner > 0.0 && square <= inner * inner {
            return 255;
        }
        ((outer - libm::sqrtf(square)).min(self.most) * 255.0 + 0.5).max(0.0) as u8
    }
}
