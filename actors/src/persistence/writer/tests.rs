//! Faults: what the writer does when the disk, the file or another process is in the way.

use std::fs;
use std::path::{Path, PathBuf};

use engine::event::{Event, EventKind};
use engine::sample::{KeyId, Sample, SourceId};
use engine::tick::Tick;
use engine::value::Value;
use rusqlite::TransactionBehavior;
use tokio::sync::watch;

use super::super::queue::MAX_PENDING_ROWS;
use super::*;
use crate::fault::Faults;
use crate::source::rig::simulate;
use crate::supervisor::fence::Fence;
use crate::telemetry::Telemetry;

/// A writer on a database in a folder of its own, flushed by hand.
struct Case {
    folder: tempfile::TempDir,
    fence: Fence,
    writer: Writer,
}

/// In virtual time, with time for the writer.
fn with_writer(check: impl AsyncFnOnce(&mut Case)) {
    simulate(async {
        let folder = tempfile::tempdir().unwrap();
        let fence = Fence::default();
        let estate = Arc::<Estate>::default();
        estate.names(|names| names.insert(KeyId(0), "a.b".into()));
        let writer = writer(folder.path().join("state.db"), &fence, 1, estate);
        check(&mut Case { folder, fence, writer }).await;
    });
}

/// The writer of a generation.
fn writer(file: PathBuf, fence: &Fence, generation: u64, estate: Arc<Estate>) -> Writer {
    let options = panel::Persistence { file, flush: Duration::from_millis(250) };
    let telemetry = Telemetry::new(&[], &[], &[]).persistence;
    let (world, stopped) = (World::simulated(false), watch::channel(false).1);
    let supervision = worker::Context::new(world, fence.admit(generation), Faults::default(), stopped);
    Writer::new(options, Vec::new(), supervision, telemetry, estate)
}

impl Case {
    /// Puts the next writer in the place of this one, which is left behind.
    fn renew(&mut self) -> Writer {
        let generation = self.writer.supervision.pass.generation() + 1;
        let next = writer(self.file().into(), &self.fence, generation, self.writer.estate.clone());
        std::mem::replace(&mut self.writer, next)
    }

    fn file(&self) -> &Path {
        &self.writer.options.file
    }

    /// Keeps a tick with so many samples.
    fn keep(&mut self, tick: u64, samples: usize) {
        let sample = Sample {
            source: SourceId(0),
            key: KeyId(0),
            value: Value::from("a text that takes some room in its row"),
            timestamp_ms: tick as i64,
            sequence: 0,
        };
        self.keep_with(tick, vec![sample; samples], Vec::new());
    }

    fn keep_with(&mut self, tick: u64, samples: Vec<Sample>, events: Vec<Event>) {
        self.writer.keep(Ledger {
            tick: Tick(tick),
            now_ms: tick as i64,
            new_keys: Arc::new([]),
            samples: samples.into(),
            changed: Arc::new([]),
            events: events.into(),
            kept: Arc::new([]),
        });
    }

    /// Flushes when it is due, until the queue is empty or `tries` are over; returns how many it took.
    async fn flush(&mut self, tries: u32) -> u32 {
        for n in 0..tries {
            let Some(due) = self.writer.due() else { return n };
            self.writer.world.sleep_until(due).await;
            self.writer.flush();
        }
        tries
    }

    fn degraded(&self) -> bool {
        self.writer.counts.degraded
    }

    /// Rows that were lost.
    fn dropped(&self) -> u64 {
        self.writer.counts.dropped
    }

    fn other(&self) -> Connection {
        let connection = Connection::open(self.file()).unwrap();
        connection.busy_timeout(Duration::ZERO).unwrap();
        connection
    }

    /// Samples by tick, as another connection sees them.
    fn ticks(&self) -> Vec<(i64, i64)> {
        let connection = self.other();
        let mut statement = connection
            .prepare("SELECT tick, count(*) FROM data_history GROUP BY tick ORDER BY tick")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn set_aside(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.to_string_lossy().contains("state.db.corrupt-")).collect()
    }
}

#[test]
fn a_lock_of_another_process_is_waited_out() {
    with_writer(async |case| {
        case.keep(0, 1);
        case.flush(1).await;
        let mut other = case.other();
        let lock = other.transaction_with_behavior(TransactionBehavior::Exclusive).unwrap();
        case.keep(1, 2);
        assert_eq!(case.flush(12).await, 12);
        assert!(case.degraded());
        assert_eq!(case.writer.counts.failures, 12);
        // 250 ms, then pauses of 100, 200, ... 25 600 and thrice 30 000 ms, each at least a flush apart.
        assert!(case.writer.world.now() > Duration::from_secs(100), "{:?}", case.writer.world.now());
        lock.rollback().unwrap();
        assert_eq!(case.flush(12).await, 1);
        assert!(!case.degraded());
        assert_eq!((case.ticks(), case.dropped()), (vec![(0, 1), (1, 2)], 0));
    });
}

#[test]
fn a_connection_that_cannot_write_is_made_anew() {
    with_writer(async |case| {
        case.keep(0, 1);
        case.flush(1).await;
        case.writer.connection.as_ref().unwrap().pragma_update(None, "query_only", true).unwrap();
        case.keep(1, 1);
        assert_eq!(case.flush(5).await, 2);
        assert_eq!((case.ticks(), case.dropped(), case.degraded()), (vec![(0, 1), (1, 1)], 0, false));
    });
}

#[test]
fn what_waits_too_long_is_dropped_oldest_first_and_counted() {
    with_writer(async |case| {
        case.keep(0, 1);
        case.flush(1).await;
        let mut other = case.other();
        let lock = other.transaction_with_behavior(TransactionBehavior::Exclusive).unwrap();
        let half = MAX_PENDING_ROWS / 2;
        for tick in 1..=4 {
            case.keep(tick, half);
            case.flush(1).await;
        }
        assert_eq!((case.dropped(), case.writer.queue.rows()), (2 * half as u64, MAX_PENDING_ROWS));
        lock.rollback().unwrap();
        case.flush(12).await;
        assert_eq!(case.ticks(), [(0, 1), (3, half as i64), (4, half as i64)]);
    });
}

#[test]
fn a_database_at_its_limit_takes_the_new_for_the_old() {
    with_writer(async |case| {
        for tick in 0..10 {
            case.keep(tick, 1_000);
            case.flush(1).await;
        }
        let connection = case.writer.connection.as_ref().unwrap();
        let pages = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        let full = pages("page_count");
        connection.pragma_update_and_check(None, "max_page_count", full, |_| Ok(())).unwrap();
        case.keep(10, 1_000);
        let tries = case.flush(20).await;
        // The first try finds it full; the remedy is a chunk of 500 rows, so it takes some.
        assert!((2..=6).contains(&tries), "{tries}");
        assert_eq!((case.degraded(), case.dropped()), (false, 0));
        let ticks = case.ticks();
        assert_eq!(ticks.last(), Some(&(10, 1_000)));
        assert!(ticks[0].0 >= 1 || ticks[0].1 == 500, "{ticks:?}");
    });
}

#[test]
fn what_is_too_old_goes_with_the_next_flush() {
    with_writer(async |case| {
        let days = |days: u64| days * 86_400_000;
        for (tick, kept) in [(0, 1), (days(3), 2), (days(8), 2), (days(30), 1)] {
            case.keep(tick, 1);
            case.flush(1).await;
            assert_eq!(case.ticks().len(), kept, "{tick}");
        }
    });
}

#[test]
fn a_tick_is_in_or_out() {
    with_writer(async |case| {
        case.keep(0, 1);
        case.flush(1).await;
        let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON timeline_events
            BEGIN SELECT raise(ABORT, 'refused'); END";
        case.other().execute_batch(refuse).unwrap();
        let event = Event { tick: Tick(1), kind: EventKind::PageShown, id: "main".into(), data: Vec::new() };
        let sample = |key| Sample {
            source: SourceId(0),
            key: KeyId(key),
            value: Value::Number(1.0),
            timestamp_ms: 1,
            sequence: 0,
        };
        case.keep_with(1, vec![sample(0)], vec![event]);
        case.flush(1).await;
        // Its sample went in before the event, and out again with it; and it does not block the others.
        assert_eq!((case.ticks(), case.dropped(), case.degraded()), (vec![(0, 1)], 2, true));
        case.keep(2, 1);
        case.flush(1).await;
        assert_eq!((case.ticks(), case.degraded()), (vec![(0, 1), (2, 1)], false));
    });
}

#[test]
fn a_run_that_is_killed_while_it_writes_leaves_nothing_of_it() {
    with_writer(async |case| {
        case.keep(0, 1);
        case.flush(1).await;
        case.keep(1, 5);
        let mut killed = case.other();
        let transaction = killed.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let insert =
            "INSERT INTO data_history (data_key, source, tick, timestamp_ms) VALUES ('a', 'a', 9, 9)";
        transaction.execute(insert, []).unwrap();
        // What a killed process leaves: the files as they are at this moment.
        let copy = tempfile::tempdir().unwrap();
        for end in ["", "-wal"] {
            let name = format!("state.db{end}");
            fs::copy(case.folder.path().join(&name), copy.path().join(&name)).unwrap();
        }
        let left = schema::open(&copy.path().join("state.db")).unwrap();
        let ticks: String =
            left.query_row("SELECT group_concat(tick) FROM data_history", [], |row| row.get(0)).unwrap();
        assert_eq!(ticks, "0");
    });
}

#[test]
fn a_corrupt_file_is_set_aside_and_a_fresh_one_begun() {
    let check = |damage: fn(&Path)| {
        with_writer(async |case| {
            let connection = schema::open(case.file()).unwrap();
            let fill =
                "INSERT INTO data_history (data_key, source, tick, timestamp_ms) VALUES (?1, 'a', 0, 0)";
            for n in 0..500 {
                connection.execute(fill, [format!("{n:0100}")]).unwrap();
            }
            connection.close().unwrap();
            damage(case.file());
            let damaged = fs::read(case.file()).unwrap();

            case.writer.open();
            case.keep(1, 3);
            let tries = case.flush(10).await;
            assert!(tries <= 3, "{tries}");
            assert_eq!((case.ticks(), case.degraded(), case.dropped()), (vec![(1, 3)], false, 0));
            let aside = case.set_aside();
            assert_eq!(aside.len(), 1, "{aside:?}");
            // Not assert_eq, which would print both files.
            assert!(fs::read(&aside[0]).unwrap() == damaged, "the file was changed");
        });
    };
    check(|file| {
        fs::write(file, "this is no database at all, but long enough to be read as one".repeat(9)).unwrap()
    });
    check(|file| {
        let mut bytes = fs::read(file).unwrap();
        bytes[4_096..].fill(0xff);
        fs::write(file, bytes).unwrap();
    });
    check(|file| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..8_192]).unwrap();
    });
}

#[test]
fn a_disk_that_ruins_every_file_is_not_filled_with_them() {
    with_writer(async |case| {
        for tick in 0..10 {
            // Nor does a writer that is started anew begin to count anew.
            drop(case.renew());
            for end in ["-wal", "-shm"] {
                fs::remove_file(case.folder.path().join(format!("state.db{end}"))).ok();
            }
            fs::write(case.file(), [0xff; 5_000]).unwrap();
            case.keep(tick, 1);
            case.flush(1).await;
        }
        assert_eq!(case.set_aside().len(), MAX_SET_ASIDE as usize);
        assert!(case.degraded());
    });
}

#[test]
fn a_writer_that_was_left_behind_changes_nothing() {
    with_writer(async |case| {
        case.keep(0, 1);
        case.flush(1).await;
        // It is left behind before it writes, and finds a file that it would put aside.
        case.keep(1, 2);
        let mut late = case.renew();
        late.flush();
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        late.remedy(&rusqlite::Error::SqliteFailure(corrupt, None));
        late.close();
        assert_eq!((case.ticks(), case.set_aside().len()), (vec![(0, 1)], 0));
        assert_eq!(case.dropped(), 2, "what it had in hand is counted as lost, once");
        assert_eq!(late.counts.dropped, 0);
        case.keep(2, 1);
        case.flush(1).await;
        assert_eq!(case.ticks(), [(0, 1), (2, 1)]);
    });
}

#[test]
fn what_may_not_be_committed_is_not() {
    with_writer(async |case| {
        case.keep(0, 3);
        case.writer.open();
        for (may_commit, ticks) in [(false, vec![]), (true, vec![(0, 3)])] {
            let Writer { connection, queue, names, .. } = &mut case.writer;
            let connection = connection.as_mut().unwrap();
            let written = rows::write(connection, (queue.batch(), &[]), names, None, || may_commit).unwrap();
            assert_eq!((written.is_some(), case.ticks()), (may_commit, ticks));
        }
    });
}

#[test]
fn a_folder_that_cannot_be_made_is_tried_again() {
    with_writer(async |case| {
        let blocked = case.folder.path().join("not a folder");
        fs::write(&blocked, "").unwrap();
        case.writer.options.file = blocked.join("state.db");
        case.writer.open();
        case.keep(0, 1);
        assert_eq!(case.flush(3).await, 3);
        assert!(case.degraded());
        fs::remove_file(&blocked).unwrap();
        case.flush(10).await;
        assert_eq!((case.ticks(), case.degraded()), (vec![(0, 1)], false));
    });
}

#[test]
fn what_cannot_be_written_at_the_end_is_counted() {
    with_writer(async |case| {
        case.keep(0, 1);
        case.flush(1).await;
        case.keep(1, 1);
        let mut other = case.other();
        let _lock = other.transaction_with_behavior(TransactionBehavior::Exclusive).unwrap();
        case.writer.close();
        assert_eq!((case.dropped(), case.writer.counts.failures), (1, u64::from(LAST_TRIES)));
    });
}

#[test]
fn the_writer_notes_how_it_goes() {
    with_writer(async |case| {
        for tick in 0..100 {
            case.keep(tick, 1);
            case.flush(1).await;
        }
        let query = "SELECT tick, metric_type, metric_data_json FROM performance_metrics";
        let rows: Vec<String> = case
            .other()
            .prepare(query)
            .unwrap()
            .query_map([], |row| {
                let (tick, kind, data): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(format!("{tick} {kind} {data}"))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        // A flush each 250 ms: one row each 10 s.
        let expected = [
            r#"39 flush_ms_max {"flushes":39,"rows":39,"dropped":0}"#,
            r#"79 flush_ms_max {"flushes":40,"rows":40,"dropped":0}"#,
        ];
        assert_eq!(rows, expected);
    });
}

#[test]
fn samples_without_a_name_are_counted_as_lost() {
    with_writer(async |case| {
        let sample = |key| Sample {
            source: SourceId(0),
            key: KeyId(key),
            value: Value::Bool(true),
            timestamp_ms: 0,
            sequence: 0,
        };
        case.keep_with(0, vec![sample(0), sample(1), sample(0)], Vec::new());
        case.flush(1).await;
        assert_eq!((case.ticks(), case.dropped(), case.writer.counts.nameless), (vec![(0, 2)], 1, 1));
    });
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    with_writer(async |case| {
        case.other().execute_batch("CREATE TABLE bookmarks (x)").unwrap();
        let before = fs::read(case.file()).unwrap();
        case.writer.open();
        case.keep(0, 3);
        case.keep(1, 3);
        assert_eq!(case.writer.due(), None);
        assert!(case.degraded());
        case.writer.close();
        assert_eq!(case.dropped(), 6);
        assert!(fs::read(case.file()).unwrap() == before, "the file was changed");
    });
}
