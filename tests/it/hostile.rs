//! Clients that mean no good, or are in no state to: the panel goes on, and a client beside them is answered.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::program::{PATIENCE, Program, wait_until};

/// Ticks of a stretch over which the panel's pace is taken: a second's.
const TICKS: u64 = 60;

/// How much slower the panel may be beside a client that misbehaves. It is as fast as ever; but all share the
/// processors of the machine, the clients of this test included.
const SLOWER_MAX: u32 = 2;

/// A panel with a picture that changes all the time, and a source that takes data.
const PANEL: &str = r##"
version = 1
[source.wave]
kind = "generator"
shape = "saw"
every = "10ms"
[source.door]
kind = "push"
[keys]
"door.count" = {}
[page.main]
widgets = [
    { kind = "text", at = [0, 0], size = [160, 20], text = "{wave.value:.2f} {door.count}" },
    { kind = "sparkline", at = [0, 20], size = [160, 100], value = "wave.value", span = "5s" },
]
[[output]]
kind = "null"
"##;

/// Runs `misbehave` against a running panel, and holds that the panel ticks on and answers others.
fn check(misbehave: impl FnOnce(&Hostile)) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("panel.toml");
    std::fs::write(&file, PANEL).unwrap();
    let program = Program::start(home.path(), &[file.to_str().unwrap()]);
    program.wait_for("/readyz", |status, _| status == 200);
    let mut hostile = Hostile { address: program.address.parse().unwrap(), quiet: Duration::ZERO };
    hostile.quiet = hostile.stretch();
    misbehave(&hostile);
    hostile.goes_on();
    assert_eq!(program.terminate(), Some(0));
}

/// A way to the panel for clients of all kinds.
struct Hostile {
    address: SocketAddr,
    /// How long a stretch takes where nobody misbehaves.
    quiet: Duration,
}

impl Hostile {
    /// A connection from the address that all the hostile ones have.
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends these bytes and returns the status of what comes back; `None` where that is no answer.
    fn ask(&self, bytes: &[u8]) -> Option<u16> {
        let mut stream = self.connect();
        // The server may have had enough before all is sent.
        let _ = stream.write_all(bytes);
        status(stream)
    }

    /// The newest tick, as a client with good manners and another address sees it.
    fn ticks(&self) -> u64 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let own = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0));
        socket.bind(&own.into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.200}");
        let ticks = answer.lines().find_map(|line| line.strip_prefix("tinydisplay_ticks_total "));
        ticks.map_or(0, |ticks| ticks.parse::<f64>().unwrap() as u64)
    }

    /// How long the panel takes for the next stretch.
    fn stretch(&self) -> Duration {
        let (began, before) = (Instant::now(), self.ticks());
        wait_until("the panel stands still", || match self.ticks() {
            now if now >= before + TICKS => Ok(began.elapsed()),
            now => Err(format!("it made {} ticks", now - before)),
        })
    }

    /// Waits until the panel goes on as fast as before, or nearly. A single stretch says little: the machine
    /// may have had other things to do.
    fn goes_on(&self) {
        wait_until("the panel is slowed down", || match self.stretch() {
            took if took <= self.quiet * SLOWER_MAX => Ok(()),
            took => Err(format!("{TICKS} ticks took {took:?}, and {:?} before", self.quiet)),
        });
    }
}

/// The status of an answer.
fn status(mut stream: impl Read) -> Option<u16> {
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).ok()?;
    std::str::from_utf8(&begin).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n").into_bytes()
}

#[test]
fn a_hundred_connections() {
    check(|hostile| {
        let open: Vec<TcpStream> = (0..100).map(|_| hostile.connect()).collect();
        let ask = |mut stream: &TcpStream| {
            let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
            status(stream)
        };
        let answers: Vec<Option<u16>> = open.iter().map(ask).collect();
        let count = |wanted| answers.iter().filter(|status| **status == wanted).count();
        // Those that are refused are told so, as long as not too many are told at the same time.
        let (served, told, closed) = (count(Some(200)), count(Some(503)), count(None));
        assert_eq!(served + told + closed, 100, "{answers:?}");
        assert!((1..=64).contains(&served) && told > 0, "{answers:?}");
        hostile.goes_on();
        drop(open);
    });
}

/// Questions as fast as they are answered, from several clients.
#[test]
fn a_flood_of_questions() {
    check(|hostile| {
        let over = AtomicBool::new(false);
        let flood = || {
            let paths = ["/api/v1/values", "/api/v1/graph", "/api/v1/sources"].into_iter().cycle();
            let asked = paths.take_while(|_| !over.load(Relaxed));
            asked.map(|path| assert_eq!(hostile.ask(&get(path, "")), Some(200), "{path}")).count()
        };
        std::thread::scope(|scope| {
            let floods = [(); 4].map(|()| scope.spawn(flood));
            let went_on = std::panic::catch_unwind(AssertUnwindSafe(|| hostile.goes_on()));
            over.store(true, Relaxed);
            let answered = floods.map(|flood| flood.join().unwrap());
            went_on.unwrap();
            assert!(answered.iter().all(|answered| *answered > 0), "{answered:?}");
        });
    });
}

#[test]
fn heads_that_come_byte_by_byte() {
    check(|hostile| {
        let mut slow: Vec<TcpStream> = (0..50).map(|_| hostile.connect()).collect();
        for byte in b"GET / HTTP/1.1\r\nX-Slow: aaaaaaaa" {
            slow.iter_mut().for_each(|stream| drop(stream.write_all(&[*byte])));
            hostile.ticks();
        }
    });
}

#[test]
fn a_reader_that_does_not_read() {
    check(|hostile| {
        let mut readers: Vec<TcpStream> = (0..20).map(|_| hostile.connect()).collect();
        let page = b"GET /studio/studio.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500);
        for reader in &mut readers {
            reader.set_nonblocking(true).unwrap();
            // As much as the buffers take.
            let _ = reader.write(&page);
        }
        hostile.goes_on();
    });
}

#[test]
fn a_connection_that_is_half_open() {
    check(|hostile| {
        let half: Vec<TcpStream> = (0..20)
            .map(|_| {
                let stream = hostile.connect();
                stream.shutdown(std::net::Shutdown::Write).unwrap();
                stream
            })
            .collect();
        let mut begun = hostile.connect();
        begun
            .write_all(b"POST /api/v1/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            .unwrap();
        begun.shutdown(std::net::Shutdown::Write).unwrap();
        hostile.goes_on();
        drop(half);
    });
}

#[test]
fn a_gigabyte() {
    check(|hostile| {
        let head = "POST /api/v1/ingest HTTP/1.1\r\nHost: localhost\r\n";
        assert_eq!(hostile.ask(format!("{head}Content-Length: 1073741824\r\n\r\n").as_bytes()), Some(413));
        let mut stream = hostile.connect();
        stream.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).unwrap();
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        let sent = (0..1 << 14).take_while(|_| stream.write_all(&chunk).is_ok()).count();
        assert!(sent < 1 << 10, "{sent} chunks of 64 KiB were taken");
    });
}

#[test]
fn names_and_pages_of_others() {
    check(|hostile| {
        for (headers, expected) in [
            ("Host: evil.example\r\n", 403),
            ("Host: localhost.evil.example\r\n", 403),
            ("Host: \r\n", 403),
            ("", 400),
            ("Host: localhost\r\nOrigin: https://evil.example\r\n", 403),
            ("Host: localhost\r\nOrigin: null\r\n", 403),
        ] {
            for line in
                ["GET /", "GET /ws", "GET /api/v1/values", "POST /api/v1/signals/a", "POST /api/v1/ingest"]
            {
                let text = format!("{line} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
                assert_eq!(hostile.ask(text.as_bytes()), Some(expected), "{line} {headers:?}");
            }
        }
    });
}

#[test]
fn paths_that_lead_elsewhere() {
    check(|hostile| {
        let long = format!("/{}", "a".repeat(10_000));
        for path in [
            "/../etc/passwd",
            "/studio/../../etc/passwd",
            "/studio/%2e%2e/%2e%2e/etc/passwd",
            "/studio/%2e%2e%2fCargo.toml",
            "/studio/..%5c..%5cetc",
            "//etc/passwd",
            "/studio//studio.js",
            "/studio/studio.js%00.png",
            "/api/v1/../../metrics",
            &long,
        ] {
            assert_eq!(hostile.ask(&get(path, "")), Some(404), "{path:.60}");
        }
        // The last two are no paths of this server at all; of a long one the refusal may be lost, where the
        // server has closed before all was sent.
        assert_eq!(hostile.ask(&get("/a\0b", "")), Some(400));
        let status = hostile.ask(&get("elsewhere", ""));
        assert!(matches!(status, Some(400 | 403)), "{status:?}");
        let status = hostile.ask(&get(&"/a".repeat(20_000), ""));
        assert!(matches!(status, Some(414 | 431) | None), "{status:?}");
    });
}

#[test]
fn headers_without_measure() {
    check(|hostile| {
        let long = format!("X-Long: {}\r\n", "x".repeat(1 << 20));
        let many: String = (0..2_000).map(|n| format!("X-{n}: 1\r\n")).collect();
        for headers in [long, many] {
            // The refusal may be lost where the server has closed before all was sent.
            let status = hostile.ask(&get("/", &headers));
            assert!(matches!(status, Some(431) | None), "{status:?}");
        }
        assert_eq!(hostile.ask(b"\0\0\0\0\r\n\r\n"), Some(400));
        let both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
        let status = hostile.ask(&get("/", both));
        assert!(matches!(status, Some(200 | 400)), "{status:?}");
    });
}

#[test]
fn a_websocket_that_never_reads() {
    check(|hostile| {
        let viewers: Vec<TcpStream> = (0..10)
            .map(|_| {
                let mut stream = hostile.connect();
                let upgrade = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
                stream.write_all(upgrade.as_bytes()).unwrap();
                let mut begin = [0; 12];
                stream.read_exact(&mut begin).unwrap();
                assert_eq!(&begin, b"HTTP/1.1 101");
                stream
            })
            .collect();
        hostile.goes_on();
        drop(viewers);
    });
}

#[test]
fn no_token_or_a_wrong_one() {
    let home = tempfile::tempdir().unwrap();
    let token = "correct-horse-battery";
    std::fs::write(home.path().join("token"), token).unwrap();
    let file = home.path().join("panel.toml");
    std::fs::write(&file, format!("{PANEL}\n[http]\ntoken = {{ file = \"token\" }}\n")).unwrap();
    let program = Program::start(home.path(), &[file.to_str().unwrap()]);
    program.wait_for("/healthz", |status, _| status == 200);
    let hostile = Hostile { address: program.address.parse().unwrap(), quiet: Duration::ZERO };
    for attempt in 0..200 {
        let header = format!("Authorization: Bearer guess-number-{attempt}\r\n");
        assert_eq!(hostile.ask(&get("/api/v1/values", &header)), Some(401));
    }
    assert_eq!(hostile.ask(&get("/", "")), Some(401));
    let right = format!("Authorization: Bearer {token}\r\n");
    let deadline = Instant::now() + PATIENCE;
    while hostile.ask(&get("/readyz", &right)) != Some(200) {
        assert!(Instant::now() < deadline, "the panel is never ready");
    }
    assert_eq!(program.terminate(), Some(0));
}

/// Data comes in beside all this; what is bad in it takes nothing with it.
#[test]
fn data_comes_in() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("panel.toml");
    std::fs::write(&file, PANEL).unwrap();
    let program = Program::start(home.path(), &[file.to_str().unwrap()]);
    program.wait_for("/readyz", |status, _| status == 200);
    let post = |path: &str, body: &str| program.post(path, body);
    let good = program.wait_for_post("/api/v1/ingest", r#"{"key":"count","value":1}"#, 200);
    assert_eq!(good, serde_json::json!({ "accepted": 1, "rejected": 0 }));
    let (status, mixed) = post(
        "/api/v1/ingest?source=door",
        "{\"count\":2}\n{\"count\":\"many\"}\n{\"count\":\n{\"values\":{\"count\":3,\"note\":null}}\n{\"count\":4,\"late\":true}",
    );
    assert_eq!(status, 207, "{mixed}");
    assert_eq!((&mixed["accepted"], &mixed["rejected"]), (&4.into(), &3.into()));
    let told = mixed["results"].as_array().unwrap().iter();
    let reasons: Vec<_> = told.filter_map(|result| result["reason"].as_str()).collect();
    assert_eq!(reasons, ["wrong_kind", "malformed", "malformed"]);
    program.wait_for("/api/v1/values", |_, body| {
        body.contains(r#""name":"door.count","formula":null,"value":4"#)
    });
    assert_eq!(post("/api/v1/ingest", r#"{"count":"many"}"#).0, 422);
    let (status, unknown) = post("/api/v1/ingest?source=gate", r#"{"count":1}"#);
    assert_eq!((status, &unknown["sources"]), (404, &serde_json::json!(["door"])));
    assert_eq!(post("/api/v1/ingest", r#"{"count":5,"source":"x"}"#).0, 200, "a plain object has keys alone");
    let many = format!("[{}]", vec!["1"; 10_001].join(","));
    assert_eq!(post("/api/v1/ingest", &many).0, 413);
    assert_eq!(post("/api/v1/ingest", "count=1").0, 400);
    assert_eq!(program.terminate(), Some(0));
}

#[test]
fn a_full_source_says_so() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("panel.toml");
    std::fs::write(
        &file,
        PANEL
            .replace("[display]", "")
            .replace("version = 1", "version = 1\n[display]\nfps = 1\n[ring]\nsamples = 1"),
    )
    .unwrap();
    let program = Program::start(home.path(), &[file.to_str().unwrap()]);
    program.wait_for("/readyz", |status, _| status == 200);
    program.wait_for_post("/api/v1/ingest?source=door", r#"{"key":"count","value":1}"#, 200);
    let body = format!("[{}]", vec![r#"{"count":1}"#; 9_000].join(","));
    let refused = program.wait_for_post("/api/v1/ingest?source=door", &body, 429);
    let accepted = refused["accepted"].as_u64().unwrap();
    assert!(accepted < 9_000 && refused["index"].as_u64() == Some(accepted), "{accepted}");
    assert_eq!(program.terminate(), Some(0));
}

#[test]
fn a_signal_fires_a_trigger() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("panel.toml");
    let trigger = "[animation.blink]\nwidget = \"lamp\"\nduration = \"1s\"\nfrom = { opacity = 0 }\n\
         [[trigger]]\nname = \"bell\"\nsignal = \"ring\"\nstart = [\"blink\"]\n[page.main]";
    let widget = "widgets = [\n{ kind = \"shape\", id = \"lamp\", at = [0, 0], size = [9, 9], figure = \"ellipse\", fill = \"red\" },";
    let panel = PANEL.replace("[page.main]", trigger).replace("widgets = [", widget);
    std::fs::write(&file, panel).unwrap();
    let program = Program::start(home.path(), &[file.to_str().unwrap()]);
    program.wait_for("/readyz", |status, _| status == 200);
    assert_eq!(program.post("/api/v1/signals/ring", r#"{"times":2}"#).0, 202);
    program.wait_for("/api/v1/events?type=trigger_activated", |_, body| body.contains("bell"));
    let received = program.text("/api/v1/events?type=signal_received");
    assert!(received.contains(r#""coordination_id":"ring","data":{"times":2"#), "{received}");
    assert_eq!(program.terminate(), Some(0));
}

#[test]
fn other_machines_are_let_in_with_a_token_alone() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("panel.toml");
    std::fs::write(&file, PANEL).unwrap();
    let (_, said) =
        crate::cli::check(&["run", file.to_str().unwrap(), "--listen", "0.0.0.0:0", "--ticks", "1"], 1);
    assert!(said.contains("token"), "{said}");
}
