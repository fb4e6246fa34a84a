//! Ports: a source's bounded way into the ring, with counted drops. A port belongs to the supervisor and
//! outlives the source's restarts, so that what was accepted is never lost and numbers go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix::{Message, Recipient};
use engine::sample::Reading;

use crate::source::Policy;

/// Readings that a port holds before its policy sets in.
pub const PORT_READINGS: usize = 1_024;

/// Tells the ring that readings wait in some port. At most one is on its way at a time.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Arrived;

/// Wakes the ring, once for any number of readings that arrive before it has looked.
#[derive(Clone)]
pub struct Doorbell {
    rung: Arc<AtomicBool>,
    ring: Recipient<Arrived>,
}

impl Doorbell {
    /// A doorbell at `ring`.
    pub fn new(ring: Recipient<Arrived>) -> Doorbell {
        Doorbell { rung: Arc::new(AtomicBool::new(false)), ring }
    }

    fn press(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.ring.do_send(Arrived);
        }
    }

    /// Called by the ring before it looks into its ports: what arrives from now on rings again.
    pub fn answer(&self) {
        self.rung.store(false, Ordering::Release);
    }
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
    readings: flume::Sender<Reading>,
    oldest: flume::Receiver<Reading>,
    policy: Policy,
    doorbell: Doorbell,
    counts: Arc<Counts>,
}

impl Port {
    /// A port that holds [`PORT_READINGS`], and the receiving side for the ring.
    pub fn new(policy: Policy, doorbell: Doorbell) -> (Port, flume::Receiver<Reading>) {
        let (readings, receiver) = flume::bounded(PORT_READINGS);
        let oldest = receiver.clone();
        let port = Port { readings, oldest, policy, doorbell, counts: Arc::default() };
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

    /// Counts a part of the input that the source could not use; returns how many there were by now.
    pub fn reject(&self) -> u64 {
        self.counts.rejected.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Hands a reading to the ring, or does with it what the policy says when there is no room.
    pub async fn send(&self, reading: Reading) {
        let accepted = match self.policy {
            Policy::Block => self.readings.send_async(reading).await.is_ok(),
            Policy::DropNewest => self.readings.try_send(reading).is_ok(),
            Policy::DropOldest => self.send_newest(reading),
        };
        let count = if accepted { &self.counts.accepted } else { &self.counts.dropped };
        count.fetch_add(1, Ordering::Relaxed);
        self.doorbell.press();
    }

    fn send_newest(&self, mut reading: Reading) -> bool {
        loop {
            match self.readings.try_send(reading) {
                Ok(()) => return true,
                Err(flume::TrySendError::Disconnected(_)) => return false,
                Err(flume::TrySendError::Full(back)) => reading = back,
            }
            if self.oldest.try_recv().is_ok() {
                self.counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
