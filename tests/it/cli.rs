//! The command line: what goes where, and how it ends.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The program's answer to `arguments` and standard input `input`.
pub(super) fn tinydisplay(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who does not read its input has closed it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// A run with exit status `status`: its standard output and standard error.
pub(super) fn check(arguments: &[&str], status: i32) -> (String, String) {
    let output = tinydisplay(arguments, b"");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{out}\n{err}");
    (out, err)
}

#[test]
fn usage_errors_end_with_2_and_say_what_is_possible() {
    for (arguments, hint) in [
        (&["chekc"][..], "check"),
        (&["check"], "<CONFIG>"),
        (&["check", "a.toml", "b.toml"], "b.toml"),
        (&["eval"], "<EXPRESSION>"),
        (&["eval", "--batch", "1"], "--batch"),
        (&["eval", "--set", "a", "1"], "KEY=VALUE"),
        (&["simulate", "a.toml"], "--ticks"),
        (&["simulate", "a.toml", "--ticks", "0"], "0"),
        (&["simulate", "a.toml", "--ticks", "many"], "many"),
        (&["render", "a.toml", "--tick", "1", "--out", "a.gif"], ".png"),
        (&["run", "a.toml", "--output", "hologram"], "hologram"),
        (&["run", "a.toml", "--listen", "here"], "127.0.0.1"),
        (&["completions", "csh"], "bash"),
    ] {
        let (out, err) = check(arguments, 2);
        assert!(out.is_empty(), "{arguments:?} wrote {out}");
        assert!(err.contains(hint), "{arguments:?} does not speak of {hint}: {err}");
    }
}

#[test]
fn help_and_version_are_results() {
    let (out, err) = check(&["--help"], 0);
    for verb in ["run", "check", "simulate", "record", "render", "eval", "functions", "schema", "completions"]
    {
        assert!(out.contains(&format!("\n  {verb} ")), "{verb} is missing:\n{out}");
    }
    assert!(err.is_empty());
    assert_eq!(check(&["--version"], 0).0, format!("tinydisplay {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
pub(super) fn check_says_what_is_wrong_on_standard_error() {
    let (out, err) = check(&["check", "tests/it/data/broken.toml"], 1);
    assert!(out.is_empty(), "{out}");
    insta::assert_snapshot!(err);
    let (out, err) = check(&["check", "tests/it/data/good.toml"], 0);
    assert_eq!((out.as_str(), err.as_str()), ("tests/it/data/good.toml: no problems\n", ""));
}

#[test]
pub(super) fn check_says_it_to_programs_too() {
    let (out, err) = check(&["check", "--json", "tests/it/data/broken.toml"], 1);
    assert!(err.is_empty(), "{err}");
    let problems: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<_> = problems.iter().map(|p| (p["line"].as_u64(), p["column"].as_u64())).collect();
    assert_eq!(places, [(Some(4), Some(1)), (Some(6), Some(9))]);
    assert_eq!(problems[0]["code"], "unknown-key");
    assert_eq!(problems[0]["candidates"][0], "fps");
    assert_eq!(problems[1]["end_column"], 18);
    assert!(problems.iter().all(|problem| problem["type"] == "problem"));
}

#[test]
fn check_tells_programs_of_windows_and_functions() {
    let folder = tempfile::tempdir().unwrap();
    let panel = folder.path().join("panel.toml");
    let text = "version = 1\n[source.room]\nkind = \"generator\"\nshape = \"walk\"\n\
        [scripts]\nfiles = [\"a.lua\"]\n[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], \
        size = [99, 9], text = \"{avg(room.value, 5m)} {max_over(room.value, 5m)} {sum(room.value, 7d)} \
        {delta(room.value)} {word(2)} {word(3)}\" }]\n";
    std::fs::write(&panel, text).unwrap();
    let script =
        "\n--- A word.\nfunction word(n: number, m: number?): string return 'w' end\nfunction idle() end";
    std::fs::write(folder.path().join("a.lua"), script).unwrap();
    let (out, _) = check(&["check", "--json", panel.to_str().unwrap()], 0);
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).collect::<Vec<_>>();
    let windows = of("window");
    let spans: Vec<_> = windows.iter().map(|line| (&line["key"], &line["span"], &line["pane_ms"])).collect();
    let (key, null) = (serde_json::json!("room.value"), serde_json::Value::Null);
    let (short, long) = (serde_json::json!("5m"), serde_json::json!("7d"));
    let panes = [serde_json::json!(1_000), serde_json::json!(84_000)];
    assert_eq!(spans, [(&key, &null, &null), (&key, &short, &panes[0]), (&key, &long, &panes[1])]);
    assert!(windows[1]["samples"].as_u64() > Some(1_000), "{out}");
    let each: u64 = windows.iter().map(|line| line["bytes_max"].as_u64().unwrap()).sum();
    let all = of("windows");
    assert!(each > 0 && all[0]["bytes_max"].as_u64() >= Some(each), "{out}");
    assert_eq!((all.len(), all[0]["count"].as_u64()), (1, Some(3)));
    let functions: Vec<_> = of("function").into_iter().cloned().collect();
    let function = |name: &str, signature: &str, result: &str, line: u32, calls: u32| {
        serde_json::json!({ "type": "function", "name": name, "signature": signature, "result": result,
                            "file": "a.lua", "line": line, "calls": calls })
    };
    assert_eq!(
        functions,
        [function("word", "word(n[, m])", "text", 3, 2), function("idle", "idle()", "number", 4, 0)]
    );
    assert_eq!(lines.len(), 6, "{out}");
}

#[test]
fn the_catalogue_has_the_functions_of_scripts() {
    let listed = |arguments: &[&str]| {
        let (out, _) = check(&[&["functions", "--json"], arguments].concat(), 0);
        serde_json::from_str::<Vec<serde_json::Value>>(&out).unwrap()
    };
    let built_in = listed(&[]).len();
    let comfort = listed(&["--script", "scripts/comfort.lua"]);
    assert_eq!(comfort.len(), built_in + 5);
    assert_eq!(
        comfort,
        listed(&["--config", "config/comfort.toml"])
            .into_iter()
            .map(|mut function| {
                if let Some(file) = function.get_mut("file") {
                    *file = "scripts/comfort.lua".into();
                }
                function
            })
            .collect::<Vec<_>>()
    );
    let expected = serde_json::json!({
        "name": "feels_like",
        "description": "How warm it feels, in degrees Celsius: Steadman's apparent temperature in the shade without wind",
        "category": "Script",
        "signature": "feels_like(celsius, humidity)",
        "aliases": [],
        "example": "",
        "result": "",
        "min_arguments": 2,
        "max_arguments": 2,
        "file": "scripts/comfort.lua",
        "line": 20,
    });
    assert!(comfort.contains(&expected), "{comfort:?}");
    let (out, _) =
        check(&["functions", "--script", "scripts/traffic.lua", "--script", "scripts/alarm.lua"], 0);
    let (_, scripts) = out.split_once("\nScript\n").unwrap();
    let lines: Vec<_> = scripts.lines().collect();
    assert_eq!(lines.len(), 5, "{out}");
    let line =
        lines.iter().find(|line| line.trim_start().starts_with("line_load(bytes[, capacity])")).unwrap();
    assert!(line.contains("  scripts/traffic.lua:27: How full a line is"), "{line}");
    let (_, err) = check(&["functions", "--script", "nowhere.lua"], 1);
    assert!(err.contains("cannot be read"), "{err}");
    let (_, err) = check(&["functions", "--config", "tests/it/data/broken.toml"], 1);
    assert!(err.contains("broken.toml:4:1"), "{err}");
}

#[test]
pub(super) fn check_needs_a_file_that_is_text() {
    for (file, message) in [
        ("tests/it/data/missing.toml", "No such file"),
        ("tests/it", "directory"),
        ("tests/it/data/binary.toml", "no UTF-8 text"),
        ("/dev/zero", "more than 1048576 bytes"),
    ] {
        let (out, err) = check(&["check", file], 1);
        assert!(out.is_empty());
        assert!(err.contains(file) && err.contains(message), "{err}");
    }
}

#[test]
fn other_verbs_refuse_a_broken_configuration() {
    for arguments in [
        &["run", "tests/it/data/broken.toml"][..],
        &["simulate", "tests/it/data/broken.toml", "--ticks", "1"],
        &["record", "tests/it/data/broken.toml", "--out", "never-written"],
        &["render", "tests/it/data/broken.toml", "--tick", "1", "--out", "never-written.png"],
    ] {
        let (out, err) = check(arguments, 1);
        assert!(out.is_empty(), "{out}");
        assert!(err.contains("broken.toml:4:1"), "{err}");
    }
    assert!(!std::path::Path::new("never-written").exists());
}

#[test]
fn the_schema_is_json() {
    let (out, _) = check(&["schema"], 0);
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["required"], serde_json::json!(["version", "page"]));
    assert!(!out.contains("\"null\"]"), "TOML has no null");
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (out, _) = check(&["completions", shell], 0);
        assert!(out.contains("simulate") && out.contains("ticks"), "{shell}");
    }
}

/// `tinydisplay schema | head -1` ends without a word.
#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn a_missing_character_is_reported_once_and_without_colors_in_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let panel = folder.path().join("panel.toml");
    let text = "version = 1\n[page.main]\n\
        widgets = [{ kind = \"text\", at = [8, 8], size = [140, 20], text = \"\u{6f22} {tick}\" }]\n";
    std::fs::write(&panel, text).unwrap();
    let (_, err) = check(&["simulate", panel.to_str().unwrap(), "--ticks", "30"], 0);
    let reports: Vec<_> = err.lines().filter(|line| line.contains("no bundled font")).collect();
    assert_eq!(reports.len(), 1, "{err}");
    assert!(reports[0].contains('\u{6f22}') && !err.contains('\u{1b}'), "{err:?}");
}
