//! `functions`: what formulas can use.

use std::io::Write;

use engine::formula::functions::{FUNCTIONS, Function};
use serde_json::json;

use super::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    if arguments.json {
        let all: Vec<_> = FUNCTIONS.iter().map(as_json).collect();
        serde_json::to_writer_pretty(&mut *out, &all).map_err(std::io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    let width = FUNCTIONS.iter().map(|function| function.signature.chars().count()).max().unwrap_or(0);
    let mut categories: Vec<_> = FUNCTIONS.iter().map(|function| function.category).collect();
    categories.sort_unstable();
    categories.dedup();
    for (index, category) in categories.into_iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        writeln!(out, "{gap}{}", category.name())?;
        for function in FUNCTIONS.iter().filter(|function| function.category == category) {
            writeln!(out, "  {:width$}  {}", function.signature, function.description)?;
        }
    }
    Ok(())
}

fn as_json(function: &Function) -> serde_json::Value {
    json!({
        "name": function.name,
        "signature": function.signature,
        "category": function.category.name(),
        "description": function.description,
        "example": function.example,
        "result": function.example_result,
    })
}
