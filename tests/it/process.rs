//! The program as its users meet it: started, asked over HTTP, told to end.

use crate::program::Program;

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
