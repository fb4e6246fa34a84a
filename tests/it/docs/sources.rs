//! Sources: the tables of their keys, states and reasons, and the files that are played back.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use actors::source::{KeySpec, Kind, generator, playback, system, time};
use engine::formula;
use engine::ring::intake::Rejection;
use engine::sample::SourceState;

use super::{Page, cells};

fn page() -> Page {
    Page::read("docs/sources.md")
}

/// How a key's unit is written.
fn unit(key: &KeySpec) -> &str {
    if key.kind == formula::Kind::Text { "text" } else { key.unit }
}

fn table(keys: &[KeySpec]) -> String {
    let mut table = String::from("| key | unit | meaning |\n|---|---|---|\n");
    for key in keys {
        let unit = format!(" {}", unit(key));
        let _ = writeln!(table, "| `{}` |{} | {} |", key.name, unit.trim_end(), key.description);
    }
    table
}

/// One test for all tables of the page, since each may write the whole of it.
#[test]
fn keys_are_those_of_clocks_and_generators() {
    let (every, period) = (Duration::from_secs(1), Duration::from_secs(60));
    let wave = generator::Wave { shape: generator::Shape::Sine, min: 0.0, max: 100.0, period, every };
    let wave = generator::Options { wave, faults: Vec::new() };
    for kind in [Kind::Time(time::Options::default()), Kind::Generator(wave)] {
        page().check_region(&format!("keys of {}", kind.name()), &table(&kind.keys().unwrap()));
    }
}

/// What a machine has differs from the next one's: each of its keys is in the table, by name or by pattern,
/// with its unit, and each key without a pattern is one of every machine.
#[test]
fn keys_are_those_of_machines() {
    let page = page();
    let (_, region) = page.text.split_once("<!-- keys of system -->").unwrap();
    let (region, _) = region.split_once("<!-- /keys of system -->").unwrap();
    let rows: Vec<Vec<&str>> = region.lines().skip(3).filter_map(cells).collect();
    let keys = Kind::System(system::Options { every: Duration::from_secs(1) }).keys().unwrap();
    for key in &keys {
        let row = rows.iter().find(|row| row[0] == &*key.name);
        let row = row.or_else(|| rows.iter().find(|row| fits(row[0], &key.name)));
        let row = row.unwrap_or_else(|| panic!("docs/sources.md does not know `{}`", key.name));
        assert_eq!(row[1], unit(key), "the unit of `{}`", key.name);
    }
    for row in rows.iter().filter(|row| !row[0].contains('…')) {
        assert!(keys.iter().any(|key| &*key.name == row[0]), "there is no key `{}`", row[0]);
    }
}

/// Whether `` `net_NAME_rx`, … `` stands for a key.
fn fits(pattern: &str, key: &str) -> bool {
    let Some(pattern) = pattern.strip_prefix('`').and_then(|p| p.strip_suffix("`, …")) else {
        return false;
    };
    if let Some(stem) = pattern.strip_suffix('0') {
        return key.strip_prefix(stem).is_some_and(|core| core.parse::<u32>().is_ok());
    }
    let (stem, end) = pattern.split_once("NAME").unwrap();
    key.len() > stem.len() + end.len()
        && key.starts_with(stem)
        && key.ends_with(end)
        && (!end.is_empty() || !["_used", "_total"].iter().any(|end| key.ends_with(end)))
}

#[test]
fn files_are_played_back() {
    let page = page();
    let folder = tempfile::tempdir().unwrap();
    for (name, language) in [("lab.csv", "csv"), ("lab.jsonl", "json")] {
        let file = folder.path().join(name);
        fs::write(&file, page.blocks_in(language)[0]).unwrap();
        let keys = Kind::Playback(playback::Options { file, speed: 10.0, repeat: true }).keys().unwrap();
        let told: Vec<_> = keys.iter().map(|key| (&*key.name, key.kind, key.range)).collect();
        let number = formula::Kind::Number;
        let expected = [
            ("door", number, (0.0, 1.0)),
            ("mode", formula::Kind::Text, (0.0, 0.0)),
            ("temperature", number, (20.5, 21.1)),
        ];
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn states_and_reasons_are_listed() {
    let page = page();
    let first_cells = |heading: &str| -> Vec<String> {
        let (_, table) = page.text.split_once(heading).unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        rows.map(|row| cells(row).unwrap()[0].to_string()).collect()
    };
    assert_eq!(first_cells("| state | meaning |"), SourceState::ALL.map(SourceState::name));
    assert_eq!(first_cells("| reason | the value |"), Rejection::ALL.map(Rejection::name));
}
