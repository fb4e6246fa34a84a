//! The binary; everything it does is in [`tinydisplay::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    tinydisplay::cli::main()
}
