//! Animations: what they add to a widget's place and opacity at any tick. Every answer is a function of
//! the definition, the start and the tick alone, and costs the same at any tick.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::effect::easing::Easing;
use crate::tick::Tick;
use crate::widget::WidgetId;

/// Names an animation: its index in the configuration's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AnimationId(pub u32);

/// What animations add to a widget at a tick: the offset adds to its place, the opacity multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Pixels to the right of the widget's own place.
    pub x: f64,
    /// Pixels below the widget's own place.
    pub y: f64,
    /// Factor on the widget's opacity, 0 to 1.
    pub opacity: f64,
}

impl Pose {
    /// The pose that changes nothing.
    pub const REST: Pose = Pose { x: 0.0, y: 0.0, opacity: 1.0 };
}

/// One end of an animation. What neither end names is left alone; what one end alone names is at rest at
/// the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Keyframe {
    /// Pixels to the right of the widget's own place.
    pub x: Option<f64>,
    /// Pixels below the widget's own place.
    pub y: Option<f64>,
    /// Factor on the widget's opacity, 0 to 1.
    pub opacity: Option<f64>,
}

/// What an odd cycle of a repeated animation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Repeat {
    /// Every cycle runs from the start to the end.
    #[default]
    Restart,
    /// Odd cycles run back.
    Reverse,
}

/// An animation as configured. It runs on the half-open span [start, start + duration * cycles).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Animation {
    /// The name in the configuration.
    pub name: String,
    /// Which widget it moves.
    pub widget: WidgetId,
    /// Length of one cycle in ticks, at least 1.
    pub duration: u64,
    /// Where it begins.
    pub from: Keyframe,
    /// Where it goes.
    pub to: Keyframe,
    /// How progress becomes motion.
    pub easing: Easing,
    /// How many cycles it runs, at least 1; `None` for ever.
    pub cycles: Option<u64>,
    /// What odd cycles do.
    pub repeat: Repeat,
    /// Whether it starts at tick 0 by itself.
    pub starts_at_load: bool,
}

impl Animation {
    /// The tick at which a run from `start` has ended; `None` where it never does.
    pub fn end(&self, start: Tick) -> Option<Tick> {
        Some(start + self.duration.saturating_mul(self.cycles?))
    }

    /// Whether a run from `start` is active: from its start to its end, both included.
    pub fn is_active(&self, start: Tick, tick: Tick) -> bool {
        tick >= start && !self.is_completed(start, tick)
    }

    /// Whether a run from `start` lies behind `tick`.
    pub fn is_completed(&self, start: Tick, tick: Tick) -> bool {
        self.end(start).is_some_and(|end| tick > end)
    }

    /// How far the current cycle has come, 0 to 1. Before the start 0; after the end where the last cycle
    /// ended: 1, or 0 after an even number of cycles that run to and fro.
    pub fn progress(&self, start: Tick, tick: Tick) -> f64 {
        let elapsed = tick.since(start);
        let duration = self.duration.max(1);
        let (cycle, within) = match self.cycles {
            Some(cycles) if elapsed >= duration.saturating_mul(cycles) => (cycles.max(1) - 1, duration),
            _ => (elapsed / duration, elapsed % duration),
        };
        let progress = within as f64 / duration as f64;
        match self.repeat {
            Repeat::Reverse if cycle % 2 == 1 => 1.0 - progress,
            _ => progress,
        }
    }

    /// Lays what a run from `start` does at `tick` over `pose`: the properties that it names are replaced.
    pub fn apply(&self, start: Tick, tick: Tick, pose: &mut Pose) {
        let progress = self.easing.at(self.progress(start, tick));
        let between = |from: Option<f64>, to: Option<f64>, rest: f64| match (from, to) {
            (None, None) => None,
            (from, to) => {
                let (from, to) = (from.unwrap_or(rest), to.unwrap_or(rest));
                Some(from + (to - from) * progress)
            }
        };
        pose.x = between(self.from.x, self.to.x, 0.0).unwrap_or(pose.x);
        pose.y = between(self.from.y, self.to.y, 0.0).unwrap_or(pose.y);
        let opacity = between(self.from.opacity, self.to.opacity, 1.0);
        pose.opacity = opacity.map_or(pose.opacity, |opacity| opacity.clamp(0.0, 1.0));
    }
}

/// When each animation was started last; `None` where it is at rest. Indexed by [`AnimationId`].
pub type Starts = [Option<Tick>];

/// The pose of every widget at `tick`. Where several animations name the same property of a widget, the
/// one that was started last counts, and of those started together the last in the configuration.
pub fn poses(animations: &[Animation], starts: &Starts, tick: Tick, poses: &mut [Pose]) {
    poses.fill(Pose::REST);
    // A started animation is rare enough for the repeated search: no list has to be kept in order.
    let mut done = None;
    while let Some((start, index)) = following(starts, done) {
        done = Some((start, index));
        let Some(animation) = animations.get(index) else { continue };
        if let Some(pose) = poses.get_mut(animation.widget.0 as usize) {
            animation.apply(start, tick, pose);
        }
    }
}

/// The run that comes after `done` by start, then by index.
fn following(starts: &Starts, done: Option<(Tick, usize)>) -> Option<(Tick, usize)> {
    let runs = starts.iter().enumerate().filter_map(|(index, start)| Some(((*start)?, index)));
    runs.filter(|run| done.is_none_or(|done| *run > done)).min()
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec;

    use super::*;

    fn animation(duration: u64, cycles: Option<u64>, repeat: Repeat) -> Animation {
        Animation {
            name: "slide".to_string(),
            widget: WidgetId(0),
            duration,
            from: Keyframe { x: Some(0.0), ..Keyframe::default() },
            to: Keyframe { x: Some(100.0), y: Some(50.0), ..Keyframe::default() },
            easing: Easing::Linear,
            cycles,
            repeat,
            starts_at_load: false,
        }
    }

    #[test]
    fn progress_over_cycles() {
        use Repeat::{Restart, Reverse};
        for (cycles, repeat, tick, expected) in [
            (Some(1), Restart, 9, 0.0),
            (Some(1), Restart, 10, 0.0),
            (Some(1), Restart, 25, 0.5),
            (Some(1), Restart, 40, 1.0),
            (Some(1), Restart, 99, 1.0),
            (Some(2), Restart, 40, 0.0),
            (Some(2), Restart, 70, 1.0),
            (Some(2), Reverse, 25, 0.5),
            (Some(2), Reverse, 40, 1.0),
            (Some(2), Reverse, 55, 0.5),
            (Some(2), Reverse, 70, 0.0),
            (Some(3), Reverse, 999, 1.0),
            (None, Reverse, 10 + 30 * 1_000_001, 1.0),
            (None, Restart, 10 + 30 * 1_000_000 + 15, 0.5),
        ] {
            let found = animation(30, cycles, repeat).progress(Tick(10), Tick(tick));
            assert_eq!(found, expected, "{cycles:?} {repeat:?} at {tick}");
        }
    }

    #[test]
    fn the_end_tick_is_active_and_the_next_completed() {
        let animation = animation(30, Some(2), Repeat::Restart);
        for (tick, active, completed) in
            [(0, false, false), (10, true, false), (70, true, false), (71, false, true)]
        {
            assert_eq!(animation.is_active(Tick(10), Tick(tick)), active, "{tick}");
            assert_eq!(animation.is_completed(Tick(10), Tick(tick)), completed, "{tick}");
        }
        assert_eq!(self::animation(30, None, Repeat::Restart).end(Tick(10)), None);
    }

    #[test]
    fn a_property_that_one_end_names_is_at_rest_at_the_other() {
        let mut pose = Pose { opacity: 0.25, ..Pose::REST };
        animation(40, Some(1), Repeat::Restart).apply(Tick(0), Tick(20), &mut pose);
        assert_eq!(pose, Pose { x: 50.0, y: 25.0, opacity: 0.25 });
    }

    #[test]
    fn the_animation_started_last_counts() {
        let fade = |from, to| Animation {
            from: Keyframe { opacity: Some(from), ..Keyframe::default() },
            to: Keyframe { opacity: Some(to), ..Keyframe::default() },
            ..animation(10, Some(1), Repeat::Restart)
        };
        let animations = [fade(0.0, 1.0), fade(1.0, 0.0), animation(40, Some(1), Repeat::Restart)];
        let at = |starts: [Option<u64>; 3]| {
            let starts = starts.map(|start| start.map(Tick));
            let mut all = vec![Pose::REST; 1];
            poses(&animations, &starts, Tick(100), &mut all);
            (all[0].x, all[0].opacity)
        };
        assert_eq!(at([None, None, None]), (0.0, 1.0));
        assert_eq!(at([Some(0), Some(20), None]), (0.0, 0.0));
        assert_eq!(at([Some(30), Some(20), Some(0)]), (100.0, 1.0));
        assert_eq!(at([Some(20), Some(20), None]), (0.0, 0.0), "together: the later one in the list");
    }
}
