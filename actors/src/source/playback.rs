//! Recorded data from a CSV or JSON Lines file, at any speed.
//!
//! A CSV file begins with a line of column names. The column `timestamp` or `time` says when each row was
//! recorded; every other column is a key. In a JSON Lines file each line is an object with a field
//! `timestamp` or `time`; every other field is a key. Times are texts in ISO 8601 (UTC unless they say
//! otherwise), seconds, or milliseconds: numbers from 1e11 on, or any under the
//! names `timestamp_ms` and `time_ms`. Only their distance from the first one counts.

mod lines;
mod record;
mod stamp;

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::formula::Kind;

use crate::source::{Context, Error, KeySpec};
use lines::Lines;
use record::{Columns, Form, Record};

/// What is played back.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file; its name ends in `.csv`, `.jsonl` or `.ndjson`.
    pub file: PathBuf,
    /// How many times faster than recorded; above 0.
    pub speed: f64,
    /// Whether it starts anew at the end.
    pub repeat: bool,
}

/// How many lines are read to find out what the columns hold.
const INSPECTED_LINES: usize = 1_000;

/// Time between the last row and the first one of the next round where the file does not tell.
const DEFAULT_GAP_US: i64 = 1_000_000;

/// The shortest round: a file of rows at one moment, or an extreme speed, must not fill the world.
const SHORTEST_ROUND: Duration = Duration::from_millis(1);

/// How far it may fall behind and still catch up; after a longer pause it goes on from where it was.
const CATCH_UP: Duration = Duration::from_secs(5);

/// The columns or fields of the file, as far as its first lines show. A column is a number where most of
/// its cells are.
///
/// # Errors
/// [`Error::Configuration`] when the file cannot be read or is not of the form described above.
pub fn keys(options: &Options) -> Result<Vec<KeySpec>, Error> {
    let recording = Recording::open(options).map_err(|error| Error::Configuration(error.to_string()))?;
    let key = |(name, column): (&Arc<str>, &record::Column)| match column.kind() {
        Kind::Number => KeySpec::number(name.clone(), column.range(), "", "Recorded number"),
        Kind::Text => KeySpec::text(name.clone(), "Recorded text"),
    };
    Ok(recording.columns.iter().map(key).collect())
}

/// Emits each row at its distance from the first, divided by the speed. Rows that are out of order come at
/// once. What is malformed is counted, logged and skipped. Without `repeat` it ends after the last row.
///
/// # Errors
/// [`Error::Transient`] while the file cannot be read or has no rows, [`Error::Configuration`] when it is
/// not of the right form, and [`Error::Stopped`].
pub async fn run(options: &Options, context: &mut Context) -> Result<(), Error> {
    let mut start = context.world.now();
    loop {
        let mut recording = Recording::open(options)?;
        let Some(end) = play(&mut recording, options.speed, start, context).await? else {
            return Err(Error::Transient(format!("`{}` has no rows that can be read", recording.name)));
        };
        if !options.repeat {
            return Ok(());
        }
        start = end;
    }
}

/// Emits all rows, the first at `start`. Returns when the next round is due, `None` if there are no rows.
async fn play(
    recording: &mut Recording,
    speed: f64,
    mut start: Duration,
    context: &mut Context,
) -> Result<Option<Duration>, Error> {
    let mut round: Option<Round> = None;
    while let Some(record) = recording.next(context)? {
        let round = round.get_or_insert(Round::new(record.time_us));
        let offset = scaled(round.offset_us(record.time_us), speed);
        let behind = context.world.now().saturating_sub(start.saturating_add(offset));
        if behind > CATCH_UP {
            start = start.saturating_add(behind);
        }
        context.sleep_until(start.saturating_add(offset)).await?;
        if !record.values.is_empty() {
            context.emit(None, record.values).await?;
        }
    }
    Ok(round.map(|round| start.saturating_add(scaled(round.length_us(), speed).max(SHORTEST_ROUND))))
}

/// The times of one round, in microseconds.
#[derive(Clone, Copy)]
struct Round {
    first_us: i64,
    last_us: i64,
    gap_us: i64,
}

impl Round {
    fn new(first_us: i64) -> Round {
        Round { first_us, last_us: first_us, gap_us: DEFAULT_GAP_US }
    }

    /// How long after the first row a row is due.
    fn offset_us(&mut self, time_us: i64) -> i64 {
        if time_us > self.last_us {
            self.gap_us = time_us.saturating_sub(self.last_us);
            self.last_us = time_us;
        }
        time_us.saturating_sub(self.first_us).max(0)
    }

    /// How long after its first row the next round begins: as long after the last row as that came after
    /// the one before.
    fn length_us(&self) -> i64 {
        self.last_us.saturating_sub(self.first_us).saturating_add(self.gap_us)
    }
}

fn scaled(us: i64, speed: f64) -> Duration {
    Duration::try_from_secs_f64(us as f64 / 1e6 / speed).unwrap_or(Duration::MAX)
}

/// An open file, read line by line.
struct Recording {
    name: String,
    lines: Lines<BufReader<File>>,
    form: Form,
    columns: Columns,
}

impl Recording {
    fn open(options: &Options) -> Result<Recording, Error> {
        if !(options.speed.is_finite() && options.speed > 0.0) {
            let speed = options.speed;
            return Err(Error::Configuration(format!("`speed` must be a number above 0, and not {speed}")));
        }
        let name = options.file.display().to_string();
        let unreadable = |error| Error::Transient(format!("cannot read `{name}`: {error}"));
        let misshapen = |problem| Error::Configuration(format!("`{name}`: {problem}"));
        let file = File::open(&options.file).map_err(unreadable)?;
        let mut lines = Lines::new(BufReader::new(file));
        let form = match extension(&options.file).as_str() {
            "csv" => match lines.next().map_err(unreadable)? {
                None => {
                    return Err(Error::Transient(format!(
                        "`{name}` is empty; its first line must name the columns"
                    )));
                }
                Some(header) => header.and_then(Form::csv).map_err(misshapen)?,
            },
            "jsonl" | "ndjson" => Form::json_lines(),
            _ => {
                return Err(misshapen(
                    "the name of the file must end in `.csv`, `.jsonl` or `.ndjson`".into(),
                ));
            }
        };
        let columns = inspect(&mut lines, form.clone()).map_err(unreadable)?;
        Ok(Recording { name, lines, form, columns })
    }

    /// The next row that can be read; what cannot is rejected on the way.
    fn next(&mut self, context: &mut Context) -> Result<Option<Record>, Error> {
        loop {
            let line = self.lines.next();
            let line =
                line.map_err(|error| Error::Transient(format!("cannot read `{}`: {error}", self.name)))?;
            let Some(line) = line else { return Ok(None) };
            let record = line.and_then(|line| self.form.parse(line, &self.columns));
            let number = self.lines.number();
            let mut reject =
                |problem| context.reject(&format_args!("`{}` line {number}: {problem}", self.name));
            match record {
                Err(problem) => reject(problem),
                Ok(record) => {
                    record.problems.iter().cloned().for_each(reject);
                    return Ok(Some(record));
                }
            }
        }
    }
}

/// What the columns hold, by the first lines; afterwards `lines` is where it was.
fn inspect(lines: &mut Lines<BufReader<File>>, mut form: Form) -> std::io::Result<Columns> {
    let (place, number) = (lines.reader().stream_position()?, lines.number());
    let mut columns = form.columns();
    for _ in 0..INSPECTED_LINES {
        let Some(line) = lines.next()? else { break };
        if let Ok(line) = line {
            form.inspect(line, &mut columns);
        }
    }
    lines.reader().seek(std::io::SeekFrom::Start(place))?;
    lines.set_number(number);
    Ok(columns)
}

fn extension(file: &Path) -> String {
    file.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
