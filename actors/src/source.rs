//! Sources: where data comes from. Each runs as an actor of its own and speaks to the ring through a
//! bounded [`Port`] that outlives its restarts. A source is an async function over a [`Context`]: it reads,
//! emits, sleeps, and returns an error when it cannot go on; the supervisor starts it anew.

pub mod generator;
pub mod playback;
pub mod port;
pub mod push;
#[cfg(test)]
pub(crate) mod rig;
mod schedule;
pub mod status;
pub mod system;
pub mod time;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use engine::formula;
use engine::generator::{Course, Steps};
use engine::sample::SourceId;
use engine::value::Value;

use crate::supervisor::policy::Exceptions;
use crate::supervisor::worker::{self, Failure};
use crate::world::World;
pub use port::Port;
use port::{Inlet, Letter, Serving};
pub use walk::walk;

/// The source of the keys that scripts set.
pub const SCRIPT: &str = "script";

/// A source as configured.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name in the configuration: the first part of its keys.
    pub name: String,
    /// What it reads.
    pub kind: Kind,
    /// Silence longer than this makes it stale; `None` never does.
    pub stale_after: Option<Duration>,
    /// What happens when its port is full.
    pub policy: Policy,
    /// Where its supervision differs from that of other sources.
    pub supervision: Exceptions,
}

/// The kinds of source.
#[derive(Clone, Debug)]
pub enum Kind {
    /// This machine's own metrics.
    System(system::Options),
    /// The wall clock.
    Time(time::Options),
    /// Made-up data.
    Generator(generator::Options),
    /// Recorded data.
    Playback(playback::Options),
    /// What others write into it.
    Push,
    /// The panel's own sources.
    Status(status::Options),
    /// What scripts set; it comes by way of signals.
    Script,
}

impl Kind {
    /// The word for it in configurations, pages and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::System(_) => "system",
            Kind::Time(_) => "time",
            Kind::Generator(_) => "generator",
            Kind::Playback(_) => "playback",
            Kind::Push => "push",
            Kind::Status(_) => "status",
            Kind::Script => "script",
        }
    }

    /// Whether it reads the world outside, so that a simulation puts a seeded [`walk`] in its place.
    pub fn is_live(&self) -> bool {
        matches!(self, Kind::System(_) | Kind::Push)
    }

    /// The keys that it will send, as far as they can be known before it runs.
    ///
    /// # Errors
    /// [`Error::Configuration`] when it can never run with its options.
    pub fn keys(&self) -> Result<Vec<KeySpec>, Error> {
        match self {
            Kind::System(options) => system::keys(options),
            Kind::Time(options) => time::keys(options),
            Kind::Generator(options) => generator::keys(options),
            Kind::Playback(options) => playback::keys(options),
            Kind::Push => push::keys(),
            Kind::Status(options) => status::keys(options),
            Kind::Script => Ok(Vec::new()),
        }
    }

    /// Runs it until its data ends. In a simulated world live kinds become seeded walks over `keys`, which
    /// are [`Kind::keys`] with the ranges that the configuration declares.
    ///
    /// # Errors
    /// [`Error`] says whether it is worth another try.
    pub async fn run(&self, keys: &[KeySpec], context: &mut Context) -> Result<(), Error> {
        match self {
            Kind::System(options) if context.world.is_simulated() => walk(keys, options.every, context).await,
            Kind::System(options) => system::run(options, context).await,
            Kind::Time(options) => time::run(options, context).await,
            Kind::Generator(options) => generator::run(options, context).await,
            Kind::Playback(options) => playback::run(options, context).await,
            Kind::Push if context.world.is_simulated() => walk(keys, push::WALK_EVERY, context).await,
            Kind::Push => push::run(context).await,
            Kind::Status(options) => status::run(options, context).await,
            Kind::Script => context.wait_for(std::future::pending()).await,
        }
    }
}

/// A key that a source says it will send.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySpec {
    /// Its name, without the source's.
    pub name: Arc<str>,
    /// What it holds.
    pub kind: formula::Kind,
    /// The values to expect, least and greatest; not a limit. The same on every machine, so that a walk
    /// over it is too. `(0.0, 0.0)` for texts.
    pub range: (f64, f64),
    /// Its unit, for people: `%`, `B`, `B/s`, `°C`, `s`; empty for plain numbers.
    pub unit: &'static str,
    /// What it is, for people.
    pub description: String,
}

impl KeySpec {
    /// A key that holds a number.
    pub fn number(
        name: impl Into<Arc<str>>,
        range: (f64, f64),
        unit: &'static str,
        description: impl Into<String>,
    ) -> KeySpec {
        let description = description.into();
        KeySpec { name: name.into(), kind: formula::Kind::Number, range, unit, description }
    }

    /// A key that holds a text.
    pub fn text(name: impl Into<Arc<str>>, description: impl Into<String>) -> KeySpec {
        let description = description.into();
        KeySpec { name: name.into(), kind: formula::Kind::Text, range: (0.0, 0.0), unit: "", description }
    }
}

/// Where a source has come to in its input. It is stored together with the reading that was read there, so
/// that the source's next generation goes on behind it: no reading is lost and none comes twice.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A `system` source.
    System(system::Place),
    /// A `time` source.
    Time(time::Place),
    /// A `generator`.
    Generator(Course),
    /// The walk that stands in for a live source.
    Walk(Steps),
    /// A `playback`.
    Playback(playback::Place),
}

/// What happens to a reading when the port is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The source waits; nothing is lost.
    Block,
    /// The oldest waiting reading makes room and is counted.
    DropOldest,
    /// The new reading is dropped and counted. Who pushed it is told so.
    DropNewest,
}

/// Why a source cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It may work another time: the supervisor tries again.
    #[error("{0}")]
    Transient(String),
    /// It cannot work as configured: it is not tried again.
    #[error("{0}")]
    Configuration(String),
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        match failure {
            Failure::Transient(error) => Error::Transient(error),
            Failure::Configuration(error) => Error::Configuration(error),
        }
    }
}

/// What a running source has to do with the world: it reads time, sleeps and emits through it alone.
pub struct Context {
    /// Which source this is.
    pub id: SourceId,
    /// Time, real or virtual.
    pub world: World,
    /// The seed for anything random.
    pub seed: u64,
    inlet: Inlet,
    supervision: worker::Context,
    rejected: u64,
    quiet_until: Option<Duration>,
}

/// The least time between two log lines about input that a source could not use.
const REJECTIONS_LOGGED_EVERY: Duration = Duration::from_secs(10);

/// The latest deadline, in world time: a century.
const FAR: Duration = Duration::from_secs(100 * 31_557_600);

impl Context {
    /// The context of source `id`, which sends through `port`, and rests and beats, and ends, as
    /// `supervision` wants it.
    pub fn new(id: SourceId, seed: u64, port: &Port, supervision: worker::Context) -> Context {
        let inlet = port.open(supervision.pass.clone());
        Context { id, world: supervision.world, seed, inlet, supervision, rejected: 0, quiet_until: None }
    }

    /// Where the source had come to before it was started anew; `None` at its first start.
    pub fn place(&self) -> Option<&Place> {
        self.inlet.place()
    }

    /// Sends the values of one reading, which are sealed in one tick, under `timestamp_ms` (Unix time), or
    /// under the engine's time if that is `None`, and notes the `place` behind it. What happens when the
    /// ring cannot keep up is the source's [`Policy`].
    ///
    /// # Errors
    /// [`Error::Stopped`] when the source is to end.
    pub async fn emit(
        &mut self,
        timestamp_ms: Option<i64>,
        values: Vec<(Arc<str>, Value)>,
        place: impl Into<Option<Place>>,
    ) -> Result<(), Error> {
        self.supervision.strike("source.emit").await?;
        let room = tokio::select! {
            biased;
            () = self.supervision.stopped() => return Err(Error::Stopped),
            // A source that waits for room waits on purpose.
            room = self.supervision.heart.resting(self.inlet.room()) => room,
        };
        self.inlet.send(room, Letter { timestamp_ms, values }, place.into(), self.rejected)?;
        self.rejected = 0;
        Ok(self.supervision.strike("source.emitted").await?)
    }

    /// Notes a `place` at which there was nothing to send.
    ///
    /// # Errors
    /// [`Error::Stopped`] when another generation has taken the source's place.
    pub fn mark(&mut self, place: impl Into<Option<Place>>) -> Result<(), Error> {
        self.inlet.mark(place.into(), self.rejected)?;
        self.rejected = 0;
        Ok(())
    }

    /// Lets others [push](Port::push) into the source's port, until what is returned is dropped.
    ///
    /// # Errors
    /// [`Error::Stopped`] when another generation has taken the source's place.
    pub fn serve(&self) -> Result<Serving, Error> {
        self.inlet.serve()
    }

    /// Counts a part of the input that the source could not use (a malformed line, say), together with the
    /// next reading or mark, so that it is counted once however often it is read. Logs the first and then
    /// at most one in ten seconds.
    pub fn reject(&mut self, reason: &dyn std::fmt::Display) {
        self.rejected += 1;
        let now = self.world.now();
        if self.quiet_until.is_none_or(|until| now >= until) {
            self.quiet_until = Some(now + REJECTIONS_LOGGED_EVERY);
            tracing::warn!(source = self.id.0, "skipped: {reason}");
        }
    }

    /// Waits for something outside, however long it takes.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the source is to end.
    pub async fn wait_for<T>(&self, answer: impl Future<Output = T>) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.supervision.stopped() => Err(Error::Stopped),
            answer = self.supervision.heart.resting(answer) => Ok(answer),
        }
    }

    /// Sleeps until [`World::now`] has reached `at`.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the source is to end.
    pub async fn sleep_until(&mut self, at: Duration) -> Result<(), Error> {
        // Clocks cannot count to the end of a duration, and no run lasts that long.
        let at = at.min(FAR);
        if self.supervision.sleep_until(at).await { Ok(()) } else { Err(Error::Stopped) }
    }
}

#[cfg(test)]
mod tests;
