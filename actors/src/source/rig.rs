//! A test rig: runs one source in a simulated world and notes what arrives at the ring, and when.

use std::sync::atomic::Ordering;
use std::time::Duration;

use engine::sample::{Reading, SourceId};
use tokio::sync::watch;

use crate::source::port::Doorbell;
use crate::source::{Context, Error, Kind, Policy, Port};
use crate::supervisor::worker;
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
