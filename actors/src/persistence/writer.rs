//! The writer's state: what waits, the connection while there is one, and when to try again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::queue::{BATCH_ROWS, Pending, Queue};
use super::rows::{self, Names, Performance};
use super::{Counts, Error, Ledger, Retention, retention, schema};
use crate::panel;
use crate::world::World;

/// The first pause after a failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many corrupt files are put aside in one run. A disk that ruins one after the other must not be
/// filled with them.
const MAX_SET_ASIDE: u32 = 3;

/// How often the database is told how its own writing goes.
const PERFORMANCE_EVERY: Duration = Duration::from_secs(10);

/// How often writing is tried at the end of a run.
const LAST_TRIES: u32 = 3;

/// Statements that are kept prepared.
const STATEMENTS: usize = 32;

/// Writes ledgers into the database.
pub(super) struct Writer {
    options: panel::Persistence,
    retention: Retention,
    labels: Vec<Option<Arc<str>>>,
    counts: Arc<Counts>,
    world: World,
    names: Names,
    queue: Queue,
    connection: Option<Connection>,
    /// When the first of what waits arrived.
    waiting_since: Duration,
    /// Not before this after a failure, and how long the pause was.
    retry: Option<(Duration, Duration)>,
    set_aside: u32,
    performance: Performance,
    performance_due: Duration,
}

impl Writer {
    pub(super) fn new(
        options: panel::Persistence,
        labels: Vec<Option<Arc<str>>>,
        counts: Arc<Counts>,
        world: World,
    ) -> Writer {
        Writer {
            options,
            retention: Retention::default(),
            labels,
            counts,
            world,
            names: Names::default(),
            queue: Queue::default(),
            connection: None,
            waiting_since: Duration::ZERO,
            retry: None,
            set_aside: 0,
            performance: Performance::default(),
            performance_due: world.now() + PERFORMANCE_EVERY,
        }
    }

    /// Opens the database, or plans another try.
    ///
    /// # Errors
    /// Those that are permanent.
    pub(super) fn open(&mut self) -> Result<(), Error> {
        match self.connect() {
            Ok(()) => Ok(()),
            Err(error) => self.fail(error),
        }
    }

    /// Takes what a tick has. What nobody will ever ask for is left out at once.
    pub(super) fn keep(&mut self, ledger: Ledger) {
        for (key, name) in ledger.new_keys.iter() {
            self.names.insert(*key, name.clone());
        }
        let label = |index: u32| self.labels.get(index as usize).cloned().flatten();
        let results = ledger.changed.iter().filter_map(|(id, value)| Some((label(id.0)?, value.clone())));
        let pending = Pending {
            tick: ledger.tick,
            now_ms: ledger.now_ms,
            results: results.collect(),
            samples: ledger.samples,
            events: ledger.events,
        };
        if pending.rows() == 0 {
            return;
        }
        if self.queue.is_empty() {
            self.waiting_since = self.world.now();
        }
        let dropped = self.queue.push(pending);
        self.drop_ledgers(dropped);
        self.show_pending();
    }

    /// When to flush, in world time; `None` while nothing waits.
    pub(super) fn due(&self) -> Option<Duration> {
        if self.queue.is_empty() {
            return None;
        }
        let is_much = self.queue.rows() >= BATCH_ROWS;
        let wait = if is_much { Duration::ZERO } else { self.options.flush };
        let due = self.waiting_since.saturating_add(wait);
        Some(self.retry.map_or(due, |(at, _)| at.max(due)))
    }

    /// Writes all that waits, or plans another try.
    ///
    /// # Errors
    /// Those that are permanent.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        let began = self.world.now();
        let result = self.write_all();
        self.waiting_since = self.world.now();
        self.show_pending();
        match result {
            Ok(()) => self.succeed(self.waiting_since.saturating_sub(began)),
            Err(error) => self.fail(error)?,
        }
        Ok(())
    }

    /// Writes what waits, as far as that is possible now, and closes the database.
    pub(super) fn close(mut self) {
        for _ in 0..LAST_TRIES {
            if self.queue.is_empty() || self.flush().is_err() {
                break;
            }
        }
        let mut lost = 0;
        while !self.queue.is_empty() {
            self.queue.pop(1);
            lost += 1;
        }
        if lost > 0 {
            tracing::error!(ticks = lost, "the last ticks could not be written");
        }
        self.drop_ledgers(lost);
        self.show_pending();
        let Some(connection) = self.connection else { return };
        // A log that is left behind is no harm: whoever opens the file next takes it in.
        let checkpoint = connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()));
        if let Err(error) = checkpoint.and(connection.close().map_err(|(_, error)| error)) {
            tracing::warn!("the database was not closed cleanly: {error}");
        }
    }

    fn connect(&mut self) -> Result<(), Error> {
        if self.connection.is_none() {
            let connection = schema::open(&self.options.file)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            self.retention.limit(&connection)?;
            self.connection = Some(connection);
        }
        Ok(())
    }

    fn write_all(&mut self) -> Result<(), Error> {
        self.connect()?;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let mut report = self.world.now() >= self.performance_due;
        while !self.queue.is_empty() {
            let batch = self.queue.batch();
            let (ticks, now_ms) = (batch.len(), batch.last().map_or(0, |last| last.now_ms));
            let performance = report.then_some(&self.performance);
            let written = rows::write(connection, batch, &self.names, performance)?;
            self.queue.pop(ticks);
            if report {
                report = false;
                self.performance = Performance::default();
                self.performance_due = self.world.now() + PERFORMANCE_EVERY;
            }
            self.performance.rows += written.rows;
            self.counts.rows.fetch_add(written.rows, Ordering::Relaxed);
            self.counts.nameless.fetch_add(written.nameless, Ordering::Relaxed);
            self.retention.step(connection, now_ms, written.rows)?;
        }
        self.counts.database_bytes.store(retention::file_bytes(connection)?, Ordering::Relaxed);
        Ok(())
    }

    fn succeed(&mut self, took: Duration) {
        self.retry = None;
        self.performance.flushes += 1;
        self.performance.longest_flush_ms = self.performance.longest_flush_ms.max(took.as_secs_f64() * 1e3);
        self.counts.flushes.fetch_add(1, Ordering::Relaxed);
        self.counts.last_flush_us.store(took.as_micros() as u64, Ordering::Relaxed);
        if self.counts.degraded.swap(false, Ordering::Relaxed) {
            tracing::info!(file = %self.options.file.display(), "persistence works again");
        }
    }

    /// Does what may help against `error`, and plans another try.
    fn fail(&mut self, error: Error) -> Result<(), Error> {
        if error.is_permanent() {
            return Err(error);
        }
        self.counts.failures.fetch_add(1, Ordering::Relaxed);
        let was_degraded = self.counts.degraded.swap(true, Ordering::Relaxed);
        let pause = self.retry.map_or(FIRST_PAUSE, |(_, pause)| (pause * 2).min(LONGEST_PAUSE));
        self.retry = Some((self.world.now() + pause, pause));
        if !was_degraded || pause == LONGEST_PAUSE {
            let file = self.options.file.display();
            tracing::warn!(%file, pause_ms = pause.as_millis(), "persistence is degraded: {error}");
        }
        if let Error::Sqlite(error) = &error {
            self.remedy(error);
        }
        Ok(())
    }

    fn remedy(&mut self, error: &rusqlite::Error) {
        if schema::is_corrupt(error) {
            self.put_aside();
            return;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {}
            Some(ErrorCode::DiskFull) => {
                // Works where our own limit was hit; where the disk is full this fails too, and time helps.
                self.connection.as_ref().map(retention::make_room);
            }
            Some(
                ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
            ) => self.connection = None,
            // Not the disk but the rows are at fault: with them in front nothing would ever be written.
            _ if self.connection.is_some() => {
                self.connection = None;
                let ticks = self.queue.batch().len();
                self.queue.pop(ticks);
                self.drop_ledgers(ticks as u64);
                self.show_pending();
            }
            _ => {}
        }
    }

    fn put_aside(&mut self) {
        self.connection = None;
        if self.set_aside == MAX_SET_ASIDE {
            return;
        }
        let file = self.options.file.display();
        match schema::set_aside(&self.options.file, self.world.unix_ms()) {
            Ok(aside) => {
                self.set_aside += 1;
                tracing::error!(%file, aside = %aside.display(), "a corrupt database was set aside");
            }
            Err(error) => tracing::error!(%file, "a corrupt database cannot be set aside: {error}"),
        }
    }

    fn drop_ledgers(&mut self, ticks: u64) {
        self.performance.dropped += ticks;
        self.counts.dropped.fetch_add(ticks, Ordering::Relaxed);
    }

    fn show_pending(&self) {
        self.counts.pending_rows.store(self.queue.rows() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
