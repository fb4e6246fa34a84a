//! Progress bars: a track that fills with a value and eases to a new one.

use serde::{Deserialize, Serialize};

use crate::formula::Results;
use crate::paint::{Canvas, Color, Frame, Overlap, Rect, RoundRect, Size};
use crate::tick::Tick;
use crate::widget::tint::Given;
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
    color: Given,
    track: Given,
    fade: Fade,
    mood: Mood,
}

/// What a bar's pixels depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// Length of the filled part in 16ths of a pixel.
    filled: i32,
    color: Color,
    track: Color,
    /// How visible the mark of a stale value is.
    mark: u8,
}

impl State {
    /// Takes one tick and says whether anything changed.
    pub(crate) fn step(
        &mut self,
        bar: &Progress,
        results: &Results,
        mood: Mood,
        tick: Tick,
        fade_ticks: u64,
    ) -> bool {
        let before = *self;
        let value = if mood == Mood::Failed { None } else { results.number(bar.value) };
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
        self.color.step(&bar.color, results, mood);
        self.track.step(&bar.track, results, mood);
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
            color: faded(
                reached.map_or_else(|| self.color.color(&bar.color), |(_, color)| *color),
                background,
                level,
            ),
            track: self.track.color(&bar.track),
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
        if self.color != other.color || self.track != other.track || self.mark > 0 || other.mark > 0 {
            return rect;
        }
        // The round end reaches back by its radius; one pixel more on both sides is half covered.
        let (low, high) = (self.filled.min(other.filled), self.filled.max(other.filled));
        let from = low / 16 - radius(bar, rect.size) as i32 - 2;
        let to = high / 16 + 2;
        let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
        let (width, height) = (side(rect.size.width), side(rect.size.height));
        let moved = match bar.direction {
            Direction::Right => Rect::between(from, 0, to, height),
            Direction::Left => Rect::between(width.saturating_sub(to), 0, width.saturating_sub(from), height),
            Direction::Down => Rect::between(0, from, width, to),
            Direction::Up => Rect::between(0, height.saturating_sub(to), width, height.saturating_sub(from)),
        };
        moved.moved(rect.at).intersection(&rect)
    }

    /// Paints the bar so that it fills `rect`.
    pub(crate) fn paint(&self, bar: &Progress, rect: Rect, canvas: &mut Canvas<'_>) {
        let mut canvas = canvas.clipped(rect);
        let radius = radius(bar, rect.size);
        let track = RoundRect::new(rect, radius);
        track.fill(&mut canvas, self.track);
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
        let part = Overlap(track, part);
        part.fill(&mut canvas, self.color);
        if self.mark > 0 {
            for gap in gaps(bar.direction, rect) {
                part.fill(&mut canvas.clipped(gap), self.track.with_alpha(self.mark));
            }
        }
    }
}

/// The mark of a stale bar: gaps across the filled part, one pixel in four.
fn gaps(direction: Direction, rect: Rect) -> impl Iterator<Item = Rect> {
    let across = matches!(direction, Direction::Right | Direction::Left);
    let length = if across { rect.size.width } else { rect.size.height };
    (3..length.min(Frame::SIDE_MAX)).step_by(4).map(move |at| match across {
        true => Rect::new(rect.at.x.saturating_add_unsigned(at), rect.at.y, 1, rect.size.height),
        false => Rect::new(rect.at.x, rect.at.y.saturating_add_unsigned(at), rect.size.width, 1),
    })
}

fn radius(bar: &Progress, size: Size) -> f32 {
    (bar.radius as f32).max(0.0).min(size.width.min(size.height) as f32 / 2.0)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::effect::easing::Easing;
    use crate::formula::FormulaId;
    use crate::paint::Point;
    use crate::paint::picture::{WHITE, picture};
    use crate::widget::Transition;

    fn bar(direction: Direction) -> Progress {
        let (range, color, track) = ((0.0, 100.0), WHITE.into(), Color::hex(0x303030).into());
        let transition = Transition { duration: 0, easing: Easing::Linear };
        Progress {
            value: FormulaId(0),
            range,
            color,
            levels: alloc::vec![],
            track,
            radius: 2.5,
            direction,
            transition,
        }
    }

    fn results(value: Option<f64>) -> Results {
        let mut results = Results::new(1);
        results.set(FormulaId(0), value.map(Into::into));
        results
    }

    fn shown(bar: &Progress, size: Size, value: Option<f64>) -> String {
        let mut state = State::default();
        state.step(bar, &results(value), Mood::Live, Tick(0), 15);
        let drawing = state.drawing(bar, size, Color::hex(0x000000), 15);
        let rect = Rect { at: Point::default(), size };
        picture(size.width, size.height, |canvas| drawing.paint(bar, rect, canvas))
    }

    #[test]
    fn fills_with_its_value() {
        let shown = |value| shown(&bar(Direction::Right), Size::new(20, 5), value);
        insta::assert_snapshot!(shown(None), @r"
        :------------------:
        --------------------
        --------------------
        --------------------
        :------------------:
        ");
        insta::assert_snapshot!(shown(Some(5.0)), @r"
        -------------------:
        x-------------------
        @-------------------
        x-------------------
        -------------------:
        ");
        insta::assert_snapshot!(shown(Some(52.0)), @r"
        -x@@@@@@%+---------:
        x@@@@@@@@@=---------
        @@@@@@@@@@+---------
        x@@@@@@@@@=---------
        -x@@@@@@%+---------:
        ");
        insta::assert_snapshot!(shown(Some(98.0)), @r"
        -x@@@@@@@@@@@@@@@%*:
        x@@@@@@@@@@@@@@@@@@+
        @@@@@@@@@@@@@@@@@@@*
        x@@@@@@@@@@@@@@@@@@+
        -x@@@@@@@@@@@@@@@%*:
        ");
        assert_eq!(shown(Some(100.0)), shown(Some(1e300)));
        assert_eq!(shown(Some(0.0)), shown(Some(-1e300)));
        assert_eq!(shown(Some(0.0)), shown(None));
    }

    #[test]
    fn fills_in_all_directions() {
        insta::assert_snapshot!(shown(&bar(Direction::Left), Size::new(20, 3), Some(30.0)), @r"
        :-------------*@@@@*
        --------------@@@@@@
        :-------------*@@@@*
        ");
        insta::assert_snapshot!(shown(&bar(Direction::Up), Size::new(5, 9), Some(40.0)), @r"
        :---:
        -----
        -----
        -----
        -----
        -+*+-
        *@@@*
        x@@@x
        -x@x-
        ");
        insta::assert_snapshot!(shown(&bar(Direction::Down), Size::new(5, 9), Some(40.0)), @r"
        -x@x-
        x@@@x
        *@@@*
        -+*+-
        -----
        -----
        -----
        -----
        :---:
        ");
    }

    #[test]
    fn ranges_may_fall_be_empty_or_huge() {
        for (range, value, expected) in [
            ((0.0, 200.0), 50.0, 0.25),
            ((100.0, 0.0), 25.0, 0.75),
            ((-1.7e308, 1.7e308), 0.0, 0.5),
            ((5.0, 5.0), 4.9, 0.0),
            ((5.0, 5.0), 5.0, 1.0),
        ] {
            assert_eq!(part(value, range), expected, "{value} in {range:?}");
        }
    }

    #[test]
    fn eases_to_a_new_value_and_turns_around() {
        let mut bar = bar(Direction::Right);
        bar.transition = Transition { duration: 4, easing: Easing::Linear };
        let mut state = State::default();
        let mut shown = |tick, value| {
            let changed = state.step(&bar, &results(value), Mood::Live, Tick(tick), 15);
            (state.shown, changed)
        };
        assert_eq!(shown(0, Some(100.0)), (0.0, true));
        assert_eq!(shown(1, Some(100.0)), (0.25, true));
        assert_eq!(shown(2, Some(0.0)), (0.25, true), "starts from where it is");
        assert_eq!(shown(4, Some(0.0)), (0.125, true));
        assert_eq!(shown(6, Some(0.0)), (0.0, true));
        assert_eq!(shown(7, Some(0.0)), (0.0, false));
        assert_eq!(shown(8, None), (0.0, true), "no value is not the same as the lowest");
    }

    #[test]
    fn levels_go_by_the_value() {
        let mut bar = bar(Direction::Right);
        bar.levels = alloc::vec![(60.0, Color::hex(0xffb454)), (90.0, Color::hex(0xff5c57))];
        let color = |value: f64| {
            let mut state = State::default();
            state.step(&bar, &results(Some(value)), Mood::Live, Tick(0), 15);
            state.drawing(&bar, Size::new(9, 9), Color::hex(0), 15).color
        };
        assert_eq!(
            [59.9, 60.0, 89.9, 90.0, 200.0].map(color),
            [WHITE, Color::hex(0xffb454), Color::hex(0xffb454), Color::hex(0xff5c57), Color::hex(0xff5c57),]
        );
    }
}
