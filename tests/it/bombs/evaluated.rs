//! What strangers ask the panel to evaluate.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use serde_json::{Value as Json, json};
use socket2::{Domain, Socket, Type};

use super::{HARMFUL, nested};
use crate::program::{PATIENCE, Program};

/// A panel that stands still between two readings: what it shows depends on `door.count` alone.
const PANEL: &str = r##"
version = 1
[scripts]
files = ["good.lua", "bad.lua"]
[source.door]
kind = "push"
[keys]
"door.count" = { default = 1 }
"door.word" = { kind = "text", default = "closed" }
[value]
twice = "double(door.count)"
round = "floor(door.count * 10 / 3)"
[page.main]
widgets = [{ kind = "text", at = [0, 0], size = [160, 20], text = "{twice} {round} {read('word')} {marked()}" }]
"##;

const GOOD: &str = "local seen = 0
function double(n: number): number return 2 * n end
function read(name: string): string return get('door.' .. name) end
function marked(): string
    seen += 1
    return string.format('%d %s', seen, tostring(rawget(_G, 'mark')))
end";

/// A panel with all that is harmful in its scripts, running.
fn start(home: &std::path::Path) -> Program {
    let bad: Vec<&str> = HARMFUL.iter().map(|(_, text, _)| *text).collect();
    let mark = "function mark_() mark = 1 return 1 end";
    std::fs::write(home.join("panel.toml"), PANEL).unwrap();
    std::fs::write(home.join("good.lua"), GOOD).unwrap();
    std::fs::write(home.join("bad.lua"), bad.join("\n") + "\n" + mark).unwrap();
    let program = Program::start(home, &[home.join("panel.toml").to_str().unwrap()]);
    program.wait_for("/readyz", |status, _| status == 200);
    program
}

/// The picture and the values, which attacks do not change.
fn shown(program: &Program) -> (Vec<u8>, String) {
    let (status, picture) = program.get("/api/v1/frame.png");
    assert_eq!(status, 200);
    (picture, program.text("/api/v1/values"))
}

/// A question with these bytes as its body, from an address of its own, so that the rates of others do not count.
fn ask(program: &Program, number: u16, body: &[u8]) -> (u16, Json) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // One of this machine's own addresses from 127.0.1.0 on.
    let own = SocketAddr::from((Ipv4Addr::from(0x7f00_0100 + u32::from(number)), 0));
    socket.bind(&own.into()).unwrap();
    let address: SocketAddr = program.address.parse().unwrap();
    socket.connect(&address.into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /api/v1/evaluate HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server may have had enough before all is sent.
    let _ = stream.write_all(body);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:.200}"));
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_else(|_| panic!("{body:.200}")))
}

fn expression(text: &str) -> Vec<u8> {
    json!({ "expression": text }).to_string().into_bytes()
}

/// Bodies, and the statuses that they are answered with.
fn bodies() -> Vec<(&'static str, Vec<u8>, u16)> {
    let many = |count: usize| {
        let variables: serde_json::Map<String, Json> =
            (0..count).map(|n| (format!("v{n}"), json!(n))).collect();
        json!({ "expression": "1", "variables": variables }).to_string().into_bytes()
    };
    let megabyte = |bytes: usize| {
        let rest = r#"{"expression":""}"#.len();
        format!(r#"{{"expression":"{}"}}"#, "1".repeat(bytes - rest)).into_bytes()
    };
    vec![
        ("parentheses", expression(&"(".repeat(4_000)), 422),
        ("parentheses that close", expression(&nested("(", "1", ")", 1_500)), 422),
        ("parentheses that only close", expression(&")".repeat(4_000)), 422),
        ("signs", expression(&("-".repeat(4_000) + "1")), 422),
        ("nots", expression(&("not ".repeat(900) + "1")), 422),
        ("powers", expression(&("2^".repeat(2_000) + "1")), 422),
        ("conditions", expression(&nested("if(1,", "1", ",1)", 400)), 422),
        ("calls", expression(&nested("abs(", "1", ")", 700)), 422),
        ("a sum", expression(&("1+".repeat(2_000) + "1")), 200),
        ("a chain of texts", expression(&("'a'..".repeat(700) + "'a'")), 200),
        ("a chain of ands", expression(&("1 and ".repeat(600) + "1")), 200),
        ("a number of many digits", expression(&"9".repeat(4_000)), 422),
        ("a small number of many digits", expression(&format!("0.{}1", "0".repeat(4_000))), 200),
        ("numbers beyond all", expression("1e308 * 10"), 422),
        ("quotes that stay open", expression(&"'".repeat(4_001)), 422),
        ("backquotes", expression(&"`".repeat(4_001)), 422),
        ("escapes", expression(&format!("'{}'", "\\u{1F4A3}".repeat(400))), 200),
        ("an escape that is no character", expression("'\\u{d800}'"), 422),
        ("too wide a text", expression("pad('x', 1e9)"), 422),
        ("too wide a format", expression("fmt(1, '>100000000')"), 422),
        ("a text that grows", expression(&nested("replace(", "'aaaaaaaa'", ", 'a', 'aaaaaaaa')", 40)), 422),
        ("a window without end", expression("avg(door.count, 999999999999d)"), 200),
        ("a window of ticks", expression("sum(door.count, 99999999999999999999ticks)"), 200),
        ("every window", expression("count(door.count, 7d) + stale(door.count)"), 200),
        ("an include", expression("include(panel)"), 422),
        ("NUL", expression("1\0+1"), 422),
        ("NUL in a text", expression("'a\0b'"), 200),
        ("what turns the line around", expression("\u{202e}1 + 1\u{202c}"), 422),
        ("what is not seen", expression("1\u{200b}+\u{feff}1"), 422),
        ("letters that look like others", expression("\u{0441}ount"), 422),
        ("no UTF-8", b"{\"expression\":\"\xff\xfe\"}".to_vec(), 400),
        ("half of a pair", br#"{"expression":"\ud800"}"#.to_vec(), 400),
        ("nothing", Vec::new(), 400),
        ("no object", b"[]".to_vec(), 400),
        ("no formula", b"{}".to_vec(), 400),
        ("a formula that is none", br#"{"expression":[1]}"#.to_vec(), 400),
        ("what nobody asked for", br#"{"expression":"1","file":"/etc/passwd"}"#.to_vec(), 400),
        ("the same twice", br#"{"expression":"1","expression":"2"}"#.to_vec(), 400),
        ("a number beyond all", br#"{"expression":"v","variables":{"v":1e999}}"#.to_vec(), 400),
        (
            "lists in lists",
            format!(r#"{{"expression":"1","variables":{}}}"#, nested("[", "", "]", 100_000)).into_bytes(),
            400,
        ),
        ("a list as a variable", br#"{"expression":"1","variables":{"v":[1]}}"#.to_vec(), 422),
        ("as many variables as there may be", many(256), 200),
        ("one more", many(257), 422),
        (
            "samples from the future",
            br#"{"expression":"avg(v, 1h)","samples":{"v":[[-1e300,1],[1e300,2],[0,3]]}}"#.to_vec(),
            200,
        ),
        ("names like Lua's", expression("_G + string + f_script + nil"), 422),
        ("code", expression("1) os.execute('true') --"), 422),
        ("code in a name", expression("`a\"] = os.exit() --`"), 422),
        ("a megabyte", megabyte(1 << 20), 422),
        ("more than a megabyte", megabyte((1 << 20) + 1), 413),
        (
            "a variable that goes by a function's name",
            br#"{"expression":"double(double)","variables":{"double":2}}"#.to_vec(),
            200,
        ),
        ("a handler", expression("on_tick(1)"), 422),
        ("too many arguments", expression(&format!("double({})", "1,".repeat(1_000) + "1")), 422),
    ]
}

#[test]
fn what_is_evaluated_leaves_the_panel_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let program = start(home.path());
    let before = shown(&program);
    let mut number = 0;
    let mut ask = |body: &[u8]| {
        number += 1;
        ask(&program, number, body)
    };
    let mut wrong = String::new();
    for (name, body, expected) in bodies() {
        let (status, answer) = ask(&body);
        // What helps with a formula may repeat it: twenty times at most.
        let length = answer.to_string().len();
        if status != expected || length > 128 << 10 {
            let _ = writeln!(wrong, "{name}: {status} and not {expected}, {length} bytes: {answer:.300}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // More often than a script may break its limits.
    for _ in 0..4 {
        for (call, _, kinds) in HARMFUL {
            for formula in [call.to_owned(), format!("len('' .. {call}) + double(1)")] {
                let (status, answer) = ask(&expression(&formula));
                let said = answer["errors"][0]["message"].as_str().unwrap_or_default();
                let is_told = kinds.iter().any(|kind| said.starts_with(&format!("{kind}: bad.lua:")));
                let is_plain = !said.chars().any(|c| c.is_control() || c == '\u{202e}');
                if status != 422 || !is_plain || !is_told {
                    let _ = writeln!(wrong, "{formula}: {status}, {said:?}: {answer:.300}");
                }
            }
            let (status, answer) = ask(&expression(&format!("if(1, 7, len('' .. {call}))")));
            assert_eq!((status, &answer["value"]), (200, &json!(7.0)), "{call} is not called");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let (status, answer) = ask(&expression("mark_()"));
    assert!(status == 422 && answer["detail"].as_str().unwrap().contains("readonly"), "{answer}");
    assert_eq!(ask(&expression("marked()")).1["value"], "1 nil", "nothing is left of it");
    assert_eq!(shown(&program), before);
    // It goes on with what comes in as one that nobody has asked anything.
    let other_home = tempfile::tempdir().unwrap();
    let other = start(other_home.path());
    for panel in [&program, &other] {
        panel.wait_for_post("/api/v1/ingest", r#"{"count":7,"word":"open"}"#, 200);
        panel.wait_for("/api/v1/values", |_, body| body.contains(r#""value":14.0"#));
    }
    let picture = |panel: &Program| panel.get("/api/v1/frame.png").1;
    let same = || {
        let (ours, theirs) = (picture(&program), picture(&other));
        if ours == theirs && ours != before.0 { Ok(()) } else { Err("the pictures differ".into()) }
    };
    crate::program::wait_until("they never show the same", same);
    for panel in [program, other] {
        let said = panel.said();
        assert!(!said.contains("panicked") && !said.contains("broke a limit"), "{said}");
        assert_eq!(panel.terminate(), Some(0));
    }
}

/// What a function has truly read is in the graph of a panel that runs, also where its text does not say so.
#[test]
fn the_graph_shows_what_was_read() {
    let home = tempfile::tempdir().unwrap();
    let program = start(home.path());
    let edge = r#"{"from":"key:door.word","to":"script:read"}"#;
    let graph = program.wait_for("/api/v1/graph", |_, body| body.replace([' ', '\n'], "").contains(edge));
    let graph: Json = serde_json::from_str(&graph).unwrap();
    let node =
        |id: &str| graph["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap().clone();
    assert!(node("script:read")["steps"].as_u64() > Some(0), "{graph}");
    assert_eq!(node("script:read")["detail"], "good.lua:3");
    assert!(node("script:forever")["steps"].is_null(), "nothing has called it");
    assert_eq!(program.terminate(), Some(0));
}

/// Many at the same time: as many as there is room for are evaluated, the others are told to wait, and nobody is
/// forgotten.
#[test]
fn many_at_once_are_answered() {
    let home = tempfile::tempdir().unwrap();
    let program = start(home.path());
    let before = shown(&program);
    let formulas = ["forever()", "eat()", "double(2)", "long()", "avg(door.count, 7d)", "deep()"];
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..48)
            .map(|number| {
                let (program, body) = (&program, expression(formulas[number as usize % formulas.len()]));
                scope.spawn(move || ask(program, 1_000 + number, &body).0)
            })
            .collect();
        for asked in all {
            let status = asked.join().unwrap();
            assert!(matches!(status, 200 | 422 | 429 | 503), "{status}");
        }
    });
    let again = || match ask(&program, 2_000, &expression("double(21)")) {
        (200, answer) => Ok(answer["value"].clone()),
        other => Err(format!("{other:?}")),
    };
    assert_eq!(crate::program::wait_until("there is never room again", again), 42.0);
    assert_eq!(shown(&program), before);
    assert_eq!(program.terminate(), Some(0));
}
