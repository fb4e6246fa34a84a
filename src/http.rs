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
//! | `/api/v1/actors` | the tree of actors and how each is doing |
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
use actors::runtime::Face;
use actors::supervisor::worker::{Context, Failure};
use actors::telemetry;
use actors::telemetry::exporter::UPKEEP_SECONDS;
use actors::telemetry::process::Process;
use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use board::Board;
use event_log::EventLog;

/// Where the server listens unless it is told otherwise.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9185);

/// The most WebSockets at a time.
pub const VIEWERS_MAX: usize = 32;

/// The longest that open connections delay the end of the server.
pub const SHUTDOWN_MAX: Duration = Duration::from_secs(2);

/// The time between two signs of life.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// Starts a server on `listen`, see [`bind`], on a thread of its own.
///
/// # Errors
/// As of [`bind`], and when the system has no more threads to give.
pub fn serve(listen: SocketAddr, handle: Handle, metrics: PrometheusHandle) -> io::Result<Server> {
    let socket = bind(listen)?;
    let address = socket.address;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = watch::channel(false);
    let work = move || {
        if let Err(error) = runtime.block_on(socket.run(handle, metrics, stopped)) {
            tracing::error!(%error, "the HTTP server has ended");
        }
        // A picture that is still being written for nobody is not waited for.
        runtime.shutdown_background();
    };
    let thread = thread::Builder::new().name("http".into()).spawn(work)?;
    Ok(Server { address, stop, thread: Some(thread) })
}

/// Takes the address `listen`. Where [`DEFAULT_ADDRESS`]'s port is asked for and taken, a free one is used;
/// [`Socket::address`] says which.
///
/// # Errors
/// When the address is not a loopback one, and when another port than the default one is taken.
pub fn bind(listen: SocketAddr) -> io::Result<Socket> {
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
    Ok(Socket { address: listener.local_addr()?, listener })
}

/// An address that is taken and not yet served. It outlives what serves it: a server that is started anew
/// goes on at the same port, and who connects meanwhile waits.
#[derive(Debug)]
pub struct Socket {
    address: SocketAddr,
    listener: TcpListener,
}

impl Socket {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The studio's address, for people.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until `stopped` says true (or nobody is left who could say so). Then no new connections are
    /// taken, running requests are answered, WebSockets are closed: at the latest after [`SHUTDOWN_MAX`] it
    /// returns. Needs a Tokio runtime with I/O and time.
    ///
    /// # Errors
    /// When the system has no more files to give, and when a part of the server fails.
    pub async fn run(
        &self,
        handle: Handle,
        metrics: PrometheusHandle,
        stopped: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
        run(listener, Arc::new(App::new(handle, metrics, stopped))).await
    }

    /// The server as a worker of the panel that it shows, started anew when it fails.
    pub fn face(self: Arc<Socket>, metrics: PrometheusHandle) -> Face {
        Arc::new(move |context, handle| {
            let (socket, metrics) = (self.clone(), metrics.clone());
            Box::pin(async move { socket.supervised(context, handle, metrics).await })
        })
    }

    async fn supervised(
        &self,
        context: Context,
        handle: Handle,
        metrics: PrometheusHandle,
    ) -> Result<(), Failure> {
        let (stop, stopped) = watch::channel(false);
        let serving = self.run(handle, metrics, stopped);
        // Beats where the requests are answered: where that hangs, so does this.
        let beating = async {
            while context.sleep_until(context.world.now() + BEAT_EVERY).await {
                context.strike("http").await?;
            }
            stop.send_replace(true);
            std::future::pending().await
        };
        tokio::select! {
            ended = serving => ended.map_err(|error| Failure::Transient(error.to_string())),
            failed = beating => failed,
        }
    }
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

async fn run(listener: tokio::net::TcpListener, app: Arc<App>) -> io::Result<()> {
    // They end with this function.
    let mut tasks = JoinSet::new();
    tasks.spawn(board::observe(app.clone()));
    tasks.spawn(event_log::listen(app.clone()));
    tasks.spawn(performance::observe(app.clone()));
    tasks.spawn(upkeep(app.metrics.clone()));
    let stopping = app.clone();
    let server = axum::serve(listener, router(app.clone()))
        .with_graceful_shutdown(async move { stopping.stopped().await });
    let server = tasks.spawn(async { drop(server.await) });
    tokio::select! {
        biased;
        () = app.stopped() => {}
        ended = tasks.join_next() => {
            let ended = ended.map_or(Ok(()), |ended| ended);
            let why = ended.err().map_or("a part of it has ended".into(), |error| error.to_string());
            return Err(io::Error::other(why));
        }
    }
    let ended = async {
        while !server.is_finished() && tasks.join_next().await.is_some() {}
        // WebSockets have left HTTP behind, so the server does not wait for them by itself.
        let _ = app.viewers.acquire_many(VIEWERS_MAX as u32).await;
    };
    if tokio::time::timeout(SHUTDOWN_MAX, ended).await.is_err() {
        tracing::warn!("HTTP connections were still open at the end and were cut");
    }
    Ok(())
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
        .route("/api/v1/actors", get(api::actors))
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
