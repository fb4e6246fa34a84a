//! `script`: what users' scripts come to in the sandbox.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use actors::expression::script::call::Call;
use actors::expression::script::{self, Limits, MEMORY_MIN, SOURCE_BYTES_MAX, Script, View};

use super::failure::{Failure, note};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Luau files; each is run in an environment of its own, and the last one's result is printed
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print what this function of the last file returns instead, such as 'dew_point(21.5, 60)'
    #[arg(long, value_name = "CALL", value_parser = Call::parse)]
    call: Option<Call>,
    /// Tell on standard error what was used of the budget and the memory
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    limits: Limited,
}

/// What scripts may use.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Limited {
    /// The most steps that a call may take
    #[arg(long, value_name = "STEPS", default_value_t = Limits::default().budget)]
    budget: u64,
    /// The most bytes of memory that a script may take
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().memory as u64,
          value_parser = clap::value_parser!(u64).range(MEMORY_MIN as u64..=1 << 32))]
    memory: u64,
}

impl Limited {
    pub(super) fn limits(self) -> Limits {
        let memory = usize::try_from(self.memory).unwrap_or(usize::MAX);
        Limits { budget: self.budget, memory, ..Limits::default() }
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let (last, first) = arguments.files.split_last().ok_or_else(|| Failure::message("no file is given"))?;
    let limits = arguments.limits.limits();
    for file in first {
        // Each script fails alone.
        let ran = load(file, limits)?.and_then(|mut script| script.run());
        if let Err(failure) = ran {
            note(&format!("warning: {failure}"));
        }
    }
    let mut script = load(last, limits)?.map_err(|failure| Failure::message(failure.to_string()))?;
    let result = match &arguments.call {
        None => script.run(),
        Some(call) => script.call_shown(&call.name, &call.arguments),
    };
    if arguments.stats {
        let (steps, bytes) = script.used();
        note(&format!("steps: {steps} of {}, bytes: {bytes} of {}", limits.budget, limits.memory));
    }
    let text = result.map_err(|failure| Failure::message(failure.to_string()))?;
    if !text.is_empty() {
        writeln!(out, "{text}")?;
    }
    Ok(())
}

/// A script from a file, compiled.
fn load(file: &Path, limits: Limits) -> Result<Result<Script, script::Failure>, Failure> {
    let name = file.display().to_string();
    let text = read(file).map_err(|error| Failure::message(format!("`{name}` cannot be read: {error}")))?;
    Ok(Script::load(&name, &text, limits, Rc::new(View::default())))
}

/// The file's beginning, one byte more than a script may have at most.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(file)?.take(SOURCE_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}
