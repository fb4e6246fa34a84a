//! Scripts in panels: what configurations are told of wrong ones, what functions and handlers do to a run,
//! and that a recording shows it again.

use std::fs;
use std::path::Path;

use super::cli::check;

const PANEL: &str = "version = 1\n\n[scripts]\nfiles = [\"a.lua\"]\n\n[source.s]\nkind = \"generator\"\nshape = \"saw\"\n\
    min = 0\nmax = 9\nperiod = \"1s\"\nevery = \"100ms\"\n\n[keys]\n\"script.level\" = { default = 0 }\n\
    \"script.word\" = { kind = \"text\", default = \"none\" }\n\n[animation.blink]\nwidget = \"w\"\n\
    from = { opacity = 0 }\nto = { opacity = 1 }\nduration = \"200ms\"\n\n[page.main]\nwidgets = [\n\
    { id = \"w\", kind = \"text\", at = [0, 0], size = [160, 20], text = \"{FORMULA}\" },\n]\n";

/// A file of the project.
fn project(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name).to_str().unwrap().into()
}

/// A folder with a panel whose widget shows `formula`, and the script that it calls.
fn panel(script: &str, formula: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.toml"), PANEL.replace("FORMULA", formula)).unwrap();
    fs::write(folder.path().join("a.lua"), script).unwrap();
    folder
}

fn path(folder: &Path) -> String {
    folder.join("p.toml").to_str().unwrap().into()
}

/// What `check` says of a panel, without the folder's name.
fn told(folder: &Path, status: i32) -> String {
    let (out, err) = check(&["check", &path(folder)], status);
    (out + &err).replace(folder.to_str().unwrap(), "")
}

/// Scripts that a panel refuses or warns of, and the formula that uses each.
const WRONG: [(&str, &str); 16] = [
    ("function f() return 1", "f()"),
    ("function round(x) return x end", "round(1)"),
    ("function f(t: {number}) return 1 end", "f(1)"),
    ("function f(): () return end", "f()"),
    ("function f() return 1 end\nfunction f() return 2 end", "f()"),
    ("function f(a, b: number?) return a end", "f()"),
    ("function f(a, b: number?) return a end", "f(1, 2, 3)"),
    ("function dew_point(a) return a end", "dew_piont(1)"),
    ("local function f() return 1 end", "f()"),
    ("function f(): string return '' end", "f() * 2"),
    ("error('not ready')", "1"),
    ("x = get('s.valeu')", "1"),
    ("while true do end", "1"),
    ("local n = 0\nfunction f()\n    n = n + 1\n    return n\nend", "f()"),
    ("function f() return print(1) end\nprint('loaded')", "f()"),
    ("return ((((((1", "1"),
];

#[test]
fn wrong_scripts_are_told_with_file_line_and_column() {
    let mut all = String::new();
    for (script, formula) in WRONG {
        let folder = panel(script, formula);
        let name = path(folder.path());
        let output = super::cli::tinydisplay(&["check", &name], b"");
        let said = String::from_utf8(output.stderr).unwrap().replace(folder.path().to_str().unwrap(), "");
        assert!(said.contains("a.lua") || said.contains("p.toml:"), "{script}: {said}");
        all.push_str(&format!("{script}\n{formula}\n{said}\n"));
    }
    insta::assert_snapshot!(all);
}

/// Scripts whose names are held against the panel's, and what is said of them.
const NAMES: [(&str, &[&str]); 11] = [
    ("function f() return get('s.value') + get('value') end", &[]),
    (
        "function f()\n  return get('s.valeu') + 1\nend",
        &["/a.lua:2:14: there is no key or value `s.valeu`; did you mean `s.value`?"],
    ),
    ("function f() return get(\"elsewhere\") end", &["/a.lua:1:25: there is no key or value `elsewhere`"]),
    ("local function get(n) return n end\nfunction f() return get('elsewhere') end", &[]),
    ("local t = { get = 1 } function f() return t.get end", &[]),
    ("function f(n) return get('s.' .. n) end", &[]),
    ("function on_tick(n) set('level', n) set('script.level', n) end", &[]),
    (
        "function on_tick(n)\n  set('levle', n)\nend",
        &["/a.lua:2:7: there is no key `script.levle`: declare it in `[keys]`; did you mean `level`?"],
    ),
    ("function on_tick(n) start('blink') stop('blink') end", &[]),
    ("function on_tick(n)\n  start('blnik')\nend", &["/a.lua:2:9: there is no animation `blnik`"]),
    ("function on_tick(n) stop('x') end", &["/a.lua:1:26: there is no animation `x`"]),
];

#[test]
fn names_that_scripts_write_out_are_held_against_the_panel() {
    for (script, expected) in NAMES {
        let folder = panel(script, "1} {script.word} {script.level");
        let said = told(folder.path(), 0);
        let warned = said.matches("warning[").count() - said.matches("nothing starts animation").count();
        assert_eq!(warned, expected.len(), "{script}: {said}");
        for expected in expected {
            let expected = expected.trim_start_matches('/');
            assert!(said.contains(expected), "{script}: {expected}: {said}");
        }
    }
}

/// What scripts read is used, and what they start is started.
#[test]
fn what_scripts_use_is_not_called_unused() {
    for (script, is_used, is_started) in [
        ("function f() return 1 end", false, false),
        ("function f() return get('lonely') end", true, false),
        ("function f(n) return get('lon' .. n) end", true, false),
        ("function on_tick(n) if n == get('lonely') then start('blink') end end", true, true),
        ("function on_tick(n) start('bli' .. n) end", false, true),
        ("function on_tick(n) stop('blink') end", false, false),
    ] {
        let folder = panel(script, "1");
        let file = folder.path().join("p.toml");
        let text = fs::read_to_string(&file).unwrap() + "\n[value]\nlonely = \"s.value * 2\"\n";
        fs::write(&file, text).unwrap();
        let said = told(folder.path(), 0);
        assert_eq!(!said.contains("needs `lonely`"), is_used, "{script}: {said}");
        assert_eq!(!said.contains("nothing starts animation"), is_started, "{script}: {said}");
    }
}

#[test]
fn what_is_no_script_is_not_read() {
    let refused = |make: fn(&Path)| {
        let folder = panel("", "1");
        fs::remove_file(folder.path().join("a.lua")).unwrap();
        make(&folder.path().join("a.lua"));
        told(folder.path(), 1)
    };
    for (make, expected) in [
        ((|_| ()) as fn(&Path), "No such file"),
        (|path| fs::create_dir(path).unwrap(), "it is no file"),
        (|path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(), "it is no file"),
        (|path| std::os::unix::fs::symlink(path, path).unwrap(), "symbolic links"),
        (
            |path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success()),
            "it is no file",
        ),
        (|path| fs::write(path, "-".repeat(300_000)).unwrap(), "262144 bytes at most"),
        (|path| fs::write(path, b"return '\xff'").unwrap(), "no UTF-8 text"),
        (|path| fs::write(path, b"\x06\x03\x01\x04\x01").unwrap(), "a.lua:1:"),
    ] {
        let said = refused(make);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn a_folder_of_scripts_is_taken_in_order() {
    let folder = panel("", "f() + g()");
    let scripts = folder.path().join("scripts");
    fs::create_dir(&scripts).unwrap();
    fs::write(scripts.join("1.lua"), "function f() return 1 end").unwrap();
    fs::write(scripts.join("2.luau"), "function g() return 2 end").unwrap();
    fs::write(scripts.join("3.txt"), "no script").unwrap();
    fs::write(scripts.join("x.d.luau"), "declare function f(): number").unwrap();
    let text = PANEL.replace("files = [\"a.lua\"]", "folder = \"scripts\"").replace("FORMULA", "f() + g()");
    fs::write(folder.path().join("p.toml"), text).unwrap();
    let (_, err) = check(&["check", &path(folder.path())], 0);
    assert!(!err.contains("error"), "{err}");
}

/// The events and the hash of a run.
fn run(folder: &Path, arguments: &[&str]) -> (String, String) {
    let events = folder.join("events.jsonl");
    let arguments = [arguments, &["--hash", "--events", events.to_str().unwrap()]].concat();
    let (hashes, err) = check(&arguments, 0);
    assert!(!err.contains("panicked"), "{err}");
    (fs::read_to_string(events).unwrap(), hashes)
}

#[test]
fn handlers_act_a_tick_later_and_a_recording_shows_it_again() {
    let script = "function on_event(name, event)\n  if name == 'page_shown' then start('blink') end\n\
                  if name == 'animation_completed' then set('word', 'done') signal('over', {n = event.tick}) end\nend\n\
                  function on_tick(n) state.n = (state.n or 0) + 1 set('level', state.n) end\n\
                  function double(x: number): number return 2 * x end";
    let folder = panel(script, "script.word} {double(script.level)");
    let name = path(folder.path());
    let (events, hashes) = run(folder.path(), &["simulate", &name, "--ticks", "60"]);
    let at = |kind: &str| {
        let line =
            events.lines().find(|line| line.contains(kind)).unwrap_or_else(|| panic!("{kind}: {events}"));
        serde_json::from_str::<serde_json::Value>(line).unwrap()["tick"].as_u64().unwrap()
    };
    // The page is shown at tick 0, the animation takes 12 ticks, and each answer comes a tick later.
    assert_eq!((at("animation_started"), at("animation_completed"), at("signal_received")), (1, 14, 15));
    let again = run(folder.path(), &["simulate", &name, "--ticks", "60"]);
    assert_eq!((&again.0, &again.1), (&events, &hashes));
    let tape = folder.path().join("tape.jsonl");
    check(&["record", &name, "--out", tape.to_str().unwrap(), "--ticks", "60"], 0);
    let input = ["simulate", &name, "--ticks", "60", "--input", tape.to_str().unwrap()];
    let first = run(folder.path(), &input);
    assert_eq!(first, run(folder.path(), &input));
    assert!(first.0.contains("signal_received"), "{}", first.0);
}

#[test]
fn functions_that_fail_leave_the_rest_alone() {
    let script = "function f(x) if x > 5 then error('too much') end return x end";
    let folder = panel(script, "f(s.value)} {s.value");
    let (_, hashes) = run(folder.path(), &["simulate", &path(folder.path()), "--ticks", "120"]);
    assert_eq!(hashes.lines().count(), 121);
}

#[test]
fn formulas_on_the_command_line_call_scripts() {
    let comfort = project("scripts/comfort.lua");
    let traffic = project("scripts/traffic.lua");
    for (formula, expected) in [
        ("comfort(21, 50)", "pleasant"),
        ("round(dew_point(20, 50), 2)", "9.26"),
        ("human_rate(1536)", "1.54 kB/s"),
        ("human_rate(999)", "999 B/s"),
        ("human_rate(999_600)", "1.00 MB/s"),
        ("trend(120, 100) .. trend(100, 120) .. trend(101, 100)", "↑↓→"),
        ("line_load(125e6)", "100"),
        ("coalesce(dew_point(20, 0), -1)", "-1"),
        ("if(true, 'x', comfort(1, 2))", "x"),
    ] {
        let arguments = ["eval", "--script", &comfort, "--script", &traffic, formula];
        assert_eq!(check(&arguments, 0).0, format!("{expected}\n"), "{formula}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.lua");
    fs::write(&file, "function bad() error('broken') end").unwrap();
    let (_, err) = check(&["eval", "--script", file.to_str().unwrap(), "bad() + 1"], 1);
    assert!(err.contains("bad.lua:1: broken"), "{err}");
}

#[test]
fn the_verb_calls_functions_and_tells_what_was_used() {
    let traffic = project("scripts/traffic.lua");
    let (out, err) = check(&["script", &traffic, "--call", "human_rate(12345678)", "--stats"], 0);
    assert_eq!(out, "12.3 MB/s\n");
    assert!(
        err.starts_with("steps: ") && err.contains(" of 200000, bytes: ") && err.ends_with(" of 16777216\n"),
        "{err}"
    );
    let (_, err) = check(&["script", &traffic, "--call", "human_rate(1e12)", "--budget", "3"], 1);
    assert!(err.starts_with("error: timeout: ") && err.contains("traffic.lua:"), "{err}");
    let (_, err) = check(&["script", &traffic, "--call", "humane_rate(1)"], 1);
    assert!(err.contains("there is no function `humane_rate`"), "{err}");
    check(&["script"], 2);
    check(&["script", &traffic, "--call", "human_rate("], 2);
    check(&["script", &traffic, "--memory", "1000"], 2);
    let (_, err) = check(&["script", "/nowhere.lua"], 1);
    assert!(err.contains("cannot be read"), "{err}");
}

#[test]
fn the_example_panels_with_scripts_are_sound_and_repeat() {
    for name in ["comfort", "traffic", "alarm"] {
        let file = project(&format!("config/{name}.toml"));
        let (_, err) = check(&["check", &file], 0);
        assert!(!err.contains("warning"), "{name}: {err}");
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["simulate", &file, "--ticks", "600"];
        let first = run(folder.path(), &arguments);
        assert_eq!(first, run(folder.path(), &arguments), "{name}");
    }
}
