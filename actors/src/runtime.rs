//! The runtime: the one place where the actors are wired together, the same for live runs and simulations.
//!
//! ```text
//!  sources ──ports──▶ ring ─Inputs─▶ expression ─Evaluated─▶ coordination ─Coordinated─▶ renderer ──▶ outputs
//!                      ▲                                          │                          │ (newest picture)
//!                    Begin                                     Ledger                      Done
//!                    clock ◀─────────────────────────────────────┼──────────────────────────┘
//!                                                             writer ──▶ SQLite
//! ```
//!
//! All of them, and the face's web server, are children of one supervisor, in the order of their start:
//!
//! ```text
//!  root ─┬─ http        each group by itself; those of a group by themselves, too,
//!        ├─ outputs     but for the core, which is started anew as one
//!        ├─ recorder
//!        ├─ writer
//!        ├─ core: renderer, coordination, expression, ring, clock
//!        └─ sources, and what looks after the files of scripts
//! ```
//!
//! Ring, expression, coordination and renderer share one thread, since a tick then takes half as long as with
//! a thread for each; everybody else has a thread of their own. In a simulation all of
//! them share the calling thread and virtual time.

mod beginning;
mod core;
mod edges;

use std::path::PathBuf;
use std::sync::Arc;

use engine::event::Event;
use engine::paint::Frame;
use engine::tick::Tick;
use futures_util::future::LocalBoxFuture;
use tokio::sync::{broadcast, watch};

use self::core::{Core, Inlets};
use crate::coordination::EventSink;
use crate::expression::script::reloads::Reloads;
use crate::fault::Faults;
use crate::handle::{
    ActorReport, Handle, Picture, Pulse, QuerySamples, QuerySources, QueryValues, QueryWindows, Slot,
};
use crate::panel::Panel;
use crate::persistence;
use crate::recording::{self, Recorder, Recording};
use crate::renderer::FrameSink;
use crate::source::Kind;
use crate::source::port::{Arrivals, Port, Traffic};
use crate::source::push::Push;
use crate::supervisor::worker::{self, Failure, Worker};
use crate::supervisor::{End, Listener, Parts, Supervisor};
use crate::telemetry::{self, Telemetry};
use crate::world::World;

/// Events that wait for a slow listener before it loses the oldest.
const EVENT_BACKLOG: usize = 1_024;

/// How a panel is run.
#[derive(Default)]
pub struct Options {
    /// In which time.
    pub time: Time,
    /// How many ticks; `None` until it is stopped.
    pub ticks: Option<u64>,
    /// Inputs to take instead of running the sources.
    pub input: Option<Recording>,
    /// Where to write down the inputs.
    pub record: Option<PathBuf>,
    /// Called with every painted frame, on the core's thread.
    pub on_frame: Option<FrameSink>,
    /// Called with every event, on the core's thread.
    pub on_event: Option<EventSink>,
    /// Runs outputs and keeps state in a simulation too, which otherwise does neither.
    pub edges: bool,
    /// The face's own worker, the web server, started before all others and ended after them.
    pub face: Option<Face>,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

/// Starts the face's worker, anew for every generation. It has a thread of its own, whose tokio runtime has
/// I/O; tasks that it spawns there are dropped with it.
pub type Face =
    Arc<dyn Fn(worker::Context, Handle) -> LocalBoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// In which time a panel runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Time {
    /// Real time, with real threads.
    #[default]
    Live,
    /// Virtual time, on the calling thread, as fast as it goes. Sources that read this machine walk at
    /// random instead; no state is kept and no output runs.
    Virtual,
    /// Virtual time that waits for real time.
    Paced,
}

/// What is known after a run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// How the run went.
    pub pulse: Pulse,
    /// What became of the readings of each source. None of them waits at the end of a run that was told to
    /// end and had time to work off all that was accepted.
    pub traffic: Vec<Traffic>,
}

/// Why a run could not begin or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A declared key cannot be a key.
    #[error("key {0:?} cannot be declared: it is empty, too long, or one too many")]
    Key(String),
    /// The recording cannot be written or read.
    #[error("the recording cannot be used: {0}")]
    Recording(String),
    /// The database is another program's, or a newer version's.
    #[error("{0}")]
    Database(#[from] persistence::Error),
    /// The system has no more threads.
    #[error("no thread can be started: {0}")]
    Thread(#[from] std::io::Error),
    /// Starting actors anew did not help; the process has to be started anew.
    #[error("gave up: {0}")]
    Escalated(String),
    /// Not everybody ended in time and in order, and what these had in hand is lost.
    #[error("did not end in time and in order, and what they still had in hand is lost: {0}")]
    CutShort(String),
}

impl From<recording::Error> for Error {
    fn from(error: recording::Error) -> Error {
        Error::Recording(error.to_string())
    }
}

/// Runs a panel until it has made its ticks or is stopped through the handle, which `started` is given
/// before the first tick.
///
/// # Errors
/// [`Error`], before the first tick or, for [`Error::Escalated`], at any.
pub fn run(panel: Panel, options: Options, started: impl FnOnce(Handle)) -> Result<Summary, Error> {
    let system = match options.time {
        Time::Live => actix::System::new(),
        Time::Virtual | Time::Paced => actix::System::with_tokio_rt(paused_runtime),
    };
    let result = system.block_on(async { Wiring::new(panel, options.time).conduct(options, started).await });
    actix::System::try_current().inspect(actix::System::stop);
    result
}

fn paused_runtime() -> tokio::runtime::Runtime {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    // actix leaves no way to return an error from here.
    built.expect("a runtime needs nothing but a free file descriptor")
}

/// What all parts of a run are wired with.
struct Wiring {
    world: World,
    panel: Arc<Panel>,
    telemetry: Telemetry,
    pictures: watch::Sender<Arc<Picture>>,
    events: broadcast::Sender<Event>,
    pulse: watch::Sender<Pulse>,
    values: Slot<QueryValues>,
    sources: Slot<QuerySources>,
    windows: Slot<QueryWindows>,
    samples: Slot<QuerySamples>,
    actors: watch::Sender<Arc<[ActorReport]>>,
}

/// Who has a part in a run.
struct Cast {
    workers: Vec<Worker>,
    listener: Listener,
    recorder: Option<Recorder>,
    handle: Handle,
    ports: Vec<(Port, Arrivals)>,
}

impl Wiring {
    fn new(mut panel: Panel, time: Time) -> Wiring {
        let world = match time {
            Time::Live => World::live(),
            Time::Virtual => World::simulated(false),
            Time::Paced => World::simulated(true),
        };
        let sources: Vec<_> = panel.sources.iter().map(|source| source.name.clone()).collect();
        let outputs: Vec<_> = panel.outputs.iter().map(|output| output.name().to_string()).collect();
        let values: Vec<_> = panel.values.iter().map(|(name, _)| name.clone()).collect();
        let nothing = Frame::new(panel.scene.size, panel.scene.background);
        let answers = Slot::default();
        for source in &mut panel.sources {
            if let Kind::Status(options) = &mut source.kind {
                options.answers = answers.clone();
            }
        }
        Wiring {
            world,
            telemetry: Telemetry::new(&sources, &outputs, &values),
            pictures: watch::channel(Arc::new(Picture::new(Tick(0), nothing))).0,
            panel: Arc::new(panel),
            events: broadcast::channel(EVENT_BACKLOG).0,
            pulse: watch::channel(Pulse::default()).0,
            values: Slot::default(),
            sources: answers,
            windows: Slot::default(),
            samples: Slot::default(),
            actors: watch::channel(Vec::new().into()).0,
        }
    }

    async fn conduct(self, options: Options, started: impl FnOnce(Handle)) -> Result<Summary, Error> {
        // Kept here too, so that a face that drops its handle does not end the run.
        let stop = Arc::new(watch::Sender::new(false));
        let (finished, has_finished) = watch::channel(false);
        let faults = options.faults.clone();
        let Cast { workers, listener, recorder, handle, ports } =
            self.cast(options, stop.clone(), finished)?;
        let supervisor = Supervisor::new(Parts {
            world: self.world,
            seed: self.panel.seed,
            telemetry: telemetry::Supervision::new(
                &workers.iter().map(|worker| worker.name.to_string()).collect::<Vec<_>>(),
            ),
            workers,
            policy: self.panel.supervision.clone(),
            faults,
            reports: self.actors.clone(),
            listener,
        });
        started(handle);
        let ended = self.supervise(supervisor, stop.subscribe(), has_finished).await;
        let recorded = recorder.map_or(Ok(()), |recorder| recorder.outcome());
        match ended? {
            End::Escalated(why) => Err(Error::Escalated(why)),
            End::CutShort(who) => Err(Error::CutShort(who)),
            End::Clean => {
                recorded?;
                let traffic = ports.iter().map(|(port, arrivals)| port.traffic(arrivals));
                Ok(Summary { pulse: *self.pulse.borrow(), traffic: traffic.collect() })
            }
        }
    }

    /// Runs a supervisor on a thread of its own, until the run is over.
    async fn supervise(
        &self,
        supervisor: Supervisor,
        mut stop: watch::Receiver<bool>,
        mut finished: watch::Receiver<bool>,
    ) -> Result<End, Error> {
        let (shut_down, told) = watch::channel(false);
        let (answer, ended) = flume::bounded(1);
        self.world.spawn("supervisor", move || async move {
            let end = supervisor.run(told).await;
            let _ = answer.send(end);
        })?;
        let early = tokio::select! {
            biased;
            end = ended.recv_async() => Some(end),
            _ = stop.wait_for(|stop| *stop) => None,
            _ = finished.wait_for(|finished| *finished) => None,
        };
        let end = match early {
            Some(end) => end,
            None => {
                shut_down.send_replace(true);
                ended.recv_async().await
            }
        };
        end.map_err(|_| Error::Escalated("the supervisor itself stopped working".into()))
    }

    /// Everybody who has a part in a run.
    fn cast(
        &self,
        options: Options,
        stop: Arc<watch::Sender<bool>>,
        finished: watch::Sender<bool>,
    ) -> Result<Cast, Error> {
        let Options { time, ticks, input, record, on_frame, on_event, edges: has_edges, face, .. } = options;
        let (has_edges, replays) = (has_edges || time == Time::Live, input.is_some());
        let header = self.header(time, input.as_ref())?;
        let names: Vec<_> = self.panel.sources.iter().map(|source| source.name.clone()).collect();
        let recorder = record.map(|file| Recorder::create(file, &header, &names)).transpose()?;
        let (mailbox, writer) = if has_edges { self.writer()? } else { None }.unzip();
        let mut inlets = Inlets::new(self.world, &self.panel, input);
        let outlets = core::Outlets { on_frame, on_event, recorder: recorder.clone(), writer: mailbox };
        let core = Core::new(self, header, ticks, &mut inlets, outlets)?;
        let telling = (!replays).then(|| inlets.reports.clone());
        let reloads = Reloads::new(self.panel.clone(), telling, self.telemetry.scripts.clone());
        let handle = self.handle_for(stop, &inlets, recorder.as_ref(), reloads.clone());
        let mut workers = Vec::new();
        workers.extend(face.map(|face| edges::face(face, handle.clone())));
        workers.extend(has_edges.then(|| self.outputs()).into_iter().flatten());
        workers.extend(recorder.clone().map(edges::recorder));
        workers.extend(writer);
        workers.extend(edges::core(&core, finished));
        workers.extend((!replays).then(|| self.sources(&inlets)).into_iter().flatten());
        let has_scripts = !self.panel.scripts.files.is_empty();
        workers.extend((has_scripts && !replays && time == Time::Live).then(|| edges::scripts(reloads)));
        let listener = edges::listener(&inlets, &workers, replays);
        Ok(Cast { workers, listener, recorder, handle, ports: inlets.both_ends() })
    }

    fn handle_for(
        &self,
        stop: Arc<watch::Sender<bool>>,
        inlets: &Inlets,
        recorder: Option<&Recorder>,
        scripts: Reloads,
    ) -> Handle {
        Handle {
            scripts,
            panel: self.panel.clone(),
            pictures: self.pictures.subscribe(),
            events: self.events.clone(),
            pulse: self.pulse.subscribe(),
            signals: inlets.signals.clone(),
            values: self.values.clone(),
            sources: self.sources.clone(),
            windows: self.windows.clone(),
            samples: self.samples.clone(),
            actors: self.actors.subscribe(),
            push: Push::new(self.world, &self.panel, &inlets.ports),
            world: self.world,
            telemetry: self.telemetry.clone(),
            recording: recorder.map(Recorder::waiting),
            stop,
        }
    }
}
