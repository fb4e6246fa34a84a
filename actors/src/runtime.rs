//! The runtime: the one place where the actors are wired together, the same for live runs and simulations.
//!
//! ```text
//!  sources ──ports──▶ ring ─Inputs─▶ expression ─Evaluated─▶ coordination ─Coordinated─▶ renderer ──▶ outputs
//!     ▲                ▲                                          │                          │ (newest picture)
//!  supervisor        Begin                                     Ledger                      Done
//!                    clock ◀─────────────────────────────────────┼──────────────────────────┘
//!                                                             writer ──▶ SQLite
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
use std::time::Duration;

use engine::event::Event;
use engine::paint::Frame;
use engine::tick::Tick;
use futures_util::future::{LocalBoxFuture, join_all};
use tokio::sync::{broadcast, watch};

use self::core::{Core, Inlets};
use crate::clock::End;
use crate::coordination::EventSink;
use crate::expression;
use crate::fault::Faults;
use crate::handle::{ActorReport, Handle, Picture, Pulse, QuerySources, QueryValues, Slot};
use crate::panel::Panel;
use crate::persistence::{self, Mailbox};
use crate::recording::{self, Recording};
use crate::renderer::FrameSink;
use crate::source::push::Push;
use crate::supervisor::worker::{self, Failure};
use crate::telemetry::Telemetry;
use crate::world::World;

/// Events that wait for a slow listener before it loses the oldest.
const EVENT_BACKLOG: usize = 1_024;

/// How long the writer has to commit what it holds when the run ends.
const DRAIN_MAX: Duration = Duration::from_secs(3);

/// How long the core has to finish what it is at when the run ends: far longer than any tick takes.
const CORE_END_MAX: Duration = Duration::from_secs(3);

/// How long outputs have to show the last picture.
const LAST_PICTURE_MAX: Duration = Duration::from_secs(1);

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
}

/// Why a run could not begin or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The formulas cannot be loaded.
    #[error("the formulas cannot be loaded: {0}")]
    Expression(#[from] expression::chunk::Error),
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
    /// An actor of the core panicked, or hangs.
    #[error("the core stopped working; the log says why")]
    CoreDied,
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
/// [`Error`], before the first tick or, for [`Error::CoreDied`], at any.
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
    actors: watch::Sender<Arc<[ActorReport]>>,
}

/// A child outside the core: how to tell it to end, and how it says that it has.
struct Child {
    stop: watch::Sender<bool>,
    ended: flume::Receiver<End>,
}

impl Child {
    async fn end(&self) -> End {
        self.stop.send_replace(true);
        self.ended.recv_async().await.unwrap_or(End::Stopped)
    }
}

/// All that runs.
struct Running {
    core: Core,
    clock: Child,
    sources: Option<Child>,
    writer: Option<Mailbox>,
    outputs: Vec<Child>,
}

fn hangs() -> Error {
    tracing::error!(
        seconds = CORE_END_MAX.as_secs(),
        "the core did not finish its tick in time and is left behind"
    );
    Error::CoreDied
}

impl Wiring {
    fn new(panel: Panel, time: Time) -> Wiring {
        let world = match time {
            Time::Live => World::live(),
            Time::Virtual => World::simulated(false),
            Time::Paced => World::simulated(true),
        };
        let sources: Vec<_> = panel.sources.iter().map(|source| source.name.clone()).collect();
        let outputs: Vec<_> = panel.outputs.iter().map(|output| output.name().to_string()).collect();
        let values: Vec<_> = panel.values.iter().map(|(name, _)| name.clone()).collect();
        let nothing = Frame::new(panel.scene.size, panel.scene.background);
        Wiring {
            world,
            telemetry: Telemetry::new(&sources, &outputs, &values),
            pictures: watch::channel(Arc::new(Picture::new(Tick(0), nothing))).0,
            panel: Arc::new(panel),
            events: broadcast::channel(EVENT_BACKLOG).0,
            pulse: watch::channel(Pulse::default()).0,
            values: Slot::default(),
            sources: Slot::default(),
            actors: watch::channel(Vec::new().into()).0,
        }
    }

    async fn conduct(self, options: Options, started: impl FnOnce(Handle)) -> Result<Summary, Error> {
        // Kept here too, so that a face that drops its handle does not end the run.
        let stop = Arc::new(watch::Sender::new(false));
        let mut stopped = stop.subscribe();
        let running = self.start(options, stop.clone(), started).await?;
        let end = tokio::select! {
            biased;
            end = running.clock.ended.recv_async() => end.unwrap_or(End::CoreDied),
            _ = stopped.wait_for(|stop| *stop) => End::Stopped,
        };
        self.end(end, running).await
    }

    /// Starts everybody, consumers before producers.
    async fn start(
        &self,
        options: Options,
        stop: Arc<watch::Sender<bool>>,
        started: impl FnOnce(Handle),
    ) -> Result<Running, Error> {
        let Options { time, ticks, input, record, on_frame, on_event, faults, .. } = options;
        let replays = input.is_some();
        let header = self.header(time, input.as_ref())?;
        let writer = if time == Time::Live { self.start_writer()? } else { None };
        let mut inlets = Inlets::new(self.world, &self.panel, input);
        let outlets = core::Outlets { on_frame, on_event, record, writer: writer.clone() };
        let core = Core::new(self, header, ticks, &mut inlets, outlets)?;
        let outputs = if time == Time::Live { self.start_outputs()? } else { Vec::new() };
        started(self.handle(stop, &inlets));
        let sources = if replays { None } else { Some(self.start_sources(inlets)?) };
        let (end, ended) = watch::channel(false);
        let (answer, answered) = flume::bounded(1);
        let kept = core::keep(core.clone(), self.world, faults, ended);
        actix::spawn(async move { answer.send_async(kept.await).await });
        let clock = Child { stop: end, ended: answered };
        Ok(Running { core, clock, sources, writer, outputs })
    }

    /// Ends everybody, producers before consumers, so that all that was accepted is shown and written.
    async fn end(&self, end: End, running: Running) -> Result<Summary, Error> {
        let Running { core, clock, sources, writer, outputs } = running;
        if let Some(sources) = sources {
            // The supervisor has a deadline of its own.
            sources.end().await;
        }
        let ended = self.end_core(end, &clock, &core).await;
        tokio::join!(self.drain(writer), self.end_outputs(&outputs));
        ended.map(|()| Summary { pulse: *self.pulse.borrow() })
    }

    /// Has the clock make its last tick, and the core finish what it writes down.
    async fn end_core(&self, end: End, clock: &Child, core: &Core) -> Result<(), Error> {
        let end = match end {
            End::Stopped => self.within(CORE_END_MAX, clock.end()).await.ok_or_else(hangs)?,
            End::Finished | End::CoreDied => end,
        };
        let recorded = core.finish_recording().await;
        if end == End::CoreDied {
            return Err(Error::CoreDied);
        }
        recorded.map_err(|error| Error::Recording(error.to_string()))
    }

    async fn drain(&self, writer: Option<Mailbox>) {
        let Some(writer) = writer else { return };
        if self.within(DRAIN_MAX, writer.drain()).await != Some(true) {
            tracing::error!("the database did not take the last data in time");
        }
    }

    async fn end_outputs(&self, outputs: &[Child]) {
        let ended = join_all(outputs.iter().map(Child::end));
        if self.within(LAST_PICTURE_MAX, ended).await.is_none() {
            tracing::warn!("an output did not show the last picture in time and is left behind");
        }
    }

    /// What comes out of `future`; `None` if that takes longer than `most`.
    async fn within<T>(&self, most: Duration, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            out = future => Some(out),
            () = self.world.sleep_until(self.world.now() + most) => None,
        }
    }

    fn handle(&self, stop: Arc<watch::Sender<bool>>, inlets: &Inlets) -> Handle {
        Handle {
            panel: self.panel.clone(),
            pictures: self.pictures.subscribe(),
            events: self.events.clone(),
            pulse: self.pulse.subscribe(),
            signals: inlets.signals.clone(),
            values: self.values.clone(),
            sources: self.sources.clone(),
            actors: self.actors.subscribe(),
            push: Push::new(self.world, &self.panel, &inlets.ports),
            world: self.world,
            telemetry: self.telemetry.clone(),
            stop,
        }
    }
}
