//! How much clients may ask of the server, and how long they may take. `docs/http.md` lists these for users.

use std::time::Duration;

use tokio::time::Instant;

/// The largest body of a request, in bytes.
pub const BODY_BYTES: usize = 1 << 20;

/// The most bytes of a request before its body: its line and its headers.
pub const HEAD_BYTES: usize = 16 << 10;

/// The most headers of a request.
pub const HEADERS: usize = 64;

/// The longest time for a request's head, from the first moment that it could come.
pub const HEAD_TIME: Duration = Duration::from_secs(10);

/// The longest time for a request's body and its answer together, up to the answer's first byte.
pub const REQUEST_TIME: Duration = Duration::from_secs(10);

/// A client that takes not a byte for so long is gone.
pub const WRITE_TIME: Duration = Duration::from_secs(10);

/// The most connections.
pub const CONNECTIONS: usize = 256;

/// The most connections of one address. Of IPv6, the first 64 bits count.
pub const CONNECTIONS_PER_ADDRESS: usize = 64;

/// The most values of one ingest, with those that are refused.
pub const INGESTED: usize = 10_000;

/// Requests that change something, a second and address.
pub const CHANGES_PER_SECOND: u32 = 100;

/// Evaluations a second and address.
pub const EVALUATIONS_PER_SECOND: u32 = 10;

/// For how many seconds' worth of requests a client that was quiet may ask at once.
pub const BURST_SECONDS: u32 = 2;

/// Evaluations at a time.
pub const EVALUATIONS: usize = 2;

/// The longest formula that is evaluated, in bytes; the same as in a configuration.
pub const FORMULA_BYTES: usize = crate::config::limits::FORMULA_BYTES;

/// The most variables that an evaluation may bring along.
pub const VARIABLES: usize = 256;

/// The most samples that an evaluation may bring along, of all keys together.
pub const SAMPLES: usize = 10_000;

/// Pictures that are encoded at a time.
pub const PICTURES: usize = 2;

/// The most WebSockets at a time.
pub const VIEWERS: usize = 32;

/// The most WebSockets of one address at a time.
pub const VIEWERS_PER_ADDRESS: usize = 16;

/// The time between two pings of a WebSocket.
pub const PING_EVERY: Duration = Duration::from_secs(20);

/// A WebSocket from which nothing comes for so long, not even the answer to a ping, is gone.
pub const SILENCE: Duration = Duration::from_secs(60);

/// The longest message that a WebSocket's client may send, in bytes; none means anything yet.
pub const MESSAGE_BYTES: usize = 4_096;

/// The most messages that a WebSocket's client may send between two pings.
pub const MESSAGES: u32 = 200;

/// The shortest token, in bytes.
pub const TOKEN_BYTES_MIN: usize = 16;

/// The longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 512;

/// The times that a server keeps, and the clock of its rates. Tests shorten the ones and stop the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) head: Duration,
    pub(super) request: Duration,
    pub(super) write: Duration,
    pub(super) ping: Duration,
    pub(super) silence: Duration,
    pub(super) now: fn() -> Instant,
}

impl Default for Times {
    fn default() -> Times {
        Times {
            head: HEAD_TIME,
            request: REQUEST_TIME,
            write: WRITE_TIME,
            ping: PING_EVERY,
            silence: SILENCE,
            now: Instant::now,
        }
    }
}

/// The limits with their meanings, as a table of the manual.
pub fn table() -> String {
    let seconds = |time: Duration| format!("{} s", time.as_secs());
    let rate = |count: u32| format!("{count}, and {} at once", count * BURST_SECONDS);
    let rows = [
        ("bytes of a request's body", BODY_BYTES.to_string(), "413"),
        ("bytes of a request's line and headers", HEAD_BYTES.to_string(), "431"),
        ("headers of a request", HEADERS.to_string(), "431"),
        ("time for a request's line and headers", seconds(HEAD_TIME), "closed"),
        ("time for a request's body and its answer", seconds(REQUEST_TIME), "408"),
        ("time in which a client must take a byte of the answer", seconds(WRITE_TIME), "closed"),
        ("connections", CONNECTIONS.to_string(), "503"),
        ("connections from one address", CONNECTIONS_PER_ADDRESS.to_string(), "503"),
        ("ingests and signals a second from one address", rate(CHANGES_PER_SECOND), "429"),
        ("evaluations a second from one address", rate(EVALUATIONS_PER_SECOND), "429"),
        ("evaluations at a time", EVALUATIONS.to_string(), "429"),
        ("pictures at a time", PICTURES.to_string(), "429"),
        ("values of one ingest", INGESTED.to_string(), "413"),
        ("bytes of a formula to evaluate", FORMULA_BYTES.to_string(), "422"),
        ("variables of one evaluation", VARIABLES.to_string(), "422"),
        ("samples of one evaluation", SAMPLES.to_string(), "422"),
        ("signals of one tick", engine::signal::PER_TICK_MAX.to_string(), "429"),
        ("facts of one signal", engine::signal::FACTS_MAX.to_string(), "422"),
        ("WebSockets", VIEWERS.to_string(), "503"),
        ("WebSockets from one address", VIEWERS_PER_ADDRESS.to_string(), "503"),
        ("bytes of a message to a WebSocket", MESSAGE_BYTES.to_string(), "closed"),
        ("messages to a WebSocket between two pings", MESSAGES.to_string(), "closed"),
        ("time between two pings of a WebSocket", seconds(PING_EVERY), ""),
        ("silence of a WebSocket's client", seconds(SILENCE), "closed"),
        ("bytes of a token", format!("{TOKEN_BYTES_MIN} to {TOKEN_BYTES_MAX}"), "no start"),
    ];
    let line = |(what, most, answer): (&str, String, &str)| format!("| {what} | {most} | {answer} |\n");
    let head = "| limit | at most | beyond it |\n|---|---|---|\n".to_owned();
    rows.into_iter().map(line).fold(head, |table, line| table + &line)
}
