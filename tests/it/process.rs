//! The program as its users meet it: started, asked over HTTP, told to end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The longest that a test waits for the program: so long that only one that hangs takes it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(10);

/// A running `tinydisplay run`, which ends with the test.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
}

impl Program {
    /// Starts it and waits until it says where its page is.
    pub(crate) fn start(home: &Path, arguments: &[&str]) -> Program {
        let child = Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
            .arg("run")
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .env("XDG_STATE_HOME", home)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From here on a failing test ends the child too.
        let mut program = Program { child, address: String::new() };
        program.address = program.find_address();
        program
    }

    fn find_address(&mut self) -> String {
        let stderr = BufReader::new(self.child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // Reads on to the end, or the program would wait for room in the pipe.
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let deadline = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if let Some((_, address)) = line.split_once("http://") {
                return address.trim_end_matches('/').to_string();
            }
            said.push(line);
        }
        panic!("it never said where its page is, but:\n{}", said.join("\n"));
    }

    /// The status and body of a GET.
    fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let split = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
        (status, answer.split_off(split + 4))
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}");
        String::from_utf8(body).unwrap()
    }

    /// Asks again and again until the answer is as wanted. It pauses between two questions, or it would
    /// take from the program the processor that the answer needs; nothing unparks this thread, so parking
    /// is a pause.
    pub(crate) fn wait_for(&self, path: &str, is_wanted: impl Fn(u16, &str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, body) = self.get(path);
            let body = String::from_utf8_lossy(&body).into_owned();
            if is_wanted(status, &body) {
                return body;
            }
            assert!(Instant::now() < deadline, "{path} never was as wanted, but {status}:\n{body}");
            std::thread::park_timeout(PAUSE);
        }
    }

    /// The status and the JSON of a POST's answer.
    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, serde_json::Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, length) = (&self.address, body.len());
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}");
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    /// Sends again and again until the answer has this status.
    pub(crate) fn wait_for_post(&self, path: &str, body: &str, wanted: u16) -> serde_json::Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, answer) = self.post(path, body);
            if status == wanted {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path} never answered {wanted}, but {status}: {answer}");
            std::thread::park_timeout(PAUSE);
        }
    }

    /// Sends SIGTERM and returns the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        // Every shell has a `kill` of its own; not every machine has the program.
        assert!(Command::new("sh").args(["-c", "kill -TERM $0", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_demo_answers_and_ends_cleanly() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path(), &["--output", "null"]);
    program.wait_for("/readyz", |status, _| status == 200);
    assert_eq!(program.get("/healthz").0, 200);
    let metrics = program.wait_for("/metrics", |_, body| body.contains("tinydisplay_ticks_total"));
    let series = metrics.lines().filter(|line| line.starts_with("tinydisplay_")).count();
    assert!(series >= 20, "{series} series");
    let (_, frame) = program.get("/api/v1/frame.png");
    let image = png::Decoder::new(std::io::Cursor::new(frame)).read_info().unwrap();
    assert_eq!((image.info().width, image.info().height), (160, 128));
    program.wait_for("/api/v1/values", |status, body| status == 200 && body.contains("cpu"));
    assert!(program.text("/").contains("<title>"));
    assert_eq!(program.terminate(), Some(0));
}

#[test]
fn what_was_accepted_is_written_before_the_end() {
    let home = tempfile::tempdir().unwrap();
    let panel = home.path().join("panel.toml");
    let database = home.path().join("state.db");
    let text = r##"
        version = 1
        [source.wave]
        kind = "generator"
        shape = "saw"
        every = "20ms"
        [value]
        doubled = "wave.value * 2"
        [page.main]
        widgets = [{ kind = "sparkline", id = "chart", at = [0, 0], size = [160, 128], value = "doubled", span = "60s", color = "#fff" }]
        [persistence]
        file = "state.db"
        flush = "1h"
    "##;
    std::fs::write(&panel, text).unwrap();
    let program = Program::start(home.path(), &[panel.to_str().unwrap(), "--output", "null"]);
    program.wait_for("/metrics", |_, body| {
        let samples =
            body.lines().find_map(|line| line.strip_prefix("tinydisplay_samples_total{source=\"wave\"} "));
        samples.is_some_and(|count| count.parse::<f64>().unwrap() >= 50.0)
    });
    assert_eq!(program.terminate(), Some(0));
    let database = rusqlite::Connection::open(database).unwrap();
    let count = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let samples = count("SELECT count(*) FROM data_history WHERE data_key = 'wave.value'");
    assert!(samples >= 50, "{samples} samples");
    // The value and the chart of it are one series. Samples of one tick may come to one result.
    let results = count("SELECT count(*) FROM data_history WHERE data_key = 'doubled'");
    assert!((samples / 2..=samples).contains(&results), "{results} results of {samples} samples");
    let again = "SELECT count(*) - count(DISTINCT tick) FROM data_history WHERE data_key = 'doubled'";
    assert_eq!(count(again), 0, "every result once");
    let gaps = "SELECT max(sequence) + 1 - count(*) FROM data_history WHERE data_key = 'wave.value'";
    assert_eq!(count(gaps), 0, "every sample once");
    assert_eq!(count("SELECT count(*) FROM timeline_events WHERE event_type = 'page_shown'"), 1);
}
