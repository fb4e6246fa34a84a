//! Progress bars: a track that fills with a value and eases to a new one.

use serde::{Deserialize, Serialize};

use crate::paint::{Canvas, Color, Overlap, Point, Rect, RoundRect, Size};
use crate::tick::Tick;
use crate::widget::tone::{Fade, Mood, faded};
use crate::widget::{Direction, Progress};

/// What a bar remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// The value that it moves to, `None` where there is none.
    target: Option<f64>,
    /// The part that was filled when it began to move, 0 to 1.
    from: f64,
    /// When it began to move.
    since: Tick,
    /// The part that is filled, 0 to 1.
    shown: f64,
    fade: Fade,
    mood: Mood,
}

/// What a bar's pixels depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// Length of the filled part in 16ths of a pixel.
    filled: i32,
    color: Color,
    /// How visible the mark of a stale value is.
    mark: u8,
}

impl State {
    /// Takes one tick and says whether anything changed.
    pub(crate) fn step(
        &mut self,
        bar: &Progress,
        value: Option<f64>,
        mood: Mood,
        tick: Tick,
        fade_ticks: u64,
    ) -> bool {
        let before = *self;
        let value = if mood == Mood::Failed { None } else { value };
        if value.map(f64::to_bits) != self.target.map(f64::to_bits) {
            self.from = self.shown;
            self.since = tick;
            self.target = value;
        }
        self.shown = match value {
            Some(value) => self.eased(bar, part(value, bar.range), tick),
            None => 0.0,
        };
        self.mood = mood;
        self.fade.step(mood != Mood::Live, fade_ticks);
        *self != before
    }

    fn eased(&self, bar: &Progress, target: f64, tick: Tick) -> f64 {
        let (done, duration) = (tick - self.since, bar.transition.duration);
        if done >= duration {
            return target;
        }
        let motion = bar.transition.easing.at(done as f64 / duration as f64);
        (self.from + (target - self.from) * motion).clamp(0.0, 1.0)
    }

    /// What is to be painted in a bar of `size`.
    pub(crate) fn drawing(&self, bar: &Progress, size: Size, background: Color, fade_ticks: u64) -> Drawing {
        let length = match bar.direction {
            Direction::Right | Direction::Left => size.width,
            Direction::Up | Direction::Down => size.height,
        };
        let value = self.target.unwrap_or(f64::NEG_INFINITY);
        let reached = bar.levels.iter().rev().find(|(bound, _)| value >= *bound);
        let level = self.fade.level(fade_ticks);
        Drawing {
            filled: (self.shown * f64::from(length) * 16.0 + 0.5) as i32,
            color: faded(reached.map_or(bar.color, |(_, color)| *color), background, level),
            mark: if self.mood == Mood::Stale { level } else { 0 },
        }
    }
}

/// Where in `range` a value lies, from 0 to 1. The range may fall; an empty one is either not reached or full.
fn part(value: f64, (low, high): (f64, f64)) -> f64 {
    if low == high {
        return if value >= high { 1.0 } else { 0.0 };
    }
    // Halves, because the difference of two huge numbers can be too large for a number.
    ((value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)).clamp(0.0, 1.0)
}

impl Drawing {
    /// The pixels of `rect` in which two drawings of the same bar differ.
    pub(crate) fn difference(&self, other: &Drawing, bar: &Progress, rect: Rect) -> Rect {
        if self == other {
            return Rect::default();
        }
        if self.color != other.color || self.mark != other.mark {
            return rect;
        }
        // The round end reaches back by its radius; one pixel more on both sides is half covered.
        let (low, high) = (self.filled.min(other.filled), self.filled.max(other.filled));
        let from = low / 16 - radius(bar, rect.size) as i32 - 2;
        let to = high / 16 + 2;
        let (at, right, bottom) = (rect.at, rect.right(), rect.bottom());
        let moved = match bar.direction {
            Direction::Right => Rect::between(at.x + from, at.y, at.x + to, bottom),
            Direction::Left => Rect::between(right - to, at.y, right - from, bottom),
            Direction::Down => Rect::between(at.x, at.y + from, right, at.y + to),
            Direction::Up => Rect::between(at.x, bottom - to, right, bottom - from),
        };
        moved.intersection(&rect)
    }

    /// Paints the bar so that it fills `rect`.
    pub(crate) fn paint(&self, bar: &Progress, rect: Rect, canvas: &mut Canvas<'_>) {
        let mut canvas = canvas.clipped(rect);
        let radius = radius(bar, rect.size);
        let track = RoundRect::new(rect, radius);
        track.fill(&mut canvas, bar.track);
        if self.filled <= 0 {
            return;
        }
        // The filled part begins far outside the track, so that only its end is round, and is cut by it.
        let (filled, outside) = (self.filled as f32 / 16.0, radius * 2.0 + 1.0);
        let part = match bar.direction {
            Direction::Right => RoundRect { left: track.left - outside, right: track.left + filled, ..track },
            Direction::Left => {
                RoundRect { left: track.right - filled, right: track.right + outside, ..track }
            }
            Direction::Down => RoundRect { top: track.top - outside, bottom: track.top + filled, ..track },
            Direction::Up => {
                RoundRect { top: track.bottom - filled, bottom: track.bottom + outside, ..track }
            }
        };
        Overlap(track, part).fill(&mut canvas, self.color);
        self.paint_mark(bar, rect, &mut canvas);
    }

    /// The mark of a stale bar: gaps in the filled part.
    fn paint_mark(&self, bar: &Progress, rect: Rect, canvas: &mut Canvas<'_>) {
        if self.mark == 0 {
            return;
        }
        let gap = bar.track.with_alpha(self.mark);
        match bar.direction {
            Direction::Right | Direction::Left => {
                for x in (rect.at.x..rect.right()).skip(3).step_by(4) {
                    canvas.fill(Rect::new(x, rect.at.y + 1, 1, rect.size.height.saturating_sub(2)), gap);
                }
            }
            Direction::Up | Direction::Down => {
                for y in (rect.at.y..rect.bottom()).skip(3).step_by(4) {
                    canvas.fill(
                        Rect {
                            at: Point::new(rect.at.x + 1, y),
                            size: Size::new(rect.size.width.saturating_sub(2), 1),
                        },
                        gap,
                    );
                }
            }
        }
    }
}

fn radius(bar: &Progress, size: Size) -> f32 {
    (bar.radius as f32).max(0.0).min(size.width.min(size.height) as f32 / 2.0)
}
