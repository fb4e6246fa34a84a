//! Reports: what is wrong with a configuration, as a user reads it.

use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};
use engine::diagnostic::{Diagnostic, Severity};

use super::limits;

/// Everything that is wrong with one text, in the text's order.
#[derive(Clone, Debug, Default)]
pub struct Report {
    name: String,
    text: String,
    problems: Vec<Diagnostic>,
}

impl Report {
    /// The `problems` of `text`, which users know as `name`; their spans are bytes of the text.
    pub fn new(name: &str, text: &str, problems: Vec<Diagnostic>) -> Report {
        Report { name: name.into(), text: text.into(), problems }
    }

    /// The problems.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }

    /// What users know the text as.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line and the column, counted in characters, of the byte `at` of the text. Both begin with 1.
    pub fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..self.on_character(at)];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// How many of them are errors.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// How many of them are warnings.
    pub fn warnings(&self) -> usize {
        self.problems.len() - self.errors()
    }

    /// All problems with file, line, column, caret and help, and a last line that counts them; nothing
    /// where there are none. `color` adds the escapes of terminals.
    pub fn render(&self, color: bool) -> String {
        let renderer =
            if color { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
        let mut rendered = String::new();
        for problem in self.problems.iter().take(limits::PROBLEMS_SHOWN) {
            rendered.push_str(renderer.render(&[self.group(problem)]).trim_end());
            rendered.push_str("\n\n");
        }
        if self.problems.len() > limits::PROBLEMS_SHOWN {
            let more = self.problems.len() - limits::PROBLEMS_SHOWN;
            // Writing to a String cannot fail.
            let _ = writeln!(rendered, "… and {more} more\n");
        }
        if !self.problems.is_empty() {
            let _ = writeln!(rendered, "{}: {}", self.name, self.summary());
        }
        rendered
    }

    /// "2 errors, 1 warning"
    pub fn summary(&self) -> String {
        let count = |count: usize, what: &str| match count {
            0 => None,
            1 => Some(format!("1 {what}")),
            more => Some(format!("{more} {what}s")),
        };
        let counts = [count(self.errors(), "error"), count(self.warnings(), "warning")];
        counts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn group<'a>(&'a self, problem: &'a Diagnostic) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(normalize_untrusted_str(&problem.message)).id(problem.code);
        let mut group = title.element(
            Snippet::source(&*self.text)
                .path(&*self.name)
                .annotation(AnnotationKind::Primary.span(self.shown(problem))),
        );
        let meant = meant(&problem.candidates);
        let help = problem.help.as_ref().filter(|help| meant.as_ref() != Some(help));
        for line in meant.iter().chain(help) {
            group = group.element(Level::HELP.message(normalize_untrusted_str(line)));
        }
        group
    }

    /// The problem's span on whole characters within the text.
    fn shown(&self, problem: &Diagnostic) -> std::ops::Range<usize> {
        let start = self.on_character(problem.span.start);
        start..self.on_character(problem.span.end).max(start)
    }

    /// `at`, moved back to the begin of a character.
    fn on_character(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        (0..=at).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }
}

fn meant(candidates: &[String]) -> Option<String> {
    match candidates {
        [] => None,
        [only] => Some(format!("did you mean `{only}`?")),
        [all @ .., last] => Some(format!("did you mean `{}` or `{last}`?", all.join("`, `"))),
    }
}
