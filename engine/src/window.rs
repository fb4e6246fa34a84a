//! Windows over time: what formulas ask of a key's past, kept up to date sample by sample.
//!
//! A window holds the samples stamped in (now - span, now]. A sample that comes late enters the windows that
//! reach back to its time; one that is stamped later than now waits until then. Where the clock is set back,
//! windows reach back from the new time, and hold again what a longer one over their key still has. There is one window for each key and span, whatever is asked of
//! it, and windows over one key share its samples.
//!
//! As long as a key has at most [`Limits::samples`] samples, everything is exact: sums and deviations
//! are rounded once, however large and small numbers are mixed. Older samples than that are put together in
//! panes, each of which enters and leaves as a whole; [`plan`] says how wide they are. Of a pane's numbers
//! some stand for all where their order by size is asked for.
//!
//! The cost of a sample does not depend on how many there are, or on their logarithm where their order is
//! asked for. Where nothing comes or goes, nothing is computed.
//!
//! ```
//! use engine::formula::derived::{Derived, Measure, Span};
//! use engine::tick::{Fps, Tick};
//! use engine::value::Value;
//! use engine::window::Windows;
//!
//! let span = Some(Span::Milliseconds(1_000));
//! let mut windows = Windows::new(&[Derived { measure: Measure::Average, key: 0, span }], &[], Fps::default());
//! windows.advance(Tick(0), 5_000);
//! windows.push(0, 4_500, &Value::Number(1.0));
//! windows.push(0, 5_000, &Value::Number(2.0));
//! assert_eq!(windows.settle(), [0]);
//! assert_eq!(windows.value(0), Some(1.5));
//! windows.advance(Tick(30), 5_500);
//! windows.settle();
//! assert_eq!(windows.value(0), Some(2.0));
//! ```

mod blocks;
mod exact;
mod extreme;
mod pane;
mod plan;
mod ranks;
mod series;
mod silence;
mod view;

use alloc::vec;
use alloc::vec::Vec;

use crate::formula::derived::{Derived, Measure};
use crate::sample::{SourceId, SourceState};
use crate::tick::{Fps, Tick};
use crate::value::Value;
use pane::Point;
use plan::pane_ms;
pub use plan::{
    BYTES_MAX, Limits, PANES_MAX, PANES_MIN, Plan, Planned, SAMPLES_MAX, SAMPLES_MIN, WINDOWS_MAX, plan,
};
use series::Series;
use silence::Silence;

/// What there is to know of a key besides its samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// Where its samples come from.
    pub source: Option<SourceId>,
    /// After so many ticks without a sample it is stale, whatever its source says.
    pub stale_after: Option<u64>,
}

/// The derived inputs of a program. See the [module](self).
#[derive(Clone, Debug)]
pub struct Windows {
    fps: Fps,
    lanes: Vec<Lane>,
    /// By lane; NaN where there is no value.
    values: Vec<f64>,
    series: Vec<Series>,
    /// By series: when it is to be looked at next.
    due_ms: Vec<i64>,
    soonest_ms: i64,
    silences: Vec<Silence>,
    /// By key: the tick of its newest sample; below 0 where that is older than the run.
    arrived: Vec<Option<i64>>,
    /// By key: its series and its silence.
    by_key: Vec<(Option<u32>, Option<u32>)>,
    /// By series: the lanes that are answered from it.
    asked: Vec<Vec<u32>>,
    /// Series with news since the last settling.
    news: Vec<u32>,
    is_news: Vec<bool>,
    /// Lanes of ages, which are others at every tick.
    ages: Vec<u32>,
    /// Silences with news since the last settling.
    broken: Vec<u32>,
    /// The tick at which the next silence has lasted too long, at the earliest.
    overdue: u64,
    changed: Vec<u32>,
    tick: Tick,
    now_ms: i64,
}

#[derive(Clone, Copy, Debug)]
struct Lane {
    measure: Measure,
    from: Origin,
}

/// What a lane is answered from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    Series(u32, Option<usize>),
    Silence(u32),
}

/// What windows remember: with it others of the same program go on as if they were the same, to the bit.
/// Copies share their samples with the windows until those change.
#[derive(Clone, Debug)]
pub struct Memory {
    series: Vec<series::Memory>,
    silences: Vec<Silence>,
    values: Vec<f64>,
    arrived: Vec<Option<i64>>,
    tick: Tick,
    now_ms: i64,
}

impl Memory {
    /// The engine's time: Unix time in milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The tick.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The answer to the question at this index, infinite where it is too large for a number; `None` where there is
    /// none.
    pub fn value(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().filter(|value| !value.is_nan())
    }

    /// The tick at which the newest sample of the key at this index came, which may lie before the first.
    pub fn arrived(&self, key: u32) -> Option<i64> {
        self.arrived.get(key as usize).copied().flatten()
    }

    /// How many samples the window of a question holds; `None` where it asks no window.
    pub fn count(&self, asked: &Derived) -> Option<u64> {
        self.of_key(asked.key)?.count(asked.span?)
    }

    /// The samples that are kept one by one for the key at this index: Unix time in milliseconds and number,
    /// the oldest first. `None` where there is no window over the key.
    pub fn samples(&self, key: u32) -> Option<impl Iterator<Item = (i64, f64)>> {
        Some(self.of_key(key)?.samples())
    }

    /// The time after which all samples of the key at this index are among [`Memory::samples`]. `None` where
    /// there is no window over the key.
    pub fn whole_after_ms(&self, key: u32) -> Option<i64> {
        self.of_key(key)?.whole_after_ms()
    }

    fn of_key(&self, key: u32) -> Option<&series::Memory> {
        self.series.iter().find(|series| series.key == key)
    }
}

impl Windows {
    /// Empty windows for what is `asked`; the answers have the same indices. `keys` are the facts of the
    /// program's keys; a key without facts has no source.
    pub fn new(asked: &[Derived], keys: &[KeyFacts], fps: Fps) -> Windows {
        Windows::limited(asked, keys, fps, plan(asked, fps).limits)
    }

    /// As [`Windows::new`], with other limits than [`plan`] finds.
    pub fn limited(asked: &[Derived], keys: &[KeyFacts], fps: Fps, limits: Limits) -> Windows {
        let mut windows = Windows {
            fps,
            lanes: Vec::with_capacity(asked.len()),
            values: vec![f64::NAN; asked.len()],
            series: Vec::new(),
            due_ms: Vec::new(),
            soonest_ms: i64::MAX,
            silences: Vec::new(),
            arrived: vec![None; keys.len()],
            by_key: Vec::new(),
            asked: Vec::new(),
            news: Vec::new(),
            is_news: Vec::new(),
            ages: Vec::new(),
            broken: Vec::new(),
            overdue: u64::MAX,
            changed: Vec::new(),
            tick: Tick(0),
            now_ms: i64::MIN,
        };
        for question in asked {
            windows.ask(question, keys, limits);
        }
        windows
    }

    /// It is `tick`, at `now_ms` (Unix time in milliseconds): samples come and go. Time may jump and go back.
    pub fn advance(&mut self, tick: Tick, now_ms: i64) {
        if tick < self.tick {
            self.broken = (0..self.silences.len() as u32).collect();
        }
        let is_back = now_ms < self.now_ms;
        if is_back {
            // What would have left by now has, though nobody looked.
            for series in &mut self.series {
                series.advance(self.tick, self.now_ms);
            }
        }
        (self.tick, self.now_ms) = (tick, now_ms);
        if now_ms < self.soonest_ms && !is_back {
            return;
        }
        for index in 0..self.series.len() {
            if self.due_ms[index] <= now_ms || is_back {
                if self.series[index].advance(tick, now_ms) {
                    self.note(index);
                }
                self.due_ms[index] = self.series[index].due_ms();
            }
        }
        self.soonest_ms = self.due_ms.iter().copied().min().unwrap_or(i64::MAX);
    }

    /// A sample of the key at this index came at the tick of the last [`Windows::advance`]. What is no number
    /// is no sample to a window.
    pub fn push(&mut self, key: u32, timestamp_ms: i64, value: &Value) {
        self.arrive(key, i64::try_from(self.tick.0).unwrap_or(i64::MAX));
        if let Some(number) = value.number() {
            self.fill(key, timestamp_ms, number);
        }
    }

    /// A sample of the past, which did not come just now.
    pub fn fill(&mut self, key: u32, timestamp_ms: i64, number: f64) {
        let Some(index) = self.by_key.get(key as usize).and_then(|(series, _)| *series) else { return };
        if !number.is_finite() {
            return;
        }
        let index = index as usize;
        let series = &mut self.series[index];
        // Time may have passed it by while nothing was due.
        series.advance(self.tick, self.now_ms);
        let is_news = series.push(Point { ms: timestamp_ms, number: number + 0.0 });
        self.due_ms[index] = series.due_ms();
        self.soonest_ms = self.soonest_ms.min(self.due_ms[index]);
        if is_news {
            self.note(index);
        }
    }

    /// The newest sample of the key at this index came at this tick, which may lie before the first.
    pub fn arrive(&mut self, key: u32, tick: i64) {
        let Some(arrived) = self.arrived.get_mut(key as usize) else { return };
        *arrived = Some(arrived.map_or(tick, |before| before.max(tick)));
        if let Some((_, Some(silence))) = self.by_key.get(key as usize)
            && self.broken.last() != Some(silence)
        {
            self.broken.push(*silence);
        }
    }

    /// A source is in this state from now on.
    pub fn set_state(&mut self, source: SourceId, state: SourceState) {
        let source = Some(usize::from(source.0));
        for (index, silence) in (0..).zip(&mut self.silences) {
            if silence.source == source {
                silence.state = state;
                self.broken.push(index);
            }
        }
    }

    /// Brings the answers up to date. Returns the indices of those that are others than before, each once.
    pub fn settle(&mut self) -> &[u32] {
        self.changed.clear();
        for series in core::mem::take(&mut self.news) {
            self.is_news[series as usize] = false;
            for position in 0..self.asked[series as usize].len() {
                self.answer(self.asked[series as usize][position]);
            }
        }
        self.settle_silences();
        for position in 0..self.ages.len() {
            self.answer(self.ages[position]);
        }
        &self.changed
    }

    /// What the last [`Windows::settle`] returned.
    pub fn changed(&self) -> &[u32] {
        &self.changed
    }

    /// The answer to the question at this index, infinite where it is too large for a number; `None` where there is
    /// none.
    pub fn value(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().filter(|value| !value.is_nan())
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// What they remember, after [`Windows::settle`].
    pub fn memory(&self) -> Memory {
        Memory {
            series: self.series.iter().map(Series::memory).collect(),
            silences: self.silences.clone(),
            arrived: self.arrived.clone(),
            values: self.values.clone(),
            tick: self.tick,
            now_ms: self.now_ms,
        }
    }

    /// Goes back to what windows of the same program remembered.
    pub fn restore(&mut self, memory: &Memory) {
        for (series, memory) in self.series.iter_mut().zip(&memory.series) {
            series.restore(memory);
        }
        self.silences.clone_from(&memory.silences);
        self.arrived.clone_from(&memory.arrived);
        self.broken = (0..self.silences.len() as u32).collect();
        self.values.clone_from(&memory.values);
        (self.tick, self.now_ms) = (memory.tick, memory.now_ms);
        self.due_ms = self.series.iter().map(Series::due_ms).collect();
        self.soonest_ms = self.due_ms.iter().copied().min().unwrap_or(i64::MAX);
        self.news.clear();
        self.is_news.fill(false);
    }

    /// How often a sample or a pane has entered or left a window.
    pub fn updates(&self) -> u64 {
        self.series.iter().map(|series| series.updates).sum()
    }

    /// Samples stamped so far ahead of the clock that there was no room for them.
    pub fn dropped(&self) -> u64 {
        self.series.iter().map(|series| series.dropped).sum()
    }

    /// Samples that are kept one by one.
    pub fn samples(&self) -> usize {
        self.series.iter().map(Series::samples).sum()
    }

    /// Bytes that all of it takes.
    pub fn bytes(&self) -> usize {
        self.series.iter().map(Series::bytes).sum::<usize>() + self.lanes.len() * size_of::<Lane>()
    }
}

impl Windows {
    fn ask(&mut self, question: &Derived, keys: &[KeyFacts], limits: Limits) {
        let (index, key) = (self.lanes.len() as u32, question.key as usize);
        if self.by_key.len() <= key {
            self.by_key.resize(key + 1, (None, None));
        }
        if self.arrived.len() <= key {
            self.arrived.resize(key + 1, None);
        }
        let from = match question.measure {
            Measure::Age | Measure::Stale => {
                let facts = keys.get(key).copied().unwrap_or_default();
                let silence = *self.by_key[key].1.get_or_insert_with(|| {
                    let (source, stale_after) = (facts.source.map(|id| usize::from(id.0)), facts.stale_after);
                    self.silences.push(Silence { key, source, stale_after, ..Silence::default() });
                    self.silences.len() as u32 - 1
                });
                self.broken.push(silence);
                if question.measure == Measure::Age {
                    self.ages.push(index);
                } else {
                    self.silences[silence as usize].lane = Some(index);
                }
                Origin::Silence(silence)
            }
            measure => {
                let series = *self.by_key[key].0.get_or_insert_with(|| {
                    self.series.push(Series::new(question.key, limits, self.fps));
                    self.asked.push(Vec::new());
                    self.due_ms.push(i64::MAX);
                    self.is_news.push(false);
                    self.series.len() as u32 - 1
                });
                self.asked[series as usize].push(index);
                self.note(series as usize);
                Origin::Series(series, self.series[series as usize].serve(measure, question.span))
            }
        };
        self.lanes.push(Lane { measure: question.measure, from });
    }

    /// Looks at the silences that were broken or have lasted too long.
    fn settle_silences(&mut self) {
        let mut broken = core::mem::take(&mut self.broken);
        let is_due = self.tick.0 >= self.overdue;
        if is_due {
            broken = (0..self.silences.len() as u32).collect();
            self.overdue = u64::MAX;
        }
        for index in broken.drain(..) {
            let silence = &self.silences[index as usize];
            let ends = silence.ends(self.arrived[silence.key]).filter(|ends| *ends > self.tick.0);
            self.overdue = self.overdue.min(ends.unwrap_or(u64::MAX));
            let lane = silence.lane;
            lane.into_iter().for_each(|lane| self.answer(lane));
        }
        self.broken = broken;
    }

    fn note(&mut self, series: usize) {
        if !core::mem::replace(&mut self.is_news[series], true) {
            self.news.push(series as u32);
        }
    }

    fn answer(&mut self, lane: u32) {
        let Lane { measure, from } = self.lanes[lane as usize];
        let value = match from {
            Origin::Series(series, view) => self.series[series as usize].value(measure, view),
            Origin::Silence(silence) => {
                let silence = &self.silences[silence as usize];
                let arrived = self.arrived[silence.key];
                match measure {
                    Measure::Age => {
                        let age = silence::age(arrived, self.tick);
                        age.map(|ticks| ticks as f64 / f64::from(self.fps.per_second()))
                    }
                    _ => Some(f64::from(u8::from(silence.is_stale(arrived, self.tick)))),
                }
            }
        };
        let value = value.unwrap_or(f64::NAN);
        let known = &mut self.values[lane as usize];
        if known.to_bits() != value.to_bits() {
            *known = value;
            self.changed.push(lane);
        }
    }
}

#[cfg(test)]
mod tests;
