//! The messages for wrong formulas, as golden text: they are to read well.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::*;
use crate::diagnostic::Severity;

/// A diagnostic as text, with carets below its place.
fn render(text: &str, diagnostic: &Diagnostic, out: &mut String) {
    let before = text[..diagnostic.span.start].chars().count();
    let width = text[diagnostic.span.clone()].chars().count().max(1);
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let _ = writeln!(out, "    {:before$}{}", "", "^".repeat(width));
    let _ = writeln!(out, "  {severity}: {} [{}]", diagnostic.message, diagnostic.code);
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "  help: {help}");
    }
}

fn messages(texts: &[&str]) -> String {
    let keys = ["system.cpu", "system.cpu_usage", "weather.temperature", "a.load", "b.load", "system.state"];
    let keys = keys.map(|name| Key {
        name: name.into(),
        kind: if name == "system.state" { Kind::Text } else { Kind::Number },
    });
    let mut out = String::new();
    for text in texts {
        let problems = compile(&[Entry { name: None, text }], &Environment::of(&keys)).problems;
        assert!(!problems.is_empty(), "{text} is in order");
        let _ = writeln!(out, "    {text}");
        for (_, diagnostic) in problems {
            render(text, &diagnostic, &mut out);
        }
        out.push('\n');
    }
    out
}

#[test]
fn tokens() {
    insta::assert_snapshot!(messages(&[
        "12abc + 1",
        "2cpu",
        "1e999",
        "1__0",
        "'never closed",
        "'bad \\q escape'",
        "\u{201c}text\u{201d}",
        "`never closed",
        "cpu @ 2",
        "cpu \u{d7} 2",
        "cpu \u{2265} 2",
    ]));
}

#[test]
fn structure() {
    insta::assert_snapshot!(messages(&[
        "1 +",
        "* 2",
        "1 +* 2",
        "(cpu + 1",
        "cpu + 1)",
        "()",
        "min(1, 2,)",
        "min(1, , 2)",
        "1 2",
        "2 (cpu)",
        "1,5",
        "cpu > 5 and",
        "1 < cpu < 5",
        "(1 + 2 * (3 + ) ) ) 4",
    ]));
}

#[test]
fn habits_from_other_languages() {
    insta::assert_snapshot!(messages(&[
        "cpu = 5",
        "cpu === 5",
        "cpu <> 5",
        "cpu & 1",
        "cpu > 5 ? 'hot' : 'cold'",
        "'hot' if cpu > 5 else 'cold'",
        "if cpu > 5 then 'hot' else 'cold' end",
        "math.sin(1)",
        "True",
        "null",
        "pi * 2",
        "ln(2)",
        "cpu mod 2",
        "not(cpu) > 80",
        "0.1 + 0.2 == 0.3",
    ]));
}

#[test]
fn names_kinds_and_arguments() {
    insta::assert_snapshot!(messages(&[
        "temprature + 1",
        "sytem.cpu",
        "load * 2",
        "sqr(4)",
        "cpu(4)",
        "sqrt",
        "sqrt(1, 2)",
        "if(cpu, 1)",
        "and(cpu)",
        "round(1, 2, 3)",
        "'a' + 1",
        "-state",
        "state and 1",
        "state == 1",
        "if(cpu, 'a', 1)",
        "nothing + noone * sqt(nowhere)",
    ]));
}

#[test]
fn what_fails_for_certain() {
    insta::assert_snapshot!(messages(&[
        "cpu / 0",
        "cpu % (1 - 1)",
        "sqrt(-1)",
        "log(0)",
        "1e308 * 10",
        "asin(2)",
        "map(cpu, 1, 1, 0, 1) + clamp(1, 3, 2)",
    ]));
}

#[test]
fn among_values() {
    let entries = [
        ("a", "b + 1"),
        ("b", "c * 2"),
        ("c", "a"),
        ("self", "self + 1"),
        ("cpu", "cpu / 100"),
        ("uses", "a + 1"),
        ("time", "1"),
        ("twice", "1"),
        ("twice", "2"),
    ];
    let entries = entries.map(|(name, text)| Entry { name: Some(name), text });
    let keys = [Key { name: "system.cpu".into(), kind: Kind::Number }];
    let mut out = String::new();
    let compiled = compile(&entries, &Environment::of(&keys));
    for (id, diagnostic) in compiled.problems {
        let entry = entries[id.0 as usize];
        let _ = writeln!(out, "{} =\n    {}", entry.name.unwrap_or_default(), entry.text);
        render(entry.text, &diagnostic, &mut out);
    }
    insta::assert_snapshot!(out);
    let kinds: Vec<_> = (0..9).map(|id| compiled.program.kind(FormulaId(id)).is_some()).collect();
    assert_eq!(kinds, [false, false, false, false, false, false, false, true, false]);
}
