//! The state machine itself.

use alloc::vec::Vec;
use core::time::Duration;

use super::node::{Phase, Plan, Runner, Stage, Ward};
use super::{
    ABANDONED_MAX, Action, Blame, Event, Exit, Generation, Group, GroupId, Neglect, Node, Outcome,
    RestartType, Status, Strategy, Why, WorkerId,
};

/// Groups and workers, and where each of them stands.
#[derive(Clone, Debug)]
pub struct Tree {
    groups: Vec<Ward>,
    workers: Vec<Runner>,
    order: Vec<(Node, usize)>,
    abandoned: Vec<(WorkerId, Generation)>,
    abandoned_max: usize,
    shutdown_max: Duration,
    life: Life,
    now: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    New,
    Up,
    Ending(Outcome),
    Ended(Outcome),
}

/// What time does to a tree.
#[derive(Clone, Copy, Debug)]
enum Timer {
    /// A worker hangs.
    Hang(WorkerId),
    /// A worker's time to end is over.
    StopTimeout(WorkerId),
    /// Failures are forgotten.
    Healthy(Node),
    /// Somebody is to be started.
    Due,
}

/// The root is the first group.
const ROOT: GroupId = GroupId(0);

impl Tree {
    /// A tree that was not started yet. `seed` decides on the jitter.
    pub fn new(root: Group, seed: u64) -> Tree {
        let shutdown_max = root.shutdown_max();
        let Plan { groups, workers, order, .. } = Plan::new(root, seed);
        Tree {
            groups,
            workers,
            order,
            abandoned: Vec::new(),
            abandoned_max: ABANDONED_MAX,
            shutdown_max,
            life: Life::New,
            now: Duration::ZERO,
        }
    }

    /// The same with another limit for abandoned threads at a time; with 0 the first ends the tree.
    pub fn with_abandoned_max(self, abandoned_max: usize) -> Tree {
        Tree { abandoned_max, ..self }
    }

    /// Something happened at `now`: appends what is to be done about it. A `now` before an earlier one is
    /// taken as that; workers that do not exist, and events after the end, are ignored.
    pub fn step(&mut self, now: Duration, event: Event, actions: &mut Vec<Action>) {
        self.now = self.now.max(now);
        match event {
            Event::Start => self.start(actions),
            Event::Exited { worker, generation, exit } => self.exited(worker, generation, exit),
            Event::Heard { worker, generation, until } => self.heard(worker, generation, until),
            Event::Wake => {}
            Event::Shutdown => self.end(Outcome::Shutdown, None),
        }
        self.settle(actions);
        while let Some((_, timer)) = self.timers().filter(|(at, _)| *at <= self.now).min_by_key(|(at, _)| *at)
        {
            self.fire(timer, actions);
            self.settle(actions);
        }
    }

    /// When the next step is due if nothing happens before: always after the last step, or never.
    pub fn next_wake(&self) -> Option<Duration> {
        self.timers().map(|(at, _)| at).min().filter(|at| *at < Duration::MAX)
    }

    /// All groups and workers in the order in which they are started, each with its depth; the root, which
    /// is the first, has 0.
    pub fn nodes(&self) -> impl Iterator<Item = (Node, usize)> + '_ {
        self.order.iter().copied()
    }

    /// The name in the specification; empty for who does not exist.
    pub fn name(&self, node: Node) -> &str {
        match node {
            Node::Group(id) => self.groups.get(id.0).map_or("", |group| &group.spec.name),
            Node::Worker(id) => self.workers.get(id.0).map_or("", |worker| &worker.spec.name),
        }
    }

    /// The group that a node is in; none for the root and for who does not exist.
    pub fn parent(&self, node: Node) -> Option<GroupId> {
        match node {
            Node::Group(id) => self.groups.get(id.0)?.parent,
            Node::Worker(id) => Some(self.workers.get(id.0)?.parent),
        }
    }

    /// How a group or worker is; none for who does not exist.
    pub fn status(&self, node: Node) -> Option<Status> {
        match node {
            Node::Group(id) => {
                let group = self.groups.get(id.0)?;
                let parent = group.parent.map(|parent| &self.groups[parent.0]);
                Some(group.status(parent, &self.workers[group.workers.clone()], self.now))
            }
            Node::Worker(id) => {
                let runner = self.workers.get(id.0)?;
                Some(runner.status(&self.groups[runner.parent.0]))
            }
        }
    }

    /// How many threads are left behind at present.
    pub fn abandoned(&self) -> usize {
        self.abandoned.len()
    }

    /// How many threads may be left behind at a time.
    pub fn abandoned_max(&self) -> usize {
        self.abandoned_max
    }

    /// The longest that a shutdown takes: see [`Group::shutdown_max`].
    pub fn shutdown_max(&self) -> Duration {
        self.shutdown_max
    }

    /// Whose failure has kept a group that [comes back](Group::comes_back) from working off what was accepted
    /// before it stopped; none where nobody's has.
    pub fn unfinished(&self) -> Option<Blame> {
        self.groups.iter().find_map(|group| group.closing.unfinished)
    }

    /// How it ended; none as long as it has not.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.life {
            Life::Ended(outcome) => Some(outcome),
            Life::New | Life::Up | Life::Ending(_) => None,
        }
    }
}

/// What events do.
impl Tree {
    fn start(&mut self, actions: &mut Vec<Action>) {
        if self.life == Life::New {
            self.life = Life::Up;
            self.begin_group(ROOT, None, actions);
        }
    }

    fn heard(&mut self, worker: WorkerId, generation: Generation, until: Duration) {
        let Some(runner) = self.workers.get_mut(worker.0) else { return };
        if let Phase::Alive { well, is_heard } = &mut runner.phase
            && runner.generation == generation
        {
            *well = until;
            if !*is_heard {
                *is_heard = true;
                runner.since = self.now;
            }
        }
    }

    fn exited(&mut self, worker: WorkerId, generation: Generation, exit: Exit) {
        if let Some(place) = self.abandoned.iter().position(|left| *left == (worker, generation)) {
            self.abandoned.swap_remove(place);
            return;
        }
        let Some(runner) = self.workers.get(worker.0) else { return };
        if runner.generation == generation && runner.is_running() {
            self.bury(worker, exit, self.now);
        }
    }

    /// A worker is down, and was last known to be well at `well`: decides whether it is restarted.
    fn bury(&mut self, worker: WorkerId, exit: Exit, well: Duration) {
        let now = self.now;
        let runner = &mut self.workers[worker.0];
        let was_asked = matches!(runner.phase, Phase::Stopping { .. });
        runner.last_exit = Some(exit);
        runner.enter(now, Phase::Down);
        let is_restarted = match runner.spec.restart {
            RestartType::Permanent => true,
            RestartType::Transient => exit != Exit::Normal,
            RestartType::Temporary => false,
        };
        let blame = Blame { worker, exit };
        // Whoever was told to end, or is about to be, is down, and nothing more comes of it now.
        let group = &mut self.groups[runner.parent.0];
        if !group.cares_for(runner.place) {
            // Who did not end in time had all the time that there is.
            let is_in_order = was_asked && matches!(exit, Exit::Normal | Exit::Hang);
            if is_restarted && !is_in_order {
                group.note(now, blame);
            }
            return;
        }
        if exit == Exit::Fatal {
            return self.failed_for_good(blame, is_restarted);
        }
        if !is_restarted {
            return;
        }
        let until = runner.restarts.failed_after(now, well);
        let failing = now.saturating_sub(runner.restarts.failing_since().unwrap_or(now));
        if runner.spec.give_up_after.is_some_and(|after| failing >= after) {
            return self.failed_for_good(blame, true);
        }
        self.failed(Node::Worker(worker), until, blame);
    }

    /// A worker can never work. Those who are restarted with it cannot do without it either.
    fn failed_for_good(&mut self, blame: Blame, is_needed: bool) {
        let runner = &mut self.workers[blame.worker.0];
        runner.enter(self.now, Phase::Failed);
        let parent = runner.parent;
        if is_needed && self.groups[parent.0].spec.strategy != Strategy::OneForOne {
            self.close(parent, Some(blame));
        }
    }

    /// A child of a group that cares for it failed, and everything in it is down.
    fn failed(&mut self, node: Node, until: Duration, blame: Blame) {
        let (Some(parent), place) = (self.parent(node), self.place(node)) else { return };
        let group = &mut self.groups[parent.0];
        if !group.bears(self.now) {
            return self.close(parent, Some(blame));
        }
        match group.spec.strategy {
            Strategy::OneForOne => match node {
                Node::Group(id) => self.groups[id.0].enter(self.now, Stage::Waiting { until, blame }),
                Node::Worker(id) => self.workers[id.0].enter(self.now, Phase::Waiting { until }),
            },
            Strategy::RestForOne => group.stage = Stage::Round { from: place, due: until, blame },
            Strategy::OneForAll => group.stage = Stage::Round { from: 0, due: until, blame },
        }
    }

    /// Ends the tree, unless it is ending.
    fn end(&mut self, outcome: Outcome, blame: Option<Blame>) {
        match self.life {
            Life::New | Life::Up => {
                self.life = Life::Ending(outcome);
                self.close(ROOT, blame);
            }
            Life::Ending(_) | Life::Ended(_) => {}
        }
    }

    /// Begins to stop everybody in a group. Who waits is down at once.
    fn close(&mut self, id: GroupId, blame: Option<Blame>) {
        let now = self.now;
        if let (ROOT, Some(blame), Life::Up) = (id, blame, self.life) {
            self.life = Life::Ending(Outcome::Escalated(blame));
        }
        self.groups[id.0].enter(now, Stage::Closing { blame });
        for place in 0..self.groups[id.0].children.len() {
            match self.groups[id.0].children[place] {
                Node::Group(child) => {
                    let group = &mut self.groups[child.0];
                    if matches!(group.stage, Stage::Waiting { .. }) {
                        group.enter(now, Stage::Down);
                    }
                }
                Node::Worker(child) => {
                    let runner = &mut self.workers[child.0];
                    if matches!(runner.phase, Phase::Waiting { .. }) {
                        runner.enter(now, Phase::Down);
                    }
                }
            }
        }
    }

    fn abandon(&mut self, worker: WorkerId, cause: Neglect, actions: &mut Vec<Action>) {
        let generation = self.workers[worker.0].generation;
        actions.push(Action::Abandon { worker, generation, cause });
        self.abandoned.push((worker, generation));
        if self.abandoned.len() > self.abandoned_max {
            self.end(Outcome::TooManyAbandoned(worker), None);
        }
    }

    fn place(&self, node: Node) -> usize {
        match node {
            Node::Group(id) => self.groups[id.0].place,
            Node::Worker(id) => self.workers[id.0].place,
        }
    }
}

/// What time does.
impl Tree {
    /// All moments at which something is due.
    fn timers(&self) -> impl Iterator<Item = (Duration, Timer)> + '_ {
        let ids = (0..).map(WorkerId);
        let workers = ids.zip(&self.workers).flat_map(|(id, runner)| self.worker_timers(id, runner));
        let ids = (0..).map(GroupId);
        let groups = ids.zip(&self.groups).flat_map(|(id, group)| self.group_timers(id, group));
        workers.chain(groups).flatten()
    }

    fn worker_timers(&self, id: WorkerId, runner: &Runner) -> [Option<(Duration, Timer)>; 2] {
        match runner.phase {
            Phase::Down | Phase::Failed => [None, None],
            Phase::Waiting { until } => [Some((until, Timer::Due)), None],
            Phase::Stopping { until } => [Some((until, Timer::StopTimeout(id))), None],
            Phase::Alive { well, .. } => {
                let group = &self.groups[runner.parent.0];
                let watched = runner.spec.hang_after.filter(|_| group.cares_for(runner.place));
                let hang = watched.map(|after| (well.saturating_add(after), Timer::Hang(id)));
                // Who is silent is not known to be healthy.
                let well = if runner.spec.hang_after.is_some() { well } else { Duration::MAX };
                let healthy = runner.restarts.healthy_at().filter(|at| *at <= well);
                // What is never is not due, even at the end of time.
                let hang = hang.filter(|(at, _)| *at < Duration::MAX);
                [hang, healthy.map(|at| (at, Timer::Healthy(Node::Worker(id))))]
            }
        }
    }

    fn group_timers(&self, id: GroupId, group: &Ward) -> [Option<(Duration, Timer)>; 2] {
        let healthy = group.restarts.healthy_at().map(|at| (at, Timer::Healthy(Node::Group(id))));
        match group.stage {
            Stage::Down | Stage::Closing { .. } => [None, None],
            Stage::Waiting { until, .. } => [Some((until, Timer::Due)), None],
            Stage::Up => [healthy, None],
            Stage::Round { from, due, .. } => {
                let is_ready = group.children[from..].iter().all(|child| self.is_down(*child));
                [healthy, is_ready.then_some((due, Timer::Due))]
            }
        }
    }

    fn fire(&mut self, timer: Timer, actions: &mut Vec<Action>) {
        match timer {
            Timer::Hang(worker) => {
                let Phase::Alive { well, .. } = self.workers[worker.0].phase else { return };
                self.abandon(worker, Neglect::Hang, actions);
                self.bury(worker, Exit::Hang, well.min(self.now));
            }
            Timer::StopTimeout(worker) => {
                self.abandon(worker, Neglect::StopTimeout, actions);
                self.bury(worker, Exit::Hang, self.now);
            }
            Timer::Healthy(Node::Group(id)) => self.groups[id.0].restarts.forget_if_healthy(self.now),
            Timer::Healthy(Node::Worker(id)) => self.workers[id.0].restarts.forget_if_healthy(self.now),
            // Settling has done it.
            Timer::Due => {}
        }
    }
}

/// What follows from where everybody stands.
impl Tree {
    /// Goes on with everything that is under way, as far as it goes. Children before their parents, since
    /// those wait for them.
    fn settle(&mut self, actions: &mut Vec<Action>) {
        while (0..self.groups.len()).rev().fold(false, |moved, id| self.advance(GroupId(id), actions) | moved)
        {
        }
    }

    /// Whether anything moved.
    fn advance(&mut self, id: GroupId, actions: &mut Vec<Action>) -> bool {
        match self.groups[id.0].stage {
            Stage::Down | Stage::Waiting { .. } => false,
            Stage::Up => self.start_due(id, actions),
            Stage::Round { from, due, blame } => {
                let (is_down, mut moved) = self.stop_from(id, from, actions);
                if is_down && due <= self.now {
                    self.start_from(id, from, blame, actions);
                    moved = true;
                }
                moved
            }
            Stage::Closing { blame } => {
                let (is_down, moved) = self.stop_from(id, 0, actions);
                if is_down {
                    match self.groups[id.0].starts_over(self.now) {
                        Some(culprit) => self.start_from(id, 0, culprit, actions),
                        None => self.closed(id, blame, actions),
                    }
                }
                is_down || moved
            }
        }
    }

    /// Stops the children from a place on, last first. Returns whether all are down, and whether anything
    /// moved.
    fn stop_from(&mut self, id: GroupId, from: usize, actions: &mut Vec<Action>) -> (bool, bool) {
        let (mut all_down, mut moved) = (true, false);
        for place in (from..self.groups[id.0].children.len()).rev() {
            let child = self.groups[id.0].children[place];
            if self.is_down(child) {
                continue;
            }
            all_down = false;
            moved |= self.stop(child, actions);
            if !self.groups[id.0].spec.stops_together {
                break;
            }
        }
        (all_down, moved)
    }

    /// Sees to it that a child goes down; false if it is on its way.
    fn stop(&mut self, node: Node, actions: &mut Vec<Action>) -> bool {
        match node {
            Node::Group(id) => {
                self.groups[id.0].closing.told.get_or_insert(self.now);
                if self.groups[id.0].stage == (Stage::Closing { blame: None }) {
                    return false;
                }
                if let Some(moved) = self.hasten(id) {
                    return moved;
                }
                self.close(id, None);
                true
            }
            Node::Worker(id) => {
                let runner = &mut self.workers[id.0];
                if !matches!(runner.phase, Phase::Alive { .. }) {
                    return false;
                }
                let until = self.now.saturating_add(runner.spec.shutdown);
                runner.enter(self.now, Phase::Stopping { until });
                actions.push(Action::Stop { worker: id, generation: runner.generation });
                true
            }
        }
    }

    /// Sees to it that whoever waits in a group that comes back is started now. None where nobody waits in it;
    /// else whether anything moved.
    fn hasten(&mut self, id: GroupId) -> Option<bool> {
        let now = self.now;
        let group = &mut self.groups[id.0];
        if !group.spec.comes_back {
            return None;
        }
        if let Stage::Round { due, .. } = &mut group.stage {
            return Some(core::mem::replace(due, now.min(*due)) > now);
        }
        let mut waits = false;
        for child in &group.children {
            if let Node::Worker(child) = child
                && let Phase::Waiting { until } = &mut self.workers[child.0].phase
            {
                *until = now;
                waits = true;
            }
        }
        waits.then_some(true)
    }

    /// Everybody in a closing group is down.
    fn closed(&mut self, id: GroupId, blame: Option<Blame>, actions: &mut Vec<Action>) {
        let group = &mut self.groups[id.0];
        group.enter(self.now, Stage::Down);
        group.last_exit = blame.map(|blame| blame.exit).or(group.last_exit);
        if let Life::Ending(outcome) = self.life
            && id == ROOT
        {
            self.life = Life::Ended(outcome);
            actions.push(Action::Ended(outcome));
        }
        let (Some(parent), place) = (self.groups[id.0].parent, self.groups[id.0].place) else { return };
        if let Some(blame) = blame
            && self.groups[parent.0].cares_for(place)
        {
            let until = self.groups[id.0].restarts.failed(self.now);
            self.failed(Node::Group(id), until, blame);
        }
    }

    /// One for one: starts who has waited.
    fn start_due(&mut self, id: GroupId, actions: &mut Vec<Action>) -> bool {
        let mut moved = false;
        for place in 0..self.groups[id.0].children.len() {
            let child = self.groups[id.0].children[place];
            let due = match child {
                Node::Group(child) => match self.groups[child.0].stage {
                    Stage::Waiting { until, blame } => Some((until, blame)),
                    _ => None,
                },
                Node::Worker(worker) => match self.workers[worker.0] {
                    Runner { phase: Phase::Waiting { until }, last_exit: Some(exit), .. } => {
                        Some((until, Blame { worker, exit }))
                    }
                    _ => None,
                },
            };
            if let Some((_, blame)) = due.filter(|(until, _)| *until <= self.now) {
                self.begin(child, Some(blame), actions);
                moved = true;
            }
        }
        moved
    }

    /// Rest for one, one for all: starts the children from a place on. Temporary ones have had their time.
    fn start_from(&mut self, id: GroupId, from: usize, blame: Blame, actions: &mut Vec<Action>) {
        // Not a new stage: the group has been running all the time.
        self.groups[id.0].stage = Stage::Up;
        for place in from..self.groups[id.0].children.len() {
            let child = self.groups[id.0].children[place];
            let is_temporary = match child {
                Node::Worker(id) => self.workers[id.0].spec.restart == RestartType::Temporary,
                Node::Group(_) => false,
            };
            if !is_temporary {
                self.begin(child, Some(blame), actions);
            }
        }
    }

    fn begin(&mut self, node: Node, blame: Option<Blame>, actions: &mut Vec<Action>) {
        match node {
            Node::Group(id) => self.begin_group(id, blame, actions),
            Node::Worker(id) => self.begin_worker(id, blame, actions),
        }
    }

    /// Starts everybody in a group as if for the first time.
    fn begin_group(&mut self, id: GroupId, blame: Option<Blame>, actions: &mut Vec<Action>) {
        for group in self.groups[id.0].groups.clone() {
            self.groups[group].begin(self.now);
            if group != id.0 {
                self.groups[group].restarts.begin_anew();
            }
        }
        for worker in self.groups[id.0].workers.clone() {
            self.workers[worker].restarts.begin_anew();
            self.begin_worker(WorkerId(worker), blame, actions);
        }
    }

    fn begin_worker(&mut self, worker: WorkerId, blame: Option<Blame>, actions: &mut Vec<Action>) {
        let runner = &mut self.workers[worker.0];
        let why = match blame {
            Some(blame) if runner.generation.0 > 0 && blame.worker == worker => Why::Failed(blame.exit),
            Some(blame) if runner.generation.0 > 0 => Why::With(blame),
            _ => Why::First,
        };
        runner.generation.0 += 1;
        runner.restarts.started(self.now);
        let is_heard = runner.spec.hang_after.is_none();
        runner.enter(self.now, Phase::Alive { well: self.now, is_heard });
        actions.push(Action::Start { worker, generation: runner.generation, why });
    }

    fn is_down(&self, node: Node) -> bool {
        match node {
            Node::Group(id) => matches!(self.groups[id.0].stage, Stage::Down | Stage::Waiting { .. }),
            Node::Worker(id) => !self.workers[id.0].is_running(),
        }
    }
}
