//! Configurations, good and bad, as users meet them.

mod broken;

use std::path::Path;

use tinydisplay::config;

/// Every kind of broken line gives a message that names what, where and what to write instead.
#[test]
fn broken() {
    let (mut all, mut unnoticed) = (String::new(), Vec::new());
    for (name, lines) in broken::CASES {
        let text = broken::complete(name, lines);
        let report = match config::parse("panel.toml", &text, Path::new("tests/it")) {
            Ok(config) => config.warnings,
            Err(report) => *report,
        };
        if report.problems().is_empty() {
            unnoticed.push(name);
        }
        all += &format!("=== {name} ===\n{}\n", report.render(false));
    }
    insta::assert_snapshot!(all);
    assert!(unnoticed.is_empty(), "nothing is said about {unnoticed:?}");
}
