//! Formulas: collected from the whole file, compiled together, their problems put in their places.

use actors::panel::Key;
use actors::source::Source;
use engine::formula::{self, Entry, FormulaId, Program};
use engine::template::Template;
use engine::widget::Widget;

use crate::config::place::Place;
use crate::config::problems::Problems;

/// The formulas of a file in the order of their ids.
#[derive(Default)]
pub(super) struct Formulas<'t> {
    entries: Vec<Written<'t>>,
}

struct Written<'t> {
    name: Option<String>,
    text: String,
    /// The text that the formula stands in, and where it begins there.
    place: Place<'t>,
    offset: usize,
}

impl<'t> Formulas<'t> {
    /// A formula whose result other formulas use as `name`.
    pub(super) fn named(&mut self, name: &str, text: &str, place: Place<'t>) -> FormulaId {
        self.add(Written { name: Some(name.into()), text: text.into(), place, offset: 0 })
    }

    /// A formula that drives something.
    pub(super) fn unnamed(&mut self, text: &str, place: Place<'t>) -> FormulaId {
        self.add(Written { name: None, text: text.into(), place, offset: 0 })
    }

    /// A formula whose result must be a number.
    pub(super) fn number(&mut self, text: &str, place: Place<'t>) -> FormulaId {
        self.unnamed(text, place)
    }

    /// A formula that is used as a condition.
    pub(super) fn condition(&mut self, text: &str, place: Place<'t>) -> FormulaId {
        self.unnamed(text, place)
    }

    /// The formulas of a template.
    pub(super) fn template(&mut self, text: &str, place: Place<'t>, _problems: &mut Problems) -> Template {
        let _ = place;
        Template { parts: vec![engine::template::Part::Literal(text.into())] }
    }

    fn add(&mut self, written: Written<'t>) -> FormulaId {
        self.entries.push(written);
        FormulaId(u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX))
    }

    /// Compiles all of them and tells widgets which sources they depend on.
    pub(super) fn compile(
        self,
        keys: &[Key],
        _sources: &[Source],
        _widgets: &mut [Widget],
        problems: &mut Problems,
    ) -> Program {
        let entries: Vec<Entry<'_>> = (self.entries.iter())
            .map(|written| Entry { name: written.name.as_deref(), text: &written.text })
            .collect();
        let known: Vec<formula::Key> =
            keys.iter().map(|key| formula::Key { name: key.name.clone(), kind: key.kind }).collect();
        let compiled = formula::compile(&entries, &known);
        for (id, problem) in compiled.problems {
            let Some(written) = self.entries.get(id.0 as usize) else { continue };
            problems.add_within(problem, |span| {
                written.place.within(span.start + written.offset..span.end + written.offset)
            });
        }
        compiled.program
    }
}
