//! What takes too long or is too much ends, and others notice nothing. The times are short here, so that they
//! can be waited for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tungstenite::Message;

use crate::http::Server;
use crate::http::board::LOOK_EVERY;
use crate::http::fixture::{FakePanel, Viewer, answer, get, picture, stream_from, wait_until};
use crate::http::limits::{
    CONNECTIONS, CONNECTIONS_PER_ADDRESS, HEAD_BYTES, HEADERS, MESSAGE_BYTES, MESSAGES,
};

use super::{LARGE, fake};

const SHORT: Duration = Duration::from_millis(200);

/// A server that waits for a moment where others wait long.
fn hasty(panel: &FakePanel) -> Server {
    panel.serve_site(|site| {
        site.times.head = SHORT;
        site.times.request = SHORT;
        site.times.write = SHORT;
    })
}

fn open(server: &Server, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

#[test]
fn heads_that_never_end_are_cut() {
    let panel = fake();
    let server = hasty(&panel);
    for begun in ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "] {
        let mut stream = open(&server, begun);
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut rest = Vec::new();
        // It returns: at the end of the connection, with or without a last word.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{begun}");
    }
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn bodies_that_never_end_are_answered() {
    let panel = fake();
    let server = hasty(&panel);
    let head = "POST /api/v1/signals/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n";
    assert_eq!(answer(&mut open(&server, &format!("{head}{{"))).status, 408);
    assert_eq!(panel.signalled.try_iter().count(), 0);
}

#[test]
fn an_answer_that_nobody_takes_is_given_up() {
    let panel = fake();
    panel.pictures.send_replace(picture(0, LARGE, 7));
    let server = hasty(&panel);
    let quiet = panel.watching();
    let mut viewer = Viewer::connect(&server);
    viewer.text("hello");
    // Sooner or later it is more than the buffers between server and client take.
    let mut ticks = 1..;
    wait_until("it was given up", || {
        let tick = ticks.next().unwrap();
        panel.pictures.send_replace(picture(tick, LARGE, tick as u8));
        panel.watching() == quiet
    });
    let ended = (0..10_000).find_map(|_| viewer.socket.read().err());
    assert!(ended.is_some(), "it was cut");
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn heads_are_limited() {
    let panel = fake();
    let server = panel.serve();
    let ask = |lines: &str| {
        answer(&mut open(
            &server,
            &format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n"),
        ))
        .status
    };
    let padded = |bytes: usize| format!("X-Padding: {}\r\n", "x".repeat(bytes));
    assert_eq!(ask(&padded(HEAD_BYTES / 2)), 200);
    assert_eq!(ask(&padded(HEAD_BYTES)), 431);
    // Two are there already.
    let many = |count: usize| (2..count).map(|n| format!("X-{n}: 1\r\n")).collect::<String>();
    assert_eq!(ask(&many(HEADERS)), 200);
    assert_eq!(ask(&many(HEADERS + 1)), 431);
}

#[test]
fn connections_of_an_address_are_limited() {
    let panel = fake();
    let server = panel.serve();
    let mut held: Vec<TcpStream> = (0..CONNECTIONS_PER_ADDRESS).map(|_| open(&server, "")).collect();
    let refused = answer(&mut open(&server, ""));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(refused.json()["status"], 503);
    held.pop();
    // The server learns of the end a moment later.
    let ask = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let is_let_in = |_| answer(&mut open(&server, ask)).status == 200;
    assert!((0..10_000).any(is_let_in), "room that was given back is there again");
}

#[test]
fn connections_are_limited_in_all() {
    let panel = fake();
    // Those that say nothing must not be cut meanwhile.
    let server = panel.serve_site(|site| site.times.head = Duration::from_secs(600));
    let address = |n: usize| 2 + u8::try_from(n / CONNECTIONS_PER_ADDRESS).unwrap();
    let held: Vec<TcpStream> = (1..CONNECTIONS).map(|n| stream_from(&server, address(n - 1))).collect();
    let (more, ask) = (address(CONNECTIONS), "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut last = stream_from(&server, more);
    last.write_all(ask.as_bytes()).unwrap();
    last.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut begin = [0; 12];
    last.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200", "the last one that there may be is let in");

    let refused = answer(&mut stream_from(&server, more));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    drop(last);
    wait_until("room that was given back is there again", || {
        let mut stream = stream_from(&server, more);
        // One that is refused may be closed before it has asked.
        let _ = stream.write_all(ask.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes());
        answer(&mut stream).status == 200
    });
    drop(held);
}

#[test]
fn however_many_ask_the_panel_is_asked_now_and_then() {
    let panel = fake();
    let server = panel.serve();
    let began = Instant::now();
    let asking = |path: &str| (0..100).for_each(|_| assert_eq!(get(&server, path).status, 200, "{path}"));
    std::thread::scope(|scope| {
        for path in ["/api/v1/values", "/api/v1/sources", "/api/v1/graph"] {
            scope.spawn(move || asking(path));
        }
    });
    // Values and sources, for questions and for the board.
    let most = 4 * (began.elapsed().div_duration_f64(LOOK_EVERY) as usize + 2);
    let asked = panel.asked.load(Relaxed);
    assert!(asked <= most, "{asked} questions, and at most {most} were due");
}

#[test]
fn a_silent_viewer_is_given_up() {
    let panel = fake();
    let server = panel.serve_site(|site| (site.times.ping, site.times.silence) = (SHORT / 4, SHORT));
    let quiet = panel.watching();
    let mut viewer = Viewer::connect(&server);
    viewer.text("hello");
    // This client answers pings only while it reads.
    wait_until("it was given up", || panel.watching() == quiet);
    assert!((0..10_000).any(|_| viewer.socket.read().is_err()), "it was given up");
    let mut reader = Viewer::connect(&server);
    for _ in 0..20 {
        reader.text("pulse");
    }
}

#[test]
fn what_viewers_send_is_limited() {
    let panel = fake();
    let server = panel.serve();
    let ends = |messages: u32, bytes: usize| {
        let mut viewer = Viewer::connect(&server);
        let text = Message::text("x".repeat(bytes));
        let sent = (0..messages).all(|_| viewer.socket.send(text.clone()).is_ok());
        let is_end = |read: Result<Message, _>| {
            !matches!(read, Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_)))
        };
        !sent || (0..40).any(|_| is_end(viewer.socket.read()))
    };
    assert!(!ends(1, MESSAGE_BYTES));
    assert!(ends(1, MESSAGE_BYTES + 1));
    assert!(!ends(MESSAGES / 2, 1));
    assert!(ends(MESSAGES + 1, 1));
}
