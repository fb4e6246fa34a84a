//! The database's schema as numbered migrations, and the opening of a file of any age.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::persistence::Error;

/// Marks a SQLite file as ours: "tdsp" in ASCII, in the header's field for it.
const APPLICATION_ID: i32 = 0x7464_7370;

/// How long a statement waits for another process that holds the lock. The writer tries again later.
const BUSY_TIMEOUT: Duration = Duration::from_millis(100);

/// The log of changes shrinks back to this many bytes after a long reader made it grow.
const LOG_BYTES: u32 = 4_194_304;

/// Version n is reached by migration n - 1. A migration that was released is never changed.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The schema's version that this program writes.
pub const VERSION: usize = MIGRATIONS.len();

/// Opens the database for writing, makes it if it is missing, and brings it up to date.
pub(super) fn open(file: &Path) -> Result<Connection, Error> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::Folder { folder: folder.to_owned(), error })?;
    }
    let mut connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if check_owner(&connection, file)? == 0 {
        // Takes effect in an empty file alone, and there only before the journal's mode is set.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    migrate(&mut connection, MIGRATIONS)?;
    Ok(connection)
}

/// Opens the database for reading; `None` if there is none.
pub(super) fn open_to_read(file: &Path) -> Result<Option<Connection>, Error> {
    // SQLite says "unable to open" for every reason; a missing file is none to complain of.
    if !file.try_exists().unwrap_or(true) {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let made = check_owner(&connection, file)? > 0;
    Ok(made.then_some(connection))
}

/// The most bytes of the file that a connection keeps in memory.
pub(super) fn cache_bytes(connection: &Connection) -> Result<f64, Error> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let size = number("cache_size")?;
    // Below 0 it is in KiB, otherwise in pages.
    Ok(if size < 0 { size as f64 * -1024.0 } else { size as f64 * number("page_size")? as f64 })
}

/// Whether the file itself is at fault, so that no further try can succeed with it.
pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Renames a database and its log out of the way, to a name that is still free. Nothing is deleted.
pub(super) fn set_aside(file: &Path, unix_ms: i64) -> io::Result<PathBuf> {
    let renamed = |suffix: u32, end: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".corrupt-{unix_ms}"));
        if suffix > 0 {
            name.push(format!("-{suffix}"));
        }
        name.push(end);
        PathBuf::from(name)
    };
    let free = |suffix: &u32| !["", "-wal", "-shm"].iter().any(|end| renamed(*suffix, end).exists());
    let suffix = (0..=u32::MAX).find(free).unwrap_or_default();
    // The log first: a fresh database must never find an old one's.
    for end in ["-wal", "-shm"] {
        let mut log = file.as_os_str().to_owned();
        log.push(end);
        match fs::rename(&log, renamed(suffix, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let aside = renamed(suffix, "");
    fs::rename(file, &aside)?;
    Ok(aside)
}

/// Refuses files of other programs and of newer versions of this one; returns the version.
fn check_owner(connection: &Connection, file: &Path) -> Result<usize, Error> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let owner: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    if tables > 0 && owner != APPLICATION_ID {
        return Err(Error::Foreign { file: file.to_owned() });
    }
    if found > VERSION {
        return Err(Error::Newer { file: file.to_owned(), found });
    }
    Ok(found)
}

/// Runs the migrations that are missing, all of them or none.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let missing = migrations.get(usize::try_from(version).unwrap_or_default()..).unwrap_or_default();
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", migrations.len() as i64)?;
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        folder: tempfile::TempDir,
        file: PathBuf,
    }

    fn case() -> Case {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        Case { folder, file }
    }

    fn version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    /// The names of all tables and indexes, and how each table was made.
    fn shape(connection: &Connection) -> Vec<(String, Option<String>)> {
        let mut statement =
            connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY type, name").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_new_database_has_all_tables() {
        let case = case();
        let connection = open(&case.file).unwrap();
        let tables: Vec<String> = shape(&connection)
            .into_iter()
            .filter(|(name, sql)| {
                sql.as_ref().is_some_and(|sql| sql.contains("TABLE")) && !name.contains("sqlite")
            })
            .map(|(name, _)| name)
            .collect();
        let expected = [
            "animations",
            "coordination_plans",
            "data_history",
            "performance_metrics",
            "script_states",
            "timeline_events",
        ];
        assert_eq!(tables, expected);
        let setting =
            |name| connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        for (name, value) in
            [("auto_vacuum", 2), ("synchronous", 1), ("application_id", i64::from(APPLICATION_ID))]
        {
            assert_eq!(setting(name).unwrap(), value.into(), "{name}");
        }
        assert_eq!(setting("journal_mode").unwrap(), "wal".to_owned().into());
    }

    #[test]
    fn every_older_version_is_brought_up_to_date() {
        let fresh = case();
        let expected = shape(&open(&fresh.file).unwrap());
        for older in 0..=MIGRATIONS.len() {
            let case = case();
            let mut connection = Connection::open(&case.file).unwrap();
            migrate(&mut connection, &MIGRATIONS[..older]).unwrap();
            assert_eq!(version(&connection), older as i64);
            drop(connection);
            let connection = open(&case.file).unwrap();
            assert_eq!(
                (version(&connection), shape(&connection)),
                (VERSION as i64, expected.clone()),
                "{older}"
            );
        }
    }

    #[test]
    fn migrations_run_once_in_order_and_all_or_none() {
        let case = case();
        let mut connection = Connection::open(&case.file).unwrap();
        let first = "CREATE TABLE a (x); INSERT INTO a VALUES (1)";
        let second = "UPDATE a SET x = x * 10 + 2";
        let broken = "UPDATE a SET x = 0; INSERT INTO nowhere VALUES (1)";
        let x = |connection: &Connection| {
            connection.query_row("SELECT x FROM a", [], |row| row.get::<_, i64>(0)).unwrap()
        };
        migrate(&mut connection, &[first]).unwrap();
        assert!(migrate(&mut connection, &[first, second, broken]).is_err());
        assert_eq!((version(&connection), x(&connection)), (1, 1));
        for _ in 0..2 {
            migrate(&mut connection, &[first, second]).unwrap();
            assert_eq!((version(&connection), x(&connection)), (2, 12));
        }
    }

    #[test]
    fn files_of_others_are_refused_and_left_as_they_are() {
        let check = |statements: &str, expected: &str| {
            let case = case();
            Connection::open(&case.file).unwrap().execute_batch(statements).unwrap();
            let before = fs::read(&case.file).unwrap();
            let folder = format!("{}/", case.folder.path().display());
            for error in [open(&case.file).unwrap_err(), open_to_read(&case.file).unwrap_err()] {
                assert!(error.is_permanent());
                assert_eq!(error.to_string().replace(&folder, ""), expected);
            }
            assert_eq!(fs::read(&case.file).unwrap(), before);
        };
        check(
            &format!(
                "CREATE TABLE a (x); PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 99"
            ),
            "`state.db` was written by a newer tinydisplay (schema 99; this one knows 2); use that, or name \
             another file in [persistence]",
        );
        check(
            "CREATE TABLE bookmarks (x)",
            "`state.db` is the database of another program; name another file in [persistence]",
        );
    }

    #[test]
    fn nothing_is_read_where_nothing_was_written() {
        let case = case();
        assert!(open_to_read(&case.file).unwrap().is_none());
        assert!(!case.file.exists());
        fs::write(&case.file, "").unwrap();
        assert!(open_to_read(&case.file).unwrap().is_none());
    }

    #[test]
    fn what_is_set_aside_keeps_its_log_and_never_replaces_anything() {
        let case = case();
        let folder = || {
            let mut names: Vec<String> = fs::read_dir(case.folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        for (round, content) in ["first", "second"].iter().enumerate() {
            fs::write(&case.file, content).unwrap();
            if round == 1 {
                fs::write(case.folder.path().join("state.db-wal"), "log").unwrap();
            }
            let aside = set_aside(&case.file, 17).unwrap();
            assert_eq!(fs::read_to_string(aside).unwrap(), *content);
        }
        assert_eq!(folder(), ["state.db.corrupt-17", "state.db.corrupt-17-1", "state.db.corrupt-17-1-wal"]);
    }
}
