//! `check`: every problem of a configuration.

use std::io::Write;
use std::path::PathBuf;

use actors::world::SIMULATED_HOST;
use engine::diagnostic::{Diagnostic, Severity};
use serde_json::json;

use super::failure::{Failure, show};
use crate::config::report::Report;
use crate::config::{self};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    config: PathBuf,
    /// Print problems as JSON Lines on standard output
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let (report, usable) = match config::load(&arguments.config, SIMULATED_HOST) {
        Ok(config) => (config.warnings, true),
        Err(report) => (*report, false),
    };
    if arguments.json {
        for problem in report.problems() {
            writeln!(out, "{}", as_json(&report, problem))?;
        }
        out.flush()?;
    } else if report.problems().is_empty() {
        writeln!(out, "{}: no problems", arguments.config.display())?;
    } else {
        show(&report);
    }
    if usable { Ok(()) } else { Err(Failure::Reported) }
}

fn as_json(report: &Report, problem: &Diagnostic) -> serde_json::Value {
    let (line, column) = report.line_and_column(problem.span.start);
    let (end_line, end_column) = report.line_and_column(problem.span.end);
    json!({
        "file": report.name(),
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "severity": if problem.severity == Severity::Error { "error" } else { "warning" },
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
        "candidates": problem.candidates,
    })
}
