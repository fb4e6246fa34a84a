//! Where verbs meet the runtime: a live run with its web page, signals and logs.

use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use actors::handle::Handle;
use actors::panel::Persistence;
use actors::runtime::{self, Options};
use actors::telemetry::exporter::{self, UPKEEP_SECONDS};
use actors::world::host_name;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::failure::{Failure, note};
use super::service::Service;
use super::upkeep::Upkeep;
use crate::config::{self, Config, Origin};
use crate::http;

/// The built-in demo's text: the same file as in the repository.
const DEMO: &str = include_str!("../../config/demo.toml");

/// How often observations of histograms, which wait in memory, are counted.
const UPKEEP_EVERY: Duration = Duration::from_secs(UPKEEP_SECONDS);

/// The built-in demo, which keeps its state in the user's state folder.
pub(super) fn demo() -> Result<Config, Failure> {
    let mut config = config::parse_on("demo", DEMO, Path::new(""), Origin::machine(&host_name()))?;
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
    let metrics = exporter::install().map_err(|error| Failure::message(error.to_string()))?;
    let recorder = metrics.clone();
    let _upkeep = Upkeep::begin(UPKEEP_EVERY, move || recorder.run_upkeep())
        .map_err(|error| Failure::message(format!("no thread for the upkeep of metrics: {error}")))?;
    let listen = config.http.listen;
    // There is nothing to see without its page: better to say so than to run in the dark.
    let unserved = |error| Failure::message(format!("the web page cannot be served on {listen}: {error}"));
    let socket = Arc::new(http::bind(http::Site::new(&config)).map_err(unserved)?);
    let record = record.map(PathBuf::from);
    let face = Some(socket.clone().face(metrics));
    let options = Options { ticks, record, face, ..Options::default() };
    let mut service = None;
    let run = runtime::run(config.panel, options, |handle| {
        if let Err(error) = end_on_signals(handle.clone()) {
            tracing::error!("signals end the process at once, since there is no thread for them: {error}");
        }
        note(&format!("The panel is on {}", socket.url()));
        service = begin_service(handle, &socket.url());
    });
    service.into_iter().for_each(Service::end);
    run.map(drop).map_err(|error| match error {
        runtime::Error::Escalated(_) => Failure::GaveUp(error.to_string()),
        error => Failure::message(error.to_string()),
    })
}

/// A panel that cannot tell the service manager how it goes is shown all the same.
fn begin_service(handle: Handle, page: &str) -> Option<Service> {
    let service = Service::begin(handle, page);
    service.inspect_err(|error| tracing::error!(%error, "the service manager is told nothing")).ok()
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
