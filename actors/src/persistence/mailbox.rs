//! The writer's mailbox: bounded in ledgers and in rows, since a ledger may hold one row or as many
//! samples as the ring.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Ledger;
use super::keeping::Keeping;
use super::rows::Names;

/// Ledgers that wait for the writer before new ones are refused: about a minute of busy ticks.
pub const LEDGERS_MAX: usize = 4_096;

/// Rows that wait for the writer before new ones are refused: some megabytes.
pub const ROWS_MAX: usize = 50_000;

/// A mailbox and the end at which its ledgers arrive.
pub fn mailbox() -> (Mailbox, Arriving) {
    let (ledgers, arriving) = flume::bounded(LEDGERS_MAX);
    let rows = Arc::new(AtomicUsize::new(0));
    (Mailbox { ledgers, rows: rows.clone() }, Arriving { ledgers: arriving, rows, estate: Arc::default() })
}

/// Where ledgers are put in for the writer.
#[derive(Clone, Debug)]
pub struct Mailbox {
    ledgers: flume::Sender<Ledger>,
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
        self.ledgers.try_send(ledger).map_err(|refused| {
            self.rows.fetch_sub(rows, Ordering::Relaxed);
            refused.into_inner()
        })
    }

    /// How many ledgers wait.
    pub fn waiting(&self) -> usize {
        self.ledgers.len()
    }
}

/// Where the writer takes out what was put in. It outlives a writer that fails: the next one goes on.
#[derive(Clone, Debug)]
pub struct Arriving {
    ledgers: flume::Receiver<Ledger>,
    rows: Arc<AtomicUsize>,
    /// What a writer leaves to the one after it.
    pub(super) estate: Arc<Estate>,
}

/// What has to be known of the writers before, should they fail.
#[derive(Debug, Default)]
pub(super) struct Estate {
    /// The names of keys, each of which is told once.
    names: Mutex<Names>,
    /// What scripts keep.
    kept: Mutex<Keeping>,
    /// Rows that the writer has taken out and not yet written.
    pub(super) waiting: AtomicUsize,
    /// How many corrupt files were put aside.
    pub(super) set_aside: AtomicU32,
}

impl Estate {
    /// Does something with the names.
    pub(super) fn names<T>(&self, with: impl FnOnce(&mut Names) -> T) -> T {
        with(&mut self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something with what scripts keep.
    pub(super) fn kept<T>(&self, with: impl FnOnce(&mut Keeping) -> T) -> T {
        with(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Arriving {
    /// The next ledger; `None` when nobody is left who could put one in.
    pub(super) async fn next(&self) -> Option<Ledger> {
        let ledger = self.ledgers.recv_async().await.ok()?;
        self.rows.fetch_sub(ledger.rows(), Ordering::Relaxed);
        Some(ledger)
    }

    /// The next ledger, if one is there.
    pub(super) fn try_next(&self) -> Option<Ledger> {
        let ledger = self.ledgers.try_recv().ok()?;
        self.rows.fetch_sub(ledger.rows(), Ordering::Relaxed);
        Some(ledger)
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
            kept: Arc::new([]),
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
