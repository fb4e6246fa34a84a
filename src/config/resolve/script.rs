//! Scripts: read, checked together, their problems put where the configuration names them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use actors::expression::script::library::FILES_MAX;
use actors::expression::script::library::renewal::is_builtin;
use actors::expression::script::uses::Verb;
use actors::expression::script::watch::read;
use actors::expression::script::{self, Library, Limits, View};
use actors::panel::Key;
use engine::animation::Animation;
use engine::diagnostic::Diagnostic;

use super::Setting;
use crate::config::file::FileName;
use crate::config::place::Place;
use crate::config::problems::{Problems, with_known};
use crate::config::report::Report;

/// What scripts are called in a folder.
const EXTENSIONS: [&str; 2] = ["lua", "luau"];

/// Where the configuration names each script.
pub(super) type Places<'t> = BTreeMap<Arc<str>, Place<'t>>;

/// The scripts of a configuration, and where it names them.
pub(super) fn resolve<'t>(
    setting: Setting<'t>,
    keys: &[Key],
    problems: &mut Problems,
) -> (Library, Places<'t>) {
    let (scripts, at) = (&setting.file.scripts, setting.clean.get("scripts"));
    let limits = Limits { memory: scripts.memory, tick_budget: scripts.tick_budget, ..Limits::default() };
    let limits = limits.with_budget(scripts.budget);
    let mut named: Vec<(String, Place<'_>)> = Vec::new();
    for (index, file) in scripts.files.iter().enumerate() {
        named.push((file.0.clone(), at.get("files").item(index)));
    }
    if let Some(folder) = &scripts.folder {
        let place = at.get("folder");
        match in_folder(setting, folder) {
            Ok(found) => named.extend(found.into_iter().map(|name| (name, place))),
            Err(error) => unreadable(&folder.0, &error, place, problems),
        }
    }
    if named.len() > FILES_MAX {
        let message = format!("there are {} scripts, at most {FILES_MAX} fit", named.len());
        problems.error("too-many", at.span(), message);
        named.truncate(FILES_MAX);
    }
    let (mut files, mut places) = (Vec::new(), Vec::new());
    for (name, place) in named {
        match text_of(setting, &name) {
            Ok(text) => {
                files.push(script::File { name: name.as_str().into(), text });
                places.push(place);
            }
            Err(error) => unreadable(&name, &error, place, problems),
        }
    }
    let names = setting.file.value.0.iter().map(|(name, _)| name.as_str());
    let view = View::new(keys.iter().map(|key| key.name.as_str()), names, setting.fps())
        .with_kinds(keys.iter().map(|key| Some(key.kind)));
    let texts = files.clone();
    let (library, found) = Library::check(files, limits, &Rc::new(view), is_builtin);
    for script::library::Problem { file, diagnostic } in found {
        let (Some(file), Some(place)) = (texts.get(file), places.get(file)) else { continue };
        problems.add(within(file, diagnostic, *place));
    }
    let library = Library { folder: Some(setting.folder.into()), ..library };
    (library, texts.into_iter().map(|file| file.name).zip(places).collect())
}

/// The animations that scripts start by names that they write out; `None` where one makes names up.
pub(super) fn started(library: &Library) -> Option<BTreeSet<&str>> {
    let handling =
        library.uses.iter().zip(library.handlers.iter()).filter(|(_, handlers)| !handlers.is_empty());
    let mut started = BTreeSet::new();
    for (uses, _) in handling {
        if uses.is_computed(Verb::Start) {
            return None;
        }
        let starts = uses.all().iter().filter(|one| one.verb == Verb::Start);
        started.extend(starts.map(|one| one.name.as_str()));
    }
    Some(started)
}

/// Warns of animations that scripts speak of and that are none.
pub(super) fn warn_of_animations(
    library: &Library,
    places: &Places<'_>,
    animations: &[Animation],
    problems: &mut Problems,
) {
    let names = || animations.iter().map(|animation| animation.name.as_str());
    for (file, uses) in library.files.iter().zip(library.uses.iter()) {
        let Some(place) = places.get(&file.name) else { continue };
        let moves = uses.all().iter().filter(|one| matches!(one.verb, Verb::Start | Verb::Stop));
        for one in moves.filter(|one| names().all(|known| known != one.name)) {
            let message = format!("there is no animation `{}`", one.name);
            let problem = Diagnostic::warning("unknown-animation", one.span.clone(), message);
            let problem = with_known(problem, &one.name, "animations", names());
            problems.add(within(file, problem, *place));
        }
    }
}

/// A script's problem, at the place where the configuration names the script.
fn within(file: &script::File, problem: Diagnostic, place: Place<'_>) -> Diagnostic {
    let report = Report::new(&file.name, &file.text, Vec::new());
    let (line, column) = report.line_and_column(problem.span.start);
    let message = format!("{}:{line}:{column}: {}", file.name, problem.message);
    Diagnostic { span: place.span(), message, ..problem }
}

fn unreadable(name: &str, error: &io::Error, place: Place<'_>, problems: &mut Problems) {
    problems.error("unreadable", place.span(), format!("`{name}` cannot be read: {error}"));
}

/// The text of a script: the recording's, where it has one.
fn text_of(setting: Setting<'_>, name: &str) -> io::Result<Arc<str>> {
    match setting.origin.scripts.iter().find(|script| *script.file == *name) {
        Some(script) => Ok(script.text.clone()),
        None => read(&setting.folder.join(name)).map(Arc::from),
    }
}

/// The scripts of the configuration's folder: the recording's, where it has any.
fn in_folder(setting: Setting<'_>, folder: &FileName) -> io::Result<Vec<String>> {
    let recorded = setting.origin.scripts;
    if recorded.is_empty() {
        return inside(&setting.folder.join(&folder.0), &folder.0);
    }
    let is_listed = |name: &str| setting.file.scripts.files.iter().any(|file| file.0 == *name);
    let names = recorded.iter().map(|script| script.file.to_string());
    Ok(names.filter(|name| !is_listed(name)).collect())
}

/// The names of the scripts in a folder.
fn inside(folder: &Path, name: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = PathBuf::from(entry?.file_name());
        let is_script =
            path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
        // Definitions for editors are no scripts.
        let is_definitions = path.to_string_lossy().ends_with(".d.luau");
        if is_script && !is_definitions {
            names.push(Path::new(name).join(path).display().to_string());
        }
    }
    names.sort();
    Ok(names)
}
