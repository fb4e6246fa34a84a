//! Connections: taken up to a limit, each with deadlines for what its client sends and takes.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actors::telemetry;
use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

use super::limits::{CONNECTIONS, CONNECTIONS_PER_ADDRESS, HEAD_BYTES, HEADERS, Times};
use super::rate::block;

/// Connections that are told at the same time that there are too many; beyond them they are just closed.
const REFUSALS: usize = 16;

/// The pause after the system had no connection to give, such as for want of files.
const PAUSE: Duration = Duration::from_millis(50);

/// The answer to one connection too many.
const REFUSAL: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    retry-after: 1\r\nconnection: close\r\ncontent-length: 123\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"too many connections; close some and try again\"}";

/// Serves connections until `stopped` says true, then waits for those that are at work.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    times: Times,
    telemetry: telemetry::Http,
    mut stopped: watch::Receiver<bool>,
) {
    let counts = Counts::new(CONNECTIONS, CONNECTIONS_PER_ADDRESS);
    let (mut connections, mut refusals) = (JoinSet::new(), JoinSet::new());
    loop {
        while connections.try_join_next().is_some() || refusals.try_join_next().is_some() {}
        let accepted = tokio::select! {
            biased;
            () = ended(&mut stopped) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => match counts.enter(from.ip()) {
                Some(guest) => {
                    let (router, telemetry) = (router.clone(), telemetry.clone());
                    let stopped = stopped.clone();
                    connections.spawn(connection(stream, from, router, times, telemetry, stopped, guest));
                }
                None => {
                    telemetry.refused(503);
                    if refusals.len() < REFUSALS {
                        refusals.spawn(refuse(stream));
                    }
                }
            },
            // Of the connection that has gone again, or of a system without files: both pass.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    times: Times,
    telemetry: telemetry::Http,
    mut stopped: watch::Receiver<bool>,
    guest: Guest,
) {
    // Small messages go at once; where that cannot be had they only come later.
    let _ = stream.set_nodelay(true);
    // A WebSocket counts on when it has left HTTP behind, and takes this along.
    let guest = Arc::new(guest);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(times.write));
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let (mut router, mut request): (_, Request) = (router.clone(), request.map(axum::body::Body::new));
        request.extensions_mut().insert(ConnectInfo(from));
        request.extensions_mut().insert(guest.clone());
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(times.head)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = ended(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // What clients do to their connections is no news; heads that cannot be read were refused here, before
    // there was a request.
    match served {
        Err(error) if error.is_parse_too_large() => telemetry.refused(431),
        Err(error) if error.is_parse() => telemetry.refused(400),
        _ => {}
    }
}

async fn ended(stopped: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say "stop".
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Says that there are too many connections. What the client sends meanwhile is read, for a moment: a
/// connection that is closed with bytes unread takes the answer back.
async fn refuse(mut stream: TcpStream) {
    let told = async {
        stream.write_all(REFUSAL.as_bytes()).await?;
        stream.shutdown().await?;
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), told).await;
}

/// How many connections are open, in all and by address.
#[derive(Clone)]
pub(super) struct Counts {
    open: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
    most: usize,
    most_of_one: usize,
}

/// A connection that counts as long as this lives.
pub(super) struct Guest {
    counts: Counts,
    address: IpAddr,
}

impl Counts {
    /// At most so many, and so many of one address.
    pub(super) fn new(most: usize, most_of_one: usize) -> Counts {
        Counts { open: Arc::default(), most, most_of_one }
    }

    /// One more, where there may be.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Guest> {
        let address = block(address);
        let mut counts = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = counts.get(&address).copied().unwrap_or_default();
        if counts.values().sum::<usize>() >= self.most || own >= self.most_of_one {
            return None;
        }
        counts.insert(address, own + 1);
        Some(Guest { counts: self.clone(), address })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.counts.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_in_all_and_by_address() {
        let counts = Counts::new(CONNECTIONS, CONNECTIONS_PER_ADDRESS);
        let address = |n: usize| IpAddr::from([192, 0, 2, n as u8]);
        let mut guests: Vec<_> =
            (0..CONNECTIONS_PER_ADDRESS).map(|_| counts.enter(address(0)).unwrap()).collect();
        assert!(counts.enter(address(0)).is_none());
        guests.extend((CONNECTIONS_PER_ADDRESS..CONNECTIONS).map(|n| counts.enter(address(n)).unwrap()));
        assert!(counts.enter(address(1)).is_none(), "in all");
        guests.pop();
        assert!(counts.enter(address(0)).is_none());
        drop((counts.enter(address(1)).unwrap(), guests));
        assert!(counts.open.lock().unwrap().is_empty());
    }

    #[test]
    fn the_refusal_is_whole() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{} bytes", body.len());
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["status"], 503);
    }
}
