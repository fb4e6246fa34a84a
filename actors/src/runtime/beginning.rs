//! What a run begins with: the facts of its recording's header, and the past of its charts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::formula::FormulaId;
use engine::widget::{Look, WidgetId};

use super::{Error, Time, Wiring};
use crate::panel::Panel;
use crate::persistence::{self, History};
use crate::recording::{Header, Recording, VERSION};

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
