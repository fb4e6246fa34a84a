//! Telemetry: what the actors count and time, as handles that are made once and then kept and cloned (a
//! handle costs about 5 ns an event where looking it up costs 100). All names are in [`table`].
//!
//! Without an installed recorder, as in simulations, every handle does nothing.
//!
//! ```
//! use actors::telemetry::Telemetry;
//! let telemetry = Telemetry::new(&["system".into()], &["png".into()], &["cpu".into()]);
//! telemetry.clock.ticks.increment(1);
//! telemetry.value(0).set(Some(42.0));
//! ```

pub mod called;
pub mod cost;
pub mod exporter;
mod http;
pub mod number;
pub mod process;
mod scripts;
pub mod table;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use called::LastCalls;
use cost::Costliest;
use engine::event::EventKind;
use engine::paint::Lookups;
use engine::ring::intake::Rejection;
use engine::sample::{SourceId, SourceState};
use number::{Counter, Gauge, Histogram};

use crate::handle::Picture;

pub use http::Http;
pub use scripts::Scripts;

/// The most named values that are exported; those after them are not.
pub const EXPORTED_VALUES: usize = 1_000;

/// All handles of one run. Cloning is cheap; an actor keeps the group that it needs.
#[derive(Clone)]
pub struct Telemetry {
    /// The clock's.
    pub clock: Clock,
    /// The ring's.
    pub ring: Ring,
    /// The expression actor's.
    pub formulas: Formulas,
    /// Those of scripts that change.
    pub scripts: Scripts,
    /// Those of its windows over time.
    pub windows: Windows,
    /// The coordination actor's.
    pub events: Events,
    /// The renderer's.
    pub painting: Painting,
    /// The writer's.
    pub persistence: Persistence,
    /// What is asked of the database.
    pub database: Database,
    sources: Arc<[Source]>,
    outputs: Arc<[Output]>,
    values: Arc<[Named]>,
    unknown: Arc<(Source, Output, Named)>,
}

impl Telemetry {
    /// The handles for these sources, outputs and named values, by index, all described to the installed
    /// recorder.
    pub fn new(sources: &[String], outputs: &[String], values: &[String]) -> Telemetry {
        table::TABLE.iter().for_each(|metric| metric.describe());
        // Without a recorder nothing waits for one.
        table::RECORDER_QUEUE.gauge(&[]).set(0.0);
        table::BUILD.gauge(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        let exported = &values[..values.len().min(EXPORTED_VALUES)];
        Telemetry {
            clock: Clock::new(),
            ring: Ring::new(),
            formulas: Formulas::new(),
            scripts: Scripts::new(),
            windows: Windows::new(),
            events: Events::new(),
            painting: Painting::new(),
            persistence: Persistence::new(),
            database: Database::new(),
            sources: sources.iter().map(|name| Source::new(name)).collect(),
            outputs: outputs.iter().map(|name| Output::new(name)).collect(),
            values: exported.iter().map(|name| Named::new(name)).collect(),
            unknown: Arc::new((Source::mute(), Output::mute(), Named::mute())),
        }
    }

    /// The handles of a source; mute ones where there is no such source.
    pub fn source(&self, id: SourceId) -> &Source {
        self.sources.get(usize::from(id.0)).unwrap_or(&self.unknown.0)
    }

    /// The handles of the output at `index`; mute ones where there is no such output.
    pub fn output(&self, index: usize) -> &Output {
        self.outputs.get(index).unwrap_or(&self.unknown.1)
    }

    /// The handles of the named value at `index`; mute ones where there is none or it is not exported.
    pub fn value(&self, index: usize) -> &Named {
        self.values.get(index).unwrap_or(&self.unknown.2)
    }
}

/// The clock's handles.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is explained in the table, under its name")]
pub struct Clock {
    pub ticks: Counter,
    pub late_ticks: Counter,
    pub skipped_frames: Counter,
    pub rebases: Counter,
    pub duration: Histogram,
    pub lateness: Histogram,
}

impl Clock {
    fn new() -> Clock {
        Clock {
            ticks: table::TICKS.counter(&[]),
            late_ticks: table::LATE_TICKS.counter(&[]),
            skipped_frames: table::SKIPPED_FRAMES.counter(&[]),
            rebases: table::CLOCK_REBASES.counter(&[]),
            duration: table::TICK_DURATION.histogram(&[]),
            lateness: table::TICK_LATENESS.histogram(&[]),
        }
    }
}

/// The ring's handles.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is explained in the table, under its name")]
pub struct Ring {
    pub ingest: Histogram,
    pub seal: Histogram,
    pub memory: Gauge,
    pub samples: Gauge,
    pub bytes: Gauge,
    pub keys: Gauge,
}

impl Ring {
    fn new() -> Ring {
        Ring {
            ingest: table::INGEST_TO_RING.histogram(&[]),
            seal: table::SEAL_DURATION.histogram(&[]),
            memory: table::MEMORY.gauge(&["ring"]),
            samples: table::RING_SAMPLES.gauge(&[]),
            bytes: table::RING_BYTES.gauge(&[]),
            keys: table::RING_KEYS.gauge(&[]),
        }
    }
}

/// The handles of one source.
#[derive(Clone)]
pub struct Source {
    /// Samples that reached the ring.
    pub samples: Counter,
    /// Readings that its port dropped.
    pub dropped: Counter,
    /// How often it was started anew.
    pub restarts: Counter,
    /// Its samples that made room for newer ones.
    pub overwritten: Counter,
    /// Readings that wait in its port.
    pub queue: Gauge,
    rejected: [Counter; Rejection::ALL.len()],
    states: [Gauge; SourceState::ALL.len()],
}

impl Source {
    fn new(name: &str) -> Source {
        let source = Source {
            samples: table::SAMPLES.counter(&[name]),
            dropped: table::DROPPED.counter(&[name]),
            restarts: table::SOURCE_RESTARTS.counter(&[name]),
            overwritten: table::OVERWRITTEN.counter(&[name]),
            queue: table::PORT_QUEUE.gauge(&[name]),
            rejected: Rejection::ALL.map(|reason| table::REJECTED.counter(&[name, reason.name()])),
            states: SourceState::ALL.map(|state| table::SOURCE_STATE.gauge(&[name, state.name()])),
        };
        source.set_state(SourceState::default());
        source
    }

    fn mute() -> Source {
        Source {
            samples: Counter::noop(),
            dropped: Counter::noop(),
            restarts: Counter::noop(),
            overwritten: Counter::noop(),
            queue: Gauge::noop(),
            rejected: Rejection::ALL.map(|_| Counter::noop()),
            states: SourceState::ALL.map(|_| Gauge::noop()),
        }
    }

    /// Sets how many values were refused so far, by reason in the order of [`Rejection::ALL`].
    pub fn set_rejected(&self, totals: &[u64; Rejection::ALL.len()]) {
        for (counter, total) in self.rejected.iter().zip(totals) {
            counter.absolute(*total);
        }
    }

    /// Shows the state that the source is in now.
    pub fn set_state(&self, now: SourceState) {
        for (state, gauge) in SourceState::ALL.iter().zip(&self.states) {
            gauge.set(f64::from(u8::from(*state == now)));
        }
    }
}

/// The expression actor's handles. Failures of named values are counted in [`Named`].
#[derive(Clone)]
#[allow(missing_docs, reason = "each is explained in the table, under its name")]
pub struct Formulas {
    pub duration: Histogram,
    pub changed: Counter,
    pub bindings: Counter,
    pub disabled: Gauge,
    /// Time that compiling to bytecode took.
    pub compile: Gauge,
    /// Time that compiling to native code has taken.
    pub compile_native: Gauge,
    /// What Lua holds.
    pub memory: Gauge,
    /// Lookups of texts.
    pub texts: Cache,
    /// Which formulas cost most.
    pub costliest: Costliest,
    /// What scripts' functions came to.
    pub called: LastCalls,
    /// Failures of formulas without a name: conditions, bindings, templates.
    pub errors: Counter,
}

impl Formulas {
    fn new() -> Formulas {
        Formulas {
            duration: table::FORMULA_DURATION.histogram(&[]),
            changed: table::FORMULAS_CHANGED.counter(&[]),
            bindings: table::BINDING_UPDATES.counter(&[]),
            disabled: table::FORMULAS_DISABLED.gauge(&[]),
            compile: table::FORMULA_COMPILE.gauge(&["bytecode"]),
            memory: table::MEMORY.gauge(&["lua"]),
            texts: Cache::new("texts"),
            costliest: Costliest::default(),
            called: LastCalls::default(),
            compile_native: table::FORMULA_COMPILE.gauge(&["native"]),
            // No value can have this name, so it cannot be mistaken for one.
            errors: table::FORMULA_ERRORS.counter(&["(unnamed)"]),
        }
    }
}

/// The handles of windows over time.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is explained in the table, under its name")]
pub struct Windows {
    pub updates: Counter,
    pub samples: Gauge,
    pub dropped: Counter,
    pub memory: Gauge,
}

impl Windows {
    fn new() -> Windows {
        Windows {
            updates: table::WINDOW_UPDATES.counter(&[]),
            samples: table::WINDOW_SAMPLES.gauge(&[]),
            dropped: table::WINDOW_DROPPED.counter(&[]),
            memory: table::MEMORY.gauge(&["windows"]),
        }
    }
}

/// The handles of one named value.
#[derive(Clone)]
pub struct Named {
    name: Option<Arc<str>>,
    /// Its evaluations that failed.
    pub errors: Counter,
    gauge: OnceLock<Gauge>,
}

impl Named {
    fn new(name: &str) -> Named {
        let errors = table::FORMULA_ERRORS.counter(&[name]);
        Named { name: Some(name.into()), errors, gauge: OnceLock::new() }
    }

    fn mute() -> Named {
        Named { name: None, errors: Counter::noop(), gauge: OnceLock::new() }
    }

    /// Shows its number. The series begins with the first one, so that texts and values that never came
    /// are not shown as 0.
    pub fn set(&self, number: Option<f64>) {
        match (number, self.gauge.get(), &self.name) {
            (Some(number), Some(gauge), _) => gauge.set(number),
            (Some(number), None, Some(name)) => {
                self.gauge.get_or_init(|| table::VALUE.gauge(&[name])).set(number);
            }
            (None, Some(gauge), _) => gauge.set(f64::NAN),
            (_, None, _) => {}
        }
    }
}

/// The coordination actor's handles: the counters of events by type, and the time that a tick takes.
#[derive(Clone)]
pub struct Events {
    /// Time that one tick's triggers, animations and events took.
    pub duration: Histogram,
    /// Time from a tick's seal until its triggers had been pulled.
    pub from_ring: Histogram,
    counters: [Counter; EventKind::ALL.len()],
}

impl Events {
    fn new() -> Events {
        let counters = EventKind::ALL.map(|kind| table::EVENTS.counter(&[kind.name()]));
        let from_ring = table::RING_TO_TRIGGER.histogram(&[]);
        Events { duration: table::TRIGGER_DURATION.histogram(&[]), from_ring, counters }
    }

    /// Counts one event.
    pub fn count(&self, kind: EventKind) {
        if let Some(index) = EventKind::ALL.iter().position(|known| *known == kind) {
            self.counters[index].increment(1);
        }
    }
}

/// The renderer's handles.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is explained in the table, under its name")]
pub struct Painting {
    pub duration: Histogram,
    pub step: Histogram,
    pub from_tick: Histogram,
    pub from_sample: Histogram,
    pub damage_pixels: Counter,
    pub disabled: Gauge,
    pub glyphs: Cache,
    pub glyph_bytes: Gauge,
}

impl Painting {
    fn new() -> Painting {
        Painting {
            duration: table::PAINT_DURATION.histogram(&[]),
            step: table::SCENE_DURATION.histogram(&[]),
            from_tick: table::TICK_TO_FRAME.histogram(&[]),
            from_sample: table::SAMPLE_TO_FRAME.histogram(&[]),
            damage_pixels: table::DAMAGE_PIXELS.counter(&[]),
            disabled: table::WIDGETS_DISABLED.gauge(&[]),
            glyphs: Cache::new("glyphs"),
            glyph_bytes: table::MEMORY.gauge(&["glyphs"]),
        }
    }
}

/// The handles of one output.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is explained in the table, under its name")]
pub struct Output {
    pub frames: Counter,
    pub skipped: Counter,
    pub bytes: Counter,
    pub pixels: Counter,
    /// Time from when it could take a picture until it had shown it.
    pub from_frame: Histogram,
    /// Time from the arrival of a picture's oldest new reading until it had shown the picture.
    pub from_sample: Histogram,
}

impl Output {
    /// The handles of the output called `name`.
    pub fn new(name: &str) -> Output {
        Output {
            frames: table::OUTPUT_FRAMES.counter(&[name]),
            skipped: table::OUTPUT_SKIPPED.counter(&[name]),
            bytes: table::OUTPUT_BYTES.counter(&[name]),
            pixels: table::OUTPUT_PIXELS.counter(&[name]),
            from_frame: table::FRAME_TO_OUTPUT.histogram(&[name]),
            from_sample: table::SAMPLE_TO_OUTPUT.histogram(&[name]),
        }
    }

    /// Counts a picture that was shown `now`, in world time.
    pub fn shown(&self, picture: &Picture, now: Duration) {
        self.frames.increment(1);
        self.from_frame.record(now.saturating_sub(picture.painted));
        if let Some(arrived) = picture.arrived {
            self.from_sample.record(now.saturating_sub(arrived));
        }
    }

    fn mute() -> Output {
        Output {
            frames: Counter::noop(),
            skipped: Counter::noop(),
            bytes: Counter::noop(),
            pixels: Counter::noop(),
            from_frame: Histogram::noop(),
            from_sample: Histogram::noop(),
        }
    }
}

/// The writer's handles.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is explained in the table, under its name")]
pub struct Persistence {
    pub samples: Counter,
    pub values: Counter,
    pub events: Counter,
    pub flushes: Counter,
    pub dropped: Counter,
    pub queue: Gauge,
    pub mailbox: Gauge,
    pub connections: Gauge,
    pub memory: Gauge,
    pub write: Histogram,
    pub flush: Histogram,
    pub degraded: Gauge,
    pub database_bytes: Gauge,
}

impl Persistence {
    fn new() -> Persistence {
        Persistence {
            samples: table::PERSISTENCE_ROWS.counter(&["samples"]),
            values: table::PERSISTENCE_ROWS.counter(&["values"]),
            events: table::PERSISTENCE_ROWS.counter(&["events"]),
            flushes: table::PERSISTENCE_FLUSHES.counter(&[]),
            dropped: table::PERSISTENCE_DROPPED.counter(&[]),
            queue: table::PERSISTENCE_QUEUE.gauge(&[]),
            mailbox: table::PERSISTENCE_MAILBOX.gauge(&[]),
            connections: table::DATABASE_CONNECTIONS.gauge(&["write"]),
            memory: table::MEMORY.gauge(&["sqlite"]),
            write: table::PERSISTENCE_WRITE.histogram(&[]),
            flush: table::PERSISTENCE_FLUSH.histogram(&[]),
            degraded: table::PERSISTENCE_DEGRADED.gauge(&[]),
            database_bytes: table::DATABASE_BYTES.gauge(&[]),
        }
    }
}

/// The handles of what is asked of the database, and of who is connected to it.
#[derive(Clone)]
#[allow(missing_docs, reason = "each is explained in the table, under its name")]
pub struct Database {
    pub reads: Counter,
    pub read: Histogram,
    pub readers: Gauge,
}

impl Database {
    fn new() -> Database {
        Database {
            reads: table::DATABASE_READS.counter(&[]),
            read: table::DATABASE_READ.histogram(&[]),
            readers: table::DATABASE_CONNECTIONS.gauge(&["read"]),
        }
    }

    /// Counts a question that took so long to answer.
    pub fn answered(&self, took: Duration) {
        self.reads.increment(1);
        self.read.record(took);
    }
}

/// The handles of a cache.
#[derive(Clone)]
pub struct Cache {
    hits: Counter,
    misses: Counter,
    last: Arc<Mutex<Lookups>>,
}

impl Cache {
    fn new(name: &str) -> Cache {
        let (hits, misses) = (table::CACHE_HITS.counter(&[name]), table::CACHE_MISSES.counter(&[name]));
        Cache { hits, misses, last: Arc::default() }
    }

    /// Shows how often it was asked so far. Where that is less than the last time, it is a new one.
    pub fn set(&self, lookups: Lookups) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let more = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
        self.hits.increment(more(lookups.hits, last.hits));
        self.misses.increment(more(lookups.misses, last.misses));
        *last = lookups;
    }
}

/// What ends an actor that is started anew, as the label `cause` has it.
pub const RESTART_CAUSES: [&str; 4] = ["normal", "error", "panic", "hang"];

/// The states of an actor, as the label `state` has them.
pub const ACTOR_STATES: [&str; 7] =
    ["starting", "running", "backing_off", "stopping", "stopped", "failed", "degraded"];

/// The supervisor's handles.
#[derive(Clone)]
pub struct Supervision {
    /// Threads that were left behind and still hang.
    pub abandoned: Gauge,
    actors: Arc<[Actor]>,
}

impl Supervision {
    /// The handles for these actors, by index. Each begins as `starting`.
    pub fn new(actors: &[String]) -> Supervision {
        Supervision {
            abandoned: table::ABANDONED_THREADS.gauge(&[]),
            actors: actors.iter().map(|name| Actor::new(name)).collect(),
        }
    }

    /// Counts a restart of the actor at `index` by one of [`RESTART_CAUSES`].
    pub fn restarted(&self, index: usize, cause: &str) {
        let Some(actor) = self.actors.get(index) else { return };
        let counters = RESTART_CAUSES.iter().zip(&actor.restarts);
        counters.filter(|(known, _)| **known == cause).for_each(|(_, counter)| counter.increment(1));
    }

    /// Shows the one of [`ACTOR_STATES`] that the actor at `index` is in now.
    pub fn set_state(&self, index: usize, now: &str) {
        let Some(actor) = self.actors.get(index) else { return };
        for (state, gauge) in ACTOR_STATES.iter().zip(&actor.states) {
            gauge.set(f64::from(u8::from(*state == now)));
        }
    }
}

/// The handles of one actor.
#[derive(Clone)]
struct Actor {
    restarts: [Counter; RESTART_CAUSES.len()],
    states: [Gauge; ACTOR_STATES.len()],
}

impl Actor {
    fn new(name: &str) -> Actor {
        let states = ACTOR_STATES.map(|state| table::ACTOR_STATE.gauge(&[name, state]));
        states[0].set(1.0);
        Actor { restarts: RESTART_CAUSES.map(|cause| table::ACTOR_RESTARTS.counter(&[name, cause])), states }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_that_begins_anew_goes_on_counting() {
        let cache = Cache::new("glyphs");
        let set = |hits, misses| {
            cache.set(Lookups { hits, misses });
            (cache.hits.total(), cache.misses.total())
        };
        assert_eq!(
            [set(5, 2), set(5, 2), set(9, 2), set(3, 1), set(4, 1)],
            [(5, 2), (5, 2), (9, 2), (12, 3), (13, 3)]
        );
    }

    #[test]
    fn mute_without_recorder_and_out_of_range() {
        let telemetry = Telemetry::new(&[], &[], &[]);
        telemetry.source(SourceId(3)).set_rejected(&[1; Rejection::ALL.len()]);
        telemetry.source(SourceId(3)).set_state(SourceState::Live);
        telemetry.output(9).frames.increment(1);
        telemetry.value(9).set(Some(1.0));
        telemetry.events.count(EventKind::PageShown);
        assert!(telemetry.value(9).gauge.get().is_none());
    }
}
