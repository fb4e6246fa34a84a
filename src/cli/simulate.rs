//! `simulate`: a panel in virtual time.

use std::io::Write;
use std::path::PathBuf;

use super::failure::Failure;
use super::{run, runtime};

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
    /// Write an animated GIF
    #[arg(long, value_name = "FILE")]
    pub(super) gif: Option<PathBuf>,
    /// Print one line for each frame, "tick hash", and a last one, "all hash"
    #[arg(long)]
    pub(super) hash: bool,
    /// Take as long as a real run
    #[arg(long)]
    pub(super) realtime: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let mut config = run::load(&arguments.config)?;
    if let Some(seed) = arguments.seed {
        config.panel.seed = seed;
    }
    runtime::simulate(config.panel, arguments, out)
}
