//! `schema`: the JSON Schema of configuration files.

use std::io::Write;

use super::failure::Failure;
use crate::config::schema::schema;

pub(super) fn run(out: &mut impl Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, &schema()).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}
