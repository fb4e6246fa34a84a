//! Shapes: figures that do not change by themselves.

use crate::paint::{Canvas, Color, Ellipse, Mask, Rect, RoundRect};
use crate::widget::{Figure, Shape, Stroke};

/// Paints the shape so that it fills `rect`.
pub(crate) fn paint(shape: &Shape, rect: Rect, canvas: &mut Canvas<'_>, mask: &mut Mask) {
    let mut canvas = canvas.clipped(rect);
    // The fill ends below the middle of the stroke, so that it cannot shine out around it.
    let inset = shape.stroke.map_or(0.0, |stroke| stroke.thickness as f32 / 2.0);
    let stroke = shape.stroke.map(|Stroke { color, thickness }| (color, thickness as f32));
    match shape.figure {
        Figure::Rectangle { radius } => {
            let outer = RoundRect::new(rect, radius as f32);
            shape.fill.into_iter().for_each(|color| outer.inset(inset).fill(&mut canvas, color));
            stroke.into_iter().for_each(|(color, thickness)| outer.stroke(&mut canvas, thickness, color));
        }
        Figure::Ellipse => {
            let outer = Ellipse::new(rect);
            shape.fill.into_iter().for_each(|color| outer.inset(inset).fill(&mut canvas, color));
            stroke.into_iter().for_each(|(color, thickness)| outer.stroke(&mut canvas, thickness, color));
        }
        Figure::Line { rising } => {
            if let Some((color, thickness)) = stroke {
                line(rect, rising, thickness, color, &mut canvas, mask);
            }
        }
    }
}

/// A line between two corners, its round ends inside the rectangle. In a rectangle as high as it is thick
/// it is a hairline that fills whole pixels.
fn line(rect: Rect, rising: bool, thickness: f32, color: Color, canvas: &mut Canvas<'_>, mask: &mut Mask) {
    let inset = thickness / 2.0;
    let (left, right) = (rect.at.x as f32 + inset, rect.right() as f32 - inset);
    let (top, bottom) = (rect.at.y as f32 + inset, rect.bottom() as f32 - inset);
    mask.clear(canvas.clip());
    match rising {
        true => mask.line((left, bottom), (right, top), thickness),
        false => mask.line((left, top), (right, bottom), thickness),
    }
    mask.paint(canvas, color);
}
