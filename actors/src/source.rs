//! Sources: where data comes from. Each runs as an actor of its own and speaks to the ring through a
//! bounded [`Port`] that outlives its restarts. A source is an async function over a [`Context`]: it reads,
//! emits, sleeps, and returns an error when it cannot go on; the supervisor starts it anew.

pub mod generator;
pub mod playback;
pub mod port;
pub mod system;
pub mod time;

use std::sync::Arc;
use std::time::Duration;

use engine::sample::{Reading, SourceId};
use engine::value::Value;
use tokio::sync::watch;

use crate::world::World;
pub use port::Port;

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
}

/// What happens to a reading when the port is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The source waits; nothing is lost.
    Block,
    /// The oldest waiting reading makes room and is counted.
    DropOldest,
    /// The new reading is dropped and counted.
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

/// What a running source has to do with the world: it reads time, sleeps and emits through it alone.
pub struct Context {
    /// Which source this is.
    pub id: SourceId,
    /// Time, real or virtual.
    pub world: World,
    /// The seed for anything random.
    pub seed: u64,
    port: Port,
    stop: watch::Receiver<bool>,
}

impl Context {
    /// The context of source `id`; it ends soon after `stop` turns true.
    pub fn new(id: SourceId, world: World, seed: u64, port: Port, stop: watch::Receiver<bool>) -> Context {
        Context { id, world, seed, port, stop }
    }

    /// Sends the values of one reading, which are sealed in one tick, under `timestamp_ms` (Unix time), or
    /// under the engine's time if that is `None`. What happens when the ring cannot keep up is the
    /// source's [`Policy`].
    ///
    /// # Errors
    /// [`Error::Stopped`] when the source is to end.
    pub async fn emit(
        &mut self,
        timestamp_ms: Option<i64>,
        values: Vec<(Arc<str>, Value)>,
    ) -> Result<(), Error> {
        let sequence = self.port.take_sequence(values.len());
        let reading = Reading { source: self.id, sequence, timestamp_ms, values };
        tokio::select! {
            biased;
            () = stopped(&mut self.stop) => Err(Error::Stopped),
            () = self.port.send(reading) => Ok(()),
        }
    }

    /// Sleeps until [`World::now`] has reached `at`.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the source is to end.
    pub async fn sleep_until(&mut self, at: Duration) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = stopped(&mut self.stop) => Err(Error::Stopped),
            () = self.world.sleep_until(at) => Ok(()),
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say "stop": the run is over as well.
    let _ = stop.wait_for(|stop| *stop).await;
}
