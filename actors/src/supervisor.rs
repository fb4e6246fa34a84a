//! The supervisor: starts every actor of a run, notices how each ends, and does what the tree of
//! [`engine::restart`] says then. It decides nothing itself: it turns ends and hearts into the tree's events,
//! and the tree's actions into threads.
//!
//! An actor ends by itself, by an error, by a panic, or by hanging: its [`Heart`](heart::Heart) stops. One
//! that hangs cannot be ended from outside, so it is left behind with its thread, and a [`Fence`](fence::Fence) keeps out
//! what it may still write when it wakes up.

pub mod fence;
pub mod heart;
pub mod panics;
pub mod policy;
pub mod worker;

mod life;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use engine::restart::{Action, Event, Exit, Generation, Neglect, Node, Outcome, Tree, Why, WorkerId};
use tokio::sync::watch;

use crate::fault::Faults;
use crate::handle::ActorReport;
use crate::telemetry;
use crate::world::{SharedThread, World};
use life::{Ended, Life, live};
use worker::{Context, Failure, Worker};

/// The longest time between two publications of the actors' reports, and between two looks at their hearts.
pub const REPORTED_EVERY: Duration = Duration::from_secs(1);

/// How long after a start it is looked whether the actor lives.
const FIRST_LOOK_AFTER: Duration = Duration::from_millis(100);

/// A supervisor that is further behind than this judges nobody: then the machine is at fault (it was halted,
/// or has far too much to do), and everybody gets a new chance to beat.
pub const LATE_MAX: Duration = Duration::from_millis(500);

/// How much longer than all its parts together the end of a run may take.
const SHUTDOWN_SLACK: Duration = Duration::from_secs(1);

/// Told of what happens to a worker, while the run goes on.
pub type Listener = Box<dyn FnMut(&News<'_>) + Send>;

/// What happens to a worker.
#[derive(Debug)]
pub struct News<'a> {
    /// Its place among the workers.
    pub worker: usize,
    /// How it is doing now.
    pub report: &'a ActorReport,
    /// Whether it has just been started anew; if not, it has just ended.
    pub restarted: bool,
}

/// How a run ended, as its supervisor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was told to end, and nothing of what had been accepted was lost by that: everybody ended, save perhaps
    /// a source, an output or the web server, which was left behind when its time was up.
    Clean,
    /// It was told to end, and those who had accepted something did not come to its end in their time, or failed
    /// time and again as they did. Says who.
    CutShort(String),
    /// Restarting did not help: the process has to be started anew. Says who failed and why.
    Escalated(String),
}

/// The supervisor of a run.
pub struct Supervisor {
    world: World,
    tree: Tree,
    workers: Vec<Worker>,
    lives: Vec<Life>,
    faults: Faults,
    telemetry: telemetry::Supervision,
    reports: watch::Sender<Arc<[ActorReport]>>,
    listener: Listener,
    /// The thread that some of the workers share, while one of them runs.
    shared: Option<SharedThread>,
    exits: (flume::Sender<Ended>, flume::Receiver<Ended>),
    /// Generations whose threads were left behind and have not ended since.
    left_behind: BTreeSet<(usize, u64)>,
    is_ending: bool,
    /// Who had accepted something and did not end in time.
    cut_short: BTreeSet<usize>,
    /// The longest time between two looks.
    look_every: Duration,
    /// When to look at somebody who has just been started.
    first_look: Duration,
    /// When the next look is due.
    planned: Duration,
    /// The end of the last time that the supervisor was late: nobody is judged by what was before.
    excused: Duration,
    /// Until when the run has to have ended, once it is told to.
    deadline: Duration,
    end: Option<End>,
}

/// What a supervisor is made of.
pub struct Parts {
    /// Time, real or virtual.
    pub world: World,
    /// The seed of back-offs.
    pub seed: u64,
    /// The workers, in the order of their start: by [`worker::Group`].
    pub workers: Vec<Worker>,
    /// When and how often who is started anew.
    pub policy: policy::Supervision,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Metrics of actors.
    pub telemetry: telemetry::Supervision,
    /// Where reports are published.
    pub reports: watch::Sender<Arc<[ActorReport]>>,
    /// Told of what happens.
    pub listener: Listener,
}

impl Supervisor {
    /// A supervisor that has started nobody.
    pub fn new(parts: Parts) -> Supervisor {
        let Parts { world, seed, workers, policy, faults, telemetry, reports, listener } = parts;
        Supervisor {
            look_every: REPORTED_EVERY.min(policy.hang_after_min(&workers) / 2),
            tree: policy.tree(seed, &workers),
            lives: workers.iter().map(|worker| Life::new(world, worker)).collect(),
            first_look: Duration::MAX,
            planned: Duration::MAX,
            excused: Duration::ZERO,
            deadline: Duration::MAX,
            world,
            workers,
            faults,
            telemetry,
            reports,
            listener,
            shared: None,
            exits: flume::unbounded(),
            left_behind: BTreeSet::new(),
            is_ending: false,
            cut_short: BTreeSet::new(),
            end: None,
        }
    }

    /// Runs everybody until `stop` turns true, and then until everybody has ended; or until restarting does
    /// not help any more.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> End {
        let ended = self.exits.1.clone();
        self.step(Event::Start);
        loop {
            self.publish();
            if let Some(end) = self.end.take() {
                return end;
            }
            let next = self.tree.next_wake().unwrap_or(Duration::MAX);
            self.planned = next.min(self.first_look).min(self.world.now() + self.look_every);
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop), if !self.is_ending => self.shut_down(),
                ended = ended.recv_async() => ended.into_iter().for_each(|ended| self.bury(ended)),
                () = self.world.sleep_until(self.planned) => self.look(),
            }
        }
    }

    fn shut_down(&mut self) {
        self.is_ending = true;
        self.deadline = self.world.now() + self.tree.shutdown_max() + SHUTDOWN_SLACK;
        self.step(Event::Shutdown);
    }

    /// Looks whether anything is due.
    fn look(&mut self) {
        if self.is_ending && self.world.now() > self.deadline {
            let names = self.names(|worker| self.lives[worker].heard().is_some());
            self.end = Some(End::CutShort(names));
            return;
        }
        self.first_look = Duration::MAX;
        self.step(Event::Wake);
    }

    /// Listens to all hearts, so that nobody is judged by an old sign of life.
    fn listen(&mut self, actions: &mut Vec<Action>) {
        let now = self.world.now();
        if now.saturating_sub(self.planned) > LATE_MAX {
            self.excused = now;
        }
        for (worker, life) in self.lives.iter().enumerate() {
            let Some((generation, until)) = life.heard() else { continue };
            let (worker, generation) = (WorkerId(worker), Generation(generation));
            let heard = Event::Heard { worker, generation, until: until.max(self.excused) };
            // At the moment of the last step: time goes on when all have been heard, and not before.
            self.tree.step(Duration::ZERO, heard, actions);
        }
    }

    /// Takes note of how a generation ended.
    fn bury(&mut self, ended: Ended) {
        let Ended { worker, generation, .. } = ended;
        if self.left_behind.remove(&(worker, generation)) {
            let actor = &*self.workers[worker].name;
            tracing::warn!(actor, generation, "an actor that was left behind has ended after all");
        }
        let is_news = self.lives[worker].is_running(generation);
        let exit = self.lives[worker].end(&ended);
        self.step(Event::Exited { worker: WorkerId(worker), generation: Generation(generation), exit });
        if is_news {
            self.tell_end(worker, exit);
        }
    }

    fn tell_end(&mut self, worker: usize, exit: Exit) {
        let report = self.report(worker);
        let (actor, error) = (&*report.name, report.error.as_deref().unwrap_or_default());
        let state = report.state.name();
        match exit {
            Exit::Normal => tracing::info!(actor, state, "an actor has ended"),
            Exit::Error => tracing::warn!(actor, state, error, "an actor failed"),
            Exit::Fatal | Exit::Panic | Exit::Hang => tracing::error!(actor, state, error, "an actor failed"),
        }
        if !self.is_ending {
            (self.listener)(&News { worker, report: &report, restarted: false });
        }
    }

    /// Tells the tree what happened, does what it says, and tells it what came of that.
    fn step(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        let mut actions = Vec::new();
        self.listen(&mut actions);
        while let Some(event) = events.pop_front() {
            self.tree.step(self.world.now(), event, &mut actions);
            for action in actions.drain(..) {
                events.extend(self.act(action));
            }
        }
    }

    /// Does something; returns what comes of it at once.
    fn act(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Start { worker, generation, why } => self.start(worker.0, generation.0, why),
            Action::Stop { worker, generation } => return self.stop(worker, generation),
            Action::Abandon { worker, generation, cause } => self.abandon(worker.0, generation.0, cause),
            Action::Ended(outcome) => self.end = Some(self.conclude(outcome)),
        }
        None
    }

    fn start(&mut self, worker: usize, generation: u64, why: Why) {
        self.first_look = self.first_look.min(self.world.now() + FIRST_LOOK_AFTER);
        let (name, stop) = (&self.workers[worker].name, watch::Sender::new(false));
        let pass = self.lives[worker].fence.admit(generation);
        let context = Context::new(self.world, pass, self.faults.of(name), stop.subscribe());
        self.lives[worker].begin(generation, &context, stop, matches!(why, Why::Failed(_)));
        if let Err(error) = self.spawn(worker, context) {
            let failure = Failure::Transient(format!("no thread can be started: {error}"));
            let _ = self.exits.0.send(Ended { worker, generation, how: Ok(Err(failure)) });
        }
        if let Why::Failed(exit) = why {
            let report = self.report(worker);
            self.telemetry.restarted(worker, exit.name());
            (self.listener)(&News { worker, report: &report, restarted: true });
        }
    }

    fn spawn(&mut self, number: usize, context: Context) -> std::io::Result<()> {
        let (worker, exits) = (self.workers[number].clone(), self.exits.0.clone());
        let name = worker.name.clone();
        let is_shared = worker.shares_thread;
        let body = move || live(number, worker, context, exits);
        if !is_shared {
            return self.world.spawn(&name, body);
        }
        let thread = match self.shared.take() {
            Some(thread) => thread,
            None => self.world.shared_thread("core")?,
        };
        thread.spawn(body);
        self.shared = Some(thread);
        Ok(())
    }

    /// Asks a generation to end. One on a thread that was left behind cannot hear that, and counts as ended.
    fn stop(&mut self, worker: WorkerId, generation: Generation) -> Option<Event> {
        let is_lost = self.lives[worker.0].stop();
        is_lost.then_some(Event::Exited { worker, generation, exit: Exit::Normal })
    }

    fn abandon(&mut self, worker: usize, generation: u64, cause: Neglect) {
        self.left_behind.insert((worker, generation));
        self.lives[worker].abandon();
        // One that hangs before its turn to end comes back, and goes on where it was.
        let is_last = self.is_ending && matches!(cause, Neglect::StopTimeout);
        let culprit = self.who_is_busy(worker);
        if is_last && self.workers[worker].group.holds_data() {
            self.cut_short.insert(culprit);
        }
        // In a simulation those who share a thread do not stand still with the one that hangs.
        if self.workers[worker].shares_thread && !self.world.is_simulated() {
            self.shared = None;
            let others = self.workers.iter().zip(&mut self.lives);
            others.filter(|(worker, _)| worker.shares_thread).for_each(|(_, life)| life.lose());
        }
        let what = match cause {
            Neglect::Hang => "shows no sign of life",
            Neglect::StopTimeout => "does not end",
        };
        let actor = &*self.workers[culprit].name;
        tracing::error!(actor, generation, "an actor {what} and is left behind with its thread");
        self.tell_end(worker, Exit::Hang);
    }

    /// Who keeps a worker from hearing that it is to end: the one on its thread that has been at work for
    /// longest; itself, where it shares none.
    fn who_is_busy(&self, worker: usize) -> usize {
        if !self.workers[worker].shares_thread {
            return worker;
        }
        let sharing = (0..self.workers.len()).filter(|other| self.workers[*other].shares_thread);
        let heard = sharing.filter_map(|other| Some((self.lives[other].heard()?.1, other)));
        heard.min().filter(|(well, _)| *well < self.world.now()).map_or(worker, |(_, busy)| busy)
    }

    fn conclude(&self, outcome: Outcome) -> End {
        match outcome {
            Outcome::Shutdown => {
                let failed = self.tree.unfinished().map(|blame| blame.worker.0);
                let is_cut = |worker: usize| self.cut_short.contains(&worker) || failed == Some(worker);
                let names = self.names(is_cut);
                if names.is_empty() { End::Clean } else { End::CutShort(names) }
            }
            Outcome::Escalated(blame) => {
                let report = self.report(blame.worker.0);
                let error = report.error.as_deref().unwrap_or("it ended by itself");
                End::Escalated(format!("`{}` failed too often; the last time: {error}", report.name))
            }
            Outcome::TooManyAbandoned(worker) => {
                let (count, actor) = (self.left_behind.len(), &self.workers[worker.0].name);
                End::Escalated(format!(
                    "{count} threads that hang were left behind, the last that of `{actor}`"
                ))
            }
        }
    }

    /// The names of some workers.
    fn names(&self, which: impl Fn(usize) -> bool) -> String {
        let names = self.workers.iter().enumerate().filter(|(worker, _)| which(*worker));
        names.map(|(_, worker)| format!("`{}`", worker.name)).collect::<Vec<_>>().join(", ")
    }

    fn report(&self, worker: usize) -> ActorReport {
        let status = self.tree.status(Node::Worker(WorkerId(worker)));
        let left_behind = self.left_behind.range((worker, 0)..=(worker, u64::MAX)).count();
        ActorReport { left_behind, ..self.lives[worker].report(&self.workers[worker], status) }
    }

    fn publish(&self) {
        let reports: Arc<[ActorReport]> = (0..self.workers.len()).map(|worker| self.report(worker)).collect();
        let states = reports.iter().enumerate();
        states.for_each(|(worker, report)| self.telemetry.set_state(worker, report.state.name()));
        self.telemetry.abandoned.set(self.left_behind.len() as f64);
        self.reports.send_replace(reports);
    }
}

#[cfg(test)]
mod tests;
