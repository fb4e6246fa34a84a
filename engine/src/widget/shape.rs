//! Shapes: figures that do not change by themselves.

use crate::paint::{Canvas, Color, Ellipse, Mask, Rect, RoundRect};
use crate::widget::{Figure, Shape, Stroke};

/// Paints the shape so that it fills `rect`.
pub(crate) fn paint(shape: &Shape, rect: Rect, canvas: &mut Canvas<'_>, mask: &mut Mask) {
    let mut canvas = canvas.clipped(rect);
    match shape.figure {
        Figure::Rectangle { radius } => {
            // The fill ends below the middle of the stroke, so that it cannot shine out around it.
            let inset = shape.stroke.map_or(0.0, |stroke| stroke.thickness as f32 / 2.0);
            if let Some(color) = shape.fill {
                round_rect(rect, radius, inset).fill(&mut canvas, color);
            }
            if let Some(Stroke { color, thickness }) = shape.stroke {
                round_rect(rect, radius, 0.0).stroke(&mut canvas, thickness as f32, color);
            }
        }
        Figure::Ellipse => {
            let inset = shape.stroke.map_or(0.0, |stroke| stroke.thickness as f32 / 2.0);
            if let Some(color) = shape.fill {
                ellipse(rect, inset).fill(&mut canvas, color);
            }
            if let Some(Stroke { color, thickness }) = shape.stroke {
                ellipse(rect, 0.0).stroke(&mut canvas, thickness as f32, color);
            }
        }
        Figure::Line { rising } => {
            if let Some(Stroke { color, thickness }) = shape.stroke {
                line(rect, rising, thickness as f32, color, &mut canvas, mask);
            }
        }
    }
}

fn round_rect(rect: Rect, radius: f64, inset: f32) -> RoundRect {
    RoundRect {
        left: rect.at.x as f32 + inset,
        top: rect.at.y as f32 + inset,
        right: rect.right() as f32 - inset,
        bottom: rect.bottom() as f32 - inset,
        radius: radius as f32 - inset,
    }
}

fn ellipse(rect: Rect, inset: f32) -> Ellipse {
    let RoundRect { left, top, right, bottom, .. } = round_rect(rect, 0.0, inset);
    Ellipse { left, top, right, bottom }
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
