//! A generation of the core: its five actors, from their start until the first of them ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

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
struct Generation {
    fence: Fence,
    thread: SharedThread,
    /// Of the clock, and of the others.
    stop: (watch::Sender<bool>, watch::Sender<bool>),
    ended: flume::Receiver<Ended>,
    /// The hearts of all but the clock.
    hearts: Vec<(&'static str, Heart)>,
}

/// Restarts of the core within [`PERIOD`] after which it is given up.
const RESTARTS_MAX: usize = 3;

/// See [`RESTARTS_MAX`].
const PERIOD: Duration = Duration::from_secs(10);

/// An actor of the core that has not shown a sign of life for so long hangs.
const HANG_AFTER: Duration = Duration::from_secs(2);

/// How often hearts are listened to.
const LISTENED_EVERY: Duration = Duration::from_millis(250);

/// Keeps a core running: starts all of it anew when one of its actors fails, until the clock has ended or
/// it fails too often.
pub(in crate::runtime) async fn keep(
    core: Core,
    world: World,
    faults: Faults,
    mut stop: watch::Receiver<bool>,
) -> End {
    let mut restarts: VecDeque<Duration> = VecDeque::new();
    for number in 1.. {
        let Ok(generation) = Generation::start(&core, world, number, &faults) else { break };
        let (actor, error) = loop {
            tokio::select! {
                biased;
                (actor, ended) = generation.ended() => match ended {
                    Ok(end) if actor == "clock" => {
                        generation.stop();
                        return end;
                    }
                    Ok(_) => break (actor, "it ended by itself".into()),
                    Err(error) => break (actor, error),
                },
                actor = generation.hangs(&world) => break (actor, "it hangs".into()),
                _ = stop.wait_for(|stop| *stop), if !*generation.stop.0.borrow() => generation.stop_clock(),
            }
        };
        generation.stop();
        tracing::error!(actor, error, "an actor of the core failed; all of it is started anew");
        restarts.retain(|at| world.now().saturating_sub(*at) < PERIOD);
        if restarts.len() >= RESTARTS_MAX {
            break;
        }
        restarts.push_back(world.now());
    }
    End::CoreDied
}

/// How an actor ended; an error holds the text of a panic.
type Ended = (&'static str, Result<End, String>);

impl Generation {
    /// Starts all five, consumers first.
    ///
    /// # Errors
    /// The system's, when it has no more threads.
    fn start(core: &Core, world: World, number: u64, faults: &Faults) -> std::io::Result<Generation> {
        let thread = world.shared_thread("core")?;
        let (report, ended) = flume::unbounded();
        let stop = (watch::Sender::new(false), watch::Sender::new(false));
        let mut generation = Generation { fence: Fence::default(), thread, stop, ended, hearts: Vec::new() };
        let actors: [(&'static str, Run); 4] = [
            ("renderer", |core, context| core.run_renderer(context).boxed_local()),
            ("coordination", |core, context| core.run_coordination(context).boxed_local()),
            ("expression", |core, context| core.run_expression(context).boxed_local()),
            ("ring", |core, context| core.run_ring(context).boxed_local()),
        ];
        for (name, run) in actors {
            let stop = generation.stop.1.subscribe();
            let context = generation.context(world, number, &faults.of(&Arc::from(name)), stop);
            generation.hearts.push((name, context.heart.clone()));
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
    async fn ended(&self) -> Ended {
        self.ended.recv_async().await.unwrap_or(("core", Err("it is gone".into())))
    }

    /// Returns which actor hangs, as soon as one does.
    async fn hangs(&self, world: &World) -> &'static str {
        loop {
            let silent = |(_, heart): &&(&str, Heart)| heart.well_until() + HANG_AFTER < world.now();
            if let Some((name, _)) = self.hearts.iter().filter(silent).min_by_key(|(_, heart)| heart.beaten())
            {
                return name;
            }
            world.sleep_until(world.now() + LISTENED_EVERY).await;
        }
    }

    /// Tells the clock to make its last tick.
    fn stop_clock(&self) {
        self.stop.0.send_replace(true);
    }

    /// Ends all actors, and lets those that do not end write nothing more.
    fn stop(&self) {
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
