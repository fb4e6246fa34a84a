//! The command line: one file for each verb.
//!
//! A verb's result goes to standard output and nothing else does; problems go to standard error. The exit
//! status is 0, or 1 where there was a problem, or 2 where the command line itself is at fault.

mod check;
mod completions;
mod eval;
mod failure;
mod functions;
mod graph;
mod log;
mod record;
mod render;
mod run;
mod runtime;
mod schema;
mod script;
mod service;
mod simulate;
mod upkeep;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// A reactive actor runtime for small displays: live data, formulas and animation.
///
/// Without a verb it runs the built-in demo: this machine's own metrics.
#[derive(Debug, Parser)]
#[command(name = "tinydisplay", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The form of logs; otherwise TINYDISPLAY_LOG_FORMAT says it, or what standard error is
    #[arg(long, value_name = "FORM", global = true)]
    log_format: Option<log::Format>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a panel; without CONFIG, the built-in demo
    Run(run::Arguments),
    /// List every problem of a configuration
    Check(check::Arguments),
    /// Run a panel in virtual time, as fast as it goes
    Simulate(simulate::Arguments),
    /// Run a panel and write down all its inputs
    Record(record::Arguments),
    /// Paint one frame into a PNG file
    Render(render::Arguments),
    /// Compute a formula
    Eval(eval::Arguments),
    /// Run scripts in the sandbox
    Script(script::Arguments),
    /// List the functions that formulas can use
    Functions(functions::Arguments),
    /// Print what depends on what in a configuration
    Graph(graph::Arguments),
    /// Print the JSON Schema of configuration files
    Schema,
    /// Print the completions of a shell
    Completions(completions::Arguments),
}

/// Does what the command line says. Usage errors end the process with status 2.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = BufWriter::new(io::stdout());
    let verb = arguments.verb.unwrap_or_else(|| Verb::Run(run::Arguments::default()));
    let done =
        log::begin(arguments.log_format).and_then(|()| verb.run(&mut out)).and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl Verb {
    fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        match self {
            Verb::Run(arguments) => run::run(arguments),
            Verb::Check(arguments) => check::run(arguments, out),
            Verb::Simulate(arguments) => simulate::run(arguments),
            Verb::Record(arguments) => record::run(arguments),
            Verb::Render(arguments) => render::run(arguments),
            Verb::Eval(arguments) => eval::run(arguments, out),
            Verb::Script(arguments) => script::run(arguments, out),
            Verb::Functions(arguments) => functions::run(arguments, out),
            Verb::Graph(arguments) => graph::run(arguments, out),
            Verb::Schema => schema::run(out),
            Verb::Completions(arguments) => completions::run(arguments, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
