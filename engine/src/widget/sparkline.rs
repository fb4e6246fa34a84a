//! Sparklines: a line over a faint fill, the newest value at the right edge.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::paint::{Canvas, Color, Mask, Point, Rect, Size};
use crate::widget::Sparkline;
use crate::widget::series::Series;
use crate::widget::tone::{Fade, Mood, faded};

/// What a sparkline remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    series: Series,
    fade: Fade,
}

/// What a sparkline's pixels depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// The line's height in each column, in 16ths of a pixel from the upper edge; `None` in a gap.
    heights: Vec<Option<i32>>,
    /// Whether the newest value is shown: a full dot, else an empty one.
    current: bool,
    line: Color,
    fill: Color,
}

impl State {
    /// The state of a sparkline of `size`.
    pub(crate) fn new(sparkline: &Sparkline, size: Size) -> State {
        let columns = size.width.saturating_sub(margin(sparkline)).clamp(1, COLUMNS_MAX);
        State { series: Series::new(columns as usize, sparkline.span_ms), fade: Fade::default() }
    }

    /// Takes values of the past, before the first step.
    pub(crate) fn fill(&mut self, points: &[(i64, f64)]) {
        self.series.fill(points);
    }

    /// Takes one tick and says whether anything changed. A source that is not live gives no values.
    pub(crate) fn step(&mut self, now_ms: i64, value: Option<f64>, mood: Mood, fade_ticks: u64) -> bool {
        let value = value.filter(|value| mood == Mood::Live && value.is_finite());
        let moved = self.series.step(now_ms, value);
        let faded = self.fade.step(mood != Mood::Live, fade_ticks);
        moved || faded
    }

    /// Sets what is to be painted in a widget of `size`.
    pub(crate) fn draw(
        &self,
        drawing: &mut Drawing,
        sparkline: &Sparkline,
        size: Size,
        background: Color,
        fade_ticks: u64,
    ) {
        let (low, high) = sparkline.range.unwrap_or_else(|| self.fitted());
        let margin = f64::from(margin(sparkline)).min(f64::from(size.height) / 2.0);
        let room = f64::from(size.height) - 2.0 * margin;
        let height = |value: f64| {
            // Halves, because the difference of two huge numbers can be too large for a number.
            let part = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
            let part = if low == high { 0.5 } else { part.clamp(0.0, 1.0) };
            ((margin + (1.0 - part) * room) * 16.0 + 0.5) as i32
        };
        drawing.heights.clear();
        drawing.heights.extend(self.series.columns().map(|column| column.map(height)));
        if let (Some(last), Some(value)) = (drawing.heights.last_mut(), self.series.last()) {
            // The line ends at the newest value, not at the mean of its column.
            *last = Some(height(value));
        }
        let level = self.fade.level(fade_ticks);
        drawing.current = self.series.last().is_some();
        drawing.line = faded(sparkline.color, background, level);
        drawing.fill = faded(sparkline.fill, background, level);
    }

    /// The range that fits what is shown, with a little air; a constant value lies in its middle.
    fn fitted(&self) -> (f64, f64) {
        let shown = self.series.columns().chain([self.series.last()]).flatten();
        let extremes = shown.fold(None, |range: Option<(f64, f64)>, value| match range {
            Some((low, high)) => Some((low.min(value), high.max(value))),
            None => Some((value, value)),
        });
        let Some((low, high)) = extremes else { return (0.0, 1.0) };
        // A spread that is nothing beside the value itself would show the noise of computing.
        let least = low.abs().max(high.abs()) * 1e-9;
        let (middle, spread) = (low / 2.0 + high / 2.0, high / 2.0 - low / 2.0);
        if spread <= least { (middle - 1.0 - least, middle + 1.0 + least) } else { (low, high) }
    }
}

impl Drawing {
    /// The pixels of `rect` in which two drawings of the same widget differ.
    pub(crate) fn difference(&self, other: &Drawing, sparkline: &Sparkline, rect: Rect) -> Rect {
        if self == other {
            return Rect::default();
        }
        let same_colors = self.line == other.line && self.fill == other.fill;
        if !same_colors || self.heights.len() != other.heights.len() {
            return rect;
        }
        let differs = |(a, b): (&Option<i32>, &Option<i32>)| a != b;
        let pairs = || self.heights.iter().zip(&other.heights);
        let last = self.heights.len().saturating_sub(1);
        // The dot is part of the last column that has a value.
        let dot = self.dot_moved(other).then(|| self.dot().unwrap_or(0).min(other.dot().unwrap_or(0)));
        let first = pairs().position(differs).unwrap_or(last).min(dot.unwrap_or(last));
        let end = match dot {
            Some(_) => last,
            None => pairs().rposition(differs).unwrap_or(last),
        };
        // A column's stroke reaches to the middle of its neighbours, and half its thickness beyond.
        let reach = reach(sparkline);
        let at = |column: usize| rect.at.x.saturating_add(i32::try_from(column).unwrap_or(0));
        Rect::between(at(first) - reach, rect.at.y, at(end) + reach + 1, rect.bottom()).intersection(&rect)
    }

    fn dot(&self) -> Option<usize> {
        self.heights.iter().rposition(Option::is_some)
    }

    fn dot_moved(&self, other: &Drawing) -> bool {
        self.current != other.current || self.dot() != other.dot()
    }

    /// Paints the sparkline so that it fills `rect`.
    pub(crate) fn paint(&self, sparkline: &Sparkline, rect: Rect, canvas: &mut Canvas<'_>, mask: &mut Mask) {
        let mut canvas = canvas.clipped(rect);
        let clip = canvas.clip();
        if clip.is_empty() {
            return;
        }
        let left = rect.at.x;
        // Columns whose strokes reach into the clip rectangle.
        let reach = reach(sparkline);
        let column = |x: i32| usize::try_from(x.saturating_sub(left)).unwrap_or(0).min(self.heights.len());
        let shown = column(clip.at.x - reach)..column(clip.right() + reach + 1);
        self.paint_fill(shown.clone(), left, rect, &mut canvas);
        mask.clear(clip);
        self.stroke(shown, rect.at, thickness(sparkline), mask);
        if sparkline.dot {
            self.mark_end(sparkline, rect.at, mask);
        }
        mask.paint(&mut canvas, self.line);
    }

    /// The area below the line, fading out towards the foot.
    fn paint_fill(&self, shown: core::ops::Range<usize>, left: i32, rect: Rect, canvas: &mut Canvas<'_>) {
        for (column, height) in self.heights.iter().enumerate().take(shown.end).skip(shown.start) {
            let Some(height) = height else { continue };
            let x = left.saturating_add(i32::try_from(column).unwrap_or(0));
            let top = rect.at.y.saturating_add(height / 16);
            for y in top.max(canvas.clip().at.y)..rect.bottom().min(canvas.clip().bottom()) {
                let below = (rect.bottom() - y) as u32 * 255 / rect.size.height.max(1);
                // From all of it at the upper edge to a third at the foot.
                let alpha = (85 + below * 2 / 3).min(255) as u8;
                let partly = if y == top { 255 - (height % 16 * 16) as u8 } else { 255 };
                canvas.cover(Point { x, y }, crate::paint::scale(alpha, partly), self.fill);
            }
        }
    }

    /// The centre of the line in a column.
    fn place(&self, column: usize, at: Point) -> Option<(f32, f32)> {
        let height = (*self.heights.get(column)?)?;
        Some((at.x as f32 + column as f32 + 0.5, at.y as f32 + height as f32 / 16.0))
    }

    fn stroke(&self, shown: core::ops::Range<usize>, at: Point, thickness: f32, mask: &mut Mask) {
        for column in shown {
            let Some(here) = self.place(column, at) else { continue };
            let before = column.checked_sub(1).and_then(|before| self.place(before, at));
            match (before, self.place(column + 1, at)) {
                (_, Some(next)) => mask.line(here, next, thickness),
                (None, None) => mask.dot(here, thickness / 2.0),
                (Some(_), None) => {}
            }
        }
    }

    /// A dot on the newest value, or a ring where the line ended before now.
    fn mark_end(&self, sparkline: &Sparkline, at: Point, mask: &mut Mask) {
        let Some(end) = self.dot().and_then(|column| self.place(column, at)) else { return };
        if self.current {
            mask.dot(end, dot_radius(sparkline));
        } else {
            mask.ring(end, dot_radius(sparkline), 1.0);
        }
    }
}

/// As many columns as the widest frame has.
const COLUMNS_MAX: u32 = crate::paint::Frame::SIDE_MAX;

fn thickness(sparkline: &Sparkline) -> f32 {
    let thickness = sparkline.thickness as f32;
    if thickness > 0.0 { thickness.min(16.0) } else { 0.0 }
}

fn dot_radius(sparkline: &Sparkline) -> f32 {
    thickness(sparkline) / 2.0 + 1.25
}

/// The pixels around the columns that strokes and the dot need.
fn margin(sparkline: &Sparkline) -> u32 {
    let half = if sparkline.dot { dot_radius(sparkline) } else { thickness(sparkline) / 2.0 };
    libm::ceilf(half) as u32
}

/// How many pixels to both sides of a column its stroke and its dot can touch.
fn reach(sparkline: &Sparkline) -> i32 {
    libm::ceilf(dot_radius(sparkline)) as i32 + 2
}
