//! The journal: what the core comes back from when one of its actors fails. It outlives them all.
//!
//! It holds a checkpoint, which is a copy of the state that each of the four actors had after one and the
//! same tick, and a log of all that the ring has taken in since, in the order in which that was taken. A
//! core that starts anew begins with the checkpoint and applies the log through the same code as ever, so
//! that it stands where the failed one stood. What the failed one has told the world already is known by
//! watermarks beside each outlet ([`Fenced`]), so that nothing is told twice and nothing is left out.
//!
//! What is in a port or in the log is in exactly one of them: readings are taken and logged at once, in a
//! short critical section in which no user's code runs and nothing is decided.

mod fenced;

use std::sync::Arc;
use std::time::Duration;

use engine::ring::Limits;
use engine::ring::intake::Room;
use engine::script::Ended;
use engine::signal::Signal;
use engine::tick::Tick;

use crate::ring::Report;
use crate::source::port::{Arrivals, Posted};
use crate::supervisor::fence::Pass;
use crate::{coordination, expression, renderer, ring};
pub use fenced::{Fenced, Sink};

/// Ticks between two checkpoints.
pub const CHECKPOINT_EVERY: u64 = 60;

/// The log has at most this many times the size of the ring, in values and in bytes; when it has half of
/// that, a checkpoint is made at the next tick. Readings beyond it wait in their ports for that checkpoint.
pub const RINGS_MAX: usize = 2;

/// The journal of a run's core. Clones are the same journal.
#[derive(Clone)]
pub struct Journal(Fenced<State>);

struct State {
    limits: Limits,
    checkpoint: Option<Arc<Checkpoint>>,
    log: Vec<Entry>,
    weight: Weight,
    /// The parts of the next checkpoint.
    parts: Parts,
    /// The newest tick that was sealed.
    sealed: Option<Sealing>,
    /// How many ticks went through the whole core.
    done: Tick,
}

/// What the ring has taken in.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Readings, from one port.
    Taken(Arc<[Posted]>),
    /// What was said of an actor.
    Told(Report),
    /// What the face signalled.
    Signalled(Signal),
    /// A tick was sealed.
    Sealed(Sealing),
    /// The clock ended calls of scripts in a tick that was sealed before.
    Ended(Tick, Arc<[Ended]>),
}

/// How a tick was sealed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sealing {
    /// Which tick.
    pub tick: Tick,
    /// Milliseconds by which the clock was set forward, or back below 0.
    pub rebase_ms: i64,
    /// Whether this tick is painted.
    pub paint: bool,
    /// What the clock goes by from then on.
    pub rhythm: Rhythm,
}

/// What a clock goes by. It changes where the clock is set anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// When tick 0 was due, in world time.
    pub origin: Duration,
    /// The engine's time at tick 0 as Unix time in milliseconds, where it follows the wall clock.
    pub start_ms: Option<i64>,
}

/// Where a clock goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resumption {
    /// The newest tick that was sealed.
    pub sealed: Sealing,
    /// Whether it went through the whole core. If not, it does before the core takes the next one.
    pub is_done: bool,
}

/// The state of the whole core after a tick.
#[derive(Debug)]
pub struct Checkpoint {
    /// Which tick.
    pub tick: Tick,
    /// The ring's.
    pub ring: ring::Memory,
    /// The expressions'.
    pub expression: expression::Memory,
    /// Coordination's.
    pub coordination: coordination::Memory,
    /// The renderer's.
    pub renderer: renderer::Memory,
}

/// The part of one actor.
pub enum Part {
    /// The ring's.
    Ring(Box<ring::Memory>),
    /// The expressions'.
    Expression(Box<expression::Memory>),
    /// Coordination's.
    Coordination(Box<coordination::Memory>),
    /// The renderer's.
    Renderer(Box<renderer::Memory>),
}

/// A checkpoint in the making.
#[derive(Default)]
struct Parts {
    tick: Tick,
    /// How much of the log it stands for.
    entries: usize,
    ring: Option<Box<ring::Memory>>,
    expression: Option<Box<expression::Memory>>,
    coordination: Option<Box<coordination::Memory>>,
    renderer: Option<Box<renderer::Memory>>,
}

/// How large a log is.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    values: usize,
    bytes: usize,
}

impl Journal {
    /// An empty journal for a core whose ring has these limits.
    pub fn new(limits: Limits) -> Journal {
        Journal(Fenced::new(State {
            limits,
            checkpoint: None,
            log: Vec::new(),
            weight: Weight::default(),
            parts: Parts::default(),
            sealed: None,
            done: Tick(0),
        }))
    }

    /// Takes up to `most` readings out of a port and logs them, as long as there is `room` for all of their
    /// values in the ring. Returns them; `None` where the pass is not valid any more.
    pub fn take(&self, pass: &Pass, port: &Arrivals, most: usize, room: Room) -> Option<Arc<[Posted]>> {
        self.0.enter(pass, |state| state.take(port, most, room))
    }

    /// Takes up to `most` reports and logs them. Returns them; `None` where the pass is not valid any more.
    pub fn hear(&self, pass: &Pass, reports: &flume::Receiver<Report>, most: usize) -> Option<Vec<Report>> {
        self.0.enter(pass, |state| {
            let told: Vec<Report> = reports.try_iter().take(most).collect();
            state.weight.values += told.len();
            state.log.extend(told.iter().cloned().map(Entry::Told));
            told
        })
    }

    /// Takes up to `most` signals and logs them. Returns them; `None` where the pass is not valid any more.
    pub fn listen(&self, pass: &Pass, signals: &flume::Receiver<Signal>, most: usize) -> Option<Vec<Signal>> {
        self.0.enter(pass, |state| {
            let taken: Vec<Signal> = signals.try_iter().take(most).collect();
            state.weight.values += taken.len();
            state.log.extend(taken.iter().cloned().map(Entry::Signalled));
            taken
        })
    }

    /// Logs that the clock ended calls of scripts in a tick, before anybody is told what came of that. `None`
    /// where the pass is not valid any more.
    pub fn end(&self, pass: &Pass, tick: Tick, ended: &[Ended]) -> Option<()> {
        self.0.enter(pass, |state| {
            state.weight.values += ended.len();
            state.log.push(Entry::Ended(tick, ended.into()));
        })
    }

    /// Logs that a tick is sealed. Returns whether a checkpoint is to be made after it; `None` where the
    /// pass is not valid any more.
    pub fn seal(&self, pass: &Pass, sealing: Sealing) -> Option<bool> {
        self.0.enter(pass, |state| state.seal(sealing))
    }

    /// Takes an actor's part of the checkpoint after `tick`. With the last part it is complete, takes the
    /// place of the one before, and shortens the log.
    pub fn give(&self, pass: &Pass, tick: Tick, part: Part) {
        // What is not needed any more is dropped here, outside the critical section.
        let _old = self.0.enter(pass, |state| state.give(tick, part));
    }

    /// Takes note that a tick went through the whole core. Returns whether that is new; `None` where the
    /// pass is not valid any more.
    pub fn finish(&self, pass: &Pass, tick: Tick) -> Option<bool> {
        self.0.enter(pass, |state| {
            let is_new = tick >= state.done;
            state.done = state.done.max(tick.next());
            is_new
        })
    }

    /// To be called when a new core starts, before its actors ask for anything: forgets the checkpoint that
    /// the failed one was about to make. `None` where the pass is not valid any more.
    pub fn begin(&self, pass: &Pass) -> Option<()> {
        self.0.enter(pass, |state| state.parts = Parts::default())
    }

    /// The newest complete checkpoint.
    pub fn checkpoint(&self) -> Option<Arc<Checkpoint>> {
        self.0.look(|state| state.checkpoint.clone())
    }

    /// The log since the checkpoint; empty where the pass is not valid any more.
    pub fn log(&self, pass: &Pass) -> Vec<Entry> {
        self.0.enter(pass, |state| state.log.clone()).unwrap_or_default()
    }

    /// Where a clock goes on; `None` where no tick was sealed yet.
    pub fn resumption(&self) -> Option<Resumption> {
        self.0
            .look(|state| state.sealed.map(|sealed| Resumption { sealed, is_done: sealed.tick < state.done }))
    }
}

impl State {
    fn take(&mut self, port: &Arrivals, most: usize, mut room: Room) -> Arc<[Posted]> {
        let mut taken = Vec::new();
        while taken.len() < most && !self.weight.reaches(&self.limits, RINGS_MAX) {
            let Some(posted) = port.take_if(|reading| room.fits(reading)) else { break };
            room = room.without(&posted.reading);
            self.weight.add(&posted);
            taken.push(posted);
        }
        let taken: Arc<[Posted]> = taken.into();
        if !taken.is_empty() {
            self.log.push(Entry::Taken(taken.clone()));
        }
        taken
    }

    fn seal(&mut self, sealing: Sealing) -> bool {
        self.log.push(Entry::Sealed(sealing));
        self.sealed = Some(sealing);
        let since = self.checkpoint.as_ref().map_or(Tick(0), |checkpoint| checkpoint.tick.next());
        let due = sealing.tick.next().since(since) >= CHECKPOINT_EVERY
            || self.weight.reaches(&self.limits, RINGS_MAX / 2);
        if due {
            self.parts = Parts { tick: sealing.tick, entries: self.log.len(), ..Parts::default() };
        }
        due
    }

    /// Returns what is not needed any more.
    fn give(&mut self, tick: Tick, part: Part) -> Option<(Vec<Entry>, Option<Arc<Checkpoint>>)> {
        if self.parts.entries == 0 || self.parts.tick != tick {
            return None;
        }
        self.parts.add(part);
        let (entries, checkpoint) = self.parts.complete()?;
        let since = self.log.split_off(entries);
        self.weight = Weight::default();
        since.iter().for_each(|entry| self.weight.add_entry(entry));
        let old = std::mem::replace(&mut self.log, since);
        Some((old, self.checkpoint.replace(Arc::new(checkpoint))))
    }
}

impl Parts {
    fn add(&mut self, part: Part) {
        match part {
            Part::Ring(memory) => self.ring = Some(memory),
            Part::Expression(memory) => self.expression = Some(memory),
            Part::Coordination(memory) => self.coordination = Some(memory),
            Part::Renderer(memory) => self.renderer = Some(memory),
        }
    }

    /// The checkpoint and how many entries of the log it stands for; `None` while a part is missing.
    fn complete(&mut self) -> Option<(usize, Checkpoint)> {
        let Parts { ring, expression, coordination, renderer, .. } = &*self;
        let is_missing =
            ring.is_none() || expression.is_none() || coordination.is_none() || renderer.is_none();
        if is_missing {
            return None;
        }
        let Parts { tick, entries, ring, expression, coordination, renderer } = std::mem::take(self);
        let (ring, expression) = (*ring?, *expression?);
        let (coordination, renderer) = (*coordination?, *renderer?);
        Some((entries, Checkpoint { tick, ring, expression, coordination, renderer }))
    }
}

impl Weight {
    fn add(&mut self, posted: &Posted) {
        // One that has no values takes room too.
        self.values += posted.reading.values.len().max(1);
        self.bytes += posted.reading.bytes();
    }

    fn add_entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Taken(taken) => taken.iter().for_each(|posted| self.add(posted)),
            Entry::Told(_) | Entry::Signalled(_) => self.values += 1,
            Entry::Ended(_, ended) => self.values += ended.len(),
            Entry::Sealed(_) => {}
        }
    }

    fn reaches(&self, limits: &Limits, rings: usize) -> bool {
        self.values >= limits.samples.saturating_mul(rings)
            || self.bytes >= limits.bytes.saturating_mul(rings)
    }
}

#[cfg(test)]
mod tests;
