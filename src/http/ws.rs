//! The WebSocket: one task a viewer, which sends what the viewer has not got yet. See [`super::wire`] for
//! the form.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::handle::{ActorReport, Picture};
use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message as Packet, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::App;
use super::board::{Board, LOOK_EVERY, LOOKS_PER_POINT, TREND_POINTS, TRENDS};
use super::limits::{MESSAGE_BYTES, MESSAGES};
use super::listener::Guest;
use super::problem::Problem;
use super::wire::{
    self, ActorsDocument, EventDocument, Hello, Message, PulseDocument, SourceDocument, ValueDocument,
};

/// The least time between two pictures: about 30 a second.
const PICTURE_EVERY: Duration = Duration::from_millis(33);

/// The most time between two words about the actors: meanwhile their hearts go on beating.
const ACTORS_EVERY: Duration = Duration::from_secs(1);

/// How many past events a new viewer gets.
const EVENTS_AT_FIRST: usize = 50;

/// Opens a WebSocket.
pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Extension(guest): Extension<Arc<Guest>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.max_message_size(MESSAGE_BYTES).max_frame_size(MESSAGE_BYTES),
        Err(rejection) => {
            let websocket = HeaderValue::from_static("websocket");
            return Problem::new(StatusCode::UPGRADE_REQUIRED, rejection.body_text())
                .with_header(header::UPGRADE, websocket)
                .into_response();
        }
    };
    let Ok(permit) = app.viewers.clone().try_acquire_owned() else {
        return Problem::unavailable("too many viewers; close a page that shows the panel").into_response();
    };
    let Some(own) = app.viewing.enter(from.ip()) else {
        let detail = "too many viewers at this address; close a page that shows the panel";
        return Problem::unavailable(detail).into_response();
    };
    upgrade.on_upgrade(async move |socket| {
        let counted = app.telemetry.viewer();
        let mut viewer = Viewer::new(socket, app.clone());
        // A viewer that leaves is no error.
        let _ = viewer.entertain().await;
        drop((counted, own, guest, permit));
    })
}

/// A connected client and what it has got.
struct Viewer {
    socket: WebSocket,
    app: Arc<App>,
    shown: Option<Arc<Picture>>,
    board: Arc<Board>,
    actors: Arc<[ActorReport]>,
    /// When it was last told of the actors.
    actors_at: Instant,
    /// The number of the next event.
    event: u64,
    /// When it was last heard of.
    heard_at: Instant,
    /// How often, since the last ping.
    heard: u32,
}

/// The viewer is gone.
struct Gone;

impl Viewer {
    fn new(socket: WebSocket, app: Arc<App>) -> Viewer {
        let (board, actors) = (Arc::default(), Arc::new([]));
        let now = Instant::now();
        Viewer { socket, app, shown: None, board, actors, actors_at: now, event: 0, heard_at: now, heard: 0 }
    }

    async fn entertain(&mut self) -> Result<(), Gone> {
        let app = self.app.clone();
        let mut pictures = app.handle.pictures.clone();
        let mut boards = app.board.subscribe();
        let mut events = app.events.subscribe();
        let mut performance = app.performance.subscribe();
        // Both count as seen here, since the welcome sends them.
        let (board, _) = (boards.borrow_and_update().clone(), events.borrow_and_update());
        self.welcome(board).await?;
        pictures.mark_changed();
        performance.mark_changed();
        let (mut waiting, mut pace) = (false, every(PICTURE_EVERY));
        let mut ping = every(app.site.times.ping);
        loop {
            tokio::select! {
                biased;
                () = app.stopped() => return self.farewell().await,
                packet = self.socket.recv() => match packet {
                    None | Some(Err(_) | Ok(Packet::Close(_))) => return Err(Gone),
                    Some(Ok(_)) => self.hear().await?,
                },
                _ = ping.tick() => self.ping().await?,
                _ = pace.tick(), if waiting => {
                    waiting = false;
                    let picture = pictures.borrow_and_update().clone();
                    self.show(picture).await?;
                }
                Ok(()) = pictures.changed() => {
                    app.telemetry.output.skipped.increment(u64::from(waiting));
                    waiting = true;
                }
                Ok(()) = boards.changed() => {
                    let board = boards.borrow_and_update().clone();
                    self.update(board).await?;
                }
                Ok(()) = performance.changed() => {
                    let document = performance.borrow_and_update().clone();
                    if let Some(document) = document {
                        self.say(&Message::Performance(&document)).await?;
                    }
                }
                Ok(()) = events.changed() => self.tell_events().await?,
                else => return Err(Gone),
            }
        }
    }

    /// Takes note of a message. None means anything, so nobody has a reason to send many.
    async fn hear(&mut self) -> Result<(), Gone> {
        (self.heard_at, self.heard) = (Instant::now(), self.heard + 1);
        if self.heard <= MESSAGES {
            return Ok(());
        }
        let reason = "too many messages".into();
        let close = Packet::Close(Some(CloseFrame { code: close_code::POLICY, reason }));
        self.send(close).await.and(Err(Gone))
    }

    /// Asks whether the client is still there, and gives up one that has been silent for too long: the other
    /// end of a connection may be gone without a word.
    async fn ping(&mut self) -> Result<(), Gone> {
        self.heard = 0;
        if self.heard_at.elapsed() > self.app.site.times.silence {
            return Err(Gone);
        }
        self.send(Packet::Ping(Default::default())).await
    }

    async fn welcome(&mut self, board: Arc<Board>) -> Result<(), Gone> {
        let app = self.app.clone();
        let panel = &app.handle.panel;
        self.say(&Message::Hello(Hello {
            panel: &panel.name,
            width: panel.scene.size.width,
            height: panel.scene.size.height,
            fps: panel.fps.per_second(),
            version: env!("CARGO_PKG_VERSION"),
            point_ms: LOOK_EVERY.as_millis() as u64 * LOOKS_PER_POINT,
            points: TREND_POINTS,
        }))
        .await?;
        self.say(&all_values(&board)).await?;
        self.say(&all_sources(&board)).await?;
        let (newest, next) = (app.events.newest(EVENTS_AT_FIRST), app.events.since(0).1);
        self.event = next;
        self.say(&Message::Events { events: newest.iter().map(EventDocument::new).collect() }).await?;
        self.tell_actors().await?;
        self.say(&Message::Pulse(PulseDocument::new(&board.pulse, board.at_ms))).await?;
        self.board = board;
        Ok(())
    }

    async fn tell_actors(&mut self) -> Result<(), Gone> {
        let actors = self.app.handle.actors.borrow().clone();
        let handle = &self.app.handle;
        let document = ActorsDocument::new(&actors, &handle.panel.supervision, handle.world.now());
        self.say(&Message::Actors(document)).await?;
        (self.actors, self.actors_at) = (actors, Instant::now());
        Ok(())
    }

    async fn show(&mut self, picture: Arc<Picture>) -> Result<(), Gone> {
        let shown = self.shown.as_ref().map(|shown| &shown.frame);
        if let Some(message) = wire::picture(shown, &picture) {
            let output = self.app.telemetry.output.clone();
            output.bytes.increment(message.len() as u64);
            output.pixels.increment(wire::pixels_of(&message));
            let is_first = shown.is_none();
            self.send(Packet::Binary(message.into())).await?;
            // The first picture that a viewer gets may be as old as it likes.
            if is_first {
                output.frames.increment(1);
            } else {
                output.shown(&picture, self.app.handle.world.now());
            }
        }
        self.shown = Some(picture);
        Ok(())
    }

    async fn update(&mut self, board: Arc<Board>) -> Result<(), Gone> {
        let old = std::mem::replace(&mut self.board, board.clone());
        let names = |board: &Board| board.values.iter().map(|value| value.name.clone()).collect::<Vec<_>>();
        if names(&old) != names(&board) {
            self.say(&all_values(&board)).await?;
        } else {
            let pairs = old.values.iter().zip(&board.values);
            let changed = pairs.filter(|(old, new)| !wire::same_value(old, new));
            let values: Vec<_> = changed.map(|(_, new)| ValueDocument::new(new)).collect();
            if !values.is_empty() {
                self.say(&Message::Values { complete: false, values }).await?;
            }
            if old.trends.taken != board.trends.taken {
                let newest = |name| board.trends.of(name).and_then(|points| points.back().copied().flatten());
                let points = board.values.iter().take(TRENDS).map(|value| newest(&value.name)).collect();
                self.say(&Message::Trend { points }).await?;
            }
        }
        if !same_sources(&old, &board) {
            self.say(&all_sources(&board)).await?;
        }
        let is_same = wire::same_actors(&self.actors, &self.app.handle.actors.borrow());
        if !is_same || self.actors_at.elapsed() >= ACTORS_EVERY {
            self.tell_actors().await?;
        }
        self.say(&Message::Pulse(PulseDocument::new(&board.pulse, board.at_ms))).await
    }

    async fn tell_events(&mut self) -> Result<(), Gone> {
        let (events, next) = self.app.events.since(self.event);
        self.event = next;
        if events.is_empty() {
            return Ok(());
        }
        self.say(&Message::Events { events: events.iter().map(EventDocument::new).collect() }).await
    }

    async fn farewell(&mut self) -> Result<(), Gone> {
        let reason = "the panel has ended".into();
        let close = Packet::Close(Some(CloseFrame { code: close_code::AWAY, reason }));
        self.socket.send(close).await.map_err(|_| Gone)?;
        // The other side answers with a close of its own; until then its socket is not done with.
        while let Some(Ok(_)) = self.socket.recv().await {}
        Ok(())
    }

    async fn say(&mut self, message: &Message<'_>) -> Result<(), Gone> {
        let text = serde_json::to_string(message).map_err(|_| Gone)?;
        self.send(Packet::Text(text.into())).await
    }

    /// Waits until the client has room. Meanwhile newer pictures replace older ones.
    async fn send(&mut self, packet: Packet) -> Result<(), Gone> {
        let sent = tokio::time::timeout(self.app.site.times.write, self.socket.send(packet));
        tokio::select! {
            biased;
            sent = sent => sent.map_err(|_| Gone)?.map_err(|_| Gone),
            // A client that has no room now has none for a farewell either.
            () = self.app.stopped() => Err(Gone),
        }
    }
}

fn every(time: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(Instant::now() + time, time);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn all_values(board: &Board) -> Message<'_> {
    let document = |value| ValueDocument::new(value).with_trend(board.trends.of(&value.name));
    Message::Values { complete: true, values: board.values.iter().map(document).collect() }
}

fn all_sources(board: &Board) -> Message<'_> {
    Message::Sources { sources: board.sources.iter().map(SourceDocument::new).collect() }
}

fn same_sources(old: &Board, new: &Board) -> bool {
    old.sources.iter().map(SourceDocument::new).eq(new.sources.iter().map(SourceDocument::new))
}
