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
        let faded = self.fade.step(mood != Mood::Live || value.is_none(), fade_ticks);
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
        // Half a pixel more: a line along the lowest or highest value then fills whole pixels.
        let margin = (f64::from(margin(sparkline)) + 0.5).min(f64::from(size.height) / 2.0);
        let room = f64::from(size.height) - 2.0 * margin;
        let height = |value: f64| {
            // Halves, because the difference of two huge numbers can be too large for a number.
            let part = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
            let part = if low == high { 0.5 } else { part.clamp(0.0, 1.0) };
            ((margin + (1.0 - part) * room) * 16.0 + 0.5) as i32
        };
        drawing.heights.clear();
        drawing.heights.extend(self.series.columns().map(|column| column.value.map(height)));
        if let (Some(last), Some(value)) = (drawing.heights.last_mut(), self.series.last()) {
            // The line ends at the newest value, not at the mean of its column.
            *last = Some(height(value));
        }
        bridge(&mut drawing.heights, self.series.columns().map(|column| column.arrived > 0));
        let level = self.fade.level(fade_ticks);
        drawing.current = self.series.last().is_some();
        drawing.line = faded(sparkline.color, background, level);
        drawing.fill = faded(sparkline.fill, background, level);
    }

    /// The range that fits what is shown, with a little air; a constant value lies in its middle.
    fn fitted(&self) -> (f64, f64) {
        let shown = self.series.columns().map(|column| column.value).chain([self.series.last()]).flatten();
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

/// Draws a slope instead of a step between values that arrived in near columns: at most [`BRIDGE`] apart.
fn bridge(heights: &mut [Option<i32>], arrived: impl Iterator<Item = bool>) {
    let mut before: Option<usize> = None;
    for (column, arrived) in arrived.enumerate() {
        if heights.get(column).is_none_or(Option::is_none) {
            before = None;
        } else if arrived {
            if let Some(before) = before.filter(|before| column - before <= BRIDGE) {
                slope(heights, before, column);
            }
            before = Some(column);
        }
    }
}

/// Sets the columns between two others on the straight line between them.
fn slope(heights: &mut [Option<i32>], from: usize, to: usize) {
    let (Some(Some(first)), Some(Some(last))) = (heights.get(from).copied(), heights.get(to).copied()) else {
        return;
    };
    let columns = (to - from) as i32;
    for (step, height) in (1..columns).zip(heights.iter_mut().skip(from + 1)) {
        *height = Some(first + (last - first) * step / columns);
    }
}

/// The most columns between two values that are drawn as one slope: where values come more slowly, what
/// is shown is what was known at the time.
const BRIDGE: usize = 4;

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
        if self.dot().is_none() {
            return self.paint_empty(rect, &mut canvas);
        }
        if self.fill.a > 0 {
            self.paint_fill(shown.clone(), rect, &mut canvas);
        }
        mask.clear(clip);
        self.stroke(shown, rect.at, thickness(sparkline), mask);
        if sparkline.dot {
            self.mark_end(sparkline, rect.at, mask);
        }
        mask.paint(&mut canvas, self.line);
    }

    /// A quiet row of dots where there is nothing to show yet.
    fn paint_empty(&self, rect: Rect, canvas: &mut Canvas<'_>) {
        let y = rect.at.y.saturating_add_unsigned(rect.size.height / 2);
        for x in (rect.at.x..rect.right()).step_by(4) {
            canvas.cover(Point { x, y }, 128, self.line);
        }
    }

    /// The area below the line, fading out from the upper edge to a third at the foot.
    fn paint_fill(&self, shown: core::ops::Range<usize>, rect: Rect, canvas: &mut Canvas<'_>) {
        let columns = self.heights.get(shown.clone()).unwrap_or(&[]);
        let left = rect.at.x.saturating_add(i32::try_from(shown.start).unwrap_or(0));
        let right = left.saturating_add(i32::try_from(columns.len()).unwrap_or(0));
        let Some(top) = columns.iter().flatten().min() else { return };
        for y in rect.at.y.saturating_add(top / 16).max(canvas.clip().at.y)..canvas.clip().bottom() {
            let above_foot = (rect.bottom() - y) as u32 * 255 / rect.size.height.max(1);
            let alpha = (85 + above_foot * 2 / 3).min(255) as u8;
            let color = self.fill.with_alpha(crate::paint::scale(self.fill.a, alpha));
            let foot = (y - rect.at.y).saturating_add(1).saturating_mul(16);
            canvas.shade(y, left, right, color, |x| match columns.get((x - left) as usize) {
                // The part of the pixel below the line, in 16ths.
                Some(Some(height)) => ((foot - height).clamp(0, 16) * 255 / 16) as u8,
                _ => 0,
            });
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

/// The pixels that strokes and the dot need around the pixel on whose centre they lie.
fn margin(sparkline: &Sparkline) -> u32 {
    let half = if sparkline.dot { dot_radius(sparkline) } else { thickness(sparkline) / 2.0 };
    libm::ceilf(half - 0.5).max(0.0) as u32
}

/// How many pixels to both sides of a column its stroke and its dot can touch.
fn reach(sparkline: &Sparkline) -> i32 {
    libm::ceilf(dot_radius(sparkline)) as i32 + 2
}
