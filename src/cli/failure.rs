//! Failures: why a verb did not do what it was asked, and what the user sees of it.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use crate::config::report::Report;

/// Why a verb failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something is wrong with a text of the user's.
    Report(Box<Report>),
    /// Something else, in a sentence without a full stop.
    Message(String),
    /// A run in which starting actors anew did not help: the process has to be.
    GaveUp(String),
    /// What went wrong has been said already.
    Reported,
    /// Standard output cannot be written.
    Output(io::Error),
}

/// The exit code of a run that gave up: `EX_SOFTWARE` of `sysexits.h`. A service manager starts it anew.
const GAVE_UP: u8 = 70;

impl Failure {
    /// A failure that this sentence says.
    pub(super) fn message(message: impl Into<String>) -> Failure {
        Failure::Message(message.into())
    }

    /// Tells the user, and gives the process's exit status.
    pub(super) fn report(self) -> ExitCode {
        match self {
            Failure::Report(report) => show(&report),
            Failure::Message(message) => note(&format!("error: {message}")),
            Failure::GaveUp(message) => {
                note(&format!("error: {message}"));
                return ExitCode::from(GAVE_UP);
            }
            Failure::Reported => {}
            // Who reads has seen enough: `tinydisplay … | head` is no failure.
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Failure::Output(error) => note(&format!("error: the output cannot be written: {error}")),
        }
        ExitCode::FAILURE
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

impl From<Box<Report>> for Failure {
    fn from(report: Box<Report>) -> Failure {
        Failure::Report(report)
    }
}

/// Shows a report on standard error, in colours on a terminal.
pub(super) fn show(report: &Report) {
    note(report.render(has_colors()).trim_end());
}

/// Whether standard error takes colours: a terminal does, unless the user wants none (<https://no-color.org>).
pub(super) fn has_colors() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

/// Writes a line on standard error. Where nobody can read it, there is nobody to tell.
pub(super) fn note(line: &str) {
    if !line.is_empty() {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}
