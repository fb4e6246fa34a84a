//! `render`: one frame as a picture.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::{run, runtime};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    config: PathBuf,
    /// Which frame
    #[arg(long, value_name = "N")]
    pub(super) tick: u64,
    /// The picture
    #[arg(long, value_name = "FILE.png", value_parser = png)]
    pub(super) out: PathBuf,
    /// A recording whose inputs replace all sources
    #[arg(long, value_name = "RECORDING")]
    pub(super) input: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = run::load(&arguments.config)?;
    runtime::render(config.panel, arguments)
}

fn png(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    let is_png = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if is_png { Ok(path.into()) } else { Err("the picture's name ends in `.png`".into()) }
}
