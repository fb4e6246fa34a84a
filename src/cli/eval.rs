//! `eval`: a formula's result.

mod batch;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use actors::expression::script::{Library, harmless};
use actors::expression::trial::{TICKS_MAX, Trial};
use engine::value::Value;

use super::failure::Failure;
use super::script;
use crate::config::report::Report;

#[derive(Debug, clap::Args)]
#[command(mut_args(of_scripts))]
pub(super) struct Arguments {
    /// Give a variable a value: a number, true, false, nil (none yet), or else a text
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, Option<Value>)>,
    /// A Luau file whose functions the formula can call
    #[arg(long, value_name = "FILE", conflicts_with = "batch")]
    script: Vec<PathBuf>,
    #[command(flatten)]
    limits: script::Limited,
    /// Evaluate at so many ticks, from tick 0 on; the result is that of the last one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=TICKS_MAX))]
    ticks: u64,
    /// Read formulas from standard input, one JSON object on each line, and print one for each
    #[arg(long, conflicts_with_all = ["set", "ticks", "expression"])]
    batch: bool,
    /// The formula
    #[arg(required_unless_present = "batch", allow_hyphen_values = true)]
    expression: Option<String>,
}

/// What limits scripts says nothing where there are none.
fn of_scripts(argument: clap::Arg) -> clap::Arg {
    match argument.get_id().as_str() {
        "budget" | "memory" => argument.requires("script").conflicts_with("batch"),
        _ => argument,
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let Some(expression) = &arguments.expression else {
        return batch::run(io::stdin().lock(), out);
    };
    let variables: BTreeMap<_, _> = arguments.set.iter().cloned().collect();
    let variables = Vec::from_iter(variables);
    let (text, ticks) = (expression.as_str(), arguments.ticks);
    let library = library(arguments, &variables)?;
    match (Trial { text, variables: &variables, ticks, library: &library, ..Trial::default() }).run() {
        Ok(Some(value)) => Ok(writeln!(out, "{}", harmless(&value.to_string()))?),
        Ok(None) => Ok(writeln!(out, "nil")?),
        Err(problems) => Err(Failure::Report(Box::new(Report::new("expression", expression, problems)))),
    }
}

/// The scripts that are given.
fn library(arguments: &Arguments, variables: &[(String, Option<Value>)]) -> Result<Library, Failure> {
    let names = || variables.iter().map(|(name, _)| name.as_str());
    script::library(&arguments.script, arguments.limits.limits(), names)
}

/// `key=value`; later ones win.
fn assignment(text: &str) -> Result<(String, Option<Value>), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as cpu=81.5")?;
    if key.is_empty() {
        return Err("the name before `=` is missing".into());
    }
    Ok((key.into(), value_of(value)))
}

fn value_of(text: &str) -> Option<Value> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let quoted = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    Some(match (text, number, quoted) {
        ("nil", ..) => return None,
        ("true", ..) => Value::Bool(true),
        ("false", ..) => Value::Bool(false),
        (_, Some(number), _) => Value::Number(number),
        (_, _, Some(quoted)) => Value::from(quoted),
        _ => Value::from(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_numbers_truths_or_texts() {
        for (text, key, value) in [
            ("a=1", "a", Value::Number(1.0)),
            ("a=-1.5e3", "a", Value::Number(-1500.0)),
            ("a=true", "a", Value::Bool(true)),
            ("a=on", "a", Value::from("on")),
            ("a='1'", "a", Value::from("1")),
            ("a=inf", "a", Value::from("inf")),
            ("a=", "a", Value::from("")),
            ("s.k=x=y", "s.k", Value::from("x=y")),
        ] {
            assert_eq!(assignment(text), Ok((key.into(), Some(value))), "{text}");
        }
        assert_eq!(assignment("a=nil"), Ok(("a".into(), None)));
        assert!(assignment("a").is_err());
        assert!(assignment("=1").is_err());
    }
}
