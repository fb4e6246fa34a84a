//! The writer's mailbox: bounded in ledgers and in rows, since a ledger may hold one row or as many
//! samples as the ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Ledger;

/// Ledgers that wait for the writer before new ones are refused: about a minute of busy ticks.
pub const LEDGERS_MAX: usize = 4_096;

/// Rows that wait for the writer before new ones are refused: some megabytes.
pub const ROWS_MAX: usize = 50_000;

/// What the writer is told.
#[derive(Debug)]
pub(super) enum Entry {
    /// Keep this; written with the next flush.
    Keep(Ledger),
    /// The last message: write everything, close the database, then answer.
    Drain(flume::Sender<()>),
}

/// A mailbox and the end at which its entries arrive.
pub fn mailbox() -> (Mailbox, Arriving) {
    let (entries, arriving) = flume::bounded(LEDGERS_MAX);
    let rows = Arc::new(AtomicUsize::new(0));
    (Mailbox { entries, rows: rows.clone() }, Arriving { entries: arriving, rows })
}

/// Where ledgers are put in for the writer.
#[derive(Clone, Debug)]
pub struct Mailbox {
    entries: flume::Sender<Entry>,
    /// Rows that wait.
    rows: Arc<AtomicUsize>,
}

impl Mailbox {
    /// Puts a ledger in, without ever waiting. One that has more than [`ROWS_MAX`] rows goes in only where
    /// nothing else waits.
    ///
    /// # Errors
    /// The ledger, where there is no room for it or the writer is gone.
    pub fn keep(&self, ledger: Ledger) -> Result<(), Ledger> {
        let rows = ledger.rows();
        let with = |waiting: usize| {
            let sum = waiting.saturating_add(rows);
            (rows == 0 || waiting == 0 || sum <= ROWS_MAX).then_some(sum)
        };
        // Counted before it is sent, so that its arrival never takes off what was not added yet.
        if self.rows.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with).is_err() {
            return Err(ledger);
        }
        match self.entries.try_send(Entry::Keep(ledger)).map_err(flume::TrySendError::into_inner) {
            Err(Entry::Keep(ledger)) => {
                self.rows.fetch_sub(rows, Ordering::Relaxed);
                Err(ledger)
            }
            Ok(()) | Err(Entry::Drain(_)) => Ok(()),
        }
    }

    /// How many ledgers wait.
    pub fn waiting(&self) -> usize {
        self.entries.len()
    }

    /// Tells the writer to write everything and close the database, which is the last thing that it takes.
    /// Returns whether it has done so; not, where it is gone.
    pub async fn drain(&self) -> bool {
        let (answer, drained) = flume::bounded(1);
        self.entries.send_async(Entry::Drain(answer)).await.is_ok() && drained.recv_async().await.is_ok()
    }
}

/// Where the writer takes out what was put in.
#[derive(Debug)]
pub struct Arriving {
    entries: flume::Receiver<Entry>,
    rows: Arc<AtomicUsize>,
}

impl Arriving {
    /// The next entry; `None` when nobody is left who could put one in.
    pub(super) async fn next(&self) -> Option<Entry> {
        let entry = self.entries.recv_async().await.ok()?;
        if let Entry::Keep(ledger) = &entry {
            self.rows.fetch_sub(ledger.rows(), Ordering::Relaxed);
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use engine::formula::FormulaId;
    use engine::tick::Tick;

    use super::*;
    use crate::source::rig::simulate;

    fn ledger(rows: usize) -> Ledger {
        Ledger {
            tick: Tick(0),
            now_ms: 0,
            new_keys: Arc::new([]),
            samples: Arc::new([]),
            changed: vec![(FormulaId(0), None); rows].into(),
            events: Arc::new([]),
        }
    }

    /// Puts ledgers with so many rows in, takes one out wherever there is `None`, and compares which were
    /// taken.
    fn check(steps: &[Option<usize>], taken: &[usize]) {
        simulate(async {
            let (mailbox, arriving) = mailbox();
            let mut found = Vec::new();
            for step in steps {
                match step {
                    Some(rows) => match mailbox.keep(ledger(*rows)) {
                        Ok(()) => found.push(*rows),
                        Err(back) => assert_eq!(back.rows(), *rows),
                    },
                    None => assert!(arriving.next().await.is_some()),
                }
            }
            assert_eq!(found, taken, "{steps:?}");
        });
    }

    #[test]
    fn rows_are_bounded() {
        check(&[Some(ROWS_MAX - 1), Some(2), Some(1), Some(1), Some(0)], &[ROWS_MAX - 1, 1, 0]);
        check(&[Some(ROWS_MAX), Some(1), None, Some(1)], &[ROWS_MAX, 1]);
        check(&[Some(ROWS_MAX + 1), Some(1), None, Some(1), Some(2)], &[ROWS_MAX + 1, 1, 2]);
        check(&[Some(1), Some(ROWS_MAX + 1), None, Some(ROWS_MAX + 1)], &[1, ROWS_MAX + 1]);
    }

    #[test]
    fn ledgers_are_bounded_and_one_without_room_leaves_no_trace() {
        let (mailbox, arriving) = mailbox();
        (0..LEDGERS_MAX).for_each(|_| mailbox.keep(ledger(1)).unwrap());
        assert!(mailbox.keep(ledger(1)).is_err());
        simulate(async {
            for _ in 0..LEDGERS_MAX {
                arriving.next().await.unwrap();
            }
        });
        assert_eq!(mailbox.rows.load(Ordering::Relaxed), 0);
        drop(arriving);
        assert!(mailbox.keep(ledger(1)).is_err(), "the writer is gone");
        assert_eq!(mailbox.rows.load(Ordering::Relaxed), 0);
    }
}
