//! What a tree remembers of each of its groups and workers.

use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use super::{
    Backoff, Blame, Child, Exit, Generation, Group, GroupId, Intensity, Node, RESTARTS_MAX, Restarts,
    STARTS_OVER_MAX, Worker, WorkerId,
};

/// A worker and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    pub(super) spec: Worker,
    pub(super) parent: GroupId,
    /// Its place among its parent's children.
    pub(super) place: usize,
    pub(super) phase: Phase,
    pub(super) since: Duration,
    pub(super) generation: Generation,
    pub(super) restarts: Restarts,
    pub(super) last_exit: Option<Exit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not running, and nothing is due.
    Down,
    /// Down for good.
    Failed,
    /// Down until then: one for one.
    Waiting { until: Duration },
    /// Started, and well at least until `well`.
    Alive { well: Duration, is_heard: bool },
    /// Told to end.
    Stopping { until: Duration },
}

impl Runner {
    pub(super) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Alive { .. } | Phase::Stopping { .. })
    }

    pub(super) fn enter(&mut self, now: Duration, phase: Phase) {
        self.phase = phase;
        self.since = now;
    }
}

/// A group and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Ward {
    pub(super) spec: Group,
    /// The longest that stopping its children once takes.
    pub(super) stops_within: Duration,
    /// None for the root.
    pub(super) parent: Option<GroupId>,
    /// Its place among its parent's children.
    pub(super) place: usize,
    pub(super) children: Vec<Node>,
    /// All groups of this subtree, itself included.
    pub(super) groups: Range<usize>,
    /// All workers of this subtree.
    pub(super) workers: Range<usize>,
    pub(super) stage: Stage,
    pub(super) since: Duration,
    pub(super) generation: Generation,
    pub(super) restarts: Restarts,
    pub(super) last_exit: Option<Exit>,
    /// When children were restarted of late: at most as many as the intensity bears.
    history: Vec<Duration>,
    pub(super) closing: Closing,
}

/// How the end goes of a group that was told to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Closing {
    /// When it was told so first.
    pub(super) told: Option<Duration>,
    /// Whose failure has kept it from working off what was accepted.
    pub(super) unfinished: Option<Blame>,
    /// Whether the group bears that failure.
    is_borne: bool,
    /// How often it was started once more for that.
    started_over: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Everybody is down, and nothing is due.
    Down,
    /// Everybody is down until then: one for one.
    Waiting { until: Duration, blame: Blame },
    /// Everybody is where they should be.
    Up,
    /// The children from place `from` on are stopped, then started anew, not before `due`.
    Round { from: usize, due: Duration, blame: Blame },
    /// Everybody is stopped: the group gave up because of `blame`, or was told to.
    Closing { blame: Option<Blame> },
}

impl Ward {
    /// Whether the child at `place` may be restarted if it fails: nobody is about to stop it.
    pub(super) fn cares_for(&self, place: usize) -> bool {
        match self.stage {
            Stage::Up => true,
            Stage::Round { from, .. } => place < from,
            Stage::Down | Stage::Waiting { .. } | Stage::Closing { .. } => false,
        }
    }

    pub(super) fn enter(&mut self, now: Duration, stage: Stage) {
        self.stage = stage;
        self.since = now;
    }

    /// Its children are about to be started as if for the first time.
    pub(super) fn begin(&mut self, now: Duration) {
        self.history.clear();
        self.closing = Closing::default();
        self.generation.0 += 1;
        self.restarts.started(now);
        self.enter(now, Stage::Up);
    }

    /// Takes note that a worker of it failed, where it is stopping and has still to work off what was
    /// accepted. Only the first failure counts: the others go down with it.
    pub(super) fn note(&mut self, now: Duration, blame: Blame) {
        let is_told = self.stage == Stage::Closing { blame: None } && self.closing.told.is_some();
        if is_told && self.spec.comes_back && self.closing.unfinished.is_none() {
            self.closing.is_borne = self.bears(now);
            self.closing.unfinished = Some(blame);
        }
    }

    /// Whose failure, as everybody stopped, is a reason to start everybody once more, so that they stop in
    /// order then; none where nobody failed, or where that did not help, or no time is left for it.
    pub(super) fn starts_over(&mut self, now: Duration) -> Option<Blame> {
        let Closing { told, unfinished, is_borne, started_over } = self.closing;
        let blame = unfinished.filter(|blame| is_borne && blame.exit != Exit::Fatal)?;
        let is_late = now.saturating_sub(told?) > self.stops_within;
        if is_late || started_over >= STARTS_OVER_MAX {
            return None;
        }
        self.closing = Closing { told, started_over: started_over + 1, ..Closing::default() };
        Some(blame)
    }

    /// Counts a restart; false where that is more than it bears.
    pub(super) fn bears(&mut self, now: Duration) -> bool {
        let Some(Intensity { restarts, period }) = self.spec.intensity else { return true };
        self.history.retain(|at| now.saturating_sub(*at) <= period);
        let is_borne = self.history.len() < restarts.min(RESTARTS_MAX) as usize;
        if is_borne {
            self.history.push(now);
        }
        is_borne
    }
}

/// The groups and workers of a specification, each with its parent, in the order in which they are started.
#[derive(Debug, Default)]
pub(super) struct Plan {
    seed: u64,
    pub(super) groups: Vec<Ward>,
    pub(super) workers: Vec<Runner>,
    pub(super) order: Vec<(Node, usize)>,
}

/// Tells the jitter of groups from that of workers.
const GROUP_STREAM: u64 = 1 << 32;

impl Plan {
    pub(super) fn new(root: Group, seed: u64) -> Plan {
        let mut plan = Plan { seed, ..Plan::default() };
        plan.add_group(root, None, 0, 0);
        plan
    }

    fn add_group(&mut self, mut spec: Group, parent: Option<GroupId>, place: usize, depth: usize) -> Node {
        let id = GroupId(self.groups.len());
        let stops_within = spec.stops_within();
        let children = core::mem::take(&mut spec.children);
        let first_worker = self.workers.len();
        self.order.push((Node::Group(id), depth));
        self.groups.push(Ward {
            parent,
            place,
            children: Vec::new(),
            groups: id.0..id.0,
            workers: first_worker..first_worker,
            stage: Stage::Down,
            since: Duration::ZERO,
            generation: Generation::default(),
            restarts: self.restarts(spec.backoff, GROUP_STREAM | id.0 as u64),
            last_exit: None,
            history: Vec::new(),
            closing: Closing::default(),
            stops_within,
            spec,
        });
        let mut nodes = Vec::new();
        for (place, child) in children.into_iter().enumerate() {
            nodes.push(match child {
                Child::Worker(worker) => self.add_worker(worker, id, place, depth + 1),
                Child::Group(group) => self.add_group(group, Some(id), place, depth + 1),
            });
        }
        let (groups, workers) = (self.groups.len(), self.workers.len());
        let group = &mut self.groups[id.0];
        group.children = nodes;
        group.groups.end = groups;
        group.workers.end = workers;
        Node::Group(id)
    }

    fn add_worker(&mut self, mut spec: Worker, parent: GroupId, place: usize, depth: usize) -> Node {
        let id = WorkerId(self.workers.len());
        spec.hang_after = spec.hang_after.map(|after| after.max(super::HANG_AFTER_MIN));
        self.order.push((Node::Worker(id), depth));
        self.workers.push(Runner {
            parent,
            place,
            phase: Phase::Down,
            since: Duration::ZERO,
            generation: Generation::default(),
            restarts: self.restarts(spec.backoff, id.0 as u64),
            last_exit: None,
            spec,
        });
        Node::Worker(id)
    }

    fn restarts(&self, backoff: Backoff, child: u64) -> Restarts {
        Restarts::new(backoff, self.seed, child)
    }
}
