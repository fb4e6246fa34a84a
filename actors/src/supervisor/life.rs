//! The life of a worker: its generations, one after the other.

use std::sync::Arc;
use std::time::Duration;

use engine::restart::{Exit, State, Status};
use tokio::sync::watch;

use super::fence::Fence;
use super::heart::Heart;
use super::panics::Caught;
use super::worker::{Context, Failure, Group, Worker};
use crate::handle::{ActorReport, ActorState};
use crate::world::World;

/// How a generation ended. The outer error is the text of a panic.
pub(super) struct Ended {
    pub(super) worker: usize,
    pub(super) generation: u64,
    pub(super) how: Result<Result<(), Failure>, String>,
}

/// What is known of a worker.
pub(super) struct Life {
    pub(super) fence: Fence,
    /// The newest generation, 0 before the first start.
    generation: u64,
    running: Option<Running>,
    restarts: u64,
    cause: Option<Exit>,
    error: Option<Arc<str>>,
    /// Whether it waits for its thread before it starts.
    shares_thread: bool,
    /// In the core nothing is left out: what can never work is tried again, and then given up with the rest.
    is_vital: bool,
    /// The newest signs of life, which stay after its end.
    heart: Heart,
}

struct Running {
    stop: watch::Sender<bool>,
    /// Whether its thread was left behind because of another worker.
    is_lost: bool,
}

impl Life {
    pub(super) fn new(world: World, worker: &Worker) -> Life {
        Life {
            fence: Fence::default(),
            generation: 0,
            running: None,
            restarts: 0,
            cause: None,
            error: None,
            shares_thread: worker.shares_thread,
            is_vital: worker.group == Group::Core,
            heart: Heart::new(world),
        }
    }

    /// Notes that a generation starts, and whether that is because it failed itself.
    pub(super) fn begin(
        &mut self,
        generation: u64,
        context: &Context,
        stop: watch::Sender<bool>,
        is_restart: bool,
    ) {
        self.generation = generation;
        self.heart = context.heart.clone();
        if self.shares_thread {
            // Those before it on the thread may take long to start, which their own hearts show.
            self.heart.rest();
        }
        self.running = Some(Running { stop, is_lost: false });
        self.restarts += u64::from(is_restart);
    }

    /// Until when the running generation says that it is well.
    pub(super) fn heard(&self) -> Option<(u64, Duration)> {
        self.running.as_ref().map(|_| (self.generation, self.heart.well_until()))
    }

    pub(super) fn is_running(&self, generation: u64) -> bool {
        generation == self.generation && self.running.is_some()
    }

    /// Asks the running generation to end; returns whether it cannot hear that.
    pub(super) fn stop(&mut self) -> bool {
        let Some(running) = &self.running else { return false };
        running.stop.send_replace(true);
        running.is_lost
    }

    /// Notes that its thread was left behind because of another worker.
    pub(super) fn lose(&mut self) {
        self.fence.close();
        self.running.iter_mut().for_each(|running| running.is_lost = true);
    }

    /// Notes how a generation ended, and returns what the tree is to know of it.
    pub(super) fn end(&mut self, ended: &Ended) -> Exit {
        let (exit, error) = match &ended.how {
            Ok(Ok(())) => (Exit::Normal, None),
            Ok(Err(Failure::Transient(error))) => (Exit::Error, Some(error)),
            Ok(Err(Failure::Configuration(error))) if self.is_vital => (Exit::Error, Some(error)),
            Ok(Err(Failure::Configuration(error))) => (Exit::Fatal, Some(error)),
            Err(panic) => (Exit::Panic, Some(panic)),
        };
        if self.is_running(ended.generation) {
            self.fence.close();
            self.running = None;
            self.fail(exit, error.map(|error| error.as_str().into()));
        }
        exit
    }

    /// Leaves the running generation behind.
    pub(super) fn abandon(&mut self) {
        self.fence.close();
        let Some(running) = self.running.take() else { return };
        // It may still be told, should it wake up.
        running.stop.send_replace(true);
        self.fail(Exit::Hang, Some("it showed no sign of life, or did not end".into()));
    }

    fn fail(&mut self, exit: Exit, error: Option<Arc<str>>) {
        self.cause = Some(exit);
        self.error = error.or(self.error.take());
    }

    /// How it is doing, without its threads that were left behind.
    pub(super) fn report(&self, worker: &Worker, status: Option<Status>) -> ActorReport {
        ActorReport {
            name: worker.name.clone(),
            group: worker.group.name(),
            state: status.map_or(ActorState::Stopped, state_of),
            generation: self.generation,
            restarts: self.restarts,
            left_behind: 0,
            cause: self.cause.map(Exit::name),
            error: self.error.clone(),
            beaten: self.heart.beaten(),
            well_until: self.heart.well_until(),
        }
    }
}

fn state_of(status: Status) -> ActorState {
    match status.state {
        State::Starting => ActorState::Starting,
        State::Running => ActorState::Running,
        State::BackingOff { until } if status.is_degraded => ActorState::Degraded(until),
        State::BackingOff { until } => ActorState::BackingOff(until),
        State::Stopping { .. } => ActorState::Stopping,
        State::Stopped => ActorState::Stopped,
        State::Failed => ActorState::Failed,
    }
}

/// Runs one generation of a worker and says how it ended, whatever happens to it.
pub(super) async fn live(number: usize, worker: Worker, context: Context, exits: flume::Sender<Ended>) {
    let mut last_words =
        LastWords { worker: number, generation: context.pass.generation(), how: None, exits };
    let role = worker.role;
    let life = async move {
        context.heart.beat();
        context.strike(&format!("{role}.start")).await?;
        (worker.run)(context.clone()).await?;
        if context.is_stopping() {
            context.strike(&format!("{role}.stop")).await?;
        }
        Ok(())
    };
    last_words.how = Some(Caught(Box::pin(life)).await);
}

/// Made before an actor and dropped with it: says how it ended.
struct LastWords {
    worker: usize,
    generation: u64,
    how: Option<Result<Result<(), Failure>, String>>,
    exits: flume::Sender<Ended>,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        let how = self.how.take().unwrap_or_else(|| Err("its thread has ended".into()));
        // Nobody listens any more when the run is over.
        let _ = self.exits.send(Ended { worker: self.worker, generation: self.generation, how });
    }
}
