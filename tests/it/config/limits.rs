//! Each limit just kept and just broken.

use std::fmt::Write as _;

use tinydisplay::config::limits;

use super::{broken, report};

/// What is at the limit is fine; one more is the error `code`.
fn check(code: &str, limit: usize, text: impl Fn(usize) -> String) {
    for (count, expected) in [(limit, None), (limit + 1, Some(code))] {
        let text = text(count);
        let text = if text.contains("version =") { text } else { broken::complete("", &text) };
        let report = report(&text);
        let errors = report.problems().iter().filter(|p| p.severity == engine::diagnostic::Severity::Error);
        let codes: Vec<&str> = errors.map(|problem| problem.code).collect();
        assert_eq!(codes.first().copied(), expected, "{count}: {:.300}", report.render(false));
    }
}

/// `count` lines, each made from its index.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut all, index| {
        let _ = writeln!(all, "{}", line(index));
        all
    })
}

#[test]
fn lengths_of_texts() {
    check("too-long", limits::FILE_BYTES, |len| {
        let text = broken::complete("", "");
        format!("{text}#{}", " ".repeat(len - text.len() - 1))
    });
    check("too-long", limits::NAME_BYTES, |len| format!("[value]\n{} = \"1\"\n", "a".repeat(len)));
    check("too-long", limits::FORMULA_BYTES, |len| format!("[value]\na = \"1{}\"\n", " ".repeat(len - 1)));
    check("too-long", limits::TEMPLATE_BYTES, |len| {
        let text = "x".repeat(len);
        format!(
            "[page.main]\nwidgets = [{{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"{text}\" }}]\n"
        )
    });
    check("too-long", limits::TEXT_BYTES, |len| format!("[persistence]\nfile = \"{}\"\n", "x".repeat(len)));
    check("too-long", limits::DEVICE_BYTES, |len| format!("[display]\ndevice = \"{}\"\n", "x".repeat(len)));
    check("too-long", limits::FORMULA_BYTES, |len| {
        let color = format!("{{{}}}", " ".repeat(len - 9) + "'black'");
        format!(
            "[page.main]\nwidgets = [{{ kind = \"text\", at = [0, 0], size = [9, 9], text = \"\", color = \"{color}\" }}]\n"
        )
    });
    check("too-long", limits::KEY_BYTES, |len| {
        format!("[source.s]\nkind = \"time\"\n[keys]\n\"s.{}\" = {{}}\n", "k".repeat(len - 2))
    });
}

#[test]
fn counts() {
    check("too-many", limits::SOURCES, |count| {
        lines(count, |n| format!("source.s{n} = {{ kind = \"generator\", shape = \"sine\" }}"))
    });
    check("too-many", limits::KEYS, |count| {
        let keys = lines(count, |n| format!("\"s.k{n}\" = {{}}"));
        // The generator's own key is one of them.
        format!(
            "[source.s]\nkind = \"generator\"\nshape = \"sine\"\n[keys]\n{}",
            keys.replace("k0\"", "value\"")
        )
    });
    check("wrong-length", limits::FAULTS, |count| {
        let faults = lines(count, |_| "{ kind = \"error\", at = \"1s\" },".into());
        format!("[source.s]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [\n{faults}]\n")
    });
    check("too-many", limits::VALUES, |count| {
        format!("[value]\n{}", lines(count, |n| format!("v{n} = \"1\"")))
    });
    check("too-many", limits::TEMPLATES, |count| lines(count, |n| format!("[template.t{n}]\ntext = \"\"")));
    check("too-many", engine::window::WINDOWS_MAX, |count| {
        let values = lines(count, |n| format!("v{n} = \"avg(s.value, {}ms)\"", n + 1));
        format!("[source.s]\nkind = \"generator\"\nshape = \"sine\"\n[value]\n{values}")
    });
    check("wrong-length", limits::WIDGETS, |count| {
        lines(count, |_| {
            "[[page.main.widgets]]\nkind = \"text\"\nat = [0, 0]\nsize = [9, 9]\ntext = \"\"".into()
        })
    });
    check("too-many", limits::ANIMATIONS, |count| {
        lines(count, |n| format!("[animation.a{n}]\nwidget = \"title\"\nduration = \"1s\"\nto = {{ x = 1 }}"))
    });
    check("wrong-length", limits::TRIGGERS, |count| {
        let triggers =
            lines(count, |n| format!("[[trigger]]\nname = \"t{n}\"\nwhen = \"1\"\nstart = [\"a\"]"));
        format!("[animation.a]\nwidget = \"title\"\nduration = \"1s\"\nto = {{ x = 1 }}\n{triggers}")
    });
    check("wrong-length", limits::HOSTS, |count| {
        format!("[http]\nhosts = [{}]\n", vec!["\"panel.local\""; count].join(", "))
    });
    check("wrong-length", limits::OUTPUTS, |count| {
        lines(count, |n| format!("[[output]]\nkind = \"png\"\nfile = \"{n}.png\""))
    });
    check("wrong-length", limits::LEVELS, |count| {
        let levels: Vec<String> = (0..count).map(|n| format!("{{ from = {n}, color = \"text\" }}")).collect();
        let levels = levels.join(", ");
        format!(
            "[[page.main.widgets]]\nkind = \"progress\"\nat = [0, 0]\nsize = [9, 9]\nvalue = \"1\"\nlevels = [{levels}]\n"
        )
    });
}

#[test]
fn numbers() {
    check("out-of-range", engine::tick::Fps::MAX as usize, |fps| format!("[display]\nfps = {fps}\n"));
    check("out-of-range", limits::SIDE as usize, |side| format!("[display]\nsize = [{side}, 128]\n"));
    check("out-of-range", limits::RING_SAMPLES, |samples| format!("[ring]\nsamples = {samples}\n"));
    check("out-of-range", limits::FLOOD_RATE as usize, |rate| {
        let fault = format!("{{ kind = \"flood\", at = \"1s\", rate = {rate} }}");
        format!("[source.s]\nkind = \"generator\"\nshape = \"sine\"\nfaults = [{fault}]\n")
    });
    check("duration", 3_650, |days| format!("[source.s]\nkind = \"time\"\nstale_after = \"{days}d\"\n"));
}

/// Nesting ends in an error, not in an exhausted stack.
#[test]
fn nesting() {
    for depth in [10, 100, 10_000, 300_000] {
        let nested = format!("x = {}{}\n", "[".repeat(depth), "]".repeat(depth));
        assert!(report(&broken::complete("", &nested)).errors() > 0, "{depth}");
    }
}
