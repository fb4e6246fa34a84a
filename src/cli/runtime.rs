//! Where verbs meet the runtime: a live run with its web page, signals and logs.

use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::{io, thread};

use actors::handle::Handle;
use actors::panel::Persistence;
use actors::runtime::{self, Options};
use actors::telemetry::exporter;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tracing_subscriber::EnvFilter;

use super::failure::{Failure, has_colors, note};
use crate::config::{self, Config};
use crate::http::{self, Server};

/// The built-in demo's text: the same file as in the repository.
const DEMO: &str = include_str!("../../config/demo.toml");

/// What is logged where `TINYDISPLAY_LOG` does not say otherwise.
const LOG_DEFAULT: &str = "warn";

/// The built-in demo, which keeps its state in the user's state folder.
pub(super) fn demo() -> Result<Config, Failure> {
    let mut config = config::parse("demo", DEMO, Path::new(""))?;
    let state = |folder: PathBuf| Persistence {
        file: folder.join("tinydisplay").join("demo.db"),
        flush: Persistence::FLUSH,
    };
    config.panel.persistence = state_folder().map(state);
    Ok(config)
}

/// The folder for state, after the XDG Base Directory Specification.
fn state_folder() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

/// Runs a panel in real time until it is told to end, its inputs written to `record` if that is given.
pub(super) fn live(config: Config, ticks: Option<u64>, record: Option<&Path>) -> Result<(), Failure> {
    log();
    let metrics = exporter::install().map_err(|error| Failure::message(error.to_string()))?;
    let listen = config.http.listen;
    let site = http::Site::new(&config);
    let mut server = Ok(None);
    let options = Options { ticks, record: record.map(PathBuf::from), ..Options::default() };
    let run = runtime::run(config.panel, options, |handle| {
        let stop = handle.clone();
        server = end_on_signals(handle.clone()).and_then(|()| http::serve(site, handle, metrics)).map(Some);
        match &server {
            Ok(server) => announce(server.as_ref()),
            // There is nothing to see without its page: better to say so than to run in the dark.
            Err(_) => drop(stop.stop.send_replace(true)),
        }
    });
    match server {
        Ok(server) => server.into_iter().for_each(Server::shutdown),
        Err(error) => {
            let message = format!("the web page cannot be served on {listen}: {error}");
            return Err(Failure::message(message));
        }
    }
    run.map(drop).map_err(|error| Failure::message(error.to_string()))
}

fn announce(server: Option<&Server>) {
    if let Some(server) = server {
        note(&format!("The panel is on {}", server.url()));
    }
}

/// Ends the run at the first SIGINT or SIGTERM, and the process at the second.
fn end_on_signals(handle: Handle) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let stop = Arc::clone(&handle.stop);
    let watch = move || {
        for (count, _) in signals.forever().enumerate() {
            if count > 0 {
                process::exit(1);
            }
            stop.send_replace(true);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(watch).map(drop)
}

/// From here on logs go to standard error, as far as `TINYDISPLAY_LOG` lets them.
pub(super) fn log() {
    let filter = EnvFilter::try_from_env("TINYDISPLAY_LOG").unwrap_or_else(|_| LOG_DEFAULT.into());
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(has_colors()).with_writer(io::stderr);
    // A second subscriber is refused: then there is one already, and that is all that is wanted.
    let _ = subscriber.try_init();
}
