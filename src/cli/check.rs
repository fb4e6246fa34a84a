//! `check`: every problem of a configuration.

use std::io::Write;
use std::path::PathBuf;

use actors::panel::Panel;
use actors::world::SIMULATED_HOST;
use engine::diagnostic::{Diagnostic, Severity};
use engine::formula::Kind;
use engine::formula::derived::Span;
use engine::window;
use serde_json::json;

use super::failure::{Failure, show};
use crate::config::report::Report;
use crate::config::{self, Origin};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    config: PathBuf,
    /// Print JSON Lines on standard output: problems, and of a sound configuration its windows over time and the
    /// functions of its scripts
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let (report, panel) = match config::load(&arguments.config, Origin::machine(SIMULATED_HOST)) {
        Ok(config) => (config.warnings, Some(config.panel)),
        Err(report) => (*report, None),
    };
    if arguments.json {
        for problem in report.problems() {
            writeln!(out, "{}", as_json(&report, problem))?;
        }
        for line in panel.iter().flat_map(|panel| windows_as_json(panel).chain(functions_as_json(panel))) {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
    } else if report.problems().is_empty() {
        writeln!(out, "{}: no problems", arguments.config.display())?;
    } else {
        show(&report);
    }
    let Some(panel) = panel else { return Err(Failure::Reported) };
    if !arguments.json {
        write!(out, "{}", windows(&panel))?;
    }
    Ok(())
}

/// What the panel's windows over time need, a line each; nothing where there are none.
fn windows(panel: &Panel) -> String {
    let plan = window::plan(panel.program.derived(), panel.fps);
    if plan.windows.is_empty() {
        return String::new();
    }
    let mut text = format!("windows over time: at most {} of memory\n", bytes(plan.bytes_max));
    for window in &plan.windows {
        let key = panel.keys.get(window.key as usize).map_or("", |key| &*key.name);
        let Some(span) = window.span else {
            text += &format!("  {key}: the newest samples\n");
            continue;
        };
        let (samples, pane) = (plan.limits.samples, time(Span::Milliseconds(window.pane_ms.unsigned_abs())));
        text += &format!("  {key} over {}: exact up to {samples} samples, then to {pane}\n", time(span));
    }
    text
}

/// A span as users write it.
fn time(span: Span) -> String {
    match span {
        Span::Ticks(ticks) => format!("{ticks}ticks"),
        Span::Milliseconds(ms) => {
            let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
            let unit = units.into_iter().find(|(length, _)| ms % length == 0 && ms > 0);
            unit.map_or("0ms".into(), |(length, unit)| format!("{}{unit}", ms / length))
        }
    }
}

fn bytes(count: usize) -> String {
    match count {
        0..100_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

/// What the panel's windows over time need: each, and all of them together.
fn windows_as_json(panel: &Panel) -> impl Iterator<Item = serde_json::Value> {
    let plan = window::plan(panel.program.derived(), panel.fps);
    let samples = plan.limits.samples;
    let each = plan.windows.iter().map(|window| {
        json!({
            "type": "window",
            "key": panel.keys.get(window.key as usize).map_or("", |key| &*key.name),
            // Without one it looks at the newest samples alone.
            "span": window.span.map(time),
            "samples": window.span.map(|_| samples),
            "pane_ms": window.span.map(|_| window.pane_ms),
            "bytes_max": window.bytes_max,
        })
    });
    let all = json!({ "type": "windows", "count": plan.windows.len(), "bytes_max": plan.bytes_max });
    let lines: Vec<_> = each.chain([all]).collect();
    lines.into_iter().filter(move |_| !plan.windows.is_empty())
}

/// The functions that the panel's scripts define, and in how many places each is called.
fn functions_as_json(panel: &Panel) -> impl Iterator<Item = serde_json::Value> {
    let calls = |index| panel.program.script_calls().iter().filter(|call| call.function == index).count();
    (0..).zip(panel.scripts.functions.iter()).map(move |(index, function)| {
        json!({
            "type": "function",
            "name": function.name,
            "signature": function.signature(),
            "result": match function.result {
                Kind::Number => "number",
                Kind::Text => "text",
                Kind::Color => "color",
            },
            "file": function.file,
            "line": function.line,
            "calls": calls(index),
        })
    })
}

fn as_json(report: &Report, problem: &Diagnostic) -> serde_json::Value {
    let (line, column) = report.line_and_column(problem.span.start);
    let (end_line, end_column) = report.line_and_column(problem.span.end);
    json!({
        "type": "problem",
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
