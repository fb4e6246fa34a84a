//! What a tree is told and what it wants done.

use core::time::Duration;

use super::{Exit, Generation, WorkerId};

/// What the tree is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Everybody is to be started. Counts once.
    Start,
    /// A worker has ended, or could not be started. Of an old generation it only says that its abandoned
    /// thread is gone.
    Exited {
        /// Who.
        worker: WorkerId,
        /// Of which start.
        generation: Generation,
        /// How.
        exit: Exit,
    },
    /// A worker is alive and well at least until some moment: that of its last sign of life, or the end of a
    /// rest that it announced ([`Duration::MAX`] if that is open). It hangs if nothing newer is heard within
    /// `hang_after` of that. The newest word counts, even where it takes back a longer rest.
    Heard {
        /// Who.
        worker: WorkerId,
        /// Of which start. An old one is ignored.
        generation: Generation,
        /// Until when.
        until: Duration,
    },
    /// Nothing happened but time.
    Wake,
    /// Everybody is to be stopped, and the tree to end. Counts once.
    Shutdown,
}

/// What the tree wants done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start a worker, without waiting for it.
    Start {
        /// Who.
        worker: WorkerId,
        /// The number of this start.
        generation: Generation,
        /// For what reason.
        why: Why,
    },
    /// Ask a worker to end. Its [exit](Event::Exited) is awaited.
    Stop {
        /// Who.
        worker: WorkerId,
        /// Of which start.
        generation: Generation,
    },
    /// Accept nothing more from a worker and leave its thread behind. Nothing is awaited; if the thread ends
    /// some day, say so by [`Event::Exited`].
    Abandon {
        /// Who.
        worker: WorkerId,
        /// Of which start.
        generation: Generation,
        /// What it did wrong.
        cause: Neglect,
    },
    /// The tree has ended: nobody runs, but for abandoned threads.
    Ended(Outcome),
}

/// Why a worker is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// For the first time.
    First,
    /// It ended so itself.
    Failed(Exit),
    /// Another ended so, and this one is restarted with it.
    With(Blame),
}

/// Whose exit it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blame {
    /// Who.
    pub worker: WorkerId,
    /// How it ended.
    pub exit: Exit,
}

/// What an abandoned worker did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neglect {
    /// It was not heard in time.
    Hang,
    /// It did not end in time when it was asked to.
    StopTimeout,
}

/// How a tree ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was told to.
    Shutdown,
    /// The root gave up; the failure that was one too much.
    Escalated(Blame),
    /// More threads than [`super::Tree::abandoned_max`] are left behind; the last of them.
    TooManyAbandoned(WorkerId),
}
