//! A test rig: runs one source in a simulated world and notes what arrives at the ring, and when.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use engine::sample::{Reading, SourceId};
use tokio::sync::watch;

use crate::fault::Faults;
use crate::source::port::Doorbell;
use crate::source::{Context, Error, Kind, Policy, Port};
use crate::supervisor::fence::Fence;
use crate::supervisor::{panics, worker};
use crate::world::World;

/// How a source is run.
pub(crate) struct Rig {
    /// What its port does when it is full.
    pub(crate) policy: Policy,
    /// The seed of its context.
    pub(crate) seed: u64,
}

/// What came of it.
pub(crate) struct Run {
    /// What the ring received and when, in world time.
    pub(crate) readings: Vec<(Duration, Reading)>,
    /// How the source ended; [`Error::Stopped`] where it was still running at the end.
    pub(crate) outcome: Result<(), Error>,
    /// Parts of the input that it rejected.
    pub(crate) rejected: u64,
}

impl Rig {
    /// Seed 7.
    pub(crate) fn new(policy: Policy) -> Rig {
        Rig { policy, seed: 7 }
    }

    /// Runs `kind` for `span` of virtual time, that moment included.
    pub(crate) fn run(self, kind: Kind, span: Duration) -> Run {
        let keys = kind.keys().unwrap_or_default();
        self.run_with(span, async move |context| kind.run(&keys, context).await)
    }

    /// Runs any source function for `span` of virtual time, that moment included.
    pub(crate) fn run_with<F>(self, span: Duration, source: F) -> Run
    where
        F: AsyncFnOnce(&mut Context) -> Result<(), Error>,
    {
        simulate(async {
            let world = World::simulated(false);
            let (port, arrivals) = Port::new(SourceId(0), world, self.policy, Doorbell::default());
            let counts = port.counts();
            let (stop, stopped) = watch::channel(false);
            let supervision = worker::Context::unsupervised(world, stopped);
            let mut context = Context::new(SourceId(0), self.seed, &port, supervision);
            let noted = actix::spawn(async move {
                let mut readings = Vec::new();
                while let Some(posted) = arrivals.next().await {
                    // The timers' grain is a millisecond: what is due a moment later may come with it.
                    if world.now().as_millis() <= span.as_millis() {
                        readings.push((world.now(), posted.reading));
                    }
                }
                readings
            });
            let ended = async {
                world.sleep_until(span + Duration::from_millis(1)).await;
                stop.send(true).ok();
                std::future::pending().await
            };
            let outcome = tokio::select! {
                outcome = source(&mut context) => outcome,
                () = ended => Ok(()),
            };
            let rejected = counts.rejected.load(Ordering::Relaxed);
            drop((context, port));
            Run { readings: noted.await.unwrap(), outcome, rejected }
        })
    }
}

/// How long a source may be silent under [`supervise`] before it is given up.
pub(crate) const HANG_AFTER: Duration = Duration::from_secs(1);

/// Runs `kind` for `span` of virtual time and starts it anew after every failure, panic and hang. The ring looks
/// into the port each `taken_every`. Returns what it received, and how often the source was started.
pub(crate) fn supervise(
    kind: &Kind,
    policy: Policy,
    faults: &Faults,
    span: Duration,
    taken_every: Duration,
) -> (Vec<Reading>, u64) {
    simulate(async {
        let world = World::simulated(false);
        let (port, arrivals) = Port::new(SourceId(0), world, policy, Doorbell::default());
        let (kind, faults) = (kind.clone(), faults.of(&"source.a".into()));
        let starts = std::rc::Rc::new(std::cell::Cell::new(0));
        let counted = starts.clone();
        let (_stop, stopped) = watch::channel(false);
        actix::spawn(async move {
            let fence = Fence::default();
            loop {
                counted.set(counted.get() + 1);
                let pass = fence.admit(counted.get());
                let supervision = worker::Context::new(world, pass, faults.clone(), stopped.clone());
                let heart = supervision.heart.clone();
                let mut context = Context::new(SourceId(0), 7, &port, supervision);
                let kind = kind.clone();
                let run = async move { kind.run(&kind.keys().unwrap(), &mut context).await };
                let mut run = Box::pin(run);
                let mut running = actix::spawn(poll_fn(move |woken| {
                    let polled = panics::catch(|| run.as_mut().poll(woken));
                    polled.unwrap_or_else(|panic| Poll::Ready(Err(Error::Transient(panic))))
                }));
                let mut is_over = false;
                while !is_over && heart.well_until() + HANG_AFTER >= world.now() {
                    let looked = world.now() + Duration::from_millis(100);
                    tokio::select! {
                        ended = &mut running => match ended.unwrap() {
                            Ok(()) => return,
                            Err(_) => is_over = true,
                        },
                        () = world.sleep_until(looked) => {}
                    }
                }
                let pause = Duration::from_millis(70 * (counted.get() % 5));
                world.sleep_until(world.now() + pause).await;
            }
        });
        let mut readings = Vec::new();
        while world.now() < span {
            readings.extend(std::iter::from_fn(|| arrivals.take()).map(|posted| posted.reading));
            world.sleep_until(world.now() + taken_every).await;
        }
        readings.extend(std::iter::from_fn(|| arrivals.take()).map(|posted| posted.reading));
        (readings, starts.get())
    })
}

/// Runs a future in an actix system under virtual time.
pub(crate) fn simulate<F: Future>(future: F) -> F::Output {
    let system = actix::System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
    });
    system.block_on(future)
}

/// One line a reading: milliseconds and `key=value` pairs.
pub(crate) fn print(readings: &[(Duration, Reading)]) -> String {
    let mut text = String::new();
    for (at, reading) in readings {
        let pairs: Vec<String> = reading.values.iter().map(|(key, value)| format!("{key}={value}")).collect();
        text += &format!("{} {}\n", at.as_millis(), pairs.join(" "));
    }
    text
}
