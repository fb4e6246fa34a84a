//! The messages for wrong formulas, as golden text: they are to read well, and to show the very text to write.

mod cases;

use alloc::string::String;
use core::fmt::Write;

use super::*;
use crate::diagnostic::Severity;

/// A formula and its problems, with carets below their places.
fn render(text: &str, problems: &[Diagnostic], out: &mut String) {
    for (number, line) in text.split('\n').enumerate() {
        let _ = writeln!(out, "    {line}");
        for problem in problems.iter().filter(|problem| line_of(text, problem) == number) {
            let line_start = text[..problem.span.start].rfind('\n').map_or(0, |end| end + 1);
            let before = text[line_start..problem.span.start].chars().count();
            let width = text[problem.span.clone()].chars().count().max(1).min(line.chars().count().max(1));
            let severity = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let _ = writeln!(out, "    {:before$}{}", "", "^".repeat(width));
            let _ = writeln!(out, "  {severity}: {} [{}]", problem.message, problem.code);
            if let Some(help) = &problem.help {
                let _ = writeln!(out, "  help: {help}");
            }
        }
    }
}

fn line_of(text: &str, problem: &Diagnostic) -> usize {
    text[..problem.span.start].matches('\n').count()
}

/// The keys that the cases may name.
fn keys() -> Vec<Key> {
    let numbers =
        ["system.cpu", "system.cpu_usage", "weather.temperature", "a.load", "b.load", "room.noise level"];
    let number = |name: &str| Key { name: name.into(), kind: Kind::Number };
    let text = Key { name: "system.state".into(), kind: Kind::Text };
    numbers.into_iter().map(number).chain([text]).collect()
}

/// Every wrong formula alone, by what is wrong with it.
#[test]
fn wrong_formulas() {
    let keys = keys();
    let mut out = String::new();
    let mut wrong = 0;
    for (title, texts) in cases::WRONG {
        let _ = writeln!(out, "# {title}\n");
        for text in *texts {
            let found = compile(&[Entry { name: None, text }], &Environment::of(&keys)).problems;
            let problems: Vec<Diagnostic> = found.into_iter().map(|(_, problem)| problem).collect();
            assert!(!problems.is_empty(), "{text} is in order");
            render(text, &problems, &mut out);
            out.push('\n');
            wrong += 1;
        }
    }
    assert!(wrong >= 80, "{wrong}");
    insta::assert_snapshot!(out);
}

/// A file of values that are wrong together.
#[test]
fn among_values() {
    let entries = cases::VALUES.map(|(name, text)| Entry { name: Some(name), text });
    let compiled = compile(&entries, &Environment::of(&keys()));
    let mut out = String::new();
    for (id, entry) in (0..).map(FormulaId).zip(entries) {
        let problems: Vec<Diagnostic> = compiled
            .problems
            .iter()
            .filter(|(of, _)| *of == id)
            .map(|(_, problem)| problem.clone())
            .collect();
        let _ = writeln!(out, "{} =", entry.name.unwrap_or_default());
        render(entry.text, &problems, &mut out);
    }
    insta::assert_snapshot!(out);
    let right = ["twice", "fine"];
    for (id, (name, text)) in (0..).map(FormulaId).zip(cases::VALUES) {
        let is_right = right.contains(&name) && text != "2";
        assert_eq!(compiled.program.kind(id).is_some(), is_right, "{name}");
    }
}

/// What a hint tells to write is right: it has no problem, or only those of names.
#[test]
fn hints_are_right() {
    let keys = keys();
    let mut checked = 0;
    for text in cases::WRONG.iter().flat_map(|(_, texts)| *texts) {
        for (_, problem) in compile(&[Entry { name: None, text }], &Environment::of(&keys)).problems {
            let written = problem.help.as_deref().and_then(|help| help.strip_prefix("write `"));
            let Some(written) = written.and_then(|help| help.strip_suffix('`')) else { continue };
            // Signatures, signs alone, and what is too long to be repeated.
            if written.contains(['\u{2026}', '[', '`'])
                || written.contains("...")
                || !written.contains(char::is_alphanumeric)
            {
                continue;
            }
            let errors = super::parser::parse(written).diagnostics;
            assert!(errors.is_empty(), "{text}: {written}: {errors:?}");
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
}
