//! Sources that misbehave beside one that does not: the healthy one's data, and what is decided by it, are
//! the same as without them, and of what the others send nothing is lost that was not counted.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use actors::recording::{RecordedSample, Recording};
use actors::runtime::{self, Options, Time};
use engine::event::{Event, EventKind};

/// A minute of ticks.
const TICKS: u64 = 3_600;

/// The panel, with the faults or with none of them.
fn panel(faulty: bool, flood: &str) -> String {
    let source = |name: &str, faults: &str| {
        let faults = if faulty { faults } else { "" };
        format!(
            "[source.{name}]\nkind = \"generator\"\nshape = \"walk\"\nevery = \"20ms\"\non_full = \"block\"\n\
             stale_after = \"1s\"\nfaults = [{faults}]\n"
        )
    };
    let sources = [
        source("steady", ""),
        source("floods", flood),
        source("panics", "{ kind = \"panic\", every = \"3s\" }"),
        source("hangs", "{ kind = \"hang\", every = \"20s\" }"),
        source("fails", "{ kind = \"error\", chance = 0.02 }"),
        source("garbage", "{ kind = \"garbage\", chance = 0.3 }"),
    ];
    format!(
        r##"version = 1
[display]
seed = 7
{}
[animation.flash]
widget = "level"
duration = "100ms"
from = {{ opacity = 0 }}
[[trigger]]
name = "high"
when = "steady.value > 55"
cooldown = "50ms"
start = ["flash"]
[page.main]
widgets = [{{ kind = "text", id = "level", at = [4, 4], size = [152, 16], text = "{{steady.value:.1f}}" }}]
"##,
        sources.concat()
    )
}

/// What was decided, states of sources and restarts left out.
fn run(panel: &str, record: Option<&Path>) -> Vec<Event> {
    let config = tinydisplay::config::parse("panel.toml", panel, Path::new(""));
    let config = config.unwrap_or_else(|report| panic!("{}", report.render(false)));
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let options = Options {
        time: Time::Virtual,
        ticks: Some(TICKS),
        record: record.map(Into::into),
        on_event: Some(Box::new(move |event| seen.lock().unwrap().push(event.clone()))),
        ..Options::default()
    };
    runtime::run(config.panel, options, |_| {}).unwrap();
    let is_decided =
        |event: &Event| !matches!(event.kind, EventKind::SourceState | EventKind::ActorRestarted);
    events.lock().unwrap().iter().filter(|event| is_decided(event)).cloned().collect()
}

/// The samples of each source in the order in which they were sealed, with their ticks.
fn samples(file: &Path) -> BTreeMap<String, Vec<(u64, RecordedSample)>> {
    let mut samples: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for inputs in Recording::read(file).unwrap().inputs {
        for sample in inputs.samples {
            samples.entry(sample.source.to_string()).or_default().push((inputs.tick, sample));
        }
    }
    samples
}

#[test]
fn a_healthy_source_beside_broken_ones_is_as_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (clean, faulty) = (folder.path().join("clean.jsonl"), folder.path().join("faulty.jsonl"));
    let flood = "{ kind = \"flood\", at = \"10s\", rate = 100_000, for = \"1s\" }";
    let expected = run(&panel(false, flood), Some(&clean));
    let found = run(&panel(true, flood), Some(&faulty));
    assert!(expected.len() > 20, "{} events", expected.len());
    assert_eq!(found, expected);

    let (clean, faulty) = (samples(&clean), samples(&faulty));
    assert_eq!(clean["steady"].len(), 3_000);
    assert_eq!(faulty["steady"], clean["steady"], "the same samples at the same ticks");

    // Each of the others sends what it would have sent otherwise, as far as it came, and every number once.
    for (name, least) in [("floods", 102_000), ("panics", 1_000), ("fails", 100), ("garbage", 2_900)] {
        let found = &faulty[name];
        assert!(found.len() > least, "{name}: {}", found.len());
        let mut numbers: Vec<u64> = found.iter().map(|(_, sample)| sample.sequence).collect();
        assert!(numbers.is_sorted(), "{name}");
        let all = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "{name} sends no number twice");
        let gaps = numbers.last().unwrap() + 1 - all as u64;
        // Only garbage is numbered and refused.
        assert_eq!(gaps > 0, name == "garbage", "{name} has lost {gaps}");
        let mut values: Vec<_> = found.iter().map(|(_, sample)| &sample.value).collect();
        values.dedup();
        let without_faults = clean[name].iter().map(|(_, sample)| &sample.value);
        assert!(without_faults.zip(values).all(|(clean, found)| clean == found), "{name}");
    }
}

#[test]
fn a_lasting_flood_changes_no_decision() {
    let flood = "{ kind = \"flood\", at = \"5s\", rate = 100_000, for = \"10s\" }";
    assert_eq!(run(&panel(true, flood), None), run(&panel(false, flood), None));
}
