#![no_main]
//! Configuration files: any text is a panel, or a report that can be shown.

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let folder = Path::new("/nowhere");
    match tinydisplay::config::parse("fuzz.toml", text, folder) {
        Ok(config) => drop(config.warnings.render(false)),
        Err(report) => {
            let shown = report.render(true);
            assert!(!shown.is_empty(), "a report says what is wrong");
        }
    }
});
