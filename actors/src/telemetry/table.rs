//! The table of metrics: every name, type, label and meaning that `/metrics` can show. Nothing else in the
//! program spells a metric's name; `docs/metrics.md` is printed from here.

use std::fmt::Write as _;

use metrics::{Key, Label, Level, Metadata, SharedString, Unit};

use crate::telemetry::number::{Counter, Gauge, Histogram};

/// What kind of series a metric is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    /// A count that never goes back while the process lives.
    Counter,
    /// A number as it is now.
    Gauge,
    /// How many observations fell at or below each of these bounds.
    Histogram(&'static [f64]),
}

impl Type {
    /// The word for it in Prometheus' text format.
    pub fn name(self) -> &'static str {
        match self {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram(_) => "histogram",
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Metric {
    /// `tinydisplay_<noun>_<unit|total>`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Type,
    /// The names of its labels, in the order in which their values are given.
    pub labels: &'static [&'static str],
    /// What it tells, in one sentence.
    pub meaning: &'static str,
}

impl Metric {
    /// Tells the installed recorder what this metric means.
    pub fn describe(&self) {
        let name = || metrics::KeyName::from_const_str(self.name);
        let (unit, meaning) = (self.unit(), || SharedString::const_str(self.meaning));
        metrics::with_recorder(|recorder| match self.kind {
            Type::Counter => recorder.describe_counter(name(), unit, meaning()),
            Type::Gauge => recorder.describe_gauge(name(), unit, meaning()),
            Type::Histogram(_) => recorder.describe_histogram(name(), unit, meaning()),
        });
    }

    /// A handle on the series with these values of the labels. Where no recorder is installed, nothing is
    /// exported. Every handle begins to count by itself: what reads a number keeps a clone of the handle
    /// that counts.
    pub fn counter(&self, labels: &[&str]) -> Counter {
        let key = self.key(labels);
        Counter::new(metrics::with_recorder(|recorder| recorder.register_counter(&key, &METADATA)))
    }

    /// As [`Metric::counter`], for a gauge.
    pub fn gauge(&self, labels: &[&str]) -> Gauge {
        let key = self.key(labels);
        Gauge::new(metrics::with_recorder(|recorder| recorder.register_gauge(&key, &METADATA)))
    }

    /// As [`Metric::counter`], for a histogram.
    pub fn histogram(&self, labels: &[&str]) -> Histogram {
        let key = self.key(labels);
        Histogram::new(metrics::with_recorder(|recorder| recorder.register_histogram(&key, &METADATA)))
    }

    fn key(&self, values: &[&str]) -> Key {
        debug_assert_eq!(values.len(), self.labels.len(), "labels of {}", self.name);
        // The exporter takes a backslash for the beginning of an escape, and two for one.
        let label = |(name, value): (&&'static str, &&str)| Label::new(*name, value.replace('\\', "\\\\"));
        let labels: Vec<Label> = self.labels.iter().zip(values).map(label).collect();
        Key::from_parts(self.name, labels)
    }

    fn unit(&self) -> Option<Unit> {
        let name = self.name;
        match name.rsplit('_').next() {
            Some("seconds") => Some(Unit::Seconds),
            Some("bytes") => Some(Unit::Bytes),
            Some("total") => Some(Unit::Count),
            _ => None,
        }
    }
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Bounds in seconds for what should take microseconds and must not take a tick.
const SHORT: &[f64] =
    &[0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1];

/// Bounds in seconds around a tick of 60 a second (16.7 ms).
const TICK: &[f64] =
    &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008_333, 0.016_667, 0.033_333, 0.1, 0.5, 2.5];

/// Bounds in seconds for writing to a disk.
const DISK: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

macro_rules! table {
    ($($row:ident: $kind:expr, $name:literal, [$($label:literal),*], $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub static $row: Metric =
                Metric { name: $name, kind: $kind, labels: &[$($label),*], meaning: $meaning };
        )*

        /// All rows, in the order in which the documentation shows them.
        pub static TABLE: &[&Metric] = &[$(&$row),*];
    };
}

table! {
    TICKS: Type::Counter, "tinydisplay_ticks_total", [], "Ticks that were stepped.";
    LATE_TICKS: Type::Counter, "tinydisplay_late_ticks_total", [],
        "Ticks that began more than half a tick late.";
    SKIPPED_FRAMES: Type::Counter, "tinydisplay_skipped_frames_total", [],
        "Ticks that were stepped and not painted, because the clock was behind.";
    CLOCK_REBASES: Type::Counter, "tinydisplay_clock_rebases_total", [],
        "How often the clock was set anew after it had fallen far behind.";
    TICK_DURATION: Type::Histogram(TICK), "tinydisplay_tick_duration_seconds", [],
        "Time from the beginning of a tick until its frame was done.";
    TICK_LATENESS: Type::Histogram(TICK), "tinydisplay_tick_lateness_seconds", [],
        "How long after its due time a tick began.";

    SEAL_DURATION: Type::Histogram(SHORT), "tinydisplay_seal_seconds", [],
        "Time that a tick took to take in and seal what had come.";
    TRIGGER_DURATION: Type::Histogram(SHORT), "tinydisplay_trigger_seconds", [],
        "Time that one tick's triggers, animations and events took.";
    SCENE_DURATION: Type::Histogram(SHORT), "tinydisplay_scene_seconds", [],
        "Time that one tick's step of the page took, painting left out.";

    RING_TO_TRIGGER: Type::Histogram(SHORT), "tinydisplay_ring_to_trigger_seconds", [],
        "Time from a tick's seal until its triggers had been pulled, in ticks that had samples.";
    TICK_TO_FRAME: Type::Histogram(TICK), "tinydisplay_tick_to_frame_seconds", [],
        "Time from the beginning of a tick until outputs could take its picture, where it had changed.";
    SAMPLE_TO_FRAME: Type::Histogram(TICK), "tinydisplay_sample_to_frame_seconds", [],
        "Time from the arrival of a changed picture's oldest new reading until outputs could take the picture.";
    FRAME_TO_OUTPUT: Type::Histogram(TICK), "tinydisplay_frame_to_output_seconds", ["output"],
        "Time from when an output could take a picture until it had shown it.";
    SAMPLE_TO_OUTPUT: Type::Histogram(TICK), "tinydisplay_sample_to_output_seconds", ["output"],
        "Time from the arrival of a picture's oldest new reading until an output had shown the picture.";

    SAMPLES: Type::Counter, "tinydisplay_samples_total", ["source"], "Samples that reached the ring.";
    REJECTED: Type::Counter, "tinydisplay_rejected_total", ["source", "reason"],
        "Values that were refused on arrival, by cause.";
    DROPPED: Type::Counter, "tinydisplay_dropped_total", ["source"],
        "Readings that were dropped because the source's port was full.";
    SOURCE_STATE: Type::Gauge, "tinydisplay_source_state", ["source", "state"],
        "1 for the state that the source is in, 0 for the others.";
    SOURCE_RESTARTS: Type::Counter, "tinydisplay_source_restarts_total", ["source"],
        "How often the source was started anew.";

    INGEST_TO_RING: Type::Histogram(SHORT), "tinydisplay_ingest_to_ring_seconds", [],
        "Time from a reading's arrival in its port until it was in the ring.";
    PORT_QUEUE: Type::Gauge, "tinydisplay_port_queue_readings", ["source"],
        "Readings that wait in the source's port after the ring has taken what it has room for.";
    OVERWRITTEN: Type::Counter, "tinydisplay_overwritten_total", ["source"],
        "Samples that made room for newer ones in the ring.";
    RING_SAMPLES: Type::Gauge, "tinydisplay_ring_samples", [], "Samples in the ring.";
    RING_BYTES: Type::Gauge, "tinydisplay_ring_bytes", [], "Bytes that the ring's samples take.";
    RING_KEYS: Type::Gauge, "tinydisplay_ring_keys", [], "Keys that the ring knows.";

    FORMULA_DURATION: Type::Histogram(SHORT), "tinydisplay_formula_seconds", [],
        "Time that one tick's evaluation of all formulas took.";
    FORMULA_COMPILE: Type::Gauge, "tinydisplay_formula_compile_seconds", ["stage"],
        "Time that compiling all formulas has taken: to bytecode before the first tick, then to native code.";
    FORMULA_COST: Type::Gauge, "tinydisplay_formula_cost_seconds", ["formula"],
        "Time that one evaluation takes, of the costliest formulas; NaN for one that is no longer among them.";
    FORMULA_ERRORS: Type::Counter, "tinydisplay_formula_errors_total", ["formula"],
        "Evaluations that failed, by named value; formulas without a name are counted together.";
    FORMULAS_CHANGED: Type::Counter, "tinydisplay_formulas_changed_total", [],
        "Formula results that differed from the tick before.";
    BINDING_UPDATES: Type::Counter, "tinydisplay_binding_updates_total", [],
        "New results of the formulas and templates that drive widgets.";
    FORMULAS_DISABLED: Type::Gauge, "tinydisplay_disabled_formulas", [],
        "Formulas that panicked, and scripts that broke limits, which are not evaluated any more.";
    SCRIPT_RELOADS: Type::Counter, "tinydisplay_script_reloads_total", ["outcome"],
        "Changes of scripts' files that were taken up, or refused since something is wrong with them.";
    WINDOW_UPDATES: Type::Counter, "tinydisplay_window_updates_total", [],
        "How often a sample or a pane has entered or left a window over time.";
    WINDOW_SAMPLES: Type::Gauge, "tinydisplay_window_samples", [],
        "Samples that are kept one by one for windows over time.";
    WINDOW_DROPPED: Type::Counter, "tinydisplay_window_dropped_total", [],
        "Samples stamped so far ahead of the clock that windows had no room for them.";
    VALUE: Type::Gauge, "tinydisplay_value", ["key"],
        "A named value that is a number; NaN where it had one and has none now.";

    EVENTS: Type::Counter, "tinydisplay_events_total", ["type"], "Events that were decided, by type.";

    PAINT_DURATION: Type::Histogram(SHORT), "tinydisplay_paint_seconds", [], "Time that painting a frame took.";
    DAMAGE_PIXELS: Type::Counter, "tinydisplay_damage_pixels_total", [],
        "Pixels inside the damage rectangles of all frames.";
    WIDGETS_DISABLED: Type::Gauge, "tinydisplay_disabled_widgets", [],
        "Widgets that panicked and are not painted any more.";
    CACHE_HITS: Type::Counter, "tinydisplay_cache_hits_total", ["cache"],
        "Lookups of glyphs, and of formulas' texts, that found what they looked for.";
    CACHE_MISSES: Type::Counter, "tinydisplay_cache_misses_total", ["cache"],
        "Lookups that had to make what they looked for.";
    OUTPUT_FRAMES: Type::Counter, "tinydisplay_output_frames_total", ["output"],
        "Frames that an output has shown.";
    OUTPUT_SKIPPED: Type::Counter, "tinydisplay_output_skipped_total", ["output"],
        "Frames that a newer one replaced before the output was ready for them.";
    OUTPUT_BYTES: Type::Counter, "tinydisplay_output_bytes_total", ["output"], "Bytes that an output has sent.";

    OUTPUT_PIXELS: Type::Counter, "tinydisplay_output_pixels_total", ["output"],
        "Pixels that an output has sent.";

    PERSISTENCE_ROWS: Type::Counter, "tinydisplay_persistence_rows_total", ["kind"],
        "Rows that were written: samples, values, events.";
    PERSISTENCE_FLUSHES: Type::Counter, "tinydisplay_persistence_flushes_total", [],
        "Transactions that were committed.";
    PERSISTENCE_DROPPED: Type::Counter, "tinydisplay_persistence_dropped_total", [],
        "Rows that were lost because the database could not take them.";
    PERSISTENCE_QUEUE: Type::Gauge, "tinydisplay_persistence_queue_ticks", [],
        "Ticks that the writer holds until its next transaction.";
    PERSISTENCE_MAILBOX: Type::Gauge, "tinydisplay_persistence_mailbox_ticks", [],
        "Ticks in the writer's mailbox, which it has not looked at yet.";
    RECORDER_QUEUE: Type::Gauge, "tinydisplay_recorder_queue_ticks", [],
        "Ticks that wait to be written into a recording.";
    PERSISTENCE_WRITE: Type::Histogram(DISK), "tinydisplay_persistence_write_seconds", [],
        "Time that one transaction's rows took, its commit left out.";
    PERSISTENCE_FLUSH: Type::Histogram(DISK), "tinydisplay_persistence_flush_seconds", [],
        "Time that one transaction took, its commit included.";
    PERSISTENCE_DEGRADED: Type::Gauge, "tinydisplay_persistence_degraded", [],
        "1 while the database cannot be written, else 0.";
    DATABASE_READS: Type::Counter, "tinydisplay_database_reads_total", [],
        "Questions that the database was asked.";
    DATABASE_READ: Type::Histogram(DISK), "tinydisplay_database_read_seconds", [],
        "Time that the database took to answer a question.";
    DATABASE_CONNECTIONS: Type::Gauge, "tinydisplay_database_connections", ["use"],
        "Open connections to the database: one to write, and those to read.";
    DATABASE_BYTES: Type::Gauge, "tinydisplay_database_bytes", [], "Size of the database file.";

    HTTP_REQUESTS: Type::Counter, "tinydisplay_http_requests_total", ["route", "status"],
        "Answered HTTP requests; paths that do not exist are counted together.";
    HTTP_DURATION: Type::Histogram(TICK), "tinydisplay_http_request_seconds", ["route"],
        "Time until an HTTP request was answered, the sending of the answer left out.";
    HTTP_REJECTIONS: Type::Counter, "tinydisplay_http_rejections_total", ["reason"],
        "HTTP requests and connections that were refused, by the class of the refusal.";
    WEBSOCKET_CLIENTS: Type::Gauge, "tinydisplay_websocket_clients", [], "Open WebSocket connections.";

    ACTOR_RESTARTS: Type::Counter, "tinydisplay_actor_restarts_total", ["actor", "cause"],
        "How often an actor was started anew, by what had ended it.";
    ACTOR_STATE: Type::Gauge, "tinydisplay_actor_state", ["actor", "state"],
        "1 for the state that the actor is in, 0 for the others.";
    ABANDONED_THREADS: Type::Gauge, "tinydisplay_abandoned_threads", [],
        "Threads that hang and were left behind; beyond a few the process ends.";

    RESIDENT_MEMORY: Type::Gauge, "tinydisplay_resident_memory_bytes", [],
        "Memory of this process that is in RAM.";
    MEMORY: Type::Gauge, "tinydisplay_memory_bytes", ["part"],
        "Memory by what holds it: the ring's samples, windows over time, kept glyphs, Lua; of SQLite's page caches the most they may take.";
    UPTIME: Type::Gauge, "tinydisplay_uptime_seconds", [], "Time since this process began.";
    BUILD: Type::Gauge, "tinydisplay_build_info", ["version"], "1; its label says which version runs.";
}

/// The table as `docs/metrics.md` has it.
pub fn markdown() -> String {
    let mut rows = String::from("| name | type | labels | meaning |\n|---|---|---|---|\n");
    for metric in TABLE {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, meaning) = (metric.name, metric.kind.name(), metric.meaning);
        // Writing to a String cannot fail.
        let _ = writeln!(rows, "| `{name}` | {kind} | {} | {meaning} |", labels.join(", "));
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_rule() {
        let units = [
            "total",
            "seconds",
            "bytes",
            "samples",
            "keys",
            "ticks",
            "clients",
            "threads",
            "readings",
            "widgets",
            "formulas",
            "connections",
        ];
        // What Prometheus itself calls by other rules: states, truth values and infos.
        let unitless =
            [&SOURCE_STATE, &ACTOR_STATE, &PERSISTENCE_DEGRADED, &BUILD, &VALUE].map(|metric| metric.name);
        for metric in TABLE {
            let unit = metric.name.rsplit('_').next().unwrap();
            assert!(metric.name.starts_with("tinydisplay_"), "{}", metric.name);
            assert!(units.contains(&unit) || unitless.contains(&metric.name), "{}", metric.name);
            assert_eq!(metric.kind == Type::Counter, unit == "total", "{}", metric.name);
            assert!(metric.meaning.ends_with('.'), "{}", metric.name);
        }
        let names: BTreeSet<_> = TABLE.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn buckets_ascend() {
        for metric in TABLE {
            if let Type::Histogram(bounds) = metric.kind {
                assert!(bounds.is_sorted_by(|a, b| a < b), "{}", metric.name);
            }
        }
    }

    /// Set `UPDATE_DOCS=1` to write the documentation anew.
    #[test]
    fn documentation_shows_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
        let page = std::fs::read_to_string(path).unwrap();
        let start = page.find("| name |").unwrap();
        let end = start + page[start..].find("\n\n").map_or(page.len() - start, |end| end + 1);
        let current = format!("{}{}{}", &page[..start], markdown(), &page[end..]);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &current).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), current, "run with UPDATE_DOCS=1");
    }
}
