//! What goes over the wire: the JSON of the API and of the WebSocket, and the WebSocket's pictures.
//!
//! # The WebSocket `/ws`
//! The server speaks, the client listens; what a client sends says nothing but that it is there, and too much
//! of it ends the connection. Text messages are JSON objects with a `type`:
//!
//! | `type` | when | other members |
//! |---|---|---|
//! | `hello` | first | `panel`, `width`, `height`, `fps`, `version`, `point_ms` (time between two points of a trend), `points` (how many a trend keeps) |
//! | `values` | second, then four times a second if any changed | `complete`, `values`: all of them with their `trend` if complete, else those that changed |
//! | `trend` | at each new point | `points`: one number or null for each of the first 256 values, in the order of the last complete `values` |
//! | `sources` | third, then as they change | `sources` |
//! | `events` | fourth, then as they come | `events`, oldest first |
//! | `actors` | fifth, then as they change, at least once a second | the same as `/api/v1/actors` |
//! | `performance` | once a second, from the second one on | the same as `/api/v1/performance` |
//! | `pulse` | four times a second | `tick`, `late_ticks`, `skipped_frames`, `ready`, `at_ms` (server's time) |
//!
//! Binary messages are pictures: what changed since the last one, at most about 30 a second. A client that
//! is slow gets fewer, always up to the newest frame. All numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 0 | the format's version, 1 |
//! | 1 | 1 for a key frame, which covers everything and is the first; else 0 |
//! | 2-3 | number of rectangles |
//! | 4-5, 6-7 | width and height of the frame in pixels |
//! | 8-15 | the tick that it shows |
//! | 16- | the rectangles: x, y, width, height (2 bytes each), then width × height × 4 bytes of red, green, blue, alpha, row by row |

use std::collections::VecDeque;
use std::time::Duration;

use actors::expression::script::library::renewal::Refusal;
use actors::expression::script::reloads::ScriptReport;
use actors::handle::{ActorReport, ActorState, Picture, Pulse, Reported, SourceReport};
use actors::supervisor::policy::{Policy, Supervision, TIME_MAX};
use actors::supervisor::worker::Group;
use engine::event::Event;
use engine::paint::{Frame, damage};
use engine::value::Value;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::performance;

/// The version of the pictures' format.
pub const PICTURE_VERSION: u8 = 1;

/// Bytes before the first rectangle of a picture.
const PICTURE_HEAD: usize = 16;

/// What one more rectangle costs, in pixels: its head, and a call in the browser.
const RECT_COST: u64 = 64;

/// A text message of the WebSocket.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Message<'a> {
    Hello(Hello<'a>),
    Values { complete: bool, values: Vec<ValueDocument<'a>> },
    Trend { points: Vec<Option<f64>> },
    Sources { sources: Vec<SourceDocument<'a>> },
    Events { events: Vec<EventDocument<'a>> },
    Actors(ActorsDocument<'a>),
    Performance(&'a performance::Document),
    Pulse(PulseDocument),
}

#[derive(Serialize)]
pub(super) struct Hello<'a> {
    pub(super) panel: &'a str,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) fps: u32,
    pub(super) version: &'static str,
    pub(super) point_ms: u64,
    pub(super) points: usize,
}

/// A value or key.
#[derive(Serialize)]
pub(super) struct ValueDocument<'a> {
    name: &'a str,
    formula: Option<&'a str>,
    value: Option<Plain<'a>>,
    unit: &'a str,
    /// The worst state of the sources behind it.
    state: &'static str,
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trend: Option<&'a VecDeque<Option<f64>>>,
}

impl<'a> ValueDocument<'a> {
    pub(super) fn new(reported: &'a Reported) -> ValueDocument<'a> {
        ValueDocument {
            name: &reported.name,
            formula: reported.formula.as_deref(),
            value: reported.value.as_ref().map(Plain),
            unit: &reported.unit,
            state: reported.state.name(),
            error: reported.error.as_deref(),
            trend: None,
        }
    }

    pub(super) fn with_trend(self, trend: Option<&'a VecDeque<Option<f64>>>) -> ValueDocument<'a> {
        ValueDocument { trend, ..self }
    }
}

/// A source.
#[derive(PartialEq, Serialize)]
pub(super) struct SourceDocument<'a> {
    name: &'a str,
    kind: &'static str,
    state: &'static str,
    samples: u64,
    dropped: u64,
    rejected: u64,
    restarts: u64,
    error: Option<&'a str>,
}

impl<'a> SourceDocument<'a> {
    pub(super) fn new(report: &'a SourceReport) -> SourceDocument<'a> {
        SourceDocument {
            name: &report.name,
            kind: report.kind,
            state: report.state.name(),
            samples: report.samples,
            dropped: report.dropped,
            rejected: report.rejected,
            restarts: report.restarts,
            error: report.error.as_deref(),
        }
    }
}

/// A script.
#[derive(Serialize)]
pub(super) struct ScriptDocument<'a> {
    file: &'a str,
    functions: &'a [String],
    handlers: &'a [&'static str],
    reloads: u64,
    /// Why the newest text is not taken up.
    error: Option<RefusalDocument<'a>>,
}

/// Why a script's text is not taken up.
#[derive(Serialize)]
struct RefusalDocument<'a> {
    line: u32,
    message: &'a str,
    help: Option<&'a str>,
}

impl<'a> ScriptDocument<'a> {
    pub(super) fn new(report: &'a ScriptReport) -> ScriptDocument<'a> {
        let error = report.refusal.as_ref().map(|Refusal { line, message, help, .. }| RefusalDocument {
            line: *line,
            message,
            help: help.as_deref(),
        });
        let ScriptReport { file, functions, handlers, reloads, .. } = report;
        ScriptDocument { file, functions, handlers, reloads: *reloads, error }
    }
}

/// The tree of actors.
#[derive(Serialize)]
pub(super) struct ActorsDocument<'a> {
    groups: Vec<GroupDocument>,
    /// How many threads may be left behind at a time; one more ends the process.
    left_behind_max: usize,
    /// In the order of their start.
    actors: Vec<ActorDocument<'a>>,
}

/// The root, or a group of actors below it.
#[derive(Serialize)]
struct GroupDocument {
    name: &'static str,
    /// `None` for the root.
    parent: Option<&'static str>,
    /// Who else is started anew with one that failed.
    strategy: &'static str,
    /// How many restarts within `period_ms` it bears before the process ends; `None` bears any number.
    restarts: Option<u32>,
    period_ms: Option<u64>,
}

impl GroupDocument {
    fn new(group: Group, policy: &Policy) -> GroupDocument {
        GroupDocument {
            name: group.name(),
            parent: Some("root"),
            strategy: if group == Group::Core { "one_for_all" } else { "one_for_one" },
            restarts: policy.intensity.map(|intensity| intensity.restarts),
            period_ms: policy.intensity.map(|intensity| intensity.period.as_millis() as u64),
        }
    }
}

/// An actor.
#[derive(Serialize)]
struct ActorDocument<'a> {
    name: &'a str,
    group: &'static str,
    state: &'static str,
    generation: u64,
    restarts: u64,
    /// Threads of it that hang and were left behind.
    left_behind: usize,
    cause: Option<&'static str>,
    error: Option<&'a str>,
    /// How long ago its heart last beat.
    silent_ms: u64,
    /// For how long from now it said that it would be well without a beat; at most [`TIME_MAX`], which stands
    /// for any longer time.
    rests_ms: u64,
    /// When it is started anew, where it waits for that.
    starts_in_ms: Option<u64>,
}

impl<'a> ActorsDocument<'a> {
    /// The actors as they are at `now`, in world time.
    pub(super) fn new(
        reports: &'a [ActorReport],
        supervision: &Supervision,
        now: Duration,
    ) -> ActorsDocument<'a> {
        let root = GroupDocument {
            name: "root",
            parent: None,
            strategy: "one_for_one",
            restarts: None,
            period_ms: None,
        };
        let groups = Group::ALL.map(|group| GroupDocument::new(group, supervision.of(group)));
        let actors = reports.iter().map(|report| ActorDocument::new(report, now));
        let (groups, actors) = ([root].into_iter().chain(groups).collect(), actors.collect());
        ActorsDocument { groups, left_behind_max: supervision.abandoned_max, actors }
    }
}

impl<'a> ActorDocument<'a> {
    fn new(report: &'a ActorReport, now: Duration) -> ActorDocument<'a> {
        // Not even a back-off waits longer than that.
        let until = |moment: Duration| moment.saturating_sub(now).min(TIME_MAX).as_millis() as u64;
        ActorDocument {
            name: &report.name,
            group: report.group,
            state: report.state.name(),
            generation: report.generation,
            restarts: report.restarts,
            left_behind: report.left_behind,
            cause: report.cause,
            error: report.error.as_deref(),
            silent_ms: now.saturating_sub(report.beaten).as_millis() as u64,
            rests_ms: until(report.well_until),
            starts_in_ms: match report.state {
                ActorState::BackingOff(at) | ActorState::Degraded(at) => Some(until(at)),
                _ => None,
            },
        }
    }
}

/// Whether a client that was told `old` need not be told `new` at once: only time has passed.
pub(super) fn same_actors(old: &[ActorReport], new: &[ActorReport]) -> bool {
    let told = |report: &ActorReport| ActorReport {
        beaten: Duration::ZERO,
        well_until: Duration::ZERO,
        ..report.clone()
    };
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| told(old) == told(new))
}

/// An event, in the same form as in files.
#[derive(Serialize)]
pub(super) struct EventDocument<'a> {
    tick: u64,
    r#type: &'static str,
    coordination_id: &'a str,
    data: Facts<'a>,
}

impl<'a> EventDocument<'a> {
    pub(super) fn new(event: &'a Event) -> EventDocument<'a> {
        EventDocument {
            tick: event.tick.0,
            r#type: event.kind.name(),
            coordination_id: &event.id,
            data: Facts(&event.data),
        }
    }
}

/// How the clock is doing.
#[derive(Serialize)]
pub(super) struct PulseDocument {
    tick: u64,
    late_ticks: u64,
    skipped_frames: u64,
    ready: bool,
    at_ms: u64,
}

impl PulseDocument {
    pub(super) fn new(pulse: &Pulse, at_ms: u64) -> PulseDocument {
        let Pulse { tick, late_ticks, skipped_frames, ready, duration: _ } = *pulse;
        PulseDocument { tick: tick.0, late_ticks, skipped_frames, ready, at_ms }
    }
}

/// A value as JSON has it: a number, a text, true or false.
pub(super) struct Plain<'a>(pub(super) &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// Facts as an object, in their own order.
struct Facts<'a>(&'a [(String, Value)]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, &Plain(value))?;
        }
        map.end()
    }
}

/// Whether a client that was told `old` need not be told `new`.
pub(super) fn same_value(old: &Reported, new: &Reported) -> bool {
    let same = match (&old.value, &new.value) {
        (Some(old), Some(new)) => old.same(new),
        (None, None) => true,
        _ => false,
    };
    same && old.error == new.error && old.state == new.state
}

/// The binary message that turns `shown` into `picture`, a key frame where nothing is shown yet; `None`
/// where nothing changed.
pub(super) fn picture(shown: Option<&Frame>, picture: &Picture) -> Option<Vec<u8>> {
    let frame = &picture.frame;
    let shown = shown.filter(|shown| shown.size() == frame.size());
    let mut rects = match shown {
        Some(shown) => damage::diff(shown, frame, RECT_COST),
        None => vec![frame.bounds()],
    };
    rects.retain(|rect| !rect.is_empty());
    if rects.is_empty() {
        return None;
    }
    let pixels: u64 = rects.iter().map(|rect| rect.area() * 4 + 8).sum();
    let mut message = Vec::with_capacity(PICTURE_HEAD + pixels as usize);
    message.extend([PICTURE_VERSION, u8::from(shown.is_none())]);
    message.extend(short(rects.len() as u32));
    message.extend(short(frame.size().width));
    message.extend(short(frame.size().height));
    message.extend(picture.tick.0.to_le_bytes());
    for rect in rects {
        for side in [rect.at.x as u32, rect.at.y as u32, rect.size.width, rect.size.height] {
            message.extend(short(side));
        }
        for y in rect.at.y..rect.bottom() {
            message.extend(frame.row(y, rect.at.x, rect.right()));
        }
    }
    Some(message)
}

/// How many pixels a picture's message has.
pub(super) fn pixels_of(message: &[u8]) -> u64 {
    let rects = message.get(2..4).map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let places = PICTURE_HEAD + 8 * usize::from(rects);
    (message.len().saturating_sub(places) / 4) as u64
}

/// Frames have at most 4,096 pixels a side and their damage fewer rectangles than pixels a row, so that
/// nothing is cut off here.
fn short(number: u32) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use engine::event::EventKind;
    use engine::paint::{Canvas, Color, Rect, Size};
    use engine::tick::Tick;
    use proptest::prelude::*;

    use super::*;
    use crate::http::fixture::Screen;

    fn painted(size: Size, fills: &[(Rect, Color)]) -> Picture {
        let mut frame = Frame::new(size, Color::rgb(0, 0, 0));
        fills.iter().for_each(|(rect, color)| Canvas::new(&mut frame).fill(*rect, *color));
        Picture::new(Tick(fills.len() as u64), frame)
    }

    fn fill() -> impl Strategy<Value = (Rect, Color)> {
        let rect = (-4..40i32, -4..30i32, 0..20u32, 0..20u32).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h));
        (rect, any::<[u8; 3]>()).prop_map(|(rect, [r, g, b])| (rect, Color::rgb(r, g, b)))
    }

    proptest! {
        /// Whatever is painted, and however the size changes, the messages replay to the same pixels.
        #[test]
        fn pictures_replay(
            frames in prop::collection::vec((prop::bool::weighted(0.1), prop::collection::vec(fill(), 0..4)), 1..12)
        ) {
            let (mut screen, mut shown) = (Screen::default(), None);
            for (small, fills) in frames {
                let size = if small { Size::new(17, 5) } else { Size::new(40, 30) };
                let now = painted(size, &fills);
                match picture(shown.as_ref(), &now) {
                    Some(message) => screen.show(&message),
                    None => prop_assert_eq!(shown.as_ref(), Some(&now.frame)),
                }
                prop_assert_eq!(screen.size, (size.width, size.height));
                prop_assert_eq!(&screen.pixels[..], now.frame.pixels());
                shown = Some(now.frame);
            }
        }
    }

    #[test]
    fn picture_bytes() {
        let black = painted(Size::new(3, 2), &[]);
        let message = picture(None, &black).unwrap();
        let head = [1, 1, 1, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(message[..16], head);
        assert_eq!(message[16..24], [0, 0, 0, 0, 3, 0, 2, 0]);
        assert_eq!(message[24..], [0, 0, 0, 255].repeat(6));

        let dot = painted(Size::new(3, 2), &[(Rect::new(2, 1, 1, 1), Color::rgb(9, 8, 7))]);
        let message = picture(Some(&black.frame), &dot).unwrap();
        let head = [1, 0, 1, 0, 3, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(message[..16], head);
        assert_eq!(message[16..], [2, 0, 1, 0, 1, 0, 1, 0, 9, 8, 7, 255]);

        assert_eq!(picture(Some(&dot.frame), &dot), None);
        assert_eq!(picture(None, &painted(Size::new(0, 0), &[])), None);
    }

    #[test]
    fn documentation_knows_every_message() {
        let page = include_str!("../../docs/http.md");
        let here = include_str!("wire.rs");
        let rows = here
            .lines()
            .filter_map(|line| line.strip_prefix("//! | `"))
            .filter_map(|row| row.split_once('`'));
        let kinds: Vec<_> = rows.map(|(kind, _)| kind).filter(|kind| *kind != "type").collect();
        assert_eq!(kinds.len(), 8, "{kinds:?}");
        for kind in kinds {
            assert!(page.contains(&format!("\n| `{kind}` |")), "docs/http.md has no row for `{kind}`");
        }
    }

    #[test]
    fn actor_json() {
        let seconds = Duration::from_secs;
        let report = ActorReport {
            name: "source.cpu".into(),
            group: "sources",
            state: ActorState::BackingOff(seconds(13)),
            generation: 4,
            restarts: 3,
            left_behind: 2,
            cause: Some("panic"),
            error: Some("<b>".into()),
            beaten: seconds(8),
            well_until: Duration::MAX,
        };
        let check = |report: &ActorReport, key: &str, expected: serde_json::Value| {
            let document =
                ActorsDocument::new(std::slice::from_ref(report), &Supervision::default(), seconds(10));
            let document = serde_json::to_value(&document).unwrap();
            assert_eq!(document["actors"][0][key], expected, "{key}");
        };
        for (key, expected) in [
            ("name", "source.cpu".into()),
            ("group", "sources".into()),
            ("state", "backing_off".into()),
            ("generation", 4.into()),
            ("restarts", 3.into()),
            ("left_behind", 2.into()),
            ("cause", "panic".into()),
            ("error", "<b>".into()),
            ("silent_ms", 2_000.into()),
            ("rests_ms", 3_600_000.into()),
            ("starts_in_ms", 3_000.into()),
        ] {
            check(&report, key, expected);
        }
        let document = ActorsDocument::new(&[], &Supervision::default(), seconds(10));
        let document = serde_json::to_value(&document).unwrap();
        assert_eq!(document["left_behind_max"], 8);
        let core = document["groups"][5].clone();
        let expected = serde_json::json!({ "name": "core", "parent": "root", "strategy": "one_for_all",
            "restarts": 3, "period_ms": 10_000 });
        assert_eq!(core, expected);
        check(&ActorReport { beaten: seconds(11), ..report.clone() }, "silent_ms", 0.into());
        for (well_until, rests_ms) in [(9, 0), (11, 1_000), (3_609, 3_599_000), (3_610, 3_600_000)] {
            let report = ActorReport { well_until: seconds(well_until), ..report.clone() };
            check(&report, "rests_ms", rests_ms.into());
        }
        let report_of_more = ActorReport { left_behind: 3, ..report.clone() };
        assert!(!same_actors(std::slice::from_ref(&report), &[report_of_more]));
        let degraded = ActorReport { state: ActorState::Degraded(seconds(9)), ..report.clone() };
        check(&degraded, "starts_in_ms", 0.into());
        let running = ActorReport { state: ActorState::Running, ..report.clone() };
        check(&running, "starts_in_ms", serde_json::Value::Null);

        let beaten = ActorReport { beaten: seconds(10), well_until: seconds(20), ..report.clone() };
        assert!(same_actors(std::slice::from_ref(&report), &[beaten]), "only time has passed");
        assert!(!same_actors(std::slice::from_ref(&report), &[running]));
        assert!(!same_actors(std::slice::from_ref(&report), &[]));
    }

    #[test]
    fn event_json() {
        let data = vec![
            ("value".into(), Value::Number(80.5)),
            ("hot".into(), Value::Bool(true)),
            ("at".into(), Value::from("top")),
        ];
        let event = Event { tick: Tick(7), kind: EventKind::TriggerActivated, id: "alarm".into(), data };
        let json = serde_json::to_string(&EventDocument::new(&event)).unwrap();
        assert_eq!(
            json,
            r#"{"tick":7,"type":"trigger_activated","coordination_id":"alarm","data":{"value":80.5,"hot":true,"at":"top"}}"#
        );
    }
}
