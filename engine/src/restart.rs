//! Supervision: who is started, stopped and started anew, and when. A pure state machine with the rules of
//! Erlang/OTP's supervisors; threads and clocks are the caller's.
//!
//! # The words
//!
//! A [`Tree`] is made of **groups** and **workers**. A [`Worker`] is whatever runs: it ends with an [`Exit`],
//! or hangs. A [`Group`] is what OTP calls a supervisor: an ordered list of children, a [`Strategy`], and an
//! [`Intensity`]. Every start of a worker has a new [`Generation`], so that an answer that comes late is told
//! from an answer that counts.
//!
//! # The rules
//!
//! - A **permanent** worker that ends is always started anew, a **transient** one unless it ended normally, a
//!   **temporary** one never. After [`Exit::Fatal`] nobody is started anew: the worker has *failed*. So has
//!   one that kept failing for [`Worker::give_up_after`]. In one for one it stays down alone. In the other
//!   strategies the group cannot work without it and gives up, unless it is temporary.
//! - **One for one** restarts the child alone, **rest for one** the child and those after it, **one for all**
//!   everybody. Those who run are stopped in reverse order, each when the one before it is down, then all are
//!   started in order. A temporary sibling that was stopped so stays down; a transient one that had ended
//!   normally comes back with the others.
//! - Whoever ends while it is being stopped, or waits for its turn to be, is down and nothing more: that is no
//!   failure, save in a group that [comes back](Group::comes_back). In rest for one, a failure further to the front extends the restart that is under way.
//! - More than [`Intensity::restarts`] within [`Intensity::period`], and the group gives up: it stops its
//!   children in reverse order, and its parent treats it as one permanent child that failed. It comes back as
//!   new: its count of restarts and its children's back-off begin anew, temporary ones run again, failed ones
//!   are tried again. A root that gives up ends the tree. A group without an intensity bears any number of
//!   restarts.
//! - A restart waits: exponential [`Backoff`] with full jitter, of the child that failed. Siblings are stopped
//!   at once, and the wait runs meanwhile. Who waits in one for one starts with its group if that is
//!   restarted, and is down at once if that is stopped. After a healthy spell the failures are forgotten.
//!   Whose wait has grown to the cap counts as *degraded* until then: it is still tried, at the cap.
//! - A worker with [`Worker::hang_after`] that is not [heard](Event::Heard) in time hangs, one that does not
//!   end within [`Worker::shutdown`] of being told to is late: both are **abandoned**, that is, the caller
//!   fences the generation and leaves its thread behind. A hang counts as a failure. Who waits for its turn to
//!   be stopped is not watched: workers that share a thread hang together, and one of them is enough. An
//!   abandoned thread that ends after all is no longer counted. More than [`Tree::abandoned_max`] at a time
//!   end the tree.
//! - A shutdown stops the root as any group is stopped. A group whose turn has not come goes on as before, so
//!   that a core that fails in this very moment still comes back and works off what was accepted. One that
//!   [comes back](Group::comes_back) ends the restart that is under way first, without a wait; and it is started
//!   once more where somebody in it fails as it stops. [`Tree::unfinished`] says whether that helped, and
//!   [`Group::shutdown_max`] bounds it.
//!
//! Differences from OTP: back-off, hangs, fatal exits and degradation are added; starting does not wait for
//! the child before (a failing start is an exit like any other); a failure during somebody's restart is taken
//! into account at once and not when the restart is done.
//!
//! # The calling contract
//!
//! As in smoltcp, time is an argument and the next wake-up a return value:
//!
//! 1. Make a [`Tree`] and step it with [`Event::Start`].
//! 2. Carry out the [actions](Action) that a step appended, in order. What comes of them is the next event: a
//!    worker that could not even be started has [exited](Event::Exited).
//! 3. Sleep until [`Tree::next_wake`] or until something happens, whichever is first; then step with what
//!    happened, or with [`Event::Wake`]. `now` is the time since any fixed moment and does not go back.
//! 4. After [`Action::Ended`] nothing more is asked for.
//!
//! Workers may share a thread. When one of them is abandoned, the thread is left behind with all of them: the
//! caller answers the [stop](Action::Stop) of the others with [`Event::Exited`] at once.
//!
//! Waking late is harmless: what was due is done, with the time that it is. An event counts before the
//! deadlines that have passed with it. The same specification, seed and events give the same actions.
//!
//! ```
//! use core::time::Duration;
//! use engine::restart::{Action, Event, Exit, Generation, Group, Outcome, Tree, Worker, WorkerId};
//!
//! let ring = Worker { name: "ring".into(), ..Worker::default() };
//! let clock = Worker { name: "clock".into(), ..Worker::default() };
//! let root = Group { name: "core".into(), children: vec![ring.into(), clock.into()], ..Group::default() };
//! let mut tree = Tree::new(root, 7);
//! let mut actions = Vec::new();
//!
//! tree.step(Duration::ZERO, Event::Start, &mut actions);
//! assert!(matches!(actions[..], [Action::Start { .. }, Action::Start { .. }]));
//!
//! // The ring panics: it is started anew after a pause.
//! actions.clear();
//! let (worker, generation) = (WorkerId(0), Generation(1));
//! tree.step(Duration::from_secs(1), Event::Exited { worker, generation, exit: Exit::Panic }, &mut actions);
//! let wake = tree.next_wake().unwrap();
//! tree.step(wake, Event::Wake, &mut actions);
//! assert!(matches!(actions[..], [Action::Start { worker: WorkerId(0), generation: Generation(2), .. }]));
//!
//! // A shutdown begins with the last: the clock is asked to end, then the ring.
//! for (worker, generation) in [(WorkerId(1), Generation(1)), (WorkerId(0), Generation(2))] {
//!     actions.clear();
//!     tree.step(wake, Event::Shutdown, &mut actions);
//!     tree.step(wake, Event::Exited { worker, generation, exit: Exit::Normal }, &mut actions);
//! }
//! assert_eq!(actions, [Action::Ended(Outcome::Shutdown)]);
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

mod backoff;
mod event;
mod node;
mod status;
mod tree;

#[cfg(test)]
mod tests;

pub use backoff::{Backoff, Restarts};
pub use event::{Action, Blame, Event, Neglect, Outcome, Why};
pub use status::{Node, State, Status};
pub use tree::Tree;

/// The most abandoned threads at a time, unless [`Tree::with_abandoned_max`] says otherwise.
pub const ABANDONED_MAX: usize = 8;

/// The most that [`Intensity::restarts`] can be; more is taken as this.
pub const RESTARTS_MAX: u32 = 1_000;

/// How often a group that [comes back](Group::comes_back) is started once more at most, where it fails while
/// it stops.
pub const STARTS_OVER_MAX: u32 = 3;

/// The least that [`Worker::hang_after`] can be; less is taken as this.
pub const HANG_AFTER_MIN: Duration = Duration::from_millis(1);

/// A worker: its place among all workers of the tree, in the order in which they are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub usize);

/// A group: its place among all groups of the tree. The root is 0, and a group comes before those in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub usize);

/// Which start of a worker or group: 1 is the first, 0 means never started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// Its work is done, or it was told to end.
    Normal,
    /// It failed, and may work when it is tried again.
    Error,
    /// It failed and can never work: its configuration is wrong. It is not started again while its group
    /// lives, which gives up because of it unless it is one for one.
    Fatal,
    /// It panicked.
    Panic,
    /// It was not heard in time.
    Hang,
}

impl Exit {
    /// All exits.
    pub const ALL: [Exit; 5] = [Exit::Normal, Exit::Error, Exit::Fatal, Exit::Panic, Exit::Hang];

    /// The name in metrics, events and reports.
    pub fn name(self) -> &'static str {
        match self {
            Exit::Normal => "normal",
            Exit::Error => "error",
            Exit::Fatal => "fatal",
            Exit::Panic => "panic",
            Exit::Hang => "hang",
        }
    }
}

/// Which exits lead to a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartType {
    /// All.
    #[default]
    Permanent,
    /// All but [`Exit::Normal`].
    Transient,
    /// None.
    Temporary,
}

/// Who is restarted with a child that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Nobody else.
    #[default]
    OneForOne,
    /// The children after it.
    RestForOne,
    /// All children.
    OneForAll,
}

/// How many restarts a group bears: as many as `restarts` within `period`. One more, and it gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts that are borne, at most [`RESTARTS_MAX`]. With 0 the first failure is too much.
    pub restarts: u32,
    /// How long a restart counts, both ends included.
    pub period: Duration,
}

/// Somebody who runs, and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Its name, for people.
    pub name: String,
    /// Which exits lead to a restart. Permanent by default.
    pub restart: RestartType,
    /// How long a restart waits.
    pub backoff: Backoff,
    /// How long it may take to end when it is told to, 1 s by default. With 0 it is abandoned at once.
    pub shutdown: Duration,
    /// How long it may be silent beyond what it [said](Event::Heard); none by default: it is not watched. At
    /// least [`HANG_AFTER_MIN`].
    pub hang_after: Option<Duration>,
    /// How long it may fail, from the first of its failures that are not forgotten, until it counts as failed
    /// as after [`Exit::Fatal`]. None by default: it is tried for ever.
    pub give_up_after: Option<Duration>,
}

impl Default for Worker {
    fn default() -> Worker {
        Worker {
            name: String::new(),
            restart: RestartType::default(),
            backoff: Backoff::default(),
            shutdown: Duration::from_secs(1),
            hang_after: None,
            give_up_after: None,
        }
    }
}

/// Children that stand and fall by one strategy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name, for people.
    pub name: String,
    /// Who is restarted with a child that failed. One for one by default.
    pub strategy: Strategy,
    /// How many restarts it bears. None by default: any number. A child that can never work is not borne.
    pub intensity: Option<Intensity>,
    /// How long its own restart waits after it gave up.
    pub backoff: Backoff,
    /// Stops its children all at once instead of one after the other: for children that know nothing of each
    /// other. False by default.
    pub stops_together: bool,
    /// Told to stop while somebody waits to be started anew, it comes back at once and is stopped then. Where a
    /// worker of it fails while it stops, everybody in it is started once more and stopped then, at most
    /// [`STARTS_OVER_MAX`] times, and as long as [`Group::shutdown_max`] leaves time for it: for children that
    /// have to work off what was accepted. False by default.
    pub comes_back: bool,
    /// In the order in which they are started.
    pub children: Vec<Child>,
}

impl Group {
    /// The longest that a shutdown takes: the sum of its workers' [`Worker::shutdown`], where a group that
    /// stops its children together counts as the longest of them, and one that comes back before counts
    /// twice. It holds if the caller steps the tree in time.
    pub fn shutdown_max(&self) -> Duration {
        let once = self.stops_within();
        if self.comes_back { once.saturating_mul(2) } else { once }
    }

    /// The longest that it takes to stop its children once.
    fn stops_within(&self) -> Duration {
        let children = self.children.iter().map(|child| match child {
            Child::Worker(worker) => worker.shutdown,
            Child::Group(group) => group.shutdown_max(),
        });
        if self.stops_together {
            children.max().unwrap_or_default()
        } else {
            children.fold(Duration::ZERO, Duration::saturating_add)
        }
    }
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Child {
    /// Somebody who runs.
    Worker(Worker),
    /// A group of its own, which counts as one permanent child.
    Group(Group),
}

impl From<Worker> for Child {
    fn from(worker: Worker) -> Child {
        Child::Worker(worker)
    }
}

impl From<Group> for Child {
    fn from(group: Group) -> Child {
        Child::Group(group)
    }
}
