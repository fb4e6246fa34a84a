//! Where verbs meet the runtime.

use std::io::Write;
use std::path::Path;

use actors::panel::Panel;

use super::failure::Failure;
use super::{render, simulate};
use crate::config::Config;

/// The built-in demo.
pub(super) fn demo() -> Result<Config, Failure> {
    Err(pending())
}

/// Runs a panel in real time until it is told to end, its inputs written to `record` if that is given.
pub(super) fn live(
    _config: Config,
    _ticks: Option<u64>,
    _record: Option<&Path>,
    _out: &mut impl Write,
) -> Result<(), Failure> {
    Err(pending())
}

/// Runs a panel in virtual time.
pub(super) fn simulate(
    _panel: Panel,
    _arguments: &simulate::Arguments,
    _out: &mut impl Write,
) -> Result<(), Failure> {
    Err(pending())
}

/// Paints one frame of a panel.
pub(super) fn render(_panel: Panel, _arguments: &render::Arguments) -> Result<(), Failure> {
    Err(pending())
}

fn pending() -> Failure {
    Failure::message("this build has no runtime")
}
