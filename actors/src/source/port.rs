//! Ports: a source's bounded way into the ring, with counted drops.
//!
//! A [`Port`] belongs to the supervisor and outlives the source's restarts: the readings that wait, the
//! numbers of samples, and the [`Place`] that the source has reached in its input. Each generation of the
//! source is given an [`Inlet`] of its own. What an inlet sends, the number it takes and the place it
//! leaves are one step behind the source's fence. So a generation that was given up and wakes up late
//! changes nothing, and the next one goes on exactly behind what was accepted.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use actix::{Message, Recipient, WeakRecipient};
use engine::sample::{Reading, SourceId};
use engine::value::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::source::push::{PORT_BYTES, Refusal};
use crate::source::{Error, Place, Policy};
use crate::supervisor::fence::Pass;
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
    /// How much of [`PORT_BYTES`] it takes.
    bytes: usize,
}

/// What a port has counted. A reading that was offered waits, was taken, or was dropped.
#[derive(Debug, Default)]
pub struct Counts {
    /// Readings offered. One whose sender is fenced, or that waits for room, is not yet.
    pub offered: AtomicU64,
    /// Readings dropped because the port was full.
    pub dropped: AtomicU64,
    /// Parts of the input that the source itself could not use, such as malformed lines.
    pub rejected: AtomicU64,
}

impl Counts {
    /// Readings that were handed to the ring or wait for it: those offered and not dropped.
    pub fn accepted(&self) -> u64 {
        // Read first, since it never exceeds what was offered by then.
        let dropped = self.dropped.load(Ordering::Acquire);
        self.offered.load(Ordering::Acquire) - dropped
    }
}

/// What has become of the readings that a source offered: those that neither were dropped nor wait were taken
/// into the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Readings offered.
    pub offered: u64,
    /// Readings dropped because the port was full.
    pub dropped: u64,
    /// Readings that still wait in the port.
    pub waiting: u64,
}

/// What a source sends: a reading without the number that the port gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Letter {
    /// Unix time in milliseconds, or `None` to take the engine's time at the seal.
    pub timestamp_ms: Option<i64>,
    /// Key (without the source's name) and value.
    pub values: Vec<(Arc<str>, Value)>,
}

/// What outlives a source's restarts.
#[derive(Clone)]
pub struct Port {
    shared: Arc<Shared>,
}

struct Shared {
    source: SourceId,
    world: World,
    policy: Policy,
    doorbell: Doorbell,
    counts: Arc<Counts>,
    readings: flume::Sender<Posted>,
    /// The same queue, to make room by dropping its oldest reading.
    waiting: flume::Receiver<Posted>,
    /// A permit for every reading that a port with [`Policy::Block`] has room for.
    room: Arc<Semaphore>,
    /// Bytes of what was pushed and waits.
    bytes: Arc<AtomicUsize>,
    gate: Mutex<Gate>,
}

/// What changes with every reading. No code of a source runs while it is locked.
#[derive(Default)]
struct Gate {
    sequence: u64,
    place: Option<Place>,
    /// The generation that lets others push.
    serving: Option<u64>,
}

impl Port {
    /// The port of a source, which holds [`PORT_READINGS`], and the receiving side.
    pub fn new(source: SourceId, world: World, policy: Policy, doorbell: Doorbell) -> (Port, Arrivals) {
        let (readings, queue) = flume::bounded(PORT_READINGS);
        let room = Arc::new(Semaphore::new(PORT_READINGS));
        let (counts, bytes, gate) = (Arc::default(), Arc::<AtomicUsize>::default(), Mutex::default());
        let (waiting, limit) = (queue.clone(), (policy == Policy::Block).then(|| room.clone()));
        let arrivals = Arrivals { queue, held: Arc::default(), room: limit, bytes: bytes.clone() };
        let shared = Shared { source, world, policy, doorbell, counts, readings, waiting, room, bytes, gate };
        (Port { shared: Arc::new(shared) }, arrivals)
    }

    /// The sending side of the generation that `pass` is for. To be called when no generation before it is
    /// let in any more, so that the place that it goes on from is the last one.
    pub fn open(&self, pass: Pass) -> Inlet {
        Inlet { shared: self.shared.clone(), pass, place: self.place() }
    }

    /// Sends a reading from outside the source, which has to [serve](Inlet::serve). Never waits: where the
    /// policy is not to drop the oldest, what there is no room for is refused, and counted as dropped. It
    /// takes no number then: whoever sends it again leaves no gap.
    ///
    /// # Errors
    /// [`Refusal::Full`] and [`Refusal::Stopped`].
    pub fn push(&self, letter: Letter) -> Result<(), Refusal> {
        let mut gate = self.shared.gate();
        if gate.serving.is_none() {
            return Err(Refusal::Stopped);
        }
        let bytes = letter.values.iter().map(|(key, value)| key.len() + weight(value)).sum();
        let number = gate.sequence;
        let was_taken = self.shared.post(&mut gate, letter, bytes);
        if !was_taken {
            gate.sequence = number;
        }
        drop(gate);
        self.shared.doorbell.press();
        if was_taken { Ok(()) } else { Err(Refusal::Full) }
    }

    /// What was offered and dropped so far.
    pub fn counts(&self) -> Arc<Counts> {
        self.shared.counts.clone()
    }

    /// What has become of what was offered, where `arrivals` is the other end.
    pub fn traffic(&self, arrivals: &Arrivals) -> Traffic {
        let counts = &self.shared.counts;
        Traffic {
            offered: counts.offered.load(Ordering::Acquire),
            dropped: counts.dropped.load(Ordering::Acquire),
            waiting: arrivals.len() as u64,
        }
    }

    /// The number that the next value will have.
    pub fn next_sequence(&self) -> u64 {
        self.shared.gate().sequence
    }

    /// Where the source has come to in its input: behind the last reading that it offered.
    pub fn place(&self) -> Option<Place> {
        self.shared.gate().place.clone()
    }
}

impl Shared {
    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how far the source has come.
    fn leave(&self, place: Option<Place>, rejected: u64) -> MutexGuard<'_, Gate> {
        let mut gate = self.gate();
        gate.place = place.or(gate.place.take());
        self.counts.rejected.fetch_add(rejected, Ordering::Relaxed);
        gate
    }

    /// Numbers a reading and puts it into the queue, or does with it what the policy says when there is no
    /// room; returns whether it was taken. What is dropped has its number too, so that a gap shows it. Nobody else sends meanwhile; the ring may take.
    fn post(&self, gate: &mut Gate, letter: Letter, bytes: usize) -> bool {
        let Letter { timestamp_ms, values } = letter;
        let (source, sequence) = (self.source, gate.sequence);
        gate.sequence += values.len() as u64;
        self.counts.offered.fetch_add(1, Ordering::Release);
        let reading = Reading { source, sequence, timestamp_ms, values };
        let posted = Posted { at: self.world.now(), reading, bytes };
        while self.is_full(bytes) {
            if self.policy != Policy::DropOldest {
                self.counts.dropped.fetch_add(1, Ordering::Release);
                return false;
            }
            if let Ok(oldest) = self.waiting.try_recv() {
                self.bytes.fetch_sub(oldest.bytes, Ordering::AcqRel);
                self.counts.dropped.fetch_add(1, Ordering::Release);
            }
        }
        self.bytes.fetch_add(bytes, Ordering::AcqRel);
        // There is room, since only what holds the gate sends, and a receiver, which this holds too.
        self.readings.try_send(posted).is_ok()
    }

    fn is_full(&self, bytes: usize) -> bool {
        let too_heavy = self.bytes.load(Ordering::Acquire).saturating_add(bytes) > PORT_BYTES;
        self.waiting.is_full() || (too_heavy && !self.waiting.is_empty())
    }
}

/// The bytes that a value takes beside its key.
fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Number(_) | Value::Bool(_) => size_of::<Value>(),
    }
}

/// Room for one reading; given back unless a reading is sent with it.
pub struct Room<'a>(Option<SemaphorePermit<'a>>);

/// A generation's sending side.
pub struct Inlet {
    shared: Arc<Shared>,
    pass: Pass,
    place: Option<Place>,
}

impl Inlet {
    /// Where the generations before had come to in the input; `None` at the beginning.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// Waits until there is room for a reading, as long as the policy says so.
    pub async fn room(&self) -> Room<'_> {
        match self.shared.policy {
            Policy::Block => Room(self.shared.room.acquire().await.ok()),
            Policy::DropOldest | Policy::DropNewest => Room(None),
        }
    }

    /// Sends a reading, in whose stead its policy may drop one; notes where the source is in its input then,
    /// and that it could not use `rejected` parts of it on the way.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the generation is fenced: nothing has changed.
    pub fn send(
        &self,
        room: Room<'_>,
        letter: Letter,
        place: Option<Place>,
        rejected: u64,
    ) -> Result<(), Error> {
        self.enter(|| {
            let mut gate = self.shared.leave(place, rejected);
            if let Some(permit) = room.0 {
                permit.forget();
            }
            self.shared.post(&mut gate, letter, 0);
        })?;
        self.shared.doorbell.press();
        Ok(())
    }

    /// Notes where the source is in its input, and that it could not use `rejected` parts of it on the way.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the generation is fenced: nothing has changed.
    pub fn mark(&self, place: Option<Place>, rejected: u64) -> Result<(), Error> {
        self.enter(|| drop(self.shared.leave(place, rejected)))
    }

    /// Lets others [push](Port::push), until what is returned is dropped.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the generation is fenced.
    pub fn serve(&self) -> Result<Serving, Error> {
        let generation = self.pass.generation();
        self.enter(|| self.shared.gate().serving = Some(generation))?;
        Ok(Serving { shared: self.shared.clone(), generation })
    }

    /// Does `write`, where the generation may.
    fn enter(&self, write: impl FnOnce()) -> Result<(), Error> {
        self.pass.enter(write).ok_or(Error::Stopped)
    }
}

/// A generation that lets others push into its port.
pub struct Serving {
    shared: Arc<Shared>,
    generation: u64,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut gate = self.shared.gate();
        gate.serving = gate.serving.filter(|generation| *generation != self.generation);
    }
}

/// The receiving side of a port.
#[derive(Clone)]
pub struct Arrivals {
    queue: flume::Receiver<Posted>,
    /// The oldest reading, where it was looked at and had to wait: then the port holds one more.
    held: Arc<Mutex<Option<Posted>>>,
    room: Option<Arc<Semaphore>>,
    bytes: Arc<AtomicUsize>,
}

impl Arrivals {
    /// How many readings wait.
    pub fn len(&self) -> usize {
        let held = self.held();
        self.queue.len() + usize::from(held.is_some())
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the oldest reading that waits. Never blocks, and runs no code of a source.
    pub fn take(&self) -> Option<Posted> {
        self.take_if(|_| true)
    }

    /// The same, if `fits` says so of it; else it goes on waiting, and stays the oldest.
    pub fn take_if(&self, fits: impl FnOnce(&Reading) -> bool) -> Option<Posted> {
        let mut held = self.held();
        let posted = held.take().or_else(|| self.queue.try_recv().ok())?;
        if !fits(&posted.reading) {
            *held = Some(posted);
            return None;
        }
        drop(held);
        self.make_room(&posted);
        Some(posted)
    }

    /// Takes the oldest reading, as soon as there is one; `None` when no port is left that could send one.
    pub async fn next(&self) -> Option<Posted> {
        if let Some(held) = self.take() {
            return Some(held);
        }
        let posted = self.queue.recv_async().await.ok()?;
        self.make_room(&posted);
        Some(posted)
    }

    fn held(&self) -> MutexGuard<'_, Option<Posted>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_room(&self, taken: &Posted) {
        self.bytes.fetch_sub(taken.bytes, Ordering::AcqRel);
        if let Some(room) = &self.room {
            room.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests;
