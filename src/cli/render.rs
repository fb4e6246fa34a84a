//! `render`: one frame as a picture.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use actors::output::png;
use actors::runtime::{self, Options, Time};
use engine::paint::Frame;
use engine::tick::Tick;

use super::failure::Failure;
use super::simulate;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    config: PathBuf,
    /// Which frame
    #[arg(long, value_name = "N")]
    tick: u64,
    /// The picture
    #[arg(long, value_name = "FILE.png", value_parser = png_name)]
    out: PathBuf,
    /// A recording whose inputs replace all sources
    #[arg(long, value_name = "RECORDING")]
    input: Option<PathBuf>,
    /// The seed of everything random, instead of the configuration's
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// How many pixels wide and high each pixel becomes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=16))]
    scale: u32,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (mut config, input) = simulate::load(&arguments.config, arguments.input.as_deref())?;
    config.panel.seed = arguments.seed.unwrap_or(config.panel.seed);
    let last = Arc::new(Mutex::new(None::<Frame>));
    let (shown, wanted) = (last.clone(), Tick(arguments.tick));
    let options = Options {
        time: Time::Virtual,
        ticks: Some(arguments.tick.saturating_add(1)),
        input,
        on_frame: Some(Box::new(move |tick, frame| {
            if tick == wanted {
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame.clone());
            }
        })),
        ..Options::default()
    };
    runtime::run(config.panel, options, |_| {}).map_err(|error| Failure::message(error.to_string()))?;
    let last = last.lock().unwrap_or_else(PoisonError::into_inner).take();
    let frame = last.ok_or_else(|| Failure::message(format!("tick {wanted} was not painted")))?;
    let path = &arguments.out;
    let written =
        File::create(path).and_then(|file| png::encode(&frame, arguments.scale, BufWriter::new(file)));
    written.map_err(|error| Failure::message(format!("`{}` cannot be written: {error}", path.display())))
}

fn png_name(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    let is_png = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if is_png { Ok(path.into()) } else { Err("the picture's name ends in `.png`".into()) }
}
