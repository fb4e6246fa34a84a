//! `run`: a panel in real time.

use std::net::SocketAddr;
use std::path::PathBuf;

use actors::world::host_name;

use super::failure::{Failure, show};
use super::runtime;
use crate::config::{self, Config, Origin};

#[derive(Debug, Default, clap::Args)]
pub(super) struct Arguments {
    /// The configuration; without it, the built-in demo
    pub(super) config: Option<PathBuf>,
    /// Where frames go, instead of what the configuration says; may be given several times
    #[arg(long, value_name = "KIND")]
    pub(super) output: Vec<Output>,
    /// Where the web page is served: an IP address and a port; beyond this machine it needs a token
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(super) listen: Option<SocketAddr>,
    /// End after this many ticks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) ticks: Option<u64>,
}

/// The outputs that need no further word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    /// The studio: a page in the browser
    Web,
    /// Nowhere
    Null,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut config = match &arguments.config {
        Some(path) => load(path, Origin::machine(&host_name()))?,
        None => runtime::demo()?,
    };
    if !arguments.output.is_empty() {
        config.panel.outputs = arguments.output.iter().map(|output| (*output).into()).collect();
    }
    if let Some(listen) = arguments.listen {
        config.http.listen = listen;
    }
    runtime::live(config, arguments.ticks, None)
}

/// The configuration at `path`, its warnings shown.
pub(super) fn load(path: &std::path::Path, origin: Origin<'_>) -> Result<Config, Failure> {
    let config = config::load(path, origin)?;
    show(&config.warnings);
    Ok(config)
}

impl From<Output> for actors::panel::Output {
    fn from(output: Output) -> actors::panel::Output {
        match output {
            Output::Web => actors::panel::Output::Web,
            Output::Null => actors::panel::Output::Null,
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, such as 127.0.0.1:9185".into())
}
