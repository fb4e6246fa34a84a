//! Scripts: read, checked together, their problems put where the configuration names them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use actors::expression::script::library::FILES_MAX;
use actors::expression::script::uses::Verb;
use actors::expression::script::{self, Library, Limits, SOURCE_BYTES_MAX, View};
use actors::panel::Key;
use engine::animation::Animation;
use engine::diagnostic::Diagnostic;
use engine::formula::functions::Function;

use super::Setting;
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
        match inside(&setting.folder.join(&folder.0), &folder.0) {
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
        match read(&setting.folder.join(&name)) {
            Ok(text) => {
                files.push(script::File { name: name.as_str().into(), text: text.into() });
                places.push(place);
            }
            Err(error) => unreadable(&name, &error, place, problems),
        }
    }
    let names = setting.file.value.0.iter().map(|(name, _)| name.as_str());
    let view = View::new(keys.iter().map(|key| key.name.as_str()), names, setting.fps())
        .with_kinds(keys.iter().map(|key| Some(key.kind)));
    let is_builtin =
        |name: &str| Function::named(name).is_some() || matches!(name, "if" | "and" | "or" | "not");
    let texts = files.clone();
    let (library, found) = Library::check(files, limits, &Rc::new(view), is_builtin);
    for script::library::Problem { file, diagnostic } in found {
        let (Some(file), Some(place)) = (texts.get(file), places.get(file)) else { continue };
        problems.add(within(file, diagnostic, *place));
    }
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

/// The text of a file. Nothing but a file is opened: a pipe would be waited for.
fn read(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = Vec::new();
    File::open(path)?.take(SOURCE_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    if text.len() > SOURCE_BYTES_MAX {
        return Err(io::Error::other(format!("a script has {SOURCE_BYTES_MAX} bytes at most")));
    }
    let text = String::from_utf8(text).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::other(format!("it is no UTF-8 text: byte {at} is at fault"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text))
}
