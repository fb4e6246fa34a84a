//! The collector: takes every frame and event of a simulation and makes of them what was asked for.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actors::output::png;
use actors::panel::Panel;
use engine::event::Event;
use engine::hash;
use engine::paint::Frame;
use engine::tick::Tick;
use engine::value::Value;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::sync::watch;

use super::Arguments;
use super::animated::Animated;
use crate::cli::failure::Failure;

/// All that a simulation is to leave behind.
pub(super) struct Collector {
    hashes: Option<Hashes>,
    frames: Option<PathBuf>,
    gif: Option<(PathBuf, Animated)>,
    events: Option<(PathBuf, BufWriter<File>)>,
    progress: ProgressBar,
    /// What ends the simulation before its time.
    stop: Option<Arc<watch::Sender<bool>>>,
    /// Why the first file that could not be written could not. Nothing is written after it.
    failed: Option<Failure>,
}

/// Where the hashes go. They are written as they come: there may be millions, and somebody who follows them.
struct Hashes {
    out: BufWriter<Box<dyn Write + Send>>,
    /// The hash of the hashes of all frames, each in eight bytes, the lowest first.
    all: hash::Running,
}

/// An event as a line of JSON.
#[derive(Serialize)]
struct EventLine<'a> {
    tick: u64,
    r#type: &'static str,
    coordination_id: &'a str,
    data: serde_json::Map<String, serde_json::Value>,
}

impl Collector {
    /// Creates the files. Hashes, where they are wanted, are written to `out`.
    pub(super) fn new(
        panel: &Panel,
        arguments: &Arguments,
        out: Box<dyn Write + Send>,
    ) -> Result<Collector, Failure> {
        let create = |path: &PathBuf| Ok::<_, Failure>((path.clone(), BufWriter::new(create_file(path)?)));
        if let Some(folder) = &arguments.frames {
            fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        }
        let gif = arguments.gif.as_ref().map(|path| {
            let file = create_file(path)?;
            let animated = Animated::new(file, panel.scene.size, panel.fps);
            Ok::<_, Failure>((path.clone(), animated.map_err(|error| unwritable(path, &error))?))
        });
        let is_shown = io::stderr().is_terminal();
        Ok(Collector {
            hashes: arguments
                .hash
                .then(|| Hashes { out: BufWriter::new(out), all: hash::Running::default() }),
            frames: arguments.frames.clone(),
            gif: gif.transpose()?,
            events: arguments.events.as_ref().map(create).transpose()?,
            progress: if is_shown { ProgressBar::new(arguments.ticks) } else { ProgressBar::hidden() },
            stop: None,
            failed: None,
        })
    }

    /// Takes what ends the simulation, for when going on is of no use.
    pub(super) fn stop_with(&mut self, stop: Arc<watch::Sender<bool>>) {
        self.stop = Some(stop);
    }

    pub(super) fn frame(&mut self, tick: Tick, frame: &Frame) {
        self.progress.set_position(tick.0 + 1);
        let written = match self.failed {
            None => self.write(tick, frame),
            Some(_) => Ok(()),
        };
        self.note(written);
    }

    pub(super) fn event(&mut self, event: &Event) {
        let Some((path, file)) = self.events.as_mut().filter(|_| self.failed.is_none()) else { return };
        let line = EventLine {
            tick: event.tick.0,
            r#type: event.kind.name(),
            coordination_id: &event.id,
            data: event.data.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
        };
        let written = serde_json::to_writer(&mut *file, &line).map_err(io::Error::from);
        let written = written.and_then(|()| file.write_all(b"\n")).map_err(|error| unwritable(path, &error));
        self.note(written);
    }

    /// Closes all files and writes the hash of all hashes.
    pub(super) fn finish(self) -> Result<(), Failure> {
        self.progress.finish_and_clear();
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        if let Some((path, gif)) = self.gif {
            gif.finish().map_err(|error| unwritable(&path, &error))?;
        }
        if let Some((path, mut file)) = self.events {
            file.flush().map_err(|error| unwritable(&path, &error))?;
        }
        if let Some(Hashes { mut out, all }) = self.hashes {
            writeln!(out, "all {:016x}", all.value())?;
            out.flush()?;
        }
        Ok(())
    }

    fn write(&mut self, tick: Tick, frame: &Frame) -> Result<(), Failure> {
        if let Some(Hashes { out, all }) = &mut self.hashes {
            let hash = frame.hash();
            all.update(&hash.to_le_bytes());
            writeln!(out, "{tick} {hash:016x}")?;
        }
        if let Some(folder) = &self.frames {
            let path = folder.join(format!("{:06}.png", tick.0));
            let written = File::create(&path).and_then(|file| png::encode(frame, 1, BufWriter::new(file)));
            written.map_err(|error| unwritable(&path, &error))?;
        }
        if let Some((path, gif)) = &mut self.gif {
            gif.frame(tick, frame).map_err(|error| unwritable(path, &error))?;
        }
        Ok(())
    }

    /// The first failure ends the simulation.
    fn note(&mut self, written: Result<(), Failure>) {
        if let Err(failure) = written {
            self.failed = Some(failure);
            if let Some(stop) = &self.stop {
                stop.send_replace(true);
            }
        }
    }
}

fn create_file(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::message(format!("`{}` cannot be written: {error}", path.display()))
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(number) => (*number).into(),
        Value::Bool(bool) => (*bool).into(),
        Value::Text(text) => (**text).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use engine::paint::{Color, Size};

    use super::*;

    /// Takes so many bytes, and none after them.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut taken = self.0.lock().unwrap();
            if taken.len() >= self.1 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            taken.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn collector(out: Pipe) -> Collector {
        let hashes = Hashes { out: BufWriter::new(Box::new(out)), all: hash::Running::default() };
        let progress = ProgressBar::hidden();
        let (frames, gif, events) = (None, None, None);
        Collector { hashes: Some(hashes), frames, gif, events, progress, stop: None, failed: None }
    }

    fn frame() -> Frame {
        Frame::new(Size::new(2, 2), Color::rgb(0, 0, 0))
    }

    #[test]
    fn hashes_are_written_as_they_come() {
        let out = Pipe(Arc::default(), usize::MAX);
        let mut collector = collector(out.clone());
        let frame = frame();
        (0..1_000).for_each(|tick| collector.frame(Tick(tick), &frame));
        let written = out.0.lock().unwrap().len();
        assert!(written > 8_000, "{written} bytes of 1000 lines");
        collector.finish().unwrap();
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let all: Vec<u8> = (0..1_000).flat_map(|_| frame.hash().to_le_bytes()).collect();
        assert!(text.starts_with(&format!("0 {0:016x}\n1 {0:016x}\n", frame.hash())));
        assert!(text.ends_with(&format!("\nall {:016x}\n", hash::of(&all))));
    }

    #[test]
    fn a_simulation_that_nobody_reads_ends() {
        let (stop, stopped) = watch::channel(false);
        let mut collector = collector(Pipe(Arc::default(), 1));
        collector.stop_with(Arc::new(stop));
        (0..300).for_each(|tick| collector.frame(Tick(tick), &frame()));
        assert!(!*stopped.borrow(), "one write was taken");
        (300..1_000).for_each(|tick| collector.frame(Tick(tick), &frame()));
        assert!(*stopped.borrow());
        let failure = collector.finish().unwrap_err();
        assert!(matches!(failure, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe));
    }
}
