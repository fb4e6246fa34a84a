//! Libraries: the scripts of a configuration, checked together, and the functions that they give to formulas.

pub mod renewal;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use engine::diagnostic::Diagnostic;
use engine::formula::{Kind, ParameterKind, UserFunction};

use super::outline::{Declared, Parameter};
use super::uses::{Use, Uses, Verb};
use super::{Failure, Limits, Script, View};

/// The most scripts of a panel.
pub const FILES_MAX: usize = 32;

/// The most functions that the scripts of a panel define.
pub const FUNCTIONS_MAX: usize = 500;

/// What a script is called for by the runtime, and not by formulas.
pub const HANDLERS: [&str; 2] = ["on_event", "on_tick"];

/// A script's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, as the configuration has it.
    pub name: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
}

/// The scripts of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// The files.
    pub files: Arc<[File]>,
    /// The functions of all of them.
    pub functions: Arc<[UserFunction]>,
    /// By function: which file defines it.
    pub owners: Arc<[usize]>,
    /// By file: which handlers it defines.
    pub handlers: Arc<[Vec<&'static str>]>,
    /// By file: what its text says that it reads and does.
    pub uses: Arc<[Uses]>,
    /// What each may use.
    pub limits: Limits,
    /// The folder that the files' names count from, where they are on a disk to be looked at again.
    pub folder: Option<PathBuf>,
}

/// What is wrong with a script: by the index of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which file.
    pub file: usize,
    /// What is wrong with its text, and where.
    pub diagnostic: Diagnostic,
}

impl Library {
    /// Checks, compiles and runs scripts, each alone. What is wrong with any of them is returned beside the
    /// library, which leaves those out that are in error. `is_builtin` says which names formulas have already.
    pub fn check(
        files: Vec<File>,
        limits: Limits,
        view: &Rc<View>,
        is_builtin: impl Fn(&str) -> bool,
    ) -> (Library, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut kept = Vec::new();
        let (mut functions, mut owners) = (Vec::new(), Vec::new());
        let (mut handlers, mut uses) = (Vec::new(), Vec::new());
        let mut taken: BTreeMap<String, Arc<str>> = BTreeMap::new();
        for (index, file) in files.into_iter().enumerate() {
            let mut say = |diagnostic| problems.push(Problem { file: index, diagnostic });
            let script = match loaded(&file, limits, view) {
                Ok(script) => script,
                Err(failure) => {
                    say(problem(&failure, &file.text));
                    continue;
                }
            };
            script.warnings().iter().cloned().for_each(&mut say);
            script.uses().all().iter().filter_map(|one| unknown(one, view)).for_each(&mut say);
            let mut handles = Vec::new();
            for declared in script.declared() {
                if let Some(handler) = HANDLERS.iter().find(|handler| **handler == declared.name) {
                    handles.push(*handler);
                    continue;
                }
                let owner = taken.get(&declared.name);
                match function(declared, &file.name, owner, &is_builtin) {
                    Ok(function) => {
                        let line = super::line_at(&file.text, declared.span.start);
                        let function = UserFunction { line, ..function };
                        taken.insert(declared.name.clone(), file.name.clone());
                        functions.push(function);
                        owners.push(kept.len());
                    }
                    Err(found) => found.into_iter().for_each(&mut say),
                }
            }
            handlers.push(handles);
            uses.push(script.uses().clone());
            kept.push(file);
        }
        if functions.len() > FUNCTIONS_MAX {
            let message =
                format!("the scripts define {} functions, at most {FUNCTIONS_MAX} fit", functions.len());
            problems.push(Problem { file: 0, diagnostic: Diagnostic::error("too-many", 0..0, message) });
            functions.truncate(FUNCTIONS_MAX);
            owners.truncate(FUNCTIONS_MAX);
        }
        let (files, functions, owners) = (kept.into(), functions.into(), owners.into());
        let (handlers, uses) = (handlers.into(), uses.into());
        (Library { files, functions, owners, handlers, uses, limits, folder: None }, problems)
    }

    /// What a call of a function may read, by the names that its script writes out.
    pub fn reads(&self, function: usize) -> Vec<&str> {
        let uses = self.owners.get(function).and_then(|owner| self.uses.get(*owner));
        let name = self.functions.get(function).map_or("", |function| &function.name);
        let used = uses.map_or(Vec::new(), |uses| uses.of(name));
        used.into_iter().filter(|used| used.verb == Verb::Get).map(|used| used.name.as_str()).collect()
    }
}

/// A warning of a name that is written out and means nothing in the panel.
fn unknown(one: &Use, view: &View) -> Option<Diagnostic> {
    let (code, problem) = match one.verb {
        Verb::Get => ("unknown-name", view.unknown(&one.name)?),
        Verb::Set => ("undeclared-key", view.undeclared(&one.name)?),
        // What else is used by name is the panel's own, and not in the view.
        Verb::Start | Verb::Stop | Verb::Signal => return None,
    };
    Some(Diagnostic::warning(code, one.span.clone(), problem))
}

/// A script that was run once.
fn loaded(file: &File, limits: Limits, view: &Rc<View>) -> Result<Script, Failure> {
    let mut script = Script::load(&file.name, file.text.as_bytes(), limits, view.clone())?;
    script.run()?;
    Ok(script)
}

fn problem(failure: &Failure, text: &str) -> Diagnostic {
    let problem = Diagnostic::error(failure.trouble.code(), failure.span(text), failure.message.clone());
    match &failure.help {
        Some(help) => problem.with_help(help.clone()),
        None => problem,
    }
}

/// What formulas know of a function.
fn function(
    declared: &Declared,
    file: &Arc<str>,
    owner: Option<&Arc<str>>,
    is_builtin: impl Fn(&str) -> bool,
) -> Result<UserFunction, Vec<Diagnostic>> {
    let name = &declared.name;
    let mut problems = Vec::new();
    let mut say = |span: &Range<usize>, message: String, help: &str| {
        problems.push(Diagnostic::error("script", span.clone(), message).with_help(help));
    };
    if is_builtin(name) {
        say(
            &declared.span,
            format!("formulas have a function `{name}` already"),
            "give this one another name, or write `local function`",
        );
    }
    if let Some(owner) = owner {
        say(
            &declared.span,
            format!("{owner} defines a function `{name}` too"),
            "rename one of them, or write `local function`",
        );
    }
    for Parameter { name: parameter, kind, .. } in &declared.parameters {
        if let Some((kind, span)) = kind.as_ref().filter(|(kind, _)| parameter_kind(kind).is_none()) {
            let message = format!("formulas have no `{kind}` to give for `{parameter}`");
            say(
                span,
                message,
                "a parameter is a number, a string, a boolean, a color or any, with `?` where it may be left out",
            );
        }
    }
    let result = declared.result.as_ref().map(|(kind, span)| (kind.trim_end_matches('?'), span));
    let result = match result {
        None | Some(("number" | "boolean" | "any", _)) => Kind::Number,
        Some(("string", _)) => Kind::Text,
        Some(("color", _)) => Kind::Color,
        Some((kind, span)) => {
            let message = format!("`{kind}` is nothing that formulas can use");
            say(span, message, "a result is a number, a string, a boolean or a color");
            Kind::Number
        }
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    let kinds = declared.parameters.iter().map(|parameter| {
        let written = parameter.kind.as_ref().and_then(|(kind, _)| parameter_kind(kind));
        written.unwrap_or_default()
    });
    let required = declared.parameters.iter().rposition(|parameter| !parameter.is_optional);
    Ok(UserFunction {
        name: name.clone(),
        parameters: declared.parameters.iter().map(|parameter| parameter.name.clone()).collect(),
        kinds: kinds.collect(),
        min_arguments: required.map_or(0, |last| last + 1),
        max_arguments: (!declared.is_variadic).then_some(declared.parameters.len()),
        result,
        description: declared.documentation.clone(),
        file: file.to_string(),
        ..UserFunction::default()
    })
}

/// What a parameter of this type takes, if formulas can fill it.
fn parameter_kind(written: &str) -> Option<ParameterKind> {
    Some(match written {
        "any" => ParameterKind::Any,
        "number" => ParameterKind::Number,
        "boolean" => ParameterKind::Truth,
        "string" => ParameterKind::Text,
        "color" => ParameterKind::Color,
        _ => return None,
    })
}
