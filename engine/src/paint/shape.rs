//! Shapes: anti-aliased rounded rectangles and ellipses, filled or outlined.
//!
//! Each shape knows its signed distance: how far a place lies outside (negative inside) in pixels. A pixel
//! whose centre is half a pixel inside is covered whole, half a pixel outside not at all, and linearly in
//! between; for straight edges along the grid that is exact. All shapes are convex, so each row is two
//! ramps around one stretch of equal pixels.

use super::{Canvas, Color, Point};

/// A rectangle with round corners, its edges anywhere between pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundRect {
    /// Left edge in pixels.
    pub left: f32,
    /// Upper edge in pixels.
    pub top: f32,
    /// Right edge in pixels.
    pub right: f32,
    /// Lower edge in pixels.
    pub bottom: f32,
    /// Radius of the corners in pixels; it is cut to half the shorter side.
    pub radius: f32,
}

/// An ellipse that fills a rectangle, its edges anywhere between pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipse {
    /// Left edge in pixels.
    pub left: f32,
    /// Upper edge in pixels.
    pub top: f32,
    /// Right edge in pixels.
    pub right: f32,
    /// Lower edge in pixels.
    pub bottom: f32,
}

/// What two rectangles have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlap(pub RoundRect, pub RoundRect);

impl RoundRect {
    /// Draws its inside.
    pub fn fill(&self, canvas: &mut Canvas<'_>, color: Color) {
        fill(canvas, self, color);
    }

    /// Draws its outline, `thickness` pixels wide, inside its edges.
    pub fn stroke(&self, canvas: &mut Canvas<'_>, thickness: f32, color: Color) {
        stroke(canvas, self, thickness, color);
    }
}

impl Overlap {
    /// Draws it.
    pub fn fill(&self, canvas: &mut Canvas<'_>, color: Color) {
        fill(canvas, self, color);
    }
}

impl Ellipse {
    /// Draws its inside.
    pub fn fill(&self, canvas: &mut Canvas<'_>, color: Color) {
        fill(canvas, self, color);
    }

    /// Draws its outline, `thickness` pixels wide, inside its edges.
    pub fn stroke(&self, canvas: &mut Canvas<'_>, thickness: f32, color: Color) {
        stroke(canvas, self, thickness, color);
    }
}

/// A convex shape that knows how far any place is from its edge.
trait Distance {
    /// Left, upper, right and lower edge.
    fn edges(&self) -> [f32; 4];
    /// Pixels from (`x`, `y`) to the edge, negative inside.
    fn distance(&self, x: f32, y: f32) -> f32;
}

impl Distance for RoundRect {
    fn edges(&self) -> [f32; 4] {
        [self.left, self.top, self.right, self.bottom]
    }

    /// Exact (the distance to a box shrunk by the radius, less the radius).
    fn distance(&self, x: f32, y: f32) -> f32 {
        let (half_width, half_height) = ((self.right - self.left) / 2.0, (self.bottom - self.top) / 2.0);
        let radius = self.radius.max(0.0).min(half_width.min(half_height));
        let dx = (x - self.left - half_width).abs() - half_width + radius;
        let dy = (y - self.top - half_height).abs() - half_height + radius;
        if dx > 0.0 && dy > 0.0 { libm::sqrtf(dx * dx + dy * dy) - radius } else { dx.max(dy) - radius }
    }
}

impl Distance for Overlap {
    fn edges(&self) -> [f32; 4] {
        let (a, b) = (self.0.edges(), self.1.edges());
        [a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]
    }

    fn distance(&self, x: f32, y: f32) -> f32 {
        self.0.distance(x, y).max(self.1.distance(x, y))
    }
}

impl Distance for Ellipse {
    fn edges(&self) -> [f32; 4] {
        [self.left, self.top, self.right, self.bottom]
    }

    /// Of first order: the implicit function over the length of its gradient, exact for circles.
    fn distance(&self, x: f32, y: f32) -> f32 {
        let (a, b) = ((self.right - self.left) / 2.0, (self.bottom - self.top) / 2.0);
        let (px, py) = ((x - self.left - a) / a, (y - self.top - b) / b);
        let slope = libm::sqrtf(px / a * (px / a) + py / b * (py / b));
        let reach = libm::sqrtf(px * px + py * py);
        if slope > 0.0 { reach * (reach - 1.0) / slope } else { -a.min(b) }
    }
}

fn fill(canvas: &mut Canvas<'_>, shape: &impl Distance, color: Color) {
    let thin = thinness(shape);
    sweep(canvas, shape, 0.5, |distance| coverage(distance, thin), color, true);
}

fn stroke(canvas: &mut Canvas<'_>, shape: &impl Distance, thickness: f32, color: Color) {
    // `max` before `min` also turns a thickness that is no number into 0.
    let thickness = thickness.max(0.0);
    let thin = thinness(shape);
    let ring = |distance| coverage(distance, thin).saturating_sub(coverage(distance + thickness, thin));
    sweep(canvas, shape, 0.5 + thickness, ring, color, false);
}

/// Draws a convex shape row by row: ramps from both sides to the stretch that lies `deep` pixels inside,
/// and that stretch in full (`solid`) or not at all.
fn sweep(
    canvas: &mut Canvas<'_>,
    shape: &impl Distance,
    deep: f32,
    alpha: impl Fn(f32) -> u8,
    color: Color,
    solid: bool,
) {
    let clip = canvas.clip();
    let [left, top, right, bottom] = shape.edges();
    if !(left < right && top < bottom) || clip.is_empty() {
        return;
    }
    // Float to integer casts saturate, so nothing overflows before the clip bounds it.
    let (first, last) = (libm::floorf(left) as i32, libm::ceilf(right) as i32);
    for y in (libm::floorf(top) as i32).max(clip.at.y)..(libm::ceilf(bottom) as i32).min(clip.bottom()) {
        let distance = |x: i32| shape.distance(x as f32 + 0.5, y as f32 + 0.5);
        let (from, to) = (first.max(clip.at.x), last.min(clip.right()));
        let mut start = from;
        while start < to && distance(start) > -deep {
            canvas.cover(Point::new(start, y), alpha(distance(start)), color);
            start += 1;
        }
        let mut end = to;
        while end > start && distance(end - 1) > -deep {
            end -= 1;
            canvas.cover(Point::new(end, y), alpha(distance(end)), color);
        }
        if solid {
            canvas.span(y, start, end, color);
        }
    }
}

/// How much of a pixel a shape can cover at most: less than all where it is thinner than one pixel.
fn thinness(shape: &impl Distance) -> f32 {
    let [left, top, right, bottom] = shape.edges();
    (right - left).clamp(0.0, 1.0) * (bottom - top).clamp(0.0, 1.0)
}

/// The coverage of a pixel whose centre is `distance` from the edge, 0 to 255.
fn coverage(distance: f32, most: f32) -> u8 {
    // The cast saturates, and rounds to nearest by the half added.
    ((0.5 - distance).min(most) * 255.0 + 0.5).max(0.0) as u8
}
