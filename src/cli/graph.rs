//! `graph`: what depends on what in a configuration.

use std::io::Write;
use std::path::PathBuf;

use actors::world::SIMULATED_HOST;

use super::failure::Failure;
use super::run;
use crate::config::Origin;
use crate::graph::{Form, Graph, Live};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration
    config: PathBuf,
    /// How it is written
    #[arg(long, value_name = "FORM", default_value = "dot")]
    format: Form,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let config = run::load(&arguments.config, Origin::machine(SIMULATED_HOST))?;
    let graph = Graph::new(&config.panel, Live::default());
    let written = match arguments.format {
        Form::Dot => graph.dot(),
        Form::Mermaid => graph.mermaid(),
        Form::Json => graph.json() + "\n",
        Form::Svg => graph.svg(&config.panel.name).map_err(|error| Failure::message(error.to_string()))?,
    };
    Ok(out.write_all(written.as_bytes())?)
}
