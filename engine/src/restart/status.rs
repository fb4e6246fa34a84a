//! What can be asked of a tree: how each group and each worker is.

use core::time::Duration;

use super::node::{Phase, Runner, Stage, Ward};
use super::{Exit, Generation, GroupId, RestartType, Restarts, WorkerId};

/// A group or a worker of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// Some group.
    Group(GroupId),
    /// Some worker.
    Worker(WorkerId),
}

/// How a group or a worker is. Moments are in the time of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it does at present.
    pub state: State,
    /// When that began.
    pub since: Duration,
    /// Which start this is, or was.
    pub generation: Generation,
    /// How often it was started anew, on its own account or with others: generations after the first.
    pub restarts: u64,
    /// How often it failed when it was to be started anew. For a group: how often it gave up.
    pub failures: u64,
    /// How often it did so without a healthy spell in between.
    pub failures_in_a_row: u32,
    /// How it ended last; for a group the exit that made it give up.
    pub last_exit: Option<Exit>,
    /// A worker: it failed so often that its wait has reached the cap, and was not healthy since. A group:
    /// somebody in it is degraded or has failed for good.
    pub is_degraded: bool,
}

/// What a group or a worker does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Started, and not heard yet. A worker that is not watched, and a group, run at once.
    Starting,
    /// At work.
    Running,
    /// Down until it is started anew, which may be later if siblings have to end first. A group that restarts
    /// some of its children is running.
    BackingOff {
        /// Not before this.
        until: Duration,
    },
    /// Told to end.
    Stopping {
        /// When it is left behind; a group: when the last of those who were told to end will be.
        until: Duration,
    },
    /// Never started, ended for its part, or stopped.
    Stopped,
    /// Ended, and not to be started again while its group lives: see [`Exit::Fatal`] and
    /// [`super::Worker::give_up_after`].
    Failed,
}

impl State {
    /// The names of all states, in the order of their declaration.
    pub const NAMES: [&'static str; 6] =
        ["starting", "running", "backing_off", "stopping", "stopped", "failed"];

    /// The name in metrics and reports.
    pub fn name(self) -> &'static str {
        State::NAMES[match self {
            State::Starting => 0,
            State::Running => 1,
            State::BackingOff { .. } => 2,
            State::Stopping { .. } => 3,
            State::Stopped => 4,
            State::Failed => 5,
        }]
    }
}

impl Runner {
    pub(super) fn status(&self, group: &Ward) -> Status {
        let comes_back = self.spec.restart != RestartType::Temporary;
        let state = match (self.phase, group.stage) {
            (Phase::Down, Stage::Round { from, due, .. }) if self.place >= from && comes_back => {
                State::BackingOff { until: due }
            }
            (Phase::Down, _) => State::Stopped,
            (Phase::Failed, _) => State::Failed,
            (Phase::Waiting { until }, _) => State::BackingOff { until },
            (Phase::Alive { is_heard: false, .. }, _) => State::Starting,
            (Phase::Alive { is_heard: true, .. }, _) => State::Running,
            (Phase::Stopping { until }, _) => State::Stopping { until },
        };
        let is_degraded = self.restarts.is_degraded();
        status(state, self.since, self.generation, &self.restarts, self.last_exit, is_degraded)
    }
}

impl Ward {
    /// `workers` are those of this subtree.
    pub(super) fn status(&self, parent: Option<&Ward>, workers: &[Runner], now: Duration) -> Status {
        let last_stop = workers.iter().filter_map(|runner| match runner.phase {
            Phase::Stopping { until } => Some(until),
            _ => None,
        });
        let state = match (self.stage, parent.map(|parent| parent.stage)) {
            (Stage::Down, Some(Stage::Round { from, due, .. })) if self.place >= from => {
                State::BackingOff { until: due }
            }
            (Stage::Down, _) => State::Stopped,
            (Stage::Waiting { until, .. }, _) => State::BackingOff { until },
            (Stage::Up | Stage::Round { .. }, _) => State::Running,
            (Stage::Closing { .. }, _) => State::Stopping { until: last_stop.max().unwrap_or(now) },
        };
        let is_troubled = |runner: &Runner| runner.phase == Phase::Failed || runner.restarts.is_degraded();
        let is_degraded = self.restarts.is_degraded() || workers.iter().any(is_troubled);
        status(state, self.since, self.generation, &self.restarts, self.last_exit, is_degraded)
    }
}

fn status(
    state: State,
    since: Duration,
    generation: Generation,
    restarts: &Restarts,
    last_exit: Option<Exit>,
    is_degraded: bool,
) -> Status {
    Status {
        state,
        since,
        generation,
        restarts: generation.0.saturating_sub(1),
        failures: restarts.total(),
        failures_in_a_row: restarts.in_a_row(),
        last_exit,
        is_degraded,
    }
}
