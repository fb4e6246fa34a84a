//! The policy: who is started anew, when, and how often, as configured; and the tree that follows from it.

use std::time::Duration;

use engine::restart::{
    ABANDONED_MAX, Backoff, Child, Group as Branch, Intensity, RestartType, Strategy, Tree,
};

use super::worker::{Group, Worker};

/// The longest that a [`Policy::hang_after`], [`Policy::shutdown`] or any other time of it can be: an hour.
pub const TIME_MAX: Duration = Duration::from_secs(3_600);

/// The policy of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervision {
    /// The web server's.
    pub http: Policy,
    /// The outputs'.
    pub outputs: Policy,
    /// The recorder's, which is not restarted whatever this says.
    pub recorder: Policy,
    /// The database writer's.
    pub writer: Policy,
    /// That of ring, expression, coordination, renderer and clock, which restart together.
    pub core: Policy,
    /// The sources'.
    pub sources: Policy,
    /// The most threads that are left behind at a time. One more, and the process ends, to be started anew.
    pub abandoned_max: usize,
}

/// The policy of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// After which ends an actor is started anew.
    pub restart: RestartType,
    /// How many restarts the group bears before the process ends, to be started anew; `None` bears any number.
    pub intensity: Option<Intensity>,
    /// How long restarts wait.
    pub backoff: Backoff,
    /// The silence after which an actor is held for hanging.
    pub hang_after: Duration,
    /// How long an actor may take to end when it is told to.
    pub shutdown: Duration,
}

/// Where a worker differs from its group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// After which ends it is started anew.
    pub restart: Option<RestartType>,
    /// The silence after which it is held for hanging.
    pub hang_after: Option<Duration>,
    /// How long it may fail without a healthy spell until it is left alone; by default it is tried for ever.
    pub give_up_after: Option<Duration>,
}

impl Policy {
    /// Restarted at any end with the usual back-off, as often as need be; hanging after 10 s; 1 s to end.
    const USUAL: Policy = Policy {
        restart: RestartType::Permanent,
        intensity: None,
        backoff: Backoff {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(30),
            healthy: Duration::from_secs(10),
        },
        hang_after: Duration::from_secs(10),
        shutdown: Duration::from_secs(1),
    };
}

impl Default for Supervision {
    fn default() -> Supervision {
        let seconds = Duration::from_secs;
        let disk = Policy { hang_after: seconds(30), shutdown: seconds(3), ..Policy::USUAL };
        Supervision {
            // A little longer than its connections have to end.
            http: Policy { shutdown: seconds(3), ..Policy::USUAL },
            outputs: Policy::USUAL,
            recorder: Policy { restart: RestartType::Temporary, ..disk },
            writer: disk,
            core: Policy {
                intensity: Some(Intensity { restarts: 3, period: seconds(10) }),
                // It goes on where it was, so it need not wait for anything to get better.
                backoff: Backoff { base: Duration::from_millis(1), cap: seconds(1), healthy: seconds(10) },
                hang_after: seconds(5),
                shutdown: seconds(3),
                ..Policy::USUAL
            },
            // A source that has no more data has ended well.
            sources: Policy { restart: RestartType::Transient, ..Policy::USUAL },
            abandoned_max: ABANDONED_MAX,
        }
    }
}

impl Supervision {
    /// The policy of a group.
    pub fn of(&self, group: Group) -> &Policy {
        match group {
            Group::Http => &self.http,
            Group::Outputs => &self.outputs,
            Group::Recorder => &self.recorder,
            Group::Writer => &self.writer,
            Group::Core => &self.core,
            Group::Sources => &self.sources,
        }
    }

    /// The shortest silence after which any of these workers is held for hanging.
    pub(super) fn hang_after_min(&self, workers: &[Worker]) -> Duration {
        let of = |worker: &Worker| worker.exceptions.hang_after.unwrap_or(self.of(worker.group).hang_after);
        workers.iter().map(of).min().unwrap_or(Duration::MAX)
    }

    /// The tree of these workers, which have to be in the order of their groups. A group that gives up ends
    /// the tree.
    pub(super) fn tree(&self, seed: u64, workers: &[Worker]) -> Tree {
        let groups = Group::ALL.into_iter().map(|group| Child::Group(self.branch(group, workers)));
        let root = Branch {
            name: "root".into(),
            intensity: Some(Intensity { restarts: 0, period: Duration::from_secs(1) }),
            children: groups.collect(),
            ..Branch::default()
        };
        Tree::new(root, seed).with_abandoned_max(self.abandoned_max)
    }

    fn branch(&self, group: Group, workers: &[Worker]) -> Branch {
        let policy = self.of(group);
        let members = workers.iter().filter(|worker| worker.group == group).map(|worker| {
            let Exceptions { restart, hang_after, give_up_after } = worker.exceptions;
            Child::Worker(engine::restart::Worker {
                name: worker.name.to_string(),
                restart: restart.unwrap_or(policy.restart),
                backoff: policy.backoff,
                shutdown: policy.shutdown,
                hang_after: Some(hang_after.unwrap_or(policy.hang_after)),
                give_up_after,
            })
        });
        Branch {
            name: group.name().into(),
            strategy: if group == Group::Core { Strategy::OneForAll } else { Strategy::OneForOne },
            intensity: policy.intensity,
            backoff: policy.backoff,
            comes_back: matches!(group, Group::Core | Group::Writer),
            stops_together: matches!(group, Group::Sources | Group::Outputs),
            children: members.collect(),
        }
    }
}
