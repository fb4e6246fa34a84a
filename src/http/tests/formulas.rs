//! Formulas that come in to be evaluated: what they may name, what that holds, and what is wrong with them.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actors::handle::Reported;
use actors::panel::Panel;
use engine::diagnostic::Severity;
use engine::sample::SourceState;
use engine::value::Value;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::{check_problem, value};
use crate::config;
use crate::http::Server;
use crate::http::fixture::{Answer, FakePanel, send};
use crate::http::limits::{FORMULA_BYTES, SAMPLES, VARIABLES};

fn evaluate(server: &Server, question: Json) -> Answer {
    send(server.address(), "POST /api/v1/evaluate", &[], &question.to_string())
}

/// Where the windows of [`FakePanel`] are over the first key, and the numbers in its ring of the second.
const ROOM: &str = r##"
    version = 1
    [display]
    fps = 60
    [source.room]
    kind = "push"
    [source.other]
    kind = "push"
    [keys]
    "room.heat" = {}
    "room.damp" = { stale_after = "100ms" }
    "room.word" = { kind = "text" }
    "room.load" = {}
    "other.load" = {}
    [value]
    few = "count(heat, 1m)"
    hue = "mix('#000000', '#ffffff', heat / 40)"
    broken = "1 / (heat - 20)"
    also = "broken"
    span = "5m"
    is_hot = "heat > 15"
    greeting = "'hello ' .. word"
    [page.main]
    widgets = [{ kind = "text", id = "text", at = [0, 0], size = [9, 9], text = "x" }]
"##;

fn config(probe: &str) -> Result<Panel, Vec<String>> {
    let probe = format!("[value]\n    probe = {}\n", toml::Value::from(probe));
    let config = config::parse("room.toml", &ROOM.replace("[value]\n", &probe), Path::new(""));
    let told = |report: Box<config::report::Report>| {
        let errors = report.problems().iter().filter(|problem| problem.severity == Severity::Error);
        errors.map(|problem| problem.message.clone()).collect()
    };
    config.map(|config| config.panel).map_err(told)
}

/// A panel that runs.
fn room() -> FakePanel {
    let mut fake = FakePanel::new(Vec::new(), Vec::new());
    let mut panel = config("1").unwrap();
    panel.values.retain(|(name, _)| name != "probe");
    let held = |name: &str| match name {
        "few" => Some(Value::Number(2.0)),
        "hue" => Some(Value::from("#808080")),
        "broken" | "also" => Some(Value::Number(0.5)),
        "span" => Some(Value::Number(300.0)),
        "is_hot" => Some(Value::Number(1.0)),
        "room.heat" => Some(Value::Number(20.0)),
        "room.damp" => Some(Value::Number(5.0)),
        _ => None,
    };
    let reported = |name: &str| Reported { value: held(name), ..value(name, Value::Number(0.0)) };
    let values = panel.values.iter().map(|(name, _)| Reported {
        error: ["broken", "also"].contains(&name.as_str()).then(|| "division by zero".into()),
        ..reported(name)
    });
    let keys = panel.keys.iter().map(|key| Reported { formula: None, ..reported(&key.name) });
    let state = |one: Reported| match &*one.name {
        "room.load" => Reported { state: SourceState::Retrying, ..one },
        _ => one,
    };
    *fake.values.lock().unwrap() = values.chain(keys).map(state).collect();
    fake.take(panel);
    fake
}

/// A server to which seconds pass between any two requests: none of them comes too often.
fn serve(panel: &FakePanel) -> Server {
    fn striding() -> Instant {
        static BEGAN: OnceLock<Instant> = OnceLock::new();
        static STEPS: AtomicU64 = AtomicU64::new(0);
        let steps = STEPS.fetch_add(1, Ordering::Relaxed);
        *BEGAN.get_or_init(Instant::now) + Duration::from_secs(steps)
    }
    panel.serve_site(|site| site.times.now = striding)
}

#[test]
fn formulas_are_evaluated_with_what_is_now() {
    let panel = room();
    let server = serve(&panel);
    for (question, expected) in [
        (json!({ "expression": "heat + 1" }), json!(21.0)),
        (json!({ "expression": "room.heat * few" }), json!(40.0)),
        (json!({ "expression": "word" }), json!(null)),
        (json!({ "expression": "upper(word) == nil" }), json!(1.0)),
        (json!({ "expression": "mix(hue, '#000000', 0.5)" }), json!("#404040")),
        (json!({ "expression": "span / 60" }), json!(5.0)),
        (json!({ "expression": "heat + a", "variables": { "room.heat": 1, "a": 2 } }), json!(3.0)),
        (json!({ "expression": "if(on, 'yes', 'no')", "variables": { "on": true } }), json!("yes")),
        (json!({ "expression": "heat", "variables": { "heat": null } }), json!(null)),
        (json!({ "expression": "broken + 1", "variables": { "broken": 4 } }), json!(5.0)),
        (json!({ "expression": "hue", "variables": { "hue": "red" } }), json!("#ff0000")),
        (json!({ "expression": "greeting", "variables": { "greeting": "hi" } }), json!("hi")),
        (json!({ "expression": "tick / fps" }), json!(3.0 / 60.0)),
        (json!({ "expression": "device .. host" }), json!("tinydisplaytinydisplay")),
    ] {
        let answer = evaluate(&server, question.clone());
        assert_eq!((answer.status, answer.json()), (200, json!({ "value": expected })), "{question}");
    }
}

/// What the configuration takes is taken, and what it refuses is refused with the same words.
#[test]
fn formulas_are_checked_as_in_the_configuration() {
    let panel = room();
    let server = serve(&panel);
    for text in [
        "heat + 1",
        "hue",
        "hue + 1",
        "hue .. ''",
        "rgb(1, 2, 3) == hue",
        "hue < '#000000'",
        "if(span, 1, 2)",
        "if(is_hot, 1, 2)",
        "if(is_hot, span, is_hot)",
        "if(greeting, 1, 2)",
        "if(greeting == word, 1, 2)",
        "word + 1",
        "word == 1",
        "number(word)",
        "mix(word, hue, 0.5)",
        "avg(few, 5m)",
        "avg(heat, span)",
        "avg(word, 5m)",
        "age(word) + stale(word)",
        "age(is_hot)",
        "load + 1",
        "room.load + other.load",
        "heatt",
        "include(unit)",
        "room.nothing",
        "1 / 0",
        "coalesce(word, heat)",
        "heat +",
        "few(1)",
        "device + 1",
    ] {
        let answer = evaluate(&server, json!({ "expression": text }));
        let errors = answer.json()["errors"].clone();
        let errors: Vec<String> = errors.as_array().into_iter().flatten().map(message).collect();
        assert_eq!(config(text).map(drop), if errors.is_empty() { Ok(()) } else { Err(errors) }, "{text}");
    }
}

fn message(problem: &Json) -> String {
    problem["message"].as_str().unwrap_or_default().into()
}

#[test]
fn a_value_that_fails_has_no_value_and_says_so() {
    let panel = room();
    let server = serve(&panel);
    for (text, expected, names) in [
        ("broken + 1", json!(null), vec!["broken"]),
        ("coalesce(broken, 7)", json!(7.0), vec!["broken"]),
        ("if(also, 1, 2) + broken", json!(null), vec!["broken", "also"]),
        ("heat", json!(20.0), vec![]),
    ] {
        let answer = evaluate(&server, json!({ "expression": text })).json();
        assert_eq!(answer["value"], expected, "{text}");
        let warnings = answer["warnings"].as_array().cloned().unwrap_or_default();
        let said: Vec<String> = warnings.iter().map(message).collect();
        let expected: Vec<_> = names.iter().map(|name| format!("`{name}` fails: division by zero")).collect();
        assert_eq!(said, expected, "{text}");
        for (warning, name) in warnings.iter().zip(names) {
            let (at, length) = (warning["offset"].as_u64().unwrap(), warning["length"].as_u64().unwrap());
            assert_eq!(&text[at as usize..(at + length) as usize], name);
        }
    }
}

#[test]
fn windows_see_what_the_panel_holds_or_is_told() {
    let panel = room();
    let server = serve(&panel);
    for (question, expected) in [
        (json!({ "expression": "avg(heat, 1m)" }), json!(15.0)),
        (json!({ "expression": "avg('room.heat', 1s)" }), json!(20.0)),
        (json!({ "expression": "avg(damp, 2s) + heat" }), json!(25.0)),
        (json!({ "expression": "delta(heat)" }), json!(10.0)),
        (json!({ "expression": "age(heat)" }), json!(0.0)),
        (json!({ "expression": "age(damp)" }), json!(null)),
        (json!({ "expression": "stale(damp) * 100 + stale(room.load) * 10 + stale(heat)" }), json!(110.0)),
        (json!({ "expression": "sum(heat, 1m)", "samples": { "room.heat": [[1, 2], [0, 3]] } }), json!(5.0)),
        (json!({ "expression": "count(heat, 1m)", "samples": { "room.heat": [] } }), json!(0.0)),
        (json!({ "expression": "heat", "samples": { "room.heat": [[0, 7]] } }), json!(20.0)),
        (json!({ "expression": "median(x, 1m)", "samples": { "x": [[1, 2], [0, 3]] } }), json!(2.5)),
        (json!({ "expression": "avg(x, 1m)", "variables": { "x": 4 } }), json!(4.0)),
        (json!({ "expression": "avg(heat, 1m)", "variables": { "room.heat": 4 } }), json!(4.0)),
        (json!({ "expression": "sum(x, 120ticks)", "samples": { "x": [[1.5, 1], [0, 2]] } }), json!(3.0)),
        (json!({ "expression": "sum(x, 60ticks)", "samples": { "x": [[1.5, 1], [0, 2]] } }), json!(2.0)),
    ] {
        let answer = evaluate(&server, question.clone());
        assert_eq!((answer.status, answer.json()), (200, json!({ "value": expected })), "{question}");
    }
    let samples = |count: usize| {
        let samples: Vec<_> = (0..count).map(|n| (n, 1)).collect();
        json!({ "expression": "count(x, 1d)", "samples": { "x": samples } })
    };
    assert_eq!(evaluate(&server, samples(SAMPLES)).status, 200);
    assert_eq!(evaluate(&server, samples(SAMPLES + 1)).status, 422);
}

/// What is at hand goes back less far than the window would in the panel.
#[test]
fn a_window_that_is_cut_says_so() {
    let panel = room();
    let server = serve(&panel);
    for (text, value, seconds) in [
        ("avg(heat, 1m)", 15.0, None),
        ("avg(heat, 2m)", 15.0, Some(60)),
        ("avg(damp, 2s)", 5.0, None),
        ("avg(damp, 1h) + max_over(damp, 1s)", 9.0, Some(2)),
        ("count(heat, 1m)", 2.0, None),
        ("stale(heat)", 0.0, None),
    ] {
        let answer = evaluate(&server, json!({ "expression": text })).json();
        let warnings = answer["warnings"].as_array().cloned().unwrap_or_default();
        let said: Vec<String> = warnings.iter().map(message).collect();
        let key = if text.contains("damp") { "room.damp" } else { "room.heat" };
        let cut = |seconds: i32| {
            format!("of `{key}` the samples of the last {seconds} s are at hand, and the window is longer")
        };
        assert_eq!(
            (&answer["value"], said),
            (&json!(value), seconds.map(cut).into_iter().collect()),
            "{text}"
        );
    }
}

#[test]
fn questions_that_do_not_fit_the_panel_are_refused() {
    let panel = room();
    let server = serve(&panel);
    for (question, expected) in [
        (
            json!({ "expression": "heat", "variables": { "room.heat": "hot" } }),
            "variable `room.heat` is a text, and the panel's `room.heat` a number",
        ),
        (
            json!({ "expression": "word", "variables": { "room.word": 5 } }),
            "variable `room.word` is a number, and the panel's `room.word` a text",
        ),
        (
            json!({ "expression": "hue", "variables": { "hue": "no colour" } }),
            "variable `hue` is a text, and the panel's `hue` a colour",
        ),
        (
            json!({ "expression": "few", "samples": { "few": [[0, 1]] } }),
            "`few` is a value, which has no samples: name a key",
        ),
        (json!({ "expression": "1", "variables": { "a": [1] } }), "variable `a` is a list or an object"),
    ] {
        let answer = evaluate(&server, question.clone());
        assert_eq!((answer.status, answer.json()["detail"].as_str()), (422, Some(expected)), "{question}");
    }
}

#[test]
fn wrong_formulas_are_placed() {
    let panel = room();
    let server = serve(&panel);
    let wrong = evaluate(&server, json!({ "expression": "'ü' == 'u' and sqr(4) > heatt" }));
    check_problem(&wrong, 422, "Unprocessable Entity", "two errors");
    let errors = wrong.json()["errors"].clone();
    let told: Vec<_> =
        errors.as_array().unwrap().iter().map(|e| (&e["offset"], &e["length"], &e["suggestions"])).collect();
    assert_eq!(told, [(&json!(15), &json!(3), &json!(["sqrt"])), (&json!(24), &json!(5), &json!(["heat"]))]);

    let zero = evaluate(&server, json!({ "expression": "1 / (heat - 20)" })).json();
    assert_eq!((&zero["errors"][0]["offset"], &zero["errors"][0]["length"]), (&json!(0), &json!(15)));
    let blank = |bytes: usize| json!({ "expression": format!("1{}", " ".repeat(bytes - 1)) });
    let variables = |count: usize| {
        let all: serde_json::Map<_, _> = (0..count).map(|n| (format!("v{n}"), json!(n))).collect();
        json!({ "expression": "1", "variables": all })
    };
    for (question, status) in [
        (blank(FORMULA_BYTES), 200),
        (blank(FORMULA_BYTES + 1), 422),
        (variables(VARIABLES), 200),
        (variables(VARIABLES + 1), 422),
        (json!({ "expression": "1", "variables": { "a": [1] } }), 422),
        (json!({ "expression": "1", "what": 2 }), 400),
        (json!({ "expression": 1 }), 400),
        (json!({}), 400),
    ] {
        let answer = evaluate(&server, question);
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let deep = json!({ "expression": "(".repeat(FORMULA_BYTES) });
    assert_eq!(evaluate(&server, deep).status, 422);
}
