//! Ports: a source's bounded way into the ring, with counted drops. A port belongs to the supervisor and
//! outlives the source's restarts, so that what was accepted is never lost and numbers go on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actix::{Message, Recipient, WeakRecipient};
use engine::sample::Reading;

use crate::source::Policy;
use crate::world::World;

/// Readings that a port holds before its policy sets in.
pub const PORT_READINGS: usize = 1_024;

/// Tells the ring that readings wait in some port. At most one is on its way at a time.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Arrived;

/// Wakes the ring, once for any number of readings that arrive before it has looked.
#[derive(Clone, Default)]
pub struct Doorbell {
    rung: Arc<AtomicBool>,
    ring: Arc<RwLock<Option<WeakRecipient<Arrived>>>>,
}

impl Doorbell {
    /// Hangs it at `ring`, and no more at another one; until then it makes no sound, and what waits is found
    /// at the next tick.
    pub fn connect(&self, ring: WeakRecipient<Arrived>) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Some(ring);
    }

    /// Wakes the ring, unless it is already awake and about to look.
    pub fn press(&self) {
        if !self.rung.swap(true, Ordering::AcqRel)
            && let Some(ring) = self.ring()
        {
            ring.do_send(Arrived);
        }
    }

    fn ring(&self) -> Option<Recipient<Arrived>> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(WeakRecipient::upgrade)
    }

    /// Called by the ring before it looks into its ports: what arrives from now on rings again.
    pub fn answer(&self) {
        self.rung.store(false, Ordering::Release);
    }
}

/// A reading on its way, and when it was accepted.
#[derive(Debug)]
pub struct Posted {
    /// [`World::now`] when it was accepted.
    pub at: Duration,
    /// What was read.
    pub reading: Reading,
}

/// What a port has counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// Readings accepted into the port.
    pub accepted: AtomicU64,
    /// Readings dropped because it was full.
    pub dropped: AtomicU64,
    /// Parts of the input that the source itself could not use, such as malformed lines.
    pub rejected: AtomicU64,
    sequence: AtomicU64,
}

/// The sending side.
#[derive(Clone)]
pub struct Port {
    world: World,
    readings: flume::Sender<Posted>,
    oldest: flume::Receiver<Posted>,
    policy: Policy,
    doorbell: Doorbell,
    counts: Arc<Counts>,
}

impl Port {
    /// A port that holds [`PORT_READINGS`], and the receiving side for the ring.
    pub fn new(world: World, policy: Policy, doorbell: Doorbell) -> (Port, flume::Receiver<Posted>) {
        let (readings, receiver) = flume::bounded(PORT_READINGS);
        let oldest = receiver.clone();
        let port = Port { world, readings, oldest, policy, doorbell, counts: Arc::default() };
        (port, receiver)
    }

    /// What was accepted and dropped so far.
    pub fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }

    /// The number of the next value, after which `values` numbers are taken.
    pub fn take_sequence(&self, values: usize) -> u64 {
        self.counts.sequence.fetch_add(values as u64, Ordering::Relaxed)
    }

    /// The number that the next value will have.
    pub fn next_sequence(&self) -> u64 {
        self.counts.sequence.load(Ordering::Relaxed)
    }

    /// Counts a part of the input that the source could not use; returns how many there were by now.
    pub fn reject(&self) -> u64 {
        self.counts.rejected.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Hands a reading to the ring, or does with it what the policy says when there is no room.
    pub async fn send(&self, reading: Reading) {
        let posted = Posted { at: self.world.now(), reading };
        let accepted = match self.policy {
            Policy::Block => self.readings.send_async(posted).await.is_ok(),
            Policy::DropNewest => self.readings.try_send(posted).is_ok(),
            Policy::DropOldest => self.send_newest(posted),
        };
        let count = if accepted { &self.counts.accepted } else { &self.counts.dropped };
        count.fetch_add(1, Ordering::Relaxed);
        self.doorbell.press();
    }

    fn send_newest(&self, mut posted: Posted) -> bool {
        loop {
            match self.readings.try_send(posted) {
                Ok(()) => return true,
                Err(flume::TrySendError::Disconnected(_)) => return false,
                Err(flume::TrySendError::Full(back)) => posted = back,
            }
            if self.oldest.try_recv().is_ok() {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix::{Actor, Context, Handler};
    use engine::sample::SourceId;

    use super::*;
    use crate::source::rig::simulate;

    /// Counts how often it is rung.
    struct Ring {
        rung: Arc<AtomicU64>,
    }

    impl Actor for Ring {
        type Context = Context<Ring>;
    }

    impl Handler<Arrived> for Ring {
        type Result = ();
        fn handle(&mut self, _: Arrived, _: &mut Context<Ring>) {
            self.rung.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn reading(sequence: u64) -> Reading {
        Reading { source: SourceId(0), sequence, timestamp_ms: None, values: Vec::new() }
    }

    #[test]
    fn a_full_port_does_as_its_policy_says() {
        const EXCESS: u64 = 10;
        const ALL: u64 = PORT_READINGS as u64 + EXCESS;
        let check = |policy, first: u64, accepted: u64, dropped: u64| {
            simulate(async {
                let (port, arriving) = Port::new(World::simulated(false), policy, Doorbell::default());
                for sequence in 0..ALL {
                    port.send(reading(sequence)).await;
                }
                let waiting: Vec<u64> = arriving.drain().map(|posted| posted.reading.sequence).collect();
                let expected: Vec<u64> = (first..first + PORT_READINGS as u64).collect();
                assert_eq!(waiting, expected, "{policy:?}");
                let counts = port.counts();
                assert_eq!(counts.accepted.load(Ordering::Relaxed), accepted, "{policy:?}");
                assert_eq!(counts.dropped.load(Ordering::Relaxed), dropped, "{policy:?}");
            });
        };
        check(Policy::DropOldest, EXCESS, ALL, EXCESS);
        check(Policy::DropNewest, 0, PORT_READINGS as u64, EXCESS);
    }

    #[test]
    fn a_blocking_port_loses_nothing() {
        simulate(async {
            let (port, arriving) = Port::new(World::simulated(false), Policy::Block, Doorbell::default());
            for sequence in 0..PORT_READINGS as u64 {
                port.send(reading(sequence)).await;
            }
            let one_more = port.send(reading(PORT_READINGS as u64));
            tokio::pin!(one_more);
            let patience = tokio::time::timeout(Duration::from_secs(3_600), &mut one_more).await;
            assert!(patience.is_err(), "it found room where there is none");

            assert_eq!(arriving.recv_async().await.unwrap().reading.sequence, 0);
            one_more.await;
            assert_eq!(arriving.drain().last().unwrap().reading.sequence, PORT_READINGS as u64);
            let counts = port.counts();
            assert_eq!(counts.accepted.load(Ordering::Relaxed), PORT_READINGS as u64 + 1);
            assert_eq!(counts.dropped.load(Ordering::Relaxed), 0);
        });
    }

    #[test]
    fn the_doorbell_rings_once_until_it_is_answered() {
        simulate(async {
            let rung = Arc::new(AtomicU64::new(0));
            let ring = Ring { rung: rung.clone() }.start();
            let doorbell = Doorbell::default();
            doorbell.connect(ring.downgrade().recipient());
            let world = World::simulated(false);
            let (port, _arriving) = Port::new(world, Policy::DropOldest, doorbell.clone());
            let ring_times = async |readings: u64| {
                for sequence in 0..readings {
                    port.send(reading(sequence)).await;
                }
                world.sleep_until(world.now() + Duration::from_millis(1)).await;
                rung.load(Ordering::Relaxed)
            };
            assert_eq!(ring_times(5).await, 1);
            assert_eq!(ring_times(5).await, 1);
            doorbell.answer();
            assert_eq!(ring_times(5).await, 2);
        });
    }

    #[test]
    fn sequence_numbers_go_on_across_restarts() {
        simulate(async {
            let (port, _arriving) =
                Port::new(World::simulated(false), Policy::DropOldest, Doorbell::default());
            let after_a_restart = port.clone();
            assert_eq!(port.take_sequence(3), 0);
            assert_eq!(after_a_restart.take_sequence(1), 3);
            assert_eq!(port.take_sequence(1), 4);
        });
    }
}
