//! Diagnostics: what is wrong with a user's text, where, and what to write instead.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// Whether a text can be used in spite of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but hardly as meant.
    Warning,
    /// It cannot be used.
    Error,
}

/// One problem in a text. Parsers return all that they find, never only the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A short stable name of the kind of problem, such as `unknown-function`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// The bytes of the text that are at fault; empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to write instead, if that is known.
    pub help: Option<String>,
    /// Names that were probably meant, the likeliest first.
    pub candidates: Vec<String>,
}

impl Diagnostic {
    /// An error without help or candidates.
    pub fn error(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            span,
            message: message.into(),
            help: None,
            candidates: Vec::new(),
        }
    }

    /// A warning without help or candidates.
    pub fn warning(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// The same with a hint at what to write instead.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Diagnostic {
        Diagnostic { help: Some(help.into()), ..self }
    }

    /// The same with the names that were probably meant.
    #[must_use]
    pub fn with_candidates(self, candidates: Vec<String>) -> Diagnostic {
        Diagnostic { candidates, ..self }
    }
}

/// The names among `known` that a misspelt `name` probably meant: at most three, the nearest first.
///
/// Letters count without case, and a name is near when about a third of its letters are wrong at most.
///
/// ```
/// use engine::diagnostic::nearest;
/// assert_eq!(nearest("sqr", ["sin", "sqrt", "abs"]), ["sqrt"]);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let limit = (name.chars().count() / 3).clamp(1, 4);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(3).map(|(_, candidate)| String::from(candidate)).collect()
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours, each 1.
/// (Damerau 1964, in the restricted form that edits no part twice.)
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i);
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = core::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names() {
        let known = ["temperature", "humidity", "hot", "cpu", "cpu_usage"];
        for (name, expected) in [
            ("temprature", &["temperature"][..]),
            ("temperatuer", &["temperature"]),
            ("CPU", &["cpu"]),
            ("cup", &["cpu"]),
            ("pressure", &[]),
            ("", &[]),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }
}
