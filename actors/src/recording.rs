//! Recordings: every input of a run, sealed at its tick, as JSON Lines. The same configuration and the same
//! recording give the same events and the same frames, live or simulated, on every machine.
//!
//! The first line is the header; every other line holds the inputs of one tick, and ticks without inputs
//! have no line:
//! ```json
//! {"recording":1,"engine":"0.1.0","panel":"demo","fingerprint":"9f…","fps":60,"seed":7,"start_ms":1767225600000}
//! {"tick":3,"samples":[["system","cpu",12.5,1767225600041,0]],"states":[["system","live"]]}
//! ```
//! A sample is `[source, key, value, unix_ms, sequence]`; the last two may be left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::ring::intake::Sealed;
use engine::ring::keys::Keys;
use engine::sample::{Reading, SourceId, SourceState};
use engine::tick::Tick;
use engine::value::Value;
use serde::{Deserialize, Serialize};

/// The version of the format.
pub const VERSION: u32 = 1;

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 16 << 20;

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
    /// Whether every change of a source's state is recorded. Where it is not, as in a file made by hand,
    /// states follow from what arrives.
    #[serde(default)]
    pub states: bool,
    /// The history that charts were filled with before tick 0, by formula.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub history: BTreeMap<String, Vec<(i64, f64)>>,
}

/// The inputs of one tick.
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
    pub states: Vec<(String, StateName)>,
    /// Milliseconds by which the clock was set forward, or back below 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rebased_ms: i64,
}

/// A sample as `[source, key, value, unix_ms, sequence]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "SampleLine", into = "FullSampleLine")]
pub struct RecordedSample {
    /// The source's name.
    pub source: String,
    /// The key without the source's name.
    pub key: Arc<str>,
    /// What was read.
    pub value: Value,
    /// Unix time in milliseconds; `None` takes the engine's.
    pub timestamp_ms: Option<i64>,
    /// The source's own sequence number.
    pub sequence: u64,
}

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

impl Recording {
    /// Reads a recording from a file.
    ///
    /// # Errors
    /// [`Error`], with the line that is at fault.
    pub fn read(file: &Path) -> Result<Recording, Error> {
        let failed = |error| Error::Io { file: file.into(), error };
        let reader = BufReader::new(File::open(file).map_err(failed)?);
        let mut lines = reader.lines().enumerate();
        let wrong = |line: usize, message: String| Error::Line { file: file.into(), line: line + 1, message };
        let (number, first) = lines.next().ok_or_else(|| wrong(0, "the recording is empty".into()))?;
        let header = parse_header(&first.map_err(failed)?).map_err(|message| wrong(number, message))?;
        let mut inputs: Vec<Inputs> = Vec::new();
        for (number, line) in lines {
            let line = line.map_err(failed)?;
            if line.trim().is_empty() {
                continue;
            }
            let next = parse_inputs(&line, inputs.last()).map_err(|message| wrong(number, message))?;
            inputs.push(next);
        }
        Ok(Recording { header, inputs })
    }

    /// The number of ticks up to and with the last input.
    pub fn ticks(&self) -> u64 {
        self.inputs.last().map_or(0, |inputs| inputs.tick + 1)
    }
}

/// Plays a recording's inputs back, tick by tick.
#[derive(Debug)]
pub struct Replay {
    inputs: std::iter::Peekable<std::vec::IntoIter<Inputs>>,
    sources: BTreeMap<String, SourceId>,
}

/// The inputs of one tick as the intake takes them.
#[derive(Debug, Default)]
pub struct Replayed {
    /// What arrived.
    pub readings: Vec<Reading>,
    /// What was said of sources.
    pub states: Vec<(SourceId, SourceState)>,
    /// Milliseconds by which the clock was set forward, or back below 0.
    pub rebased_ms: i64,
}

impl Replay {
    /// A replay for a panel with these sources; samples of others are left out.
    pub fn new(recording: Recording, sources: impl IntoIterator<Item = String>) -> Replay {
        let sources = sources.into_iter().zip((0..).map(SourceId)).collect();
        Replay { inputs: recording.inputs.into_iter().peekable(), sources }
    }

    /// The inputs of `tick`; ask for every tick, in order.
    pub fn inputs(&mut self, tick: Tick) -> Replayed {
        let mut replayed = Replayed::default();
        while let Some(inputs) = self.inputs.next_if(|inputs| inputs.tick <= tick.0) {
            replayed.rebased_ms = replayed.rebased_ms.saturating_add(inputs.rebased_ms);
            let readings = inputs.samples.into_iter().filter_map(|sample| {
                let source = *self.sources.get(&sample.source)?;
                let RecordedSample { key, value, timestamp_ms, sequence, .. } = sample;
                Some(Reading { source, sequence, timestamp_ms, values: vec![(key, value)] })
            });
            replayed.readings.extend(readings);
            let states = inputs.states.iter();
            let states = states.filter_map(|(name, state)| Some((*self.sources.get(name)?, state.0)));
            replayed.states.extend(states);
        }
        replayed
    }
}

/// Writes what a ring seals.
pub struct Recorder {
    file: BufWriter<File>,
    sources: Vec<String>,
}

impl Recorder {
    /// Creates the file and writes the header.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(file: &Path, header: &Header, sources: Vec<String>) -> io::Result<Recorder> {
        let mut file = BufWriter::new(File::create(file)?);
        serde_json::to_writer(&mut file, header)?;
        file.write_all(b"\n")?;
        Ok(Recorder { file, sources })
    }

    /// Appends the inputs of a tick, if there are any.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&mut self, sealed: &Sealed, keys: &Keys) -> io::Result<()> {
        if sealed.samples.is_empty() && sealed.states.is_empty() && sealed.rebased_ms == 0 {
            return Ok(());
        }
        let source = |id: SourceId| self.sources.get(usize::from(id.0)).cloned().unwrap_or_default();
        let samples = sealed.samples.iter().map(|sample| {
            let source = source(sample.source);
            let name = keys.get(sample.key).map_or("", |key| &*key.name);
            let key = name.get(source.len() + 1..).unwrap_or_default().into();
            let (value, timestamp_ms) = (sample.value.clone(), Some(sample.timestamp_ms));
            RecordedSample { source, key, value, timestamp_ms, sequence: sample.sequence }
        });
        let inputs = Inputs {
            tick: sealed.tick.0,
            samples: samples.collect(),
            states: sealed.states.iter().map(|(id, state)| (source(*id), StateName(*state))).collect(),
            rebased_ms: sealed.rebased_ms,
        };
        serde_json::to_writer(&mut self.file, &inputs)?;
        self.file.write_all(b"\n")
    }

    /// Writes out what is still in memory.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn parse_header(line: &str) -> Result<Header, String> {
    let header: Header = serde_json::from_str(line).map_err(|error| {
        format!("this is not the first line of a recording: {error}; `tinydisplay record` makes one")
    })?;
    if header.recording != VERSION {
        let found = header.recording;
        return Err(format!("recording format {found} is not known; this program reads format {VERSION}"));
    }
    Ok(header)
}

fn parse_inputs(line: &str, before: Option<&Inputs>) -> Result<Inputs, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("this line is longer than {LINE_BYTES_MAX} bytes"));
    }
    let inputs: Inputs = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match before {
        Some(before) if inputs.tick <= before.tick => {
            let (tick, before) = (inputs.tick, before.tick);
            Err(format!("tick {tick} comes after tick {before}; ticks have to ascend"))
        }
        _ => Ok(inputs),
    }
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SampleLine {
    Short(String, Arc<str>, Scalar),
    Stamped(String, Arc<str>, Scalar, Option<i64>),
    Full(String, Arc<str>, Scalar, Option<i64>, u64),
}

type FullSampleLine = (String, Arc<str>, Scalar, Option<i64>, u64);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(f64),
    Bool(bool),
    Text(Arc<str>),
}

impl From<SampleLine> for RecordedSample {
    fn from(line: SampleLine) -> RecordedSample {
        let (source, key, value, timestamp_ms, sequence) = match line {
            SampleLine::Short(source, key, value) => (source, key, value, None, 0),
            SampleLine::Stamped(source, key, value, at) => (source, key, value, at, 0),
            SampleLine::Full(source, key, value, at, sequence) => (source, key, value, at, sequence),
        };
        let value = match value {
            Scalar::Number(n) => Value::Number(n),
            Scalar::Bool(b) => Value::Bool(b),
            Scalar::Text(text) => Value::Text(text),
        };
        RecordedSample { source, key, value, timestamp_ms, sequence }
    }
}

impl From<RecordedSample> for FullSampleLine {
    fn from(sample: RecordedSample) -> FullSampleLine {
        let value = match sample.value {
            Value::Number(n) => Scalar::Number(n),
            Value::Bool(b) => Scalar::Bool(b),
            Value::Text(text) => Scalar::Text(text),
        };
        (sample.source, sample.key, value, sample.timestamp_ms, sample.sequence)
    }
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
