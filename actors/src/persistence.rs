//! Persistence: one writer with a connection and a thread of its own. The core hands it what each tick
//! decided through a bounded mailbox and never waits for it. Whatever happens to the disk, the display
//! goes on: while nothing can be written the newest ticks wait in a bounded queue, older ones are dropped
//! and counted, and the writer tries again.

pub mod history;
mod keeping;
pub mod mailbox;
mod queue;
mod retention;
mod rows;
mod schema;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::event::Event;
use engine::formula::FormulaId;
use engine::sample::{KeyId, Sample};
use engine::tick::Tick;
use engine::value::Value;

use crate::expression::script::handlers::Kept;
use crate::panel;
use crate::supervisor::worker::{self, Failure};
use crate::telemetry;
use crate::world::World;
pub use history::History;
pub use mailbox::{Arriving, LEDGERS_MAX, Mailbox, mailbox};
pub use retention::Retention;
pub use schema::VERSION as SCHEMA_VERSION;
use writer::Writer;

/// What one tick has for the database. All of it is written in one transaction or not at all.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The tick.
    pub tick: Tick,
    /// The engine's time at the tick: Unix time in milliseconds.
    pub now_ms: i64,
    /// Keys that were interned at this tick, with their full names; the declared ones come with tick 0.
    pub new_keys: Arc<[(KeyId, Arc<str>)]>,
    /// The sealed samples.
    pub samples: Arc<[Sample]>,
    /// Formulas whose result changed; the writer keeps those that have a label.
    pub changed: Arc<[(FormulaId, Option<Value>)]>,
    /// What was decided.
    pub events: Arc<[Event]>,
    /// What scripts keep that is new.
    pub kept: Arc<[Kept]>,
}

impl Ledger {
    /// How many rows it comes to at most.
    pub fn rows(&self) -> usize {
        self.samples.len() + self.changed.len() + self.events.len()
    }

    /// Whether there is nothing to be told.
    pub fn is_empty(&self) -> bool {
        self.rows() == 0 && self.new_keys.is_empty() && self.kept.is_empty()
    }
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is of a later version of this program.
    #[error(
        "`{file}` was written by a newer tinydisplay (schema {found}; this one knows {SCHEMA_VERSION}); \
         use that, or name another file in [persistence]"
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its schema's version.
        found: usize,
    },
    /// It is of another program.
    #[error("`{file}` is the database of another program; name another file in [persistence]")]
    Foreign {
        /// The database.
        file: PathBuf,
    },
    /// Its folder is not there and cannot be made.
    #[error("cannot make the folder `{folder}`: {error}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// SQLite's own reason.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl Error {
    /// Whether trying again is pointless: only another program or another file helps.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Error::Newer { .. } | Error::Foreign { .. })
    }
}

/// Says whether `file` can be this program's database: to be asked before a run, so that a wrong name is
/// not found out by an empty history. What time or the writer may cure (a missing, locked, unreadable or
/// corrupt file) is no error here.
///
/// # Errors
/// [`Error::Newer`] and [`Error::Foreign`].
pub fn check(file: &Path) -> Result<(), Error> {
    match schema::open_to_read(file) {
        Err(error) if error.is_permanent() => Err(error),
        _ => Ok(()),
    }
}

/// Writes what arrives until it is told to stop; then what has arrived is written and the database closed.
/// What arrived is written at the latest when `options.flush` has passed, sooner when there is much of it.
/// Formula `i` is kept under `labels[i]`, if it has one. No error of the database ends it: one that [`check`]
/// refuses is left alone, and all that was for it is counted as lost. What a writer that failed had taken out
/// of the mailbox and not written is lost and counted by the next.
///
/// Blocks its thread while it writes: give it one of its own.
///
/// # Errors
/// An injected fault.
pub async fn run(
    options: panel::Persistence,
    labels: Vec<Option<Arc<str>>>,
    supervision: worker::Context,
    telemetry: telemetry::Persistence,
    arriving: Arriving,
) -> Result<(), Failure> {
    let mut writer = Writer::new(options, labels, supervision.clone(), telemetry, arriving.estate.clone());
    writer.open();
    // One that was left behind with its thread writes nothing any more: another one has taken over.
    while supervision.pass.is_valid() {
        let next = async {
            tokio::select! {
                // The deadline first: a flood of entries must not put off the flush.
                biased;
                () = until(&supervision.world, writer.due()) => Next::Flush,
                () = supervision.stopped() => Next::End,
                ledger = arriving.next() => ledger.map_or(Next::End, Next::Keep),
            }
        };
        match supervision.heart.resting(next).await {
            Next::Keep(ledger) => writer.keep(ledger),
            Next::Flush => {
                supervision.strike("writer.flush").await?;
                writer.flush();
            }
            Next::End => {
                while let Some(ledger) = arriving.try_next() {
                    writer.keep(ledger);
                }
                writer.close();
                break;
            }
        }
    }
    Ok(())
}

/// What a writer does next.
enum Next {
    Keep(Ledger),
    Flush,
    End,
}

async fn until(world: &World, due: Option<Duration>) {
    match due {
        Some(at) => world.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
