//! The whole server over real loopback sockets, in front of a panel whose answers are known.

use std::net::{TcpListener, TcpStream};

use actors::handle::{ActorReport, ActorState, Pulse, Reported, SourceReport};
use engine::event::{Event, EventKind};
use engine::paint::Size;
use engine::sample::SourceState;
use engine::tick::Tick;
use engine::value::Value;
use serde_json::json;
use tungstenite::Message;

use super::fixture::{Answer, FakePanel, Viewer, get, metrics, picture, request};
use super::*;

mod access;
mod changes;
mod formulas;
mod patience;

pub(super) fn value(name: &str, value: Value) -> Reported {
    Reported {
        name: name.into(),
        formula: Some("system.cpu * 100".into()),
        value: Some(value),
        error: None,
        state: SourceState::Live,
        unit: "%".into(),
    }
}

fn source() -> SourceReport {
    SourceReport {
        name: "system".into(),
        kind: "system",
        state: SourceState::Retrying,
        samples: 12,
        dropped: 1,
        rejected: 2,
        restarts: 3,
        error: Some("no such sensor".into()),
    }
}

fn event(tick: u64) -> Event {
    let data = vec![("value".into(), Value::Number(91.5))];
    Event { tick: Tick(tick), kind: EventKind::TriggerActivated, id: "hot".into(), data }
}

fn actor(state: ActorState) -> ActorReport {
    ActorReport {
        name: "source.cpu".into(),
        group: "sources",
        state,
        generation: 2,
        restarts: 1,
        left_behind: 0,
        cause: Some("panic"),
        error: Some("<script>".into()),
        beaten: Duration::ZERO,
        well_until: Duration::ZERO,
    }
}

fn fake() -> FakePanel {
    FakePanel::new(vec![value("cpu", Value::Number(42.5))], vec![source()])
}

fn check_problem(answer: &Answer, status: u16, title: &str, line: &str) {
    assert_eq!(answer.status, status, "{line}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{line}");
    let document = answer.json();
    assert_eq!(document["type"], "about:blank", "{line}");
    assert_eq!(document["status"], status, "{line}");
    assert_eq!(document["title"], title, "{line}");
    assert!(document["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{line}");
}

#[test]
fn every_route_answers() {
    let panel = fake();
    let server = panel.serve();
    for (route, kind, part) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>"),
        ("/studio/studio.css", "text/css; charset=utf-8", "prefers-color-scheme"),
        ("/studio/studio.js", "text/javascript; charset=utf-8", "import"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "tinydisplay_uptime_seconds "),
        ("/healthz", "text/plain; charset=utf-8", "ok"),
        ("/readyz", "text/plain; charset=utf-8", "ready"),
        ("/api/v1/values", "application/json", "cpu"),
        ("/api/v1/sources", "application/json", "system"),
        ("/api/v1/events", "application/json", "events"),
        ("/api/v1/scripts", "application/json", "scripts"),
        ("/api/v1/actors", "application/json", "actors"),
        ("/api/v1/frame.png", "image/png", ""),
    ] {
        let answer = get(&server, route);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)), "{route}");
        assert!(part.is_empty() || answer.text().contains(part), "{route}: {}", answer.text());
        assert!(answer.header("content-security-policy").unwrap().contains("script-src 'self'"), "{route}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{route}");

        let head = request(server.address(), &format!("HEAD {route}"), &[]);
        assert_eq!((head.status, head.header("content-type")), (200, Some(kind)), "{route}");
        assert!(head.body.is_empty(), "{route}");
    }
}

/// The studio's page and all that it asks for, by path.
fn whole_studio(server: &Server) -> Vec<(String, String)> {
    let mut found = vec![("/".to_owned(), get(server, "/").text().to_owned())];
    let mut next = 0;
    while let Some((name, page)) = found.get(next).cloned() {
        next += 1;
        for part in page.split(['"', '\'', '`']) {
            let path = part.strip_prefix("./").map_or(part.to_owned(), |file| format!("/studio/{file}"));
            let is_file = path.starts_with("/studio/") && path.contains('.');
            if is_file && !found.iter().any(|(known, _)| *known == path) {
                let answer = get(server, &path);
                assert_eq!(answer.status, 200, "{path}, which {name} asks for");
                found.push((path, answer.text().to_owned()));
            }
        }
    }
    found
}

#[test]
fn everything_the_page_asks_for_is_there_and_nothing_is_elsewhere() {
    let panel = fake();
    let server = panel.serve();
    let studio = whole_studio(&server);
    assert!(studio.len() > 15, "the walk found the studio");
    for (name, page) in &studio {
        // The name of SVG's namespace is no address that anybody asks.
        let page = page.replace("http://www.w3.org/2000/svg", "");
        for elsewhere in ["://", "src=\"//", "href=\"//", "@import", "url("] {
            assert!(!page.contains(elsewhere), "{name} has {elsewhere}");
        }
    }
    for view in ["panel", "formulas", "supervision", "performance"] {
        let (link, place) = (format!("href=\"#{view}\""), format!("id=\"{view}\""));
        assert!(studio[0].1.contains(&link) && studio[0].1.contains(&place), "{view}");
    }
}

#[test]
fn what_others_have_written_never_becomes_html() {
    let panel = fake();
    let server = panel.serve();
    let scripts = whole_studio(&server).into_iter().filter(|(name, _)| name.ends_with(".js"));
    let mut seen = 0;
    for (name, script) in scripts {
        for sink in ["outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
            assert!(!script.contains(sink), "{name} has {sink}");
        }
        for line in script.lines().filter(|line| line.contains("DOMParser")) {
            // A picture, of which what is known to be harmless is copied.
            assert!(line.contains("\"image/svg+xml\"") && script.contains("ELEMENTS.has("), "{name}: {line}");
        }
        for line in script.lines().filter(|line| line.contains("innerHTML")) {
            seen += 1;
            // The one function that takes a text is given constants, which the next check sees.
            let is_constant =
                line.trim_end().ends_with([';']) && !line.contains("${") && !line.contains(" + ");
            assert!(is_constant, "{name} makes HTML of more than a constant: {line}");
        }
        for line in script.lines().filter(|line| line.contains("template(") && !line.contains("function")) {
            assert!(line.contains("template(`<") && !line.contains("${"), "{name}: {line}");
        }
    }
    assert!(seen > 5, "the studio makes its rows of HTML");
}

#[test]
fn browser_may_keep_the_page() {
    let panel = fake();
    let server = panel.serve();
    let tag = get(&server, "/").header("etag").unwrap().to_owned();
    let again = request(server.address(), "GET /", &[&format!("If-None-Match: {tag}")]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = request(server.address(), "GET /", &["If-None-Match: \"other\""]);
    assert_eq!(other.status, 200);
}

#[test]
fn errors_are_problem_documents() {
    let panel = fake();
    let server = panel.serve();
    for (line, status, title, detail) in [
        ("GET /nothing", 404, "Not Found", "there is nothing at /nothing"),
        ("GET /studio/nothing.js", 404, "Not Found", "there is nothing at /studio/nothing.js"),
        ("GET /studio/../../etc/passwd", 404, "Not Found", "there is nothing at"),
        ("GET /api/v1/", 404, "Not Found", "there is nothing at /api/v1/"),
        (
            "POST /api/v1/values",
            405,
            "Method Not Allowed",
            "/api/v1/values does not take POST; use GET or HEAD",
        ),
        ("DELETE /", 405, "Method Not Allowed", "/ does not take DELETE"),
        ("GET /api/v1/frame.png?scale=0", 400, "Bad Request", "scale=0 is out of range; use 1 to 8"),
        ("GET /api/v1/frame.png?scale=9", 400, "Bad Request", "scale=9 is out of range; use 1 to 8"),
        ("GET /api/v1/frame.png?scale=x", 400, "Bad Request", "scale"),
        ("GET /api/v1/frame.png?zoom=2", 400, "Bad Request", "zoom"),
        ("GET /api/v1/events?limit=0", 400, "Bad Request", "limit=0 is out of range; use 1 to 1000"),
        ("GET /api/v1/events?limit=1001", 400, "Bad Request", "limit=1001"),
        ("GET /api/v1/events?limit=-1", 400, "Bad Request", "limit"),
        ("GET /ws", 426, "Upgrade Required", ""),
    ] {
        let answer = request(server.address(), line, &[]);
        check_problem(&answer, status, title, line);
        assert!(answer.json()["detail"].as_str().unwrap().contains(detail), "{line}: {}", answer.text());
        let allow = answer.header("allow");
        assert_eq!(allow.is_some_and(|allow| allow.contains("GET")), status == 405, "{line}: {allow:?}");
    }
}

#[test]
fn foreign_names_and_pages_are_turned_away() {
    let panel = fake();
    let server = panel.serve();
    let port = server.address().port();
    for route in ["/", "/ws", "/api/v1/values", "/metrics", "/nothing"] {
        let line = format!("GET {route}");
        let rebound = request(server.address(), &line, &[&format!("Host: evil.example:{port}")]);
        check_problem(&rebound, 403, "Forbidden", &line);
        let cross_site = request(server.address(), &line, &["Origin: https://evil.example"]);
        check_problem(&cross_site, 403, "Forbidden", &line);
    }
    for (origin, expected) in [
        (None, None),
        (Some(format!("http://127.0.0.1:{port}")), None),
        (Some("http://evil.example".to_owned()), Some(403)),
        (Some(format!("http://127.0.0.1:{}", port ^ 1)), Some(403)),
    ] {
        let refused = Viewer::try_connect(&server, origin.as_deref()).err();
        assert_eq!(refused, expected, "{origin:?}");
    }
}

#[test]
fn values_sources_and_events_as_json() {
    let panel = fake();
    panel.values.lock().unwrap().push(Reported {
        formula: None,
        value: None,
        error: Some("division by zero".into()),
        ..value("net.rate", Value::Bool(true))
    });
    let server = panel.serve();
    assert_eq!(
        get(&server, "/api/v1/values").json(),
        json!({ "values": [
            { "name": "cpu", "formula": "system.cpu * 100", "value": 42.5, "unit": "%", "state": "live",
              "error": null },
            { "name": "net.rate", "formula": null, "value": null, "unit": "%", "state": "live",
              "error": "division by zero" },
        ] })
    );
    assert_eq!(
        get(&server, "/api/v1/sources").json(),
        json!({ "sources": [{ "name": "system", "kind": "system", "state": "retrying", "samples": 12,
            "dropped": 1, "rejected": 2, "restarts": 3, "error": "no such sensor" }] })
    );

    let mut viewer = Viewer::connect(&server);
    viewer.text("pulse");
    (0..3).for_each(|tick| drop(panel.events.send(event(tick))));
    while viewer.text("events")["events"].as_array().unwrap().last().unwrap()["tick"] != 2 {}
    let events = get(&server, "/api/v1/events?limit=2").json();
    let expected = |tick: u64| {
        json!({ "tick": tick, "type": "trigger_activated", "coordination_id": "hot",
                "data": { "value": 91.5 } })
    };
    assert_eq!(events, json!({ "events": [expected(1), expected(2)] }));
}

#[test]
fn readiness_follows_the_first_frame() {
    let panel = fake();
    panel.pulse.send_replace(Pulse::default());
    let server = panel.serve();
    for route in ["/readyz", "/api/v1/frame.png"] {
        let early = get(&server, route);
        check_problem(&early, 503, "Service Unavailable", route);
        assert_eq!(early.header("retry-after"), Some("1"));
    }
    assert_eq!(get(&server, "/healthz").status, 200);
    panel.pulse.send_replace(Pulse { ready: true, ..Pulse::default() });
    assert_eq!(get(&server, "/readyz").status, 200);
}

#[test]
fn panel_that_ended_is_no_hang() {
    let mut panel = fake();
    let server = panel.serve();
    panel.end();
    for route in ["/api/v1/values", "/api/v1/sources"] {
        let answer = get(&server, route);
        check_problem(&answer, 503, "Service Unavailable", route);
        assert_eq!(answer.json()["detail"], "the panel has ended");
    }
}

#[test]
fn frame_as_png() {
    let panel = fake();
    let shown = picture(77, Size::new(5, 3), 200);
    panel.pictures.send_replace(shown.clone());
    let server = panel.serve();
    for (query, scale) in [("", 1), ("?scale=1", 1), ("?scale=3", 3), ("?scale=8", 8)] {
        let answer = get(&server, &format!("/api/v1/frame.png{query}"));
        assert_eq!(answer.header("tinydisplay-tick"), Some("77"));
        let mut reader = png::Decoder::new(std::io::Cursor::new(answer.body)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (5 * scale, 3 * scale), "{query}");
        assert_eq!(pixels, [200, 200, 200, 255].repeat((15 * scale * scale) as usize), "{query}");
    }
}

#[test]
fn viewer_is_welcomed_and_kept_informed() {
    let panel = fake();
    let server = panel.serve();
    let mut viewer = Viewer::connect(&server);
    let hello = viewer.text("hello");
    assert_eq!(hello["panel"], "desk");
    assert_eq!((&hello["width"], &hello["height"], &hello["fps"]), (&json!(160), &json!(128), &json!(60)));

    // The first look may come after the welcome; in any case all values come once, with their pasts.
    let mut values = viewer.text("values");
    while values["values"].as_array().unwrap().is_empty() {
        values = viewer.text("values");
    }
    assert_eq!(values["complete"], true);
    assert_eq!(values["values"][0]["name"], "cpu");
    assert_eq!(values["values"][0]["value"], 42.5);
    assert!(values["values"][0]["trend"].as_array().unwrap().iter().all(|point| *point == json!(42.5)));
    assert!(viewer.text("trend")["points"] == json!([42.5]));

    panel.values.lock().unwrap()[0].value = Some(Value::Number(43.0));
    let changed = viewer.text("values");
    assert_eq!((&changed["complete"], &changed["values"][0]["value"]), (&json!(false), &json!(43.0)));
    assert_eq!(changed["values"].as_array().unwrap().len(), 1);

    panel.sources.lock().unwrap()[0].state = SourceState::Live;
    while viewer.text("sources")["sources"][0]["state"] != "live" {}

    panel.pulse.send_modify(|pulse| pulse.tick = Tick(99));
    while viewer.text("pulse")["tick"] != 99 {}

    panel.values.lock().unwrap().push(value("memory", Value::from("much")));
    let all = viewer.text("values");
    assert_eq!((&all["complete"], &all["values"][1]["name"]), (&json!(true), &json!("memory")));

    viewer.text("pulse");
    drop(panel.events.send(event(5)));
    assert_eq!(viewer.text("events")["events"][0]["tick"], 5);
    let mut late = Viewer::connect(&server);
    assert_eq!(late.text("events")["events"][0]["tick"], 5, "a later viewer sees past events");
}

#[test]
fn actors_are_told_as_they_change_and_as_time_passes() {
    let panel = fake();
    panel.actors.send_replace([actor(ActorState::Running)].into());
    let server = panel.serve();
    let mut viewer = Viewer::connect(&server);
    let first = viewer.text("actors");
    assert_eq!(
        (&first["actors"][0]["state"], &first["actors"][0]["error"]),
        (&json!("running"), &json!("<script>"))
    );
    assert_eq!((&first["groups"][0]["name"], &first["groups"][0]["parent"]), (&json!("root"), &json!(null)));
    let later = viewer.text("actors");
    assert!(later["actors"][0]["silent_ms"].as_u64() > first["actors"][0]["silent_ms"].as_u64());
    panel.actors.send_replace([actor(ActorState::Degraded(Duration::MAX))].into());
    while viewer.text("actors")["actors"][0]["state"] != "degraded" {}
    assert_eq!(get(&server, "/api/v1/actors").json()["actors"][0]["state"], "degraded");
}

#[test]
fn performance_is_the_same_for_viewers_and_questions() {
    let panel = fake();
    let server = panel.serve();
    let mut viewer = Viewer::connect(&server);
    panel.telemetry.clock.duration.record(0.004);
    let early = get(&server, "/api/v1/performance");
    if early.status != 200 {
        check_problem(&early, 503, "Service Unavailable", "before the second look");
    }
    // The tick may have been recorded before the first look; then it is no longer news.
    let told = loop {
        panel.telemetry.clock.duration.record(0.004);
        let told = viewer.text("performance");
        if !told["ticks"]["duration"].is_null() {
            break told;
        }
    };
    assert_eq!(told["ticks"]["duration"]["p99_us"], json!(4_063.232));
    let answered = get(&server, "/api/v1/performance").json();
    let keys = |document: &serde_json::Value| {
        document.as_object().unwrap().keys().filter(|key| *key != "type").cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&told), keys(&answered));
    assert_eq!(answered["ticks"]["duration"]["p99_us"], told["ticks"]["duration"]["p99_us"]);
}

#[test]
fn viewer_sees_what_is_painted() {
    let panel = fake();
    let server = panel.serve();
    let mut viewer = Viewer::connect(&server);
    viewer.show_until(0);
    assert!(viewer.screen.key);
    for (tick, size, grey) in
        [(1, Size::new(160, 128), 60), (2, Size::new(160, 128), 61), (3, Size::new(80, 160), 61)]
    {
        let picture = picture(tick, size, grey);
        panel.pictures.send_replace(picture.clone());
        viewer.show_until(tick);
        assert_eq!(viewer.screen.pixels, picture.frame.pixels(), "tick {tick}");
        assert_eq!(viewer.screen.key, tick == 3, "only a new size needs a key frame");
    }
}

/// A picture of this size is far more than half of what the buffers between server and client take.
const LARGE: Size = Size::new(1024, 1024);

#[test]
fn slow_viewer_gets_the_newest() {
    let panel = fake();
    panel.pictures.send_replace(picture(0, LARGE, 0));
    let server = panel.serve();
    let mut viewer = Viewer::connect(&server);
    viewer.text("hello");
    for tick in 1..=60 {
        panel.pictures.send_replace(picture(tick, LARGE, tick as u8));
    }
    let shown = viewer.show_until(60);
    assert!(shown < 10, "{shown} pictures of 61 were sent to a viewer that did not look");
    assert_eq!(viewer.screen.pixels, picture(60, LARGE, 60).frame.pixels());
}

#[test]
fn viewers_are_limited_and_make_room() {
    let panel = fake();
    let server = panel.serve();
    let (most, of_one) = (limits::VIEWERS, limits::VIEWERS_PER_ADDRESS);
    let mut viewers: Vec<_> = (0..of_one).map(|_| Viewer::connect(&server)).collect();
    assert_eq!(Viewer::try_connect(&server, None).err(), Some(503), "one address has its share");
    viewers.extend((of_one..most).map(|_| Viewer::connect_from(&server, 2).unwrap()));
    assert_eq!(Viewer::connect_from(&server, 3).err(), Some(503), "in all");
    drop(viewers.pop());
    while Viewer::connect_from(&server, 3).is_err() {}
    // What has become a WebSocket is a connection still.
    let left = limits::CONNECTIONS_PER_ADDRESS - of_one;
    let held: Vec<_> = (0..left).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let refused = fixture::answer(&mut TcpStream::connect(server.address()).unwrap());
    check_problem(&refused, 503, "Service Unavailable", "one connection more");
    drop((viewers, held));
}

#[test]
fn refusals_before_a_request_are_counted() {
    let panel = fake();
    let server = panel.serve();
    let count = |reason: &str| {
        let page = get(&server, "/metrics").text().to_owned();
        let series = format!("tinydisplay_http_rejections_total{{reason=\"{reason}\"}} ");
        page.lines().find_map(|line| line.strip_prefix(&series)?.parse::<u64>().ok()).unwrap_or_default()
    };
    // Other tests count too, but none of theirs is missing then.
    for (reason, head) in [
        ("malformed", "\0\0\0\0\r\n\r\n".to_owned()),
        ("too_large", format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(limits::HEAD_BYTES))),
    ] {
        let before = count(reason);
        let mut stream = TcpStream::connect(server.address()).unwrap();
        std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
        assert!(fixture::answer(&mut stream).body.is_empty());
        // The server counts a moment after it has answered.
        assert!((0..1_000).any(|_| count(reason) > before), "{reason}");
    }
    let before = count("unavailable");
    let connect = || TcpStream::connect(server.address()).unwrap();
    let held = [(); limits::CONNECTIONS_PER_ADDRESS].map(|()| connect());
    assert_eq!(fixture::answer(&mut connect()).status, 503);
    drop(held);
    assert!((0..1_000).any(|_| count("unavailable") > before));
}

#[test]
fn shutdown_closes_everything() {
    let panel = fake();
    let server = panel.serve();
    let address = server.address();
    let mut viewer = Viewer::connect(&server);
    viewer.text("hello");
    let _idle = TcpStream::connect(address).unwrap();
    let reader = std::thread::spawn(move || {
        loop {
            match viewer.socket.read() {
                Ok(Message::Close(frame)) => return frame.map(|frame| u16::from(frame.code)),
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    server.shutdown();
    assert_eq!(reader.join().unwrap(), Some(1001));
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn shutdown_does_not_wait_for_a_viewer_that_does_not_look() {
    let panel = fake();
    panel.pictures.send_replace(picture(0, LARGE, 0));
    let server = panel.serve();
    let mut viewer = Viewer::connect(&server);
    viewer.text("hello");
    (1..9).for_each(|tick| drop(panel.pictures.send_replace(picture(tick, LARGE, tick as u8))));
    // It returns: the deadline cuts what is still open. The viewer never reads again.
    server.shutdown();
    drop(viewer);
}

#[test]
fn taken_default_port_is_replaced_by_a_free_one() {
    let panel = fake();
    // Where somebody else has the port already, it is taken as well.
    let _taken = TcpListener::bind(DEFAULT_ADDRESS);
    let server = serve(DEFAULT_ADDRESS, panel.handle.clone(), metrics()).unwrap();
    assert_ne!(server.address().port(), DEFAULT_ADDRESS.port());
    assert_eq!(server.url(), format!("http://{}/", server.address()));
    assert_eq!(get(&server, "/healthz").status, 200);

    let other = serve(server.address(), panel.handle.clone(), metrics()).unwrap_err();
    assert!(other.to_string().contains(&format!("cannot listen on {}", server.address())), "{other}");
}

#[test]
fn requests_are_counted_by_route() {
    let panel = fake();
    let server = panel.serve();
    get(&server, "/studio/format.js");
    get(&server, "/no/such/thing");
    let page = get(&server, "/metrics");
    for series in [
        r#"tinydisplay_http_requests_total{route="/studio/{file}",status="200"}"#,
        r#"tinydisplay_http_requests_total{route="other",status="404"}"#,
        "tinydisplay_resident_memory_bytes ",
    ] {
        assert!(page.text().contains(series), "{series} in {}", page.text());
    }
    assert!(!page.text().contains("/no/such"), "a client must not make series");
}
