//! The supervisor of the sources: starts them, notices when one ends or panics, and starts it anew after a
//! pause. Children are independent of each other.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use engine::restart::{Backoff, Restarts};
use engine::sample::{SourceId, SourceState};
use futures_util::FutureExt;
use tokio::sync::watch;

use crate::ring::Report;
use crate::source::port::Doorbell;
use crate::source::{Context, Error, Port, Source};
use crate::world::World;

/// How long sources have to end when they are told to.
pub const STOP_MAX: Duration = Duration::from_secs(1);

/// The supervisor of a run's sources.
pub struct Supervisor {
    /// Time, real or virtual.
    pub world: World,
    /// The seed of back-offs and of the sources.
    pub seed: u64,
    /// The children, each with the port that outlives its restarts. A child's place is its [`SourceId`].
    pub sources: Vec<(Arc<Source>, Port)>,
    /// Where the ring hears of the children.
    pub reports: flume::Sender<Report>,
    /// Wakes the ring.
    pub doorbell: Doorbell,
    /// Ends supervisor and children when true.
    pub stop: watch::Receiver<bool>,
}

/// How a child ended.
struct Exit {
    child: usize,
    reason: Result<(), Error>,
}

impl Supervisor {
    /// Runs the sources until `stop`, then waits for them to end.
    pub async fn run(mut self) {
        let (exits, ended) = flume::unbounded();
        let mut restarts: Vec<Restarts> = (0..self.sources.len())
            .map(|child| Restarts::new(Backoff::default(), self.seed, child as u64))
            .collect();
        let mut due: BTreeMap<(Duration, usize), ()> = BTreeMap::new();
        let mut alive = 0;
        due.extend((0..self.sources.len()).map(|child| ((Duration::ZERO, child), ())));
        let mut stop = self.stop.clone();
        loop {
            let next = due.first_key_value().map(|(key, ())| *key);
            let at = next.map_or(Duration::MAX, |(at, _)| at);
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                exit = ended.recv_async() => {
                    let Ok(exit) = exit else { break };
                    alive -= 1;
                    if let Some(again) = self.bury(&exit, &mut restarts[exit.child]) {
                        due.insert((again, exit.child), ());
                    }
                }
                () = self.world.sleep_until(at.min(self.world.now() + Duration::from_secs(3_600))) => {
                    let Some((_, child)) = next.filter(|(at, _)| *at <= self.world.now()) else { continue };
                    due.pop_first();
                    restarts[child].started(self.world.now());
                    alive += 1;
                    self.start(child, exits.clone());
                }
            }
        }
        self.wait(alive, &ended).await;
    }

    fn start(&mut self, child: usize, exits: flume::Sender<Exit>) {
        let (source, port) = self.sources[child].clone();
        let (world, seed, stop) = (self.world, self.seed, self.stop.clone());
        let name = source.name.clone();
        let sent = exits.clone();
        let body = move || async move {
            let mut context = Context::new(SourceId(child as u16), world, seed, port, stop);
            let run = AssertUnwindSafe(source.kind.run(&mut context)).catch_unwind();
            let reason = run.await.unwrap_or_else(|panic| Err(Error::Transient(panic_text(&*panic))));
            let _ = sent.send(Exit { child, reason });
        };
        if let Err(error) = self.world.spawn(&name, body) {
            let _ = exits.send(Exit { child, reason: Err(Error::Transient(error.to_string())) });
        }
    }

    /// Says how a child ended and returns when it is to be started anew.
    fn bury(&self, exit: &Exit, restarts: &mut Restarts) -> Option<Duration> {
        let name = &self.sources[exit.child].0.name;
        let (state, error, again) = match &exit.reason {
            Ok(()) | Err(Error::Stopped) => (SourceState::Stopped, None, None),
            Err(Error::Configuration(error)) => {
                tracing::error!(source = %name, %error, "source failed for good");
                (SourceState::Failed, Some(error), None)
            }
            Err(Error::Transient(error)) => {
                let again = restarts.failed(self.world.now());
                let pause = again.saturating_sub(self.world.now());
                tracing::warn!(source = %name, %error, ?pause, "source failed, it is started anew");
                (SourceState::Retrying, Some(error), Some(again))
            }
        };
        let (source, restarts) = (SourceId(exit.child as u16), restarts.total());
        let _ = self.reports.send(Report { source, state, error: error.cloned(), restarts });
        self.doorbell.press();
        again
    }

    async fn wait(&self, mut alive: usize, ended: &flume::Receiver<Exit>) {
        let deadline = self.world.now() + STOP_MAX;
        while alive > 0 {
            tokio::select! {
                biased;
                exit = ended.recv_async() => alive -= usize::from(exit.is_ok()),
                () = self.world.sleep_until(deadline) => {
                    tracing::warn!(alive, "sources did not end in time and are left behind");
                    return;
                }
            }
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("without a message"))
}
