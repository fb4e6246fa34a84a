//! Recorded data from a CSV or JSON Lines file, at any speed.

use std::path::PathBuf;

use crate::source::{Context, Error, KeySpec};

/// What is played back.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file; its name ends in `.csv` or `.jsonl`.
    pub file: PathBuf,
    /// How many times faster than recorded; above 0.
    pub speed: f64,
    /// Whether it starts anew at the end.
    pub repeat: bool,
}

/// The keys.
///
/// # Errors
/// TODO
pub fn keys(_options: &Options) -> Result<Vec<KeySpec>, Error> {
    Ok(Vec::new())
}

/// Runs.
///
/// # Errors
/// TODO
pub async fn run(_options: &Options, _context: &mut Context) -> Result<(), Error> {
    Ok(())
}
