//! What waits to be written: bounded, the oldest going first when there is no room.

use std::collections::VecDeque;
use std::sync::Arc;

use engine::event::Event;
use engine::sample::Sample;
use engine::tick::Tick;
use engine::value::Value;

/// The most rows that wait: some megabytes, and minutes of a busy panel.
pub(super) const MAX_PENDING_ROWS: usize = 50_000;

/// The most rows of one transaction, unless a single tick has more: 10 ms of writing or less.
pub(super) const BATCH_ROWS: usize = 1_000;

/// What one tick has to be written.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) tick: Tick,
    pub(super) now_ms: i64,
    pub(super) samples: Arc<[Sample]>,
    /// By label.
    pub(super) results: Vec<(Arc<str>, Option<Value>)>,
    pub(super) events: Arc<[Event]>,
}

impl Pending {
    pub(super) fn rows(&self) -> usize {
        self.samples.len() + self.results.len() + self.events.len()
    }
}

/// Ticks in their order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    ticks: VecDeque<Pending>,
    rows: usize,
}

impl Queue {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn ticks(&self) -> usize {
        self.ticks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ticks.is_empty()
    }

    /// Takes a tick, whose place is made by dropping the oldest ones; returns how many rows that cost. The
    /// newest stays, whatever its size.
    pub(super) fn push(&mut self, pending: Pending) -> usize {
        self.rows += pending.rows();
        self.ticks.push_back(pending);
        let mut dropped = 0;
        while self.rows > MAX_PENDING_ROWS && self.ticks.len() > 1 {
            dropped += self.pop(1);
        }
        dropped
    }

    /// The oldest ticks that make up one transaction; empty only if the queue is.
    pub(super) fn batch(&mut self) -> &[Pending] {
        let mut rows = 0;
        let fits = |pending: &&Pending| {
            rows += pending.rows();
            rows <= BATCH_ROWS
        };
        let fitting = self.ticks.iter().take_while(fits).count();
        let length = fitting.max(1).min(self.ticks.len());
        &self.ticks.make_contiguous()[..length]
    }

    /// Removes the oldest ticks; returns how many rows they had.
    pub(super) fn pop(&mut self, ticks: usize) -> usize {
        let rows = self.ticks.drain(..ticks.min(self.ticks.len())).map(|pending| pending.rows()).sum();
        self.rows -= rows;
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(tick: u64, rows: usize) -> Pending {
        let results = vec![("label".into(), None); rows];
        Pending { tick: Tick(tick), now_ms: 0, samples: Arc::new([]), results, events: Arc::new([]) }
    }

    #[test]
    fn batches_are_whole_ticks() {
        let check = |rows: &[usize], expected: &[usize]| {
            let mut queue = Queue::default();
            for (n, rows) in rows.iter().enumerate() {
                assert_eq!(queue.push(tick(n as u64, *rows)), 0);
            }
            let mut found = Vec::new();
            while !queue.is_empty() {
                found.push(queue.batch().len());
                queue.pop(found[found.len() - 1]);
            }
            assert_eq!((found.as_slice(), queue.rows()), (expected, 0), "{rows:?}");
        };
        check(&[], &[]);
        check(&[1, 2, 3], &[3]);
        check(&[BATCH_ROWS - 1, 1, 1], &[2, 1]);
        check(&[BATCH_ROWS + 1, 1], &[1, 1]);
        check(&[1, BATCH_ROWS, BATCH_ROWS], &[1, 1, 1]);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut queue = Queue::default();
        assert_eq!(queue.push(tick(0, MAX_PENDING_ROWS - 10)), 0);
        assert_eq!(queue.push(tick(1, 10)), 0);
        assert_eq!(queue.push(tick(2, 1)), MAX_PENDING_ROWS - 10);
        assert_eq!((queue.rows(), queue.batch()[0].tick), (11, Tick(1)));
        assert_eq!(queue.push(tick(3, MAX_PENDING_ROWS + 1)), 11);
        assert_eq!(queue.batch()[0].tick, Tick(3));
        assert_eq!(queue.push(tick(4, 1)), MAX_PENDING_ROWS + 1);
        assert_eq!((queue.rows(), queue.ticks()), (1, 1));
    }
}
