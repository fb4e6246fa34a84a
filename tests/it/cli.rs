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
