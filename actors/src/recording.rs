//! Recordings: every input of a run, sealed at its tick, as JSON Lines. The same configuration and the same
//! recording give the same events and the same frames, live or simulated, on every machine.
//!
//! The first line is the header, each other one the inputs of a tick, or some of them where there are very many:
//! ```json
//! {"recording":1,"engine":"0.1.0","panel":"demo","fingerprint":"9f…","fps":60,"seed":7,"start_ms":1767225600000}
//! {"tick":3,"samples":[["system","cpu",12.5,1767225600041,0]],"states":[["system","live"]]}
//! ```
//! A sample is `[source, key, value, unix_ms, sequence]`; `docs/recordings.md` is the whole of it for users.

mod lines;
mod recorder;
mod replay;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::ring::intake::Restarted;
use engine::sample::SourceState;
use engine::script::{Ended, Script};
use engine::signal::Signal;
use engine::value::Value;
use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use lines::{Limits, Lines};
pub use recorder::{MAILBOX as RECORDER_MAILBOX, Recorder};
pub use replay::{Past, Replay, Replayed};

use crate::expression::script::handlers::States;

/// The version of the format.
pub const VERSION: u32 = 1;

/// The longest line that is written or read, in bytes. The history of 160 charts and of all windows fits into
/// the header; inputs of a tick that need more than a line get several.
pub const LINE_BYTES_MAX: usize = 64 << 20;

/// The longest file that is written or read, in bytes. A recording is read whole, which takes seven to
/// ten times as much memory as the file has bytes (measured on lines of one sample and of a hundred).
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// What a sample is, for people who write one by hand.
const SAMPLE: &str =
    "a sample is [source, key, value, unix_ms, sequence], of which the last two may be left out";

/// What a signal is, for people who write one by hand.
const SIGNAL: &str = "a signal is [name, facts], of which the facts may be left out";

/// What a recording begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format: [`VERSION`].
    pub recording: u32,
    /// The version of the engine that wrote it.
    pub engine: String,
    /// The panel's name.
    pub panel: String,
    /// The configuration's hash, in hexadecimal.
    pub fingerprint: String,
    /// Ticks a second.
    pub fps: u32,
    /// The seed.
    pub seed: u64,
    /// Unix time in milliseconds at tick 0.
    pub start_ms: i64,
    /// What the machine is called: the constant `host` of formulas. `None` for that of simulations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Whether every change of a source's state is recorded; else states follow from what arrives.
    #[serde(default)]
    pub states: bool,
    /// The history that charts were filled with before tick 0, by formula.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub history: BTreeMap<String, Vec<(i64, f64)>>,
    /// The samples that windows were filled with before tick 0.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub past: Past,
    /// The Unix time in milliseconds of the newest sample before tick 0, of keys whose age is asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub newest: BTreeMap<String, i64>,
    /// The scripts as they were at tick 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<Script>,
    /// What scripts had kept before tick 0, by their files.
    #[serde(default, skip_serializing_if = "States::is_empty")]
    pub state: States,
}

/// The inputs of one tick, or some of them where they need several lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The tick.
    pub tick: u64,
    /// What arrived, in the order of its arrival.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<RecordedSample>,
    /// Sources, by name, whose state is new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<(Arc<str>, StateName)>,
    /// Signals that came, in the order of their coming.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<RecordedSignal>,
    /// Actors that were started anew, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<Restarted>,
    /// Scripts whose text is another one from this tick on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<Script>,
    /// Calls of scripts that the clock ended at this tick.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<Ended>,
    /// Milliseconds by which the clock was set forward, or back below 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rebased_ms: i64,
}

/// A sample as `[source, key, value, unix_ms, sequence]`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "SampleLine")]
pub struct RecordedSample {
    /// The source's name.
    pub source: Arc<str>,
    /// The key without the source's name.
    pub key: Arc<str>,
    /// What was read.
    pub value: Value,
    /// Unix time in milliseconds; `None` takes the engine's.
    pub timestamp_ms: Option<i64>,
    /// The source's own sequence number.
    pub sequence: u64,
}

/// A signal as `[name, facts]`, where the facts may be left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "SignalLine")]
pub struct RecordedSignal(pub Signal);

/// A [`SourceState`] by its name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StateName(pub SourceState);

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{file}: {error}", file = .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It could not be written as fast as inputs arrived.
    #[error("{file}: the disk is too slow; the recording is not whole", file = .file.display())]
    TooSlow {
        /// Which file.
        file: PathBuf,
    },
    /// A line is not what it has to be.
    #[error("{file}:{line}: {message}", file = .file.display())]
    Line {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it and what to do.
        message: String,
    },
}

/// A recording, read whole.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What it begins with.
    pub header: Header,
    /// The inputs, ascending by tick.
    pub inputs: Vec<Inputs>,
}

impl Error {
    fn line(file: &Path, line: usize, message: String) -> Error {
        Error::Line { file: file.into(), line, message }
    }
}

impl Recording {
    /// Reads a recording from a file. Where the program that wrote it was interrupted within a line, what
    /// is before that line is returned and a warning is logged.
    ///
    /// # Errors
    /// [`Error`], with the line that is at fault.
    pub fn read(file: &Path) -> Result<Recording, Error> {
        let opened = File::open(file).map_err(|error| Error::Io { file: file.into(), error })?;
        Recording::read_from(BufReader::new(opened), file, Limits::default())
    }

    fn read_from(reader: impl BufRead, file: &Path, limits: Limits) -> Result<Recording, Error> {
        let mut lines = Lines::new(reader, file, limits);
        let Some(first) = lines.next()? else {
            return Err(Error::line(file, 1, "the recording is empty".into()));
        };
        let header = first.text().and_then(parse_header).map_err(|message| Error::line(file, 1, message))?;
        let mut inputs: Vec<Inputs> = Vec::new();
        while let Some(line) = lines.next()? {
            let number = line.number;
            match line.text().and_then(|text| parse_inputs(text, inputs.last())) {
                Ok(next) => inputs.extend(next),
                Err(message) if line.is_whole => return Err(Error::line(file, number, message)),
                Err(message) => {
                    let file = file.display();
                    tracing::warn!("{file}:{number}: the recording was interrupted in this line: {message}");
                }
            }
        }
        Ok(Recording { header, inputs })
    }
}

fn parse_header(line: &str) -> Result<Header, String> {
    let header: Header = serde_json::from_str(line).map_err(|error| {
        let problem = problem(&error);
        format!("this is not the first line of a recording: {problem}; `tinydisplay record` makes one")
    })?;
    if header.recording != VERSION {
        let found = header.recording;
        return Err(format!("recording format {found} is not known; this program reads format {VERSION}"));
    }
    Ok(header)
}

/// The inputs on a line; `None` where it is blank.
fn parse_inputs(line: &str, before: Option<&Inputs>) -> Result<Option<Inputs>, String> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    let inputs: Inputs = serde_json::from_str(line).map_err(|error| problem(&error))?;
    match before {
        Some(before) if inputs.tick < before.tick => {
            let (tick, before) = (inputs.tick, before.tick);
            Err(format!("tick {tick} comes after tick {before}; ticks have to ascend"))
        }
        _ => Ok(Some(inputs)),
    }
}

/// What is wrong with a line, without the number that it has for the parser: that is always 1.
fn problem(error: &serde_json::Error) -> String {
    let (text, column) = (error.to_string(), error.column());
    let text = text.strip_suffix(&format!(" at line 1 column {column}")).unwrap_or(&text);
    let what = if error.is_data() { "" } else { "this line is no JSON: " };
    format!("{what}{text} (column {column})")
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

type SampleLine = (Arc<str>, Arc<str>, Scalar, Option<i64>, u64);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(f64),
    Bool(bool),
    Text(Arc<str>),
}

impl From<Value> for Scalar {
    fn from(value: Value) -> Scalar {
        match value {
            Value::Number(n) => Scalar::Number(n),
            Value::Bool(b) => Scalar::Bool(b),
            Value::Text(text) => Scalar::Text(text),
        }
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Value {
        match scalar {
            Scalar::Number(n) => Value::Number(n),
            Scalar::Bool(b) => Value::Bool(b),
            Scalar::Text(text) => Value::Text(text),
        }
    }
}

type SignalLine = (String, BTreeMap<String, Scalar>);

impl From<RecordedSignal> for SignalLine {
    fn from(RecordedSignal(signal): RecordedSignal) -> SignalLine {
        let facts = signal.facts().iter().map(|(name, value)| (name.clone(), value.clone().into()));
        (signal.name().into(), facts.collect())
    }
}

impl<'de> Deserialize<'de> for RecordedSignal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RecordedSignal, D::Error> {
        deserializer.deserialize_any(SignalVisitor)
    }
}

struct SignalVisitor;

impl<'de> Visitor<'de> for SignalVisitor {
    type Value = RecordedSignal;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list; {SIGNAL}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<RecordedSignal, A::Error> {
        let wrong = |what: &str| de::Error::custom(format!("here should be {what}; {SIGNAL}"));
        let name = parts.next_element::<String>().ok().flatten();
        let name = name.ok_or_else(|| wrong("the signal's name, a text"))?;
        let facts = parts.next_element::<BTreeMap<String, Scalar>>();
        let facts = facts.map_err(|_| wrong("the facts: an object of numbers, texts, true or false"))?;
        if parts.next_element::<IgnoredAny>()?.is_some() {
            return Err(de::Error::custom(format!("there are more than two parts; {SIGNAL}")));
        }
        let facts = facts.unwrap_or_default().into_iter().map(|(name, value)| (name, value.into()));
        Signal::sealed(&name, facts.collect()).map(RecordedSignal).map_err(de::Error::custom)
    }
}

impl From<RecordedSample> for SampleLine {
    fn from(sample: RecordedSample) -> SampleLine {
        (sample.source, sample.key, sample.value.into(), sample.timestamp_ms, sample.sequence)
    }
}

impl<'de> Deserialize<'de> for RecordedSample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RecordedSample, D::Error> {
        deserializer.deserialize_any(SampleVisitor)
    }
}

struct SampleVisitor;

impl<'de> Visitor<'de> for SampleVisitor {
    type Value = RecordedSample;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list; {SAMPLE}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<RecordedSample, A::Error> {
        let source = required(&mut parts, "the source's name, a text")?;
        let key = required(&mut parts, "the key's name, a text")?;
        let value: Scalar = required(&mut parts, "the value: a number, a text, true or false")?;
        let value = value.into();
        let timestamp_ms = part(&mut parts, "the time: milliseconds, a whole number, or null")?.flatten();
        let sequence = part(&mut parts, "the sequence number, a whole number from 0")?.unwrap_or(0);
        if parts.next_element::<IgnoredAny>()?.is_some() {
            return Err(de::Error::custom(format!("there are more than five parts; {SAMPLE}")));
        }
        Ok(RecordedSample { source, key, value, timestamp_ms, sequence })
    }
}

/// The next part of a sample, which may be left out.
fn part<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(
    parts: &mut A,
    what: &str,
) -> Result<Option<T>, A::Error> {
    parts.next_element().map_err(|_| de::Error::custom(format!("here should be {what}; {SAMPLE}")))
}

fn required<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(parts: &mut A, what: &str) -> Result<T, A::Error> {
    part(parts, what)?.ok_or_else(|| de::Error::custom(format!("here should be {what}; {SAMPLE}")))
}

impl TryFrom<String> for StateName {
    type Error = String;
    fn try_from(name: String) -> Result<StateName, String> {
        let state = SourceState::ALL.into_iter().find(|state| state.name() == name);
        let known = || SourceState::ALL.map(SourceState::name).join(", ");
        state.map(StateName).ok_or_else(|| format!("{name:?} is no state of a source; known are {}", known()))
    }
}

impl From<StateName> for String {
    fn from(state: StateName) -> String {
        state.0.name().into()
    }
}

#[cfg(test)]
mod tests;
