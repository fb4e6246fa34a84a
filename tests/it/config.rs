//! Configurations, good and bad, as users meet them.

mod broken;
mod limits;
mod mutated;

use std::path::Path;

use tinydisplay::config::report::Report;
use tinydisplay::config::{self, Origin};

/// Every kind of broken line gives a message that names what, where and what to write instead.
#[test]
fn broken() {
    let (mut all, mut unnoticed) = (String::new(), Vec::new());
    for (name, lines) in broken::CASES {
        let report = report(&broken::complete(name, lines));
        if report.problems().is_empty() {
            unnoticed.push(name);
        }
        all += &format!("=== {name} ===\n{}\n", report.render(false));
    }
    insta::assert_snapshot!(all);
    assert!(unnoticed.is_empty(), "nothing is said about {unnoticed:?}");
}

/// The panels that come with the program have no problems, not even warnings.
#[test]
fn panels() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let panels: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|ending| ending == "toml")).collect();
    assert!(panels.len() >= 4, "{panels:?}");
    for panel in panels {
        let report = config::load(&panel, Origin::machine("desk"))
            .map_or_else(|report| *report, |config| config.warnings);
        assert!(report.problems().is_empty(), "{}", report.render(false));
    }
}

/// The manual's examples are right, and together they name every key that the schema has.
#[test]
fn manual() {
    let blocks = manual_blocks();
    assert!(blocks.len() > 10);
    for block in &blocks {
        let report = report(block);
        // An example of values needs nothing that shows them.
        let serious = report.problems().iter().any(|problem| problem.code != "unused-value");
        assert!(!serious, "{}", report.render(false));
    }
    let schema = serde_json::to_value(config::schema::schema()).unwrap();
    let mut keys = Vec::new();
    collect_keys(&schema, &mut keys);
    let missing: Vec<&String> = keys.iter().filter(|key| !names(&blocks, key)).collect();
    assert!(missing.is_empty(), "no example has {missing:?}");
}

/// The manual's examples, each completed to a whole configuration.
fn manual_blocks() -> Vec<String> {
    let manual = std::fs::read_to_string("docs/configuration.md").unwrap();
    let blocks = manual.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(|block| broken::complete("", block)).collect()
}

fn collect_keys(schema: &serde_json::Value, keys: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(|properties| properties.as_object()) {
        keys.extend(properties.keys().cloned());
    }
    match schema {
        serde_json::Value::Object(object) => object.values().for_each(|value| collect_keys(value, keys)),
        serde_json::Value::Array(items) => items.iter().for_each(|value| collect_keys(value, keys)),
        _ => {}
    }
}

fn names(blocks: &[String], key: &str) -> bool {
    let starts = [format!("{key} ="), format!("[{key}"), format!("[[{key}"), format!(".{key}]")];
    blocks.iter().any(|block| starts.iter().any(|start| block.contains(start.as_str())))
}

/// What is said of a configuration.
fn report(text: &str) -> Report {
    match config::parse("panel.toml", text, Path::new("tests/it/data")) {
        Ok(config) => config.warnings,
        Err(report) => *report,
    }
}

/// Formulas know the machine and the device by name, and a value goes before both.
#[test]
fn names_of_the_machine() {
    use actors::expression::chunk::Evaluator;
    use engine::formula::FormulaId;
    use engine::tick::{Fps, Tick};
    use engine::value::Value;

    let shown = |lines: &str, formula: &str, host: &str| {
        let text = broken::complete("", &format!("{lines}\n[value]\nhost2 = \"{formula}\"\n"));
        let config = config::parse_on("panel.toml", &text, Path::new(""), Origin::machine(host)).unwrap();
        assert_eq!(config.panel.host, host);
        let mut evaluator = Evaluator::new(config.panel.program, Fps::default()).unwrap();
        evaluator.run(Tick(0)).unwrap();
        evaluator.value(FormulaId(0))
    };
    let text = |text: &str| Some(Value::from(text));
    assert_eq!(shown("", "host .. '/' .. device", "pi"), text("pi/pi"));
    assert_eq!(shown("[display]\ndevice = \"kitchen\"\n", "host .. '/' .. device", "pi"), text("pi/kitchen"));
    assert_eq!(shown("[theme.a]\nok = \"#00ff00\"\n", "theme.ok", "pi"), text("#00ff00"));
    assert_eq!(shown("", "mix(theme.background, theme.background, 0.5)", "pi"), text("#0b0e14"));
}
