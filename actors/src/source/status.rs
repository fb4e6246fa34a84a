//! The panel's own sources, as data: how each is doing, how often it was started anew, and what came of it.
//! As samples they reach formulas, charts, recordings and replays like any other data.

use std::sync::Arc;
use std::time::Duration;

use engine::value::Value;

use crate::handle::{QuerySources, Slot, SourceReport};
use crate::source::schedule::Schedule;
use crate::source::{Context, Error, KeySpec};

/// What is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time between two readings.
    pub every: Duration,
    /// The names of the sources that are told of.
    pub sources: Vec<String>,
    /// Who knows how they are doing; the runtime says so.
    pub answers: Slot<QuerySources>,
}

/// The longest error that is told, in characters.
const ERROR_CHARS_MAX: usize = 200;

/// What it sends of each source: `NAME_state` and so on.
///
/// # Errors
/// None.
pub fn keys(options: &Options) -> Result<Vec<KeySpec>, Error> {
    let of = |name: &String| {
        let count =
            |what, meaning: &str| KeySpec::number(format!("{name}_{what}"), (0.0, 100.0), "", meaning);
        let text = |what, meaning: &str| KeySpec::text(format!("{name}_{what}"), meaning);
        [
            text("state", "How it is doing: `live`, `stale`, `retrying` and so on"),
            text("error", "Why it last failed; empty if it never did"),
            count("restarts", "How often it was started anew"),
            count("samples", "Values that reached the ring"),
            count("dropped", "Readings that were dropped because too many waited"),
            count("rejected", "Values that were refused"),
        ]
    };
    Ok(options.sources.iter().flat_map(of).collect())
}

/// Emits a reading at each multiple of `every`. While nobody answers within that time, as when the core hangs
/// or is started anew, it leaves readings out.
///
/// # Errors
/// [`Error::Stopped`].
pub async fn run(options: &Options, context: &mut Context) -> Result<(), Error> {
    let names: Vec<Arc<str>> = keys(options)?.into_iter().map(|key| key.name).collect();
    let mut schedule = Schedule::new(options.every, context.world.now());
    loop {
        let (_, at) = schedule.next(context.world.now());
        context.sleep_until(at).await?;
        let Some(ring) = options.answers.upgrade() else { continue };
        let (world, patience) = (context.world, context.world.now().saturating_add(options.every));
        let answer = async {
            tokio::select! {
                biased;
                reports = ring.send(QuerySources) => reports.ok(),
                // A ring that hangs never answers, and never says that it will not.
                () = world.sleep_until(patience) => None,
            }
        };
        if let Some(reports) = context.wait_for(answer).await? {
            let values = options.sources.iter().flat_map(|name| values_of(name, &reports));
            let values = names.iter().cloned().zip(values).collect();
            context.emit(None, values, None).await?;
        }
    }
}

/// The values of one source, in the order of [`keys`].
fn values_of(name: &str, reports: &[SourceReport]) -> Vec<Value> {
    let Some(report) = reports.iter().find(|report| report.name == name) else { return Vec::new() };
    let error: String = report.error.as_deref().unwrap_or_default().chars().take(ERROR_CHARS_MAX).collect();
    let count = |count: u64| Value::Number(count as f64);
    vec![
        Value::from(report.state.name()),
        Value::from(&*error),
        count(report.restarts),
        count(report.samples),
        count(report.dropped),
        count(report.rejected),
    ]
}

#[cfg(test)]
mod tests {
    use engine::sample::SourceState;

    use super::*;
    use crate::source::Policy;
    use crate::source::rig::{self, Rig};

    #[test]
    fn every_source_is_told_of() {
        struct Ring {
            hangs: bool,
        }
        impl actix::Actor for Ring {
            type Context = actix::Context<Ring>;

            fn started(&mut self, context: &mut Self::Context) {
                if self.hangs {
                    actix::AsyncContext::wait(context, actix::fut::wrap_future(std::future::pending::<()>()));
                }
            }
        }
        impl actix::Handler<QuerySources> for Ring {
            type Result = Vec<SourceReport>;
            fn handle(&mut self, _: QuerySources, _: &mut actix::Context<Ring>) -> Vec<SourceReport> {
                let wave = SourceReport {
                    state: SourceState::Retrying,
                    samples: 7,
                    restarts: 2,
                    error: Some("é".repeat(300)),
                    ..SourceReport::new("wave", "generator")
                };
                vec![SourceReport::new("status", "status"), SourceReport::new("clock", "time"), wave]
            }
        }
        let answers = Slot::default();
        let options = Options {
            every: Duration::from_secs(1),
            sources: vec!["clock".into(), "wave".into()],
            answers: answers.clone(),
        };
        let rig = Rig::new(Policy::DropOldest);
        let run = rig.run_with(Duration::from_secs(3), async move |context| {
            let world = context.world;
            // Nobody is there at first; the first that is hangs for good, and another takes its place.
            actix::spawn(async move {
                let mut rings = Vec::new();
                for (from_ms, hangs) in [(500, true), (1_500, false), (10_000, false)] {
                    world.sleep_until(Duration::from_millis(from_ms)).await;
                    let ring = actix::Actor::start(Ring { hangs });
                    answers.point(ring.downgrade().recipient());
                    rings.push(ring);
                }
            });
            run(&options, context).await
        });
        let error = "é".repeat(ERROR_CHARS_MAX);
        let line = format!(
            "clock_state=connecting clock_error= clock_restarts=0 clock_samples=0 clock_dropped=0 \
             clock_rejected=0 wave_state=retrying wave_error={error} wave_restarts=2 wave_samples=7 \
             wave_dropped=0 wave_rejected=0"
        );
        assert_eq!(rig::print(&run.readings), format!("2000 {line}\n3000 {line}\n"));
    }
}
