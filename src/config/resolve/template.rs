//! Templates with names, which texts include.

use std::collections::BTreeSet;

use actors::panel::NamedTemplate;
use engine::diagnostic::Diagnostic;
use engine::template::{self, Draft, Library, Template};

use super::Setting;
use super::formula::Formulas;
use crate::config::place::Place;
use crate::config::problems::Problems;

/// The templates of `[template.NAME]`.
pub(super) struct Templates<'t> {
    library: Library,
    /// As they are told.
    told: Vec<NamedTemplate>,
    /// Those that nothing has included so far.
    unused: BTreeSet<&'t str>,
    clean: Place<'t>,
    raw: Place<'t>,
}

impl<'t> Templates<'t> {
    /// Resolves them. Each formula in them is compiled once, however often it is included.
    pub(super) fn resolve(
        setting: Setting<'t>,
        formulas: &mut Formulas<'t>,
        problems: &mut Problems,
    ) -> Templates<'t> {
        let (clean, raw) = (setting.clean.get("template"), setting.raw.get("template"));
        let written = &setting.file.template.0;
        let mut templates = Templates {
            library: Library::default(),
            told: Vec::new(),
            unused: written.iter().map(|(name, _)| name.as_str()).collect(),
            clean,
            raw,
        };
        let mut drafts = Vec::new();
        let mut places = Vec::new();
        for (name, template) in written {
            let place = clean.get(name).get("text");
            let draft = templates.draft(&template.text.0, place, problems);
            templates.told.push(NamedTemplate {
                name: name.clone(),
                text: template.text.0.clone(),
                includes: draft.includes().map(|(name, _)| name.into()).collect(),
                ..NamedTemplate::default()
            });
            drafts.push((name.clone(), draft));
            places.push(place);
        }
        let (library, found) = Library::new(&drafts, |index, text, span, format| {
            let id = formulas.part(text, format, places[index], span.start);
            templates.told[index].formulas.push(id);
            id
        });
        for (index, problem) in found {
            templates.report(problem, &written[index].1.text.0, places[index], problems);
        }
        Templates { library, ..templates }
    }

    /// The text of a widget, which may include them.
    pub(super) fn text(
        &mut self,
        widget: usize,
        text: &str,
        place: Place<'t>,
        formulas: &mut Formulas<'t>,
        problems: &mut Problems,
    ) -> Template {
        let draft = self.draft(text, place, problems);
        for (name, _) in draft.includes() {
            let included = self.told.iter_mut().find(|template| template.name == name);
            included.into_iter().for_each(|template| template.widgets.push(widget));
        }
        let id_of = |text: &str, span: std::ops::Range<usize>, format: &template::Format| {
            formulas.part(text, format, place, span.start)
        };
        let (template, found) = self.library.resolve(&draft, id_of);
        for problem in found {
            self.report(problem, text, place, problems);
        }
        template
    }

    /// Warns of templates that nothing includes.
    pub(super) fn warn_of_unused(&self, problems: &mut Problems) {
        for name in &self.unused {
            let span = self.clean.get(name).key_span();
            let warning = Diagnostic::warning("unused-template", span, "nothing includes this template");
            problems
                .add(warning.with_help(format!("write `{{include({name})}}` in a text, or leave it out")));
        }
    }

    /// What they are, for people.
    pub(super) fn told(self) -> Vec<NamedTemplate> {
        self.told
    }

    fn draft(&mut self, text: &str, place: Place<'_>, problems: &mut Problems) -> Draft {
        let (draft, found) = template::parse(text);
        for problem in found {
            problems.add_within(problem, |span| place.within(span));
        }
        for (name, _) in draft.includes() {
            self.unused.remove(name);
        }
        draft
    }

    /// Notes a problem of `text`. A template that had to be left out, because something is wrong in it, is
    /// not unknown.
    fn report(&self, problem: Diagnostic, text: &str, place: Place<'_>, problems: &mut Problems) {
        let name = text.get(problem.span.clone()).unwrap_or_default();
        if problem.code != "unknown-template" || self.raw.find(name).is_none() {
            problems.add_within(problem, |span| place.within(span));
        }
    }
}
