//! tinydisplay itself: a running panel whose one source is pushed into.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actors::handle::Handle;
use actors::runtime::{self, Options};
use actors::source::push::Refusal;
use actors::telemetry::number::Distribution;
use engine::value::Value;

use crate::peer::{Message, Peer};

/// A page with nothing on it, and a ring that takes more within a tick than a producer sends.
const PANEL: &str = r##"
version = 1
[source.bench]
kind = "push"
[ring]
samples = 200_000
bytes = 60_000_000
[page.main]
widgets = [{ kind = "text", at = [8, 8], size = [144, 20], text = "bench", color = "#ffffff" }]
"##;

/// A run in the background.
struct Panel {
    handle: Handle,
    thread: JoinHandle<()>,
    key: Arc<str>,
    before: Distribution,
}

impl Panel {
    fn start() -> Panel {
        let (answer, started) = flume::bounded(1);
        let thread = thread::spawn(move || {
            let config = tinydisplay::config::parse("bench", PANEL, Path::new(""));
            let config = config.unwrap_or_else(|report| panic!("{}", report.render(false)));
            let started = move |handle| answer.send(handle).expect("somebody waits");
            runtime::run(config.panel, Options::default(), started).expect("it runs");
        });
        let handle: Handle = started.recv().expect("it starts");
        let before = handle.telemetry.ring.ingest.distribution();
        let panel = Panel { handle, thread, key: "value".into(), before };
        while !panel.handle.pulse.borrow().ready {
            thread::yield_now();
        }
        panel
    }

    fn offer(&self, values: &[Value]) {
        loop {
            let values = values.iter().map(|value| (self.key.clone(), value.clone())).collect();
            match self.handle.push.offer("bench", None, values) {
                Ok(_) => return,
                Err(Refusal::Full | Refusal::Stopped) => thread::yield_now(),
                Err(refusal) => panic!("{refusal}"),
            }
        }
    }

    fn ingested(&self) -> Distribution {
        self.handle.telemetry.ring.ingest.distribution().since(&self.before)
    }

    fn end(self) {
        self.handle.stop.send_replace(true);
        self.thread.join().expect("no panic");
    }
}

/// Readings of as many values as are sent before a flush, at most so many.
pub struct Readings {
    panel: Panel,
    values_max: usize,
    values: Vec<Value>,
    /// How many messages had been sent with each reading and those before it.
    sent: Vec<u64>,
    /// The sum of all hops when the newest was begun.
    hops: Duration,
}

impl Readings {
    pub fn start(values_max: usize) -> Readings {
        let (values, sent, hops) = (Vec::new(), Vec::new(), Duration::ZERO);
        Readings { panel: Panel::start(), values_max, values, sent, hops }
    }
}

impl Peer for Readings {
    fn send(&mut self, message: Message) {
        if self.values.is_empty() && self.values_max == 1 {
            self.hops = self.panel.ingested().sum();
        }
        self.values.push(Value::Number(message.payload[0] as f64));
        if self.values.len() == self.values_max {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.values.is_empty() {
            self.sent.push(self.sent.last().unwrap_or(&0) + self.values.len() as u64);
            self.panel.offer(&std::mem::take(&mut self.values));
        }
    }

    fn handled(&self) -> u64 {
        let readings = self.panel.ingested().count() as usize;
        if readings == 0 { 0 } else { self.sent[readings.min(self.sent.len()) - 1] }
    }

    fn last_hop(&self) -> Duration {
        self.panel.ingested().sum() - self.hops
    }

    fn end(self: Box<Self>) {
        self.panel.end();
    }
}
