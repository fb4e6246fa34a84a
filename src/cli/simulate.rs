//! `simulate`: a panel in virtual time.

mod animated;
mod collector;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use actors::expression::script;
use actors::handle::Handle;
use actors::panel::Panel;
use actors::recording::Recording;
use actors::runtime::{self, Options, Time};
use actors::world::SIMULATED_HOST;
use engine::script::Script;

use super::failure::{Failure, note};
use super::run;
use crate::config::{Config, Origin, limits};
use collector::Collector;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    pub(super) config: PathBuf,
    /// How many ticks: 0 to N-1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) ticks: u64,
    /// The seed of everything random, instead of the configuration's
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// A recording whose inputs replace all sources
    #[arg(long, value_name = "RECORDING")]
    pub(super) input: Option<PathBuf>,
    /// Write events to this file, as JSON Lines
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
    /// Write every frame to this folder, as PNG files
    #[arg(long, value_name = "DIR")]
    pub(super) frames: Option<PathBuf>,
    /// Write an animated GIF of at most 50 frames a second, which is what the format can do
    #[arg(long, value_name = "FILE")]
    pub(super) gif: Option<PathBuf>,
    /// Print one line for each frame, "tick hash", and a last one, "all hash"
    #[arg(long)]
    pub(super) hash: bool,
    /// Take as long as a real run
    #[arg(long)]
    pub(super) realtime: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (mut config, input) = load(&arguments.config, arguments.input.as_deref())?;
    if let Some(seed) = arguments.seed {
        config.panel.seed = seed;
    }
    let collector = Collector::new(&config.panel, arguments, Box::new(io::stdout()))?;
    let time = if arguments.realtime { Time::Paced } else { Time::Virtual };
    let collector = simulate(config.panel, time, arguments.ticks, input, collector)?;
    collector.finish()
}

/// The configuration at `path` and the recording at `file`, if there is one: the configuration is that of
/// the machine that was recorded. Says which sources are made up where there is none.
pub(super) fn load(path: &Path, file: Option<&Path>) -> Result<(Config, Option<Recording>), Failure> {
    let recording = file.map(Recording::read).transpose();
    let recording = recording.map_err(|error| Failure::message(error.to_string()))?;
    let host = recording.as_ref().and_then(|recording| recording.header.host.as_deref());
    let host = host.unwrap_or(SIMULATED_HOST);
    if host.len() > limits::TEXT_BYTES {
        let most = limits::TEXT_BYTES;
        return Err(Failure::message(format!("the recording's `host` has more than {most} bytes")));
    }
    let scripts = recording.as_ref().map_or(&[][..], |recording| &recording.header.scripts);
    let config = run::load(path, Origin { host, scripts })?;
    config.panel.scripts.files.iter().for_each(|file| tell_of_script(path, file, scripts));
    match &recording {
        None => {
            for source in config.panel.sources.iter().filter(|source| source.kind.is_live()) {
                let name = &source.name;
                note(&format!(
                    "source `{name}` is a seeded walk here; `--input` replays a recording instead"
                ));
            }
        }
        Some(recording) if recording.header.fingerprint != format!("{:016x}", config.panel.fingerprint) => {
            note("warning: this recording was made with another configuration, or another version of it");
        }
        Some(_) => {}
    }
    Ok((config, recording))
}

/// Says that a recording has another text of a script than its file.
fn tell_of_script(config: &Path, file: &script::File, recorded: &[Script]) {
    let path = config.parent().unwrap_or(Path::new("")).join(&*file.name);
    let is_recorded = recorded.iter().any(|script| script.file == file.name);
    if is_recorded && script::watch::read(&path).is_ok_and(|text| *text != *file.text) {
        let name = &file.name;
        note(&format!("`{name}` is another one by now; what runs here is what the recording has of it"));
    }
}

/// Runs `panel` in virtual time and shows everything to `collector`.
fn simulate(
    panel: Panel,
    time: Time,
    ticks: u64,
    input: Option<Recording>,
    collector: Collector,
) -> Result<Collector, Failure> {
    let collector = Arc::new(Mutex::new(collector));
    let (frames, events, begun) = (collector.clone(), collector.clone(), collector.clone());
    // A panic of the core ends the run with an error of its own, so a poisoned lock means nothing here.
    let options = Options {
        time,
        ticks: Some(ticks),
        input,
        on_frame: Some(Box::new(move |tick, frame| {
            frames.lock().unwrap_or_else(PoisonError::into_inner).frame(tick, frame);
        })),
        on_event: Some(Box::new(move |event| {
            events.lock().unwrap_or_else(PoisonError::into_inner).event(event);
        })),
        ..Options::default()
    };
    let started = move |handle: Handle| {
        begun.lock().unwrap_or_else(PoisonError::into_inner).stop_with(handle.stop);
    };
    runtime::run(panel, options, started).map_err(|error| Failure::message(error.to_string()))?;
    let collector = Arc::into_inner(collector);
    let collector = collector.ok_or_else(|| Failure::message("the simulation did not come to its end"))?;
    Ok(collector.into_inner().unwrap_or_else(PoisonError::into_inner))
}
