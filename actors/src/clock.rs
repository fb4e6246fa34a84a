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
use crate::renderer::Done;
use crate::ring::Begin;
use crate::telemetry;
use crate::world::World;

/// A clock that is further behind than this does not catch up.
pub const BEHIND_MAX: Duration = Duration::from_secs(5);

/// The most that the engine's time may differ from the wall clock before it is set anew.
pub const DRIFT_MAX_MS: u64 = 5_000;

/// The longest sleep in one piece, which bounds how long a stop has to wait.
const NAP_MAX: Duration = Duration::from_millis(50);

/// Why a clock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has made all its ticks.
    Finished,
    /// It was told to stop.
    Stopped,
    /// The core does not answer any more.
    CoreDied,
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
    /// Ends the clock when true, after one more tick that seals what had been accepted.
    pub stop: watch::Receiver<bool>,
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
        let mut origin = self.world.now();
        let mut tick = Tick(0);
        while self.ticks.is_none_or(|ticks| tick.0 < ticks) {
            let due = origin + Duration::from_nanos(self.fps.nanos_at(tick));
            let stopped = self.sleep_until(due).await;
            let late = self.world.now().saturating_sub(due);
            if late > BEHIND_MAX {
                origin += late;
            }
            if !self.step(tick, late).await {
                return End::CoreDied;
            }
            if stopped {
                return End::Stopped;
            }
            tick = tick.next();
        }
        End::Finished
    }

    /// Sleeps until a tick is due and says whether the clock was told to stop meanwhile.
    async fn sleep_until(&self, due: Duration) -> bool {
        loop {
            if *self.stop.borrow() {
                return true;
            }
            let now = self.world.now();
            if now >= due {
                return false;
            }
            self.world.sleep_exactly_until(due.min(now + NAP_MAX)).await;
        }
    }

    /// Milliseconds by which the engine's time has to be set forward at `tick`, and does so for itself.
    fn rebase_ms(&mut self, tick: Tick) -> i64 {
        let Some(start_ms) = &mut self.start_ms else { return 0 };
        let now_ms = start_ms.saturating_add_unsigned(self.fps.millis_at(tick));
        let drift_ms = self.world.unix_ms().saturating_sub(now_ms);
        if drift_ms.unsigned_abs() <= DRIFT_MAX_MS {
            return 0;
        }
        *start_ms = start_ms.saturating_add(drift_ms);
        drift_ms
    }

    /// Sends a tick through the core and says whether it came out.
    async fn step(&mut self, tick: Tick, late: Duration) -> bool {
        let length = Duration::from_nanos(self.fps.nanos_at(Tick(1)));
        let rebase_ms = self.rebase_ms(tick);
        let paint = tick == Tick(0) || rebase_ms != 0 || late < length;
        let began = self.world.now();
        if self.core.try_send(Begin { rebase_ms, paint }).is_err() {
            return false;
        }
        let Ok(done) = self.done.recv_async().await else { return false };
        let duration = self.world.now().saturating_sub(began);
        let is_late = late > length / 2;
        self.pulse.send_modify(|pulse| {
            pulse.tick = done.tick;
            pulse.duration = duration;
            pulse.late_ticks += u64::from(is_late);
            pulse.skipped_frames += u64::from(!paint);
            pulse.ready |= paint;
        });
        self.telemetry.ticks.increment(1);
        self.telemetry.late_ticks.increment(u64::from(is_late));
        self.telemetry.skipped_frames.increment(u64::from(!paint));
        self.telemetry.rebases.increment(u64::from(rebase_ms != 0));
        self.telemetry.lateness.record(late);
        self.telemetry.duration.record(duration);
        true
    }
}
