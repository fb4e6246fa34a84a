//! What a configuration makes the program read and compute.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use super::{HARMFUL, nested};
use crate::program::PATIENCE;

const PAGE: &str =
    "[page.main]\nwidgets = [{ kind = \"text\", at = [0, 0], size = [160, 20], text = \"{TEXT}\" }]\n";

/// A configuration that shows a text, with these lines.
fn config(lines: &str, text: &str) -> String {
    format!("version = 1\n{lines}\n{}", PAGE.replace("{TEXT}", text))
}

/// What the program says, and the status with which it ends by itself and in time.
fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tinydisplay"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let id = child.id();
    let (tell, told) = mpsc::channel();
    let waiting = std::thread::spawn(move || tell.send(child.wait_with_output().unwrap()));
    let output = told.recv_timeout(PATIENCE * 2);
    if output.is_err() {
        let _ = Command::new("sh").args(["-c", "kill -9 $0", &id.to_string()]).status();
    }
    waiting.join().unwrap().unwrap();
    let output = output.unwrap_or_else(|_| panic!("{arguments:?} hangs"));
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{said:.2000}");
    (output.status.code(), said)
}

/// What `check` says of a configuration in a folder that is prepared for it.
fn checked(text: &str, prepare: impl FnOnce(&Path)) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    // The configuration is a level below, so that there is something above it.
    let inner = folder.path().join("panels");
    fs::create_dir(&inner).unwrap();
    prepare(&inner);
    fs::write(inner.join("p.toml"), text).unwrap();
    said(&["check", inner.join("p.toml").to_str().unwrap()])
}

/// `count` values, each of which needs the one before it `times` times.
fn chain(count: usize, times: usize) -> String {
    let mut lines = String::from("[value]\nv0 = \"tick\"\n");
    for index in 1..=count {
        let sum = vec![format!("v{}", index - 1); times].join(" + ");
        let _ = writeln!(lines, "v{index} = \"{sum}\"");
    }
    lines
}

/// `count` templates, each of which includes the one before it twice.
fn doubling(count: usize) -> String {
    let mut lines = String::from("[template.t0]\ntext = \"{tick}\"\n");
    for index in 1..=count {
        let before = index - 1;
        let _ =
            writeln!(lines, "[template.t{index}]\ntext = \"{{include(t{before})}}{{include(t{before})}}\"");
    }
    lines
}

#[test]
fn formulas_and_templates_of_configurations() {
    let operators = "1+".repeat(100_000) + "1";
    let value = |formula: &str| format!("[value]\nv = '''{formula}'''\n");
    let cycle = |count: usize| {
        let line = |index: usize| format!("v{index} = \"v{}\"\n", (index + 1) % count);
        (0..count).fold(String::from("[value]\n"), |lines, index| lines + &line(index))
    };
    let mut wrong = String::new();
    for (name, text, status, expected) in [
        ("100,000 operators", config(&value(&operators), "{v}"), 1, "4096 bytes"),
        ("deep parentheses", config(&value(&nested("(", "1", ")", 2_000)), "{v}"), 1, "nested"),
        ("deep calls", config(&value(&nested("abs(", "1", ")", 800)), "{v}"), 1, "nested"),
        ("signs in a row", config(&value(&("- ".repeat(2_000) + "1")), "{v}"), 1, "nested"),
        ("a cycle of one", config(&cycle(1), "{v0}"), 1, "depend"),
        ("a cycle of all", config(&cycle(1_000), "{v0}"), 1, "depend"),
        ("a long way", config(&chain(5_000, 1), "{v5000}"), 0, "no problems"),
        ("doublings", config(&chain(1_000, 2), "{v1000}"), 0, "no problems"),
        ("sums of sums", config(&chain(300, 300), "{v300}"), 0, "no problems"),
        ("templates that double", config(&doubling(40), "{include(t40)}"), 1, "error"),
        (
            "templates that include themselves",
            config("[template.a]\ntext = \"{include(a)}\"\n", "{include(a)}"),
            1,
            "include",
        ),
        ("braces", config("", &"{".repeat(3_001)), 1, "error"),
        ("braces that close", config("", &"}".repeat(3_001)), 1, "error"),
        ("a format without measure", config("", "{tick:>99999999999999999999}"), 1, "error"),
        ("a wide format", config("", "{tick:>100000000}"), 1, "error"),
        ("NUL", config(&value("1\u{1}+1"), "{v}"), 1, "error"),
        (
            "a window without end",
            config("[source.s]\nkind = \"generator\"\nshape = \"sine\"\n", "{avg(s.value, 999999999999d)}"),
            0,
            "exact up to",
        ),
    ] {
        let (ended, said) = checked(&text, |_| ());
        if ended != Some(status) || !said.contains(expected) || said.len() > 200_000 {
            let _ = writeln!(wrong, "{name}: {expected}: {ended:?}, {} bytes: {said:.600}", said.len());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn scripts_of_configurations() {
    type Prepare = fn(&Path);
    let files = |names: &str| config(&format!("[scripts]\nfiles = [{names}]\n"), "{tick}");
    let folder = |name: &str| config(&format!("[scripts]\nfolder = \"{name}\"\n"), "{tick}");
    let many: String = (0..33).map(|n| format!("\"{n}.lua\",")).collect();
    let cases: Vec<(&str, String, Prepare, i32, &str)> = vec![
        ("a file elsewhere", files("\"../../../../../../../../etc/passwd\""), |_| (), 1, "passwd:1:"),
        ("a file of the kernel", files("\"/proc/self/mem\""), |_| (), 1, "cannot be read"),
        ("a device", files("\"/dev/zero\""), |_| (), 1, "it is no file"),
        ("a terminal", files("\"/dev/tty\""), |_| (), 1, "cannot be read"),
        ("random bytes for ever", files("\"/dev/urandom\""), |_| (), 1, "it is no file"),
        ("nothing", files("\"\""), |_| (), 1, "error"),
        ("the folder itself", files("\".\""), |_| (), 1, "it is no file"),
        ("NUL in a name", files("\"a\\u0000.lua\""), |_| (), 1, "error"),
        ("a name that a terminal would obey", files("\"\\u001B[31m.lua\""), |_| (), 1, "error"),
        (
            "a file above",
            files("\"../above.lua\""),
            |inner| fs::write(inner.join("../above.lua"), "return 1").unwrap(),
            0,
            "no problems",
        ),
        (
            "a link that leads nowhere",
            files("\"a.lua\""),
            |inner| symlink("nowhere", inner.join("a.lua")).unwrap(),
            1,
            "No such file",
        ),
        (
            "links in a circle",
            files("\"a.lua\""),
            |inner| {
                symlink("b.lua", inner.join("a.lua")).unwrap();
                symlink("a.lua", inner.join("b.lua")).unwrap();
            },
            1,
            "symbolic links",
        ),
        (
            "the program itself",
            files("\"a.lua\""),
            |inner| symlink(env!("CARGO_BIN_EXE_tinydisplay"), inner.join("a.lua")).unwrap(),
            1,
            "262144 bytes at most",
        ),
        (
            "a program",
            files("\"a.lua\""),
            |inner| {
                fs::write(inner.join("a.lua"), b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0").unwrap()
            },
            1,
            "a.lua",
        ),
        (
            "300 KiB",
            files("\"a.lua\""),
            |inner| fs::write(inner.join("a.lua"), "-- x\n".repeat(60 << 10)).unwrap(),
            1,
            "262144 bytes at most",
        ),
        (
            "256 KiB",
            files("\"a.lua\""),
            |inner| fs::write(inner.join("a.lua"), "--\n\n".repeat(64 << 10)).unwrap(),
            0,
            "no problems",
        ),
        (
            "the same twice",
            files("\"a.lua\", \"a.lua\""),
            |inner| fs::write(inner.join("a.lua"), "function f() end").unwrap(),
            1,
            "defines a function `f` too",
        ),
        (
            "too many",
            files(&many),
            |inner| (0..33).for_each(|n| fs::write(inner.join(format!("{n}.lua")), "").unwrap()),
            1,
            "at most 32",
        ),
        (
            "too many functions",
            files("\"a.lua\""),
            |inner| {
                let text: String = (0..501).map(|n| format!("function f{n}() end\n")).collect();
                fs::write(inner.join("a.lua"), text).unwrap();
            },
            1,
            "at most 500",
        ),
        (
            "functions that all call each other",
            files("\"a.lua\""),
            |inner| {
                let name = |n: usize| format!("f{}()", (n + 1) % 9_000);
                let text: String =
                    (0..9_000).map(|n| format!("local function f{n}() return {} end\n", name(n))).collect();
                fs::write(inner.join("a.lua"), text.chars().take(250_000).collect::<String>()).unwrap();
            },
            1,
            "a.lua",
        ),
        (
            "what runs for ever while it is read",
            files("\"a.lua\""),
            |inner| fs::write(inner.join("a.lua"), "while true do end").unwrap(),
            1,
            "a.lua:1:",
        ),
        (
            "what takes all memory while it is read",
            files("\"a.lua\""),
            |inner| {
                fs::write(
                    inner.join("a.lua"),
                    "local t = {}\nwhile true do t[#t + 1] = table.create(60000, 1) end",
                )
                .unwrap();
            },
            1,
            "a.lua:2:",
        ),
        (
            "deep tables",
            files("\"a.lua\""),
            |inner| {
                fs::write(inner.join("a.lua"), "return ".to_owned() + &nested("{", "", "}", 50_000)).unwrap()
            },
            1,
            "deep",
        ),
        ("a folder that is none", folder("nowhere"), |_| (), 1, "cannot be read"),
        (
            "a folder that is a file",
            folder("a"),
            |inner| fs::write(inner.join("a"), "").unwrap(),
            1,
            "cannot be read",
        ),
        (
            "a folder in a circle",
            folder("a"),
            |inner| symlink("a", inner.join("a")).unwrap(),
            1,
            "cannot be read",
        ),
        (
            "a folder of all sorts",
            folder("a"),
            |inner| {
                let folder = inner.join("a");
                fs::create_dir(&folder).unwrap();
                fs::create_dir(folder.join("folder.lua")).unwrap();
                symlink("/dev/zero", folder.join("zero.lua")).unwrap();
                assert!(Command::new("mkfifo").arg(folder.join("pipe.lua")).status().unwrap().success());
                fs::write(folder.join("good.lua"), "function good() return 1 end").unwrap();
            },
            1,
            "pipe.lua",
        ),
        (
            "the folder above",
            folder(".."),
            |inner| fs::write(inner.join("../above.lua"), "return 1").unwrap(),
            0,
            "no problems",
        ),
    ];
    let mut wrong = String::new();
    for (name, text, prepare, status, expected) in cases {
        let (ended, said) = checked(&text, prepare);
        if ended != Some(status) || !said.contains(expected) || said.len() > 100_000 {
            let _ = writeln!(wrong, "{name}: {expected}: {ended:?}, {} bytes: {said:.600}", said.len());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// A panel with what does harm beside what it shows paints the same frames as one without.
#[test]
fn what_does_harm_changes_no_frame() {
    let lines = "[source.s]\nkind = \"generator\"\nshape = \"saw\"\nevery = \"50ms\"\n[scripts]\nfiles = [\"good.lua\"]\n\
                 [value]\nshown = \"f(s.value)\"\n";
    let good = "function f(n: number): number return 2 * n end";
    let hashes = |lines: &str, bad: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("good.lua"), good).unwrap();
        fs::write(folder.path().join("bad.lua"), bad).unwrap();
        let file = folder.path().join("p.toml");
        fs::write(&file, config(lines, "{shown:.3f} {s.value:.3f}")).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
            .args(["simulate", file.to_str().unwrap(), "--ticks", "90", "--hash"])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && !said.contains("panicked"), "{bad}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let plain = hashes(lines, "");
    assert!(plain.lines().count() == 91, "{plain}");
    for (call, bad, _) in HARMFUL {
        let lines = lines.replace("\"good.lua\"", "\"good.lua\", \"bad.lua\"");
        // It is called again and again.
        let harm = format!(
            "{lines}_again = \"{call}\"\n_harm = \"coalesce(_again, tick)\"\n_each = \"if(tick % 2, {call}, 1)\"\n"
        );
        let harm = if bad.contains("): string") {
            harm.replace(", tick)", ", 'x')").replace(", 1)", ", 'x')")
        } else {
            harm
        };
        assert_eq!(hashes(&harm, bad), plain, "{call}");
    }
}
