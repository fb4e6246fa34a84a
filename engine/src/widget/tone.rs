//! Tone: how widgets show that their data is old or missing.

use serde::{Deserialize, Serialize};

use crate::paint::Color;
use crate::sample::{SourceId, SourceState};

/// What the sources behind a widget allow it to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mood {
    /// Values, in the widget's own colours.
    #[default]
    Live,
    /// The last good values, in the neutral tone and marked.
    Stale,
    /// No values, only that there are none.
    Failed,
}

impl Mood {
    /// The mood that the worst of `sources` leaves. A source without a state is connecting.
    pub(crate) fn of(sources: &[SourceId], states: &[SourceState]) -> Mood {
        let state = |id: &SourceId| states.get(usize::from(id.0)).copied().unwrap_or_default();
        match sources.iter().map(state).max() {
            None | Some(SourceState::Connecting | SourceState::Live) => Mood::Live,
            Some(SourceState::Stale | SourceState::Retrying | SourceState::Stopped) => Mood::Stale,
            Some(SourceState::Failed) => Mood::Failed,
        }
    }
}

/// How far a widget has faded to the neutral tone. It takes a quarter of a second either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fade {
    /// Ticks on the way, `None` before the first step.
    done: Option<u64>,
}

impl Fade {
    /// Length of a fade in milliseconds.
    pub(crate) const MILLIS: u64 = 250;

    /// Moves on by a tick. The first one does not fade: it is where it is.
    pub(crate) fn step(&mut self, neutral: bool, duration: u64) -> bool {
        let before = self.done;
        let done = match (before, neutral) {
            (None, true) => duration,
            (None, false) => 0,
            (Some(done), true) => (done + 1).min(duration),
            (Some(done), false) => done.saturating_sub(1),
        };
        self.done = Some(done);
        before != self.done
    }

    /// 0 for a widget in its own colours, 255 for a neutral one.
    pub(crate) fn level(self, duration: u64) -> u8 {
        let level = self.done.unwrap_or(0).saturating_mul(255) / duration.max(1);
        u8::try_from(level).unwrap_or(255)
    }
}

/// A colour on its way to its neutral tone: the grey of the same brightness, set back by a quarter towards
/// the background.
pub(crate) fn faded(color: Color, background: Color, level: u8) -> Color {
    let neutral = color.grey().mix(background, 64).with_alpha(color.a);
    color.mix(neutral, level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_source_counts() {
        use SourceState::{Connecting, Failed, Live, Retrying, Stale, Stopped};
        let mood = |states: &[SourceState]| Mood::of(&[SourceId(0), SourceId(1)], states);
        assert_eq!(mood(&[Live, Live]), Mood::Live);
        assert_eq!(mood(&[Live, Connecting]), Mood::Live);
        assert_eq!(mood(&[Live]), Mood::Live, "a source without a state is connecting");
        assert_eq!(mood(&[Stale, Live]), Mood::Stale);
        assert_eq!(mood(&[Live, Retrying]), Mood::Stale);
        assert_eq!(mood(&[Live, Stopped]), Mood::Stale);
        assert_eq!(mood(&[Stale, Failed]), Mood::Failed);
        assert_eq!(Mood::of(&[], &[Failed]), Mood::Live, "no source, no trouble");
    }

    #[test]
    fn a_fade_takes_its_ticks_and_turns_around() {
        let mut fade = Fade::default();
        assert!(fade.step(false, 4));
        let mut levels = alloc::vec::Vec::new();
        for neutral in [true, true, true, true, true, false, false] {
            fade.step(neutral, 4);
            levels.push(fade.level(4));
        }
        assert_eq!(levels, [63, 127, 191, 255, 255, 191, 127]);
        let mut fade = Fade::default();
        fade.step(true, 4);
        assert_eq!(fade.level(4), 255, "the first step does not fade");
    }

    #[test]
    fn the_neutral_tone_is_grey_and_readable() {
        let (ground, accent) = (Color::hex(0x0b0e14), Color::hex(0x4cc9f0));
        assert_eq!(faded(accent, ground, 0), accent);
        let neutral = faded(accent, ground, 255);
        assert!(neutral.r.abs_diff(neutral.b) < 8 && neutral.r > 0x60, "{neutral}");
        assert_eq!(faded(accent.with_alpha(40), ground, 255).a, 40);
    }
}
