//! The board: how the panel is doing, asked once for all viewers, however many there are.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use actors::handle::{Pulse, QuerySources, QueryValues, Reported, SourceReport};
use tokio::time::{Instant, MissedTickBehavior};

use super::App;
use super::asked::ask;

/// The time between two looks at the panel.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Every so many looks each value's trend gets a point.
pub(super) const LOOKS_PER_POINT: u64 = 2;

/// How many points a trend keeps: a minute.
pub(super) const TREND_POINTS: usize = 120;

/// How many values have a trend, the first ones of the configuration.
pub(super) const TRENDS: usize = 256;

/// How the panel was doing at the last look.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    /// Milliseconds from the server's start to this look.
    pub(super) at_ms: u64,
    /// What the clock says.
    pub(super) pulse: Pulse,
    /// Named values and declared keys.
    pub(super) values: Vec<Reported>,
    /// The sources.
    pub(super) sources: Vec<SourceReport>,
    /// The pasts of the values.
    pub(super) trends: Trends,
}

/// The pasts of values, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Trends {
    /// How many points were taken; tells a new state from an old one.
    pub(super) taken: u64,
    points: BTreeMap<Arc<str>, VecDeque<Option<f64>>>,
}

impl Trends {
    /// The past of a value, the oldest point first; `None` where it was no number.
    pub(super) fn of(&self, name: &str) -> Option<&VecDeque<Option<f64>>> {
        self.points.get(name)
    }

    fn take(&mut self, values: &[Reported]) {
        self.taken += 1;
        for value in values.iter().take(TRENDS) {
            let points = self.points.entry(value.name.clone()).or_default();
            if points.len() == TREND_POINTS {
                points.pop_front();
            }
            points.push_back(value.value.as_ref().and_then(|value| value.number()));
        }
        if self.points.len() > values.len().min(TRENDS) {
            self.points.retain(|name, _| values.iter().any(|value| value.name == *name));
        }
    }
}

/// Looks at the panel until the server ends. While the panel does not answer, the last answers stay; the
/// pulse shows that its tick stands still.
pub(super) async fn observe(app: Arc<App>) {
    let start = Instant::now();
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for look in 0_u64.. {
        interval.tick().await;
        let values = ask(&app.handle.values, QueryValues).await;
        let sources = ask(&app.handle.sources, QuerySources).await;
        app.board.send_modify(|board| {
            // Viewers hold a board for a moment only, so this rarely copies one.
            let board = Arc::make_mut(board);
            board.at_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            board.pulse = *app.handle.pulse.borrow();
            board.values = values.unwrap_or(std::mem::take(&mut board.values));
            board.sources = sources.unwrap_or(std::mem::take(&mut board.sources));
            if look % LOOKS_PER_POINT == 0 {
                board.trends.take(&board.values);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use engine::sample::SourceState;
    use engine::value::Value;

    use super::*;

    fn reported(name: &str, value: Option<Value>) -> Reported {
        let (name, unit) = (name.into(), "".into());
        Reported { name, formula: None, value, error: None, state: SourceState::Live, unit }
    }

    #[test]
    fn trends_keep_the_newest_points() {
        let mut trends = Trends::default();
        for n in 0..TREND_POINTS + 3 {
            trends
                .take(&[reported("cpu", Some(Value::Number(n as f64))), reported("host", Some("pi".into()))]);
        }
        let cpu = trends.of("cpu").unwrap();
        assert_eq!((cpu.len(), cpu[0], cpu[TREND_POINTS - 1]), (TREND_POINTS, Some(3.0), Some(122.0)));
        assert_eq!(trends.of("host").unwrap()[0], None);
        assert_eq!(trends.taken, TREND_POINTS as u64 + 3);
    }

    #[test]
    fn trends_are_limited() {
        let values: Vec<_> = (0..TRENDS + 1).map(|n| reported(&n.to_string(), None)).collect();
        let mut trends = Trends::default();
        trends.take(&values);
        assert!(trends.of(&(TRENDS - 1).to_string()).is_some());
        assert!(trends.of(&TRENDS.to_string()).is_none());
        trends.take(&values[..1]);
        assert!(trends.of("1").is_none(), "a value that is gone has no trend");
    }
}
