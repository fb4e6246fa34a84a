//! Shapes: anti-aliased rounded rectangles and ellipses, filled or outlined.
//!
//! Each shape knows its signed distance: how far a place lies outside (negative inside) in pixels. A pixel
//! whose centre is half a pixel inside is covered whole, half a pixel outside not at all, and linearly in
//! between; for straight edges along the grid that is exact. All shapes are convex, so each row is two
//! ramps around one stretch of equal pixels.

use super::geometry::{ceil, floor};
use super::{Canvas, Color, Point, Rect};

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
    /// The pixels of `rect` with corners of `radius` pixels.
    pub fn new(rect: Rect, radius: f32) -> RoundRect {
        let Ellipse { left, top, right, bottom } = Ellipse::new(rect);
        RoundRect { left, top, right, bottom, radius }
    }

    /// Draws its inside.
    pub fn fill(&self, canvas: &mut Canvas<'_>, color: Color) {
        fill(canvas, self, color);
    }

    /// Draws its outline, `thickness` pixels wide, inside its edges.
    pub fn stroke(&self, canvas: &mut Canvas<'_>, thickness: f32, color: Color) {
        if thickness > 0.0 {
            stroke(canvas, self, &self.inset(thickness), color);
        }
    }

    /// The shape whose edges lie `by` pixels inside this one's.
    #[must_use]
    pub fn inset(&self, by: f32) -> RoundRect {
        let RoundRect { left, top, right, bottom, radius } = *self;
        RoundRect {
            left: left + by,
            top: top + by,
            right: right - by,
            bottom: bottom - by,
            radius: radius - by,
        }
    }
}

impl Overlap {
    /// Draws it.
    pub fn fill(&self, canvas: &mut Canvas<'_>, color: Color) {
        fill(canvas, self, color);
    }
}

impl Ellipse {
    /// The ellipse that fills `rect`.
    pub fn new(rect: Rect) -> Ellipse {
        let (left, top) = (rect.at.x as f32, rect.at.y as f32);
        Ellipse { left, top, right: rect.right() as f32, bottom: rect.bottom() as f32 }
    }

    /// Draws its inside.
    pub fn fill(&self, canvas: &mut Canvas<'_>, color: Color) {
        fill(canvas, self, color);
    }

    /// Draws its outline, `thickness` pixels wide, inside its edges.
    pub fn stroke(&self, canvas: &mut Canvas<'_>, thickness: f32, color: Color) {
        if thickness > 0.0 {
            stroke(canvas, self, &self.inset(thickness), color);
        }
    }

    /// The shape whose edges lie `by` pixels inside this one's.
    #[must_use]
    pub fn inset(&self, by: f32) -> Ellipse {
        let Ellipse { left, top, right, bottom } = *self;
        Ellipse { left: left + by, top: top + by, right: right - by, bottom: bottom - by }
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
        if !(a > 0.0 && b > 0.0) {
            return f32::MAX;
        }
        let (px, py) = ((x - self.left - a) / a, (y - self.top - b) / b);
        let slope = libm::sqrtf(px / a * (px / a) + py / b * (py / b));
        let reach = libm::sqrtf(px * px + py * py);
        if slope > 0.0 { reach * (reach - 1.0) / slope } else { -a.min(b) }
    }
}

fn fill(canvas: &mut Canvas<'_>, shape: &impl Distance, color: Color) {
    sweep(canvas, shape, |x, y| shape.distance(x, y), |x, y| coverage(shape, x, y), color, true);
}

/// An outline is the shape without a smaller one inside it.
fn stroke<S: Distance>(canvas: &mut Canvas<'_>, shape: &S, inner: &S, color: Color) {
    let ring = |x, y| coverage(shape, x, y).saturating_sub(coverage(inner, x, y));
    sweep(canvas, shape, |x, y| inner.distance(x, y), ring, color, false);
}

/// Draws a convex shape row by row: ramps from both sides to the stretch where `depth` says that it lies
/// half a pixel deep, and that stretch in full (`solid`) or not at all.
fn sweep(
    canvas: &mut Canvas<'_>,
    shape: &impl Distance,
    depth: impl Fn(f32, f32) -> f32,
    alpha: impl Fn(f32, f32) -> u8,
    color: Color,
    solid: bool,
) {
    let clip = canvas.clip();
    let [left, top, right, bottom] = shape.edges();
    if !(left < right && top < bottom) || clip.is_empty() {
        return;
    }
    // Float to integer casts saturate, so nothing overflows before the clip bounds it.
    let from = (floor(left)).max(clip.at.x);
    let to = (ceil(right)).min(clip.right());
    for y in (floor(top)).max(clip.at.y)..(ceil(bottom)).min(clip.bottom()) {
        let row = y as f32 + 0.5;
        let is_ramp = |x: i32| depth(x as f32 + 0.5, row) > -0.5;
        let mut start = from;
        while start < to && is_ramp(start) {
            canvas.cover(Point::new(start, y), alpha(start as f32 + 0.5, row), color);
            start += 1;
        }
        let mut end = to;
        while end > start && is_ramp(end - 1) {
            end -= 1;
            canvas.cover(Point::new(end, y), alpha(end as f32 + 0.5, row), color);
        }
        if solid {
            canvas.span(y, start, end, color);
        }
    }
}

/// How much of the pixel around (`x`, `y`) a shape covers, 0 to 255. Where the shape is thinner than a
/// pixel it covers less than all of it.
fn coverage(shape: &impl Distance, x: f32, y: f32) -> u8 {
    let [left, top, right, bottom] = shape.edges();
    let most = (right - left).clamp(0.0, 1.0) * (bottom - top).clamp(0.0, 1.0);
    // The cast saturates, and rounds to nearest by the half added.
    ((0.5 - shape.distance(x, y)).min(most) * 255.0 + 0.5).max(0.0) as u8
}
