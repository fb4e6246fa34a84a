//! Where a tick's time goes, how long things take and what waits: the numbers of the studio's page about
//! performance, over the last seconds. They are those that `/metrics` exports, read where they are counted.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use actors::panel::Panel;
use actors::persistence::LEDGERS_MAX;
use actors::recording::RECORDER_MAILBOX;
use actors::source::port::PORT_READINGS;
use actors::telemetry::number::{Distribution, Gauge, Histogram};
use actors::telemetry::{self, Telemetry};
use engine::formula::FormulaId;
use engine::sample::SourceId;
use engine::tick::Tick;
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior};

use super::App;

/// The time between two looks at the numbers; each makes a point of the history.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Over how many looks times and rates are taken.
const WINDOW_LOOKS: usize = 10;

/// How many points the history has: a minute.
const HISTORY_POINTS: usize = 60;

/// The output that the server itself is.
const WEB: &str = "web";

/// A time that is measured, by its name in the document.
type Timed = (&'static str, fn(&Telemetry) -> &Histogram);

/// The parts of a tick in their order. What is left of it goes by between them.
const STAGES: [Timed; 5] = [
    ("seal", |telemetry| &telemetry.ring.seal),
    ("formulas", |telemetry| &telemetry.formulas.duration),
    ("triggers", |telemetry| &telemetry.events.duration),
    ("page", |telemetry| &telemetry.painting.step),
    ("painting", |telemetry| &telemetry.painting.duration),
];

/// How long things take that are worth a row.
const LATENCIES: [Timed; 4] = [
    ("ingest_to_ring", |telemetry| &telemetry.ring.ingest),
    ("ring_to_trigger", |telemetry| &telemetry.events.from_ring),
    ("tick_to_frame", |telemetry| &telemetry.painting.from_tick),
    ("sample_to_frame", |telemetry| &telemetry.painting.from_sample),
];

/// Takes the numbers once a second until the server ends.
pub(super) async fn observe(app: Arc<App>) {
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut meter = Meter::new(&app.handle.panel, app.handle.recording.clone());
    loop {
        interval.tick().await;
        let resident_bytes = {
            let mut process = app.process.lock().unwrap_or_else(PoisonError::into_inner);
            process.measure();
            process.resident_bytes()
        };
        let look = Look::at(Instant::now(), &app.handle.telemetry, &app.handle.panel, &app.telemetry);
        let document = meter.take(look, &app.handle.telemetry, resident_bytes);
        app.performance.send_replace(document.map(Arc::new));
    }
}

/// How the panel performs, as `/api/v1/performance` and the WebSocket tell it. Times are in microseconds,
/// read with the resolution of [`Histogram`]; where nothing was timed there are none.
#[derive(Serialize)]
pub(super) struct Document {
    /// The time over which everything was taken, but for the history and what is as it is now.
    window_ms: u64,
    /// What a tick may take.
    budget_us: f64,
    ticks: Ticks,
    history: History,
    latencies: Vec<Latency>,
    queues: Vec<Waiting>,
    drawing: Drawing,
    /// `None` where no state is kept.
    database: Option<Database>,
    memory: Memory,
    /// The costliest formulas, the first of them first.
    formulas: Vec<Cost>,
}

#[derive(Serialize)]
struct Ticks {
    per_second: f64,
    /// Ticks that began more than half a tick late, since the start.
    late: u64,
    /// Ticks that were not painted, since the start.
    skipped: u64,
    duration: Option<Spread>,
    lateness: Option<Spread>,
    /// The parts of an average tick, in their order.
    stages: Vec<Stage>,
}

#[derive(Serialize)]
struct Stage {
    name: &'static str,
    mean_us: f64,
}

/// The time that ticks took, the oldest point first; null where none was made.
#[derive(Serialize)]
struct History {
    every_ms: u64,
    points: usize,
    p50_us: Vec<Option<f64>>,
    p99_us: Vec<Option<f64>>,
}

#[derive(Serialize)]
struct Latency {
    name: &'static str,
    /// To which output, where there may be several.
    output: Option<String>,
    time: Option<Spread>,
}

/// How long something took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Spread {
    count: u64,
    mean_us: f64,
    p50_us: f64,
    p99_us: f64,
    longest_us: f64,
}

/// Something that waits for somebody.
#[derive(Serialize)]
struct Waiting {
    /// What waits: `port` (readings for the ring), `writer` or `recorder` (ticks for either).
    kind: &'static str,
    /// Whose it is, where there are several.
    name: Option<String>,
    waiting: f64,
    capacity: usize,
    /// What found no room, since the start.
    dropped: u64,
}

#[derive(Serialize)]
struct Drawing {
    frames_per_second: f64,
    /// The pixels that a frame repaints on average, as a share of the panel.
    damage_share: f64,
    outputs: Vec<Output>,
}

#[derive(Serialize)]
struct Output {
    name: String,
    frames_per_second: f64,
    bytes_per_second: f64,
    /// Frames that a newer one replaced, since the start.
    skipped: u64,
}

#[derive(Serialize)]
struct Database {
    flush: Option<Spread>,
    rows_per_second: f64,
    bytes: f64,
    /// Whether it cannot be written now.
    degraded: bool,
}

#[derive(Serialize)]
struct Memory {
    resident_bytes: f64,
    parts: [Part; 5],
}

/// What a part of the program holds; of the database's cache the most that it may.
#[derive(Serialize)]
struct Part {
    name: &'static str,
    bytes: f64,
}

/// A formula and what evaluating it costs.
#[derive(Serialize)]
struct Cost {
    /// Its name, if it has one.
    name: Option<String>,
    text: String,
    mean_us: f64,
}

impl Spread {
    fn of(times: &Distribution) -> Option<Spread> {
        let count = times.count();
        (count > 0).then(|| Spread {
            count,
            mean_us: short(micros(times.sum()) / count as f64),
            p50_us: micros(times.quantile(0.5)),
            p99_us: micros(times.quantile(0.99)),
            longest_us: micros(times.quantile(1.0)),
        })
    }
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// A number with no more digits than anybody reads.
fn short(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// What all numbers were at a moment.
struct Look {
    at: Instant,
    duration: Distribution,
    lateness: Distribution,
    stages: [Distribution; STAGES.len()],
    latencies: Vec<(&'static str, Option<String>, Distribution)>,
    damage_pixels: u64,
    flush: Distribution,
    rows: u64,
    outputs: Vec<Shown>,
}

/// What an output has done so far.
struct Shown {
    name: String,
    frames: u64,
    bytes: u64,
    skipped: u64,
}

impl Look {
    fn at(at: Instant, telemetry: &Telemetry, panel: &Panel, web: &telemetry::Http) -> Look {
        // The web's is not among them: the server counts it.
        let outputs = panel.outputs.iter().enumerate().filter(|(_, output)| output.name() != WEB);
        let outputs = outputs.map(|(index, output)| (output.name(), telemetry.output(index)));
        let outputs: Vec<_> = outputs.chain([(WEB, &web.output)]).collect();
        let latencies = LATENCIES.iter().map(|(name, time)| (*name, None, time(telemetry).distribution()));
        let shown = |(name, output): &(&str, &telemetry::Output)| {
            let output_name = Some(name.to_string());
            let times = [("frame_to_output", &output.from_frame), ("sample_to_output", &output.from_sample)];
            times.map(|(name, time)| (name, output_name.clone(), time.distribution()))
        };
        let rows =
            [&telemetry.persistence.samples, &telemetry.persistence.values, &telemetry.persistence.events];
        Look {
            at,
            duration: telemetry.clock.duration.distribution(),
            lateness: telemetry.clock.lateness.distribution(),
            stages: STAGES.map(|(_, time)| time(telemetry).distribution()),
            latencies: latencies.chain(outputs.iter().flat_map(shown)).collect(),
            damage_pixels: telemetry.painting.damage_pixels.total(),
            flush: telemetry.persistence.flush.distribution(),
            rows: rows.iter().map(|rows| rows.total()).sum(),
            outputs: outputs.iter().map(|(name, output)| Shown::new(name, output)).collect(),
        }
    }
}

impl Shown {
    fn new(name: &str, output: &telemetry::Output) -> Shown {
        let (frames, bytes, skipped) = (output.frames.total(), output.bytes.total(), output.skipped.total());
        Shown { name: name.into(), frames, bytes, skipped }
    }
}

/// Keeps the looks of a window and the points of the history.
struct Meter {
    budget: Duration,
    pixels: u64,
    has_database: bool,
    panel: Arc<Panel>,
    recording: Option<Gauge>,
    looks: VecDeque<Look>,
    /// The 50th and 99th percentile of each second's ticks.
    history: VecDeque<Option<(f64, f64)>>,
}

impl Meter {
    fn new(panel: &Arc<Panel>, recording: Option<Gauge>) -> Meter {
        Meter {
            budget: Duration::from_nanos(panel.fps.nanos_at(Tick(1))),
            pixels: u64::from(panel.scene.size.width) * u64::from(panel.scene.size.height),
            has_database: panel.persistence.is_some(),
            panel: panel.clone(),
            recording,
            looks: VecDeque::with_capacity(WINDOW_LOOKS + 1),
            history: VecDeque::with_capacity(HISTORY_POINTS),
        }
    }

    /// Takes a look; `None` for the first one, which nothing can be compared with.
    fn take(&mut self, look: Look, telemetry: &Telemetry, resident_bytes: f64) -> Option<Document> {
        if let Some(last) = self.looks.back() {
            let point = Spread::of(&look.duration.since(&last.duration));
            self.history.push_back(point.map(|point| (point.p50_us, point.p99_us)));
        }
        if self.history.len() > HISTORY_POINTS {
            self.history.pop_front();
        }
        if self.looks.len() > WINDOW_LOOKS {
            self.looks.pop_front();
        }
        self.looks.push_back(look);
        let (first, last) = (self.looks.front()?, self.looks.back()?);
        if self.looks.len() < 2 {
            return None;
        }
        Some(self.document(first, last, telemetry, resident_bytes))
    }

    fn document(&self, first: &Look, last: &Look, telemetry: &Telemetry, resident_bytes: f64) -> Document {
        let elapsed = last.at.saturating_duration_since(first.at);
        let rate =
            |now: u64, then: u64| short(now.saturating_sub(then) as f64 / elapsed.as_secs_f64().max(1e-3));
        let spread = |now: &Distribution, then: &Distribution| Spread::of(&now.since(then));
        let latencies = last.latencies.iter().zip(&first.latencies);
        let persistence = &telemetry.persistence;
        Document {
            window_ms: elapsed.as_millis() as u64,
            budget_us: micros(self.budget),
            ticks: ticks(first, last, telemetry, rate(last.duration.since(&first.duration).count(), 0)),
            history: self.history(),
            latencies: latencies
                .map(|((name, output, now), (.., then))| Latency {
                    name,
                    output: output.clone(),
                    time: spread(now, then),
                })
                .collect(),
            queues: self.queues(telemetry),
            drawing: self.drawing(first, last, rate),
            database: self.has_database.then(|| Database {
                flush: spread(&last.flush, &first.flush),
                rows_per_second: rate(last.rows, first.rows),
                bytes: persistence.database_bytes.value(),
                degraded: persistence.degraded.value() > 0.0,
            }),
            memory: Memory { resident_bytes, parts: parts(telemetry) },
            formulas: self.costs(telemetry),
        }
    }

    fn history(&self) -> History {
        History {
            every_ms: LOOK_EVERY.as_millis() as u64,
            points: HISTORY_POINTS,
            p50_us: self.history.iter().map(|point| point.map(|(p50, _)| p50)).collect(),
            p99_us: self.history.iter().map(|point| point.map(|(_, p99)| p99)).collect(),
        }
    }

    fn queues(&self, telemetry: &Telemetry) -> Vec<Waiting> {
        let persistence = &telemetry.persistence;
        let writer = self.has_database.then(|| Waiting {
            kind: "writer",
            name: None,
            waiting: persistence.mailbox.value(),
            capacity: LEDGERS_MAX,
            dropped: persistence.dropped.total(),
        });
        let ports = (0..).map(SourceId).zip(&self.panel.sources).map(|(id, source)| Waiting {
            kind: "port",
            name: Some(source.name.clone()),
            waiting: telemetry.source(id).queue.value(),
            capacity: PORT_READINGS,
            dropped: telemetry.source(id).dropped.total(),
        });
        let recorder = self.recording.as_ref().map(|waiting| Waiting {
            kind: "recorder",
            name: None,
            waiting: waiting.value(),
            capacity: RECORDER_MAILBOX,
            // It ends rather than leaves anything out.
            dropped: 0,
        });
        ports.chain(writer).chain(recorder).collect()
    }

    fn costs(&self, telemetry: &Telemetry) -> Vec<Cost> {
        let program = &self.panel.program;
        let cost = |(formula, mean): (usize, Duration)| {
            let id = FormulaId(u32::try_from(formula).ok()?);
            let name = program.name(id).map(str::to_string);
            Some(Cost { name, text: program.text(id).into(), mean_us: micros(mean) })
        };
        telemetry.formulas.costliest.read().into_iter().filter_map(cost).collect()
    }

    fn drawing(&self, first: &Look, last: &Look, rate: impl Fn(u64, u64) -> f64) -> Drawing {
        let frames = STAGES.iter().position(|(name, _)| *name == "painting");
        let frames = frames.map_or(0, |at| last.stages[at].since(&first.stages[at]).count());
        let damage = last.damage_pixels.saturating_sub(first.damage_pixels);
        let outputs = last.outputs.iter().zip(&first.outputs).map(|(now, then)| Output {
            name: now.name.clone(),
            frames_per_second: rate(now.frames, then.frames),
            bytes_per_second: rate(now.bytes, then.bytes),
            skipped: now.skipped,
        });
        Drawing {
            frames_per_second: rate(frames, 0),
            damage_share: short(damage as f64 / (frames * self.pixels).max(1) as f64),
            outputs: outputs.collect(),
        }
    }
}

fn parts(telemetry: &Telemetry) -> [Part; 5] {
    [
        ("ring", &telemetry.ring.memory),
        ("windows", &telemetry.windows.memory),
        ("glyphs", &telemetry.painting.glyph_bytes),
        ("lua", &telemetry.formulas.memory),
        ("sqlite", &telemetry.persistence.memory),
    ]
    .map(|(name, bytes)| Part { name, bytes: bytes.value() })
}

fn ticks(first: &Look, last: &Look, telemetry: &Telemetry, per_second: f64) -> Ticks {
    let duration = last.duration.since(&first.duration);
    let per_tick = |time: Duration| micros(time) / duration.count().max(1) as f64;
    let stages = STAGES.iter().zip(last.stages.iter().zip(&first.stages));
    let mut stages: Vec<_> = stages
        .map(|((name, _), (now, then))| Stage { name, mean_us: short(per_tick(now.since(then).sum())) })
        .collect();
    let timed: f64 = stages.iter().map(|stage| stage.mean_us).sum();
    // Ticks and their parts are read one after the other, so a part may be one tick ahead.
    let between = (per_tick(duration.sum()) - timed).max(0.0);
    stages.push(Stage { name: "between", mean_us: short(between) });
    Ticks {
        per_second,
        late: telemetry.clock.late_ticks.total(),
        skipped: telemetry.clock.skipped_frames.total(),
        duration: Spread::of(&duration),
        lateness: Spread::of(&last.lateness.since(&first.lateness)),
        stages,
    }
}

#[cfg(test)]
mod tests {
    use actors::panel::Persistence;
    use actors::source::{Kind, Policy, Source, time};
    use actors::telemetry::cost::Costs;
    use engine::formula::{Entry, Environment, compile};
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::http::fixture::panel;

    const MS: Duration = Duration::from_millis(1);

    struct Rig {
        panel: Arc<Panel>,
        telemetry: Telemetry,
        web: telemetry::Http,
        meter: Meter,
        now: Instant,
    }

    impl Rig {
        fn new(panel: Panel) -> Rig {
            let panel = Arc::new(panel);
            let telemetry = Telemetry::new(&[], &[], &[]);
            let meter = Meter::new(&panel, Some(Gauge::noop()));
            Rig { panel, telemetry, web: telemetry::Http::new(), meter, now: Instant::now() }
        }

        /// Ticks of so many milliseconds, a quarter of which is painting; then a second later a look.
        fn second(&mut self, ticks: &[u32]) -> Option<Json> {
            for ms in ticks {
                self.telemetry.clock.duration.record(MS * *ms);
                self.telemetry.painting.duration.record(MS * *ms / 4);
                self.telemetry.painting.damage_pixels.increment(160 * 128 / 2);
                self.web.output.bytes.increment(1_000);
            }
            self.now += Duration::from_secs(1);
            let look = Look::at(self.now, &self.telemetry, &self.panel, &self.web);
            let document = self.meter.take(look, &self.telemetry, 5e6);
            document.map(|document| serde_json::to_value(document).unwrap())
        }
    }

    fn near(found: &Json, expected: f64) {
        let found = found.as_f64().unwrap();
        assert!((found - expected).abs() <= expected * 0.07, "{found} for {expected}");
    }

    #[test]
    fn a_tick_is_told_by_its_parts() {
        let mut rig = Rig::new(panel());
        assert!(rig.second(&[1; 60]).is_none(), "one look is nothing to compare with");
        let document = rig.second(&[2; 60]).unwrap();
        near(&document["window_ms"], 1000.0);
        near(&document["budget_us"], 16_667.0);
        let ticks = &document["ticks"];
        near(&ticks["per_second"], 60.0);
        assert_eq!(ticks["duration"]["count"], 60);
        for key in ["mean_us", "p50_us", "p99_us", "longest_us"] {
            near(&ticks["duration"][key], 2_000.0);
        }
        assert_eq!(ticks["lateness"], json!(null), "nothing was timed");
        let names: Vec<_> = ticks["stages"].as_array().unwrap().iter().map(|stage| &stage["name"]).collect();
        assert_eq!(names, ["seal", "formulas", "triggers", "page", "painting", "between"]);
        near(&ticks["stages"][4]["mean_us"], 500.0);
        near(&ticks["stages"][5]["mean_us"], 1_500.0);
        near(&document["drawing"]["frames_per_second"], 60.0);
        near(&document["drawing"]["damage_share"], 0.5);
        assert_eq!(document["drawing"]["outputs"][0]["name"], "web");
        near(&document["drawing"]["outputs"][0]["bytes_per_second"], 60_000.0);
        assert_eq!(
            (&document["database"], &document["queues"][0]["kind"]),
            (&json!(null), &json!("recorder"))
        );
        assert_eq!(document["memory"]["resident_bytes"], 5e6);
    }

    #[test]
    fn the_window_moves_and_the_history_is_a_minute() {
        let mut rig = Rig::new(panel());
        rig.second(&[]);
        rig.second(&[400]);
        let seconds: Vec<_> = (1..HISTORY_POINTS + 5).map(|n| rig.second(&vec![1; n % 3])).collect();
        near(&seconds[0].as_ref().unwrap()["ticks"]["duration"]["longest_us"], 400_000.0);
        near(&seconds[WINDOW_LOOKS - 2].as_ref().unwrap()["ticks"]["duration"]["longest_us"], 400_000.0);
        near(&seconds[WINDOW_LOOKS - 1].as_ref().unwrap()["ticks"]["duration"]["longest_us"], 1_000.0);
        let last = seconds.last().unwrap().as_ref().unwrap();
        near(&last["window_ms"], 10_000.0);
        let history = last["history"]["p99_us"].as_array().unwrap();
        assert_eq!((history.len(), &last["history"]["points"]), (HISTORY_POINTS, &json!(HISTORY_POINTS)));
        assert_eq!(history[HISTORY_POINTS - 2], json!(null), "a second without ticks");
        near(&history[HISTORY_POINTS - 1], 1_000.0);
    }

    #[test]
    fn what_waits_and_what_costs_most() {
        let source = Source {
            name: "clock".into(),
            kind: Kind::Time(time::Options::default()),
            stale_after: None,
            policy: Policy::DropOldest,
            supervision: Default::default(),
        };
        let persistence = Persistence { file: "state.db".into(), flush: MS };
        let entries = [Entry { name: Some("third"), text: "1 / 3" }, Entry { name: None, text: "2 / 3" }];
        let mut rig = Rig::new(Panel {
            sources: vec![source],
            persistence: Some(persistence),
            program: compile(&entries, &Environment::default()).program,
            ..panel()
        });
        rig.telemetry = Telemetry::new(&["clock".into()], &[], &[]);
        rig.second(&[]);
        rig.telemetry.source(SourceId(0)).queue.set(7.0);
        rig.telemetry.source(SourceId(0)).dropped.increment(3);
        rig.telemetry.persistence.mailbox.set(2.0);
        rig.meter.recording.iter().for_each(|waiting| waiting.set(5.0));
        rig.telemetry.persistence.flush.record(MS);
        rig.telemetry.persistence.values.increment(5);
        rig.web.output.from_frame.record(MS * 3);
        let mut costs = Costs::new(["third", "2 / 3"].into_iter(), rig.telemetry.formulas.costliest.clone());
        for micros in [4, 9] {
            let formula = costs.turn().unwrap();
            costs.take(formula, Duration::from_micros(micros));
        }
        costs.turn();
        let document = rig.second(&[1]).unwrap();
        assert_eq!(
            document["queues"],
            json!([
                { "kind": "port", "name": "clock", "waiting": 7.0, "capacity": PORT_READINGS, "dropped": 3 },
                { "kind": "writer", "name": null, "waiting": 2.0, "capacity": LEDGERS_MAX, "dropped": 0 },
                { "kind": "recorder", "name": null, "waiting": 5.0, "capacity": RECORDER_MAILBOX, "dropped": 0 },
            ])
        );
        assert_eq!(
            document["formulas"],
            json!([
                { "name": null, "text": "2 / 3", "mean_us": 9.0 },
                { "name": "third", "text": "1 / 3", "mean_us": 4.0 },
            ])
        );
        near(&document["database"]["flush"]["p50_us"], 1_000.0);
        near(&document["database"]["rows_per_second"], 5.0);
        let shown =
            document["latencies"].as_array().unwrap().iter().find(|row| row["output"] == "web").unwrap();
        assert_eq!(shown["name"], "frame_to_output");
        near(&shown["time"]["p50_us"], 3_000.0);
    }
}
