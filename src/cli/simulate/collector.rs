//! The collector: takes every frame and event of a simulation and makes of them what was asked for.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use actors::output::png;
use actors::panel::Panel;
use engine::event::Event;
use engine::hash;
use engine::paint::Frame;
use engine::tick::Tick;
use engine::value::Value;
use indicatif::ProgressBar;
use serde::Serialize;

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
    /// The first file that could not be written, and why. Nothing is written after it.
    failed: Option<(PathBuf, io::Error)>,
}

#[derive(Default)]
struct Hashes {
    lines: String,
    /// The hashes of all frames, each in eight bytes, the lowest first.
    all: Vec<u8>,
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
    pub(super) fn new(panel: &Panel, arguments: &Arguments) -> Result<Collector, Failure> {
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
            hashes: arguments.hash.then(Hashes::default),
            frames: arguments.frames.clone(),
            gif: gif.transpose()?,
            events: arguments.events.as_ref().map(create).transpose()?,
            progress: if is_shown { ProgressBar::new(arguments.ticks) } else { ProgressBar::hidden() },
            failed: None,
        })
    }

    pub(super) fn frame(&mut self, tick: Tick, frame: &Frame) {
        self.progress.set_position(tick.0 + 1);
        if let Some(hashes) = &mut self.hashes {
            let hash = frame.hash();
            // Writing to a text cannot fail.
            let _ = writeln!(hashes.lines, "{tick} {hash:016x}");
            hashes.all.extend(hash.to_le_bytes());
        }
        if self.failed.is_some() {
            return;
        }
        if let Some(folder) = &self.frames {
            let path = folder.join(format!("{:06}.png", tick.0));
            let written = File::create(&path).and_then(|file| png::encode(frame, 1, BufWriter::new(file)));
            self.failed = written.err().map(|error| (path, error));
        }
        if let Some((path, gif)) = &mut self.gif {
            let written = gif.frame(tick, frame);
            self.failed = self.failed.take().or(written.err().map(|error| (path.clone(), error)));
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        let Some((path, file)) = &mut self.events else { return };
        let line = EventLine {
            tick: event.tick.0,
            r#type: event.kind.name(),
            coordination_id: &event.id,
            data: event.data.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
        };
        let written = serde_json::to_writer(&mut *file, &line).map_err(io::Error::from);
        let written = written.and_then(|()| file.write_all(b"\n"));
        self.failed = self.failed.take().or(written.err().map(|error| (path.clone(), error)));
    }

    /// Closes all files and prints the hashes.
    pub(super) fn finish(mut self, out: &mut impl Write) -> Result<(), Failure> {
        self.progress.finish_and_clear();
        if let Some((path, error)) = self.failed {
            return Err(unwritable(&path, &error));
        }
        if let Some((path, gif)) = self.gif {
            gif.finish().map_err(|error| unwritable(&path, &error))?;
        }
        if let Some((path, file)) = &mut self.events {
            file.flush().map_err(|error| unwritable(path, &error))?;
        }
        if let Some(Hashes { lines, all }) = self.hashes {
            writeln!(out, "{lines}all {:016x}", hash::of(&all))?;
        }
        Ok(())
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
