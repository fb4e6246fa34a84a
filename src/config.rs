//! Configuration files: TOML in, a resolved [`Panel`] or a report of everything that is wrong out.
//!
//! The way of a file: its text is parsed to a tree with places (syntax errors are reported alone) · one
//! `walk` holds the tree against the [`schema`], reports what does not fit and leaves it out · serde
//! reads the rest into the types of [`mod@file`] · `resolve` turns names into indices and formulas into a
//! program, and checks what only makes sense together. All problems come out at once, in the file's order.

pub mod duration;
pub mod file;
pub mod limits;
pub mod names;
mod place;
mod problems;
pub mod report;
mod resolve;
pub mod schema;
mod secret;
mod syntax;
mod token;
mod utc_offset;
mod walk;

use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actors::panel::Panel;
use actors::world::SIMULATED_HOST;
use engine::diagnostic::Diagnostic;
use engine::script::Script;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use place::Place;
use problems::Problems;
use report::Report;

/// A configuration that can run.
#[derive(Clone, Debug)]
pub struct Config {
    /// What runs.
    pub panel: Panel,
    /// The web server.
    pub http: Http,
    /// The text that all this was written as.
    pub text: Arc<str>,
    /// What works, but hardly as meant.
    pub warnings: Report,
}

/// The web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where it listens. Beyond loopback addresses it needs a token.
    pub listen: SocketAddr,
    /// Where the token is that requests must have; `None` where they need none.
    pub token: Option<Secret>,
    /// The names by which it may be called, besides `localhost`.
    pub hosts: Vec<String>,
}

/// Where a secret is: never in the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable of this name.
    Env(String),
    /// In a file.
    File(PathBuf),
}

/// What a configuration depends on besides its text.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// What the machine is called: formulas know that name.
    pub host: &'a str,
    /// Texts of scripts that stand for what is in their files: those of a recording.
    pub scripts: &'a [Script],
}

impl<'a> Origin<'a> {
    /// A machine that is called `host`, and what is in its files.
    pub fn machine(host: &'a str) -> Origin<'a> {
        Origin { host, scripts: &[] }
    }
}

/// Reads and resolves the configuration file at `path`.
///
/// # Errors
/// All errors and warnings of the file, or the one that says why it cannot be read.
pub fn load(path: &Path, origin: Origin<'_>) -> Result<Config, Box<Report>> {
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new(""));
    match read(path) {
        Ok(text) => parse_on(&name, &text, folder, origin),
        Err(error) => {
            let message = format!("`{name}` cannot be read: {error}");
            Err(Box::new(Report::new(&name, "", vec![Diagnostic::error("unreadable", 0..0, message)])))
        }
    }
}

/// Resolves the configuration `text`, which users know as `name`, for a simulated machine. Relative names of
/// files in it count from `folder`.
///
/// # Errors
/// All errors and warnings of the text.
pub fn parse(name: &str, text: &str, folder: &Path) -> Result<Config, Box<Report>> {
    parse_on(name, text, folder, Origin::machine(SIMULATED_HOST))
}

/// The same for any machine.
///
/// # Errors
/// All errors and warnings of the text.
pub fn parse_on(name: &str, text: &str, folder: &Path, origin: Origin<'_>) -> Result<Config, Box<Report>> {
    let mut problems = Problems::default();
    let shown = secret::hidden(text);
    let config = check(&shown, folder, origin, &mut problems);
    let usable = !problems.any_error();
    let report = Report::new(name, &shown, problems.sorted());
    match config {
        Some((mut panel, http)) if usable => {
            if panel.name.is_empty() {
                panel.name = name.into();
            }
            panel.fingerprint = fingerprint(text, &panel);
            Ok(Config { panel, http, text: text.into(), warnings: report })
        }
        _ => Err(Box::new(report)),
    }
}

/// What a recording of the panel is known by: its text, and that of its scripts.
fn fingerprint(text: &str, panel: &Panel) -> u64 {
    let mut hash = engine::hash::Running::default();
    hash.update(text.as_bytes());
    for file in panel.scripts.files.iter() {
        hash.update(file.text.as_bytes());
    }
    hash.value()
}

/// The text at `path`, which may be a pipe or a device: no more is read than a configuration may have.
fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limits::FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limits::FILE_BYTES {
        return Err(io::Error::other(format!("it has more than {} bytes", limits::FILE_BYTES)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::other(format!("it is no UTF-8 text: byte {at} is at fault"))
    })
}

fn check(text: &str, folder: &Path, origin: Origin<'_>, problems: &mut Problems) -> Option<(Panel, Http)> {
    if text.len() > limits::FILE_BYTES {
        let message =
            format!("this text has {} bytes, at most {} are allowed", text.len(), limits::FILE_BYTES);
        problems.error("too-long", 0..0, message);
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors {
            problems.add(syntax::explain(text, &error));
        }
        return None;
    }
    let raw = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    let schema = schema::schema();
    let clean = walk::walk(schema.as_value(), text, raw.clone(), problems);
    let file = deserialize(&clean, problems)?;
    let (clean, raw) = (Place::root(text, &clean), Place::root(text, &raw));
    Some(resolve::resolve(resolve::Setting { file: &file, clean, raw, folder, origin }, problems))
}

/// What serde makes of the clean tree. The walk leaves nothing that it objects to; should the two ever
/// disagree, its error is reported like any other.
fn deserialize(clean: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<file::File> {
    let table = match clean.get_ref() {
        DeValue::Table(table) => table.clone(),
        _ => DeTable::new(),
    };
    match file::File::deserialize(Deserializer::from(Spanned::new(clean.span(), table))) {
        Ok(file) => Some(file),
        Err(error) => {
            problems.error("unusable", error.span().unwrap_or(0..0), error.message().to_owned());
            None
        }
    }
}
