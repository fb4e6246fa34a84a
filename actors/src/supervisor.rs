//! The supervisor of the sources: starts them, notices when one ends or panics, and starts it anew after a
//! pause. Children are independent of each other.

pub mod fence;
pub mod heart;
pub mod panics;
pub mod worker;

use std::any::Any;
use std::collections::BTreeSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use engine::restart::{Backoff, Restarts};
use engine::sample::{SourceId, SourceState};
use futures_util::FutureExt;
use tokio::sync::watch;

use crate::fault::Faults;
use crate::ring::Report;
use crate::source::port::Doorbell;
use crate::source::{Context, Error, KeySpec, Port, Source};
use crate::supervisor::fence::{Fence, Pass};
use crate::world::World;

/// The longest time between two publications of the actors' reports.
pub const REPORTED_EVERY: Duration = Duration::from_secs(1);

/// How long sources have to end when they are told to.
pub const STOP_MAX: Duration = Duration::from_secs(1);

/// The supervisor of a run's sources.
pub struct Supervisor {
    /// Time, real or virtual.
    pub world: World,
    /// The seed of back-offs and of the sources.
    pub seed: u64,
    /// The children. A child's place is its [`SourceId`].
    pub children: Vec<Child>,
    /// Where the ring hears of the children.
    pub reports: flume::Sender<Report>,
    /// Wakes the ring.
    pub doorbell: Doorbell,
    /// Ends supervisor and children when true.
    pub stop: watch::Receiver<bool>,
}

/// A child: how it is started, and the port that outlives its restarts.
#[derive(Clone)]
pub struct Child {
    /// Its name, for people.
    pub name: String,
    /// What it sends through.
    pub port: Port,
    /// Runs it, until it ends or fails.
    pub run: Run,
}

/// Makes a running source of a context.
pub type Run = Arc<dyn Fn(Context) -> Pin<Box<dyn Future<Output = Result<(), Error>>>> + Send + Sync>;

impl Child {
    /// The child that runs `source`, whose keys are known to be `keys`.
    pub fn new(source: &Source, keys: Vec<KeySpec>, port: Port) -> Child {
        let source_and_keys = Arc::new((source.kind.clone(), keys));
        let run: Run = Arc::new(move |mut context| {
            let source_and_keys = source_and_keys.clone();
            Box::pin(async move {
                let (kind, keys) = &*source_and_keys;
                kind.run(keys, &mut context).await
            })
        });
        Child { name: source.name.clone(), port, run }
    }
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
        let mut restarts: Vec<Restarts> = (0..self.children.len())
            .map(|child| Restarts::new(Backoff::default(), self.seed, child as u64))
            .collect();
        let fences: Vec<Fence> = self.children.iter().map(|_| Fence::default()).collect();
        let mut due: BTreeSet<(Duration, usize)> = BTreeSet::new();
        let mut alive = 0;
        due.extend((0..self.children.len()).map(|child| (Duration::ZERO, child)));
        let mut stop = self.stop.clone();
        loop {
            let next = due.first().copied();
            let at = next.map_or(Duration::MAX, |(at, _)| at);
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                exit = ended.recv_async() => {
                    let Ok(exit) = exit else { break };
                    alive -= 1;
                    if let Some(again) = self.bury(&exit, &mut restarts[exit.child]) {
                        due.insert((again, exit.child));
                    }
                }
                () = self.world.sleep_until(at.min(self.world.now() + Duration::from_secs(3_600))) => {
                    let Some((_, child)) = next.filter(|(at, _)| *at <= self.world.now()) else { continue };
                    due.pop_first();
                    restarts[child].started(self.world.now());
                    alive += 1;
                    let pass = fences[child].admit(restarts[child].total() + 1);
                    self.start(child, pass, exits.clone());
                }
            }
        }
        self.wait(alive, &ended).await;
    }

    fn start(&mut self, child: usize, pass: Pass, exits: flume::Sender<Exit>) {
        let Child { name, port, run } = self.children[child].clone();
        let (world, seed, stop) = (self.world, self.seed, self.stop.clone());
        let sent = exits.clone();
        let body = move || async move {
            let supervision = worker::Context::new(world, pass, Faults::default(), stop);
            let context = Context::new(SourceId(child as u16), seed, &port, supervision);
            let running = AssertUnwindSafe(async { run(context).await }).catch_unwind();
            let reason = running.await.unwrap_or_else(|panic| Err(Error::Transient(panic_text(&*panic))));
            let _ = sent.send(Exit { child, reason });
        };
        if let Err(error) = self.world.spawn(&name, body) {
            let _ = exits.send(Exit { child, reason: Err(Error::Transient(error.to_string())) });
        }
    }

    /// Says how a child ended and returns when it is to be started anew.
    fn bury(&self, exit: &Exit, restarts: &mut Restarts) -> Option<Duration> {
        let name = &self.children[exit.child].name;
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
        let sequence = self.children[exit.child].port.next_sequence();
        let _ =
            self.reports.send(Report::Source { source, state, error: error.cloned(), restarts, sequence });
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::source::Policy;
    use crate::source::rig::simulate;

    /// Runs one child for `span` of virtual time. `script` says what its first, second, … start comes to;
    /// after the last it runs on. Returns how often it was started, and all reports as `ms state restarts
    /// error`.
    fn supervise(span: Duration, script: &'static [fn() -> Result<(), Error>]) -> (usize, Vec<String>) {
        simulate(async {
            let world = World::simulated(false);
            let starts = Arc::new(AtomicUsize::new(0));
            let counted = starts.clone();
            let run: Run = Arc::new(move |mut context: Context| {
                let step = script.get(counted.fetch_add(1, Ordering::Relaxed)).copied();
                Box::pin(async move {
                    match step {
                        Some(step) => step(),
                        None => context.sleep_until(Duration::MAX).await,
                    }
                })
            });
            let (port, _arrivals) = Port::new(SourceId(0), world, Policy::Block, Doorbell::default());
            let (reports, reported) = flume::unbounded();
            let (stop, stopped) = watch::channel(false);
            let children = vec![Child { name: "child".into(), port, run }];
            let doorbell = Doorbell::default();
            let supervisor = Supervisor { world, seed: 7, children, reports, doorbell, stop: stopped };
            let running = actix::spawn(supervisor.run());
            world.sleep_until(span).await;
            stop.send_replace(true);
            running.await.unwrap();
            let line = |report: Report| match report {
                Report::Source { state, error, restarts, .. } => {
                    format!("{} {restarts} {}", state.name(), error.unwrap_or_default())
                }
                Report::Restarted(_) => String::new(),
            };
            (starts.load(Ordering::Relaxed), reported.try_iter().map(line).collect())
        })
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn errors_and_panics_are_told_and_lead_to_a_new_start() {
        let (starts, reports) = supervise(
            SECOND,
            &[
                || Err(Error::Transient("no answer".into())),
                || panic!("index {} is out of range", 7),
                || panic!("plain"),
            ],
        );
        assert_eq!(starts, 4);
        let expected = [
            "retrying 1 no answer",
            "retrying 2 panicked: index 7 is out of range",
            "retrying 3 panicked: plain",
        ];
        assert_eq!(reports, expected, "a child that is told to stop has no more to say");
    }

    #[test]
    fn what_ends_by_itself_or_cannot_work_is_left_alone() {
        assert_eq!(supervise(SECOND, &[|| Ok(())]), (1, vec!["stopped 0 ".into()]));
        let hopeless: &[fn() -> _] = &[|| Err(Error::Configuration("no such disk".into()))];
        assert_eq!(supervise(SECOND, hopeless), (1, vec!["failed 0 no such disk".into()]));
    }

    #[test]
    fn a_child_that_always_fails_is_tried_ever_more_seldom() {
        const DOWN: fn() -> Result<(), Error> = || Err(Error::Transient("down".into()));
        let (starts, _) = supervise(3_600 * SECOND, &[DOWN; 10_000]);
        // Eight quick tries, then one in 15 s on average.
        assert!((200..300).contains(&starts), "{starts} starts in an hour");
    }
}
