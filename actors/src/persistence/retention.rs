//! Retention: what is too old, or too much, is deleted in small steps between flushes, so that no step
//! takes long and the file stays within its size.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Older rows are deleted.
    pub age: Duration,
    /// The largest size of the database file in bytes.
    pub bytes: u64,
}

impl Default for Retention {
    /// 7 days, 256 MB.
    fn default() -> Retention {
        Retention { age: Duration::from_secs(7 * 86_400), bytes: 256_000_000 }
    }
}

/// Rows that are deleted at a time.
const CHUNK_ROWS: u64 = 500;

/// Free pages that stay in the file for the rows to come; more are given back to the system.
const FREE_PAGES_KEPT: i64 = 256;

/// Free pages that are given back at a time.
const TRIMMED_PAGES: i64 = 64;

/// The tables that grow, each with its primary key, which follows the order of writing.
const TABLES: [(&str, &str); 3] =
    [("data_history", "data_id"), ("timeline_events", "event_id"), ("performance_metrics", "metric_id")];

impl Retention {
    /// Makes SQLite itself refuse to let the file grow beyond the limit. Deleting goes on working then.
    pub(super) fn limit(&self, connection: &Connection) -> rusqlite::Result<()> {
        let pages = i64::try_from(self.bytes).unwrap_or(i64::MAX) / pragma(connection, "page_size")?.max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))
    }

    /// Deletes some of what is too old at `now_ms` or too much; at most twice as many rows as were just
    /// written, or a chunk. Returns how many were deleted.
    pub(super) fn step(
        &self,
        connection: &Connection,
        now_ms: i64,
        written_rows: u64,
    ) -> rusqlite::Result<u64> {
        let age_ms = i64::try_from(self.age.as_millis()).unwrap_or(i64::MAX);
        let oldest_kept_ms = now_ms.saturating_sub(age_ms);
        let budget = CHUNK_ROWS.max(written_rows.saturating_mul(2));
        let mut deleted = 0;
        while deleted < budget {
            let before_ms = if self.is_too_big(connection)? { i64::MAX } else { oldest_kept_ms };
            let rows = delete_oldest(connection, before_ms)?;
            if rows == 0 {
                break;
            }
            deleted += rows;
        }
        trim(connection)?;
        Ok(deleted)
    }

    /// Whether the rows take nearly all the room: some is left for those of the next flush.
    fn is_too_big(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let pages = pragma(connection, "page_count")? - pragma(connection, "freelist_count")?;
        let bytes = u64::try_from(pages * pragma(connection, "page_size")?).unwrap_or_default();
        Ok(bytes > self.bytes - self.bytes / 16)
    }
}

/// Deletes a chunk whatever its age, for a disk that is full.
pub(super) fn make_room(connection: &Connection) -> rusqlite::Result<u64> {
    delete_oldest(connection, i64::MAX)
}

/// The size of the database file in bytes.
pub(super) fn file_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let bytes = pragma(connection, "page_count")? * pragma(connection, "page_size")?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}

/// Deletes a chunk of the table whose first row is the oldest of all, as far as its rows are older than
/// `before_ms` and no newer than the first one of any other table.
fn delete_oldest(connection: &Connection, before_ms: i64) -> rusqlite::Result<u64> {
    let mut firsts = Vec::with_capacity(TABLES.len());
    for (table, id) in TABLES {
        let statement = format!("SELECT timestamp_ms FROM {table} ORDER BY {id} LIMIT 1");
        let first: Option<i64> =
            connection.prepare_cached(&statement)?.query_row([], |row| row.get(0)).optional()?;
        firsts.extend(first.map(|first| (first, table, id)));
    }
    firsts.sort_unstable();
    let Some((first, table, id)) = firsts.first() else { return Ok(0) };
    if *first >= before_ms {
        return Ok(0);
    }
    let before_ms = firsts.get(1).map_or(before_ms, |next| before_ms.min(next.0.saturating_add(1)));
    let statement = format!(
        "DELETE FROM {table} WHERE timestamp_ms < ?1
         AND {id} IN (SELECT {id} FROM {table} ORDER BY {id} LIMIT {CHUNK_ROWS})"
    );
    Ok(connection.prepare_cached(&statement)?.execute([before_ms])? as u64)
}

/// Gives free pages back to the system, a few at a time.
fn trim(connection: &Connection) -> rusqlite::Result<()> {
    let spare = pragma(connection, "freelist_count")? - FREE_PAGES_KEPT;
    if spare > 0 {
        let mut statement =
            connection.prepare(&format!("PRAGMA incremental_vacuum({})", spare.min(TRIMMED_PAGES)))?;
        // Each step frees one page.
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::schema;

    struct Case {
        _folder: tempfile::TempDir,
        connection: Connection,
    }

    fn database() -> Case {
        let folder = tempfile::tempdir().unwrap();
        let connection = schema::open(&folder.path().join("state.db")).unwrap();
        Case { _folder: folder, connection }
    }

    impl Case {
        /// Adds samples that are a millisecond apart.
        fn fill(&self, first_ms: i64, rows: i64) {
            let statement = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)
                INSERT INTO data_history (data_key, data_value, source, tick, timestamp_ms)
                SELECT 'system.cpu', i, 'system', i, ?1 + i FROM n";
            self.connection.execute(statement, [first_ms, rows]).unwrap();
        }

        fn rows(&self) -> (i64, i64) {
            let statement = "SELECT count(*), coalesce(min(timestamp_ms), 0) FROM data_history";
            self.connection.query_row(statement, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        }
    }

    #[test]
    fn what_is_too_old_goes_in_chunks() {
        let case = database();
        case.fill(0, 1_200);
        let retention = Retention { age: Duration::from_millis(100), ..Retention::default() };
        let step = |now_ms| retention.step(&case.connection, now_ms, 0).unwrap();
        assert_eq!(step(100), 0);
        assert_eq!((step(1_250), case.rows()), (500, (700, 500)));
        assert_eq!((step(1_250), case.rows()), (500, (200, 1_000)));
        assert_eq!((step(1_250), case.rows()), (150, (50, 1_150)));
        assert_eq!(step(1_250), 0);
    }

    #[test]
    fn events_go_with_the_samples_of_their_time() {
        let case = database();
        case.fill(1_000, 600);
        let statement = "INSERT INTO timeline_events (tick, event_type, timestamp_ms) VALUES (0, 'x', ?1)";
        for at_ms in [900, 2_000] {
            case.connection.execute(statement, [at_ms]).unwrap();
        }
        let retention = Retention { bytes: 1, ..Retention::default() };
        // Too big in any case: the oldest event goes first, then a chunk of samples.
        assert_eq!(retention.step(&case.connection, 0, 0).unwrap(), 501);
        let left: i64 = case
            .connection
            .query_row("SELECT timestamp_ms FROM timeline_events", [], |row| row.get(0))
            .unwrap();
        assert_eq!((left, case.rows()), (2_000, (100, 1_500)));
    }

    #[test]
    fn the_file_keeps_its_size_whatever_is_written() {
        let case = database();
        let retention = Retention { bytes: 1_000_000, ..Retention::default() };
        retention.limit(&case.connection).unwrap();
        assert_eq!(pragma(&case.connection, "max_page_count").unwrap(), 1_000_000 / 4_096);
        let mut largest = 0;
        for round in 0..500 {
            case.fill(round * 200, 200);
            retention.step(&case.connection, round * 200, 200).unwrap();
            largest = largest.max(file_bytes(&case.connection).unwrap());
        }
        assert!((500_000..=1_000_000).contains(&largest), "{largest}");
        let (rows, first_ms) = case.rows();
        assert!(rows > 1_000, "{rows}");
        // The newest are those that stay.
        assert_eq!(first_ms, 100_000 - rows);
    }

    #[test]
    fn pages_that_are_free_for_good_are_given_back() {
        let case = database();
        case.fill(0, 50_000);
        let full = file_bytes(&case.connection).unwrap();
        let retention = Retention { age: Duration::ZERO, ..Retention::default() };
        while retention.step(&case.connection, 1_000_000, 0).unwrap() > 0 {}
        for _ in 0..100 {
            retention.step(&case.connection, 1_000_000, 0).unwrap();
        }
        let empty = file_bytes(&case.connection).unwrap();
        let kept = (FREE_PAGES_KEPT as u64 + 32) * 4_096;
        assert!(full > 2 * kept && empty < kept, "{full} {empty}");
    }
}
