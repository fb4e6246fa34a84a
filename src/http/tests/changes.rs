//! What comes in: signals, formulas, and the limits of both.

use std::sync::OnceLock;

use actors::expression::script::calls::Called;
use actors::handle::ActorState;
use engine::signal::{FACTS_MAX, NAME_BYTES_MAX, PER_TICK_MAX};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::http::fixture::{Answer, FakePanel, Viewer, conforms, get, send};
use crate::http::limits::{BODY_BYTES, BURST_SECONDS, CHANGES_PER_SECOND, EVALUATIONS_PER_SECOND};
use crate::http::openapi::openapi;
use crate::http::routes::{ROUTES, Route};
use crate::http::{Server, tests};

use super::{check_problem, fake};

fn post(server: &Server, path: &str, body: &str) -> Answer {
    send(server.address(), &format!("POST {path}"), &[], body)
}

#[test]
fn an_answer_is_not_much_longer_than_what_was_sent() {
    let panel = fake();
    let server = panel.serve();
    let values: Vec<_> = (0..5_000).map(|n| format!("\"k{n}\":1")).collect();
    let (name, values) = ("x".repeat(500_000), values.join(","));
    let body = format!("{{\"source\":\"{name}\",\"values\":{{{values}}}}}");
    let answer = post(&server, "/api/v1/ingest", &body);
    assert_eq!((answer.status, &answer.json()["rejected"]), (422, &json!(5_000)));
    assert!(answer.body.len() < 2 * BODY_BYTES, "{} bytes", answer.body.len());
}

#[test]
fn signals_come_in() {
    let panel = fake();
    let server = panel.serve();
    let answer = post(&server, "/api/v1/signals/doorbell", r#"{"times":2,"who":"post","loud":true}"#);
    assert_eq!((answer.status, answer.json()), (202, json!({ "signal": "doorbell" })));
    assert_eq!(post(&server, "/api/v1/signals/bare", " \n").status, 202);
    let taken: Vec<_> = panel.signalled.try_iter().collect();
    assert_eq!((taken[0].name(), taken[1].name()), ("doorbell", "bare"));
    let facts: Vec<_> = taken[0].facts().iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(facts, ["loud=true", "times=2", "who=post"]);
}

#[test]
fn bad_signals_are_refused() {
    let panel = fake();
    let server = panel.serve();
    let long = "x".repeat(NAME_BYTES_MAX);
    let facts =
        |count: usize| Json::Object((0..count).map(|n| (format!("f{n}"), json!(n))).collect()).to_string();
    for (name, body, status) in [
        (long.as_str(), "", 202),
        (&format!("{long}x"), "", 422),
        ("a%20b", "", 422),
        ("a", &facts(FACTS_MAX), 202),
        ("a", &facts(FACTS_MAX + 1), 422),
        ("a", r#"{"b":[1]}"#, 422),
        ("a", r#"{"b":null}"#, 422),
        ("a", r#"{"b c":1}"#, 422),
        ("a", r#"{"b":1e999}"#, 400),
        ("a", "[1]", 400),
        ("a", "{", 400),
    ] {
        let answer = post(&server, &format!("/api/v1/signals/{name}"), body);
        assert_eq!(answer.status, status, "{name} {body}: {}", answer.text());
    }
    assert_eq!(panel.signalled.try_iter().count(), 2);
    check_problem(&get(&server, "/api/v1/signals/a"), 405, "Method Not Allowed", "GET");
    for _ in 0..PER_TICK_MAX {
        assert_eq!(post(&server, "/api/v1/signals/a", "").status, 202);
    }
    let full = post(&server, "/api/v1/signals/a", "");
    check_problem(&full, 429, "Too Many Requests", "one more");
    assert_eq!(full.header("retry-after"), Some("1"));
}

#[test]
fn a_run_that_shows_a_recording_takes_no_signals() {
    let mut panel = fake();
    panel.signalled = flume::bounded(0).1;
    let server = panel.serve();
    check_problem(&post(&server, "/api/v1/signals/a", ""), 409, "Conflict", "a replay");
}

/// A clock that stands still: buckets that drain by nothing have an exact bottom.
fn standing() -> Instant {
    static NOW: OnceLock<Instant> = OnceLock::new();
    *NOW.get_or_init(Instant::now)
}

#[test]
fn rates_are_limited() {
    let panel = fake();
    let one = (r#"{"a":1}"#, r#"{"expression":"1"}"#);
    let changes = ["/api/v1/ingest", "/api/v1/signals/a"].as_slice();
    for (paths, body, per_second, others) in [
        (changes, one.0, CHANGES_PER_SECOND, ["/api/v1/evaluate"].as_slice()),
        (["/api/v1/evaluate"].as_slice(), one.1, EVALUATIONS_PER_SECOND, changes),
    ] {
        let server = panel.serve_site(|site| site.times.now = standing);
        let ask = |path: &str| {
            panel.signalled.try_iter().for_each(drop);
            post(&server, path, body)
        };
        // Those of one kind share a bucket.
        let most = (BURST_SECONDS * per_second) as usize;
        for (asked, path) in paths.iter().cycle().take(most).enumerate() {
            assert_ne!(ask(path).status, 429, "{path}: refused after {asked}");
        }
        for path in paths {
            let refused = ask(path);
            check_problem(&refused, 429, "Too Many Requests", path);
            assert_eq!(refused.header("retry-after"), Some("1"));
        }
        for path in others {
            assert_ne!(ask(path).status, 429, "{path} has a bucket of its own");
        }
        assert_eq!(get(&server, "/api/v1/values").status, 200, "questions go on");
    }
}

#[test]
fn bodies_are_limited() {
    let panel = fake();
    let server = panel.serve();
    for (bytes, status) in [(BODY_BYTES - 1, 202), (BODY_BYTES, 202), (BODY_BYTES + 1, 413)] {
        let answer = post(&server, "/api/v1/signals/a", &" ".repeat(bytes));
        assert_eq!(answer.status, status, "{bytes}");
    }
}

/// A panel with one of each thing that answers tell of.
fn whole() -> FakePanel {
    const PANEL: &str = r#"
        version = 1
        [source.door]
        kind = "push"
        [keys]
        "door.count" = {}
        [scripts]
        files = ["a.lua"]
        [value]
        cpu = "door.count * 2"
        [page.main]
        widgets = [{ kind = "text", id = "title", at = [0, 0], size = [99, 20], text = "{cpu} {feels_like(cpu)}" }]
        [animation.blink]
        widget = "title"
        duration = "1s"
        from = { opacity = 0 }
        [[trigger]]
        name = "bell"
        signal = "ring"
        start = ["blink"]
    "#;
    let folder = tempfile::tempdir().unwrap();
    let script = "function feels_like(x: number): number return get('door.count') + x end";
    std::fs::write(folder.path().join("a.lua"), script).unwrap();
    let config = crate::config::parse("whole.toml", PANEL, folder.path());
    let config = config.unwrap_or_else(|report| panic!("{}", report.render(false)));
    let mut panel = fake();
    let called = Called { reads: [0].into(), steps: 3, ..Called::default() };
    panel.telemetry.formulas.called.show([(0, called)].into());
    panel.take(config.panel);
    panel.actors.send_replace([tests::actor(ActorState::Running)].into());
    panel
}

/// Holds that an answer has one of the shapes that the OpenAPI document says; returns whether it is JSON.
fn conforms_to(route: &Route, document: &Json, answer: &Answer) -> bool {
    let (path, status) = (route.path, answer.status);
    if answer.header("content-type") == Some("application/problem+json") {
        assert!(route.problems.contains(&status), "{path}: {}", answer.text());
        conforms(document, "Problem", &answer.json()).unwrap_or_else(|error| panic!("{path}: {error}"));
        return true;
    }
    let known = route.answers.iter().find(|known| known.status == status);
    let known = known.unwrap_or_else(|| panic!("{path}: {status} is not documented"));
    if let Some(schema) = known.schema {
        conforms(document, schema, &answer.json()).unwrap_or_else(|error| panic!("{path}: {error}"));
    } else if !known.kind.is_empty() {
        assert!(answer.header("content-type").unwrap().starts_with(known.kind), "{path}");
    }
    known.schema.is_some()
}

/// Every answer of a question without parameters has the shape that the OpenAPI document says.
#[test]
fn answers_have_their_documented_shape() {
    let panel = whole();
    let server = panel.serve();
    let document = openapi();
    assert_eq!(get(&server, "/api/v1/openapi.json").json(), document);
    Viewer::connect(&server).text("performance");
    // The server listens from its start on, which is a moment after this one's.
    let is_told = || {
        drop(panel.events.send(tests::event(7)));
        get(&server, "/api/v1/events").json()["events"] != json!([])
    };
    assert!((0..1_000).any(|_| is_told()));
    let mut checked = 0;
    for route in ROUTES.iter().filter(|route| route.method == "GET" && route.path != "/ws") {
        let answer = get(&server, &route.path.replace("{file}", "studio.js"));
        assert_eq!(answer.status, 200, "{}: {}", route.path, answer.text());
        checked += usize::from(conforms_to(route, &document, &answer));
    }
    assert!(checked >= 10, "{checked}");
    for (path, list) in [
        ("actors", "actors"),
        ("actors", "groups"),
        ("events", "events"),
        ("graph", "nodes"),
        ("graph", "edges"),
    ] {
        let answer = get(&server, &format!("/api/v1/{path}")).json();
        assert_ne!(answer[list], json!([]), "{path} has none of its {list}");
    }
    let functions = get(&server, "/api/v1/expression-functions/flat").json();
    let functions = functions.as_array().unwrap();
    assert_eq!(functions.len(), engine::formula::functions::FUNCTIONS.len() + 1);
    assert_eq!(functions.last().unwrap()["name"], "feels_like", "behind the others come those of scripts");
    let by_category = get(&server, "/api/v1/expression-functions").json();
    assert_eq!(by_category["Script"], json!([functions.last().unwrap()]));
    let config = get(&server, "/api/v1/config?format=toml");
    assert_eq!(config.header("content-type"), Some("application/toml"));
    assert!(get(&server, "/api/v1/graph?format=dot").text().starts_with("digraph"));
    for path in ["/api/v1/graph?format=pdf", "/api/v1/config?format=yaml", "/api/v1/events?type=none"] {
        check_problem(&get(&server, path), 400, "Bad Request", path);
    }
}

#[test]
fn answers_to_what_is_sent_have_their_documented_shape() {
    let panel = whole();
    let server = panel.serve();
    let document = openapi();
    for (path, body, status) in [
        ("/api/v1/evaluate", r#"{"expression":"tick"}"#, 200),
        ("/api/v1/evaluate", r#"{"expression":"cpuu"}"#, 422),
        ("/api/v1/evaluate", "{", 400),
        ("/api/v1/signals/{name}", r#"{"times":2}"#, 202),
        ("/api/v1/signals/{name}", "[]", 400),
        ("/api/v1/signals/{name}", r#"{"a":[]}"#, 422),
        ("/api/v1/ingest?source=gate", r#"{"a":1}"#, 404),
        ("/api/v1/ingest", r#"{"a":null}"#, 422),
        ("/api/v1/ingest", "", 400),
    ] {
        let answer = post(&server, &path.replace("{name}", "ring"), body);
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.text());
        let plain = path.split('?').next().unwrap();
        let route = ROUTES.iter().find(|route| route.method == "POST" && route.path == plain).unwrap();
        assert!(conforms_to(route, &document, &answer), "{path} {body}");
    }
}
