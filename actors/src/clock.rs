//! The clock: makes ticks. Deadlines are absolute, so it never drifts. A tick begins when the chain of the
//! core has finished the one before; a late one is counted, and while the clock is behind, every tick is
//! stepped and only painting is skipped.
//!
//! The engine's time follows from the tick alone. Where it comes to differ from the wall clock, because the
//! machine slept or somebody set its clock, it is set anew: a sealed input like any other.

use std::time::Duration;

use actix::Recipient;
use engine::tick::{Fps, Tick};
use tokio::sync::watch;

use crate::handle::Pulse;
use crate::journal::{Resumption, Rhythm};
use crate::renderer::Done;
use crate::ring::Begin;
use crate::source::port::Arrivals;
use crate::supervisor::worker::{self, Failure};
use crate::telemetry;
use crate::world::World;

/// A clock that is further behind than this does not catch up.
pub const BEHIND_MAX: Duration = Duration::from_secs(5);

/// The most that the engine's time may differ from the wall clock before it is set anew.
pub const DRIFT_MAX_MS: u64 = 5_000;

/// The longest sleep in one piece, which bounds how long a stop has to wait.
const NAP_MAX: Duration = Duration::from_millis(50);

/// A tick that a clock begins when its time is nearly up has so long to come out.
const LAST_TICK_MAX: Duration = Duration::from_millis(500);

/// Between two of the last ticks, which are not paced, some time has to pass, in virtual time too: else a
/// port that does not become empty would hold the clock for ever.
const LAST_TICKS_APART: Duration = Duration::from_millis(1);

/// How long a tick may take, beyond what it takes to find that an actor hangs, until it counts as lost: far
/// longer than any takes.
const TICK_MAX: Duration = Duration::from_secs(30);

/// Why a clock ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It has made all its ticks.
    Finished,
    /// It was told to stop.
    Stopped,
    /// The core does not answer any more.
    CoreDied,
    /// It failed itself.
    Failed(Failure),
}

/// The clock of a run.
pub struct Clock {
    /// Time, real or virtual.
    pub world: World,
    /// Ticks a second.
    pub fps: Fps,
    /// The first actor of the chain.
    pub core: Recipient<Begin>,
    /// Says that the last actor of the chain has finished a tick.
    pub done: flume::Receiver<Done>,
    /// True when an actor of the chain has ended, and no tick will come out any more.
    pub broken: watch::Receiver<bool>,
    /// Where an earlier clock got to.
    pub resumption: Option<Resumption>,
    /// Ends the clock, after one more tick that seals what had been accepted, and as many as it takes.
    pub supervision: worker::Context,
    /// What has to be empty when it ends: the ports of running sources.
    pub ports: Vec<Arrivals>,
    /// How long one that is told to stop goes on: for the core to come back, for the tick that is under way,
    /// and until the ports are empty.
    pub grace: Duration,
    /// When that is over, once it is told to.
    pub stops_by: Option<Duration>,
    /// How the run is doing, for all who want to know.
    pub pulse: watch::Sender<Pulse>,
    /// Counters.
    pub telemetry: telemetry::Clock,
    /// How many ticks it makes; `None` until it is stopped.
    pub ticks: Option<u64>,
    /// The engine's time at tick 0 as Unix time in milliseconds, where it follows the wall clock; `None` in
    /// a replay, whose time was recorded.
    pub start_ms: Option<i64>,
}

impl Clock {
    /// Makes ticks until it is stopped.
    pub async fn run(mut self) -> End {
        self.go_on().await.unwrap_or_else(|end| end)
    }

    /// Errors are ends that come too early.
    async fn go_on(&mut self) -> Result<End, End> {
        let (mut tick, mut rhythm) = self.resume().await.ok_or(End::CoreDied)?;
        while self.ticks.is_none_or(|ticks| tick.0 < ticks) {
            let due = rhythm.origin + Duration::from_nanos(self.fps.nanos_at(tick));
            if self.sleep_until(due).await {
                return self.stop(tick, rhythm).await;
            }
            self.make(tick, &mut rhythm, true).await?;
            tick = tick.next();
        }
        Ok(End::Finished)
    }

    /// Makes the last ticks: one, and as many more as it takes until all that was accepted is sealed. Of
    /// those only the last is painted, since time is short.
    async fn stop(&mut self, mut tick: Tick, mut rhythm: Rhythm) -> Result<End, End> {
        let by = *self.stops_by.get_or_insert(self.world.now() + self.grace);
        self.make(tick, &mut rhythm, true).await?;
        let mut is_shown = true;
        while self.ticks.is_none_or(|ticks| tick.0 + 1 < ticks) {
            let is_last = self.waiting() == 0 || self.world.now() >= by;
            if is_last && is_shown {
                break;
            }
            tick = tick.next();
            self.world.sleep_until(self.world.now() + LAST_TICKS_APART).await;
            self.make(tick, &mut rhythm, is_last).await?;
            is_shown = is_last;
        }
        let lost = self.waiting();
        if lost > 0 {
            tracing::error!(lost, "time was up before all readings that had been accepted were shown");
        }
        Ok(End::Stopped)
    }

    /// How many readings wait in the ports.
    fn waiting(&self) -> usize {
        self.ports.iter().map(Arrivals::len).sum()
    }

    /// Makes a tick; an error where it does not come out.
    async fn make(&mut self, tick: Tick, rhythm: &mut Rhythm, may_paint: bool) -> Result<(), End> {
        let due = rhythm.origin + Duration::from_nanos(self.fps.nanos_at(tick));
        let late = self.world.now().saturating_sub(due);
        let behind = if late > BEHIND_MAX {
            rhythm.origin += late;
            Duration::ZERO
        } else {
            late
        };
        let rebase_ms = self.rebase_ms(rhythm, tick, behind);
        let length = Duration::from_nanos(self.fps.nanos_at(Tick(1)));
        let paint = may_paint && (tick == Tick(0) || rebase_ms != 0 || late < length);
        self.step(tick, late, Begin { rebase_ms, paint, rhythm: *rhythm }).await
    }

    /// The first tick to make, and what it goes by: where an earlier clock got to, after the tick that it
    /// had begun has come out. `None` where that does not.
    async fn resume(&mut self) -> Option<(Tick, Rhythm)> {
        let Some(Resumption { sealed, is_done }) = self.resumption else {
            return Some((Tick(0), Rhythm { origin: self.world.now(), start_ms: self.start_ms }));
        };
        if !is_done {
            self.done(sealed.tick).await?;
            self.telemetry.ticks.increment(1);
        }
        self.pulse.send_modify(|pulse| {
            pulse.tick = sealed.tick;
            pulse.ready |= sealed.paint;
        });
        Some((sealed.tick.next(), sealed.rhythm))
    }

    /// Waits for `tick` to come out of the core; `None` where that will not be.
    async fn done(&mut self, tick: Tick) -> Option<Done> {
        // The actor that hangs is found by its own heart; the clock's is for a tick that got lost.
        let _rest = self.supervision.heart.pause(self.world.now() + TICK_MAX);
        let patience = async {
            self.supervision.stopped().await;
            let by = *self.stops_by.get_or_insert(self.world.now() + self.grace);
            self.world.sleep_until(by.max(self.world.now() + LAST_TICK_MAX)).await;
        };
        // A core that came back may have told of an earlier tick after its clock had asked how far it is.
        let came_out = async {
            loop {
                match self.done.recv_async().await {
                    Ok(earlier) if earlier.tick < tick => {}
                    done => return done.ok(),
                }
            }
        };
        tokio::select! {
            biased;
            done = came_out => done,
            _ = self.broken.wait_for(|broken| *broken) => None,
            () = patience => None,
        }
    }

    /// Sleeps until a tick is due and says whether the clock was told to stop meanwhile.
    async fn sleep_until(&self, due: Duration) -> bool {
        loop {
            if self.supervision.is_stopping() {
                return true;
            }
            let now = self.world.now();
            if now >= due {
                return false;
            }
            self.supervision.heart.rest_until(due);
            self.world.sleep_exactly_until(due.min(now + NAP_MAX)).await;
        }
    }

    /// Milliseconds by which the engine's time has to be set forward at `tick`, and does so in `rhythm`.
    /// That the clock is `behind` for now, which it makes good, is no reason.
    fn rebase_ms(&self, rhythm: &mut Rhythm, tick: Tick, behind: Duration) -> i64 {
        let Some(start_ms) = &mut rhythm.start_ms else { return 0 };
        let now_ms = start_ms.saturating_add_unsigned(self.fps.millis_at(tick));
        let due_ms = self.world.unix_ms().saturating_sub(behind.as_millis() as i64);
        let drift_ms = due_ms.saturating_sub(now_ms);
        if drift_ms.unsigned_abs() <= DRIFT_MAX_MS {
            return 0;
        }
        *start_ms = start_ms.saturating_add(drift_ms);
        drift_ms
    }

    /// Sends a tick through the core; an error where it does not come out.
    async fn step(&mut self, tick: Tick, late: Duration, begin: Begin) -> Result<(), End> {
        self.supervision.strike("clock.tick").await.map_err(End::Failed)?;
        let began = self.world.now();
        // A clock of the past has no say.
        if self.supervision.pass.enter(|| self.core.try_send(begin).is_ok()) != Some(true) {
            return Err(End::CoreDied);
        }
        let done = self.done(tick).await.ok_or(End::CoreDied)?;
        let Begin { rebase_ms, paint, .. } = begin;
        let duration = self.world.now().saturating_sub(began);
        let is_late = late > Duration::from_nanos(self.fps.nanos_at(Tick(1))) / 2;
        let beat = |pulse: &mut Pulse| {
            pulse.tick = done.tick;
            pulse.duration = duration;
            pulse.late_ticks += u64::from(is_late);
            pulse.skipped_frames += u64::from(!paint);
            pulse.ready |= paint;
        };
        self.supervision.pass.enter(|| self.pulse.send_modify(beat)).ok_or(End::CoreDied)?;
        self.telemetry.ticks.increment(1);
        self.telemetry.late_ticks.increment(u64::from(is_late));
        self.telemetry.skipped_frames.increment(u64::from(!paint));
        self.telemetry.rebases.increment(u64::from(rebase_ms != 0));
        self.telemetry.lateness.record(late);
        self.telemetry.duration.record(duration);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};

    use engine::sample::SourceId;

    use super::*;
    use crate::journal::Sealing;
    use crate::source::Policy;
    use crate::source::port::{Doorbell, Letter, Port};
    use crate::source::rig::simulate;
    use crate::supervisor::fence::Pass;
    use crate::telemetry::Telemetry;
    use crate::world::SIMULATED_START_MS;

    const MS: Duration = Duration::from_millis(1);

    const GRACE: Duration = Duration::from_secs(2);

    /// A core that does nothing, in the time that `slowness` says for each tick.
    struct Core {
        world: World,
        slowness: fn(u64) -> Duration,
        /// The first tick that it is given.
        first: u64,
        port: Arrivals,
        /// Readings that it takes at a tick.
        takes: usize,
        begun: Arc<Mutex<Vec<(Duration, Begin)>>>,
        done: flume::Sender<Done>,
    }

    impl Actor for Core {
        type Context = Context<Self>;
    }

    impl Handler<Begin> for Core {
        type Result = ();

        fn handle(&mut self, begin: Begin, context: &mut Self::Context) {
            let (world, done) = (self.world, self.done.clone());
            let mut begun = self.begun.lock().unwrap();
            let tick = self.first + begun.len() as u64;
            begun.push((world.now(), begin));
            (0..self.takes).for_each(|_| drop(self.port.take()));
            let until = world.now() + (self.slowness)(tick);
            let work = async move {
                if until > world.now() {
                    world.sleep_until(until).await;
                }
                done.send(Done { tick: Tick(tick) }).unwrap();
            };
            context.spawn(work.into_actor(self));
        }
    }

    /// What a clock is given.
    struct Given {
        fps: u32,
        ticks: Option<u64>,
        stop_at: Duration,
        /// The wall clock's lead over the engine's time.
        lead_ms: i64,
        slowness: fn(u64) -> Duration,
        resumption: Option<Resumption>,
        /// Readings that wait from the beginning, and how many of them the core takes at a tick.
        waiting: (usize, usize),
    }

    impl Default for Given {
        fn default() -> Given {
            Given {
                fps: 60,
                ticks: Some(60),
                stop_at: Duration::from_secs(3_600),
                lead_ms: 0,
                slowness: |_| Duration::ZERO,
                resumption: None,
                waiting: (0, 0),
            }
        }
    }

    /// What came of it: when each tick began, and how.
    struct Run {
        end: End,
        begun: Vec<(Duration, Begin)>,
        pulse: Pulse,
        ended: Duration,
        /// Readings that nobody has taken.
        left: usize,
    }

    impl Run {
        /// The rebases, by tick.
        fn rebases(&self) -> Vec<(usize, i64)> {
            let begun = self.begun.iter().enumerate();
            begun.map(|(tick, (_, begin))| (tick, begin.rebase_ms)).filter(|(_, ms)| *ms != 0).collect()
        }
    }

    fn run(given: Given) -> Run {
        simulate(async {
            let world = World::simulated(false);
            let begun = Arc::new(Mutex::new(Vec::new()));
            let (done, came_out) = flume::unbounded();
            let (port, arrivals) = Port::new(SourceId(0), world, Policy::DropNewest, Doorbell::default());
            let inlet = port.open(Pass::unlimited());
            for _ in 0..given.waiting.0 {
                inlet.send(inlet.room().await, Letter::default(), None, 0).unwrap();
            }
            let mut first = 0;
            if let Some(Resumption { sealed, .. }) = given.resumption {
                // The core has just finished what it was resumed with.
                first = sealed.tick.0 + 1;
                done.send(Done { tick: sealed.tick }).unwrap();
            }
            let core = Core {
                world,
                slowness: given.slowness,
                first,
                port: arrivals.clone(),
                takes: given.waiting.1,
                begun: begun.clone(),
                done,
            };
            let core = core.start();
            let (stop, stopped) = watch::channel(false);
            let (_whole, broken) = watch::channel(false);
            let (pulse, beaten) = watch::channel(Pulse::default());
            let clock = Clock {
                world,
                fps: Fps::new(given.fps).unwrap(),
                core: core.recipient(),
                done: came_out,
                broken,
                resumption: given.resumption,
                supervision: worker::Context::unsupervised(world, stopped),
                ports: vec![arrivals.clone()],
                grace: GRACE,
                stops_by: None,
                pulse,
                telemetry: Telemetry::new(&[], &[], &[]).clock,
                ticks: given.ticks,
                start_ms: Some(SIMULATED_START_MS - given.lead_ms),
            };
            actix::spawn(async move {
                world.sleep_until(given.stop_at).await;
                stop.send_replace(true);
            });
            let end = clock.run().await;
            let begun = begun.lock().unwrap().clone();
            let pulse = *beaten.borrow();
            Run { end, begun, pulse, ended: world.now(), left: arrivals.len() }
        })
    }

    #[test]
    fn ticks_begin_on_time() {
        for fps in [1, 30, 60] {
            let run = run(Given { fps, ..Given::default() });
            assert_eq!((run.end, run.begun.len(), run.pulse.tick), (End::Finished, 60, Tick(59)));
            for (tick, (at, begin)) in (0..).map(Tick).zip(&run.begun) {
                let due = Duration::from_nanos(Fps::new(fps).unwrap().nanos_at(tick));
                // The timers' grain is a millisecond.
                assert!(*at >= due && *at <= due + MS, "tick {tick} of {fps} a second at {at:?}");
                assert!(begin.paint && begin.rebase_ms == 0);
            }
            assert_eq!((run.pulse.late_ticks, run.pulse.skipped_frames), (0, 0));
            assert!(run.pulse.ready);
        }
    }

    #[test]
    fn one_told_to_stop_makes_one_more_tick_soon() {
        let check = |fps, stop_at_ms: u64, ticks, end_ms: u64| {
            let stop_at = Duration::from_millis(stop_at_ms);
            let run = run(Given { fps, ticks: None, stop_at, ..Given::default() });
            let last = run.begun[run.begun.len() - 1].0;
            assert_eq!((run.end, run.begun.len()), (End::Stopped, ticks), "{fps} {stop_at_ms}");
            assert!(last >= stop_at && last <= Duration::from_millis(end_ms), "{fps} {stop_at_ms}: {last:?}");
        };
        check(60, 95, 7, 101);
        check(1, 120, 2, 151);
        check(1, 2_020, 4, 2_051);
    }

    #[test]
    fn a_slow_core_makes_late_ticks_and_skipped_frames_and_loses_no_tick() {
        let slowness = |tick| if tick == 10 { 100 * MS } else { Duration::ZERO };
        let run = run(Given { slowness, ..Given::default() });
        assert_eq!((run.end, run.begun.len(), run.pulse.tick), (End::Finished, 60, Tick(59)));
        let skipped: Vec<_> = (0..60).filter(|tick| !run.begun[*tick].1.paint).collect();
        assert_eq!(skipped, [11, 12, 13, 14, 15], "a frame late or more");
        assert_eq!((run.pulse.late_ticks, run.pulse.skipped_frames), (5, 5));
        assert!(run.begun[59].0 < Duration::from_millis(985), "it has caught up");
    }

    #[test]
    fn time_is_set_anew_where_it_differs_for_good() {
        let check = |lead_ms, slowness, expected: &[(usize, i64)]| {
            let run = run(Given { lead_ms, slowness, ..Given::default() });
            assert_eq!(run.rebases(), expected, "a lead of {lead_ms} ms");
        };
        check(0, |_| Duration::ZERO, &[]);
        check(4_990, |_| Duration::ZERO, &[]);
        check(5_100, |_| Duration::ZERO, &[(0, 5_100)]);
        check(-7_000, |_| Duration::ZERO, &[(0, -7_000)]);
        let four_seconds = |tick| if tick == 10 { 4_000 * MS } else { Duration::ZERO };
        check(2_000, four_seconds, &[]);
        // Tick 10 begins at 167 ms and ends at 6167 ms; tick 11 counts for 183 ms and is not made good.
        let six_seconds = |tick| if tick == 10 { 6_000 * MS } else { Duration::ZERO };
        check(0, six_seconds, &[(11, 5_984)]);
    }

    #[test]
    fn one_told_to_stop_waits_until_the_ports_are_empty() {
        let stop_at = 20 * MS;
        let stop = |readings, takes| {
            run(Given { ticks: None, stop_at, waiting: (readings, takes), ..Given::default() })
        };
        let frames = |run: &Run| run.begun.iter().map(|(_, begin)| begin.paint).collect::<Vec<_>>();
        // Ticks 0 and 1 come before the stop, and tick 2 in any case.
        assert_eq!(frames(&stop(9, 3)), [true; 3]);
        let more = stop(20, 3);
        assert_eq!(frames(&more), [true, true, true, false, false, false, false, true]);
        assert_eq!((more.left, more.end, more.pulse.tick), (0, End::Stopped, Tick(7)));
        // Where that does not come about, its time is limited.
        let stuck = stop(20, 0);
        assert_eq!((stuck.left, stuck.end), (20, End::Stopped));
        assert!(stuck.begun[stuck.begun.len() - 1].1.paint, "the last frame is shown");
        assert!(
            stuck.ended >= stop_at + GRACE && stuck.ended < stop_at + GRACE + 100 * MS,
            "{:?}",
            stuck.ended
        );
        // Nor does it make more ticks than it was to make.
        let few = run(Given { ticks: Some(4), stop_at, waiting: (20, 3), ..Given::default() });
        assert_eq!((few.begun.len(), few.left), (4, 8));
    }

    #[test]
    fn one_that_resumes_waits_for_each_tick_that_it_makes() {
        let rhythm = Rhythm { origin: Duration::ZERO, start_ms: Some(SIMULATED_START_MS) };
        let sealed = Sealing { tick: Tick(4), rebase_ms: 0, paint: true, rhythm };
        for is_done in [false, true] {
            let resumption = Some(Resumption { sealed, is_done });
            let run = run(Given { ticks: Some(9), resumption, slowness: |_| 30 * MS, ..Given::default() });
            assert_eq!((run.end, run.begun.len(), run.pulse.tick), (End::Finished, 4, Tick(8)), "{is_done}");
            let apart = run.begun.windows(2).map(|two| two[1].0 - two[0].0).min().unwrap();
            assert!(apart >= 30 * MS, "{is_done}: a tick began before the last was done: {apart:?}");
            assert!(run.ended >= run.begun[3].0 + 30 * MS, "{is_done}: the last tick did not come out");
        }
    }
}
