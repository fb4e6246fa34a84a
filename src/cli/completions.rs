//! `completions`: what a shell needs to complete command lines.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    // The generator panics where it cannot write, so it writes to memory first.
    let mut script = Vec::new();
    generate(arguments.shell, &mut super::Arguments::command(), "tinydisplay", &mut script);
    Ok(out.write_all(&script)?)
}
