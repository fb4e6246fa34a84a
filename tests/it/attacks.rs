//! Scripts that attack the sandbox. Each ends as its first line accepts, twice the same, and in time.
//!
//! The form of a file in `attacks/`: line 1 `-- expect: A|B` lists the accepted outcomes, which are
//! `error:KIND`, `ok:TEXT` with what the script returned, or `stable` for any that does not change from run
//! to run; line 2 says what is attacked. `--@@script B` splits a file into two scripts, run one after the
//! other, of which the second counts. `@@REP(n,"text")@@` stands for a repetition, and `@@BYTES(hex)@@` for
//! bytes as the whole file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use super::program::PATIENCE;

struct Attack {
    name: String,
    accepted: Vec<String>,
    scripts: Vec<Vec<u8>>,
}

impl Attack {
    fn read(path: &Path) -> Attack {
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let (first, rest) = text.split_once('\n').unwrap();
        let accepted = first.strip_prefix("-- expect: ").unwrap_or_else(|| panic!("{name}: line 1"));
        assert!(rest.starts_with("-- note: "), "{name}: line 2");
        let body = rest.split_once('\n').unwrap().1;
        let scripts = body.split("--@@script B\n").map(expanded).collect();
        Attack { name, accepted: accepted.split('|').map(String::from).collect(), scripts }
    }

    /// What comes of it, as the first line of its file writes it, and what was said of it.
    fn outcome(&self) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = |(index, script): (usize, &Vec<u8>)| {
            let path = folder.path().join(format!("{}.lua", ["a", "b"][index]));
            fs::write(&path, script).unwrap();
            path
        };
        let files: Vec<PathBuf> = self.scripts.iter().enumerate().map(file).collect();
        let Output { status, stdout, stderr } = run(&files, &self.name);
        let said = String::from_utf8(stderr).unwrap();
        let outcome = match status.code() {
            Some(0) => format!("ok:{}", String::from_utf8(stdout).unwrap().trim_end_matches('\n')),
            Some(1) => {
                assert!(stdout.is_empty(), "{}: {stdout:?}", self.name);
                let error = said.lines().find_map(|line| line.strip_prefix("error: "));
                let error = error.unwrap_or_else(|| panic!("{}: {said}", self.name));
                let (kind, place) = error.split_once(": ").unwrap();
                assert!(is_placed(place), "{}: {said}", self.name);
                format!("error:{}", kind.replace('_', ""))
            }
            other => panic!("{}: it ended with {other:?}: {said}", self.name),
        };
        let is_plain = said.chars().all(|c| c == '\n' || !c.is_control());
        assert!(is_plain && !said.contains('\u{202e}'), "{}: {said:?}", self.name);
        let longest = said.lines().map(|line| line.len()).max().unwrap_or(0);
        assert!(longest < 1_000, "{}: {longest}", self.name);
        (outcome, said.replace(folder.path().to_str().unwrap(), ""))
    }
}

/// Whether an error begins with `FILE:LINE: `.
fn is_placed(error: &str) -> bool {
    let mut parts = error.splitn(3, ':');
    let (file, line) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    file.ends_with(".lua") && line.parse::<u32>().is_ok_and(|line| line > 0)
}

fn run(files: &[PathBuf], name: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tinydisplay"));
    command.arg("script").args(files).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let id = child.id();
    let (told, ended) = std::sync::mpsc::channel();
    let waiting = thread::spawn(move || told.send(child.wait_with_output().unwrap()).unwrap());
    let output = ended.recv_timeout(PATIENCE);
    if output.is_err() {
        let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
    }
    waiting.join().unwrap();
    output.unwrap_or_else(|_| panic!("{name} hangs"))
}

/// The text with its abbreviations written out.
fn expanded(text: &str) -> Vec<u8> {
    if let Some(hex) = between(text, "@@BYTES(", ")@@") {
        let digits: Vec<char> = hex.1.chars().collect();
        let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
        return digits.chunks(2).map(byte).collect();
    }
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, inner, after)) = between(rest, "@@REP(", "\")@@") {
        let (count, repeated) = inner.split_once(",\"").unwrap();
        expanded.push_str(before);
        expanded.push_str(&repeated.repeat(count.parse().unwrap()));
        rest = after;
    }
    (expanded + rest).into_bytes()
}

fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, &'t str, &'t str)> {
    let (before, rest) = text.split_once(open)?;
    let (inner, after) = rest.split_once(close)?;
    Some((before, inner, after))
}

fn attacks() -> Vec<Attack> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/attacks");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| Attack::read(file)).collect()
}

#[test]
fn every_attack_is_contained_twice_the_same() {
    let attacks = attacks();
    assert!(attacks.len() >= 130, "{}", attacks.len());
    let mut offences = Vec::new();
    for attack in &attacks {
        let (outcome, said) = attack.outcome();
        let is_accepted = attack.accepted.iter().any(|accepted| *accepted == outcome || accepted == "stable");
        if !is_accepted {
            offences.push(format!("{}: {outcome} is not among {:?}: {said}", attack.name, attack.accepted));
        }
        let (again, _) = attack.outcome();
        if outcome != again {
            offences.push(format!("{}: {outcome}, and then {again}", attack.name));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}
