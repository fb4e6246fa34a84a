//! Lines: anti-aliased strokes, collected as coverage first and drawn as one.

use alloc::vec::Vec;

use super::geometry::{ceil, floor};
use super::{Canvas, Color, Rect, blend};

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
        self.visit(&Capsule::new(from, to, thickness), |_, covered, byte| *byte = covered.max(*byte));
    }

    /// Adds a filled circle.
    pub fn dot(&mut self, center: (f32, f32), radius: f32) {
        self.line(center, center, radius * 2.0);
    }

    /// Replaces what is there by an empty circle whose line of `thickness` pixels lies inside `radius`.
    pub fn ring(&mut self, center: (f32, f32), radius: f32, thickness: f32) {
        let outer = Capsule::new(center, center, radius * 2.0);
        let inner = Capsule::new(center, center, (radius - thickness) * 2.0);
        self.visit(&outer, |(x, y), covered, byte| {
            *byte = covered.saturating_sub(inner.coverage(x, y)).max(blend::scale(*byte, 255 - covered));
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

    /// Calls `found` with centre, coverage and byte of each pixel that a line covers a part of.
    fn visit(&mut self, line: &Capsule, found: impl Fn((f32, f32), u8, &mut u8)) {
        let bounds = self.bounds;
        let (top, bottom) = line.rows();
        for y in top.max(bounds.at.y)..bottom.min(bounds.bottom()) {
            let row = y as f32 + 0.5;
            let (left, right) = line.columns(row);
            let (left, right) = (left.max(bounds.at.x), right.min(bounds.right()));
            if left >= right {
                continue;
            }
            // Both are inside the bounds, so neither difference is negative.
            let start =
                (y - bounds.at.y) as usize * bounds.size.width as usize + (left - bounds.at.x) as usize;
            let bytes = self.coverage.get_mut(start..).unwrap_or(&mut []);
            for (x, byte) in (left..right).zip(bytes) {
                let covered = line.coverage(x as f32 + 0.5, row);
                if covered > 0 {
                    found((x as f32 + 0.5, row), covered, byte);
                }
            }
        }
    }
}

/// All places within a radius of a straight line.
struct Capsule {
    from: (f32, f32),
    to: (f32, f32),
    delta: (f32, f32),
    /// 1 over the length squared, or 0 for a single point.
    inverse: f32,
    /// Columns to the right for each row down.
    slope: f32,
    /// How far to both sides of where it crosses a row it can touch that row.
    spread: f32,
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
        let (radius, most) = (thickness / 2.0, thickness.min(1.0));
        let slope = if delta.1 == 0.0 { 0.0 } else { delta.0 / delta.1 };
        let spread = (radius + 0.5) * libm::sqrtf(1.0 + slope * slope);
        Capsule { from, to, delta, inverse, slope, spread, radius, most }
    }

    /// The rows whose middle is near enough to be touched.
    fn rows(&self) -> (i32, i32) {
        centres(
            self.from.1.min(self.to.1) - self.radius - 0.5,
            self.from.1.max(self.to.1) + self.radius + 0.5,
        )
    }

    /// The columns of a row that are near enough to be touched: around where it crosses the row, and never beyond its
    /// ends. A long steep line would otherwise cost its whole bounding box.
    fn columns(&self, y: f32) -> (i32, i32) {
        let reach = self.radius + 0.5;
        let mut left = self.from.0.min(self.to.0) - reach;
        let mut right = self.from.0.max(self.to.0) + reach;
        if self.delta.1 != 0.0 {
            let middle = self.from.0 + (y - self.from.1) * self.slope;
            left = left.max(middle - self.spread);
            right = right.min(middle + self.spread);
        }
        centres(left, right)
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

/// The pixels whose centres lie from `low` to `high`, as a half-open range.
fn centres(low: f32, high: f32) -> (i32, i32) {
    (ceil(low - 0.5), floor(high - 0.5).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::paint::picture::{WHITE, picture};

    /// The picture of a mask on which `draw` drew.
    fn masked(width: u32, height: u32, draw: impl FnOnce(&mut Mask)) -> alloc::string::String {
        let mut mask = Mask::default();
        mask.clear(Rect::new(0, 0, width, height));
        draw(&mut mask);
        picture(width, height, |canvas| mask.paint(canvas, WHITE))
    }

    #[test]
    fn lines() {
        let stroke = |to, thickness| masked(16, 8, |mask| mask.line((1.5, 1.5), to, thickness));
        insta::assert_snapshot!(stroke((14.5, 1.5), 1.0), @r"
        ................
        .@@@@@@@@@@@@@@.
        ................
        ................
        ................
        ................
        ................
        ................
        ");
        insta::assert_snapshot!(stroke((14.5, 6.5), 1.5), @r"
        .-..............
        -@%+-...........
        .=*@@x=:........
        ...:+x@%*-......
        ......-*%@x+:...
        ........:=x@@*=.
        ...........-+%@-
        ..............-.
        ");
        insta::assert_snapshot!(stroke((4.5, 6.5), 3.0), @r"
        *@*.............
        @@@=............
        *@@x............
        :%@@+...........
        .+@@%:..........
        ..x@@*..........
        ..=@@@..........
        ...*@*..........
        ");
        insta::assert_snapshot!(stroke((1.5, 6.5), 0.5), @r"
        ................
        .+..............
        .+..............
        .+..............
        .+..............
        .+..............
        .+..............
        ................
        ");
    }

    #[test]
    fn polylines_are_no_darker_at_their_joints() {
        let zigzag = [(1.5, 6.5), (5.5, 1.5), (9.5, 6.5), (14.5, 1.5)];
        insta::assert_snapshot!(masked(16, 8, |mask| mask.polyline(&zigzag, 1.5)), @r"
        .....-........-.
        ....+@+......+@-
        ...=@*@=....+@+.
        ..-%x.x%-..+@+..
        ..x%-.-%x.+@+...
        .*@=...=@*@+....
        -@+.....+@+.....
        .-.......-......
        ");
        let twice = masked(16, 8, |mask| {
            mask.polyline(&zigzag, 1.5);
            mask.polyline(&zigzag, 1.5);
        });
        assert_eq!(twice, masked(16, 8, |mask| mask.polyline(&zigzag, 1.5)));
    }

    #[test]
    fn dots_and_rings() {
        insta::assert_snapshot!(masked(7, 7, |mask| mask.dot((3.5, 3.5), 2.5)), @r"
        .......
        .-x@x-.
        .x@@@x.
        .@@@@@.
        .x@@@x.
        .-x@x-.
        .......
        ");
        let ring = masked(13, 7, |mask| {
            mask.line((0.5, 3.5), (6.5, 3.5), 1.5);
            mask.ring((6.5, 3.5), 3.0, 1.0);
        });
        insta::assert_snapshot!(ring, @r"
        .....=+=.....
        ....*x+x*....
        ---=x...x=...
        @@@++...++...
        ---=x...x=...
        ....*x+x*....
        .....=+=.....
        ");
    }

    #[test]
    fn masks_are_bounded() {
        let mut mask = Mask::default();
        mask.clear(Rect::new(0, 0, u32::MAX, u32::MAX));
        mask.line((0.0, 0.0), (9.0, 9.0), 1.0);
        assert_eq!((mask.bounds(), mask.coverage().len()), (Rect::default(), 0));
    }

    proptest! {
        #[test]
        fn a_part_of_a_line_is_a_part_of_the_whole(
            from in (-9.0..29.0f32, -9.0..29.0f32), to in (-9.0..29.0f32, -9.0..29.0f32), thickness in 0.1..6.0f32,
            part in (0..20i32, 0..20i32, 1..20u32, 1..20u32),
        ) {
            let part = Rect::new(part.0, part.1, part.2, part.3);
            let (mut whole, mut cut) = (Mask::default(), Mask::default());
            whole.clear(Rect::new(0, 0, 40, 40));
            cut.clear(part);
            whole.line(from, to, thickness);
            cut.line(from, to, thickness);
            let rows = cut.coverage().chunks_exact(part.size.width as usize);
            for (row, y) in rows.zip(part.at.y as usize..) {
                let start = y * 40 + part.at.x as usize;
                prop_assert_eq!(row, &whole.coverage()[start..start + row.len()]);
            }
        }

        #[test]
        fn any_line_is_answered(from: (f32, f32), to: (f32, f32), thickness: f32) {
            let mut mask = Mask::default();
            mask.clear(Rect::new(-3, 5, 9, 9));
            mask.line(from, to, thickness);
            mask.ring(to, thickness, 1.0);
        }
    }
}
