//! A template as written, its formulas not compiled yet.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Format, Library, Template};
use crate::diagnostic::Diagnostic;
use crate::formula::FormulaId;

/// A template whose formulas have not been compiled yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// Its parts in their order.
    pub parts: Vec<DraftPart>,
}

/// A part of a draft.
#[derive(Clone, Debug, PartialEq)]
pub enum DraftPart {
    /// Text as it is shown, braces already single.
    Literal(String),
    /// A formula.
    Formula {
        /// Its text.
        text: String,
        /// Where its text stands in the template: a diagnostic's span plus `span.start` is a place there.
        span: Range<usize>,
        /// How its result is written.
        format: Format,
    },
    /// All that another template shows.
    Include {
        /// The other one's name.
        name: String,
        /// Where the name stands in this one.
        span: Range<usize>,
    },
}

impl Draft {
    /// The formulas and where they stand, in their order.
    pub fn formulas(&self) -> impl Iterator<Item = (&str, Range<usize>)> + '_ {
        self.parts.iter().filter_map(|part| match part {
            DraftPart::Formula { text, span, .. } => Some((text.as_str(), span.clone())),
            _ => None,
        })
    }

    /// The names of the templates that it includes and where they stand, in their order.
    pub fn includes(&self) -> impl Iterator<Item = (&str, Range<usize>)> + '_ {
        self.parts.iter().filter_map(|part| match part {
            DraftPart::Include { name, span } => Some((name.as_str(), span.clone())),
            _ => None,
        })
    }

    /// The bytes of its own texts.
    pub(super) fn text_bytes(&self) -> usize {
        let bytes = |part: &DraftPart| if let DraftPart::Literal(text) = part { text.len() } else { 0 };
        self.parts.iter().map(bytes).sum()
    }

    /// Makes a template of it where there is nothing to include; `id_of` is asked for each formula in their
    /// order. [`Library::resolve`] is for one that may include others.
    pub fn resolve(&self, mut id_of: impl FnMut(&str, Range<usize>) -> FormulaId) -> Template {
        Library::default().resolve(self, |text, span, _| id_of(text, span)).0
    }
}

/// Reads a template: what can be read of it, and all problems with its braces and formats. The formulas
/// themselves are not looked at.
///
/// ```
/// use engine::template::parse;
/// let (draft, problems) = parse("{if(hot, '}', ':')} {{{cpu:>5.1f}}}");
/// assert!(problems.is_empty());
/// let formulas: Vec<_> = draft.formulas().collect();
/// assert_eq!(formulas, [("if(hot, '}', ':')", 1..18), ("cpu", 23..26)]);
/// ```
pub fn parse(text: &str) -> (Draft, Vec<Diagnostic>) {
    let mut reader =
        Reader { text, at: 0, literal: String::new(), draft: Draft::default(), diagnostics: Vec::new() };
    while let Some(c) = reader.next() {
        match c {
            '{' if reader.eat('{') => reader.literal.push('{'),
            '}' if reader.eat('}') => reader.literal.push('}'),
            '{' => reader.placeholder(),
            '}' => {
                let span = reader.at - 1..reader.at;
                let error = Diagnostic::error("unexpected-brace", span, "this brace closes nothing");
                reader.diagnostics.push(error.with_help("for a brace in the text write `}}`"));
            }
            c => reader.literal.push(c),
        }
    }
    reader.end_literal();
    (reader.draft, reader.diagnostics)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    literal: String,
    draft: Draft,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.text[self.at..].chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.text[self.at..].starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.draft.parts.push(DraftPart::Literal(core::mem::take(&mut self.literal)));
        }
    }

    /// A formula and its format; the opening brace is read already.
    fn placeholder(&mut self) {
        let start = self.at;
        let end = self.formula_end();
        let mut format = Format::default();
        let mut format_at = None;
        if self.text[end..].starts_with(':') {
            self.at = end + 1;
            format_at = Some(end);
            let format_end =
                self.text[self.at..].find('}').map_or(self.text.len(), |length| self.at + length);
            match Format::parse(&self.text[self.at..format_end], self.at) {
                Ok(parsed) => format = parsed,
                Err(problem) => self.diagnostics.push(problem),
            }
            self.at = format_end;
        } else {
            self.at = end;
        }
        if !self.eat('}') {
            let error = Diagnostic::error("unclosed-brace", start - 1..start, "this brace is never closed");
            self.diagnostics.push(error.with_help("for a brace in the text write `{{`"));
            self.at = self.text.len();
            return;
        }
        let written = &self.text[start..end];
        let formula = written.trim();
        if formula.is_empty() {
            let message =
                format!("there is no formula between the braces of `{}`", &self.text[start - 1..self.at]);
            self.diagnostics.push(Diagnostic::error("empty-formula", start - 1..self.at, message));
            return;
        }
        let start = start + (written.len() - written.trim_start().len());
        let span = start..start + formula.len();
        if let Some(name) = included(formula, start) {
            return self.include(name, format_at.map(|at| at..self.at - 1));
        }
        self.end_literal();
        self.draft.parts.push(DraftPart::Formula { text: formula.into(), span, format });
    }

    /// Another template's name, or what is wrong with it; and where its format stands, which it must not have.
    fn include(&mut self, name: Result<(String, Range<usize>), Diagnostic>, format: Option<Range<usize>>) {
        if let Some(span) = format {
            let error = Diagnostic::error("bad-include", span, "an included template has no format");
            self.diagnostics.push(error.with_help("write the format where the template has the formula"));
        }
        match name {
            Ok((name, span)) => {
                self.end_literal();
                self.draft.parts.push(DraftPart::Include { name, span });
            }
            Err(problem) => self.diagnostics.push(problem),
        }
    }

    /// Where the formula ends: at a brace or colon that is in no text, backquotes or parentheses.
    fn formula_end(&self) -> usize {
        let mut quote = None;
        let mut open = 0u32;
        let mut escaped = false;
        for (at, c) in self.text[self.at..].char_indices() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (Some('\'' | '"'), '\\') => escaped = true,
                (Some(q), _) if q == c => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"' | '`') => quote = Some(c),
                (None, '(') => open += 1,
                (None, ')') => open = open.saturating_sub(1),
                // A closing brace ends it even within parentheses: they are reported as unclosed then.
                (None, '}') => return self.at + at,
                (None, ':') if open == 0 => return self.at + at,
                _ => {}
            }
        }
        self.text.len()
    }
}

/// The name in `include(name)`, bare or in quotes, where what stands at byte `at` is one.
fn included(text: &str, at: usize) -> Option<Result<(String, Range<usize>), Diagnostic>> {
    const WORD: &str = "include";
    let head = text.get(..WORD.len()).filter(|head| head.eq_ignore_ascii_case(WORD))?;
    let inside = text[head.len()..].trim_start().strip_prefix('(')?;
    let start = text.len() - inside.len();
    let wrong = |span: Range<usize>, message: &str, help: &str| {
        let span = at + span.start..at + span.end;
        Some(Err(Diagnostic::error("bad-include", span, message).with_help(help)))
    };
    let Some(end) = inside.find(')') else {
        return wrong(start - 1..start, "this parenthesis is never closed", "write `{include(name)}`");
    };
    if start + end + 1 < text.len() {
        let message = "an include stands alone between its braces";
        return wrong(start + end + 1..text.len(), message, "write the rest in braces of its own");
    }
    let written = &inside[..end];
    let trimmed = written.trim();
    let quoted = |quote: char| trimmed.strip_prefix(quote)?.strip_suffix(quote);
    let name = quoted('\'').or_else(|| quoted('"')).unwrap_or(trimmed);
    let name_at = start + written.find(name).unwrap_or(0);
    let span = name_at..name_at + name.len();
    if name.is_empty() {
        return wrong(0..text.len(), "the name of a template is missing", "write `{include(name)}`");
    }
    if let Some(comma) = name.find(',') {
        let message = "an include takes the name of a template and nothing else";
        let help = "the template can name keys and values by itself";
        return wrong(name_at + comma..span.end, message, help);
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        let message = format!("`{name}` is no name of a template");
        return wrong(span, &message, "names consist of letters, digits, `_` and `-`");
    }
    Some(Ok((name.into(), at + span.start..at + span.end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_braces_and_formulas() {
        let (draft, problems) = parse("a{{b}}c { x + 1 :.1f}\u{b0}{`a:b`}");
        assert_eq!(problems, []);
        let one_digit = Format::parse(".1f", 0).unwrap();
        assert_eq!(
            draft.parts,
            [
                DraftPart::Literal("a{b}c ".into()),
                DraftPart::Formula { text: "x + 1".into(), span: 10..15, format: one_digit },
                DraftPart::Literal("\u{b0}".into()),
                DraftPart::Formula { text: "`a:b`".into(), span: 24..29, format: Format::default() },
            ]
        );
    }

    #[test]
    fn includes() {
        for text in ["{include(ab-1)}", "{ Include ( 'ab-1' ) }", "{include(\"ab-1\")}"] {
            let (draft, problems) = parse(text);
            assert_eq!(problems, [], "{text}");
            let [(name, span)] = &draft.includes().collect::<Vec<_>>()[..] else { panic!("{text}") };
            assert_eq!((*name, &text[span.clone()]), ("ab-1", "ab-1"), "{text}");
        }
        let (draft, problems) = parse("{include} {included(1)} {x.include(1)}");
        assert_eq!((problems, draft.includes().count(), draft.formulas().count()), ([].into(), 0, 3));
    }

    #[test]
    fn problems_are_placed_and_do_not_hide_each_other() {
        for (text, expected) in [
            ("a } b", &[("unexpected-brace", 2..3)][..]),
            ("{}", &[("empty-formula", 0..2)]),
            ("{ :.1f}", &[("empty-formula", 0..7)]),
            ("x {cpu", &[("unclosed-brace", 2..3)]),
            ("x {cpu:.1", &[("unclosed-brace", 2..3)]),
            ("{'a}", &[("unclosed-brace", 0..1)]),
            ("{include()}", &[("bad-include", 1..10)]),
            ("{include(a, 1)}", &[("bad-include", 10..13)]),
            ("{include(a + b)}", &[("bad-include", 9..14)]),
            ("{include(a) + 1}", &[("bad-include", 11..15)]),
            ("{include(a}", &[("bad-include", 8..9)]),
            ("{include(a):>5}", &[("bad-include", 11..14)]),
            (
                "{a:q} } {b:.x}",
                &[("unknown-format", 3..4), ("unexpected-brace", 6..7), ("unknown-format", 11..13)],
            ),
        ] {
            let (_, problems) = parse(text);
            let found: Vec<_> = problems.iter().map(|problem| (problem.code, problem.span.clone())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "([{}:`'\\\\a()1 .%<>\u{e9}-]|include){0,40}|.{0,40}") {
            let (draft, problems) = parse(&text);
            for (formula, span) in draft.formulas() {
                assert_eq!(&text[span], formula);
            }
            for problem in problems {
                assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
            }
        }
    }
}
