//! The ring: an append log of samples with a fixed capacity, which overwrites its oldest. Samples keep the
//! order of their arrival; readers hold [`Cursor`]s and learn how many they missed.
//!
//! ```
//! use engine::ring::{Cursor, Limits, Ring};
//! use engine::sample::{KeyId, Sample, SourceId};
//! use engine::value::Value;
//!
//! let mut ring = Ring::new(Limits { samples: 2, ..Limits::default() });
//! let mut cursor = Cursor::default();
//! for (sequence, n) in [1.0, 2.0, 3.0].into_iter().enumerate() {
//!     let (source, key, value) = (SourceId(0), KeyId(0), Value::Number(n));
//!     ring.push(Sample { source, key, value, timestamp_ms: 0, sequence: sequence as u64 });
//! }
//! let (missed, samples) = ring.read(&mut cursor);
//! assert_eq!((missed, samples.count()), (1, 2));
//! assert_eq!(ring.overwritten(KeyId(0)), 1);
//! ```

pub mod intake;
pub mod keys;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::sample::{KeyId, Reading, Sample};
use crate::value::Value;

/// How much a ring keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most samples.
    pub samples: usize,
    /// The most bytes, texts included.
    pub bytes: usize,
    /// The most keys.
    pub keys: usize,
}

impl Default for Limits {
    /// 10,000 samples, 15 MB, 4,096 keys.
    fn default() -> Limits {
        Limits { samples: 10_000, bytes: 15_000_000, keys: 4_096 }
    }
}

/// A reader's place in a ring. The default is before everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    next: u64,
}

/// The bounded buffer of recent samples.
#[derive(Clone, Debug)]
pub struct Ring {
    samples: VecDeque<Sample>,
    capacity: usize,
    bytes: usize,
    bytes_max: usize,
    pushed_bytes: u64,
    /// The arrival number of the oldest sample kept.
    first: u64,
    /// Per key: the arrival number of its newest sample plus one, and how many were overwritten.
    keys: Vec<(u64, u64)>,
}

impl Ring {
    /// An empty ring. Its memory is taken now, all at once.
    pub fn new(limits: Limits) -> Ring {
        let capacity = limits.samples.min(limits.bytes / size_of::<Sample>()).max(1);
        Ring {
            samples: VecDeque::with_capacity(capacity),
            capacity,
            bytes: 0,
            bytes_max: limits.bytes,
            pushed_bytes: 0,
            first: 0,
            keys: Vec::with_capacity(limits.keys),
        }
    }

    /// Appends a sample; the oldest ones make room for it. One that alone is larger than the whole ring is
    /// kept alone.
    pub fn push(&mut self, sample: Sample) {
        let bytes = bytes_of(&sample);
        while self.samples.len() >= self.capacity || self.bytes + bytes > self.bytes_max {
            if !self.overwrite_oldest() {
                break;
            }
        }
        let key = sample.key.0 as usize;
        if key >= self.keys.len() {
            self.keys.resize(key + 1, (0, 0));
        }
        self.bytes += bytes;
        self.pushed_bytes += bytes as u64;
        self.samples.push_back(sample);
        self.keys[key].0 = self.end();
    }

    /// The most bytes that the values of a reading take in a ring.
    pub fn bytes_for(reading: &Reading) -> u64 {
        let texts = reading.values.iter().map(|(_, value)| text_bytes(value));
        texts.map(|text| (size_of::<Sample>() + text) as u64).sum()
    }

    /// Appends samples in their order.
    pub fn push_batch(&mut self, samples: impl IntoIterator<Item = Sample>) {
        samples.into_iter().for_each(|sample| self.push(sample));
    }

    /// The newest sample of `key`, unless it was overwritten already.
    pub fn latest(&self, key: KeyId) -> Option<&Sample> {
        let (after, _) = self.keys.get(key.0 as usize)?;
        let index = after.checked_sub(1)?.checked_sub(self.first)?;
        self.samples.get(usize::try_from(index).ok()?)
    }

    /// The newest `count` samples of all keys, the oldest of them first.
    pub fn latest_batch(&self, count: usize) -> impl Iterator<Item = &Sample> {
        self.samples.iter().skip(self.samples.len().saturating_sub(count))
    }

    /// Samples that arrived as number `arrival` or later; numbers start with 0.
    pub fn since(&self, arrival: u64) -> impl Iterator<Item = &Sample> {
        let skipped = usize::try_from(arrival.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.samples.range(skipped.min(self.samples.len())..)
    }

    /// Samples stamped `timestamp_ms` or later, in the order of their arrival.
    pub fn since_timestamp(&self, timestamp_ms: i64) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.timestamp_ms >= timestamp_ms)
    }

    /// The samples of `key` stamped in the half-open span (`now_ms` - `span_ms`, `now_ms`], in the order of
    /// their arrival.
    pub fn window(&self, key: KeyId, span_ms: i64, now_ms: i64) -> impl Iterator<Item = &Sample> {
        let after = now_ms.saturating_sub(span_ms);
        self.samples.iter().filter(move |sample| {
            sample.key == key && sample.timestamp_ms > after && sample.timestamp_ms <= now_ms
        })
    }

    /// What arrived since the cursor's last reading: how many samples it missed because they were
    /// overwritten, and the others.
    pub fn read(&self, cursor: &mut Cursor) -> (u64, impl Iterator<Item = &Sample>) {
        let missed = self.first.saturating_sub(cursor.next);
        let unread = self.since(cursor.next);
        cursor.next = self.end();
        (missed, unread)
    }

    /// How many samples of `key` were overwritten so far.
    pub fn overwritten(&self, key: KeyId) -> u64 {
        self.keys.get(key.0 as usize).map_or(0, |(_, overwritten)| *overwritten)
    }

    /// How many samples of all keys were overwritten so far.
    pub fn overwritten_total(&self) -> u64 {
        self.first
    }

    /// The number of samples kept.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether it keeps no sample.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The bytes that its samples take, texts included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The most samples that it keeps.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The most bytes that it keeps.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// The bytes of all samples that were ever pushed.
    pub fn pushed_bytes(&self) -> u64 {
        self.pushed_bytes
    }

    /// How many samples a cursor has not read yet, those it has missed included.
    pub fn unread(&self, cursor: &Cursor) -> usize {
        usize::try_from(self.end().saturating_sub(cursor.next)).unwrap_or(usize::MAX)
    }

    /// The arrival number that the next sample will have.
    pub fn end(&self) -> u64 {
        self.first + self.samples.len() as u64
    }

    fn overwrite_oldest(&mut self) -> bool {
        let Some(oldest) = self.samples.pop_front() else { return false };
        self.bytes -= bytes_of(&oldest);
        self.keys[oldest.key.0 as usize].1 += 1;
        self.first += 1;
        true
    }
}

fn bytes_of(sample: &Sample) -> usize {
    size_of::<Sample>() + text_bytes(&sample.value)
}

fn text_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Number(_) | Value::Bool(_) => 0,
    }
}

#[cfg(test)]
mod tests;
