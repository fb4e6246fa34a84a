//! `record`: a panel in real time, all its inputs written down.

use std::path::PathBuf;

use actors::world::host_name;

use super::failure::Failure;
use super::{run, runtime};
use crate::config::Origin;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    config: PathBuf,
    /// The recording
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// End after this many ticks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    ticks: Option<u64>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = run::load(&arguments.config, Origin::machine(&host_name()))?;
    runtime::live(config, arguments.ticks, Some(&arguments.out))
}
