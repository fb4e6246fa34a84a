//! The recorder: writes down what the ring seals, on a thread of its own. The core hands it each tick
//! through a bounded channel and never waits for it: a disk that is too slow ends the recording, with an
//! error, and not the display. It outlives the core, whose restarts are part of what is recorded.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::ring::intake::Sealed;
use engine::sample::{KeyId, Sample, SourceId};
use flume::TrySendError;
use serde::Serialize;

use super::lines::Limits;
use super::{Error, Header, Inputs, RecordedSample, RecordedSignal, StateName};
use crate::supervisor::worker::{self, Failure};
use crate::telemetry::number::Gauge;
use crate::telemetry::table;

/// Ticks that wait for the disk before the recording is given up: 17 seconds at 60 ticks a second.
pub const MAILBOX: usize = 1_024;

/// A recording in the making: clones are the same one.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    file: PathBuf,
    state: Mutex<State>,
    arriving: flume::Receiver<Arc<Sealed>>,
}

struct State {
    /// `None` once the recording has ended.
    mailbox: Option<flume::Sender<Arc<Sealed>>>,
    /// `None` once it is being written.
    scribe: Option<Scribe>,
    /// What came of it.
    ended: Option<io::Result<()>>,
    /// Whether the disk was too slow.
    gave_up: bool,
    queue: Gauge,
}

impl Recorder {
    /// Creates the file and writes the header; [`Recorder::run`] writes the rest. `sources` are the names of
    /// the panel's sources, by [`SourceId`].
    ///
    /// # Errors
    /// Those of the file system; a header that is longer than a line may be.
    pub fn create(file: PathBuf, header: &Header, sources: &[String]) -> Result<Recorder, Error> {
        let scribe = File::create(&file)
            .and_then(|out| Scribe::begin(Box::new(BufWriter::new(out)), header, sources, Limits::default()));
        match scribe {
            Ok(scribe) => Ok(Recorder::new(file, scribe, MAILBOX)),
            Err(error) => Err(Error::Io { file, error }),
        }
    }

    fn new(file: PathBuf, scribe: Scribe, capacity: usize) -> Recorder {
        let (mailbox, arriving) = flume::bounded(capacity);
        let queue = table::RECORDER_QUEUE.gauge(&[]);
        let state =
            State { mailbox: Some(mailbox), scribe: Some(scribe), ended: None, gave_up: false, queue };
        Recorder(Arc::new(Shared { file, state: state.into(), arriving }))
    }

    /// How many ticks wait to be written, when the last one was handed over.
    pub fn waiting(&self) -> Gauge {
        self.state().queue.clone()
    }

    /// Hands over the inputs of a tick, without waiting.
    pub fn keep(&self, sealed: &Arc<Sealed>) {
        if is_empty(sealed) && sealed.new_keys.is_empty() {
            return;
        }
        let mut state = self.state();
        let Some(mailbox) = &state.mailbox else { return };
        state.queue.set(mailbox.len() as f64);
        match mailbox.try_send(sealed.clone()) {
            Ok(()) => return,
            Err(TrySendError::Full(_)) => {
                tracing::error!(tick = %sealed.tick, "the recording ends here: the disk is too slow");
                state.gave_up = true;
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
        state.mailbox = None;
    }

    /// Writes what is handed over until it is told to stop; then all that was is on the disk.
    ///
    /// # Errors
    /// Why the recording cannot go on. It is not taken up again.
    pub async fn run(&self, supervision: worker::Context) -> Result<(), Failure> {
        let Some(scribe) = self.state().scribe.take() else {
            return Err(Failure::Configuration("a recording that broke off is not taken up again".into()));
        };
        let mut ending = Ending(self, Some(Err(stopped_working())));
        let written = scribe.write_all(&self.0.arriving, &supervision).await;
        let told = written.as_ref().map_err(|error| Failure::Configuration(error.to_string())).copied();
        ending.1 = Some(written);
        told
    }

    /// What came of it, once [`Recorder::run`] has ended.
    ///
    /// # Errors
    /// Why the recording is not whole.
    pub fn outcome(&self) -> Result<(), Error> {
        let (file, mut state) = (self.0.file.clone(), self.state());
        match state.ended.take() {
            Some(Ok(())) if !state.gave_up => Ok(()),
            Some(Err(error)) => Err(Error::Io { file, error }),
            None if !state.gave_up && self.0.arriving.is_empty() => {
                Err(Error::Io { file, error: stopped_working() })
            }
            Some(Ok(())) | None => Err(Error::TooSlow { file }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Made before a recording is written and dropped after that, even by a panic: nothing waits for it any more.
struct Ending<'a>(&'a Recorder, Option<io::Result<()>>);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.mailbox = None;
        state.ended = self.1.take();
    }
}

fn stopped_working() -> io::Error {
    io::Error::other("the recorder stopped working")
}

/// Writes lines, none longer and not more of them than a reader takes.
struct Scribe {
    out: Box<dyn Write + Send>,
    sources: Vec<Arc<str>>,
    /// The names of keys, without their sources.
    keys: BTreeMap<KeyId, Arc<str>>,
    limits: Limits,
    bytes: u64,
}

impl Scribe {
    /// Begins with the header, which is on the disk when this returns: even the shortest recording can be
    /// read, and a file that cannot be written is found out before the run.
    fn begin(
        out: Box<dyn Write + Send>,
        header: &Header,
        sources: &[String],
        limits: Limits,
    ) -> io::Result<Scribe> {
        let sources = sources.iter().map(|name| name.as_str().into()).collect();
        let mut scribe = Scribe { out, sources, keys: BTreeMap::new(), limits, bytes: 0 };
        let line = line(header)?;
        if line.len() > limits.line_bytes {
            return Err(io::Error::other(
                "charts, windows and scripts have more than a recording's first line can hold",
            ));
        }
        scribe.append(&line)?;
        scribe.out.flush()?;
        Ok(scribe)
    }

    /// Writes what arrives, until it is told to stop and nothing waits. Blocks its thread while it writes.
    async fn write_all(
        mut self,
        arriving: &flume::Receiver<Arc<Sealed>>,
        supervision: &worker::Context,
    ) -> io::Result<()> {
        let next = async || {
            tokio::select! {
                biased;
                sealed = arriving.recv_async() => sealed.ok(),
                () = supervision.stopped() => arriving.try_recv().ok(),
            }
        };
        while let Some(sealed) = supervision.heart.resting(next()).await {
            supervision.strike("recorder.write").await.map_err(io::Error::other)?;
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
            signals: sealed.signals.iter().cloned().map(RecordedSignal).collect(),
            restarts: sealed.restarts.to_vec(),
            scripts: sealed.scripts.to_vec(),
            ended: sealed.ended.to_vec(),
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
    let Sealed { samples, states, signals, restarts, scripts, ended, rebased_ms, .. } = sealed;
    let is_quiet = signals.is_empty() && restarts.is_empty() && *rebased_ms == 0;
    is_quiet && samples.is_empty() && states.is_empty() && scripts.is_empty() && ended.is_empty()
}

fn line(what: &impl Serialize) -> io::Result<Vec<u8>> {
    Ok(serde_json::to_vec(what)?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use engine::ring::Limits as RingLimits;
    use engine::ring::intake::{Intake, SourceSpec};
    use engine::sample::Reading;
    use engine::tick::Fps;
    use engine::value::Value;
    use tokio::sync::watch;

    use super::*;
    use crate::fault::{Fault, Faults, Rule};
    use crate::recording::Recording;
    use crate::source::rig::simulate;
    use crate::supervisor::fence::Pass;
    use crate::world::World;

    /// A disk that takes so many bytes.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut taken = self.0.lock().unwrap();
            if taken.len() + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            taken.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn disk(bytes: usize) -> Disk {
        Disk(Arc::default(), bytes)
    }

    fn header() -> Header {
        let text =
            r#"{"recording":1,"engine":"","panel":"","fingerprint":"","fps":60,"seed":7,"start_ms":0}"#;
        serde_json::from_str(text).unwrap()
    }

    /// A tick with so many samples, each of a hundred bytes.
    fn sealed(samples: usize) -> Arc<Sealed> {
        let source = SourceSpec { name: "room".into(), stale_after: None };
        let mut intake = Intake::new(&[source], &[], RingLimits::default(), Fps::default(), 0).unwrap();
        let value = Value::from("x".repeat(100).as_str());
        for sequence in 0..samples as u64 {
            let values = vec![("note".into(), value.clone())];
            intake.accept(&Reading { source: SourceId(0), sequence, timestamp_ms: None, values });
        }
        Arc::new(intake.seal(0).0)
    }

    fn create(disk: &Disk, limits: Limits, capacity: usize) -> Recorder {
        let scribe = Scribe::begin(Box::new(disk.clone()), &header(), &["room".into()], limits).unwrap();
        Recorder::new("run.jsonl".into(), scribe, capacity)
    }

    /// Runs a recorder until `work` is done, and says what came of it.
    async fn run<F: Future<Output = ()>>(recorder: &Recorder, work: F) -> String {
        run_with(Faults::default(), recorder, work).await
    }

    async fn run_with<F: Future<Output = ()>>(faults: Faults, recorder: &Recorder, work: F) -> String {
        let (stop, stopped) = watch::channel(false);
        let world = World::simulated(false);
        let supervision = worker::Context::new(world, Pass::unlimited(), faults, stopped);
        let (running, task) = (recorder.clone(), supervision.clone());
        let running = actix::spawn(async move { running.run(task).await });
        work.await;
        stop.send_replace(true);
        // An error where it panicked.
        let _ = running.await;
        recorder.outcome().map_or_else(|error| error.to_string(), |()| "written".into())
    }

    fn read(disk: &Disk) -> Recording {
        Recording::read_from(&disk.0.lock().unwrap()[..], Path::new("run.jsonl"), Limits::default()).unwrap()
    }

    /// What comes of recording three ticks of ten samples, and how many of them are on the disk.
    fn record(disk: Disk, limits: Limits, capacity: usize) -> (String, usize) {
        simulate(async {
            let recorder = create(&disk, limits, capacity);
            let told = run(&recorder, async { (0..3).for_each(|_| recorder.keep(&sealed(10))) }).await;
            (told, read(&disk).inputs.iter().map(|inputs| inputs.samples.len()).sum())
        })
    }

    #[test]
    fn a_recording_that_is_not_whole_says_why() {
        let (all, none) = (usize::MAX, Limits::default());
        let check = |disk, limits, capacity, message: &str, samples: usize| {
            assert_eq!(record(disk, limits, capacity), (message.to_string(), samples));
        };
        check(disk(all), none, 9, "written", 30);
        check(disk(2_000), none, 9, "run.jsonl: no storage space", 10);
        let slow = "run.jsonl: the disk is too slow; the recording is not whole";
        check(disk(all), none, 2, slow, 20);
        let short = Limits { file_bytes: 2_000, ..none };
        check(disk(all), short, 9, "run.jsonl: a recording can have 2000 bytes and no more", 10);
        let narrow = Limits { line_bytes: 120, ..none };
        let long = "run.jsonl: a sample is longer than a line of a recording can be";
        check(disk(all), narrow, 9, long, 0);
    }

    #[test]
    fn a_recorder_that_panics_is_no_slow_disk() {
        simulate(async {
            let recorder = create(&disk(usize::MAX), Limits::default(), 2);
            let point = "recorder.write".to_string();
            let faults = Faults::listed([Rule { point, actor: None, after: 0, fault: Fault::Panic }]);
            let work = async {
                recorder.keep(&sealed(1));
                World::simulated(false).sleep_until(Duration::from_millis(1)).await;
                // More than its mailbox takes.
                (0..9).for_each(|_| recorder.keep(&sealed(1)));
            };
            let told = run_with(faults, &recorder, work).await;
            assert_eq!(told, "run.jsonl: the recorder stopped working");
        });
    }

    #[test]
    fn no_line_is_longer_than_a_reader_takes() {
        let disk = disk(usize::MAX);
        assert_eq!(record(disk.clone(), Limits { line_bytes: 400, ..Limits::default() }, 9).1, 30);
        let text = String::from_utf8(disk.0.lock().unwrap().clone()).unwrap();
        assert!(text.lines().all(|line| line.len() <= 400), "{text}");
        let inputs = read(&disk).inputs;
        let order: Vec<_> = inputs.iter().flat_map(|inputs| &inputs.samples).map(|s| s.sequence).collect();
        assert_eq!(order, Vec::from_iter((0..3).flat_map(|_| 0..10)), "in the order of arrival");
        let states = inputs.iter().map(|inputs| inputs.states.len()).sum::<usize>();
        assert_eq!(states, 3, "each state once");
    }

    #[test]
    fn a_header_that_does_not_fit_is_no_recording() {
        let limits = Limits { line_bytes: 20, ..Limits::default() };
        let begun = Scribe::begin(Box::new(disk(usize::MAX)), &header(), &[], limits);
        let error = begun.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("first line can hold"), "{error}");
    }

    #[test]
    fn what_was_kept_is_on_the_disk_while_the_run_goes_on() {
        simulate(async {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("run.jsonl");
            let world = World::simulated(false);
            let recorder = Recorder::create(file.clone(), &header(), &["room".into()]).unwrap();
            assert_eq!(Recording::read(&file).unwrap().inputs, [], "the header is there at once");
            let work = async {
                recorder.keep(&sealed(2));
                world.sleep_until(world.now() + Duration::from_millis(1)).await;
                assert_eq!(Recording::read(&file).unwrap().inputs.len(), 1);
            };
            assert_eq!(run(&recorder, work).await, "written");
        });
    }
}
