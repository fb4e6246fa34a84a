//! The edges of the runtime: the actors around the core, as workers, each with a thread of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::ring::intake::Restarted;
use engine::sample::{SourceId, SourceState};
use tokio::sync::watch;

use super::core::{Core, Inlets};
use super::{Error, Face, Wiring, beginning};
use crate::clock::End;
use crate::expression::script;
use crate::expression::script::reloads::Reloads;
use crate::handle::{ActorState, Handle};
use crate::output;
use crate::panel::Output;
use crate::persistence::{self, Mailbox};
use crate::recording::Recorder;
use crate::ring::Report;
use crate::source::{self, KeySpec, Port, Source};
use crate::supervisor::policy::Exceptions;
use crate::supervisor::worker::{Context, Failure, Group, Run, Worker, run};
use crate::supervisor::{Listener, News};

const SECOND: Duration = Duration::from_secs(1);

/// A worker with a thread of its own and the policy of its group.
fn worker(name: &str, role: &'static str, group: Group, run: Run) -> Worker {
    Worker { name: name.into(), role, group, shares_thread: false, exceptions: Exceptions::default(), run }
}

/// The face's.
pub(super) fn face(face: Face, handle: Handle) -> Worker {
    worker("http", "http", Group::Http, Arc::new(move |context| face(context, handle.clone())))
}

/// The recorder's.
pub(super) fn recorder(recorder: Recorder) -> Worker {
    let start = move |context| {
        let recorder = recorder.clone();
        async move { recorder.run(context).await }
    };
    worker("recorder", "recorder", Group::Recorder, run(start))
}

/// The core's, in the order of their start. `finished` turns true when the clock has made its last tick.
pub(super) fn core(core: &Core, finished: watch::Sender<bool>) -> Vec<Worker> {
    let shared = |name, start: Run| Worker { shares_thread: true, ..worker(name, name, Group::Core, start) };
    let (renderer, coordination) = (core.clone(), core.clone());
    let (expression, ring, clock) = (core.clone(), core.clone(), core.clone());
    let clock = move |context: Context| {
        let (core, finished) = (clock.clone(), finished.clone());
        async move {
            match core.run_clock(context.clone()).await {
                Ok(End::Finished) => {
                    finished.send_replace(true);
                    context.heart.resting(context.stopped()).await;
                }
                Ok(End::Failed(failure)) => return Err(failure),
                Ok(End::Stopped | End::CoreDied) => {}
                // Another actor of the core has most likely failed, and that is what is to be told.
                Err(failure) if context.sleep_until(context.world.now() + SECOND).await => {
                    return Err(failure);
                }
                Err(_) => {}
            }
            Ok(())
        }
    };
    vec![
        shared("renderer", run(move |context| renderer.clone().run_renderer(context))),
        shared("coordination", run(move |context| coordination.clone().run_coordination(context))),
        shared("expression", run(move |context| expression.clone().run_expression(context))),
        shared("ring", run(move |context| ring.clone().run_ring(context))),
        worker("clock", "clock", Group::Core, run(clock)),
    ]
}

impl Wiring {
    /// The writer and its mailbox, where state is kept.
    ///
    /// # Errors
    /// Where the database is another program's, or a newer version's.
    pub(super) fn writer(&self) -> Result<Option<(Mailbox, Worker)>, Error> {
        let Some(options) = self.panel.persistence.clone() else { return Ok(None) };
        persistence::check(&options.file)?;
        let (mailbox, arriving) = persistence::mailbox();
        let labels = beginning::labels(&self.panel);
        let telemetry = self.telemetry.persistence.clone();
        let start = move |context| {
            let (options, labels) = (options.clone(), labels.clone());
            persistence::run(options, labels, context, telemetry.clone(), arriving.clone())
        };
        Ok(Some((mailbox, worker("writer", "writer", Group::Writer, run(start)))))
    }

    /// The outputs.
    pub(super) fn outputs(&self) -> Vec<Worker> {
        let mut names = BTreeMap::<&str, u32>::new();
        // The browser's frames are fetched by the web server, which reads the slot by itself.
        let outputs = self.panel.outputs.iter().enumerate().filter(|(_, output)| **output != Output::Web);
        let outputs = outputs.map(|(index, output)| {
            let (pictures, telemetry) = (self.pictures.subscribe(), self.telemetry.output(index).clone());
            let shown = output.clone();
            let start = move |context| {
                let (output, pictures, telemetry) = (shown.clone(), pictures.clone(), telemetry.clone());
                async move { output::run(&output, output::Context::new(context, pictures, telemetry)).await }
            };
            let count = names.entry(output.name()).or_default();
            *count += 1;
            let name = match count {
                1 => format!("output.{}", output.name()),
                n => format!("output.{}.{n}", output.name()),
            };
            worker(&name, "output", Group::Outputs, run(start))
        });
        outputs.collect()
    }

    /// The sources.
    pub(super) fn sources(&self, inlets: &Inlets) -> Vec<Worker> {
        let sources = (0..).map(SourceId).zip(&self.panel.sources).zip(&inlets.ports);
        let sources = sources.map(|((id, source), port)| {
            let (kind_and_keys, port) =
                (Arc::new((source.kind.clone(), self.keys_of(id, source))), port.clone());
            let seed = self.panel.seed;
            let start = move |context| {
                let (kind_and_keys, port) = (kind_and_keys.clone(), port.clone());
                async move {
                    let (kind, keys) = &*kind_and_keys;
                    let mut context = source::Context::new(id, seed, &port, context);
                    match kind.run(keys, &mut context).await {
                        Ok(()) | Err(source::Error::Stopped) => Ok(()),
                        Err(source::Error::Transient(error)) => Err(Failure::Transient(error)),
                        Err(source::Error::Configuration(error)) => Err(Failure::Configuration(error)),
                    }
                }
            };
            let name = format!("source.{}", source.name);
            let worker = worker(&name, "source", Group::Sources, run(start));
            Worker { exceptions: source.supervision, ..worker }
        });
        sources.collect()
    }

    /// The keys of a source, with the ranges that the configuration declares, and those that it alone
    /// declares.
    fn keys_of(&self, id: SourceId, source: &Source) -> Vec<KeySpec> {
        // What is wrong with a source's options was said when they were read; it says so again as it runs.
        let mut keys = source.kind.keys().unwrap_or_default();
        for declared in self.panel.keys.iter().filter(|declared| declared.source == id) {
            let name = declared.name.get(source.name.len() + 1..).unwrap_or_default();
            match keys.iter_mut().find(|key| &*key.name == name) {
                Some(key) => key.range = declared.range,
                None => keys.push(KeySpec {
                    name: name.into(),
                    kind: declared.kind,
                    range: declared.range,
                    unit: "",
                    description: String::new(),
                }),
            }
        }
        keys
    }
}

/// What looks after the files of scripts: a source of theirs.
pub(super) fn scripts(reloads: Reloads) -> Worker {
    let start = move |context| script::watch::run(context, reloads.clone());
    worker("scripts", "scripts", Group::Sources, run(start))
}

/// What tells the ring of its sources, and of all that is started anew. In a replay the recording does.
pub(super) fn listener(inlets: &Inlets, workers: &[Worker], replays: bool) -> Listener {
    let mut ports = (0..).map(SourceId).zip(inlets.ports.clone());
    let of = |worker: &Worker| if worker.group == Group::Sources { ports.next() } else { None };
    let sources: Vec<Option<(SourceId, Port)>> = workers.iter().map(of).collect();
    let (reports, doorbell) = (inlets.reports.clone(), inlets.doorbell.clone());
    Box::new(move |news| {
        let source = sources.get(news.worker).and_then(Option::as_ref);
        if let Some(report) = report(news, source).filter(|_| !replays) {
            // The ring is gone only when the run is over.
            let _ = reports.send(report);
            doorbell.press();
        }
    })
}

/// What the ring is told.
fn report(news: &News<'_>, source: Option<&(SourceId, Port)>) -> Option<Report> {
    let report = news.report;
    if news.restarted {
        let cause = report.cause.unwrap_or_default().into();
        return Some(Report::Restarted(Restarted {
            actor: report.name.clone(),
            cause,
            restarts: report.restarts,
        }));
    }
    let (id, port) = source?;
    let (state, restarts) = match report.state {
        ActorState::BackingOff(_) | ActorState::Degraded(_) => (SourceState::Retrying, report.restarts + 1),
        ActorState::Failed => (SourceState::Failed, report.restarts),
        ActorState::Stopped => (SourceState::Stopped, report.restarts),
        ActorState::Starting | ActorState::Running | ActorState::Stopping => return None,
    };
    let error = report.error.as_deref().map(Into::into);
    Some(Report::Source { source: *id, state, error, restarts, sequence: port.next_sequence() })
}
