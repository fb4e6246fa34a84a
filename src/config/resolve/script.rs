//! Scripts: read, checked together, their problems put where the configuration names them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use actors::expression::script::library::FILES_MAX;
use actors::expression::script::library::renewal::is_builtin;
use actors::expression::script::watch::read;
use actors::expression::script::{self, Library, Limits, View};
use actors::panel::Key;
use engine::diagnostic::Diagnostic;

use super::Setting;
use crate::config::file::FileName;
use crate::config::place::Place;
use crate::config::problems::Problems;
use crate::config::report::Report;

/// What scripts are called in a folder.
const EXTENSIONS: [&str; 2] = ["lua", "luau"];

/// The scripts of a configuration.
pub(super) fn resolve(setting: Setting<'_>, keys: &[Key], problems: &mut Problems) -> Library {
    let (scripts, at) = (&setting.file.scripts, setting.clean.get("scripts"));
    let limits = Limits { budget: scripts.budget, memory: scripts.memory, ..Limits::default() };
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
    let view = View::new(keys.iter().map(|key| key.name.as_str()), names, setting.fps());
    let texts = files.clone();
    let (library, found) = Library::check(files, limits, &Rc::new(view), is_builtin);
    for script::library::Problem { file, diagnostic } in found {
        let (Some(file), Some(place)) = (texts.get(file), places.get(file)) else { continue };
        problems.add(within(file, diagnostic, *place));
    }
    Library { folder: Some(setting.folder.into()), ..library }
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
