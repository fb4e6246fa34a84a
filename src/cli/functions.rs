//! `functions`: what formulas can use.

use std::io::Write;
use std::path::PathBuf;

use actors::world::SIMULATED_HOST;
use engine::formula::UserFunction;

use super::failure::Failure;
use super::{run, script};
use crate::catalogue;
use crate::config::Origin;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    /// A Luau file whose functions are listed too
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    script: Vec<PathBuf>,
    /// A configuration whose scripts' functions are listed too
    #[arg(long, value_name = "CONFIG")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let functions = catalogue::functions(&of_scripts(arguments)?);
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &functions).map_err(std::io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    let width = functions.iter().map(|function| function.signature.chars().count()).max().unwrap_or(0);
    let mut category = "";
    for function in &functions {
        if function.category != category {
            let gap = if category.is_empty() { "" } else { "\n" };
            category = function.category;
            writeln!(out, "{gap}{category}")?;
        }
        let place = function.file.iter().zip(function.line).map(|(file, line)| format!("{file}:{line}"));
        let told = place.chain([function.description.to_string()]).filter(|part| !part.is_empty());
        let told = told.collect::<Vec<_>>().join(": ");
        writeln!(out, "  {:width$}  {told}", function.signature)?;
    }
    Ok(())
}

/// The functions of the scripts that are given.
fn of_scripts(arguments: &Arguments) -> Result<Vec<UserFunction>, Failure> {
    let library = match &arguments.config {
        Some(config) => run::load(config, Origin::machine(SIMULATED_HOST))?.panel.scripts,
        None => script::library(&arguments.script, Default::default(), || [].into_iter())?,
    };
    Ok(library.functions.to_vec())
}
