//! Sparklines: a line over a faint fill, the newest value at the right edge.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::formula::Results;
use crate::paint::{Canvas, Color, Mask, Point, Rect, Size};
use crate::widget::Sparkline;
use crate::widget::series::Series;
use crate::widget::tint::Given;
use crate::widget::tone::{Fade, Mood, faded};

/// What a sparkline remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    series: Series,
    color: Given,
    fill: Given,
    fade: Fade,
}

/// The alpha of what is below the line where nothing else is said: a faint tone of the line's colour.
const FAINT: u8 = 0x24;

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
        State { series: Series::new(columns as usize, sparkline.span_ms), ..State::default() }
    }

    /// Takes values of the past, before the first step.
    pub(crate) fn fill(&mut self, points: &[(i64, f64)]) {
        self.series.fill(points);
    }

    /// Takes one tick and says whether anything changed. A source that is not live gives no values.
    pub(crate) fn step(
        &mut self,
        sparkline: &Sparkline,
        now_ms: i64,
        results: &Results,
        mood: Mood,
        fade_ticks: u64,
    ) -> bool {
        let value = results.number(sparkline.value);
        let value = value.filter(|value| mood == Mood::Live && value.is_finite());
        let moved = self.series.step(now_ms, value);
        let faded = self.fade.step(mood != Mood::Live || value.is_none(), fade_ticks);
        let colored = self.color.step(&sparkline.color, results, mood);
        let filled = sparkline.fill.is_some_and(|fill| self.fill.step(&fill, results, mood));
        moved || faded || colored || filled
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
        let color = self.color.color(&sparkline.color);
        let fill = sparkline.fill.as_ref().map(|fill| self.fill.color(fill));
        drawing.line = faded(color, background, level);
        drawing.fill = faded(fill.unwrap_or(color.with_alpha(FAINT)), background, level);
    }

    /// The range that fits what is shown. It is empty for a constant value, which then lies in the middle.
    fn fitted(&self) -> (f64, f64) {
        let shown = self.series.columns().map(|column| column.value).chain([self.series.last()]).flatten();
        let extremes = shown.fold(None, |range: Option<(f64, f64)>, value| match range {
            Some((low, high)) => Some((low.min(value), high.max(value))),
            None => Some((value, value)),
        });
        let Some((low, high)) = extremes else { return (0.0, 1.0) };
        // A spread that is nothing beside the values themselves would show the noise of computing.
        let least = low.abs().max(high.abs()) * 1e-9;
        if high / 2.0 - low / 2.0 <= least { (low, low) } else { (low, high) }
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
        let x = |column: usize| i32::try_from(column).unwrap_or(0);
        let height = i32::try_from(rect.size.height).unwrap_or(i32::MAX);
        let changed = Rect::between(x(first) - reach, 0, x(end) + reach + 1, height);
        changed.moved(rect.at).intersection(&rect)
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
            let above_foot = i64::from(rect.bottom()) - i64::from(y);
            let alpha = (85 + above_foot * 170 / i64::from(rect.size.height.max(1))).min(255) as u8;
            let color = self.fill.with_alpha(crate::paint::scale(self.fill.a, alpha));
            let foot = y.saturating_sub(rect.at.y).saturating_add(1).saturating_mul(16);
            canvas.shade(y, left, right, color, |x| match columns.get((x - left) as usize) {
                // The part of the pixel below the line, in 16ths.
                Some(Some(height)) => (foot.saturating_sub(*height).clamp(0, 16) * 255 / 16) as u8,
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

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::formula::FormulaId;
    use crate::paint::picture::{WHITE, picture};

    const SIZE: Size = Size::new(26, 9);

    /// Twenty-four columns of a second each.
    fn sparkline() -> Sparkline {
        let (value, span_ms, range, fill) = (FormulaId(0), 24_000, None, Some(Color::TRANSPARENT.into()));
        Sparkline { value, span_ms, range, color: WHITE.into(), fill, thickness: 1.0, dot: true }
    }

    fn shown(sparkline: &Sparkline, values: impl IntoIterator<Item = f64>) -> String {
        let mut state = State::new(sparkline, SIZE);
        let points: Vec<(i64, f64)> = (0i64..).map(|second| second * 1_000).zip(values).collect();
        state.fill(&points);
        let mut drawing = Drawing::default();
        state.draw(&mut drawing, sparkline, SIZE, Color::hex(0), 15);
        let rect = Rect { at: Point::default(), size: SIZE };
        picture(SIZE.width, SIZE.height, |canvas| {
            drawing.paint(sparkline, rect, canvas, &mut Mask::default())
        })
    }

    #[test]
    fn draws_the_past_with_a_dot_on_the_newest_value() {
        let values = [1.0, 2.0, 1.0, 5.0, 4.0, 6.0, 6.0, 6.0, 9.0, 0.0, 3.0];
        insta::assert_snapshot!(shown(&sparkline(), values), @r"
        ..........................
        ..........................
        ...................-*@:...
        ................-:*%+x=+=.
        ...............-%x+..+@@@:
        .............+%x=-...-@@@-
        .............+-+.....:@%*.
        ..........................
        ..........................
        ");
        let filled = Sparkline {
            fill: Some(WHITE.with_alpha(90).into()),
            range: Some((0.0, 20.0)),
            dot: false,
            ..sparkline()
        };
        insta::assert_snapshot!(shown(&filled, values), @r"
        ..........................
        ..........................
        ..........................
        ..........................
        ......................-*..
        ....................=xx%-.
        .................-@*x+-*+-
        ...............=x*++---=x%
        ...............*=*:::::-@=
        ");
    }

    #[test]
    fn gaps_single_values_and_nothing() {
        insta::assert_snapshot!(shown(&sparkline(), []), @r"
        ..........................
        ..........................
        ..........................
        ..........................
        +...+...+...+...+...+...+.
        ..........................
        ..........................
        ..........................
        ..........................
        ");
        insta::assert_snapshot!(shown(&sparkline(), [7.0]), @r"
        ..........................
        ..........................
        ......................:-:.
        .....................:x@x:
        .....................-@@@-
        .....................:x@x:
        ......................:-:.
        ..........................
        ..........................
        ");
        let broken =
            [1.0, 2.0, f64::NAN, f64::NAN, 3.0, f64::NAN, f64::NAN, 1.0, 2.0, 3.0, f64::NAN, f64::NAN];
        insta::assert_snapshot!(shown(&sparkline(), broken), @r"
        ....................:-:...
        ...................:xxx:..
        ................@..-x.x-..
        ...................:xxx:..
        ............:@.....:%-:...
        ............++.....++.....
        ............@:.....@:.....
        ..........................
        ..........................
        ");
    }

    #[test]
    fn any_range_of_values_fits() {
        let shape = [0.0, 1.0, 0.0, 1.0, 0.5];
        let normal = shown(&sparkline(), shape);
        assert_eq!(shown(&sparkline(), shape.map(|value| value * 1e-300)), normal, "tiny");
        assert_eq!(shown(&sparkline(), shape.map(|value| (value - 0.5) * 1.7e308 * 2.0)), normal, "huge");
        assert_eq!(shown(&sparkline(), shape.map(|value| value - 1e6)), normal, "negative");
        let constant = shown(&sparkline(), [4.0; 5]);
        for value in [0.0, -1e300, 1e-300, f64::MAX] {
            assert_eq!(shown(&sparkline(), [value; 5]), constant, "{value}");
        }
        assert_eq!(shown(&sparkline(), [1e15, 1e15 + 0.125]), shown(&sparkline(), [1.0, 1.0]), "no noise");
    }

    #[test]
    fn near_values_are_joined_by_slopes_and_far_ones_by_steps() {
        let mut heights = [0, 0, 0, 32, 32, 32, 32, 32, 0].map(Some);
        let arrived = [true, false, false, true, false, false, false, false, true];
        bridge(&mut heights, arrived.into_iter());
        assert_eq!(heights.map(Option::unwrap), [0, 10, 21, 32, 32, 32, 32, 32, 0]);
    }

    #[test]
    fn a_new_value_damages_the_right_edge_alone() {
        let sparkline = Sparkline { range: Some((0.0, 10.0)), ..sparkline() };
        let mut state = State::new(&sparkline, SIZE);
        let (mut old, mut new) = (Drawing::default(), Drawing::default());
        let mut results = Results::new(1);
        results.set(FormulaId(0), Some(3.0.into()));
        state.step(&sparkline, 0, &results, Mood::Live, 15);
        state.draw(&mut old, &sparkline, SIZE, Color::hex(0), 15);
        results.set(FormulaId(0), Some(4.0.into()));
        state.step(&sparkline, 16, &results, Mood::Live, 15);
        state.draw(&mut new, &sparkline, SIZE, Color::hex(0), 15);
        let rect = Rect { at: Point::new(100, 50), size: SIZE };
        let damaged = new.difference(&old, &sparkline, rect);
        assert!(damaged.right() == 126 && damaged.at.x > 115, "{damaged:?}");
        assert!(new.difference(&new.clone(), &sparkline, rect).is_empty());
    }
}
