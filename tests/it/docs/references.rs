//! References: links, paths and commands.

use std::collections::BTreeMap;

use actors::telemetry::table::TABLE;

use super::{Page, root};
use crate::cli::check;

fn assert_none(what: &str, offences: Vec<String>) {
    assert!(offences.is_empty(), "{what}:\n  {}", offences.join("\n  "));
}

#[test]
fn links_lead_somewhere() {
    let pages = Page::all();
    let headings: BTreeMap<&str, Vec<String>> =
        pages.iter().map(|page| (page.name.as_str(), headings(page))).collect();
    let mut offences = Vec::new();
    let mut checked = 0;
    for page in &pages {
        for (number, line) in page.prose() {
            for link in links(line).into_iter().filter(|link| !link.contains("://")) {
                checked += 1;
                let (path, heading) = link.split_once('#').unwrap_or((link, ""));
                let name = if path.is_empty() { page.name.clone() } else { resolved(&page.name, path) };
                let exists = root().join(&name).exists();
                let has = || headings.get(name.as_str()).is_some_and(|all| all.iter().any(|h| h == heading));
                if !exists || !heading.is_empty() && !has() {
                    offences.push(format!("{}:{number} {link}", page.name));
                }
            }
        }
    }
    assert_none("links that lead nowhere", offences);
    assert!(checked > 50, "{checked} links");
}

/// The targets of `[text](target)` and `src="target"`.
fn links(line: &str) -> Vec<&str> {
    let markdown = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let html = line.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
    markdown.chain(html).collect()
}

/// The file that `path` is on the page called `page`.
fn resolved(page: &str, path: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What links call the headings of a page, as GitHub does.
fn headings(page: &Page) -> Vec<String> {
    let titles = page.prose().filter_map(|(_, line)| line.strip_prefix('#'));
    let slug = |title: &str| -> String {
        let title = title.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        title.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    titles.map(slug).collect()
}

#[test]
fn files_that_are_named_exist() {
    const FOLDERS: [&str; 8] =
        ["actors/", "benches/", "config/", "docs/", "engine/", "src/", "tests/", ".ci/"];
    let mut offences = Vec::new();
    let mut checked = 0;
    for page in Page::all() {
        for (number, line) in page.prose() {
            let spans = line.split('`').skip(1).step_by(2);
            let paths = spans.filter(|span| FOLDERS.iter().any(|folder| span.starts_with(folder)));
            for path in paths.filter(|path| !path.contains("NAME") && !path.contains(' ')) {
                checked += 1;
                if !root().join(path).exists() {
                    offences.push(format!("{}:{number} {path}", page.name));
                }
            }
        }
    }
    assert_none("files that do not exist", offences);
    assert!(checked > 20, "{checked} paths");
}

#[test]
fn metrics_are_known() {
    let mut offences = Vec::new();
    for page in Page::all() {
        for (number, line) in page.prose() {
            let spans = line.split('`').skip(1).step_by(2).filter(|span| span.starts_with("tinydisplay_"));
            let unknown = spans.filter(|name| TABLE.iter().all(|metric| metric.name != *name));
            offences.extend(unknown.map(|name| format!("{}:{number} {name}", page.name)));
        }
    }
    assert_none("metrics that do not exist", offences);
}

/// Commands in blocks and in backquotes: their verbs and options are known.
#[test]
fn commands_are_known() {
    let mut help: BTreeMap<String, String> = BTreeMap::new();
    let mut offences = Vec::new();
    for page in Page::all() {
        let blocks = page.blocks_in("sh").into_iter().flat_map(str::lines);
        let spans = page.prose().flat_map(|(_, line)| line.split('`').skip(1).step_by(2));
        for command in blocks.chain(spans).filter_map(|line| line.strip_prefix("tinydisplay ")) {
            let command = command.split(" #").next().unwrap_or(command);
            let mut words = command.split_ascii_whitespace();
            let verb = words.next().unwrap_or_default();
            let text = help.entry(verb.into()).or_insert_with(|| check(&[verb, "--help"], 0).0);
            let options = words.filter(|word| word.starts_with("--"));
            let unknown = options.filter(|option| !text.split([' ', '\n']).any(|word| word == *option));
            offences.extend(unknown.map(|option| format!("{}: {verb} {option}", page.name)));
        }
    }
    assert_none("options that do not exist", offences);
    assert!(help.len() > 4, "{:?}", help.keys());
}
