//! Problems on their way from a check to the report.

use std::ops::Range;

use engine::diagnostic::{Diagnostic, Severity, nearest};

/// The problems found so far, their spans in bytes of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Problems(Vec<Diagnostic>);

impl Problems {
    /// Notes `problem`, whose span is in the file already.
    pub(super) fn add(&mut self, problem: Diagnostic) {
        self.0.push(problem);
    }

    /// Notes a problem of a text that stands elsewhere in the file: `within` translates its span.
    pub(super) fn add_within(&mut self, problem: Diagnostic, within: impl Fn(Range<usize>) -> Range<usize>) {
        let span = within(problem.span.clone());
        self.add(Diagnostic { span, ..problem });
    }

    /// Notes an error.
    pub(super) fn error(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>) {
        self.add(Diagnostic::error(code, span, message));
    }

    /// Notes an error and what to write instead.
    pub(super) fn error_help(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Diagnostic::error(code, span, message).with_help(help));
    }

    /// How many were found.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether anything was found that makes the file unusable.
    pub(super) fn any_error(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All problems in the order of the file, each once.
    pub(super) fn sorted(mut self) -> Vec<Diagnostic> {
        self.0.sort_by(|a, b| (a.span.start, a.span.end, a.code).cmp(&(b.span.start, b.span.end, b.code)));
        self.0.dedup();
        self.0
    }
}

/// What helps with a `name` that is none of `known`: the nearest ones, else a list of all.
///
/// `what` is the plural of what they are: "widgets". Long lists are cut.
pub(super) fn with_known<'a>(
    problem: Diagnostic,
    name: &str,
    what: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    const SHOWN: usize = 14;
    let known: Vec<&str> = known.into_iter().collect();
    // One letter is near every other.
    let near = if name.chars().count() > 1 { nearest(name, known.iter().copied()) } else { Vec::new() };
    if !near.is_empty() {
        return problem.with_candidates(near);
    }
    let list = known.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match known.len() {
        0 => problem.with_help(format!("there are no {what}")),
        1..=SHOWN => problem.with_help(format!("the {what} are {list}")),
        more => problem.with_help(format!("the {what} are {list} and {} more", more - SHOWN)),
    }
}
