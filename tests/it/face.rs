//! The web server as a child of the run's supervisor, with all of its real wiring, in this process: the program
//! itself has no point at which its web server can be made to fail.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actors::fault::{Fault, Faults, Rule};
use actors::runtime::{self, Options};
use actors::telemetry::exporter;
use serde_json::Value as Json;
use tinydisplay::http::{self, Site};
use tokio::sync::watch;

use crate::program::wait_until;

const PANEL: &str = r##"
version = 1
[source.wave]
kind = "generator"
shape = "saw"
every = "10ms"
[page.main]
widgets = [{ kind = "text", at = [0, 0], size = [160, 20], text = "{wave.value:.2f}" }]
[http]
listen = "127.0.0.1:0"
[supervision.http]
hang_after = "2s"
"##;

/// The actors as the server tells of them; none where it does not answer now.
fn actors(address: SocketAddr) -> Option<Vec<Json>> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let head = format!("GET /api/v1/actors HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let document: Json = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    document["actors"].as_array().cloned()
}

/// Tells the run to end when it is dropped.
struct EndOfRun(Arc<watch::Sender<bool>>);

impl Drop for EndOfRun {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

#[test]
fn a_web_server_that_fails_is_started_anew_at_its_address() {
    let metrics = exporter::install().unwrap();
    for (fault, cause, left_behind) in
        [(Fault::Error, "error", 0), (Fault::Panic, "panic", 0), (Fault::Hang(None), "hang", 1)]
    {
        let config = tinydisplay::config::parse("panel.toml", PANEL, Path::new(""));
        let config = config.unwrap_or_else(|report| panic!("{}", report.render(false)));
        let socket = Arc::new(http::bind(Site::new(&config)).unwrap());
        let address = socket.address();
        let rule = Rule { point: "http".into(), actor: None, after: 0, fault };
        let options = Options {
            face: Some(socket.face(metrics.clone())),
            faults: Faults::listed([rule]),
            ..Options::default()
        };
        let mut client = None;
        let run = runtime::run(config.panel, options, |handle| {
            client = Some(thread::spawn(move || {
                // The run ends however this thread does.
                let _end = EndOfRun(handle.stop.clone());
                let told = wait_until(&format!("{cause}: the server never came back"), || {
                    let actors = actors(address).ok_or("no answer")?;
                    let http =
                        actors.iter().find(|actor| actor["name"] == "http").ok_or("not told of yet")?;
                    if http["restarts"].as_u64() >= Some(1) { Ok(actors) } else { Err(http.to_string()) }
                });
                let tick = handle.pulse.borrow().tick;
                wait_until("the panel stands still", || match handle.pulse.borrow().tick {
                    now if now > tick => Ok(()),
                    now => Err(format!("at tick {now}")),
                });
                told
            }));
        });
        run.unwrap();
        let told = client.unwrap().join().unwrap();
        for actor in &told {
            let is_http = actor["name"] == "http";
            let expected = (1 + u64::from(is_http), u64::from(is_http));
            let found = (actor["generation"].as_u64().unwrap(), actor["restarts"].as_u64().unwrap());
            assert_eq!(found, expected, "{cause}: {actor}");
        }
        let http = told.iter().find(|actor| actor["name"] == "http").unwrap();
        assert!(http["cause"] == cause && http["left_behind"] == left_behind, "{http}");
    }
}
