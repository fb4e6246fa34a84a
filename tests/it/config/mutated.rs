//! Whatever stands in a file, the answer is a panel or a report that can be shown.

use proptest::prelude::*;

use super::{broken, report};

/// Pieces that a mutation puts into a file: what is likely to confuse.
const PIECES: &[&str] = &[
    "",
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ",",
    ".",
    "\n",
    "\\",
    "\\u00e9",
    "é",
    "😀",
    "\0",
    "{{",
    "}}",
    "{1/0}",
    "(",
    "inf",
    "nan",
    "-0",
    "1e999",
    "9223372036854775808",
    "1979-05-27",
    "true",
    "kind",
    "[display]",
    "[page.other]",
    "widgets",
    "\"0s\"",
    "99999999999999999999d",
    "#",
];

#[derive(Clone, Debug)]
struct Edit {
    at: usize,
    len: usize,
    piece: &'static str,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (any::<usize>(), 0_usize..12, proptest::sample::select(PIECES))
        .prop_map(|(at, len, piece)| Edit { at, len, piece });
    proptest::collection::vec(edit, 1..4)
}

fn apply(text: &mut String, edit: &Edit) {
    let whole = |text: &str, mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = whole(text, edit.at % (text.len() + 1));
    let end = whole(text, (start + edit.len).min(text.len())).max(start);
    text.replace_range(start..end, edit.piece);
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let report = report(text);
    for problem in report.problems() {
        prop_assert!(problem.span.start <= problem.span.end && problem.span.end <= text.len(), "{problem:?}");
        prop_assert!(text.get(problem.span.clone()).is_some(), "in the middle of a character: {problem:?}");
        prop_assert!(!problem.message.is_empty());
        let (line, column) = report.line_and_column(problem.span.start);
        prop_assert!(line >= 1 && column >= 1);
    }
    prop_assert_eq!(report.render(false).is_empty(), report.problems().is_empty());
    prop_assert!(
        report.problems().iter().all(|problem| problem.code != "unusable"),
        "{}",
        report.render(false)
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_with_accidents(which in any::<prop::sample::Index>(), edits in edits()) {
        let (name, lines) = which.get(broken::CASES);
        let mut text = broken::complete(name, lines);
        for edit in &edits {
            apply(&mut text, edit);
        }
        check(&text)?;
    }

    #[test]
    fn the_manual_with_accidents(which in any::<prop::sample::Index>(), edits in edits()) {
        let manual = super::manual_blocks();
        let mut text = which.get(&manual).clone();
        for edit in &edits {
            apply(&mut text, edit);
        }
        check(&text)?;
    }

    #[test]
    fn anything(text in any::<String>()) {
        check(&text)?;
    }
}
