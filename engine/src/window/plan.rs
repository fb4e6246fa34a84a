//! What windows may take: the limits, and what is to be said of them before a run.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::pane::{NUMBERS_MAX, Pane, Point, Weighted};
use super::view::span_ms;
use crate::formula::derived::{Derived, Measure, Span};
use crate::tick::Fps;

/// The most samples of a key that are kept one by one: five minutes of 60 a second.
pub const SAMPLES_MAX: usize = 18_000;

/// The most panes of a window: two hours of seconds.
pub const PANES_MAX: usize = 7_200;

/// The most bytes that all windows take, when as many samples come as can.
pub const BYTES_MAX: usize = 32 << 20;

/// The most windows. With so many each has [`SAMPLES_MIN`] and [`PANES_MIN`].
pub const WINDOWS_MAX: usize = 1_024;

/// The samples of a key that there is always room for.
pub const SAMPLES_MIN: usize = 64;

/// The panes of a window that there is always room for.
pub const PANES_MIN: usize = 30;

/// The width of a pane where there is room, in milliseconds.
const PANE_MS: u64 = 1_000;

/// A pane is no wider than one so many-th of its window where there is room.
const PANES_AT_LEAST: u64 = 60;

/// How much windows keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples of a key one by one, and as many that wait because they are stamped later than now.
    pub samples: usize,
    /// Panes of a window.
    pub panes: usize,
}

impl Default for Limits {
    /// [`SAMPLES_MAX`] and [`PANES_MAX`].
    fn default() -> Limits {
        Limits { samples: SAMPLES_MAX, panes: PANES_MAX }
    }
}

/// What the windows of a program will be.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How much they keep.
    pub limits: Limits,
    /// Each of them, by key and span.
    pub windows: Vec<Planned>,
    /// The most bytes that they can come to.
    pub bytes_max: usize,
}

/// A window before a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The index of its key.
    pub key: u32,
    /// How far it goes back; `None` for the newest samples alone.
    pub span: Option<Span>,
    /// The width of its panes in milliseconds. With no more samples than [`Limits::samples`] it has none.
    pub pane_ms: i64,
    /// The most bytes that it can come to, without the samples that it shares.
    pub bytes_max: usize,
}

/// Plans the windows for what is asked. Where there are many, each gets less room, so that all together
/// stay within [`BYTES_MAX`], as far as [`SAMPLES_MIN`] and [`PANES_MIN`] allow: for [`WINDOWS_MAX`] they do.
pub fn plan(asked: &[Derived], fps: Fps) -> Plan {
    let measures = measures(asked);
    let mut limits = Limits::default();
    loop {
        let planned = with_limits(&measures, limits, fps);
        let is_least = limits.samples == SAMPLES_MIN && limits.panes == PANES_MIN;
        if planned.bytes_max <= BYTES_MAX || is_least {
            return planned;
        }
        limits.samples = (limits.samples * 3 / 4).max(SAMPLES_MIN);
        limits.panes = (limits.panes * 3 / 4).max(PANES_MIN);
    }
}

/// What is asked of each window.
type Measures = BTreeMap<(u32, Option<Span>), Vec<Measure>>;

fn measures(asked: &[Derived]) -> Measures {
    let mut measures = Measures::new();
    for Derived { measure, key, span } in asked {
        if !matches!(measure, Measure::Age | Measure::Stale) {
            measures.entry((*key, *span)).or_default().push(*measure);
        }
    }
    measures
}

#[cfg(test)]
pub(super) fn with_limits_of(asked: &[Derived], limits: Limits, fps: Fps) -> Plan {
    with_limits(&measures(asked), limits, fps)
}

fn with_limits(measures: &Measures, limits: Limits, fps: Fps) -> Plan {
    let window = |((key, span), measures): (&(u32, Option<Span>), &Vec<Measure>)| Planned {
        key: *key,
        span: *span,
        pane_ms: span.map_or(0, |span| pane_ms(span, limits, fps)),
        bytes_max: if span.is_some() { bytes_max(measures, limits) } else { 0 },
    };
    let windows: Vec<Planned> = measures.iter().map(window).collect();
    let mut keys: Vec<u32> = windows.iter().map(|window| window.key).collect();
    keys.dedup();
    // Lists grow by doubling, within their blocks and beyond them.
    let shared = keys.len() * 2 * 2 * limits.samples * size_of::<Point>();
    let bytes_max = shared + windows.iter().map(|window| window.bytes_max).sum::<usize>();
    Plan { limits, windows, bytes_max }
}

/// The most bytes of a window of which these are asked.
fn bytes_max(measures: &[Measure], limits: Limits) -> usize {
    let asks = |wanted: fn(&Measure) -> bool| usize::from(measures.iter().any(wanted));
    let extremes = asks(|m| *m == Measure::Minimum) + asks(|m| *m == Measure::Maximum);
    let ranks = asks(|m| matches!(m, Measure::Median | Measure::Percentile(_)));
    let extreme = (limits.samples + limits.panes) * size_of::<(i64, f64)>() * 2;
    let weighted = limits.panes * NUMBERS_MAX;
    let rank = (limits.samples + weighted) * 12 * 2 + weighted * size_of::<Weighted>();
    limits.panes * size_of::<Pane>() * 2 + extremes * extreme + ranks * rank
}

/// How wide a window's panes are: a second, less where the window is short, and more where it has no room
/// for so many seconds.
pub(super) fn pane_ms(span: Span, limits: Limits, fps: Fps) -> i64 {
    let span_ms = span_ms(span, fps).unsigned_abs();
    let shortest = (span_ms / PANES_AT_LEAST).clamp(1, PANE_MS);
    let needed = span_ms.div_ceil(limits.panes as u64).div_ceil(shortest) * shortest;
    i64::try_from(needed.max(shortest)).unwrap_or(i64::MAX)
}
