//! The manual is true: its examples give what they say, its tables are those of the code, its links lead
//! somewhere, and its commands are known.

mod http;
mod language;
mod recordings;
mod references;
mod scripts;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use actors::expression::chunk::evaluate;
use engine::diagnostic::{Diagnostic, Severity};
use engine::value::Value;
use tinydisplay::config;

/// A Markdown file.
struct Page {
    /// Its name from the root of the project.
    name: String,
    text: String,
}

/// A block between fences.
struct Block<'a> {
    language: &'a str,
    text: &'a str,
}

impl Page {
    fn read(name: &str) -> Page {
        let text = fs::read_to_string(root().join(name)).unwrap();
        Page { name: name.into(), text }
    }

    /// All pages: those of the manual, and those at the root.
    fn all() -> Vec<Page> {
        let folders = [root().to_path_buf(), root().join("docs")];
        let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        let files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        let is_page = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "md");
        let name = |path: &PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().to_string();
        let mut names: Vec<String> = files.iter().filter(is_page).map(name).collect();
        names.sort_unstable();
        assert!(names.len() > 8, "{names:?}");
        names.iter().map(|name| Page::read(name)).collect()
    }

    fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        // Text and blocks take turns between the fences.
        self.text.split("\n```").skip(1).step_by(2).map(|fenced| {
            let (language, text) = fenced.split_once('\n').unwrap();
            Block { language, text }
        })
    }

    fn blocks_in(&self, language: &str) -> Vec<&str> {
        self.blocks().filter(|block| block.language == language).map(|block| block.text).collect()
    }

    /// Everything but the blocks between fences, line by line.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut fenced = false;
        (1..).zip(self.text.lines()).filter(move |(_, line)| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
    }

    /// Holds what stands between `<!-- name -->` and `<!-- /name -->` against `current`, or writes it where
    /// `UPDATE_DOCS` is set.
    fn check_region(&self, name: &str, current: &str) {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let (before, rest) = self.text.split_once(&begin).unwrap();
        let (written, after) = rest.split_once(&end).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let page = format!("{before}{begin}{current}{end}{after}");
            fs::write(root().join(&self.name), page).unwrap();
        } else {
            let hint = "run the tests with UPDATE_DOCS=1 to write it anew";
            assert_eq!(written, current, "`{name}` in {} differs from the code: {hint}", self.name);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The cells of a table's row, without the backquotes around them.
fn cells(row: &str) -> Option<Vec<&str>> {
    let row = row.strip_prefix('|')?.strip_suffix('|')?;
    Some(row.split('|').map(str::trim).map(|cell| bare(cell).unwrap_or(cell)).collect())
}

fn bare(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

type Variables = Vec<(String, Option<Value>)>;

/// What `tinydisplay eval` prints, or `error: ` and the first error.
fn shown(result: Result<Option<Value>, Vec<Diagnostic>>) -> String {
    match result {
        Ok(value) => value.map_or("nil".into(), |value| value.to_string()),
        Err(problems) => {
            let is_error = |problem: &&Diagnostic| problem.severity == Severity::Error;
            format!("error: {}", problems.iter().find(is_error).unwrap().message)
        }
    }
}

/// Every example of a configuration is complete but for the version and the page, and has no problem.
#[test]
fn configurations_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let recordings = Page::read("docs/sources.md");
    for script in ["comfort.lua", "alarm.lua"] {
        fs::copy(root().join("scripts").join(script), folder.path().join(script)).unwrap();
    }
    fs::write(folder.path().join("lab.csv"), recordings.blocks_in("csv")[0]).unwrap();
    let mut checked = 0;
    // Those of docs/configuration.md need more around them, which their own test knows.
    for page in Page::all().iter().filter(|page| page.name != "docs/configuration.md") {
        for block in page.blocks_in("toml") {
            let version = if block.contains("version = ") { "" } else { "version = 1\n" };
            let widgets =
                "\n[page.main]\nwidgets = [{ kind = \"text\", size = [9, 9], at = [0, 0], text = \"\" }]";
            let page_shown = if block.contains("[page.") { "" } else { widgets };
            let text = format!("{version}{block}{page_shown}");
            let report = match config::parse(&page.name, &text, folder.path()) {
                Ok(config) => config.warnings,
                Err(report) => *report,
            };
            // An example of values needs nothing that shows them, and one of scripts not all that they use.
            let more = ["unused-value", "undeclared-key", "unknown-animation"];
            let serious = report.problems().iter().any(|problem| !more.contains(&problem.code));
            assert!(!serious, "{}", report.render(false));
            checked += 1;
        }
    }
    assert!(checked > 5);
}
