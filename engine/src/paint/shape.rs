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
    /// Whether a place is known to lie half a pixel inside. Of a row these are one stretch, wherever one begins
    /// to look.
    fn is_deep(&self, x: f32, y: f32) -> bool {
        self.distance(x, y) <= -0.5
    }
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

    /// In a flat ellipse, the distance of first order is less in the middle of a row than beside it. This one is
    /// smaller than the true distance and grows from the middle on: places half a pixel inside are an ellipse.
    fn is_deep(&self, x: f32, y: f32) -> bool {
        let (a, b) = ((self.right - self.left) / 2.0, (self.bottom - self.top) / 2.0);
        let (px, py) = ((x - self.left - a) / a, (y - self.top - b) / b);
        let reach = libm::sqrtf(px * px + py * py);
        a > 0.0 && b > 0.0 && (1.0 - reach) * a.min(b) >= 0.5
    }
}

fn fill(canvas: &mut Canvas<'_>, shape: &impl Distance, color: Color) {
    sweep(canvas, shape, |x, y| shape.is_deep(x, y), |x, y| coverage(shape, x, y), color, true);
}

/// An outline is the shape without a smaller one inside it.
fn stroke<S: Distance>(canvas: &mut Canvas<'_>, shape: &S, inner: &S, color: Color) {
    let ring = |x, y| coverage(shape, x, y).saturating_sub(coverage(inner, x, y));
    sweep(canvas, shape, |x, y| inner.is_deep(x, y), ring, color, false);
}

/// Draws a convex shape row by row: ramps from both sides to the stretch that `is_deep`, and that stretch in
/// full (`solid`) or not at all.
fn sweep(
    canvas: &mut Canvas<'_>,
    shape: &impl Distance,
    is_deep: impl Fn(f32, f32) -> bool,
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
        let is_ramp = |x: i32| !is_deep(x as f32 + 0.5, row);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::paint::picture::{WHITE, picture};
    use crate::paint::{Frame, Size};

    const fn round_rect(left: f32, top: f32, right: f32, bottom: f32, radius: f32) -> RoundRect {
        RoundRect { left, top, right, bottom, radius }
    }

    #[test]
    fn rectangles() {
        let shape = round_rect(1.0, 1.0, 13.0, 6.0, 0.0);
        insta::assert_snapshot!(picture(14, 7, |canvas| shape.fill(canvas, WHITE)), @r"
        ..............
        .@@@@@@@@@@@@.
        .@@@@@@@@@@@@.
        .@@@@@@@@@@@@.
        .@@@@@@@@@@@@.
        .@@@@@@@@@@@@.
        ..............
        ");
        insta::assert_snapshot!(picture(14, 7, |canvas| shape.stroke(canvas, 1.0, WHITE)), @r"
        ..............
        .@@@@@@@@@@@@.
        .@..........@.
        .@..........@.
        .@..........@.
        .@@@@@@@@@@@@.
        ..............
        ");
        let between_pixels = round_rect(1.5, 1.25, 12.25, 5.5, 0.0);
        insta::assert_snapshot!(picture(14, 7, |canvas| between_pixels.fill(canvas, WHITE)), @r"
        ..............
        .+xxxxxxxxxx-.
        .+@@@@@@@@@@-.
        .+@@@@@@@@@@-.
        .+@@@@@@@@@@-.
        .+++++++++++-.
        ..............
        ");
    }

    #[test]
    fn round_corners() {
        let shape = round_rect(0.0, 0.0, 20.0, 9.0, 4.0);
        insta::assert_snapshot!(picture(20, 9, |canvas| shape.fill(canvas, WHITE)), @r"
        .-*%@@@@@@@@@@@@%*-.
        -%@@@@@@@@@@@@@@@@%-
        *@@@@@@@@@@@@@@@@@@*
        %@@@@@@@@@@@@@@@@@@%
        @@@@@@@@@@@@@@@@@@@@
        %@@@@@@@@@@@@@@@@@@%
        *@@@@@@@@@@@@@@@@@@*
        -%@@@@@@@@@@@@@@@@%-
        .-*%@@@@@@@@@@@@%*-.
        ");
        insta::assert_snapshot!(picture(20, 9, |canvas| shape.stroke(canvas, 1.5, WHITE)), @r"
        .-*%@@@@@@@@@@@@%*-.
        -%%++++++++++++++%%-
        *%:..............:%*
        %+................+%
        @+................+@
        %+................+%
        *%:..............:%*
        -%%++++++++++++++%%-
        .-*%@@@@@@@@@@@@%*-.
        ");
        let pill = round_rect(0.0, 0.0, 20.0, 5.0, 99.0);
        insta::assert_snapshot!(picture(20, 5, |canvas| pill.fill(canvas, WHITE)), @r"
        -x@@@@@@@@@@@@@@@@x-
        x@@@@@@@@@@@@@@@@@@x
        @@@@@@@@@@@@@@@@@@@@
        x@@@@@@@@@@@@@@@@@@x
        -x@@@@@@@@@@@@@@@@x-
        ");
    }

    #[test]
    fn ellipses() {
        let circle = Ellipse::new(Rect::new(0, 0, 11, 11));
        insta::assert_snapshot!(picture(11, 11, |canvas| circle.fill(canvas, WHITE)), @r"
        ..-*%@%*-..
        .=@@@@@@@=.
        -@@@@@@@@@-
        *@@@@@@@@@*
        %@@@@@@@@@%
        @@@@@@@@@@@
        %@@@@@@@@@%
        *@@@@@@@@@*
        -@@@@@@@@@-
        .=@@@@@@@=.
        ..-*%@%*-..
        ");
        insta::assert_snapshot!(picture(11, 11, |canvas| circle.stroke(canvas, 1.0, WHITE)), @r"
        ..-*%@%*-..
        .=@+:.:+@=.
        -@-.....-@-
        *+.......+*
        %:.......:%
        @.........@
        %:.......:%
        *+.......+*
        -@-.....-@-
        .=@+:.:+@=.
        ..-*%@%*-..
        ");
        let flat = Ellipse::new(Rect::new(0, 0, 24, 7));
        insta::assert_snapshot!(picture(24, 7, |canvas| flat.fill(canvas, WHITE)), @r"
        ...:-+*xx%%%%%%xx*+-:...
        .-*%@@@@@@@@@@@@@@@@%*-.
        +@@@@@@@@@@@@@@@@@@@@@@+
        @@@@@@@@@@@@@@@@@@@@@@@@
        +@@@@@@@@@@@@@@@@@@@@@@+
        .-*%@@@@@@@@@@@@@@@@%*-.
        ...:-+*xx%%%%%%xx*+-:...
        ");
    }

    #[test]
    fn thin_shapes_are_faint() {
        let half = round_rect(1.25, 0.0, 1.75, 1.0, 0.0);
        let mut frame = Frame::new(Size::new(3, 1), Color::rgb(0, 0, 0));
        half.fill(&mut Canvas::new(&mut frame), WHITE);
        assert_eq!(
            frame.pixels().chunks_exact(4).map(|pixel| pixel[0]).collect::<alloc::vec::Vec<_>>(),
            [0, 128, 0]
        );
    }

    #[test]
    fn what_is_no_shape_draws_nothing() {
        let nothing = picture(4, 4, |_| ());
        for (left, right, radius) in
            [(3.0, 1.0, 0.0), (f32::NAN, 3.0, 1.0), (1.0, f32::NAN, f32::NAN), (2.0, 2.0, 0.0)]
        {
            let shape = round_rect(left, 0.0, right, 4.0, radius);
            assert_eq!(picture(4, 4, |canvas| shape.fill(canvas, WHITE)), nothing);
            assert_eq!(picture(4, 4, |canvas| shape.stroke(canvas, 1.0, WHITE)), nothing);
        }
        let shape = round_rect(0.0, 0.0, 4.0, 4.0, 0.0);
        assert_eq!(picture(4, 4, |canvas| shape.stroke(canvas, f32::NAN, WHITE)), nothing);
    }

    #[derive(Clone, Copy, Debug)]
    enum Any {
        Rect(RoundRect),
        Ellipse(Ellipse),
        Overlap(Overlap),
    }

    impl Any {
        fn draw(self, canvas: &mut Canvas<'_>, thickness: Option<f32>) {
            match (self, thickness) {
                (Any::Rect(shape), None) => shape.fill(canvas, WHITE),
                (Any::Rect(shape), Some(thickness)) => shape.stroke(canvas, thickness, WHITE),
                (Any::Ellipse(shape), None) => shape.fill(canvas, WHITE),
                (Any::Ellipse(shape), Some(thickness)) => shape.stroke(canvas, thickness, WHITE),
                (Any::Overlap(shape), _) => shape.fill(canvas, WHITE),
            }
        }
    }

    fn any_shape() -> impl Strategy<Value = Any> {
        let edges = || (-8.0..40.0f32, -8.0..40.0f32, 0.1..50.0f32, 0.1..50.0f32, 0.0..20.0f32);
        let rect = |(x, y, w, h, r): (f32, f32, f32, f32, f32)| round_rect(x, y, x + w, y + h, r);
        prop_oneof![
            edges().prop_map(move |edges| Any::Rect(rect(edges))),
            (edges(), edges()).prop_map(move |(a, b)| Any::Overlap(Overlap(rect(a), rect(b)))),
            edges().prop_map(move |edges| {
                let RoundRect { left, top, right, bottom, .. } = rect(edges);
                Any::Ellipse(Ellipse { left, top, right, bottom })
            }),
            (0..40i32, 0..40i32, 1..40u32, 1..40u32)
                .prop_map(|(x, y, w, h)| Any::Ellipse(Ellipse::new(Rect::new(x, y, w, h)))),
        ]
    }

    /// The outline's inside is half a pixel high, and its middle begins at the clip.
    #[test]
    fn a_flat_ellipse_is_the_same_from_its_middle_on() {
        let shape = Ellipse { left: 0.0, top: 19.489_147, right: 46.352_74, bottom: 27.459_335 };
        let draw = |clip| {
            let mut frame = Frame::new(Size::new(40, 40), Color::rgb(0, 0, 0));
            shape.stroke(&mut Canvas::new(&mut frame).clipped(clip), 3.744_952_7, WHITE);
            frame.pixel(Point::new(17, 23))
        };
        assert_eq!(draw(Rect::new(17, 0, 1, 24)), draw(Rect::new(0, 0, 40, 40)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// A widget is repainted in pieces, so a piece must be the same as that part of the whole.
        #[test]
        fn a_clipped_shape_is_a_part_of_the_whole(
            shape in any_shape(), thickness in prop::option::of(0.2..6.0f32),
            clip in (0..40i32, 0..40i32, 1..40u32, 1..40u32),
        ) {
            let clip = Rect::new(clip.0, clip.1, clip.2, clip.3);
            let mut whole = Frame::new(Size::new(40, 40), Color::rgb(0, 0, 0));
            let mut part = whole.clone();
            shape.draw(&mut Canvas::new(&mut whole), thickness);
            shape.draw(&mut Canvas::new(&mut part).clipped(clip), thickness);
            for y in 0..40 {
                for x in 0..40 {
                    let at = Point::new(x, y);
                    let expected = if clip.contains(at) { whole.pixel(at) } else { Some(Color::rgb(0, 0, 0)) };
                    prop_assert_eq!(part.pixel(at), expected, "{} {}", x, y);
                }
            }
        }
    }
}
