//! Recordings as users meet them: what does not work is said, and is a failure.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cli::check;

const PANEL: &str = r##"
version = 1
[source.wave]
kind = "generator"
shape = "saw"
every = "10ms"
[page.main]
widgets = [{ kind = "text", at = [0, 0], size = [160, 20], text = "{wave.value}" }]
[[output]]
kind = "null"
"##;

const HEADER: &str =
    r#"{"recording":1,"engine":"0.1.0","panel":"demo","fingerprint":"","fps":60,"seed":7,"start_ms":0}"#;

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Case {
        let case = Case { folder: tempfile::tempdir().unwrap() };
        fs::write(case.path("panel.toml"), PANEL).unwrap();
        case
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().into()
    }

    /// What simulating with this recording says on standard error.
    fn simulate(&self, recording: &str, status: i32) -> String {
        let input = self.path("run.jsonl");
        fs::write(&input, recording).unwrap();
        let panel = self.path("panel.toml");
        check(&["simulate", &panel, "--ticks", "3", "--input", &input], status).1
    }
}

#[test]
fn recordings_are_read_no_further_than_they_may_be_long() {
    let case = Case::new();
    let (_, err) = check(&["simulate", &case.path("panel.toml"), "--ticks", "1", "--input", "/dev/zero"], 1);
    assert!(err.contains("/dev/zero:1: this line is longer than"), "{err}");
}

#[test]
fn what_is_left_out_of_a_recording_is_told() {
    let case = Case::new();
    let samples =
        r#"{"tick":1,"samples":[["wave","value",1],["attic","a",1],["cellar","b",2],["attic","a",1]]}"#;
    let err = case.simulate(&format!("{HEADER}\n{samples}\n"), 0);
    let warning = "the panel lacks sources of the recording, whose data is left out: attic, cellar\n";
    assert_eq!(err.matches(warning).count(), 1, "{err}");
    assert_eq!(err.lines().count(), 2, "and of the other configuration: {err}");
    let err = case.simulate(&format!("{HEADER}\n{samples}\n{}", &samples[..30]), 0);
    assert!(err.contains("run.jsonl:3: the recording was interrupted in this line"), "{err}");
}

#[test]
fn a_recording_that_cannot_be_begun_fails_at_once() {
    let case = Case::new();
    for (file, message) in [("/dev/full", "No space left"), ("/nowhere/run.jsonl", "No such file")] {
        let (_, err) = check(&["record", &case.path("panel.toml"), "--out", file], 1);
        assert!(err.contains(file) && err.contains(message), "{err}");
    }
}

/// The shell's limit is half a kilobyte or a whole one: the header fits, a second of samples does not.
#[test]
fn a_recording_that_cannot_be_finished_fails_the_run() {
    let case = Case::new();
    let out = case.path("run.jsonl");
    let script = format!(
        "trap '' XFSZ; ulimit -f 1; exec '{}' record '{}' --out '{out}' --ticks 60",
        env!("CARGO_BIN_EXE_tinydisplay"),
        case.path("panel.toml"),
    );
    let output = Command::new("sh").args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains(&format!("error: the recording cannot be used: {out}: File too large")), "{err}");
    // What was written before can be read.
    assert!(!actors::recording::Recording::read(Path::new(&out)).unwrap().inputs.is_empty());
}

/// `tinydisplay simulate … --hash | head -1` ends soon, without a word.
#[test]
fn a_simulation_ends_when_nobody_reads_its_hashes() {
    let case = Case::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
        .args(["simulate", &case.path("panel.toml"), "--ticks", "18446744073709551615", "--hash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}
