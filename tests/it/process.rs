//! The program as its users meet it: started, asked over HTTP, told to end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running `tinydisplay run`, which ends with the test.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    /// Starts it and waits until it says where its page is.
    fn start(home: &Path, arguments: &[&str]) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
            .arg("run")
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .env("XDG_STATE_HOME", home)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, address) = line.split_once("http://")?;
            Some(address.trim_end_matches('/').to_string())
        });
        // Somebody has to read the rest, or the program waits for room in the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Program { child, address: address.expect("it says where its page is") }
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

    fn text(&self, path: &str) -> String {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}");
        String::from_utf8(body).unwrap()
    }

    /// Asks again and again until the answer is as wanted. The answers take longer than no time, so this
    /// is no busy loop.
    fn wait_for(&self, path: &str, is_wanted: impl Fn(u16, &str) -> bool) -> String {
        for _ in 0..20_000 {
            let (status, body) = self.get(path);
            let body = String::from_utf8_lossy(&body).into_owned();
            if is_wanted(status, &body) {
                return body;
            }
        }
        panic!("{path} never was as wanted");
    }

    /// Sends SIGTERM and returns the exit code.
    fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
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
        every = "10ms"
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
    assert!(count("SELECT count(*) FROM data_history WHERE data_key = 'wave.value'") >= 50);
    assert!(count("SELECT count(*) FROM data_history WHERE data_key = 'doubled'") >= 50);
    let gaps = "SELECT max(sequence) + 1 - count(*) FROM data_history WHERE data_key = 'wave.value'";
    assert_eq!(count(gaps), 0, "every sample once");
    assert_eq!(count("SELECT count(*) FROM timeline_events WHERE event_type = 'page_shown'"), 1);
}
