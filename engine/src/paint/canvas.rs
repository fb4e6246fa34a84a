//! The canvas: draws on a frame, inside a clip rectangle.

use core::convert::Infallible;

use embedded_graphics_core::Pixel;
use embedded_graphics_core::draw_target::DrawTarget;
use embedded_graphics_core::geometry::{OriginDimensions, Point as EgPoint, Size as EgSize};
use embedded_graphics_core::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics_core::primitives::Rectangle;

use super::{Color, Frame, Point, Rect, blend};

/// Draws on a [`Frame`]. Nothing outside its clip rectangle is ever touched.
///
/// A canvas is an embedded-graphics [`DrawTarget`] too, so any `Drawable` in [`Rgb888`] can be drawn on it.
///
/// ```
/// use engine::paint::{Canvas, Color, Frame, Point, Rect, Size};
/// let mut frame = Frame::new(Size::new(4, 4), Color::rgb(0, 0, 0));
/// Canvas::new(&mut frame).fill(Rect::new(1, 1, 9, 9), Color::rgb(255, 255, 255).with_alpha(128));
/// assert_eq!(frame.pixel(Point::new(3, 3)), Some(Color::rgb(128, 128, 128)));
/// assert_eq!(frame.pixel(Point::new(0, 3)), Some(Color::rgb(0, 0, 0)));
/// ```
#[derive(Debug)]
pub struct Canvas<'a> {
    frame: &'a mut Frame,
    clip: Rect,
}

impl<'a> Canvas<'a> {
    /// A canvas on the whole of `frame`.
    pub fn new(frame: &'a mut Frame) -> Canvas<'a> {
        let clip = frame.bounds();
        Canvas { frame, clip }
    }

    /// The same canvas, clipped to what lies in `rect` too.
    pub fn clipped(&mut self, rect: Rect) -> Canvas<'_> {
        let clip = self.clip.intersection(&rect);
        Canvas { frame: self.frame, clip }
    }

    /// Where it draws.
    pub fn clip(&self) -> Rect {
        self.clip
    }

    /// Draws a rectangle of whole pixels in one colour.
    pub fn fill(&mut self, rect: Rect, color: Color) {
        for y in rows(&rect.intersection(&self.clip)) {
            self.span(y, rect.at.x, rect.right(), color);
        }
    }

    /// Draws row `y` from column `left` up to but without column `right`.
    pub fn span(&mut self, y: i32, left: i32, right: i32, color: Color) {
        if y < self.clip.at.y || y >= self.clip.bottom() || color.a == 0 {
            return;
        }
        let (left, right) = (left.max(self.clip.at.x), right.min(self.clip.right()));
        let row = self.frame.row_mut(y, left, right);
        if color.a == 255 {
            row.fill([color.r, color.g, color.b, 255]);
        } else {
            row.iter_mut().for_each(|pixel| blend::over(pixel, color, color.a));
        }
    }

    /// Draws the part `coverage` (0 to 255) of one pixel.
    pub fn cover(&mut self, at: Point, coverage: u8, color: Color) {
        if coverage != 0 && self.clip.contains(at) {
            let alpha = blend::scale(coverage, color.a);
            self.frame
                .row_mut(at.y, at.x, at.x + 1)
                .iter_mut()
                .for_each(|pixel| blend::over(pixel, color, alpha));
        }
    }

    /// Draws row `y` from column `left` up to but without column `right`, of each column the part
    /// `coverage` (0 to 255).
    pub fn shade(&mut self, y: i32, left: i32, right: i32, color: Color, coverage: impl Fn(i32) -> u8) {
        if y < self.clip.at.y || y >= self.clip.bottom() {
            return;
        }
        let (left, right) = (left.max(self.clip.at.x), right.min(self.clip.right()));
        for (x, pixel) in (left..right).zip(self.frame.row_mut(y, left, right)) {
            blend::over(pixel, color, blend::scale(coverage(x), color.a));
        }
    }

    /// Draws a mask: `coverage` holds a byte (0 to 255) for each pixel of `rect`, row by row. Pixels
    /// without a byte are left alone.
    pub fn mask(&mut self, rect: Rect, coverage: &[u8], color: Color) {
        let inside = rect.intersection(&self.clip);
        for y in rows(&inside) {
            // Both differences are within the rectangle, so they are not negative.
            let start =
                (y - rect.at.y) as usize * rect.size.width as usize + (inside.at.x - rect.at.x) as usize;
            let Some(bytes) = coverage.get(start..start + inside.size.width as usize) else { return };
            let row = self.frame.row_mut(y, inside.at.x, inside.right());
            for (pixel, byte) in row.iter_mut().zip(bytes) {
                if *byte != 0 {
                    blend::over(pixel, color, blend::scale(*byte, color.a));
                }
            }
        }
    }

    /// Reads back the clip rectangle's pixels, row by row, in place of what `ground` held.
    pub(crate) fn keep(&self, ground: &mut alloc::vec::Vec<u8>) {
        ground.clear();
        for y in rows(&self.clip) {
            ground.extend_from_slice(self.frame.row(y, self.clip.at.x, self.clip.right()));
        }
    }

    /// Mixes all that was drawn since `ground` was kept (see [`Canvas::keep`]) back towards it: what is
    /// left is `amount` (0 to 255) of the drawing.
    ///
    /// Over an opaque ground this is what drawing everything to a layer of its own and blending that with
    /// `amount` gives, so overlapping parts of one widget do not shine through each other.
    pub(crate) fn fade(&mut self, ground: &[u8], amount: u8) {
        let row_bytes = self.clip.size.width as usize * 4;
        for (y, ground) in rows(&self.clip).zip(ground.chunks_exact(row_bytes.max(1))) {
            let row = self.frame.row_mut(y, self.clip.at.x, self.clip.right());
            blend::fade(row.as_flattened_mut(), ground, amount);
        }
    }
}

fn rows(rect: &Rect) -> core::ops::Range<i32> {
    rect.at.y..if rect.is_empty() { rect.at.y } else { rect.bottom() }
}

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> EgSize {
        EgSize::new(self.frame.size().width, self.frame.size().height)
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(EgPoint { x, y }, color) in pixels {
            self.cover(Point { x, y }, 255, from_rgb888(color));
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Infallible> {
        let (at, size) = (area.top_left, area.size);
        self.fill(Rect::new(at.x, at.y, size.width, size.height), from_rgb888(color));
        Ok(())
    }

    fn clear(&mut self, color: Rgb888) -> Result<(), Infallible> {
        self.fill(self.clip, from_rgb888(color));
        Ok(())
    }
}

fn from_rgb888(color: Rgb888) -> Color {
    Color::rgb(color.r(), color.g(), color.b())
}

#[cfg(test)]
mod tests {
    use embedded_graphics_core::geometry::Dimensions;

    use super::*;
    use crate::paint::picture::{self, WHITE, picture};
    use crate::paint::{Ellipse, Size};

    #[test]
    fn nothing_is_drawn_outside_the_clip() {
        let drawn = picture(8, 6, |canvas| {
            let mut canvas = canvas.clipped(Rect::new(1, 1, 6, 9));
            let mut canvas = canvas.clipped(Rect::new(-4, 2, 8, 3));
            canvas.fill(Rect::new(-9, -9, 99, 99), WHITE.with_alpha(64));
            canvas.span(3, i32::MIN, i32::MAX, WHITE.with_alpha(64));
            canvas.shade(4, i32::MIN, i32::MAX, WHITE, |x| if x % 2 == 0 { 255 } else { 0 });
            canvas.cover(Point::new(3, 2), 128, WHITE);
            canvas.cover(Point::new(4, 2), 255, WHITE);
            canvas.mask(Rect::new(0, 0, 3, 3), &[255; 9], WHITE);
        });
        insta::assert_snapshot!(drawn, @r"
        ........
        ........
        .@@*....
        .+++....
        .-@-....
        ........
        ");
    }

    #[test]
    fn a_short_mask_leaves_the_rest_alone() {
        let drawn = picture(4, 3, |canvas| canvas.mask(Rect::new(0, 0, 4, 3), &[255; 6], WHITE));
        assert_eq!(drawn, "@@@@\n....\n....\n");
    }

    #[test]
    fn it_is_a_draw_target() {
        let drawn = picture(6, 4, |canvas| {
            assert_eq!(canvas.bounding_box().size, EgSize::new(6, 4));
            let mut canvas = canvas.clipped(Rect::new(0, 0, 5, 9));
            let pixels = [(0, 0), (4, 1), (5, 1), (-1, 2)];
            let pixels = pixels.map(|(x, y)| Pixel(EgPoint::new(x, y), Rgb888::new(255, 255, 255)));
            canvas.draw_iter(pixels).unwrap();
            canvas
                .fill_solid(&Rectangle::new(EgPoint::new(2, 2), EgSize::new(9, 9)), Rgb888::new(90, 90, 90))
                .unwrap();
        });
        insta::assert_snapshot!(drawn, @r"
        @.....
        ....@.
        ..===.
        ..===.
        ");
        assert_eq!(picture(2, 1, |canvas| canvas.clear(Rgb888::new(255, 255, 255)).unwrap()), "@@\n");
    }

    #[test]
    fn overlapping_parts_do_not_shine_through_a_faded_group() {
        let circles = |canvas: &mut Canvas<'_>| {
            for x in [0, 5] {
                Ellipse::new(Rect::new(x, 0, 9, 9)).fill(canvas, WHITE);
            }
        };
        let faded = picture(14, 9, |canvas| {
            let mut ground = alloc::vec::Vec::new();
            canvas.keep(&mut ground);
            circles(canvas);
            canvas.fade(&ground, 128);
        });
        insta::assert_snapshot!(faded, @r"
        ..-+++--+++-..
        .=++++++++++=.
        -++++++++++++-
        ++++++++++++++
        ++++++++++++++
        ++++++++++++++
        -++++++++++++-
        .=++++++++++=.
        ..-+++--+++-..
        ");
        // The same as a layer of its own: every pixel at half its brightness.
        let mut layer = Frame::new(Size::new(14, 9), Color::rgb(0, 0, 0));
        circles(&mut Canvas::new(&mut layer));
        let mut half = Frame::new(layer.size(), Color::rgb(0, 0, 0));
        for y in 0..9 {
            for x in 0..14 {
                let at = Point::new(x, y);
                Canvas::new(&mut half).cover(at, 128, layer.pixel(at).unwrap());
            }
        }
        assert_eq!(faded, picture::of(&half, half.bounds()));
    }
}
