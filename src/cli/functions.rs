//! `functions`: what formulas can use.

use std::io::Write;

use super::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let _ = (arguments.json, out);
    Ok(())
}
