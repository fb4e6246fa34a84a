//! Recordings: the example gives what the page says, and the page lists what a line can have.

use std::fs;

use actors::recording::{FILE_BYTES_MAX, LINE_BYTES_MAX, Recording};

use super::{Page, cells};
use crate::cli::check;

#[test]
fn the_example_gives_what_the_page_says() {
    let page = Page::read("docs/recordings.md");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    fs::write(path("panel.toml"), page.blocks_in("toml")[0]).unwrap();
    fs::write(path("hot.jsonl"), page.blocks_in("json")[0]).unwrap();
    let line = page.prose().find_map(|(_, line)| line.strip_prefix("`tinydisplay simulate ")).unwrap();
    let command = line.split('`').next().unwrap();
    let names = |word: &str| if word.contains('.') { path(word) } else { word.into() };
    let words = command.split(' ').map(names).collect::<Vec<String>>();
    let arguments: Vec<&str> = ["simulate"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let (out, err) = check(&arguments, 0);
    assert_eq!(out, "");
    assert_eq!(
        err,
        "warning: this recording was made with another configuration, or another version of it\n"
    );
    let events = fs::read_to_string(path("events.jsonl")).unwrap();
    assert_eq!(events.trim_end(), page.blocks_in("jsonl")[0]);
}

#[test]
fn members_and_limits_are_those_of_the_format() {
    let page = Page::read("docs/recordings.md");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("full.jsonl");
    let header = r#"{"recording":1,"engine":"","panel":"","fingerprint":"","fps":60,"seed":7,"start_ms":0,"host":"pi","states":true,"history":{"a":[[1,2.5]]},"past":{"a.b":[[1,2.5]]},"newest":{"a.b":1},"scripts":[["a.lua",""]],"state":{"a.lua":{"n":1}}}"#;
    let inputs = r#"{"tick":1,"samples":[["a","b",1]],"states":[["a","live"]],"signals":[["a"]],"restarts":[{"actor":"ring","cause":"hang","restarts":1}],"scripts":[["a.lua",""]],"ended":[["function",3,7]],"rebased_ms":5}"#;
    fs::write(&file, format!("{header}\n{inputs}\n")).unwrap();
    let recording = Recording::read(&file).unwrap();
    let members =
        |value: serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let known = [
        ("## The first line", members(serde_json::to_value(&recording.header).unwrap())),
        ("## Every other line", members(serde_json::to_value(&recording.inputs[0]).unwrap())),
    ];
    for (heading, members) in known {
        let (_, section) = page.text.split_once(heading).unwrap();
        let rows = section.trim_start().lines().skip(2).take_while(|line| line.starts_with('|'));
        let listed: Vec<&str> = rows.map(|row| cells(row).unwrap()[0]).collect();
        assert_eq!(listed, members, "{heading}");
    }
    let limits =
        format!("A line can have {} MiB and a file {} MiB", LINE_BYTES_MAX >> 20, FILE_BYTES_MAX >> 20);
    assert!(page.text.contains(&limits), "{limits}");
}
