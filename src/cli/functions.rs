//! `functions`: what formulas can use.

use std::io::Write;

use super::failure::Failure;
use crate::catalogue;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let functions = catalogue::functions();
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
        writeln!(out, "  {:width$}  {}", function.signature, function.description)?;
    }
    Ok(())
}
