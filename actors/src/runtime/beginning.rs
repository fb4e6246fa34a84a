//! What a run begins with: the facts of its recording's header, and the past of its charts.

use std::collections::BTreeMap;
use std::sync::Arc;

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
pub(super) fn labels(panel: &Panel) -> Vec<Option<Arc<str>>> {
    let mut labels = vec![None; panel.program.len()];
    for (name, id) in &panel.values {
        labels[id.0 as usize] = Some(name.as_str().into());
    }
    for widget in &panel.scene.widgets {
        if let Look::Sparkline(chart) = &widget.look {
            labels[chart.value.0 as usize] = Some(panel.program.text(chart.value).into());
        }
    }
    labels
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
            states: true,
            history: if time == Time::Live { self.history() } else { BTreeMap::new() },
        })
    }

    /// What the database knows of the values that charts show. A database that cannot be read costs the
    /// charts their past and nothing else.
    fn history(&self) -> BTreeMap<String, Vec<(i64, f64)>> {
        let Some(persistence) = &self.panel.persistence else { return BTreeMap::new() };
        let now_ms = self.world.unix_ms();
        let read = || -> Result<_, persistence::Error> {
            let Some(history) = History::open(&persistence.file)? else { return Ok(BTreeMap::new()) };
            let recent = |chart: Chart| {
                let since_ms = now_ms.saturating_sub_unsigned(chart.span_ms);
                Ok((history.recent(&chart.label, since_ms)?, chart.label))
            };
            let series = charts(&self.panel).map(recent).collect::<Result<Vec<_>, persistence::Error>>()?;
            let known = series.into_iter().filter(|(points, _)| !points.is_empty());
            Ok(known.map(|(points, label)| (label, points)).collect())
        };
        read().unwrap_or_else(|error| {
            tracing::warn!(%error, "charts begin empty");
            BTreeMap::new()
        })
    }
}
