//! Formulas: collected from the whole file, compiled together, their problems put in their places.

use actors::expression::script::Library;
use actors::expression::script::reads::Reads;
use actors::expression::script::uses::Verb;
use actors::panel::Key;
use engine::diagnostic::Diagnostic;
use engine::formula::{self, Entry, Environment, FormulaId, Kind, Program};
use engine::sample::SourceId;
use engine::template::Format;
use engine::value::Value;
use engine::widget::Widget;

use super::{Setting, key, usage};
use crate::config::file;
use crate::config::place::Place;
use crate::config::problems::Problems;

/// The formulas of a file in the order of their ids.
#[derive(Default)]
pub(super) struct Formulas<'t> {
    written: Vec<Written<'t>>,
}

/// A formula as the file has it.
struct Written<'t> {
    /// What other formulas call its result.
    name: Option<String>,
    text: String,
    /// What its result is used for.
    purpose: Purpose,
    /// The text that the formula stands in, and where it begins there.
    place: Place<'t>,
    offset: usize,
}

/// What a formula's result is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Anything.
    Any,
    /// Something with a length.
    Number,
    /// Something that holds or not.
    Condition,
    /// Something that is written as a number.
    Formatted,
    /// A colour.
    Color,
}

impl<'t> Formulas<'t> {
    /// The named values, whose results other formulas use by name.
    pub(super) fn values(&mut self, setting: Setting<'t>) -> Vec<(String, FormulaId)> {
        let at = setting.clean.get("value");
        let add = |(name, text): &(String, file::Formula)| {
            let (text, place, purpose) = (text.0.clone(), at.get(name), Purpose::Any);
            (name.clone(), self.add(Written { name: Some(name.clone()), text, purpose, place, offset: 0 }))
        };
        setting.file.value.0.iter().map(add).collect()
    }

    /// A formula whose result must be a number.
    pub(super) fn number(&mut self, text: &str, place: Place<'t>) -> FormulaId {
        self.unnamed(text, Purpose::Number, place, 0)
    }

    /// A formula that is used as a condition.
    pub(super) fn condition(&mut self, text: &str, place: Place<'t>) -> FormulaId {
        self.unnamed(text, Purpose::Condition, place, 0)
    }

    /// A formula whose result is a colour. It stands `offset` bytes into its text.
    pub(super) fn color(&mut self, text: &str, place: Place<'t>, offset: usize) -> FormulaId {
        self.unnamed(text, Purpose::Color, place, offset)
    }

    /// A formula in a template, `offset` bytes into its text.
    pub(super) fn part(&mut self, text: &str, format: &Format, place: Place<'t>, offset: usize) -> FormulaId {
        let purpose = if format.is_of_numbers() { Purpose::Formatted } else { Purpose::Any };
        self.unnamed(text, purpose, place, offset)
    }

    fn unnamed(&mut self, text: &str, purpose: Purpose, place: Place<'t>, offset: usize) -> FormulaId {
        self.add(Written { name: None, text: text.into(), purpose, place, offset })
    }

    fn add(&mut self, written: Written<'t>) -> FormulaId {
        self.written.push(written);
        FormulaId(u32::try_from(self.written.len() - 1).unwrap_or(u32::MAX))
    }

    /// Compiles all of them over `keys` and `constants`, with the functions of `library`.
    pub(super) fn compile(
        self,
        setting: Setting<'t>,
        keys: &[Key],
        library: &Library,
        constants: &[(String, Value)],
        problems: &mut Problems,
    ) -> Program {
        let entry = |written: &'_ Written<'t>| (written.name.clone(), written.text.clone());
        let texts: Vec<(Option<String>, String)> = self.written.iter().map(entry).collect();
        let entries: Vec<Entry<'_>> =
            texts.iter().map(|(name, text)| Entry { name: name.as_deref(), text }).collect();
        let known: Vec<formula::Key> =
            keys.iter().map(|key| formula::Key { name: key.name.clone(), kind: key.kind }).collect();
        let fps = setting.fps();
        let scripts = &*library.functions;
        let environment = Environment { keys: &known, given: &[], scripts, constants, fps };
        let compiled = formula::compile(&entries, &environment);
        let is_certain = |(_, problem): &&(FormulaId, Diagnostic)| problem.code.starts_with("always-");
        let told: Vec<FormulaId> = compiled.problems.iter().filter(is_certain).map(|(id, _)| *id).collect();
        let is_wrong = problems.any_error();
        for (id, problem) in compiled.problems {
            if let Some(written) = self.written.get(id.0 as usize) {
                let problem = key::explained(problem, &written.text, setting, (keys, is_wrong));
                if let Some(problem) = problem {
                    problems.add_within(problem, |span| written.in_file(span));
                }
            }
        }
        for (id, written) in (0..).map(FormulaId).zip(&self.written) {
            let problem = compiled.program.kind(id).and_then(|kind| written.misfit(kind));
            problem.into_iter().for_each(|problem| problems.add(problem));
            if let Some(holds) = compiled.program.certainty(id)
                && written.purpose == Purpose::Condition
                && !told.contains(&id)
            {
                problems.add(written.certain(holds));
            }
        }
        if !problems.any_error() {
            // What uses a value may be among what is wrong.
            self.warn_of_unused(&compiled.needs, library, problems);
        }
        compiled.program
    }

    /// Warns of values that nothing shows, though they can be asked for from outside. What scripts read by a name
    /// that they write out is used; where one makes names up, any value may be.
    fn warn_of_unused(&self, needs: &[Vec<FormulaId>], library: &Library, problems: &mut Problems) {
        if library.uses.iter().any(|uses| uses.is_computed(Verb::Get)) {
            return;
        }
        let names: Vec<Option<&str>> = self.written.iter().map(|written| written.name.as_deref()).collect();
        let read = library.uses.iter().flat_map(|uses| uses.all()).filter(|one| one.verb == Verb::Get);
        let used = usage::used(&names, needs, &read.map(|one| one.name.as_str()).collect());
        let unused = self.written.iter().zip(used).filter(|(_, used)| !used).map(|(written, _)| written);
        for (written, name) in unused.filter_map(|written| Some((written, written.name.as_deref()?))) {
            if !name.starts_with('_') {
                let message = format!("no widget, trigger or script needs `{name}`");
                let warning = Diagnostic::warning("unused-value", written.place.key_span(), message);
                problems.add(warning.with_help(format!(
                    "show it, leave it out, or call it `_{name}` if it is there for others to ask for"
                )));
            }
        }
    }
}

impl Written<'_> {
    fn in_file(&self, span: std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.place.within(span.start + self.offset..span.end + self.offset)
    }

    /// A condition that never changes.
    fn certain(&self, holds: bool) -> Diagnostic {
        let (code, when) = if holds { ("always-true", "always") } else { ("always-false", "never") };
        let span = self.in_file(0..self.text.len());
        Diagnostic::warning(code, span, format!("this condition {when} holds"))
    }

    /// What is wrong with a result of this kind, if anything is.
    fn misfit(&self, kind: Kind) -> Option<Diagnostic> {
        let found = match kind {
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Color => "a colour",
        };
        let (wanted, help) = match (self.purpose, kind) {
            (Purpose::Any, _) | (Purpose::Color, Kind::Color | Kind::Text) => return None,
            (Purpose::Number | Purpose::Condition | Purpose::Formatted, Kind::Number) => return None,
            (Purpose::Color, Kind::Number) => {
                ("a colour", "write for example `mix(theme.ok, theme.critical, cpu / 100)`")
            }
            (Purpose::Number, _) => {
                ("a number", "choose a key that is a number, or show this with a `text` widget")
            }
            (Purpose::Condition, _) => ("a condition", "compare it, for example `\u{2026} == \"on\"`"),
            (Purpose::Formatted, _) => ("a number", "its format is one of numbers: leave the format out"),
        };
        let span = self.in_file(0..self.text.len());
        let message = format!("{wanted} is needed here, and this formula gives {found}");
        Some(Diagnostic::error("wrong-kind", span, message).with_help(help))
    }
}

/// Tells each widget which sources the formulas behind it depend on, by way of scripts too.
pub(super) fn connect(widgets: &mut [Widget], reads: &Reads<'_>, keys: &[Key]) {
    for widget in widgets {
        let source = |key: usize| keys.get(key).map(|key| key.source);
        let keys = widget.formulas().into_iter().flat_map(|id| reads.keys_of(id));
        let mut sources: Vec<SourceId> = keys.filter_map(source).collect();
        sources.sort_unstable();
        sources.dedup();
        widget.sources = sources;
    }
}
