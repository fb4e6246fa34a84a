//! What the server's tests stand on: a panel whose answers the test decides, a client for plain requests,
//! and one for the WebSocket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix::{Actor, Context, Handler, MessageResult, System};
use actors::expression::chunk::Code;
use actors::expression::script::reloads::Reloads;
use actors::handle::{
    ActorReport, Handle, Held, Picture, Pulse, QuerySamples, QuerySources, QueryValues, QueryWindows,
    Reported, Slot, SourceReport, Told,
};
use actors::panel::Panel;
use actors::source::push::Push;
use actors::telemetry::{Telemetry, exporter};
use actors::world::World;
use axum::http::header;
use engine::event::Event;
use engine::formula::Program;
use engine::formula::derived::{Derived, Measure, Span};
use engine::paint::{Color, Frame, Size};
use engine::scene::Scene;
use engine::signal::Signal;
use engine::tick::{Fps, Tick};
use engine::value::Value;
use engine::window::Windows;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value as Json;
use socket2::{Domain, Socket, Type};
use tokio::sync::{broadcast, watch};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use super::{Server, Site, serve};

/// A test that waits longer than this has failed.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The panel speaks all the time, so a test that waits for a message in vain would wait for ever.
const MESSAGES_MAX: usize = 200;

/// The one recorder of the test process.
pub(super) fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| exporter::install().unwrap()).clone()
}

/// A panel that says what the test wants it to say.
pub(super) struct FakePanel {
    pub(super) handle: Handle,
    pub(super) pictures: watch::Sender<Arc<Picture>>,
    pub(super) pulse: watch::Sender<Pulse>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) signalled: flume::Receiver<Signal>,
    pub(super) telemetry: Telemetry,
    pub(super) actors: watch::Sender<Arc<[ActorReport]>>,
    pub(super) values: Arc<Mutex<Vec<Reported>>>,
    pub(super) sources: Arc<Mutex<Vec<SourceReport>>>,
    /// How many questions it was asked.
    pub(super) asked: Arc<AtomicUsize>,
    thread: Option<(System, JoinHandle<()>)>,
}

impl FakePanel {
    /// A ready panel with a grey frame.
    pub(super) fn new(values: Vec<Reported>, sources: Vec<SourceReport>) -> FakePanel {
        let asked = Arc::<AtomicUsize>::default();
        let (values, sources) = (Arc::new(values.into()), Arc::new(sources.into()));
        let answers = Answers { values, sources, asked: asked.clone() };
        let (values, sources) = (answers.values.clone(), answers.sources.clone());
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let system = System::new();
            // The actor lives as long as somebody has its address.
            let _address = system.block_on(async {
                let address = answers.start();
                let (values, sources) = (Slot::default(), Slot::default());
                let (windows, samples) = (Slot::default(), Slot::default());
                values.point(address.clone().recipient().downgrade());
                sources.point(address.clone().recipient().downgrade());
                windows.point(address.clone().recipient().downgrade());
                samples.point(address.clone().recipient().downgrade());
                tell.send((System::current(), values, sources, (windows, samples))).unwrap();
                address
            });
            system.run().unwrap();
        });
        let (system, ask_values, ask_sources, (windows, samples)) = told.recv().unwrap();
        let (pictures, pictures_seen) = watch::channel(picture(0, Size::new(160, 128), 40));
        let (pulse, pulse_seen) = watch::channel(Pulse { tick: Tick(3), ready: true, ..Pulse::default() });
        let events = broadcast::Sender::new(64);
        let (actors, actors_seen) = watch::channel(Vec::new().into());
        let (signals, signalled) = flume::bounded(engine::signal::PER_TICK_MAX);
        let telemetry = Telemetry::new(&["system".into()], &[], &["cpu".into()]);
        let handle = Handle {
            panel: Arc::new(panel()),
            pictures: pictures_seen,
            events: events.clone(),
            pulse: pulse_seen,
            telemetry: telemetry.clone(),
            recording: None,
            values: ask_values,
            sources: ask_sources,
            windows,
            samples,
            signals,
            actors: actors_seen,
            scripts: Reloads::new(Arc::new(panel()), None, telemetry.scripts.clone()),
            push: Push::new(World::live(), &panel(), &[]),
            world: World::live(),
            stop: Arc::new(watch::Sender::new(false)),
        };
        FakePanel {
            handle,
            pictures,
            pulse,
            events,
            signalled,
            telemetry,
            actors,
            values,
            sources,
            asked,
            thread: Some((system, thread)),
        }
    }

    /// Has it show another panel.
    pub(super) fn take(&mut self, panel: Panel) {
        self.handle.panel = Arc::new(panel);
        self.handle.scripts = Reloads::new(self.handle.panel.clone(), None, self.telemetry.scripts.clone());
    }

    /// How many look at its pictures: one more for each viewer that is entertained.
    pub(super) fn watching(&self) -> usize {
        self.pictures.receiver_count()
    }

    /// A server in front of it, on a free port.
    pub(super) fn serve(&self) -> Server {
        serve(SocketAddr::from(([127, 0, 0, 1], 0)), self.handle.clone(), metrics()).unwrap()
    }

    /// A server with other settings than the usual ones.
    pub(super) fn serve_site(&self, change: impl FnOnce(&mut Site)) -> Server {
        let mut site = Site::from(SocketAddr::from(([127, 0, 0, 1], 0)));
        change(&mut site);
        serve(site, self.handle.clone(), metrics()).unwrap()
    }

    /// Ends the actors: nothing answers any more.
    pub(super) fn end(&mut self) {
        if let Some((system, thread)) = self.thread.take() {
            system.stop();
            thread.join().unwrap();
        }
    }
}

impl Drop for FakePanel {
    fn drop(&mut self) {
        self.end();
    }
}

/// A picture of one grey.
pub(super) fn picture(tick: u64, size: Size, grey: u8) -> Arc<Picture> {
    Arc::new(Picture::new(Tick(tick), Frame::new(size, Color::rgb(grey, grey, grey))))
}

/// A panel without anything on it.
pub(super) fn panel() -> Panel {
    Panel {
        name: "desk".into(),
        page: "main".into(),
        fps: Fps::default(),
        seed: 0,
        fingerprint: 0,
        host: "desk".into(),
        constants: Vec::new(),
        sources: Vec::new(),
        keys: Vec::new(),
        ring: Default::default(),
        scripts: Default::default(),
        program: Program::default(),
        code: Code::default(),
        values: Vec::new(),
        templates: Vec::new(),
        triggers: Vec::new(),
        animations: Vec::new(),
        scene: Scene { size: Size::new(160, 128), background: Color::default(), widgets: Vec::new() },
        outputs: Vec::new(),
        persistence: None,
        supervision: Default::default(),
    }
}

struct Answers {
    values: Arc<Mutex<Vec<Reported>>>,
    sources: Arc<Mutex<Vec<SourceReport>>>,
    asked: Arc<AtomicUsize>,
}

impl Actor for Answers {
    type Context = Context<Self>;
}

impl Handler<QueryValues> for Answers {
    type Result = Vec<Reported>;
    fn handle(&mut self, _: QueryValues, _: &mut Self::Context) -> Vec<Reported> {
        self.asked.fetch_add(1, Relaxed);
        self.values.lock().unwrap().clone()
    }
}

impl Handler<QuerySources> for Answers {
    type Result = Vec<SourceReport>;
    fn handle(&mut self, _: QuerySources, _: &mut Self::Context) -> Vec<SourceReport> {
        self.asked.fetch_add(1, Relaxed);
        self.sources.lock().unwrap().clone()
    }
}

/// The panel's only window is over its first key: it holds a sample of 10 from a second ago and one of 20.
impl Handler<QueryWindows> for Answers {
    type Result = MessageResult<QueryWindows>;
    fn handle(&mut self, _: QueryWindows, _: &mut Self::Context) -> Self::Result {
        let span = Some(Span::Milliseconds(60_000));
        let asked = Derived { measure: Measure::Count, key: 0, span };
        let mut windows = Windows::new(&[asked], &[], Fps::default());
        windows.advance(Tick(9), 50_000);
        windows.fill(0, 49_000, 10.0);
        windows.push(0, 50_000, &Value::Number(20.0));
        windows.settle();
        MessageResult(windows.memory())
    }
}

/// The ring holds numbers of the second key, 3 from two seconds ago and 5.
impl Handler<QuerySamples> for Answers {
    type Result = MessageResult<QuerySamples>;
    fn handle(&mut self, _: QuerySamples, _: &mut Self::Context) -> Self::Result {
        let held = |key, timestamp_ms, number| Held { key, timestamp_ms, number };
        let numbers = vec![held(1, 48_000, 3.0), held(0, 50_000, 7.0), held(1, 50_000, 5.0)];
        MessageResult(Told { numbers, since_ms: Some(48_000) })
    }
}

/// An answer to a plain request.
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A header's value, the name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Sends `METHOD target` with extra header lines; a `Host` is added where none is given.
pub(super) fn request(server: SocketAddr, line: &str, headers: &[&str]) -> Answer {
    send(server, line, headers, "")
}

/// The same with a body.
pub(super) fn send(server: SocketAddr, line: &str, headers: &[&str], body: &str) -> Answer {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let mut text = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("Host")) {
        text += &format!("Host: {server}\r\n");
    }
    headers.iter().for_each(|header| text += &format!("{header}\r\n"));
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    // A server that refuses a body need not read it to its end; its answer is there all the same.
    let _ = stream.write_all(format!("{text}{length}\r\n{body}").as_bytes());
    answer(&mut stream)
}

/// What comes back, up to the end of the connection.
pub(super) fn answer(stream: &mut TcpStream) -> Answer {
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    assert!(read.is_ok() || !bytes.is_empty(), "{read:?}");
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head[9..12].parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

/// A connection from another address of this machine: 127.0.0.`last`.
pub(super) fn stream_from(server: &Server, last: u8) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, last], 0)).into()).unwrap();
    socket.connect(&server.address().into()).unwrap();
    socket.into()
}

/// Tries again and again until it is so. Nothing unparks this thread, so parking is a pause.
pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_MAX;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came about: {what}");
        std::thread::park_timeout(WAIT_MAX / 10_000);
    }
}

/// `GET target`.
pub(super) fn get(server: &Server, target: &str) -> Answer {
    request(server.address(), &format!("GET {target}"), &[])
}

/// A connected viewer.
pub(super) struct Viewer {
    pub(super) socket: WebSocket<TcpStream>,
    pub(super) screen: Screen,
}

impl Viewer {
    pub(super) fn connect(server: &Server) -> Viewer {
        Viewer::try_connect(server, None).unwrap()
    }

    /// The status where the server does not want this viewer.
    pub(super) fn try_connect(server: &Server, origin: Option<&str>) -> Result<Viewer, u16> {
        let stream = TcpStream::connect(server.address()).unwrap();
        Viewer::over(stream, server, origin)
    }

    /// One at another address of this machine: 127.0.0.`last`.
    pub(super) fn connect_from(server: &Server, last: u8) -> Result<Viewer, u16> {
        Viewer::over(stream_from(server, last), server, None)
    }

    fn over(stream: TcpStream, server: &Server, origin: Option<&str>) -> Result<Viewer, u16> {
        let address = server.address();
        stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        request.headers_mut().extend(origin.map(|origin| (header::ORIGIN, origin.parse().unwrap())));
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Viewer { socket, screen: Screen::default() }),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The next text message of this type; pictures before it are shown.
    pub(super) fn text(&mut self, kind: &str) -> Json {
        for _ in 0..MESSAGES_MAX {
            if let Some(message) = self.next()
                && message["type"] == kind
            {
                return message;
            }
        }
        panic!("no {kind} among {MESSAGES_MAX} messages");
    }

    /// Shows pictures until one of `tick` is on the screen and returns how many there were.
    pub(super) fn show_until(&mut self, tick: u64) -> usize {
        let before = self.screen.shown;
        while self.screen.shown == 0 || self.screen.tick != tick {
            self.next();
        }
        self.screen.shown - before
    }

    /// Takes one message: shows a picture, or returns a text.
    fn next(&mut self) -> Option<Json> {
        match self.socket.read().unwrap() {
            Message::Text(text) => Some(serde_json::from_str(&text).unwrap()),
            Message::Binary(bytes) => {
                self.screen.show(&bytes);
                None
            }
            Message::Ping(_) => None,
            other => panic!("{other:?}"),
        }
    }
}

/// A screen as the studio has one: it knows only what the messages say.
#[derive(Default)]
pub(super) struct Screen {
    pub(super) size: (u32, u32),
    pub(super) pixels: Vec<u8>,
    pub(super) tick: u64,
    /// How many pictures were shown.
    pub(super) shown: usize,
    /// Whether the last one was a key frame.
    pub(super) key: bool,
}

impl Screen {
    pub(super) fn show(&mut self, message: &[u8]) {
        let short = |at: usize| usize::from(u16::from_le_bytes([message[at], message[at + 1]]));
        assert_eq!(message[0], 1);
        self.key = message[1] == 1;
        let (rects, width, height) = (short(2), short(4), short(6));
        if self.key {
            self.size = (width as u32, height as u32);
            // A colour that no test paints: what a key frame leaves out is found.
            self.pixels = [1, 2, 3, 4].repeat(width * height);
        }
        assert_eq!(self.size, (width as u32, height as u32));
        self.tick = u64::from_le_bytes(message[8..16].try_into().unwrap());
        self.shown += 1;
        let mut at = 16;
        for _ in 0..rects {
            let (x, y, w, h) = (short(at), short(at + 2), short(at + 4), short(at + 6));
            at += 8;
            for row in y..y + h {
                let to = (row * width + x) * 4;
                self.pixels[to..to + w * 4].copy_from_slice(&message[at..at + w * 4]);
                at += w * 4;
            }
        }
        assert_eq!(at, message.len());
    }
}

/// Whether `instance` has the shape of the schema `name` of an OpenAPI `document`.
pub(super) fn conforms(document: &Json, name: &str, instance: &Json) -> Result<(), String> {
    let schema = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": document["components"],
    });
    let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
    validator.validate(instance).map_err(|error| format!("{error} at {}", error.instance_path()))
}
