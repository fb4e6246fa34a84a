//! The ring's actor: takes readings in as they arrive, and seals them at every tick.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, MessageResult, Recipient};
use engine::ring::Ring;
use engine::ring::intake::{Intake, Rejection, Restarted, Sealed};
use engine::sample::{Reading, Sample, SourceId, SourceState};
use engine::script::{Ended, Script};
use engine::signal::{self, Act, Signal};
use engine::tick::Tick;

use crate::handle::{Held, QuerySamples, QuerySources, SourceReport, TOLD_MAX, Told};
use crate::journal::{Entry, Fenced, Journal, Part, Rhythm, Sealing};
use crate::recording::{Recorder, Replay};
use crate::source::SCRIPT;
use crate::source::port::{Arrivals, Arrived, Counts, Doorbell};
use crate::supervisor::fence::Pass;
use crate::supervisor::worker::Vitals;
use crate::telemetry::Telemetry;
use crate::world::World;

/// Begins a tick: the first message of its way through the core.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Begin {
    /// Milliseconds by which the clock is set forward, or back below 0.
    pub rebase_ms: i64,
    /// Whether this tick is painted; every tick is stepped.
    pub paint: bool,
    /// What the clock goes by from this tick on.
    pub rhythm: Rhythm,
}

/// Counters of what did not reach the ring are brought up to date at least once in so many ticks.
const COUNTED_EVERY: u64 = 60;

/// A tick's inputs on their way through the core.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Inputs {
    /// What was sealed.
    pub sealed: Arc<Sealed>,
    /// Whether this tick is painted.
    pub paint: bool,
    /// Whether every actor hands the journal what it knows after this tick.
    pub checkpoint: bool,
    /// Whether an earlier generation of the core sealed this tick, and has counted what came of it.
    pub again: bool,
    /// When it came about.
    pub timing: Timing,
}

/// When a tick came about, in world time: for measuring alone, since no run has the same times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// When it began.
    pub began: Duration,
    /// When its inputs were sealed.
    pub sealed: Duration,
    /// When the oldest of its readings had arrived in its port; `None` where it has none.
    pub arrived: Option<Duration>,
}

/// What the supervisor says, and whoever looks after scripts. It is an input like any other: sealed, recorded and
/// replayed.
#[derive(Clone, Debug)]
pub enum Report {
    /// How a source is doing.
    Source {
        /// Which source.
        source: SourceId,
        /// How it is doing.
        state: SourceState,
        /// Why, if it failed.
        error: Option<String>,
        /// How often it was started anew so far.
        restarts: u64,
        /// The number that its next value had when this was said.
        sequence: u64,
    },
    /// An actor failed and is started anew.
    Restarted(Restarted),
    /// Scripts have new texts, which were checked.
    Scripts(Arc<[Script]>),
}

/// Where the inputs come from.
#[derive(Clone)]
pub enum Feed {
    /// Running sources.
    Sources {
        /// The receiving sides of their ports, by [`SourceId`].
        ports: Vec<Arrivals>,
        /// What supervisors say.
        reports: flume::Receiver<Report>,
        /// What the face signals.
        signals: flume::Receiver<Signal>,
        /// Rings when something has arrived.
        doorbell: Doorbell,
    },
    /// A recording.
    Replay(Replay),
}

/// What the actor has to be told to go on as if nothing had happened.
#[derive(Clone, Debug)]
pub struct Memory {
    intake: Intake,
    reports: Vec<SourceReport>,
    set: u64,
}

/// Where ticks are recorded, each once: it outlives the actor.
pub struct Records {
    recorder: Option<Recorder>,
    /// The next tick to record.
    next: Tick,
    /// The newest tick in which the clock has ended calls, and those that are recorded.
    ended: (Tick, Vec<Ended>),
}

/// A source as the face shows it.
#[derive(Clone)]
pub struct SourceInfo {
    /// Its name and kind, and what supervisors last said of it.
    pub report: SourceReport,
    /// What its port has counted.
    pub counts: Arc<Counts>,
}

/// The actor of the ring.
pub struct RingActor {
    /// Time, for measuring.
    pub world: World,
    /// The ring and what it knows.
    pub intake: Intake,
    /// Where the inputs come from.
    pub feed: Feed,
    /// The sources, for the face.
    pub sources: Vec<SourceInfo>,
    /// How many values scripts have set.
    pub set: u64,
    /// Which port is the first to have room: the one that had none when others used it up, else 0.
    pub turn: usize,
    /// When the oldest reading since the last seal had arrived.
    pub arrived: Option<Duration>,
    /// Where what is sealed is recorded.
    pub records: Fenced<Records>,
    /// The core's journal.
    pub journal: Journal,
    /// Which generation this is.
    pub pass: Pass,
    /// Its signs of life.
    pub vitals: Vitals,
    /// The next actor of the chain.
    pub next: Recipient<Inputs>,
    /// Counters.
    pub telemetry: Telemetry,
}

impl Records {
    /// Nothing recorded yet.
    pub fn new(recorder: Option<Recorder>) -> Records {
        Records { recorder, next: Tick(0), ended: (Tick(0), Vec::new()) }
    }

    /// Records a tick, unless that was done.
    fn keep(&mut self, sealed: &Arc<Sealed>) {
        if sealed.tick >= self.next {
            self.next = sealed.tick.next();
            self.recorder.iter().for_each(|recorder| recorder.keep(sealed));
            self.note(sealed.tick, &sealed.ended);
        }
    }

    /// Records calls that the clock ended in a tick that was recorded without them, each once.
    pub fn end(&mut self, tick: Tick, ended: &[Ended]) {
        let known = if self.ended.0 == tick { self.ended.1.as_slice() } else { &[] };
        let new: Arc<[Ended]> = ended.iter().filter(|one| !known.contains(one)).copied().collect();
        if !new.is_empty() && tick >= self.ended.0 {
            self.note(tick, &new);
            let sealed = Arc::new(Sealed { tick, ended: new, ..Sealed::default() });
            self.recorder.iter().for_each(|recorder| recorder.keep(&sealed));
        }
    }

    fn note(&mut self, tick: Tick, ended: &[Ended]) {
        if ended.is_empty() {
            return;
        }
        if self.ended.0 != tick {
            self.ended = (tick, Vec::new());
        }
        self.ended.1.extend(ended);
    }
}

/// Logs and records calls of scripts that the clock has ended in a tick: before anybody is told what came of
/// them, so that they end there again whenever the tick is computed again.
pub fn tell_ended(
    journal: &Journal,
    records: &Fenced<Records>,
    pass: &Pass,
    sealed: &Sealed,
    ended: &[Ended],
) {
    if ended.is_empty() {
        return;
    }
    let new: Vec<Ended> = ended.iter().filter(|one| !sealed.ended.contains(one)).copied().collect();
    if !new.is_empty() {
        journal.end(pass, sealed.tick, &new);
    }
    // One that failed in between may have logged and not recorded them.
    records.enter(pass, |records| records.end(sealed.tick, ended));
}

impl RingActor {
    /// Goes back to what an actor of the same panel knew.
    pub fn restore(&mut self, memory: &Memory) {
        (self.intake, self.set) = (memory.intake.clone(), memory.set);
        for (source, report) in self.sources.iter_mut().zip(&memory.reports) {
            source.report = report.clone();
        }
    }

    fn memory(&self) -> Memory {
        let reports = self.sources.iter().map(|source| source.report.clone()).collect();
        Memory { intake: self.intake.clone(), reports, set: self.set }
    }

    /// Does again what earlier generations did after the checkpoint, as the journal has it. The last tick
    /// may be one that they did not finish.
    fn catch_up(&mut self) {
        let log = self.journal.log(&self.pass);
        let ended_in = |tick: Tick| {
            let ended = log.iter().filter_map(move |entry| match entry {
                Entry::Ended(at, ended) if *at == tick => Some(ended.iter().copied()),
                _ => None,
            });
            ended.flatten()
        };
        for entry in log.iter().cloned() {
            match entry {
                Entry::Ended(..) => {}
                Entry::Taken(taken) => taken.iter().for_each(|posted| self.intake.accept(&posted.reading)),
                Entry::Told(report) => self.hear(report),
                Entry::Signalled(signal) => self.take_signal(signal),
                Entry::Sealed(sealing) => {
                    // Those of a replay come with its inputs.
                    ended_in(sealing.tick).for_each(|ended| self.intake.end(ended));
                    if let Some(inputs) = self.seal(sealing, self.world.now()) {
                        self.next.do_send(Inputs { again: true, ..inputs });
                    }
                }
            }
        }
    }

    /// Takes in what waits in the ports, as long as there is room before the next seal: the rest stays in
    /// its port, whose policy says what happens when that is full.
    fn drain(&mut self) {
        let Feed::Sources { ports, reports, doorbell, .. } = &self.feed else { return };
        let (ports, reports, doorbell) = (ports.clone(), reports.clone(), doorbell.clone());
        doorbell.answer();
        // A source's last words were said before its end was reported, so they are in its port by now.
        let told = reports.len();
        let in_turn = (self.turn..ports.len()).chain(0..self.turn);
        let held_up: Vec<_> = in_turn.filter(|index| self.empty(&ports[*index])).collect();
        self.turn = held_up.first().copied().unwrap_or(0);
        for report in self.journal.hear(&self.pass, &reports, told).unwrap_or_default() {
            self.hear(report);
        }
    }

    /// Takes in what waits in a port now, so that a flood cannot hold the ring up. Returns whether something
    /// waits and nothing of it was taken, because there is no room.
    fn empty(&mut self, port: &Arrivals) -> bool {
        let mut waiting = port.len();
        let mut is_held_up = waiting > 0;
        while waiting > 0 {
            let taken = self.journal.take(&self.pass, port, waiting, self.intake.room());
            let Some(taken) = taken.filter(|taken| !taken.is_empty()) else { break };
            is_held_up = false;
            waiting -= taken.len();
            for posted in taken.iter() {
                let at = posted.at;
                self.intake.accept(&posted.reading);
                self.arrived = Some(self.arrived.map_or(at, |oldest| oldest.min(at)));
                self.telemetry.ring.ingest.record(self.world.now().saturating_sub(at));
            }
        }
        is_held_up
    }

    fn hear(&mut self, report: Report) {
        match report {
            Report::Source { source, state, error, restarts, sequence } => {
                self.intake.report(source, state, sequence);
                if let Some(source) = self.sources.get_mut(usize::from(source.0)) {
                    source.report.restarts = restarts;
                    source.report.error = error.or(source.report.error.take());
                }
            }
            Report::Restarted(restarted) => self.intake.restarted(restarted),
            Report::Scripts(scripts) => {
                scripts.iter().for_each(|script| self.intake.reload(script.clone()));
            }
        }
    }

    /// Takes the signals that wait, as many as a tick may have.
    fn take_signals(&mut self) {
        let Feed::Sources { signals, .. } = &self.feed else { return };
        let taken = self.journal.listen(&self.pass, signals, signal::PER_TICK_MAX);
        taken.unwrap_or_default().into_iter().for_each(|signal| self.take_signal(signal));
    }

    /// What a script sets comes as a sample of its own source.
    fn take_signal(&mut self, signal: Signal) {
        let Some(Act::Set(key, value)) = signal.act() else {
            self.intake.signal(signal);
            return;
        };
        let Some(source) = self.sources.iter().position(|source| &*source.report.name == SCRIPT) else {
            return;
        };
        let sequence = self.set;
        self.set += 1;
        self.intake.accept(&Reading {
            source: SourceId(source as u16),
            sequence,
            timestamp_ms: None,
            values: vec![(key.into(), value.clone())],
        });
    }

    fn replay(&mut self) -> i64 {
        let Feed::Replay(replay) = &self.feed else { return 0 };
        let tick = self.intake.next_tick();
        let inputs = replay.inputs(tick);
        inputs.readings.iter().for_each(|reading| self.intake.accept(reading));
        inputs.states.into_iter().for_each(|(source, state)| self.intake.report(source, state, u64::MAX));
        let refused = inputs.signals.into_iter().filter(|signal| !self.intake.signal(signal.clone())).count();
        if refused > 0 {
            tracing::warn!(%tick, refused, "the recording has more signals than a tick takes");
        }
        inputs.restarts.into_iter().for_each(|restarted| self.intake.restarted(restarted));
        inputs.scripts.into_iter().for_each(|script| self.intake.reload(script));
        inputs.ended.into_iter().for_each(|ended| self.intake.end(ended));
        inputs.rebased_ms
    }

    /// Writes into the journal that the next tick is sealed, before it is; returns how, and whether a
    /// checkpoint is due. `None` for an actor of the past.
    fn log(&self, begin: Begin) -> Option<(Sealing, bool)> {
        let Begin { rebase_ms, paint, rhythm } = begin;
        let sealing = Sealing { tick: self.intake.next_tick(), rebase_ms, paint, rhythm };
        Some((sealing, self.journal.seal(&self.pass, sealing)?))
    }

    /// Seals a tick and records it; `None` for an actor of the past.
    fn seal(&mut self, sealing: Sealing, began: Duration) -> Option<Inputs> {
        let replayed_ms = self.replay();
        let (sealed, missed) = self.intake.seal(sealing.rebase_ms.saturating_add(replayed_ms));
        self.count(&sealed, missed);
        let sealed = Arc::new(sealed);
        self.records.enter(&self.pass, |records| records.keep(&sealed))?;
        let timing = Timing { began, sealed: self.world.now(), arrived: self.arrived.take() };
        self.telemetry.ring.seal.record(timing.sealed.saturating_sub(began));
        Some(Inputs { sealed, paint: sealing.paint, checkpoint: false, again: false, timing })
    }

    fn count(&self, sealed: &Sealed, missed: u64) {
        if missed > 0 {
            tracing::warn!(missed, "more samples came within a tick than the ring holds");
        }
        for (source, state) in sealed.states.iter() {
            self.telemetry.source(*source).set_state(*state);
        }
        let is_quiet = sealed.samples.is_empty() && sealed.states.is_empty();
        if is_quiet && !sealed.tick.0.is_multiple_of(COUNTED_EVERY) {
            return;
        }
        let (ring, telemetry) = (self.intake.ring(), &self.telemetry.ring);
        telemetry.samples.set(ring.len() as f64);
        telemetry.bytes.set(ring.bytes() as f64);
        telemetry.keys.set(self.intake.keys().all().len() as f64);
        telemetry.memory.set(ring.bytes() as f64);
        for (id, (status, info)) in (0..).zip(self.intake.sources().iter().zip(&self.sources)) {
            let source = self.telemetry.source(SourceId(id));
            source.samples.absolute(status.samples);
            source.dropped.absolute(info.counts.dropped.load(Ordering::Relaxed));
            source.restarts.absolute(info.report.restarts);
            let mut rejected = status.rejected;
            rejected[Rejection::Malformed as usize] = info.counts.rejected.load(Ordering::Relaxed);
            source.set_rejected(&rejected);
        }
        if sealed.tick.0.is_multiple_of(COUNTED_EVERY) {
            self.count_by_source();
        }
    }

    /// Counts what takes a look at every key and port.
    fn count_by_source(&self) {
        for (id, overwritten) in (0..).zip(self.intake.overwritten()) {
            self.telemetry.source(SourceId(id)).overwritten.absolute(overwritten);
        }
        let Feed::Sources { ports, .. } = &self.feed else { return };
        for (id, port) in (0..).zip(ports) {
            self.telemetry.source(SourceId(id)).queue.set(port.len() as f64);
        }
    }
}

impl Actor for RingActor {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.catch_up();
        self.drain();
    }
}

impl Handler<Arrived> for RingActor {
    type Result = ();

    fn handle(&mut self, _: Arrived, context: &mut Self::Context) {
        let Some(_work) = self.vitals.clone().take_up("ring.arrive", context) else { return };
        self.drain();
    }
}

impl Handler<Begin> for RingActor {
    type Result = ();

    fn handle(&mut self, begin: Begin, context: &mut Self::Context) {
        let vitals = self.vitals.clone();
        let Some(work) = vitals.take_up("ring.seal", context) else { return };
        let began = self.world.now();
        self.drain();
        self.take_signals();
        let Some((sealing, checkpoint)) = self.log(begin) else { return };
        let Some(work) = vitals.go_on(work, "ring.seal.middle", context) else { return };
        let Some(inputs) = self.seal(sealing, began) else { return };
        self.next.do_send(Inputs { checkpoint, ..inputs });
        let Some(_work) = vitals.go_on(work, "ring.seal.after", context) else { return };
        if checkpoint {
            self.journal.give(&self.pass, sealing.tick, Part::Ring(Box::new(self.memory())));
        }
    }
}

impl Handler<QuerySources> for RingActor {
    type Result = Vec<SourceReport>;

    fn handle(&mut self, _: QuerySources, _: &mut Self::Context) -> Vec<SourceReport> {
        let status = self.intake.sources().iter();
        let reports = self.sources.iter().zip(status).map(|(source, status)| SourceReport {
            state: status.state,
            samples: status.samples,
            dropped: source.counts.dropped.load(Ordering::Relaxed),
            rejected: status.rejected.iter().sum::<u64>() + source.counts.rejected.load(Ordering::Relaxed),
            ..source.report.clone()
        });
        reports.collect()
    }
}

impl Handler<QuerySamples> for RingActor {
    type Result = MessageResult<QuerySamples>;

    fn handle(&mut self, _: QuerySamples, _: &mut Self::Context) -> Self::Result {
        MessageResult(told(self.intake.ring()))
    }
}

/// The numbers among the newest samples.
fn told(ring: &Ring) -> Told {
    let number = |sample: &Sample| {
        let number = sample.value.number()?;
        Some(Held { key: sample.key.0, timestamp_ms: sample.timestamp_ms, number })
    };
    let is_all = ring.overwritten_total() == 0 && ring.len() <= TOLD_MAX;
    let oldest = ring.latest_batch(TOLD_MAX).next().filter(|_| !is_all);
    Told {
        numbers: ring.latest_batch(TOLD_MAX).filter_map(number).collect(),
        since_ms: oldest.map(|sample| sample.timestamp_ms),
    }
}

#[cfg(test)]
mod tests {
    use engine::ring::Limits;
    use engine::sample::KeyId;
    use engine::value::Value;

    use super::*;

    #[test]
    fn what_is_told_of_the_ring_is_bounded() {
        let check = |count: usize, samples: usize, numbers: usize, since_ms: Option<i64>| {
            let mut ring = Ring::new(Limits { samples, bytes: usize::MAX, ..Limits::default() });
            for n in 0..count {
                let value = if n % 2 == 0 { Value::Number(n as f64) } else { Value::from("a text") };
                let (source, key, sequence) = (SourceId(0), KeyId(0), n as u64);
                ring.push(Sample { source, key, value, timestamp_ms: n as i64, sequence });
            }
            let told = told(&ring);
            assert_eq!((told.numbers.len(), told.since_ms), (numbers, since_ms), "{count} of {samples}");
        };
        check(0, 10, 0, None);
        check(10, 10, 5, None);
        check(11, 10, 5, Some(1));
        check(TOLD_MAX, 100_000, TOLD_MAX / 2, None);
        check(TOLD_MAX + 1, 100_000, TOLD_MAX / 2, Some(1));
        check(100_000, 100_000, TOLD_MAX / 2, Some(100_000 - TOLD_MAX as i64));
    }
}
