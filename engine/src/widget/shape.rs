//! Shapes: figures of which nothing changes but their colours.

use serde::{Deserialize, Serialize};

use crate::formula::Results;
use crate::paint::{Canvas, Color, Ellipse, Mask, Rect, RoundRect};
use crate::widget::tint::Given;
use crate::widget::tone::{Fade, Mood, faded};
use crate::widget::{Figure, Shape, Tint};

/// What a shape remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    fill: Given,
    stroke: Given,
    fade: Fade,
}

/// What a shape's pixels depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drawing {
    fill: Option<Color>,
    stroke: Option<Color>,
}

impl State {
    /// Takes one tick and says whether anything changed.
    pub(crate) fn step(&mut self, shape: &Shape, results: &Results, mood: Mood, fade_ticks: u64) -> bool {
        let before = *self;
        if let Some(fill) = &shape.fill {
            self.fill.step(fill, results, mood);
        }
        if let Some(stroke) = &shape.stroke {
            self.stroke.step(&stroke.color, results, mood);
        }
        self.fade.step(mood != Mood::Live, fade_ticks);
        *self != before
    }

    /// What is to be painted. A colour that stands fast says nothing of data and does not fade.
    pub(crate) fn drawing(&self, shape: &Shape, background: Color, fade_ticks: u64) -> Drawing {
        let level = self.fade.level(fade_ticks);
        let color = |tint: &Tint, given: Given| match tint.formula {
            Some(_) => faded(given.color(tint), background, level),
            None => tint.color,
        };
        Drawing {
            fill: shape.fill.as_ref().map(|fill| color(fill, self.fill)),
            stroke: shape.stroke.as_ref().map(|stroke| color(&stroke.color, self.stroke)),
        }
    }
}

impl Drawing {
    /// The pixels of `rect` in which two drawings of the same shape differ.
    pub(crate) fn difference(&self, other: &Drawing, rect: Rect) -> Rect {
        if self == other { Rect::default() } else { rect }
    }

    /// Paints the shape so that it fills `rect`.
    pub(crate) fn paint(&self, shape: &Shape, rect: Rect, canvas: &mut Canvas<'_>, mask: &mut Mask) {
        let mut canvas = canvas.clipped(rect);
        let thickness = shape.stroke.map_or(0.0, |stroke| stroke.thickness as f32);
        // The fill ends below the middle of the stroke, so that it cannot shine out around it.
        let inset = thickness / 2.0;
        match shape.figure {
            Figure::Rectangle { radius } => {
                let outer = RoundRect::new(rect, radius as f32);
                self.fill.into_iter().for_each(|color| outer.inset(inset).fill(&mut canvas, color));
                self.stroke.into_iter().for_each(|color| outer.stroke(&mut canvas, thickness, color));
            }
            Figure::Ellipse => {
                let outer = Ellipse::new(rect);
                self.fill.into_iter().for_each(|color| outer.inset(inset).fill(&mut canvas, color));
                self.stroke.into_iter().for_each(|color| outer.stroke(&mut canvas, thickness, color));
            }
            Figure::Line { rising } => {
                if let Some(color) = self.stroke {
                    line(rect, rising, thickness, color, &mut canvas, mask);
                }
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
