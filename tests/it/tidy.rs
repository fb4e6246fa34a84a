//! The house rules that no compiler checks, as ARCHITECTURE.md lists them. A rule that gets in the way is
//! changed here, in the open, and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

/// The most lines of a file, tests included.
const FILE_LINES_MAX: usize = 600;

/// The most lines of a function.
const FUNCTION_LINES_MAX: usize = 70;

/// The most lines of a message handler: it unpacks, calls the engine, sends.
const HANDLER_LINES_MAX: usize = 20;

/// Names that say nothing about what a room is for.
const EMPTY_NAMES: [&str; 8] = ["util", "utils", "helper", "helpers", "manager", "common", "types", "misc"];

/// What reads a clock or sleeps, and may therefore stand in the world alone, where a simulation replaces
/// it. Files outside the floors of the run (tests, benches) and the HTTP server's own time-outs are not
/// part of what is simulated.
const CLOCKS: [&str; 5] =
    ["Instant::now", "SystemTime::now", "thread::sleep", "tokio::time::sleep", "tokio::time::interval"];

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn is_below(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// The lines before the tests, with their numbers. Other things for tests alone, a rig's module say,
    /// end nothing.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<_> = self.text.lines().collect();
        let is_end = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests");
        let end = lines.windows(2).position(is_end).unwrap_or(lines.len());
        (1..).zip(lines).take(end).filter(|(_, line)| !is_comment(line))
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// All of the project's Rust files.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "engine", "actors", "tests", "benches", "fuzz"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    let read = |path: PathBuf| Source {
        text: fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(root).unwrap().into(),
    };
    let sources: Vec<_> = files.into_iter().map(read).collect();
    assert!(sources.len() > 50, "the walk found the project");
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn check(rule: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

#[test]
fn the_code_ends_where_the_tests_begin() {
    let check = |text: &str, expected: &[usize]| {
        let source = Source { path: PathBuf::new(), text: text.into() };
        let lines: Vec<_> = source.code().map(|(line, _)| line).collect();
        assert_eq!(lines, expected, "{text}");
    };
    check("a\n// b\nc", &[1, 3]);
    check("a\n#[cfg(test)]\nmod tests {\n}", &[1]);
    check("a\n#[cfg(test)]\nmod tests;", &[1]);
    check("a\n#[cfg(test)]\nmod rig;\nb\n#[cfg(test)]\nmod tests;", &[1, 2, 3, 4]);
}

#[test]
fn every_module_says_what_it_is() {
    let silent = |source: &Source| {
        let is_tests = source.path.ends_with("tests.rs");
        !is_tests && !source.text.starts_with("//!") && !source.text.starts_with("#![")
    };
    let offences = sources().iter().filter(|source| silent(source)).map(|source| source.place(1)).collect();
    check("every module begins with a //! that says what it is for", offences);
}

#[test]
fn files_are_one_idea() {
    let long = sources().into_iter().map(|source| (source.text.lines().count(), source));
    let long = long.filter(|(lines, _)| *lines > FILE_LINES_MAX);
    let offences = long.map(|(lines, source)| format!("{} has {lines} lines", source.path.display()));
    check("files have at most 600 lines", offences.collect());
}

#[test]
fn functions_fit_a_screen() {
    let mut offences = Vec::new();
    // Tests hold tables and pictures, which are long and still read at a glance.
    let is_test = |source: &Source| source.path.ends_with("tests.rs") || source.is_below("tests");
    for source in sources().into_iter().filter(|source| !is_test(source)) {
        for (line, name, length) in functions(&source.text) {
            if length > FUNCTION_LINES_MAX {
                offences.push(format!("{} {name} has {length} lines", source.place(line)));
            }
        }
    }
    check("functions have at most 70 lines", offences);
}

#[test]
fn handlers_decide_nothing() {
    let mut offences = Vec::new();
    for source in sources().iter().filter(|source| source.is_below("actors/src")) {
        let handlers = functions(&source.text).into_iter().filter(|(_, name, _)| name == "handle");
        for (line, _, length) in handlers.filter(|(_, _, length)| *length > HANDLER_LINES_MAX) {
            offences.push(format!("{} has {length} lines", source.place(line)));
        }
    }
    check("a handler unpacks a message, calls the engine and sends the result", offences);
}

#[test]
fn time_comes_from_the_world() {
    let is_world = |source: &Source| source.path.ends_with("actors/src/world.rs");
    let mut offences = Vec::new();
    let floors = sources().into_iter().filter(|s| s.is_below("engine/src") || s.is_below("actors/src"));
    for source in floors.filter(|source| !is_world(source)) {
        for (line, text) in source.code() {
            let clock = CLOCKS.iter().find(|clock| text.contains(*clock));
            offences.extend(clock.map(|clock| format!("{} {clock}", source.place(line))));
        }
    }
    check("clocks are read and sleeps are slept in actors/src/world.rs alone", offences);
}

#[test]
fn rooms_have_telling_names() {
    let mut offences = Vec::new();
    for source in sources() {
        let parts = source.path.with_extension("");
        let empty = parts.iter().find(|part| EMPTY_NAMES.contains(&part.to_str().unwrap_or_default()));
        offences.extend(empty.map(|_| source.path.display().to_string()));
        if source.path.ends_with("actors/src/messages.rs") {
            offences.push("a message sits beside the actor that receives it".into());
        }
        if source.path.ends_with("mod.rs") {
            offences.push(format!("{} should be named after its folder", source.path.display()));
        }
    }
    check("files are named after what they are for", offences);
}

#[test]
fn nothing_is_left_undone() {
    let marks = [["to", "do!("].concat(), ["unimpl", "emented!("].concat(), ["#[ig", "nore"].concat()];
    let mut offences = Vec::new();
    for source in sources() {
        for (line, text) in (1..).zip(source.text.lines()) {
            let mark = marks.iter().find(|mark| text.contains(*mark));
            offences.extend(mark.map(|mark| format!("{} {mark}", source.place(line))));
        }
    }
    check("no stub, and no test that nobody runs", offences);
}

#[test]
fn the_engine_is_pure() {
    let engine = sources().into_iter().filter(|source| source.is_below("engine/src"));
    let mut offences = Vec::new();
    for source in engine {
        if source.path.ends_with("engine/src/lib.rs") {
            assert!(source.text.contains("#![no_std]"), "the engine builds without std");
        }
        for (line, text) in source.code() {
            let is_test = source.path.ends_with("tests.rs") || source.is_below("engine/src/restart/tests");
            if text.contains("std::") && !text.contains("no_std") && !is_test {
                offences.push(source.place(line));
            }
        }
    }
    check("the engine uses core and alloc alone", offences);
}

/// Every function as (line, name, number of lines). Relies on rustfmt: a function ends at the first closing
/// brace that is indented as its first line is.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut functions = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let is_one_line = line.ends_with('}') || line.ends_with(';');
        let last = lines[index..].iter().position(|line| *line == end);
        let length = if is_one_line { 1 } else { last.map_or(1, |last| last + 1) };
        functions.push((index + 1, name, length));
    }
    functions
}

fn function_name(line: &str) -> Option<String> {
    let trimmed = line.trim_start();
    let rest = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "]
        .iter()
        .fold(trimmed, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    let name = rest.strip_prefix("fn ")?;
    Some(name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}
