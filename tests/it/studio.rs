//! The studio's scripts, as far as they need no page, run by Node.js.
//! `TINYDISPLAY_TESTS_WITHOUT_NODE=1` does without.

use std::path::Path;
use std::process::Command;

/// Runs a script of checks beside the module that it is about.
fn check(module: &str, checks: &str) {
    if std::env::var_os("TINYDISPLAY_TESTS_WITHOUT_NODE").is_some() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(root.join(from), folder.path().join(to)).unwrap();
    copy(module, "module.mjs");
    copy(checks, "checks.mjs");
    let run = Command::new("node").arg("checks.mjs").current_dir(folder.path()).output();
    let run = run.expect("Node.js is to be installed, as tests/run does it");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn completion() {
    check("src/http/studio/completion.js", "tests/it/studio/completion.mjs");
}
