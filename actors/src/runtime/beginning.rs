//! What a run begins with: the facts of its recording's header, and the past of its charts and windows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use engine::formula::FormulaId;
use engine::formula::derived::{Measure, Span};
use engine::script::Script;
use engine::tick::Tick;
use engine::widget::{Look, WidgetId};

use super::{Error, Time, Wiring};
use crate::expression::script::File;
use crate::expression::script::handlers::States;
use crate::expression::script::state::Plain;
use crate::expression::script::state::json::JSON_BYTES_MAX;
use crate::panel::Panel;
use crate::persistence::{self, History};
use crate::recording::{Header, Past, Recording, VERSION};

/// A widget that shows a value's past.
pub(super) struct Chart {
    pub(super) widget: WidgetId,
    /// The name of the series in the database and in recordings.
    pub(super) label: String,
    span_ms: u64,
}

/// The charts of a panel.
pub(super) fn charts(panel: &Panel) -> impl Iterator<Item = Chart> {
    (0..).map(WidgetId).zip(&panel.scene.widgets).filter_map(|(widget, definition)| match &definition.look {
        Look::Sparkline(chart) => {
            let label = panel.program.text(chart.value).to_string();
            Some(Chart { widget, label, span_ms: chart.span_ms })
        }
        _ => None,
    })
}

/// The names under which the results of formulas are kept, by formula: named values and what charts show.
/// Each name is given once, since formulas of the same name have the same results: a chart of `cpu` shows
/// what the value `cpu` is.
pub(super) fn labels(panel: &Panel) -> Vec<Option<Arc<str>>> {
    let mut labels: Vec<Option<Arc<str>>> = vec![None; panel.program.len()];
    let mut given = BTreeSet::new();
    let values = panel.values.iter().map(|(name, id)| (name.as_str(), *id));
    for (label, id) in values.chain(shown(panel)) {
        if given.insert(label)
            && let Some(free) = labels.get_mut(id.0 as usize)
        {
            *free = Some(label.into());
        }
    }
    labels
}

/// What the charts show, and under which name.
fn shown(panel: &Panel) -> impl Iterator<Item = (&str, FormulaId)> {
    panel.scene.widgets.iter().filter_map(|widget| match &widget.look {
        Look::Sparkline(chart) => Some((panel.program.text(chart.value), chart.value)),
        _ => None,
    })
}

/// How much of each series the charts need: as much as the longest of them shows.
fn spans(charts: impl Iterator<Item = Chart>) -> BTreeMap<String, u64> {
    let mut spans = BTreeMap::new();
    for Chart { label, span_ms, .. } in charts {
        let longest = spans.entry(label).or_insert(span_ms);
        *longest = span_ms.max(*longest);
    }
    spans
}

/// The most samples that windows are filled with before a run, of all keys together. A recording's header
/// has room for them.
const PAST_SAMPLES_MAX: usize = 250_000;

/// The longest that reading them may take.
const PAST_TIME: Duration = Duration::from_millis(250);

/// What windows need of a key's past.
#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    span_ms: i64,
    /// So many of the newest samples, however old.
    newest: usize,
}

/// How far the windows of each key go back, by the key's full name.
fn window_spans(panel: &Panel) -> BTreeMap<String, Reach> {
    let mut spans: BTreeMap<String, Reach> = BTreeMap::new();
    for question in panel.program.derived() {
        let Some(key) = panel.keys.get(question.key as usize) else { continue };
        let span = match (question.measure, question.span) {
            (Measure::Age | Measure::Stale, _) => continue,
            (_, Some(Span::Milliseconds(ms))) => ms,
            (_, Some(Span::Ticks(ticks))) => panel.fps.millis_at(Tick(ticks)).saturating_add(1),
            (_, None) => 0,
        };
        let reach = spans.entry(key.name.clone()).or_default();
        reach.span_ms = i64::try_from(span).unwrap_or(i64::MAX).max(reach.span_ms);
        if question.measure == Measure::Delta {
            reach.newest = 2;
        }
    }
    spans
}

/// The scripts as they are at tick 0. Their files may be others when the recording is played.
fn scripts(panel: &Panel) -> Vec<Script> {
    let script = |file: &File| Script { file: file.name.clone(), text: file.text.clone() };
    panel.scripts.files.iter().map(script).collect()
}

/// A state from its JSON.
fn state(text: &str) -> Result<Plain, String> {
    if text.len() > JSON_BYTES_MAX {
        return Err("it is longer than a state can be".into());
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

impl Wiring {
    /// What a recording of this run begins with: for a replay, what the recording said.
    pub(super) fn header(&self, time: Time, input: Option<&Recording>) -> Result<Header, Error> {
        let fps = self.panel.fps.per_second();
        if let Some(Recording { header, .. }) = input {
            let recorded = header.fps;
            if recorded != fps {
                let message = format!("it has {recorded} ticks a second, the configuration has {fps}");
                return Err(Error::Recording(message));
            }
            return Ok(header.clone());
        }
        Ok(Header {
            recording: VERSION,
            engine: env!("CARGO_PKG_VERSION").into(),
            panel: self.panel.name.clone(),
            fingerprint: format!("{:016x}", self.panel.fingerprint),
            fps,
            seed: self.panel.seed,
            start_ms: self.world.unix_ms(),
            host: Some(self.panel.host.clone()),
            states: true,
            history: if time == Time::Live { self.history() } else { BTreeMap::new() },
            past: if time == Time::Live { self.past() } else { BTreeMap::new() },
            newest: if time == Time::Live { self.newest() } else { BTreeMap::new() },
            scripts: scripts(&self.panel),
            state: if time == Time::Live { self.states() } else { States::new() },
        })
    }

    /// What the database knows of the values that charts show. A database that cannot be read costs the
    /// charts their past and nothing else.
    fn history(&self) -> BTreeMap<String, Vec<(i64, f64)>> {
        let Some(persistence) = &self.panel.persistence else { return BTreeMap::new() };
        let (now_ms, database) = (self.world.unix_ms(), &self.telemetry.database);
        let read = || -> Result<_, persistence::Error> {
            let Some(history) = History::open(&persistence.file)? else { return Ok(BTreeMap::new()) };
            let mut known = BTreeMap::new();
            for (label, span_ms) in spans(charts(&self.panel)) {
                let began = self.world.now();
                let points = history.recent(&label, now_ms.saturating_sub_unsigned(span_ms))?;
                database.answered(self.world.now().saturating_sub(began));
                if !points.is_empty() {
                    known.insert(label, points);
                }
            }
            Ok(known)
        };
        database.readers.increment(1.0);
        let known = read();
        database.readers.decrement(1.0);
        known.unwrap_or_else(|error| {
            tracing::warn!(%error, "charts begin empty");
            BTreeMap::new()
        })
    }

    /// What scripts had kept. What cannot be read costs its script its state and nothing else.
    fn states(&self) -> States {
        let Some(persistence) = &self.panel.persistence else { return States::new() };
        if self.panel.scripts.files.is_empty() {
            return States::new();
        }
        let read = || -> Result<_, persistence::Error> {
            let Some(history) = History::open(&persistence.file)? else { return Ok(Vec::new()) };
            let began = self.world.now();
            let states = history.states()?;
            self.telemetry.database.answered(self.world.now().saturating_sub(began));
            Ok(states)
        };
        self.telemetry.database.readers.increment(1.0);
        let states = read();
        self.telemetry.database.readers.decrement(1.0);
        let states = states.unwrap_or_else(|error| {
            tracing::warn!(%error, "scripts begin without what they had kept");
            Vec::new()
        });
        let own = |file: &str| self.panel.scripts.files.iter().find(|own| *own.name == *file);
        let known = states.into_iter().filter_map(|(file, text)| Some((own(&file)?.name.clone(), text)));
        let state = |(file, text): (Arc<str>, String)| match state(&text) {
            Ok(state) => Some((file, Arc::new(state))),
            Err(error) => {
                tracing::warn!(%file, error, "what a script had kept cannot be read; it begins without");
                None
            }
        };
        known.filter_map(state).collect()
    }

    /// What the database knows of the keys over which there are windows: the newest samples, as many as
    /// there is room and time for. A database that cannot be read costs the windows their past alone.
    fn past(&self) -> Past {
        let Some(persistence) = &self.panel.persistence else { return Past::new() };
        let spans = window_spans(&self.panel);
        if spans.is_empty() {
            return Past::new();
        }
        let (now_ms, database) = (self.world.unix_ms(), &self.telemetry.database);
        let until = self.world.now() + PAST_TIME;
        let read = || -> Result<Past, persistence::Error> {
            let Some(history) = History::open(&persistence.file)? else { return Ok(Past::new()) };
            let (mut past, mut room, mut left) = (Past::new(), PAST_SAMPLES_MAX, spans.len());
            for (key, reach) in &spans {
                let began = self.world.now();
                // What one key leaves of its share is for those after it.
                let share = until.saturating_sub(began) / u32::try_from(left).unwrap_or(u32::MAX);
                let has_time = || self.world.now() < began + share;
                let after_ms = now_ms.saturating_sub(reach.span_ms);
                let mut samples = history.samples(key, after_ms, room / left, has_time)?;
                if samples.len() < reach.newest {
                    samples = history.samples(key, i64::MIN, reach.newest, || true)?;
                }
                database.answered(self.world.now().saturating_sub(began));
                (room, left) = (room.saturating_sub(samples.len()), left - 1);
                if !samples.is_empty() {
                    past.insert(key.clone(), samples);
                }
            }
            Ok(past)
        };
        database.readers.increment(1.0);
        let past = read();
        database.readers.decrement(1.0);
        past.unwrap_or_else(|error| {
            tracing::warn!(%error, "windows begin empty");
            Past::new()
        })
    }

    /// When the newest samples came of the keys that are asked how long they have been silent.
    fn newest(&self) -> BTreeMap<String, i64> {
        let Some(persistence) = &self.panel.persistence else { return BTreeMap::new() };
        let asked = self.panel.program.derived().iter();
        let asked = asked.filter(|asked| matches!(asked.measure, Measure::Age | Measure::Stale));
        let keys: BTreeSet<u32> = asked.map(|asked| asked.key).collect();
        if keys.is_empty() {
            return BTreeMap::new();
        }
        let until = self.world.now() + PAST_TIME;
        let read = || -> Result<BTreeMap<String, i64>, persistence::Error> {
            let Some(history) = History::open(&persistence.file)? else { return Ok(BTreeMap::new()) };
            let mut newest = BTreeMap::new();
            for name in keys.iter().filter_map(|key| Some(&self.panel.keys.get(*key as usize)?.name)) {
                if let Some(newest_ms) = history.newest(name)? {
                    newest.insert(name.clone(), newest_ms);
                }
                if self.world.now() > until {
                    break;
                }
            }
            Ok(newest)
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(%error, "how long keys have been silent is not known");
            BTreeMap::new()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_as_long_as_its_longest_chart() {
        let check = |charts: &[(&str, u64)], expected: &[(&str, u64)]| {
            let chart = |(label, span_ms): &(&str, u64)| Chart {
                widget: WidgetId(0),
                label: (*label).to_string(),
                span_ms: *span_ms,
            };
            let expected: BTreeMap<_, _> = expected.iter().map(|(l, ms)| ((*l).to_string(), *ms)).collect();
            assert_eq!(spans(charts.iter().map(chart)), expected, "{charts:?}");
        };
        check(&[], &[]);
        check(&[("a", 60), ("b", 5)], &[("a", 60), ("b", 5)]);
        check(&[("a", 60), ("a", 5)], &[("a", 60)]);
        check(&[("a", 5), ("a", 60)], &[("a", 60)]);
    }
}
