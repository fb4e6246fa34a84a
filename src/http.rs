//! The HTTP server: the studio in a browser, the API, the metrics, and the live panel over a WebSocket.
//!
//! It runs on a thread of its own and only ever reads and asks: a slow or absent client delays nobody. For
//! now it answers on loopback addresses alone.
//!
//! | route | answer |
//! |---|---|
//! | `/`, `/studio/…` | the studio |
//! | `/ws` | the live panel, see [`wire`] |
//! | `/metrics` | Prometheus' text format |
//! | `/healthz` | 200 while the server lives |
//! | `/readyz` | 200 once the first frame is painted, 503 before |
//! | `/api/v1/values` | named values and declared keys |
//! | `/api/v1/sources` | the sources and how they are doing |
//! | `/api/v1/events?limit=1..1000` | the newest events, the oldest of them first |
//! | `/api/v1/performance` | where a tick's time goes, how long things take, what waits |
//! | `/api/v1/frame.png?scale=1..8` | the newest frame |
//!
//! Errors are problem documents (RFC 9457).

mod api;
mod board;
mod event_log;
mod guard;
mod performance;
mod problem;
mod studio;
pub mod wire;
mod ws;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actors::handle::Handle;
use actors::telemetry;
use actors::telemetry::exporter::UPKEEP_SECONDS;
use actors::telemetry::process::Process;
use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::time::MissedTickBehavior;

use board::Board;
use event_log::EventLog;

/// Where the server listens unless it is told otherwise.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9185);

/// The most WebSockets at a time.
pub const VIEWERS_MAX: usize = 32;

/// The longest that open connections delay the end of the server.
pub const SHUTDOWN_MAX: Duration = Duration::from_secs(2);

/// Starts a server on `listen`. Where [`DEFAULT_ADDRESS`]'s port is asked for and taken, a free one is used;
/// [`Server::address`] says which.
///
/// # Errors
/// When the address is not a loopback one, when another port than the default one is taken, and when the
/// system has no more threads to give.
pub fn serve(listen: SocketAddr, handle: Handle, metrics: PrometheusHandle) -> io::Result<Server> {
    let listener = bind(listen)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _entered = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let (stop, stopped) = watch::channel(false);
    let app = Arc::new(App::new(handle, metrics, stopped));
    let thread = thread::Builder::new().name("http".into()).spawn(move || run(runtime, listener, app))?;
    Ok(Server { address, stop, thread: Some(thread) })
}

/// A running server. Dropping it tells it to end and does not wait.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The studio's address, for people.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Ends it: no new connections, running requests are answered, WebSockets are closed. Returns when that
    /// is done, at the latest after [`SHUTDOWN_MAX`].
    pub fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the HTTP server had panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// What all requests share.
struct App {
    handle: Handle,
    metrics: PrometheusHandle,
    telemetry: telemetry::Http,
    process: Mutex<Process>,
    board: watch::Sender<Arc<Board>>,
    /// `None` for the first second.
    performance: watch::Sender<Option<Arc<performance::Document>>>,
    events: EventLog,
    /// One permit for each WebSocket that may be open.
    viewers: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl App {
    fn new(handle: Handle, metrics: PrometheusHandle, stopped: watch::Receiver<bool>) -> App {
        App {
            events: EventLog::new(handle.events.subscribe()),
            handle,
            metrics,
            telemetry: telemetry::Http::new(),
            process: Mutex::new(Process::new()),
            board: watch::Sender::default(),
            performance: watch::Sender::default(),
            viewers: Arc::new(Semaphore::new(VIEWERS_MAX)),
            stopped,
        }
    }

    /// Resolves when the server is to end.
    async fn stopped(&self) {
        // An error means that nobody is left who could say "stop".
        let _ = self.stopped.clone().wait_for(|stopped| *stopped).await;
    }
}

fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    if !listen.ip().is_loopback() {
        let message = format!("{listen} is not a loopback address; use 127.0.0.1 or [::1]");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let listener = match TcpListener::bind(listen) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && listen.port() == DEFAULT_ADDRESS.port() => {
            TcpListener::bind((listen.ip(), 0))
        }
        bound => bound,
    }
    .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {listen}: {error}")))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn run(runtime: Runtime, listener: tokio::net::TcpListener, app: Arc<App>) {
    runtime.block_on(async {
        tokio::spawn(board::observe(app.clone()));
        tokio::spawn(event_log::listen(app.clone()));
        tokio::spawn(performance::observe(app.clone()));
        tokio::spawn(upkeep(app.metrics.clone()));
        let stopping = app.clone();
        let server = axum::serve(listener, router(app.clone()))
            .with_graceful_shutdown(async move { stopping.stopped().await });
        let server = tokio::spawn(server.into_future());
        app.stopped().await;
        let ended = async {
            // WebSockets have left HTTP behind, so the server does not wait for them by itself.
            let _ = server.await;
            let _ = app.viewers.acquire_many(VIEWERS_MAX as u32).await;
        };
        if tokio::time::timeout(SHUTDOWN_MAX, ended).await.is_err() {
            tracing::warn!("HTTP connections were still open at the end and were cut");
        }
    });
    // A picture that is still being written for nobody is not waited for.
    runtime.shutdown_background();
}

/// Keeps the recorder's memory small: observations of histograms pile up until they are counted.
async fn upkeep(metrics: PrometheusHandle) {
    let mut interval = tokio::time::interval(Duration::from_secs(UPKEEP_SECONDS));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        metrics.run_upkeep();
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(studio::page))
        .route("/studio/{file}", get(studio::asset))
        .route("/ws", get(ws::upgrade))
        .route("/metrics", get(api::metrics))
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .route("/api/v1/values", get(api::values))
        .route("/api/v1/sources", get(api::sources))
        .route("/api/v1/events", get(api::events))
        .route("/api/v1/performance", get(api::performance))
        .route("/api/v1/frame.png", get(api::frame))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
