//! The writer as the core sees it: entries in, a database out, in virtual time.

use std::sync::atomic::Ordering;

use engine::event::EventKind;
use engine::sample::SourceId;
use rusqlite::Connection;
use tokio::sync::watch;

use super::*;
use crate::fault::{Fault, Faults, Rule};
use crate::source::rig::simulate;
use crate::supervisor::fence::Pass;
use crate::telemetry::Telemetry;

const FLUSH: Duration = Duration::from_millis(250);
const MS: Duration = Duration::from_millis(1);

fn number(n: f64) -> Value {
    Value::Number(n)
}

/// A tick with one sample of key 0 and one result of formula 0; key 0 is named at tick 0.
fn ledger(tick: u64) -> Ledger {
    let now_ms = 1_000_000 + tick as i64;
    let new_keys = if tick == 0 { vec![(KeyId(0), "system.cpu".into())] } else { Vec::new() };
    let value = number(tick as f64);
    let sample = Sample { source: SourceId(0), key: KeyId(0), value, timestamp_ms: now_ms, sequence: tick };
    Ledger {
        tick: Tick(tick),
        now_ms,
        new_keys: new_keys.into(),
        samples: Arc::new([sample]),
        changed: Arc::new([(FormulaId(0), Some(number(tick as f64 * 2.0)))]),
        events: Arc::new([]),
        kept: Arc::new([]),
    }
}

/// A writer at work.
struct Running {
    world: World,
    mailbox: Mailbox,
    file: PathBuf,
    stop: watch::Sender<bool>,
    ended: flume::Receiver<Result<(), Failure>>,
}

fn start(file: PathBuf) -> Running {
    let world = World::simulated(false);
    let (mailbox, arriving) = mailbox();
    let labels = vec![Some("load".into()), None];
    let options = panel::Persistence { file: file.clone(), flush: FLUSH };
    let telemetry = Telemetry::new(&[], &[], &[]).persistence;
    let (stop, stopped) = watch::channel(false);
    let supervision = worker::Context::unsupervised(world, stopped);
    let (answer, ended) = flume::bounded(1);
    actix::spawn(async move {
        let _ = answer.send(run(options, labels, supervision, telemetry, arriving).await);
    });
    Running { world, mailbox, file, stop, ended }
}

impl Running {
    /// Unlike the core, waits for room.
    async fn keep(&self, mut ledger: Ledger) {
        while let Err(refused) = self.mailbox.keep(ledger) {
            ledger = refused;
            tokio::task::yield_now().await;
        }
    }

    async fn sleep(&self, span: Duration) {
        self.world.sleep_until(self.world.now() + span).await;
    }

    async fn drain(&self) {
        self.stop.send_replace(true);
        assert_eq!(self.ended.recv_async().await.unwrap(), Ok(()));
    }

    /// Rows that another connection sees in the history.
    fn rows(&self) -> u64 {
        dump(&self.file, "SELECT count(*) FROM data_history").trim().parse().unwrap()
    }
}

/// All rows of a query, one line each.
fn dump(file: &std::path::Path, query: &str) -> String {
    let connection = Connection::open(file).unwrap();
    let mut statement = connection.prepare(query).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut text = String::new();
    while let Some(row) = rows.next().unwrap() {
        use rusqlite::types::ValueRef;
        let cells = (0..columns).map(|column| match row.get_ref(column).unwrap() {
            ValueRef::Null => "-".to_owned(),
            ValueRef::Integer(n) => n.to_string(),
            ValueRef::Real(n) => n.to_string(),
            ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
            ValueRef::Blob(_) => "blob".to_owned(),
        });
        text += &(cells.collect::<Vec<_>>().join(" ") + "\n");
    }
    text
}

#[test]
fn everything_goes_where_it_belongs() {
    let folder = tempfile::tempdir().unwrap();
    simulate(async {
        let running = start(folder.path().join("deep/state.db"));
        let event = |tick, kind, id: &str, data: &[(&str, Value)]| {
            let data = data.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            Event { tick: Tick(tick), kind, id: id.into(), data }
        };
        let sample = |key, value, sequence| Sample {
            source: SourceId(key as u16),
            key: KeyId(key),
            value,
            timestamp_ms: 1_767_225_600_250,
            sequence,
        };
        running
            .keep(Ledger {
                kept: Arc::new([]),
                tick: Tick(3),
                now_ms: 1_767_225_600_500,
                new_keys: Arc::new([(KeyId(0), "system.cpu".into()), (KeyId(1), "time.month_name".into())]),
                samples: Arc::new([
                    sample(0, number(61.5), 7),
                    sample(1, Value::from("May"), 8),
                    sample(0, Value::Bool(true), 9),
                    sample(2, number(1.0), 10),
                ]),
                changed: Arc::new([
                    (FormulaId(0), Some(number(0.25))),
                    (FormulaId(1), Some(number(1.0))),
                    (FormulaId(9), None),
                ]),
                events: Arc::new([
                    event(3, EventKind::TriggerActivated, "hot", &[("value", number(80.0))]),
                    event(3, EventKind::AnimationStarted, "pulse", &[]),
                ]),
            })
            .await;
        running
            .keep(Ledger {
                tick: Tick(4),
                now_ms: 1_767_225_601_500,
                new_keys: Arc::new([]),
                samples: Arc::new([]),
                changed: Arc::new([(FormulaId(0), None)]),
                events: Arc::new([event(4, EventKind::AnimationCompleted, "pulse", &[])]),
                kept: Arc::new([]),
            })
            .await;
        running.drain().await;
        let data =
            "SELECT data_key, data_value, data_text, source, sequence, tick, timestamp_ms FROM data_history";
        insta::assert_snapshot!(dump(&running.file, data), @r"
        system.cpu 61.5 - system 7 3 1767225600250
        time.month_name - May time 8 3 1767225600250
        system.cpu 1 - system 9 3 1767225600250
        load 0.25 - value - 3 1767225600500
        load - - value - 4 1767225601500
        ");
        let events = "SELECT tick, event_type, coordination_id, animation_id, event_data_json, timestamp FROM timeline_events";
        insta::assert_snapshot!(dump(&running.file, events), @r#"
        3 trigger_activated hot - {"value":80} 2026-01-01 00:00:00.500
        3 animation_started pulse pulse {} 2026-01-01 00:00:00.500
        4 animation_completed pulse pulse {} 2026-01-01 00:00:01.500
        "#);
        insta::assert_snapshot!(dump(&running.file, "SELECT * FROM animations"), @r#"
        pulse {"name":"pulse"} - 3 4 0 2026-01-01 00:00:00 2026-01-01 00:00:01
        "#);
    });
}

#[test]
fn a_flush_waits_for_its_time_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    simulate(async {
        let running = start(folder.path().join("state.db"));
        // The span counts from the first ledger that waits, not from the last flush.
        running.sleep(MS * 1_000).await;
        for tick in 0..5 {
            running.keep(ledger(tick)).await;
            running.sleep(MS * 10).await;
        }
        running.sleep(FLUSH - MS * 51).await;
        assert_eq!(running.rows(), 0);
        running.sleep(MS * 2).await;
        assert_eq!(running.rows(), 10);

        running.keep(ledger(5)).await;
        running.sleep(FLUSH - MS).await;
        assert_eq!(running.rows(), 10);
        running.sleep(MS * 2).await;
        assert_eq!(running.rows(), 12);
    });
}

#[test]
fn much_is_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    simulate(async {
        let running = start(folder.path().join("state.db"));
        for tick in 0..queue::BATCH_ROWS as u64 {
            running.keep(ledger(tick)).await;
        }
        running.sleep(MS).await;
        assert!(running.rows() >= queue::BATCH_ROWS as u64, "{}", running.rows());
    });
}

#[test]
fn ticks_without_rows_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    simulate(async {
        let running = start(folder.path().join("state.db"));
        running.sleep(MS).await;
        let other = Connection::open(&running.file).unwrap();
        // Changes whenever another connection commits.
        let version = || other.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap();
        let before = version();
        for tick in 0..100 {
            running.keep(Ledger { samples: Arc::new([]), changed: Arc::new([]), ..ledger(tick) }).await;
            running.sleep(FLUSH).await;
        }
        assert_eq!(version(), before);
        // The names that came with them are kept.
        running.keep(ledger(100)).await;
        running.drain().await;
        assert_eq!(running.rows(), 2);
        assert_ne!(version(), before);
    });
}

#[test]
fn a_drain_leaves_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    simulate(async {
        let running = start(folder.path().join("state.db"));
        for tick in 0..10 {
            running.keep(ledger(tick)).await;
        }
        running.drain().await;
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["state.db"]);
        assert_eq!(dump(&running.file, "SELECT count(*) FROM data_history"), "20\n");
    });
}

#[test]
fn a_core_that_is_gone_ends_the_writer_with_everything_written() {
    let folder = tempfile::tempdir().unwrap();
    simulate(async {
        let running = start(folder.path().join("state.db"));
        running.keep(ledger(0)).await;
        let Running { mailbox, world, file, stop: _stop, ended } = running;
        drop(mailbox);
        world.sleep_until(world.now() + MS).await;
        assert_eq!(ended.try_recv().unwrap(), Ok(()));
        assert_eq!(dump(&file, "SELECT count(*) FROM data_history"), "2\n");
    });
}

#[test]
fn history_reads_what_an_earlier_run_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    assert!(History::open(&file).unwrap().is_none());
    assert_eq!(history::recent(&file, "load", 0).unwrap(), []);
    let write = |ticks: std::ops::Range<u64>| {
        simulate(async {
            let running = start(file.clone());
            running
                .keep(Ledger { tick: Tick(0), samples: Arc::new([]), changed: Arc::new([]), ..ledger(0) })
                .await;
            for tick in ticks {
                running.keep(ledger(tick)).await;
            }
            running.drain().await;
        });
    };
    write(0..3);
    write(3..5);
    let history = History::open(&file).unwrap().unwrap();
    let check = |label, since_ms, expected: &[(i64, f64)]| {
        assert_eq!(history.recent(label, since_ms).unwrap(), expected, "{label} {since_ms}");
    };
    check("load", 1_000_002, &[(1_000_002, 4.0), (1_000_003, 6.0), (1_000_004, 8.0)]);
    check("load", 1_000_004, &[(1_000_004, 8.0)]);
    check("system.cpu", 0, &[]);
    check("load", 1_000_005, &[]);
    check("nothing", 0, &[]);
    assert_eq!(history.last_tick().unwrap(), Some(Tick(4)));
    // While a writer has it open too.
    write(5..6);
    check("load", 1_000_004, &[(1_000_004, 8.0), (1_000_005, 10.0)]);
    assert_eq!(history::recent(&file, "load", 1_000_005).unwrap(), [(1_000_005, 10.0)]);
}

#[test]
fn only_the_newest_points_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let last = history::MAX_POINTS as i64 + 5;
    let fill = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO data_history (data_key, data_value, source, tick, timestamp_ms)
        SELECT 'a', i, 'value', i, i FROM n";
    schema::open(&file).unwrap().execute(fill, [last]).unwrap();
    let points = History::open(&file).unwrap().unwrap().recent("a", 0).unwrap();
    assert_eq!(points.len(), history::MAX_POINTS);
    assert_eq!((points[0], points[points.len() - 1]), ((6, 6.0), (last, last as f64)));
}

#[test]
fn samples_are_told_as_many_as_there_is_room_and_time_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let fill = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO data_history (data_key, data_value, source, tick, timestamp_ms)
        SELECT 'room.a', i, ?2, i, i FROM n";
    let connection = schema::open(&file).unwrap();
    connection.execute(fill, (9_999, "room")).unwrap();
    connection.execute(fill, (9_999, "value")).unwrap();
    let history = History::open(&file).unwrap().unwrap();
    let check = |after_ms, most, time: bool, expected: (usize, Option<f64>)| {
        let samples = history.samples("room.a", after_ms, most, || time).unwrap();
        assert!(samples.is_sorted_by(|one, other| one.0 < other.0), "each once, in order");
        assert_eq!(samples.last().map(|sample| sample.1), expected.1);
        assert_eq!(samples.len(), expected.0, "{after_ms} {most} {time}");
    };
    check(-1, usize::MAX, true, (10_000, Some(9_999.0)));
    check(9_989, usize::MAX, true, (10, Some(9_999.0)));
    check(i64::MIN, 2, true, (2, Some(9_999.0)));
    check(-1, usize::MAX, false, (1_024, Some(9_999.0)));
    check(9_999, usize::MAX, true, (0, None));
}

#[test]
fn a_check_finds_what_no_time_cures_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let passes = || check(&file).is_ok();
    assert!(passes());
    std::fs::write(&file, "no database, which the writer sets aside".repeat(99)).unwrap();
    assert!(passes());
    std::fs::remove_file(&file).unwrap();
    drop(schema::open(&file).unwrap());
    assert!(passes());
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(check(&file), Err(Error::Newer { found: 99, .. })));
}

#[test]
fn a_writer_that_must_not_write_still_answers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE a (x)").unwrap();
    simulate(async {
        let running = start(file.clone());
        for tick in 0..100 {
            running.keep(ledger(tick)).await;
        }
        running.drain().await;
    });
    assert_eq!(dump(&file, "SELECT name FROM sqlite_schema"), "a\n");
}

#[test]
fn a_writer_that_fails_loses_what_it_had_in_hand_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let options = panel::Persistence { file: folder.path().join("state.db"), flush: FLUSH };
    simulate(async {
        let world = World::simulated(false);
        let (mailbox, arriving) = mailbox();
        let rule = Rule { point: "writer.flush".into(), actor: None, after: 0, fault: Fault::Panic };
        let faults = Faults::listed([rule]);
        let start = |stopped| {
            let supervision = worker::Context::new(world, Pass::unlimited(), faults.clone(), stopped);
            let telemetry = Telemetry::new(&[], &[], &[]).persistence;
            let labels = vec![Some("load".into()), None];
            actix::spawn(run(options.clone(), labels, supervision, telemetry, arriving.clone()))
        };
        let (stop, stopped) = watch::channel(false);
        let first = start(stopped.clone());
        mailbox.keep(ledger(0)).unwrap();
        assert!(first.await.unwrap_err().is_panic(), "it panics at its first flush");
        assert_eq!(arriving.estate.waiting.load(Ordering::Relaxed), 2, "a sample and a result");
        mailbox.keep(ledger(1)).unwrap();
        let second = start(stopped);
        world.sleep_until(world.now() + 2 * FLUSH).await;
        assert_eq!(arriving.estate.waiting.load(Ordering::Relaxed), 0, "they are given up");
        stop.send_replace(true);
        second.await.unwrap().unwrap();
    });
    let kept = dump(&options.file, "SELECT data_key, data_value FROM data_history ORDER BY 1");
    assert_eq!(kept, "load 2\nsystem.cpu 1\n", "the second tick, under the name that came with the first");
}
