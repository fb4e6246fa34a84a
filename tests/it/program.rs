//! A running `tinydisplay`, as other programs see it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest that a test waits for the program: so long that only one that hangs takes it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(10);

/// A running `tinydisplay run`, which ends with the test.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
    /// What it writes to standard error.
    said: PathBuf,
}

impl Program {
    /// Starts it and waits until it says where its page is.
    pub(crate) fn start(home: &Path, arguments: &[&str]) -> Program {
        Program::start_in(home, arguments, &[])
    }

    /// The same, in an environment with these variables.
    pub(crate) fn start_in(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Program {
        let said = home.join("stderr.txt");
        let child = Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
            .arg("run")
            .args(arguments)
            .args(["--listen", "127.0.0.1:0"])
            .env("XDG_STATE_HOME", home)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(File::create(&said).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From here on a failing test ends the child too.
        let mut program = Program { child, address: String::new(), said };
        program.address = program.find_address();
        program
    }

    fn find_address(&self) -> String {
        let address = || {
            let said = self.said();
            let (_, after) = said.split_once("The panel is on http://")?;
            after.split_once("/\n").map(|(address, _)| address.to_string())
        };
        wait_until("it never said where its page is", || address().ok_or_else(|| self.said()))
    }

    /// What it has written to standard error so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }

    /// The status and body of a GET.
    pub(crate) fn get(&self, path: &str) -> (u16, Vec<u8>) {
        get(&self.address, path)
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}");
        String::from_utf8(body).unwrap()
    }

    /// Asks again and again until the answer is as wanted.
    pub(crate) fn wait_for(&self, path: &str, is_wanted: impl Fn(u16, &str) -> bool) -> String {
        wait_until(&format!("{path} never was as wanted"), || {
            let (status, body) = self.get(path);
            let body = String::from_utf8_lossy(&body).into_owned();
            if is_wanted(status, &body) { Ok(body) } else { Err(format!("{status}:\n{body}")) }
        })
    }

    /// The status and the JSON of a POST's answer.
    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, serde_json::Value) {
        post(&self.address, path, body).unwrap()
    }

    /// Sends again and again until the answer has this status.
    pub(crate) fn wait_for_post(&self, path: &str, body: &str, wanted: u16) -> serde_json::Value {
        wait_until(&format!("{path} never answered {wanted}"), || {
            let (status, answer) = self.post(path, body);
            if status == wanted { Ok(answer) } else { Err(format!("{status}: {answer}")) }
        })
    }

    /// Sends SIGTERM and returns the exit code.
    pub(crate) fn terminate(self) -> Option<i32> {
        self.send_term();
        self.wait()
    }

    /// Waits until it has ended and returns the exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        let ended = || self.child.try_wait().unwrap().ok_or_else(|| "it still runs".to_string());
        wait_until("it does not end", ended).code()
    }

    /// Ends it as `kill -9` does: it learns nothing of it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM and does not wait.
    pub(crate) fn send_term(&self) {
        let id = self.child.id().to_string();
        // Every shell has a `kill` of its own; not every machine has the program.
        assert!(Command::new("sh").args(["-c", "kill -TERM $0", &id]).status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status and body of a GET from a server of this machine.
pub(crate) fn get(address: &str, path: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let split = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let status = std::str::from_utf8(&answer[9..12]).unwrap().parse().unwrap();
    (status, answer.split_off(split + 4))
}

/// The status and the JSON of a POST's answer from a server of this machine.
///
/// # Errors
/// Where there is no server, or it ends before its answer does.
pub(crate) fn post(address: &str, path: &str, body: &str) -> io::Result<(u16, serde_json::Value)> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    let head = format!("POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    Ok((head[9..12].parse().unwrap(), serde_json::from_str(body).map_err(|_| cut())?))
}

/// Tries again and again until it succeeds. It pauses between two tries, or it would take from the program
/// the processor that the answer needs; nothing unparks this thread, so parking is a pause.
pub(crate) fn wait_until<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(found) => return found,
            Err(instead) => assert!(Instant::now() < deadline, "{what}, but\n{instead}"),
        }
        std::thread::park_timeout(PAUSE);
    }
}
