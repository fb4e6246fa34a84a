//! Templates inside templates: `{include(name)}` stands for all that the template of that name shows.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{Draft, DraftPart, Format, Part, Template};
use crate::diagnostic::{Diagnostic, nearest};
use crate::formula::{FormulaId, graph};

/// How deep includes may be: a template that includes none is 0 deep.
pub const MAX_DEPTH: u32 = 16;

/// The most parts that a template may come to with all that it includes.
pub const MAX_PARTS: usize = 1_000;

/// The most bytes of text around its formulas that a template may come to with all that it includes. Texts
/// beside each other are one part, so that the number of parts alone does not limit them.
pub const MAX_TEXT: usize = 16 * 1024;

/// Templates with names, which others may include.
#[derive(Clone, Debug, Default)]
pub struct Library(BTreeMap<String, Entry>);

#[derive(Clone, Debug, Default)]
struct Entry {
    /// `None` where it cannot be included, for a reason that was reported.
    template: Option<Template>,
    depth: u32,
    /// The bytes of its texts, with those that it includes.
    bytes: usize,
}

impl Library {
    /// Resolves templates that may include each other. `id_of` is asked for each formula, with the index of
    /// the template that it stands in, in their order. Of two templates of one name the first has it.
    ///
    /// The problems are those of the includes, each with the index of its template: names of no template,
    /// cycles, and limits.
    ///
    /// ```
    /// use engine::formula::FormulaId;
    /// use engine::template::{Library, parse};
    ///
    /// let named = [("a".into(), parse("A {include(b)}").0), ("b".into(), parse("B {include(a)}").0)];
    /// let (_, problems) = Library::new(&named, |_, _, _, _| FormulaId(0));
    /// let (index, problem) = &problems[0];
    /// assert_eq!((*index, problem.span.clone()), (0, 11..12));
    /// assert_eq!(problem.message, "this template includes itself: a -> b -> a");
    /// ```
    pub fn new(
        named: &[(String, Draft)],
        mut id_of: impl FnMut(usize, &str, Range<usize>, &Format) -> FormulaId,
    ) -> (Library, Vec<(usize, Diagnostic)>) {
        let mut index_of = BTreeMap::new();
        for (index, (name, _)) in (0u32..).zip(named) {
            index_of.entry(name.as_str()).or_insert(index);
        }
        let edges: Vec<Vec<u32>> = named
            .iter()
            .map(|(_, draft)| draft.includes().filter_map(|(name, _)| index_of.get(name).copied()).collect())
            .collect();
        let ids: Vec<Vec<FormulaId>> = named
            .iter()
            .enumerate()
            .map(|(index, (_, draft))| {
                let of_part = |part: &DraftPart| match part {
                    DraftPart::Formula { text, span, format } => {
                        Some(id_of(index, text, span.clone(), format))
                    }
                    _ => None,
                };
                draft.parts.iter().filter_map(of_part).collect()
            })
            .collect();
        let mut library = Library(named.iter().map(|(name, _)| (name.clone(), Entry::default())).collect());
        let mut problems = Vec::new();
        for component in graph::components(&edges) {
            match component.as_slice() {
                [one] if !edges[*one as usize].contains(one) => {
                    let index = *one as usize;
                    let (name, draft) = &named[index];
                    let mut ids = ids[index].iter().copied();
                    let (entry, found) = library.link(draft, |_, _, _| ids.next().unwrap_or(FormulaId(0)));
                    problems.extend(found.into_iter().map(|problem| (index, problem)));
                    if index_of.get(name.as_str()) == Some(one) {
                        library.0.insert(name.clone(), entry);
                    }
                }
                several => problems.extend(cycle(named, &edges, several)),
            }
        }
        problems.sort_by_key(|(index, problem)| (*index, problem.span.start));
        (library, problems)
    }

    /// Resolves a template that may include those of the library; `id_of` is asked for each of its own
    /// formulas in their order. What cannot be included is left out, with a problem.
    pub fn resolve(
        &self,
        draft: &Draft,
        id_of: impl FnMut(&str, Range<usize>, &Format) -> FormulaId,
    ) -> (Template, Vec<Diagnostic>) {
        let (entry, problems) = self.link(draft, id_of);
        (entry.template.unwrap_or_default(), problems)
    }

    fn link(
        &self,
        draft: &Draft,
        mut id_of: impl FnMut(&str, Range<usize>, &Format) -> FormulaId,
    ) -> (Entry, Vec<Diagnostic>) {
        let mut template = Template::default();
        let mut depth = 0;
        let mut bytes = draft.text_bytes();
        let mut problems = Vec::new();
        for part in &draft.parts {
            match part {
                DraftPart::Literal(text) => template.push_text(text),
                DraftPart::Formula { text, span, format } => {
                    template.parts.push(Part::Formula(id_of(text, span.clone(), format), format.clone()));
                }
                DraftPart::Include { name, span } => match self.0.get(name) {
                    None => problems.push(self.unknown(name, span.clone())),
                    Some(Entry { template: None, .. }) => {}
                    Some(entry) if entry.depth >= MAX_DEPTH => problems.push(too_deep(name, span.clone())),
                    Some(Entry { template: Some(included), depth: below, bytes: more }) => {
                        depth = depth.max(below + 1);
                        bytes += more;
                        // Told before it is copied: templates that include each other many times would fill the memory.
                        if bytes > MAX_TEXT {
                            problems.push(too_long(span.clone()));
                            break;
                        }
                        template.push(included);
                        if template.parts.len() > MAX_PARTS {
                            problems.push(too_many(span.clone()));
                            break;
                        }
                    }
                },
            }
        }
        let template = problems.is_empty().then_some(template);
        (Entry { template, depth, bytes }, problems)
    }

    fn unknown(&self, name: &str, span: Range<usize>) -> Diagnostic {
        const SHOWN: usize = 14;
        let error = Diagnostic::error("unknown-template", span, format!("there is no template `{name}`"));
        let near = nearest(name, self.0.keys().map(String::as_str));
        if !near.is_empty() {
            return error.with_candidates(near);
        }
        let all: Vec<String> = self.0.keys().take(SHOWN).map(|name| format!("`{name}`")).collect();
        match self.0.len() {
            0 => error.with_help(format!("write a section `[template.{name}]` with its `text`")),
            1..=SHOWN => error.with_help(format!("the templates are {}", all.join(", "))),
            more => {
                error.with_help(format!("the templates are {} and {} more", all.join(", "), more - SHOWN))
            }
        }
    }
}

impl Template {
    fn push_text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Literal(last)) => last.push_str(text),
            _ => self.parts.push(Part::Literal(text.into())),
        }
    }

    fn push(&mut self, other: &Template) {
        for part in &other.parts {
            match part {
                Part::Literal(text) => self.push_text(text),
                formula => self.parts.push(formula.clone()),
            }
        }
    }
}

/// The error of templates that include each other, at the first of them.
fn cycle(named: &[(String, Draft)], edges: &[Vec<u32>], component: &[u32]) -> Option<(usize, Diagnostic)> {
    let first = *component.iter().min()?;
    let name = |index: u32| named.get(index as usize).map_or("", |(name, _)| name.as_str());
    let way = graph::cycle(edges, component, first);
    let next = name(*way.get(1)?);
    let (_, draft) = named.get(first as usize)?;
    let (_, span) = draft.includes().find(|(name, _)| *name == next)?;
    let shown: Vec<&str> = way.iter().map(|index| name(*index)).collect();
    let message = format!("this template includes itself: {}", graph::shorten(&shown).join(" -> "));
    let error = Diagnostic::error("include-cycle", span, message);
    Some((first as usize, error.with_help("leave one of these includes out")))
}

fn too_deep(name: &str, span: Range<usize>) -> Diagnostic {
    let message = format!("`{name}` includes templates {MAX_DEPTH} deep already, which is the most");
    Diagnostic::error("too-deep", span, message).with_help("put some of these templates together")
}

fn too_many(span: Range<usize>) -> Diagnostic {
    let message = format!("with all that it includes this template has more than {MAX_PARTS} parts");
    Diagnostic::error("too-many", span, message)
}

fn too_long(span: Range<usize>) -> Diagnostic {
    let message = format!("with all that it includes this template has more than {MAX_TEXT} bytes of text");
    Diagnostic::error("too-long", span, message).with_help("leave some of its includes out")
}

#[cfg(test)]
mod tests;
