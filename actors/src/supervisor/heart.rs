//! Hearts: how an actor shows that it lives. Beating costs two stores and waits for nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::world::World;

/// An actor's heart. A supervisor holds an actor for hanging that has neither beaten nor rested on purpose
/// for as long as its group's `hang_after`.
///
/// An actor that works beats now and then; one that waits says until when it may be silent: for a moment
/// ([`Heart::rest_until`]), or for however long something outside takes ([`Heart::rest`]).
#[derive(Clone, Debug)]
pub struct Heart {
    world: World,
    beats: Arc<Beats>,
}

/// Moments as nanoseconds of world time.
#[derive(Debug)]
struct Beats {
    beaten: AtomicU64,
    well_until: AtomicU64,
}

impl Heart {
    /// A heart that beats for the first time.
    pub fn new(world: World) -> Heart {
        let now = nanos(world.now());
        Heart { world, beats: Arc::new(Beats { beaten: now.into(), well_until: now.into() }) }
    }

    /// Says that the actor is at work and well.
    pub fn beat(&self) {
        self.rest_until(Duration::ZERO);
    }

    /// Says that the actor is well and will be silent on purpose until [`World::now`] has reached `until`.
    pub fn rest_until(&self, until: Duration) {
        let now = nanos(self.world.now());
        self.beats.beaten.store(now, Ordering::Relaxed);
        self.beats.well_until.store(nanos(until).max(now), Ordering::Release);
    }

    /// Says that the actor is well and waits for something outside, however long that takes.
    pub fn rest(&self) {
        self.rest_until(Duration::MAX);
    }

    /// Beats now, and rests when what is returned is dropped: the actor works exactly that long.
    #[must_use = "the work is over when it is dropped"]
    pub fn work(&self) -> Work {
        self.beat();
        Work(self.clone())
    }

    /// Rests while `future` runs, and beats when that has ended or is given up.
    pub async fn resting<T>(&self, future: impl Future<Output = T>) -> T {
        let _rest = self.pause(Duration::MAX);
        future.await
    }

    /// Rests until `until`, or until what is returned is dropped.
    pub(crate) fn pause(&self, until: Duration) -> Rest {
        self.rest_until(until);
        Rest(self.clone())
    }

    /// When it last beat, in world time.
    pub fn beaten(&self) -> Duration {
        Duration::from_nanos(self.beats.beaten.load(Ordering::Relaxed))
    }

    /// Until when the actor said that it would be well, in world time.
    pub fn well_until(&self) -> Duration {
        Duration::from_nanos(self.beats.well_until.load(Ordering::Acquire))
    }
}

/// An actor at work.
#[derive(Debug)]
pub struct Work(Heart);

impl Drop for Work {
    fn drop(&mut self) {
        self.0.rest();
    }
}

/// An actor at rest.
#[derive(Debug)]
pub(crate) struct Rest(Heart);

impl Drop for Rest {
    fn drop(&mut self) {
        self.0.beat();
    }
}

fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::rig::simulate;

    #[test]
    fn a_heart_says_how_long_its_actor_is_well() {
        simulate(async {
            let world = World::simulated(false);
            let second = Duration::from_secs;
            let heart = Heart::new(world);
            assert_eq!((heart.beaten(), heart.well_until()), (second(0), second(0)));
            world.sleep_until(second(1)).await;
            heart.beat();
            assert_eq!((heart.beaten(), heart.well_until()), (second(1), second(1)));
            heart.rest_until(second(5));
            assert_eq!((heart.beaten(), heart.well_until()), (second(1), second(5)));
            world.sleep_until(second(2)).await;
            {
                let _work = heart.work();
                assert_eq!(heart.well_until(), second(2));
            }
            let for_ever = Duration::from_nanos(u64::MAX);
            assert_eq!(heart.well_until(), for_ever, "work that is done is followed by rest");
            heart.resting(world.sleep_until(second(3))).await;
            assert_eq!((heart.beaten(), heart.well_until()), (second(3), second(3)));
            let given_up = heart.resting(std::future::pending::<()>());
            tokio::select! {
                () = given_up => {}
                () = world.sleep_until(second(4)) => {}
            }
            assert_eq!(heart.well_until(), second(4), "an actor that gives up waiting is at work again");
        });
    }
}
