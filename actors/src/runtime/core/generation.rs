//! A generation of the core: its five actors, from their start until the first of them ends.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::sync::watch;

use super::Core;
use crate::clock::End;
use crate::fault::Faults;
use crate::supervisor::fence::Fence;
use crate::supervisor::heart::Heart;
use crate::supervisor::worker::{Context, Failure};
use crate::world::{SharedThread, World};

/// The actors that run now.
pub(in crate::runtime) struct Generation {
    fence: Fence,
    thread: SharedThread,
    /// Of the clock, and of the others.
    stop: (watch::Sender<bool>, watch::Sender<bool>),
    ended: flume::Receiver<Ended>,
    /// The hearts of all but the clock.
    pub(in crate::runtime) hearts: Vec<Heart>,
}

/// How an actor ended; an error holds the text of a panic.
type Ended = (&'static str, Result<End, String>);

impl Generation {
    /// Starts all five, consumers first.
    ///
    /// # Errors
    /// The system's, when it has no more threads.
    pub(in crate::runtime) fn start(
        core: &Core,
        world: World,
        number: u64,
        faults: &Faults,
    ) -> std::io::Result<Generation> {
        let thread = world.shared_thread("core")?;
        let (report, ended) = flume::unbounded();
        let stop = (watch::Sender::new(false), watch::Sender::new(false));
        let mut generation = Generation { fence: Fence::default(), thread, stop, ended, hearts: Vec::new() };
        let actors: [(&str, Run); 4] = [
            ("renderer", |core, context| core.run_renderer(context).boxed_local()),
            ("coordination", |core, context| core.run_coordination(context).boxed_local()),
            ("expression", |core, context| core.run_expression(context).boxed_local()),
            ("ring", |core, context| core.run_ring(context).boxed_local()),
        ];
        for (name, run) in actors {
            let stop = generation.stop.1.subscribe();
            let context = generation.context(world, number, &faults.of(&Arc::from(name)), stop);
            generation.hearts.push(context.heart.clone());
            let (core, report) = (core.clone(), report.clone());
            generation.thread.spawn(move || async move {
                let ended = caught(run(core, context)).await.map(|()| End::Stopped);
                let _ = report.send((name, ended));
            });
        }
        let stop = generation.stop.0.subscribe();
        let context = generation.context(world, number, &faults.of(&Arc::from("clock")), stop);
        let core = core.clone();
        world.spawn("clock", move || async move {
            let ended = caught(core.run_clock(context).boxed_local()).await;
            let _ = report.send(("clock", ended));
        })?;
        Ok(generation)
    }

    fn context(&self, world: World, number: u64, faults: &Faults, stop: watch::Receiver<bool>) -> Context {
        Context::new(world, self.fence.admit(number), faults.clone(), stop)
    }

    /// Returns which actor has ended first, and how.
    pub(in crate::runtime) async fn ended(&self) -> Ended {
        self.ended.recv_async().await.unwrap_or(("core", Err("it is gone".into())))
    }

    /// Tells the clock to make its last tick.
    pub(in crate::runtime) fn stop_clock(&self) {
        self.stop.0.send_replace(true);
    }

    /// Ends all actors, and lets those that do not end write nothing more.
    pub(in crate::runtime) fn stop(&self) {
        self.fence.close();
        self.stop.0.send_replace(true);
        self.stop.1.send_replace(true);
    }
}

type Run = fn(Core, Context) -> LocalBoxFuture<'static, Result<(), Failure>>;

async fn caught<T>(running: LocalBoxFuture<'static, Result<T, Failure>>) -> Result<T, String> {
    match std::panic::AssertUnwindSafe(running).catch_unwind().await {
        Ok(ended) => ended.map_err(|failure| failure.to_string()),
        Err(_) => Err("it panicked".into()),
    }
}
