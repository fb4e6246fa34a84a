#![no_main]
//! Scripts: any bytes load and run, or fail as they are to; twice the same, within their limits, without a panic.

use std::rc::Rc;
use std::time::Duration;

use actors::expression::script::{File, Library, Limits, Script, View};
use engine::formula::functions::Function;
use engine::tick::Fps;
use engine::value::Value;
use libfuzzer_sys::fuzz_target;

/// Few steps, so that an endless loop is a quick one; the clock is to end none, since what it ends is not the
/// same twice.
const LIMITS: Limits =
    Limits { budget: 5_000, tick_budget: u64::MAX, memory: 4 << 20, backstop: Duration::from_secs(10) };

fuzz_target!(|bytes: &[u8]| {
    let once = outcome(bytes);
    assert_eq!(once, outcome(bytes), "a script does the same twice");
    let Ok(text) = str::from_utf8(bytes) else { return };
    let file = File { name: "fuzz.lua".into(), text: text.into() };
    let (library, problems) =
        Library::check(vec![file], LIMITS, &view(), |name| Function::named(name).is_some());
    for problem in &problems {
        let span = problem.diagnostic.span.clone();
        assert!(text.get(span).is_some(), "{problem:?} has no place");
    }
    if let Some(file) = library.files.first() {
        for function in library.functions.iter() {
            let mut script = Script::load(&file.name, file.text.as_bytes(), LIMITS, view()).expect("it was");
            let arguments = [Some(Value::Number(1.5)), Some(Value::from("text")), None];
            let count = function.max_arguments.unwrap_or(3).min(3).max(function.min_arguments.min(3));
            if let Ok(Some(Value::Number(number))) = script.call(&function.name, &arguments[..count], 7) {
                assert!(number.is_finite(), "a number that formulas see is finite");
            }
        }
    }
});

/// What loading and running a script comes to.
fn outcome(bytes: &[u8]) -> Result<String, String> {
    let ran = Script::load("fuzz.lua", bytes, LIMITS, view()).and_then(|mut script| script.run());
    ran.map_err(|failure| {
        assert!(!failure.by_clock, "the steps end it before the clock: {failure}");
        assert!(failure.line >= 1, "{failure:?} has no line");
        failure.to_string()
    })
}

fn view() -> Rc<View> {
    Rc::new(View::new(["cpu.percent"].into_iter(), [], Fps::default()))
}
