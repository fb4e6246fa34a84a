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
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::formula::Kind;

use crate::source::{self, Context, Error, KeySpec};
use lines::{Lines, Mark};
use record::{Columns, Form, Record};
use stamp::Unit;

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

/// Where a playback is: behind a line of its file, in a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The first line of the file, and the last one that was used. Where they are others, the file was
    /// replaced.
    lines: (Mark, Mark),
    unit: Option<Unit>,
    /// [`crate::world::World::now`] when the round began.
    start: Duration,
    /// `None` before the first row of the round.
    round: Option<Round>,
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
    let opened = Recording::open(options, Duration::ZERO);
    let recording = opened.map_err(|error| Error::Configuration(error.to_string()))?;
    let key = |(name, column): (&Arc<str>, &record::Column)| match column.kind() {
        Kind::Number => KeySpec::number(name.clone(), column.range(), "", "Recorded number"),
        Kind::Text | Kind::Color => KeySpec::text(name.clone(), "Recorded text"),
    };
    Ok(recording.columns.iter().map(key).collect())
}

/// Emits each row at its distance from the first, divided by the speed. Rows that are out of order come at
/// once. What is malformed is counted, logged and skipped. Without `repeat` it ends after the last row.
///
/// Started anew it goes on with the next row, in the same round and at the same times. If the file was
/// replaced meanwhile, which shows in its first line or in the last one that was used, it begins with the
/// first row of the new one.
///
/// # Errors
/// [`Error::Transient`] while the file cannot be read or has no rows, [`Error::Configuration`] when it is
/// not of the right form, and [`Error::Stopped`].
pub async fn run(options: &Options, context: &mut Context) -> Result<(), Error> {
    let place = match context.place() {
        Some(source::Place::Playback(place)) => Some(*place),
        _ => None,
    };
    let (mut recording, mut round) = match place {
        Some(place) => Recording::resume(options, place, context.world.now())?,
        None => (Recording::open(options, context.world.now())?, None),
    };
    loop {
        let Some(end) = play(&mut recording, options.speed, round, context).await? else {
            return Err(Error::Transient(format!("`{}` has no rows that can be read", recording.name)));
        };
        if !options.repeat {
            return Ok(());
        }
        (recording, round) = (Recording::open(options, end)?, None);
    }
}

/// Emits the rows that are left of a `round`. Returns when the next one is due, `None` if it has no rows.
async fn play(
    recording: &mut Recording,
    speed: f64,
    mut round: Option<Round>,
    context: &mut Context,
) -> Result<Option<Duration>, Error> {
    while let Some(record) = recording.next(round, context)? {
        let round = round.get_or_insert(Round::new(record.time_us));
        let offset = scaled(round.offset_us(record.time_us), speed);
        let behind = context.world.now().saturating_sub(recording.start.saturating_add(offset));
        if behind > CATCH_UP {
            recording.start = recording.start.saturating_add(behind);
        }
        context.sleep_until(recording.start.saturating_add(offset)).await?;
        record.problems.iter().for_each(|problem| recording.reject(problem, context));
        let place = recording.place(Some(*round));
        if record.values.is_empty() {
            context.mark(place)?;
        } else {
            context.emit(None, record.values, place).await?;
        }
    }
    let length = |round: Round| scaled(round.length_us(), speed).max(SHORTEST_ROUND);
    Ok(round.map(|round| recording.start.saturating_add(length(round))))
}

/// The times of one round, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    first: Mark,
    form: Form,
    columns: Columns,
    start: Duration,
}

impl Recording {
    /// Opens the file for a round that begins at `start`.
    fn open(options: &Options, start: Duration) -> Result<Recording, Error> {
        if !(options.speed.is_finite() && options.speed > 0.0) {
            let speed = options.speed;
            return Err(Error::Configuration(format!("`speed` must be a number above 0, and not {speed}")));
        }
        let name = options.file.display().to_string();
        let unreadable = |error| Error::Transient(format!("cannot read `{name}`: {error}"));
        let misshapen = |problem| Error::Configuration(format!("`{name}`: {problem}"));
        let file = File::open(&options.file).map_err(unreadable)?;
        let mut lines = Lines::new(BufReader::new(file));
        let header = lines.next().map_err(unreadable)?;
        let form = match (extension(&options.file).as_str(), header) {
            ("csv", Some(header)) => header.and_then(Form::csv).map_err(misshapen)?,
            ("csv", None) => {
                return Err(Error::Transient(format!(
                    "`{name}` is empty; its first line must name the columns"
                )));
            }
            ("jsonl" | "ndjson", _) => Form::json_lines(),
            _ => {
                return Err(misshapen(
                    "the name of the file must end in `.csv`, `.jsonl` or `.ndjson`".into(),
                ));
            }
        };
        let first = lines.mark();
        if !form.has_header() {
            lines.go_to((0, 0)).map_err(unreadable)?;
        }
        let columns = inspect(&mut lines, form.clone()).map_err(unreadable)?;
        Ok(Recording { name, lines, first, form, columns, start })
    }

    /// Opens the file where it was left, with the round that it was in.
    fn resume(options: &Options, place: Place, now: Duration) -> Result<(Recording, Option<Round>), Error> {
        let mut recording = Recording::open(options, place.start)?;
        let (first, last) = place.lines;
        let name = &recording.name;
        let found = recording.lines.go_behind(last);
        let found = found.map_err(|error| Error::Transient(format!("cannot read `{name}`: {error}")))?;
        if found && first == recording.first {
            recording.form.set_unit(place.unit);
            return Ok((recording, place.round));
        }
        tracing::info!(file = %name, "the file was replaced, its playback begins anew");
        Ok((Recording::open(options, now)?, None))
    }

    /// The next row that can be read; what cannot is rejected on the way.
    fn next(&mut self, round: Option<Round>, context: &mut Context) -> Result<Option<Record>, Error> {
        loop {
            let line = self.lines.next();
            let line =
                line.map_err(|error| Error::Transient(format!("cannot read `{}`: {error}", self.name)))?;
            let Some(line) = line else { return Ok(None) };
            match line.and_then(|line| self.form.parse(line, &self.columns)) {
                Ok(record) => return Ok(Some(record)),
                Err(problem) => {
                    self.reject(&problem, context);
                    context.mark(self.place(round))?;
                }
            }
        }
    }

    fn reject(&self, problem: &str, context: &mut Context) {
        context.reject(&format_args!("`{}` line {}: {problem}", self.name, self.lines.mark().number));
    }

    /// Where it is, behind the line that was read last.
    fn place(&self, round: Option<Round>) -> source::Place {
        let lines = (self.first, self.lines.mark());
        let (unit, start) = (self.form.unit(), self.start);
        source::Place::Playback(Place { lines, unit, start, round })
    }
}

/// What the columns hold, by the first lines; afterwards `lines` is where it was.
fn inspect(lines: &mut Lines<BufReader<File>>, mut form: Form) -> std::io::Result<Columns> {
    let mut columns = form.columns();
    let place = lines.place();
    for _ in 0..INSPECTED_LINES {
        let Some(line) = lines.next()? else { break };
        if let Ok(line) = line {
            form.inspect(line, &mut columns);
        }
    }
    lines.go_to(place)?;
    Ok(columns)
}

fn extension(file: &Path) -> String {
    file.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
