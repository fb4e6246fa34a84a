//! The HTTP server: the studio in a browser, the API, the metrics, and the live panel over a WebSocket.
//!
//! It runs on a thread of its own and mostly reads and asks: a slow, absent or hostile client delays nobody.
//! What comes in (data, signals) goes the way of all inputs. [`routes`] is the table of all that it answers;
//! the router, the OpenAPI document and the manual's table are made from it. Errors are problem documents
//! (RFC 9457).
//!
//! A request passes: the `listener` (how many connections, how slow they may be), the `guard` (who may ask
//! at all), its handler.

mod access;
mod api;
mod aside;
mod asked;
mod board;
mod body;
mod catalogue;
mod evaluate;
mod event_log;
mod graph;
mod guard;
mod ingest;
pub mod limits;
mod listener;
pub mod openapi;
mod performance;
mod problem;
mod rate;
pub mod routes;
mod signals;
mod studio;
mod token;
pub mod wire;
mod ws;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actors::handle::{Handle, QuerySamples, QuerySources, QueryValues, QueryWindows};
use actors::runtime::Face;
use actors::supervisor::worker::{Context, Failure};
use actors::telemetry;
use actors::telemetry::process::Process;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use access::Access;
use asked::Asked;
use board::Board;
use event_log::EventLog;
use limits::Times;
use listener::Counts;
use rate::Rate;
use token::Token;

use crate::config::{self, Config};

/// Where the server listens unless it is told otherwise.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9185);

/// The longest that open connections delay the end of the server.
pub const SHUTDOWN_MAX: Duration = Duration::from_secs(2);

/// The time between two signs of life.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// Starts a server, see [`bind`], on a thread of its own. The upkeep of `metrics` is the caller's
/// ([`PrometheusHandle::run_upkeep`]).
///
/// # Errors
/// As of [`bind`], and when the system has no more threads to give.
pub fn serve(site: impl Into<Site>, handle: Handle, metrics: PrometheusHandle) -> io::Result<Server> {
    let socket = bind(site)?;
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

/// What a server is for: its address, who may use it, and what it says of the configuration.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where it listens, and to whom.
    pub http: config::Http,
    /// The configuration's file, as the user named it.
    pub file: String,
    /// The configuration's text.
    pub text: Arc<str>,
    times: Times,
}

impl Site {
    /// The site of a configuration.
    pub fn new(config: &Config) -> Site {
        let (file, text) = (config.warnings.name().to_owned(), config.text.clone());
        Site { http: config.http.clone(), file, text, times: Times::default() }
    }
}

impl From<SocketAddr> for Site {
    fn from(listen: SocketAddr) -> Site {
        let http = config::Http { listen, token: None, hosts: Vec::new() };
        Site { http, file: String::new(), text: "".into(), times: Times::default() }
    }
}

/// Takes the site's address. Where [`DEFAULT_ADDRESS`]'s port is asked for and taken, a free one is used;
/// [`Socket::address`] says which.
///
/// # Errors
/// When the token cannot be read, when the address is not a loopback one and there is no token, and when
/// another port than the default one is taken.
pub fn bind(site: impl Into<Site>) -> io::Result<Socket> {
    let site = site.into();
    let listen = site.http.listen;
    let token = site.http.token.as_ref().map(Token::read).transpose()?;
    if !listen.ip().is_loopback() && token.is_none() {
        let message = format!(
            "{listen} is open to other machines, which need a token: write `token = {{ env = \"NAME\" }}` \
             below [http], or listen on 127.0.0.1 or [::1]"
        );
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
    Ok(Socket { address: listener.local_addr()?, listener, site, token })
}

/// An address that is taken and not yet served. It outlives what serves it: a server that is started anew
/// goes on at the same port, and who connects meanwhile waits.
#[derive(Debug)]
pub struct Socket {
    address: SocketAddr,
    listener: TcpListener,
    site: Site,
    token: Option<Token>,
}

impl Socket {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The studio's address, for people.
    pub fn url(&self) -> String {
        url(self.address)
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
        let access = Access::new(self.address, &self.site.http, self.token.clone());
        let app = App::new(handle, metrics, access, self.site.clone(), stopped);
        run(listener, Arc::new(app)).await
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
        url(self.address)
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
    values: Asked<QueryValues>,
    sources: Asked<QuerySources>,
    windows: Asked<QueryWindows>,
    samples: Asked<QuerySamples>,
    /// `None` for the first second.
    performance: watch::Sender<Option<Arc<performance::Document>>>,
    events: EventLog,
    /// One permit for each WebSocket that may be open.
    viewers: Arc<Semaphore>,
    /// Whose they are.
    viewing: Counts,
    /// One permit for each formula that may be evaluated at a time.
    evaluations: Arc<Semaphore>,
    /// One permit for each picture that may be encoded at a time.
    pictures: Arc<Semaphore>,
    access: Access,
    site: Site,
    /// Requests that change something.
    changes: Rate,
    evaluated: Rate,
    stopped: watch::Receiver<bool>,
}

impl App {
    fn new(
        handle: Handle,
        metrics: PrometheusHandle,
        access: Access,
        site: Site,
        stopped: watch::Receiver<bool>,
    ) -> App {
        App {
            events: EventLog::new(handle.events.subscribe()),
            handle,
            metrics,
            telemetry: telemetry::Http::new(),
            process: Mutex::new(Process::new()),
            board: watch::Sender::default(),
            values: Asked::default(),
            sources: Asked::default(),
            windows: Asked::default(),
            samples: Asked::default(),
            performance: watch::Sender::default(),
            viewers: Arc::new(Semaphore::new(limits::VIEWERS)),
            viewing: Counts::new(limits::VIEWERS, limits::VIEWERS_PER_ADDRESS),
            evaluations: Arc::new(Semaphore::new(limits::EVALUATIONS)),
            pictures: Arc::new(Semaphore::new(limits::PICTURES)),
            access,
            site,
            changes: Rate::new(limits::CHANGES_PER_SECOND),
            evaluated: Rate::new(limits::EVALUATIONS_PER_SECOND),
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
    let router = routes::router(app.clone());
    let server = tasks.spawn(listener::serve(
        listener,
        router,
        app.site.times,
        app.telemetry.clone(),
        app.stopped.clone(),
    ));
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
        let _ = app.viewers.acquire_many(limits::VIEWERS as u32).await;
    };
    if tokio::time::timeout(SHUTDOWN_MAX, ended).await.is_err() {
        tracing::warn!("HTTP connections were still open at the end and were cut");
    }
    Ok(())
}

/// Where a browser finds a server that listens at `address`.
fn url(address: SocketAddr) -> String {
    match (address.ip().is_unspecified(), address.is_ipv4()) {
        (false, _) => format!("http://{address}/"),
        (true, true) => format!("http://127.0.0.1:{}/", address.port()),
        (true, false) => format!("http://[::1]:{}/", address.port()),
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
