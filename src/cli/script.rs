//! `script`: what users' scripts come to in the sandbox.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use actors::expression::script::call::Call;
use actors::expression::script::{
    self, BUDGET_MAX, Library, Limits, MEMORY_MIN, SOURCE_BYTES_MAX, Script, View,
};
use engine::diagnostic::Severity;
use engine::formula::functions::Function;
use engine::tick::Fps;

use super::failure::{Failure, note};
use crate::config::report::Report;

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
    #[arg(long, value_name = "STEPS", default_value_t = Limits::default().budget,
          value_parser = clap::value_parser!(u64).range(1..=BUDGET_MAX))]
    budget: u64,
    /// The most bytes of memory that a script may take
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().memory as u64,
          value_parser = clap::value_parser!(u64).range(MEMORY_MIN as u64..=1 << 32))]
    memory: u64,
}

impl Limited {
    pub(super) fn limits(self) -> Limits {
        let memory = usize::try_from(self.memory).unwrap_or(usize::MAX);
        Limits { memory, ..Limits::default() }.with_budget(self.budget)
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

/// The functions of scripts, for formulas over these variables. What is wrong with any is the first failure.
pub(super) fn library<'a, Names: Iterator<Item = &'a str>>(
    files: &[PathBuf],
    limits: Limits,
    names: impl Fn() -> Names,
) -> Result<Library, Failure> {
    let mut scripts = Vec::new();
    for file in files {
        let mut script = load_with(file, limits, View::new(names(), [], Fps::default()))?
            .map_err(|failure| Failure::message(failure.to_string()))?;
        script.run().map_err(|failure| Failure::message(failure.to_string()))?;
        scripts.push(script::File { name: script.file().clone(), text: script.text().clone() });
    }
    let texts = scripts.clone();
    let view = Rc::new(View::new(names(), [], Fps::default()));
    let (library, problems) = Library::check(scripts, limits, &view, |name| Function::named(name).is_some());
    let mut errors = problems.into_iter().filter(|problem| problem.diagnostic.severity == Severity::Error);
    match errors.next().and_then(|problem| Some((texts.get(problem.file)?, problem.diagnostic))) {
        Some((file, problem)) => {
            Err(Failure::Report(Box::new(Report::new(&file.name, &file.text, vec![problem]))))
        }
        None => Ok(library),
    }
}

/// A script from a file, compiled.
fn load(file: &Path, limits: Limits) -> Result<Result<Script, script::Failure>, Failure> {
    load_with(file, limits, View::default())
}

fn load_with(file: &Path, limits: Limits, view: View) -> Result<Result<Script, script::Failure>, Failure> {
    let name = file.display().to_string();
    let text = read(file).map_err(|error| Failure::message(format!("`{name}` cannot be read: {error}")))?;
    Ok(Script::load(&name, &text, limits, Rc::new(view)))
}

/// The file's beginning, one byte more than a script may have at most.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(file)?.take(SOURCE_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}
