//! Panels in which scripts do everything, while things go wrong and while the scripts change: what is told is
//! the same whatever fails, and a recording shows it again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use actors::expression::script::reloads::Reloads;
use actors::fault::{Fault, Faults};
use actors::panel::Panel;
use actors::recording::Recording;
use actors::runtime::{self, Options, Time};
use engine::event::{Event, EventKind};
use tinydisplay::config::{self, Origin};

use crate::core::{POINTS, rule, sealed};
use crate::program::Program;

/// No source sends anything: what happens is what scripts do.
const PANEL: &str = r##"
version = 1

[display]
seed = 7

[scripts]
files = ["maths.lua", "acts.lua"]

[keys]
"script.level" = { default = 0 }
"script.word" = { kind = "text", default = "none" }

[value]
level = "script.level"
shown = "shape(level, 3)"

[animation.flash]
widget = "lamp"
duration = "200ms"
from = { opacity = 0 }
to = { opacity = 1 }

[[trigger]]
name = "high"
when = "shape(level, 3) > 40"
start = ["flash"]

[page.main]
widgets = [
    { kind = "text", id = "numbers", at = [4, 4], size = [152, 16], text = "{shown:.2f} {roll(level):.4f}", font_size = 12, color = "#ffffff" },
    { kind = "text", id = "words", at = [4, 24], size = [152, 16], text = "{word_of(level)} {script.word}", font_size = 12, color = "#ffffff" },
    { kind = "shape", id = "lamp", at = [140, 50], size = [12, 12], figure = "ellipse", fill = "#ff4040" },
]
"##;

const MATHS: &str = r#"
local factor = 2
function shape(level: number, n: number): number
    return level * factor + n + math.sin(level)
end
function roll(level: number): number
    return math.random() + level + (get("shown") or 0)
end
function word_of(level: number): string
    return if level > 20 then "many" else "few"
end
"#;

const ACTS: &str = r#"
function on_event(name: string, event)
    if name == "trigger_activated" then
        state.high = (state.high or 0) + 1
        signal("seen", {times = state.high, ticks = state.n})
    elseif name == "animation_completed" then
        set("word", event.id .. event.tick)
        stop("flash")
    end
end
function on_tick(n: number)
    state.n = (state.n or 0) + 1
    if state.n % 3 == 0 then set("level", state.n % 50) end
    if n % 40 == 7 then start("flash") end
end
"#;

/// Two checkpoints and a little more.
const TICKS: u64 = 140;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("maths.lua"), MATHS).unwrap();
    fs::write(folder.path().join("acts.lua"), ACTS).unwrap();
    folder
}

fn panel(folder: &Path, text: &str) -> Panel {
    config::parse("panel.toml", text, folder)
        .unwrap_or_else(|report| panic!("{}", report.render(false)))
        .panel
}

/// What a run told the world.
#[derive(Debug, Default, PartialEq)]
struct Told {
    /// All but those that speak of failures.
    events: Vec<Event>,
    frames: BTreeMap<u64, u64>,
}

impl Told {
    /// The ticks of what was signalled as seen, with its numbers.
    fn seen(&self) -> Vec<(u64, f64, f64)> {
        let seen = self.events.iter().filter(|event| event.kind == EventKind::SignalReceived);
        let fact = |event: &Event, name: &str| {
            event.data.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.number()).unwrap()
        };
        seen.map(|event| (event.tick.0, fact(event, "ticks"), fact(event, "times"))).collect()
    }
}

/// Runs a panel; `happens` is called with every event, each once, and may change scripts.
fn run(
    panel: Panel,
    options: Options,
    mut happens: impl FnMut(&Event, &Reloads) + Send + 'static,
) -> Result<Told, runtime::Error> {
    let told = Arc::new(Mutex::new(Told::default()));
    let (frames, events) = (told.clone(), told.clone());
    let reloads = Arc::new(OnceLock::<Reloads>::new());
    let known = reloads.clone();
    let options = Options {
        on_frame: Some(Box::new(move |tick, frame| {
            frames.lock().unwrap().frames.insert(tick.0, frame.hash());
        })),
        on_event: Some(Box::new(move |event| {
            if event.kind != EventKind::ActorRestarted {
                events.lock().unwrap().events.push(event.clone());
            }
            happens(event, known.get().unwrap());
        })),
        ..options
    };
    runtime::run(panel, options, |handle| drop(reloads.set(handle.scripts)))?;
    Ok(std::mem::take(&mut *told.lock().unwrap()))
}

fn simulated() -> Options {
    Options { time: Time::Virtual, ticks: Some(TICKS), ..Options::default() }
}

/// Offers texts where the trigger is pulled for the first time, which is in tick 21.
fn at_the_first(maths: &str, acts: &str) -> impl FnMut(&Event, &Reloads) + Send + 'static {
    let texts = [maths, acts].map(|text| Ok(Arc::<str>::from(text)));
    let mut is_done = false;
    move |event, reloads| {
        if event.kind == EventKind::TriggerActivated && !std::mem::replace(&mut is_done, true) {
            assert_eq!(event.tick.0, 21);
            reloads.offer(texts.to_vec());
        }
    }
}

/// Other bodies, other places, one function more; handlers that go on with what was kept.
fn changed() -> (String, String) {
    let more = "function extra(x) return x end\n";
    let maths = format!("{more}{}", MATHS.replace("local factor = 2", "local factor = 2.5"));
    (maths.replace("\"many\"", "\"plenty\""), ACTS.replace("state.n % 50", "state.n % 60"))
}

#[test]
fn a_change_holds_from_the_next_tick_on_and_a_recording_has_it() {
    let folder = folder();
    let tape = folder.path().join("run.jsonl");
    let (maths, acts) = changed();
    let options = Options { record: Some(tape.clone()), ..simulated() };
    let told = run(panel(folder.path(), PANEL), options, at_the_first(&maths, &acts)).unwrap();
    let without = run(panel(folder.path(), PANEL), simulated(), |_, _| ()).unwrap();
    let both = told.frames.iter().zip(&without.frames);
    let first = both.clone().find(|(one, other)| one != other).map(|((tick, _), _)| *tick);
    assert_eq!((first, told.frames.len()), (Some(22), TICKS as usize));
    // What handlers had kept is still there: the second time is the second, and ticks were counted on. What is
    // signalled in a tick comes in the next.
    let seen = told.seen();
    assert!(seen.len() > 1 && seen.iter().all(|(tick, ticks, _)| *tick as f64 - 1.0 == *ticks), "{seen:?}");
    assert!(seen.iter().map(|(_, _, times)| *times).eq((1..=seen.len()).map(|times| times as f64)));

    let input = Recording::read(&tape).unwrap();
    let files = |scripts: &[engine::script::Script]| -> Vec<String> {
        scripts.iter().map(|script| script.file.to_string()).collect()
    };
    assert_eq!(files(&input.header.scripts), ["maths.lua", "acts.lua"]);
    let reloads: Vec<_> = input
        .inputs
        .iter()
        .filter(|one| !one.scripts.is_empty())
        .map(|one| (one.tick, files(&one.scripts)))
        .collect();
    assert_eq!(reloads, [(22, vec!["maths.lua".to_string(), "acts.lua".into()])]);

    // The files have other texts by now, or are gone.
    for name in ["maths.lua", "acts.lua"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let replay = |input: &Recording, faults| {
        let origin = Origin { host: "tinydisplay", scripts: &input.header.scripts };
        let config = config::parse_on("panel.toml", PANEL, folder.path(), origin).unwrap();
        let again = folder.path().join("again.jsonl");
        let options =
            Options { input: Some(input.clone()), record: Some(again.clone()), faults, ..simulated() };
        let shown = run(config.panel, options, |_, _| ()).unwrap();
        (shown, Recording::read(&again).unwrap())
    };
    let (shown, again) = replay(&input, Faults::default());
    assert_eq!((&shown, &again.inputs), (&told, &input.inputs));
    assert_eq!(replay(&again, Faults::default()).0, told);
    let faults =
        Faults::listed([22, 23, 70].map(|after| rule("expression.evaluate.middle", after, Fault::Panic)));
    assert_eq!(replay(&input, faults).0, told);
}

/// Runs with these faults; what is told and recorded must be what `control` told and recorded.
fn check(folder: &Path, control: &(Told, Vec<actors::recording::Inputs>), rules: &[(&str, u64, Fault)]) {
    let tape = folder.join("faulty.jsonl");
    let faults = Faults::listed(rules.iter().map(|(point, after, fault)| rule(point, *after, *fault)));
    let options = Options { record: Some(tape.clone()), faults, ..simulated() };
    let (maths, acts) = changed();
    let mut panel = panel(folder, PANEL);
    panel.supervision.core.hang_after = Duration::from_millis(500);
    let told = run(panel, options, at_the_first(&maths, &acts)).unwrap_or_else(|e| panic!("{rules:?}: {e}"));
    assert_eq!(told.events, control.0.events, "{rules:?}");
    let is_hang = rules.iter().any(|(_, _, fault)| matches!(fault, Fault::Hang(_)));
    assert!(is_hang || told.frames.len() == control.0.frames.len(), "{rules:?}: a frame is missing");
    for (tick, hash) in &told.frames {
        assert_eq!(control.0.frames.get(tick), Some(hash), "{rules:?}: the frame of tick {tick}");
    }
    assert!(sealed(&tape) == control.1, "{rules:?}: something else was recorded");
}

#[test]
fn whatever_fails_scripts_do_the_same() {
    let folder = folder();
    let tape = folder.path().join("run.jsonl");
    let (maths, acts) = changed();
    let options = Options { record: Some(tape.clone()), ..simulated() };
    let told = run(panel(folder.path(), PANEL), options, at_the_first(&maths, &acts)).unwrap();
    assert!(told.events.len() > 20, "{:?}", told.events);
    let control = (told, sealed(&tape));
    check(folder.path(), &control, &[]);
    for point in POINTS {
        // At the first tick; around the change; between checkpoints and at one; twice, the second time while the
        // core catches up.
        for ticks in [&[0][..], &[20], &[21], &[22], &[23], &[59], &[60], &[75], &[119], &[21, 23], &[70, 91]]
        {
            let rules: Vec<_> = ticks.iter().map(|after| (point, *after, Fault::Panic)).collect();
            check(folder.path(), &control, &rules);
        }
        for after in [22, 70] {
            check(folder.path(), &control, &[(point, after, Fault::Hang(None))]);
        }
    }
}

#[test]
fn what_is_wrong_is_not_taken_up() {
    let folder = folder();
    let tape = folder.path().join("run.jsonl");
    let said = Arc::new(Mutex::new(String::new()));
    let heard = said.clone();
    let mut is_done = false;
    let happens = move |event: &Event, reloads: &Reloads| {
        if event.kind != EventKind::TriggerActivated || std::mem::replace(&mut is_done, true) {
            return;
        }
        let offer = |maths: Result<&str, &str>, acts: &str| {
            let maths = maths.map(Arc::from).map_err(String::from);
            reloads.offer(vec![maths, Ok(acts.into())]);
            for report in reloads.reports() {
                let refusal = report.refusal.map(|refusal| (refusal.to_string(), refusal.help));
                let line = format!("{} {} {refusal:?}\n", report.file, report.reloads);
                heard.lock().unwrap().push_str(&line);
            }
        };
        offer(Ok("\nfunction shape( return 1 end"), ACTS);
        offer(Ok(&MATHS.replace("level: number, n: number", "level: number")), ACTS);
        offer(Ok(&MATHS.replace("word_of(level: number): string", "word_of(level: number)")), ACTS);
        offer(Ok(&MATHS.replace("function roll", "local function roll")), ACTS);
        offer(Ok(&format!("{MATHS}\nerror('not ready')")), ACTS);
        offer(Ok(&format!("{MATHS}\nfunction round(x) return x end")), ACTS);
        offer(Err("No such file"), ACTS);
        // What is right beside something wrong is taken up.
        offer(Ok("while true do end"), &format!("{ACTS}-- the same"));
        offer(Ok(MATHS), &format!("{ACTS}-- the same"));
    };
    let options = Options { record: Some(tape.clone()), ..simulated() };
    let told = run(panel(folder.path(), PANEL), options, happens).unwrap();
    assert_eq!(told, run(panel(folder.path(), PANEL), simulated(), |_, _| ()).unwrap());
    let scripts = Recording::read(&tape).unwrap().inputs.into_iter().flat_map(|inputs| inputs.scripts);
    assert_eq!(scripts.map(|script| script.file.to_string()).collect::<Vec<_>>(), ["acts.lua"]);
    insta::assert_snapshot!(said.lock().unwrap().as_str());
}

/// Functions that take long now and then, and a handler that does.
const SLOW: &str = r#"
function shape(level: number, n: number): number
    local sum = get("script.level")
    if level % 12 == 9 then for i = 1, 30000 do sum += i % 7 end end
    return sum * 2 + n
end
function roll(level: number): number
    return math.random() + level
end
function word_of(level: number): string
    if level > 30 then for i = 1, 30000 do level += 1 end end
    return if level > 20 then "many" else "few"
end
"#;

/// A panel whose clock ends whatever takes more than a moment.
fn impatient(folder: &Path) -> Panel {
    let mut panel = panel(folder, PANEL);
    panel.scripts.limits.backstop = Duration::ZERO;
    panel
}

#[test]
fn what_the_clock_ended_is_shown_again() {
    let folder = folder();
    fs::write(folder.path().join("maths.lua"), SLOW).unwrap();
    fs::write(folder.path().join("acts.lua"), format!("{ACTS}\nfunction extra() end")).unwrap();
    let live = |faults: Faults| {
        let tape = folder.path().join("run.jsonl");
        let options = Options { ticks: Some(80), record: Some(tape.clone()), faults, ..Options::default() };
        let told = run(impatient(folder.path()), options, |_, _| ()).unwrap();
        (told, Recording::read(&tape).unwrap())
    };
    let replay = |input: &Recording| {
        let options = Options { input: Some(input.clone()), ticks: Some(80), ..simulated() };
        run(impatient(folder.path()), options, |_, _| ()).unwrap()
    };
    let ended = |input: &Recording| -> Vec<_> {
        input.inputs.iter().flat_map(|one| one.ended.iter().map(|ended| (one.tick, *ended))).collect()
    };
    // A panic after the clock has ended a call, so that the tick is computed again.
    let panics = ["expression.evaluate.after", "coordination.step.middle", "renderer.step"];
    let panics = panics.map(|point| Faults::listed([9, 31].map(|at| rule(point, at, Fault::Panic))));
    for faults in [Faults::default()].into_iter().chain(panics) {
        let (told, input) = live(faults);
        let all = ended(&input);
        assert!(!all.is_empty(), "the clock has ended nothing");
        let mut once = all.clone();
        once.dedup();
        assert_eq!(all, once, "each is recorded once");
        let shown = replay(&input);
        assert_eq!(shown.events, told.events);
        for (tick, hash) in &told.frames {
            assert_eq!(shown.frames.get(tick), Some(hash), "the frame of tick {tick}, {all:?}");
        }
        let mut other = input.clone();
        other.inputs.iter_mut().for_each(|inputs| inputs.ended.clear());
        assert_ne!(replay(&other).frames, shown.frames, "the clock has no say in a replay");
    }
}

const KEPT: &str = r##"
[persistence]
file = "state.db"
flush = "50ms"
"##;

#[test]
fn what_handlers_keep_outlasts_the_process() {
    let folder = folder();
    let text = format!("{PANEL}{KEPT}");
    let live = |ticks: u64| {
        let tape = folder.path().join("run.jsonl");
        let options = Options { ticks: Some(ticks), record: Some(tape.clone()), ..Options::default() };
        let told = run(panel(folder.path(), &text), options, |_, _| ()).unwrap();
        (told, Recording::read(&tape).unwrap())
    };
    let count = |input: &Recording| -> Option<serde_json::Value> {
        let state = input.header.state.get("acts.lua")?;
        Some(serde_json::to_value(&**state).unwrap()["n"].clone())
    };
    assert_eq!(count(&live(40).1), None);
    // It goes on with another text of the script too.
    fs::write(folder.path().join("acts.lua"), format!("{ACTS}-- another one")).unwrap();
    let (told, input) = live(30);
    assert_eq!(count(&input), Some(40.0.into()));
    let shown = run(
        panel(folder.path(), &text),
        Options { input: Some(input.clone()), ticks: Some(30), ..simulated() },
        |_, _| (),
    );
    assert_eq!(shown.unwrap().events, told.events);

    let database = || rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    let set = |value: &dyn rusqlite::ToSql| {
        let set = "UPDATE script_states SET state_json = ?1 WHERE file = 'acts.lua'";
        assert_eq!(database().execute(set, [value]).unwrap(), 1);
    };
    assert_eq!(count(&live(3).1), Some(70.0.into()));
    let long = format!("{{\"n\":\"{}\"}}", "x".repeat(70_000));
    for broken in ["{\"n\":", "[1]", "{\"n\":null}", &long, &" ".repeat(2_000_000)] {
        set(&broken);
        let (_, input) = live(2);
        let expected = (broken == "[1]").then_some(serde_json::Value::Null);
        assert_eq!(count(&input), expected, "{broken:.20}");
    }
    set(&[0xff_u8, 0xfe].as_slice());
    assert_eq!(count(&live(2).1), None);
    database().execute("DROP TABLE script_states", []).unwrap();
    assert_eq!(count(&live(2).1), None, "as one of an older version");
}

/// Writes a file as editors do that make another one first.
fn replace(file: &Path, text: &str) {
    let other = file.with_extension("tmp");
    fs::write(&other, text).unwrap();
    fs::rename(other, file).unwrap();
}

#[test]
fn a_running_program_takes_up_what_is_written() {
    let folder = folder();
    let file = folder.path().join("panel.toml");
    fs::write(
        &file,
        format!("{PANEL}{KEPT}").replace("shape(level, 3)\"\n\n[anim", "shape(7, 3)\"\n\n[anim"),
    )
    .unwrap();
    let maths = folder.path().join("maths.lua");
    let program = Program::start(folder.path(), &[file.to_str().unwrap(), "--output", "null"]);
    let value = |program: &Program, name: &str| -> serde_json::Value {
        let answer: serde_json::Value = serde_json::from_str(&program.text("/api/v1/values")).unwrap();
        let values = answer["values"].as_array().unwrap();
        values.iter().find(|value| value["name"] == name).unwrap()["value"].clone()
    };
    let shows = |expected: f64| {
        program.wait_for("/api/v1/values", |status, _| status == 200 && value(&program, "shown") == expected);
    };
    let body =
        |value: u32| MATHS.replace("return level * factor + n + math.sin(level)", &format!("return {value}"));
    program.wait_for("/readyz", |status, _| status == 200);
    fs::write(&maths, body(1)).unwrap();
    shows(1.0);
    replace(&maths, &body(2));
    shows(2.0);
    // Broken, and told where.
    fs::write(&maths, body(3).replace("function word_of", "function word_off")).unwrap();
    let told = program.wait_for("/api/v1/scripts", |_, body| body.contains("word_of`, which is not defined"));
    assert!(told.contains("\"file\":\"maths.lua\"") && told.contains("start the panel anew"), "{told}");
    fs::write(&maths, "function shape(\n").unwrap();
    let told = program.wait_for("/api/v1/scripts", |_, body| body.contains("\"line\":2"));
    assert!(told.contains("\"reloads\":2"), "{told}");
    assert_eq!(value(&program, "shown"), 2.0);
    let metrics = program.text("/metrics");
    assert!(metrics.contains("tinydisplay_script_reloads_total{outcome=\"reloaded\"} 2\n"), "{metrics}");
    assert!(metrics.contains("tinydisplay_script_reloads_total{outcome=\"refused\"} 2\n"), "{metrics}");
    assert!(program.said().contains("maths.lua:"), "{}", program.said());
    // Gone, and back again.
    fs::remove_file(&maths).unwrap();
    program.wait_for("/api/v1/scripts", |_, body| body.contains("it cannot be read"));
    replace(&maths, &body(4));
    shows(4.0);
    let told = program.text("/api/v1/scripts");
    assert!(!told.contains("message"), "{told}");
    program.wait_for("/api/v1/values", |_, _| value(&program, "level").as_f64() > Some(0.0));
    assert_eq!(program.terminate(), Some(0));
    // What was kept is there when it is started again.
    let count = "SELECT json_extract(state_json, '$.n') FROM script_states WHERE file = 'acts.lua'";
    let kept = || -> f64 {
        let database = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
        database.query_row(count, [], |row| row.get(0)).unwrap()
    };
    let before = kept();
    let program = Program::start(folder.path(), &[file.to_str().unwrap(), "--output", "null"]);
    program.wait_for("/readyz", |status, _| status == 200);
    assert_eq!(program.terminate(), Some(0));
    assert!(before > 10.0 && kept() > before, "{before} and {}", kept());
}
