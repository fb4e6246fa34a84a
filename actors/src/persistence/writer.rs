//! The writer's state: what waits, the connection while there is one, and when to try again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::mailbox::Estate;
use super::queue::{BATCH_ROWS, Pending, Queue};
use super::rows::{self, Names, Performance, Written};
use super::{Error, Ledger, Retention, retention, schema};
use crate::panel;
use crate::supervisor::worker;
use crate::telemetry;
use crate::world::World;

/// The first pause after a failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many corrupt files are put aside in one run, by all its writers. A disk that ruins one after the other must not be
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
    telemetry: telemetry::Persistence,
    counts: Counts,
    world: World,
    supervision: worker::Context,
    estate: Arc<Estate>,
    names: Names,
    queue: Queue,
    connection: Option<Connection>,
    /// When the first of what waits arrived.
    waiting_since: Duration,
    /// Not before this after a failure, and how long the pause was.
    retry: Option<(Duration, Duration)>,
    /// Whether the file is no database of ours, which no time changes.
    refused: bool,
    performance: Performance,
    performance_due: Duration,
}

/// How it has gone so far.
#[derive(Debug, Default)]
struct Counts {
    /// Tries to open or write that failed.
    failures: u64,
    /// Rows that were lost.
    dropped: u64,
    /// Samples that were lost because nobody had named their key.
    nameless: u64,
    /// Whether the last try failed.
    degraded: bool,
}

impl Writer {
    pub(super) fn new(
        options: panel::Persistence,
        labels: Vec<Option<Arc<str>>>,
        supervision: worker::Context,
        telemetry: telemetry::Persistence,
        estate: Arc<Estate>,
    ) -> Writer {
        let (world, names) = (supervision.world, estate.names(|names| names.clone()));
        let mut writer = Writer {
            options,
            retention: Retention::default(),
            labels,
            telemetry,
            counts: Counts::default(),
            refused: false,
            world,
            names,
            queue: Queue::default(),
            connection: None,
            waiting_since: Duration::ZERO,
            retry: None,
            performance: Performance::default(),
            performance_due: world.now() + PERFORMANCE_EVERY,
            supervision,
            estate,
        };
        let lost = writer.estate.waiting.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(rows = lost, "what a writer that failed had in hand is lost");
        }
        writer.lose(lost);
        writer
    }

    /// Opens the database, or plans another try.
    pub(super) fn open(&mut self) {
        if let Err(error) = self.connect() {
            self.fail(&error);
        }
    }

    /// Takes what a tick has. What nobody will ever ask for is left out at once.
    pub(super) fn keep(&mut self, ledger: Ledger) {
        for (key, name) in ledger.new_keys.iter() {
            self.names.insert(*key, name.clone());
            self.estate.names(|names| names.insert(*key, name.clone()));
        }
        let label = |index: u32| self.labels.get(index as usize).cloned().flatten();
        let results = ledger.changed.iter().filter_map(|(id, value)| Some((label(id.0)?, value.clone())));
        let pending = Pending {
            tick: ledger.tick,
            now_ms: ledger.now_ms,
            results: results.collect(),
            samples: ledger.samples.clone(),
            events: ledger.events.clone(),
        };
        let was_empty = self.is_done();
        let keeps = !self.refused && self.estate.kept(|kept| kept.take(&ledger));
        if was_empty && (keeps || pending.rows() > 0) {
            self.waiting_since = self.world.now();
        }
        if pending.rows() == 0 {
            return;
        }
        let dropped = if self.refused { pending.rows() } else { self.queue.push(pending) };
        self.lose(dropped);
        self.show_queue();
    }

    /// Whether nothing waits to be written.
    fn is_done(&self) -> bool {
        self.queue.is_empty() && (self.refused || self.estate.kept(|kept| kept.is_written()))
    }

    /// When to flush, in world time; `None` while nothing waits.
    pub(super) fn due(&self) -> Option<Duration> {
        if self.is_done() {
            return None;
        }
        let is_much = self.queue.rows() >= BATCH_ROWS;
        let wait = if is_much { Duration::ZERO } else { self.options.flush };
        let due = self.waiting_since.saturating_add(wait);
        Some(self.retry.map_or(due, |(at, _)| at.max(due)))
    }

    /// Writes all that waits, or plans another try. A writer that was left behind does nothing: the one after
    /// it has the file.
    pub(super) fn flush(&mut self) {
        let result = self.write_all();
        if !self.supervision.pass.is_valid() {
            return;
        }
        self.waiting_since = self.world.now();
        match result {
            Ok(()) => self.succeed(),
            Err(error) => self.fail(&error),
        }
        self.show_queue();
    }

    /// Writes what waits, as far as that is possible now, and closes the database.
    pub(super) fn close(&mut self) {
        for _ in 0..LAST_TRIES {
            if !self.is_done() {
                self.flush();
            }
        }
        if !self.supervision.pass.is_valid() {
            return;
        }
        let lost = self.queue.pop(usize::MAX);
        if lost > 0 {
            tracing::error!(rows = lost, "the last ticks could not be written");
        }
        self.lose(lost);
        self.show_queue();
        let Some(connection) = self.connection.take() else { return };
        self.show_queue();
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
            self.estate.kept(|kept| kept.begin_anew());
            self.connection = Some(connection);
        }
        Ok(())
    }

    fn write_all(&mut self) -> Result<(), Error> {
        if !self.supervision.pass.is_valid() {
            return Ok(());
        }
        self.connect()?;
        while !self.is_done() {
            self.supervision.heart.beat();
            let began = self.world.now();
            let Some((written, now_ms)) = self.write_batch()? else { return Ok(()) };
            self.note(&written, self.world.now().saturating_sub(began));
            self.clean_up(now_ms, written.rows())?;
        }
        Ok(())
    }

    /// One transaction. Returns what it wrote, and the engine's time at its last tick; `None` where another
    /// writer has the file meanwhile.
    fn write_batch(&mut self) -> Result<Option<(Written, i64)>, Error> {
        let Some(connection) = &mut self.connection else { return Ok(None) };
        let report = self.world.now() >= self.performance_due;
        let batch = self.queue.batch();
        let kept = self.estate.kept(|kept| kept.unwritten());
        let newest = batch.iter().map(|pending| pending.now_ms);
        let newest = newest.chain(kept.iter().map(|(_, state)| state.now_ms)).max();
        let (ticks, now_ms) = (batch.len(), newest.unwrap_or(0));
        let (world, began) = (self.world, self.world.now());
        let may_commit = || {
            self.telemetry.write.record(world.now().saturating_sub(began));
            // Not behind the fence: a commit may take as long as the disk does, and the supervisor would wait.
            self.supervision.pass.is_valid()
        };
        let performance = report.then_some(&self.performance);
        let written = rows::write(connection, (batch, &kept), &self.names, performance, may_commit)?;
        let Some(written) = written else { return Ok(None) };
        self.queue.pop(ticks);
        self.estate.kept(|all| all.note_written(&kept));
        if report {
            self.performance = Performance::default();
            self.performance_due = self.world.now() + PERFORMANCE_EVERY;
        }
        Ok(Some((written, now_ms)))
    }

    fn clean_up(&mut self, now_ms: i64, written_rows: u64) -> Result<(), Error> {
        let Some(connection) = &self.connection else { return Ok(()) };
        self.retention.step(connection, now_ms, written_rows)?;
        let bytes = retention::file_bytes(connection)? as f64;
        self.telemetry.database_bytes.set(bytes);
        self.telemetry.memory.set(schema::cache_bytes(connection)?.min(bytes));
        Ok(())
    }

    fn note(&mut self, written: &Written, took: Duration) {
        self.performance.flushes += 1;
        self.performance.rows += written.rows();
        self.performance.longest_flush_ms = self.performance.longest_flush_ms.max(took.as_secs_f64() * 1e3);
        self.telemetry.flushes.increment(1);
        self.telemetry.flush.record(took.as_secs_f64());
        self.telemetry.samples.increment(written.samples);
        self.telemetry.values.increment(written.results);
        self.telemetry.events.increment(written.events);
        if written.nameless > 0 && self.counts.nameless == 0 {
            tracing::warn!("samples of a key that was never named are not kept");
        }
        self.counts.nameless += written.nameless;
        self.lose(written.nameless as usize);
    }

    fn succeed(&mut self) {
        self.retry = None;
        if self.counts.degraded {
            tracing::info!(file = %self.options.file.display(), "persistence works again");
        }
        self.show_degraded(false);
    }

    /// Does what may help against `error`, and plans another try.
    fn fail(&mut self, error: &Error) {
        let was_degraded = self.counts.degraded;
        self.show_degraded(true);
        self.counts.failures += 1;
        let pause = self.retry.map_or(FIRST_PAUSE, |(_, pause)| (pause * 2).min(LONGEST_PAUSE));
        self.retry = Some((self.world.now() + pause, pause));
        if error.is_permanent() {
            tracing::error!("nothing is kept: {error}");
            self.refused = true;
            let lost = self.queue.pop(usize::MAX);
            self.lose(lost);
        } else if !was_degraded || pause == LONGEST_PAUSE {
            let file = self.options.file.display();
            tracing::warn!(%file, pause_ms = pause.as_millis(), "persistence is degraded: {error}");
        }
        if let Error::Sqlite(error) = error {
            self.remedy(error);
        }
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
                let lost = self.queue.pop(ticks);
                self.lose(lost);
            }
            _ => {}
        }
    }

    fn put_aside(&mut self) {
        self.connection = None;
        if self.estate.set_aside.load(Ordering::Relaxed) >= MAX_SET_ASIDE || !self.supervision.pass.is_valid()
        {
            return;
        }
        let file = self.options.file.display();
        match schema::set_aside(&self.options.file, self.world.unix_ms()) {
            Ok(aside) => {
                self.estate.set_aside.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%file, aside = %aside.display(), "a corrupt database was set aside");
            }
            Err(error) => tracing::error!(%file, "a corrupt database cannot be set aside: {error}"),
        }
    }

    fn lose(&mut self, rows: usize) {
        self.performance.dropped += rows as u64;
        self.counts.dropped += rows as u64;
        self.telemetry.dropped.increment(rows as u64);
    }

    fn show_queue(&self) {
        self.telemetry.queue.set(self.queue.ticks() as f64);
        let rows = self.queue.rows();
        self.supervision.pass.enter(|| self.estate.waiting.store(rows, Ordering::Relaxed));
        self.telemetry.connections.set(f64::from(u8::from(self.connection.is_some())));
    }

    fn show_degraded(&mut self, degraded: bool) {
        self.counts.degraded = degraded;
        self.telemetry.degraded.set(f64::from(u8::from(degraded)));
    }
}

#[cfg(test)]
mod tests;
