//! Logs of the real program: their forms, and what they never say.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

use crate::program::{PATIENCE, Program, wait_until};

/// A panel with a source that fails.
const FAILING: &str = r##"
    version = 1
    [source.lost]
    kind = "playback"
    file = "lost.csv"
    [keys]
    "lost.value" = {}
    [page.main]
    widgets = [{ kind = "text", at = [0, 0], size = [160, 20], text = "{lost.value}", color = "#fff" }]
"##;

/// Runs the panel for a second.
fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let panel = folder.join("panel.toml");
    std::fs::write(&panel, FAILING).unwrap();
    Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
        .args(arguments)
        .args([
            "run",
            panel.to_str().unwrap(),
            "--ticks",
            "60",
            "--output",
            "null",
            "--listen",
            "127.0.0.1:0",
        ])
        .env_remove("TINYDISPLAY_LOG")
        .env_remove("TINYDISPLAY_LOG_FORMAT")
        .env_remove("JOURNAL_STREAM")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn logs_come_in_the_form_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], variables: &[(&str, &str)], is_json: bool| {
        let output = run(folder.path(), arguments, variables);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let lines: Vec<&str> = said.lines().filter(|line| line.contains("an actor failed")).collect();
        assert!(!lines.is_empty(), "{said}");
        for line in lines {
            match serde_json::from_str::<Json>(line) {
                Ok(entry) => {
                    assert!(is_json, "{line}");
                    assert_eq!(
                        (&entry["level"], &entry["actor"]),
                        (&"WARN".into(), &"source.lost".into()),
                        "{line}"
                    );
                    assert!(entry["error"].as_str().unwrap().contains("lost.csv"), "{line}");
                }
                Err(_) => assert!(!is_json && line.contains("WARN") && line.contains("lost.csv"), "{line}"),
            }
        }
    };
    check(&[], &[], false);
    check(&["--log-format", "text"], &[("TINYDISPLAY_LOG_FORMAT", "json")], false);
    check(&["--log-format", "json"], &[], true);
    check(&[], &[("TINYDISPLAY_LOG_FORMAT", "json")], true);
    // Standard error is not that stream.
    check(&[], &[("JOURNAL_STREAM", "1:2")], false);
}

#[test]
fn a_form_that_does_not_exist_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &[], &[("TINYDISPLAY_LOG_FORMAT", "xml")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("TINYDISPLAY_LOG_FORMAT is \"xml\"; write `text`, `json` or `journald`"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(run(folder.path(), &["--log-format", "xml"], &[]).status.code(), Some(2));
}

#[test]
fn a_failure_that_goes_on_is_logged_five_times_and_then_counted() {
    let folder = tempfile::tempdir().unwrap();
    let panel = folder.path().join("panel.toml");
    // Eight sources, each a cause of its own, that fail as often as they are started.
    let sources: String =
        (0..8).map(|n| format!("[source.s{n}]\nkind = \"playback\"\nfile = \"lost.csv\"\n")).collect();
    let page = "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"x\", color = \"#fff\" }]\n";
    std::fs::write(&panel, format!("version = 1\n{sources}{page}")).unwrap();
    // A filter that speaks of where they come from alone.
    let variables = [("TINYDISPLAY_LOG", "actors::supervisor=warn")];
    let arguments = [panel.to_str().unwrap(), "--output", "null"];
    let program = Program::start_in(folder.path(), &arguments, &variables);
    assert!(PATIENCE.as_secs() > 20, "two periods of ten seconds");
    let said = wait_until("what was left out is not told", || {
        let said = program.said();
        if said.contains("left out") { Ok(said) } else { Err(said) }
    });
    let told = said.lines().find(|line| line.contains("left out")).unwrap();
    assert!(told.contains("tinydisplay::log") && told.contains("actors::supervisor"), "{told}");
    let (_, who) = told.split_once("who=").unwrap();
    let who = who.split(' ').next().unwrap();
    let before = said.lines().take_while(|line| *line != told);
    let written = before.filter(|line| line.contains("an actor failed") && line.contains(who)).count();
    // Five in the first ten seconds, and some of the next ones where the telling came late.
    assert!(who.starts_with("actor=\"source.s") && (5..=10).contains(&written), "{written} of {who}\n{said}");
    assert_eq!(program.terminate(), Some(0));
}

/// Whatever is logged, at any level: what a client sends as a secret is not in it, nor the panel's own.
#[test]
fn secrets_are_not_logged() {
    const SECRET: &str = "hunter2-correct-horse";
    for http in ["", "[http]\ntoken = { env = \"PANEL_TOKEN\" }\n"] {
        let folder = tempfile::tempdir().unwrap();
        let panel = folder.path().join("panel.toml");
        std::fs::write(&panel, format!("{FAILING}\n{http}")).unwrap();
        let variables =
            [("TINYDISPLAY_LOG", "trace"), ("TINYDISPLAY_LOG_FORMAT", "json"), ("PANEL_TOKEN", SECRET)];
        let arguments = [panel.to_str().unwrap(), "--output", "null"];
        let program = Program::start_in(folder.path(), &arguments, &variables);
        program.wait_for("/healthz", |status, _| status == 200);
        let ask = |path: &str| {
            let mut stream = std::net::TcpStream::connect(&program.address).unwrap();
            let host = &program.address;
            let head =
                format!("Authorization: Bearer {SECRET}\r\nCookie: token={SECRET}\r\nConnection: close");
            write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n{head}\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        for path in ["/", "/metrics", "/api/v1/values", "/api/v1/config", "/nothing", "/ws"] {
            program.get(&format!("{path}?token={SECRET}"));
            let answer = ask(path);
            assert!(!answer.contains(SECRET), "{path}: {answer}");
        }
        let metrics = wait_until("requests are not counted", || {
            let metrics = ask("/metrics");
            if metrics.contains("tinydisplay_http_requests_total") { Ok(metrics) } else { Err(metrics) }
        });
        assert!(metrics.starts_with("HTTP/1.1 200") && !metrics.contains(SECRET), "{metrics}");
        let said = program.said();
        assert!(said.lines().count() > 1, "there is something to look through: {said}");
        assert!(!said.contains(SECRET), "{said}");
        assert_eq!(program.terminate(), Some(0));
    }
}
