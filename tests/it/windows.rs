//! Windows over time, as their users meet them: over given samples, and over what earlier runs have stored.

use std::path::Path;

use actors::recording::Recording;
use actors::runtime::{Options, Time};
use serde_json::Value as Json;

use crate::cli::{check, tinydisplay};
use crate::replay::run;

/// Rows as a line of a batch has them, each with what is `expected`: a number, "NULL" or "ERROR".
const CASES: &str = include_str!("data/windows.jsonl");

#[test]
fn all_cases_come_out_as_expected() {
    let mut cases: Vec<Json> = CASES.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<Json> =
        cases.iter_mut().map(|case| case.as_object_mut().unwrap().remove("expected").unwrap()).collect();
    assert!(expected.len() > 40, "{}", expected.len());
    let input: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let answers = String::from_utf8(tinydisplay(&["eval", "--batch"], input.as_bytes()).stdout).unwrap();
    assert_eq!(answers.lines().count(), expected.len());
    for ((case, expected), answer) in cases.iter().zip(&expected).zip(answers.lines()) {
        let answer: Json = serde_json::from_str(answer).unwrap();
        let is_right = match expected.as_str() {
            Some("NULL") => answer.get("value") == Some(&Json::Null),
            Some("ERROR") => answer["error"].is_string(),
            _ => answer["value"]
                .as_f64()
                .zip(expected.as_f64())
                .is_some_and(|(found, expected)| (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)),
        };
        assert!(is_right, "{case}: {answer} is not {expected}");
    }
}

#[test]
fn a_formula_sees_ticks_pass() {
    for (arguments, expected) in [
        (&["tick"][..], "0"),
        (&["--ticks", "1", "tick"], "0"),
        (&["--ticks", "90", "tick"], "89"),
        (&["--ticks", "61", "--set", "v=3", "avg(v, 1s)"], "nil"),
        (&["--ticks", "60", "--set", "v=3", "avg(v, 1s)"], "3"),
        (&["--ticks", "121", "--set", "v=3", "age(v)"], "2"),
    ] {
        let arguments = [&["eval"], arguments].concat();
        assert_eq!(check(&arguments, 0).0, format!("{expected}\n"), "{arguments:?}");
    }
    for ticks in ["0", "1000001", "-1", "x"] {
        check(&["eval", "--ticks", ticks, "1"], 2);
    }
}

/// A key with a window over it, on the page and in a database.
const PANEL: &str = r##"
    version = 1
    [source.wave]
    kind = "generator"
    shape = "walk"
    every = "20ms"
    [value]
    held = "count(wave.value, 1h)"
    mean = "avg(wave.value, 1h) + median(wave.value, 1h)"
    step = "delta(wave.value)"
    [page.main]
    widgets = [{ kind = "text", id = "text", at = [0, 0], size = [160, 40], text = "{held} {mean:.6f} {step:.6f}", color = "#fff" }]
    [persistence]
    file = "state.db"
    flush = "50ms"
"##;

#[test]
fn windows_go_on_where_the_last_run_ended() {
    let folder = tempfile::tempdir().unwrap();
    let live = |ticks, record: Option<&Path>| {
        let record = record.map(Path::to_owned);
        run(PANEL, folder.path(), Options { ticks: Some(ticks), record, ..Options::default() })
    };
    live(90, None);
    let file = folder.path().join("run.jsonl");
    live(4, Some(&file));
    let input = Recording::read(&file).unwrap();
    let past = &input.header.past["wave.value"];
    assert!(past.len() > 40 && past.is_sorted_by_key(|(ms, _)| *ms), "{} samples", past.len());
    assert!(past.iter().all(|(ms, _)| *ms <= input.header.start_ms));

    let again = |input: &Recording| {
        let options = Options { time: Time::Virtual, ticks: Some(4), ..Options::default() };
        run(PANEL, folder.path(), Options { input: Some(input.clone()), ..options }).frames
    };
    let frames = again(&input);
    assert_eq!(frames.len(), 4);
    assert_eq!(frames, again(&input));
    let mut empty = input.clone();
    empty.header.past.clear();
    assert_ne!(frames, again(&empty), "the past is on the page");
}

/// Keys that are asked how long they have been silent; to one of them nothing ever comes.
const SILENT: &str = r##"
    version = 1
    [source.wave]
    kind = "generator"
    shape = "walk"
    every = "20ms"
    [source.desk]
    kind = "push"
    [keys]
    "desk.note" = { kind = "text", stale_after = "2s" }
    [page.main]
    widgets = [{ kind = "text", id = "text", at = [0, 0], size = [160, 40], text = "{age(wave.value)} {age(desk.note):.1f} {stale(desk.note)}", color = "#fff" }]
    [persistence]
    file = "state.db"
    flush = "50ms"
"##;

#[test]
fn silence_goes_on_where_the_last_run_ended() {
    let folder = tempfile::tempdir().unwrap();
    let live = |ticks, record: Option<&Path>| {
        let record = record.map(Path::to_owned);
        run(SILENT, folder.path(), Options { ticks: Some(ticks), record, ..Options::default() })
    };
    live(30, None);
    let file = folder.path().join("run.jsonl");
    live(4, Some(&file));
    let input = Recording::read(&file).unwrap();
    let newest: Vec<_> = input.header.newest.iter().collect();
    assert_eq!(newest.len(), 1, "{newest:?}");
    assert!(newest[0].0 == "wave.value" && *newest[0].1 <= input.header.start_ms, "{newest:?}");
    let again = |newest_ms: Option<i64>| {
        let mut input = input.clone();
        newest_ms.map(|ms| input.header.newest.insert("desk.note".into(), ms));
        let options = Options { time: Time::Virtual, ticks: Some(4), ..Options::default() };
        run(SILENT, folder.path(), Options { input: Some(input), ..options }).frames
    };
    let start_ms = input.header.start_ms;
    let (never, lately, long_ago) = (again(None), again(Some(start_ms - 500)), again(Some(start_ms - 9_000)));
    assert_eq!(long_ago, again(Some(start_ms - 9_000)));
    for (one, other) in [(&never, &lately), (&lately, &long_ago), (&never, &long_ago)] {
        assert_ne!(one[&0], other[&0], "what the header says is on the page at once");
    }
}

#[test]
fn what_windows_need_is_said_before_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("panel.toml");
    std::fs::write(&file, PANEL).unwrap();
    let (out, _) = check(&["check", file.to_str().unwrap()], 0);
    let out = out.replace(folder.path().to_str().unwrap(), "");
    let expected = "/panel.toml: no problems\n\
                    windows over time: at most 6.1 MB of memory\n  \
                      wave.value: the newest samples\n  \
                      wave.value over 1h: exact up to 18000 samples, then to 1s\n";
    assert_eq!(out, expected);
}
