//! The recorder: a task with a thread of its own that writes down what the ring seals. The core hands it
//! each tick through a bounded channel and never waits for it: a disk that is too slow ends the recording,
//! with an error, and not the display.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::ring::intake::Sealed;
use engine::sample::{KeyId, Sample, SourceId};
use flume::TrySendError;
use serde::Serialize;

use super::lines::Limits;
use super::{Error, Header, Inputs, RecordedSample, StateName};
use crate::world::World;

/// Ticks that wait for the disk before the recording is given up: 17 seconds at 60 ticks a second.
const MAILBOX: usize = 1_024;

/// How long the disk has to take what waits when the run ends.
const FINISH_MAX: Duration = Duration::from_secs(3);

/// The core's side of a recording in the making.
pub struct Recorder {
    world: World,
    file: PathBuf,
    /// `None` once the recording has ended.
    mailbox: Option<flume::Sender<Arc<Sealed>>>,
    /// What came of it, when the task ends.
    ended: flume::Receiver<io::Result<()>>,
    /// Whether the disk was too slow.
    gave_up: bool,
}

impl Recorder {
    /// Creates the file, writes the header and starts the task that writes the rest. `sources` are the
    /// names of the panel's sources, by [`SourceId`].
    ///
    /// # Errors
    /// Those of the file system; a header that is longer than a line may be; no more threads.
    pub fn start(
        world: World,
        file: PathBuf,
        header: &Header,
        sources: &[String],
    ) -> Result<Recorder, Error> {
        let scribe = File::create(&file)
            .and_then(|out| Scribe::begin(BufWriter::new(out), header, sources, Limits::default()));
        let recorder = scribe.and_then(|scribe| Recorder::spawn(world, file.clone(), scribe, MAILBOX));
        recorder.map_err(|error| Error::Io { file, error })
    }

    /// Hands over the inputs of a tick, without waiting.
    pub fn keep(&mut self, sealed: &Arc<Sealed>) {
        let Some(mailbox) = &self.mailbox else { return };
        if is_empty(sealed) && sealed.new_keys.is_empty() {
            return;
        }
        match mailbox.try_send(sealed.clone()) {
            Ok(()) => return,
            Err(TrySendError::Full(_)) => {
                tracing::error!(tick = %sealed.tick, "the recording ends here: the disk is too slow");
                self.gave_up = true;
            }
            // The task has said why.
            Err(TrySendError::Disconnected(_)) => {}
        }
        self.mailbox = None;
    }

    /// Waits until all is written, but not for ever.
    ///
    /// # Errors
    /// Why the recording is not whole.
    pub async fn finish(mut self) -> Result<(), Error> {
        // The task ends when nobody can send any more and all is written.
        self.mailbox = None;
        let too_slow = || Error::TooSlow { file: self.file.clone() };
        let deadline = self.world.now() + FINISH_MAX;
        let ended = tokio::select! {
            biased;
            ended = self.ended.recv_async() => ended,
            () = self.world.sleep_until(deadline) => return Err(too_slow()),
        };
        let ended = ended.unwrap_or_else(|_| Err(io::Error::other("the recorder stopped working")));
        ended.map_err(|error| Error::Io { file: self.file.clone(), error })?;
        if self.gave_up { Err(too_slow()) } else { Ok(()) }
    }

    fn spawn<W>(world: World, file: PathBuf, scribe: Scribe<W>, capacity: usize) -> io::Result<Recorder>
    where
        W: Write + Send + 'static,
    {
        let (mailbox, arriving) = flume::bounded(capacity);
        let (answer, ended) = flume::bounded(1);
        world.spawn("recorder", move || async move {
            let written = scribe.write_all(arriving).await;
            if let Err(error) = &written {
                tracing::error!(%error, "the recording ends here: it cannot be written");
            }
            // Whoever asked may have given up waiting.
            answer.send(written).ok();
        })?;
        Ok(Recorder { world, file, mailbox: Some(mailbox), ended, gave_up: false })
    }
}

/// Writes lines, none longer and not more of them than a reader takes.
struct Scribe<W> {
    out: W,
    sources: Vec<Arc<str>>,
    /// The names of keys, without their sources.
    keys: BTreeMap<KeyId, Arc<str>>,
    limits: Limits,
    bytes: u64,
}

impl<W: Write> Scribe<W> {
    /// Begins with the header, which is on the disk when this returns: even the shortest recording can be
    /// read, and a file that cannot be written is found out before the run.
    fn begin(out: W, header: &Header, sources: &[String], limits: Limits) -> io::Result<Scribe<W>> {
        let sources = sources.iter().map(|name| name.as_str().into()).collect();
        let mut scribe = Scribe { out, sources, keys: BTreeMap::new(), limits, bytes: 0 };
        let line = line(header)?;
        if line.len() > limits.line_bytes {
            return Err(io::Error::other("the charts have more history than a recording can hold"));
        }
        scribe.append(&line)?;
        scribe.out.flush()?;
        Ok(scribe)
    }

    /// Writes what arrives, until nobody is left to send. Blocks its thread while it writes.
    async fn write_all(mut self, arriving: flume::Receiver<Arc<Sealed>>) -> io::Result<()> {
        while let Ok(sealed) = arriving.recv_async().await {
            self.write(&sealed)?;
            // Nothing stays in memory while there is time to write it: the process may be killed.
            if arriving.is_empty() {
                self.out.flush()?;
            }
        }
        self.out.flush()
    }

    fn write(&mut self, sealed: &Sealed) -> io::Result<()> {
        for (key, name) in sealed.new_keys.iter() {
            let (_, name) = name.split_once('.').unwrap_or(("", name));
            self.keys.insert(*key, name.into());
        }
        if is_empty(sealed) {
            return Ok(());
        }
        let states = sealed.states.iter();
        let inputs = Inputs {
            tick: sealed.tick.0,
            samples: sealed.samples.iter().map(|sample| self.sample(sample)).collect(),
            states: states.map(|(id, state)| (self.source(*id), StateName(*state))).collect(),
            rebased_ms: sealed.rebased_ms,
        };
        self.split(inputs)
    }

    /// Writes the inputs of a tick: on one line if they fit, or else on several.
    fn split(&mut self, mut inputs: Inputs) -> io::Result<()> {
        let line = line(&inputs)?;
        if line.len() <= self.limits.line_bytes {
            return self.append(&line);
        }
        if inputs.samples.len() < 2 {
            return Err(io::Error::other("a sample is longer than a line of a recording can be"));
        }
        let samples = inputs.samples.split_off(inputs.samples.len() / 2);
        let rest = Inputs { tick: inputs.tick, samples, ..Inputs::default() };
        self.split(inputs)?;
        self.split(rest)
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.bytes += line.len() as u64 + 1;
        if self.bytes > self.limits.file_bytes {
            let max = self.limits.file_bytes;
            return Err(io::Error::other(format!("a recording can have {max} bytes and no more")));
        }
        self.out.write_all(line)?;
        self.out.write_all(b"\n")
    }

    fn sample(&self, sample: &Sample) -> RecordedSample {
        RecordedSample {
            source: self.source(sample.source),
            key: self.keys.get(&sample.key).cloned().unwrap_or_default(),
            value: sample.value.clone(),
            timestamp_ms: Some(sample.timestamp_ms),
            sequence: sample.sequence,
        }
    }

    fn source(&self, id: SourceId) -> Arc<str> {
        self.sources.get(usize::from(id.0)).cloned().unwrap_or_default()
    }
}

fn is_empty(sealed: &Sealed) -> bool {
    sealed.samples.is_empty() && sealed.states.is_empty() && sealed.rebased_ms == 0
}

fn line(what: &impl Serialize) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(what)?)
}
