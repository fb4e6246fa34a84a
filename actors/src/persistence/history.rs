//! Reading what earlier runs wrote, on a connection of its own that cannot write.

use std::path::Path;

use engine::tick::Tick;
use rusqlite::{Connection, OptionalExtension};

use super::{Error, schema};
use crate::expression::script::state::json::JSON_BYTES_MAX;

/// The most points that one question is answered with: the newest.
pub const MAX_POINTS: usize = 10_000;

/// [`History::recent`] of a file; nothing where none was written yet.
///
/// # Errors
/// As [`History::open`] and [`History::recent`].
pub fn recent(file: &Path, label: &str, since_ms: i64) -> Result<Vec<(i64, f64)>, Error> {
    History::open(file)?.map_or(Ok(Vec::new()), |history| history.recent(label, since_ms))
}

/// Answered from the index on key and time alone, newest first, so that the limit ends the search.
const RECENT: &str = "SELECT timestamp_ms, data_value FROM data_history
    WHERE data_key = ?1 AND timestamp_ms >= ?2 AND source = 'value' AND data_value IS NOT NULL
    ORDER BY timestamp_ms DESC, data_id DESC LIMIT ?3";

/// As [`RECENT`], for the samples of a key.
const SAMPLES: &str = "SELECT timestamp_ms, data_value FROM data_history
    WHERE data_key = ?1 AND timestamp_ms > ?2 AND source <> 'value' AND data_value IS NOT NULL
    ORDER BY timestamp_ms DESC, data_id DESC LIMIT ?3";

/// The most scripts whose states are read.
const STATES_MAX: usize = 1_000;

/// As [`SAMPLES`], numbers or not: the time of the newest.
const NEWEST: &str = "SELECT timestamp_ms FROM data_history WHERE data_key = ?1 AND source <> 'value'
    ORDER BY timestamp_ms DESC, data_id DESC LIMIT 1";

/// After so many rows the time is looked at.
const TIMED_ROWS: usize = 1_024;

/// The history in a database.
#[derive(Debug)]
pub struct History {
    connection: Connection,
}

impl History {
    /// Opens a database; `None` where none was written yet.
    ///
    /// # Errors
    /// [`Error`], for a caller that may well go on without history.
    pub fn open(file: &Path) -> Result<Option<History>, Error> {
        Ok(schema::open_to_read(file)?.map(|connection| History { connection }))
    }

    /// The numbers that were kept under `label` (the name of a value, or what a chart shows) from
    /// `since_ms` on, Unix time in milliseconds; oldest first, at most the newest [`MAX_POINTS`]. Samples of
    /// a key of that name are none of them. The cost does not grow with what else the database holds.
    ///
    /// # Errors
    /// [`Error::Sqlite`] when the file cannot be read.
    pub fn recent(&self, label: &str, since_ms: i64) -> Result<Vec<(i64, f64)>, Error> {
        let mut statement = self.connection.prepare_cached(RECENT)?;
        let rows = statement.query_map((label, since_ms, MAX_POINTS as i64), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?))
        })?;
        let mut points: Vec<(i64, f64)> = rows.collect::<Result<_, _>>()?;
        points.reverse();
        Ok(points)
    }

    /// The numbers that came under the key `name` (its full one) after `after_ms`, Unix time in milliseconds,
    /// as far as they are kept; oldest first. At most the newest `most`, and no more once `has_time` says
    /// no.
    ///
    /// # Errors
    /// [`Error::Sqlite`] when the file cannot be read.
    pub fn samples(
        &self,
        name: &str,
        after_ms: i64,
        most: usize,
        has_time: impl Fn() -> bool,
    ) -> Result<Vec<(i64, f64)>, Error> {
        let mut statement = self.connection.prepare_cached(SAMPLES)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query((name, after_ms, most))?;
        let mut samples = Vec::new();
        while let Some(row) = rows.next()? {
            samples.push((row.get(0)?, row.get(1)?));
            if samples.len() % TIMED_ROWS == 0 && !has_time() {
                break;
            }
        }
        samples.reverse();
        Ok(samples)
    }

    /// What scripts had kept, as JSON, by their files; of one that is longer than a state can be as much as
    /// shows that.
    ///
    /// # Errors
    /// [`Error::Sqlite`] when the file cannot be read.
    pub fn states(&self) -> Result<Vec<(String, String)>, Error> {
        let table = "SELECT count(*) FROM sqlite_schema WHERE name = 'script_states'";
        if self.connection.query_row(table, [], |row| row.get::<_, i64>(0))? == 0 {
            // It was written by an older version.
            return Ok(Vec::new());
        }
        let most = JSON_BYTES_MAX + 1;
        let states = format!(
            "SELECT CAST(file AS TEXT), substr(CAST(state_json AS TEXT), 1, {most}) FROM script_states
             ORDER BY file LIMIT {STATES_MAX}"
        );
        let mut statement = self.connection.prepare_cached(&states)?;
        let row = |row: &rusqlite::Row<'_>| {
            // What is no text comes to an empty one, which is no state.
            let text = |index| -> rusqlite::Result<String> {
                let bytes = row.get_ref(index)?.as_bytes().unwrap_or_default();
                Ok(String::from_utf8_lossy(bytes).into_owned())
            };
            Ok((text(0)?, text(1)?))
        };
        let rows = statement.query_map([], row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The time of the newest sample of the key `name` (its full one), Unix time in milliseconds.
    ///
    /// # Errors
    /// [`Error::Sqlite`] when the file cannot be read.
    pub fn newest(&self, name: &str) -> Result<Option<i64>, Error> {
        let mut statement = self.connection.prepare_cached(NEWEST)?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    /// The newest tick that anything was written of; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Sqlite`] when the file cannot be read.
    pub fn last_tick(&self) -> Result<Option<Tick>, Error> {
        let newest = |table: &str, id: &str| {
            let statement = format!("SELECT tick FROM {table} ORDER BY {id} DESC LIMIT 1");
            self.connection.query_row(&statement, [], |row| row.get::<_, i64>(0)).optional()
        };
        let ticks = newest("data_history", "data_id")?.max(newest("timeline_events", "event_id")?);
        Ok(ticks.map(|tick| Tick(tick.unsigned_abs())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_points_are_found_through_the_index_and_never_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let connection = schema::open(&folder.path().join("state.db")).unwrap();
        for question in [RECENT, SAMPLES] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {question}")).unwrap();
            let plan = statement.query_map(("a", 0, 1), |row| row.get(3)).unwrap();
            let plan: Vec<String> = plan.collect::<Result<_, _>>().unwrap();
            let expected = "SEARCH data_history USING INDEX idx_data_history_data_key_timestamp_ms \
                            (data_key=? AND timestamp_ms>?)";
            assert_eq!(plan, [expected]);
        }
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {NEWEST}")).unwrap();
        let plan: String = statement.query_row(["a"], |row| row.get(3)).unwrap();
        let expected = "SEARCH data_history USING INDEX idx_data_history_data_key_timestamp_ms (data_key=?)";
        assert_eq!(plan, expected);
    }
}
