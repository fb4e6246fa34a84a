//! The program as its users meet it: started, asked over HTTP, told to end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use crate::program::{Program, post, wait_until};

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
        every = "20ms"
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
    let samples = count("SELECT count(*) FROM data_history WHERE data_key = 'wave.value'");
    assert!(samples >= 50, "{samples} samples");
    // The value and the chart of it are one series. Samples of one tick may come to one result.
    let results = count("SELECT count(*) FROM data_history WHERE data_key = 'doubled'");
    assert!((samples / 2..=samples).contains(&results), "{results} results of {samples} samples");
    let again = "SELECT count(*) - count(DISTINCT tick) FROM data_history WHERE data_key = 'doubled'";
    assert_eq!(count(again), 0, "every result once");
    let gaps = "SELECT max(sequence) + 1 - count(*) FROM data_history WHERE data_key = 'wave.value'";
    assert_eq!(count(gaps), 0, "every sample once");
    assert_eq!(count("SELECT count(*) FROM timeline_events WHERE event_type = 'page_shown'"), 1);
}

/// A panel that takes many numbers, and shows those of the last minute as a green line.
const LOADED: &str = r##"
    version = 1
    [source.door]
    kind = "push"
    [source.wave]
    kind = "generator"
    shape = "saw"
    every = "1ms"
    on_full = "block"
    [keys]
    "door.count" = {}
    [value]
    doubled = "wave.value * 2"
    [persistence]
    file = "state.db"
    flush = "FLUSH"
    [page.main]
    widgets = [{ kind = "sparkline", id = "chart", at = [0, 0], size = [160, 128], value = "door.count", span = "60s", color = "#0f0" }]
"##;

fn loaded(home: &Path, flush: &str) -> Program {
    let panel = home.join("panel.toml");
    std::fs::write(&panel, LOADED.replace("FLUSH", flush)).unwrap();
    let program = Program::start(home, &[panel.to_str().unwrap(), "--output", "null"]);
    program.wait_for("/readyz", |status, _| status == 200);
    program
}

/// A client that sends 0, 1, 2 and so on as fast as they are taken, until the program is gone.
struct Flood {
    /// As many of the numbers were taken, and said to be.
    taken: Arc<AtomicU64>,
    client: JoinHandle<()>,
}

impl Flood {
    fn begin(program: &Program) -> Flood {
        let (taken, address) = (Arc::new(AtomicU64::new(0)), program.address.clone());
        let count = taken.clone();
        let client = thread::spawn(move || {
            let mut next = 0;
            loop {
                let numbers: Vec<_> = (next..next + 50).map(|n| format!("{{\"count\":{n}}}")).collect();
                let body = format!("[{}]", numbers.join(","));
                let Ok((_, answer)) = post(&address, "/api/v1/ingest?source=door", &body) else { return };
                // Where the panel has no room or the client is too quick, some are taken, or none.
                next += answer["accepted"].as_u64().unwrap_or(0);
                count.store(next, Ordering::Relaxed);
            }
        });
        Flood { taken, client }
    }

    fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    fn wait_for(&self, taken: u64) {
        wait_until("too little was taken", || match self.taken() {
            now if now >= taken => Ok(()),
            now => Err(format!("{now}")),
        });
    }

    /// Waits until the program is gone; how many of the numbers it took.
    fn end(self) -> u64 {
        self.client.join().unwrap();
        self.taken.load(Ordering::Relaxed)
    }
}

/// Holds that the database is whole and has the numbers from 0 on, each once; how many they are.
fn kept(home: &Path) -> u64 {
    let database = rusqlite::Connection::open(home.join("state.db")).unwrap();
    let whole: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    // The results of the chart's formula, one a tick, are beside them and not from their source.
    let numbers = "FROM data_history WHERE data_key = 'door.count' AND source = 'door'";
    let waves = "FROM data_history WHERE data_key = 'wave.value' AND source = 'wave'";
    let results = "FROM data_history WHERE data_key = 'doubled'";
    let count = |sql: &str| -> i64 {
        database.query_row(&format!("SELECT CAST(({sql}) AS INTEGER)"), [], |row| row.get(0)).unwrap()
    };
    for (what, sql) in [
        ("numbers left out", format!("SELECT max(data_value) + 1 - count(*) {numbers}")),
        ("numbers twice", format!("SELECT count(*) - count(DISTINCT data_value) {numbers}")),
        ("sequence twice", format!("SELECT count(*) - count(DISTINCT sequence) {numbers}")),
        ("waves left out", format!("SELECT max(sequence) + 1 - count(*) {waves}")),
        ("results twice", format!("SELECT count(*) - count(DISTINCT tick) {results}")),
    ] {
        assert_eq!(count(&sql), 0, "{what}");
    }
    count(&format!("SELECT count(*) {numbers}")).try_into().unwrap()
}

/// How many rows of the picture have something of the green line.
fn charted(program: &Program) -> usize {
    let (status, frame) = program.get("/api/v1/frame.png");
    assert_eq!(status, 200);
    let mut image = png::Decoder::new(std::io::Cursor::new(frame)).read_info().unwrap();
    let mut pixels = vec![0; image.output_buffer_size().unwrap()];
    let info = image.next_frame(&mut pixels).unwrap();
    let is_green = |pixel: &[u8]| pixel[1] > 100 && pixel[0] < 100 && pixel[2] < 100;
    let rows = pixels.chunks(info.line_size);
    rows.filter(|row| row.chunks(info.color_type.samples()).any(is_green)).count()
}

#[test]
fn killed_under_load_it_loses_what_was_not_flushed_and_goes_on_with_its_past() {
    let home = tempfile::tempdir().unwrap();
    let program = loaded(home.path(), "250ms");
    assert_eq!(charted(&program), 0, "nothing has come yet");
    let flood = Flood::begin(&program);
    flood.wait_for(1_000);
    let taken = flood.taken();
    // All of that is with the writer as soon as the ring has it. The flush after the one that may be running
    // has it; the one after that has certainly ended.
    let number = |body: &str, name: &str| -> f64 {
        body.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0.0)
    };
    let page = program.wait_for("/metrics", |_, body| {
        number(body, "tinydisplay_samples_total{source=\"door\"}") >= taken as f64
    });
    let flushes = |body: &str| number(body, "tinydisplay_persistence_flushes_total");
    program.wait_for("/metrics", |_, body| flushes(body) >= flushes(&page) + 3.0);
    program.kill();
    flood.end();
    let found = kept(home.path());
    assert!(found >= taken, "{found} of at least {taken}");

    let again = loaded(home.path(), "250ms");
    // One number alone is a dot at the right; a line from below to above is the past.
    again.wait_for_post("/api/v1/ingest?source=door", r#"{"count":0}"#, 200);
    wait_until("the chart has no past", || match charted(&again) {
        rows if rows > 64 => Ok(()),
        rows => Err(format!("a line of {rows} rows")),
    });
    assert_eq!(again.terminate(), Some(0));
}

#[test]
fn told_to_end_under_load_it_writes_what_it_took_in_time() {
    let home = tempfile::tempdir().unwrap();
    let program = loaded(home.path(), "1h");
    let flood = Flood::begin(&program);
    flood.wait_for(1_000);
    // Within the time that the manual names.
    assert_eq!(program.terminate(), Some(0));
    let (taken, found) = (flood.end(), kept(home.path()));
    assert!(found >= taken, "{found} of {taken}");
}

/// A panel with a source that has failed, and whose next start is far away.
const LOST: &str = r##"
    version = 1
    [source.lost]
    kind = "playback"
    file = "lost.csv"
    [keys]
    "lost.value" = {}
    [supervision.sources]
    backoff = { base = "1h", cap = "1h" }
    [persistence]
    file = "state.db"
    flush = "1h"
    [page.main]
    widgets = [{ kind = "text", at = [0, 0], size = [160, 20], text = "{lost.value}", color = "#fff" }]
"##;

#[test]
fn told_to_end_while_a_source_backs_off_it_waits_for_nothing() {
    let home = tempfile::tempdir().unwrap();
    let panel = home.path().join("panel.toml");
    std::fs::write(&panel, LOST).unwrap();
    let program = Program::start(home.path(), &[panel.to_str().unwrap(), "--output", "null"]);
    let is_far = |body: &str| {
        let document: serde_json::Value = serde_json::from_str(body).ok()?;
        let actors = document["actors"].as_array()?.iter();
        let lost = actors.filter(|actor| actor["name"] == "source.lost");
        // As long as a test waits at the most.
        lost.filter_map(|lost| lost["starts_in_ms"].as_u64()).find(|ms| *ms > 60_000)
    };
    program.wait_for("/api/v1/actors", |_, body| is_far(body).is_some());
    program.wait_for("/readyz", |status, _| status == 200);
    assert_eq!(program.terminate(), Some(0));
    let database = rusqlite::Connection::open(home.path().join("state.db")).unwrap();
    let shown = "SELECT count(*) FROM timeline_events WHERE event_type = 'page_shown'";
    assert_eq!(database.query_row(shown, [], |row| row.get::<_, i64>(0)).unwrap(), 1, "and loses nothing");
}
