//! The handle: all that the face may know and ask of a running panel. It holds no strong address, so that
//! it never keeps an actor from ending.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix::{Message, Recipient, WeakRecipient};
use engine::event::Event;
use engine::paint::Frame;
use engine::sample::SourceState;
use engine::signal::Signal;
use engine::tick::Tick;
use engine::value::Value;
use engine::window;
use tokio::sync::{broadcast, watch};

use crate::expression::script::reloads::Reloads;
use crate::panel::Panel;
use crate::source::push::Push;
use crate::telemetry::Telemetry;
use crate::telemetry::number::Gauge;
use crate::world::World;

/// A painted frame.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The tick that it shows.
    pub tick: Tick,
    /// Its pixels.
    pub frame: Frame,
    /// When it was there for outputs to take, in world time.
    pub painted: Duration,
    /// When the oldest reading that is new in it had arrived; `None` where none is.
    pub arrived: Option<Duration>,
}

impl Picture {
    /// A picture that was there from the beginning of the world.
    pub fn new(tick: Tick, frame: Frame) -> Picture {
        Picture { tick, frame, painted: Duration::ZERO, arrived: None }
    }
}

/// Asks for the named values and declared keys as they are now.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<Reported>")]
pub struct QueryValues;

/// A value or key as it is now.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The name of the value, or the full name of the key.
    pub name: Arc<str>,
    /// The formula's text; `None` for a key.
    pub formula: Option<Arc<str>>,
    /// What it is; `None` where there is no value (yet).
    pub value: Option<Value>,
    /// Why its formula failed when it was last evaluated, if it did.
    pub error: Option<String>,
    /// The worst state of the sources that it depends on.
    pub state: SourceState,
    /// Its unit, if declared.
    pub unit: Arc<str>,
}

/// Asks for what the panel's windows over time hold. The answer shares it with them.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "window::Memory")]
pub struct QueryWindows;

/// Asks for the numbers that are in the ring, in the order of their arrival: those among its newest
/// [`TOLD_MAX`] samples, so that the core never stops for long.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Told")]
pub struct QuerySamples;

/// How many samples of the ring are looked through for an answer, at most.
pub const TOLD_MAX: usize = 20_000;

/// What is told of the ring.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The numbers, in the order of their arrival.
    pub numbers: Vec<Held>,
    /// Where something came before them that is not told: the time of the oldest that is.
    pub since_ms: Option<i64>,
}

/// A number in the ring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// The index of its key: declared keys come first.
    pub key: u32,
    /// Its time: Unix time in milliseconds.
    pub timestamp_ms: i64,
    /// What it is.
    pub number: f64,
}

/// Asks for the sources as they are now.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Vec<SourceReport>")]
pub struct QuerySources;

/// A source as it is now.
#[derive(Clone, Debug)]
pub struct SourceReport {
    /// Its name.
    pub name: String,
    /// Its kind, as in the configuration.
    pub kind: &'static str,
    /// How it is doing.
    pub state: SourceState,
    /// Samples that reached the ring.
    pub samples: u64,
    /// Readings that its port dropped.
    pub dropped: u64,
    /// Values that were refused.
    pub rejected: u64,
    /// How often it was started anew.
    pub restarts: u64,
    /// Why it last failed.
    pub error: Option<String>,
}

impl SourceReport {
    /// A source that has just been started.
    pub fn new(name: &str, kind: &'static str) -> SourceReport {
        SourceReport {
            name: name.into(),
            kind,
            state: SourceState::default(),
            samples: 0,
            dropped: 0,
            rejected: 0,
            restarts: 0,
            error: None,
        }
    }
}

/// An actor as its supervisor sees it. Moments are in world time: [`Handle::world`] says what is now.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorReport {
    /// Its name, unique in a run: `ring`, `source.cpu`, `output.png`.
    pub name: Arc<str>,
    /// The part of the tree that it belongs to: `http`, `outputs`, `recorder`, `writer`, `core` or `sources`.
    pub group: &'static str,
    /// How it is doing.
    pub state: ActorState,
    /// How often it was started, with the others of its group or by itself.
    pub generation: u64,
    /// How often it was started anew because it failed.
    pub restarts: u64,
    /// How many of its threads hang, were left behind, and have not ended since.
    pub left_behind: usize,
    /// How it last ended, if it ever did: `normal`, `error`, `panic` or `hang`.
    pub cause: Option<&'static str>,
    /// What it said when it last failed.
    pub error: Option<Arc<str>>,
    /// When its heart last beat.
    pub beaten: Duration,
    /// Until when it said that it would be well: in the past for one that is at work.
    pub well_until: Duration,
}

/// How an actor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorState {
    /// It was started and has shown no sign of life yet.
    Starting,
    /// It works, or waits for work.
    Running,
    /// It failed and is started anew at this moment.
    BackingOff(Duration),
    /// It was told to end.
    Stopping,
    /// It has ended and is not started again.
    Stopped,
    /// It failed and is not started again.
    Failed,
    /// It fails so often that it is only tried now and then; next at this moment.
    Degraded(Duration),
}

impl ActorState {
    /// The names of all states.
    pub const NAMES: [&str; 7] =
        ["starting", "running", "backing_off", "stopping", "stopped", "failed", "degraded"];

    /// The word for it in metrics and messages.
    pub fn name(self) -> &'static str {
        match self {
            ActorState::Starting => "starting",
            ActorState::Running => "running",
            ActorState::BackingOff(_) => "backing_off",
            ActorState::Stopping => "stopping",
            ActorState::Stopped => "stopped",
            ActorState::Failed => "failed",
            ActorState::Degraded(_) => "degraded",
        }
    }
}

/// The way to an actor that answers questions of one kind, and to its successor when it is started anew.
#[derive(Debug)]
pub struct Slot<M>(Arc<RwLock<Option<WeakRecipient<M>>>>)
where
    M: Message + Send,
    M::Result: Send;

impl<M> Slot<M>
where
    M: Message + Send,
    M::Result: Send,
{
    /// From now on `actor` answers.
    pub fn point(&self, actor: WeakRecipient<M>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(actor);
    }

    /// Who answers now; `None` while the actor is being started, and when the run is over.
    pub fn upgrade(&self) -> Option<Recipient<M>> {
        let actor = self.0.read().unwrap_or_else(PoisonError::into_inner);
        actor.as_ref().and_then(WeakRecipient::upgrade)
    }
}

impl<M> Clone for Slot<M>
where
    M: Message + Send,
    M::Result: Send,
{
    fn clone(&self) -> Slot<M> {
        Slot(self.0.clone())
    }
}

impl<M> Default for Slot<M>
where
    M: Message + Send,
    M::Result: Send,
{
    fn default() -> Slot<M> {
        Slot(Arc::default())
    }
}

/// How the run is doing, as the clock sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulse {
    /// The newest tick that went through the whole chain.
    pub tick: Tick,
    /// How long that tick took, from its beginning to the picture.
    pub duration: Duration,
    /// Ticks that began more than half a tick late.
    pub late_ticks: u64,
    /// Ticks that were stepped and not painted.
    pub skipped_frames: u64,
    /// Whether the first frame was painted: the run is ready.
    pub ready: bool,
}

/// All that may be known and asked of a running panel.
#[derive(Clone)]
pub struct Handle {
    /// What runs.
    pub panel: Arc<Panel>,
    /// The newest frame: a slow reader skips frames and delays nobody.
    pub pictures: watch::Receiver<Arc<Picture>>,
    /// Events as they are decided; a slow reader loses the oldest.
    pub events: broadcast::Sender<Event>,
    /// How the run is doing.
    pub pulse: watch::Receiver<Pulse>,
    /// What the actors count and time; its numbers can be read at any time.
    pub telemetry: Telemetry,
    /// How many ticks wait to be written into a recording; `None` where nothing is recorded.
    pub recording: Option<Gauge>,
    /// Answers [`QueryValues`].
    pub values: Slot<QueryValues>,
    /// Answers [`QuerySources`].
    pub sources: Slot<QuerySources>,
    /// Answers [`QueryWindows`].
    pub windows: Slot<QueryWindows>,
    /// Answers [`QuerySamples`].
    pub samples: Slot<QuerySamples>,
    /// Takes signals for the next tick; see [`Handle::signal`].
    pub signals: flume::Sender<Signal>,
    /// All actors, in the order of their start. Published at every change, and at least once in
    /// [`REPORTED_EVERY`](crate::supervisor::REPORTED_EVERY): where that stops, the supervisor itself hangs.
    pub actors: watch::Receiver<Arc<[ActorReport]>>,
    /// Takes up scripts anew, and knows how they are doing.
    pub scripts: Reloads,
    /// Writes into the push sources.
    pub push: Push,
    /// Time, real or virtual.
    pub world: World,
    /// Set to true to end the run, as SIGTERM does.
    pub stop: Arc<watch::Sender<bool>>,
}

/// Why a signal was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// As many as a tick takes wait already.
    Full,
    /// The run takes none: it replays a recording, which has its own, or is over.
    Closed,
}

impl Handle {
    /// What runs, with its scripts as they are now.
    pub fn panel_now(&self) -> Arc<Panel> {
        let scripts = self.scripts.library();
        if self.panel.scripts.changed(&scripts).is_empty() {
            return self.panel.clone();
        }
        Arc::new(Panel { scripts, ..Panel::clone(&self.panel) })
    }

    /// Signals something to the panel, at the next tick that begins. At most
    /// [`engine::signal::PER_TICK_MAX`] may wait.
    ///
    /// # Errors
    /// [`Refused`]; then nothing has happened.
    pub fn signal(&self, signal: Signal) -> Result<(), Refused> {
        self.signals.try_send(signal).map_err(|error| match error {
            flume::TrySendError::Full(_) => Refused::Full,
            flume::TrySendError::Disconnected(_) => Refused::Closed,
        })
    }
}
