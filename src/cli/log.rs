//! Logs: what goes to standard error or to the journal, in which form, and how much of it.
//!
//! A log line names actors, files and errors, and never what a user gave as a secret.

mod limit;

use std::os::unix::fs::MetadataExt;
use std::{env, fs, io};

use clap::ValueEnum;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt};

use super::failure::{Failure, has_colors, note};
use limit::Limit;

/// What is logged where `TINYDISPLAY_LOG` does not say otherwise.
const LEVEL_DEFAULT: &str = "warn";

/// The variable for levels and filters.
const LEVEL_VARIABLE: &str = "TINYDISPLAY_LOG";

/// The variable for the form.
const FORMAT_VARIABLE: &str = "TINYDISPLAY_LOG_FORMAT";

/// The form of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Lines for people, on standard error
    Text,
    /// A JSON object a line, on standard error
    Json,
    /// Entries with fields, in systemd's journal
    Journald,
}

/// From here on logs are written, as far as `TINYDISPLAY_LOG` lets them: as `asked`, or as
/// `TINYDISPLAY_LOG_FORMAT` says, or else to the journal where standard error leads there, or as text.
///
/// # Errors
/// A form that does not exist, and a journal that was asked for and is not there.
pub(super) fn begin(asked: Option<Format>) -> Result<(), Failure> {
    let chosen = match asked {
        Some(format) => Some(format),
        None => chosen(env::var(FORMAT_VARIABLE).ok().as_deref())?,
    };
    let is_journal = || is_stream(env::var("JOURNAL_STREAM").ok().as_deref(), "/proc/self/fd/2");
    let layer = match chosen {
        Some(Format::Journald) => journal().map_err(|error| {
            Failure::message(format!("the journal cannot be written: {error}; choose another --log-format"))
        })?,
        Some(format) => lines(format),
        None if is_journal() => journal().unwrap_or_else(|_| lines(Format::Text)),
        None => lines(Format::Text),
    };
    let filter = levels(env::var(LEVEL_VARIABLE).ok().as_deref());
    let limited = layer.with_filter(filter.and(Limit::default()));
    // A second subscriber is refused: then there is one already, and that is all that is wanted.
    let _ = Registry::default().with(limited).try_init();
    Ok(())
}

type Lines = Box<dyn Layer<Registry> + Send + Sync>;

fn lines(format: Format) -> Lines {
    let layer = fmt::layer().with_writer(io::stderr);
    match format {
        Format::Json => layer.json().flatten_event(true).boxed(),
        Format::Text | Format::Journald => layer.with_ansi(has_colors()).boxed(),
    }
}

fn journal() -> io::Result<Lines> {
    Ok(tracing_journald::layer()?.with_syslog_identifier("tinydisplay".into()).boxed())
}

/// The form that the variable names; `None` where it is empty.
fn chosen(variable: Option<&str>) -> Result<Option<Format>, Failure> {
    let Some(name) = variable.filter(|name| !name.is_empty()) else { return Ok(None) };
    Format::from_str(name, true).map(Some).map_err(|_| {
        Failure::message(format!("{FORMAT_VARIABLE} is {name:?}; write `text`, `json` or `journald`"))
    })
}

/// What passes. A filter that cannot be understood is told, and the default one taken. That lines were left
/// out passes with every filter that does not speak of it: who hears some lines of a cause has to know that
/// there were more.
fn levels(variable: Option<&str>) -> EnvFilter {
    let text = variable.filter(|text| !text.is_empty()).unwrap_or(LEVEL_DEFAULT);
    // What is said later about the same target counts.
    EnvFilter::try_new(format!("{}=warn,{text}", limit::TARGET)).unwrap_or_else(|error| {
        note(&format!("warning: {LEVEL_VARIABLE} is not understood ({error}); {LEVEL_DEFAULT} is taken"));
        LEVEL_DEFAULT.into()
    })
}

/// Whether the file at `path` is the stream that `JOURNAL_STREAM` tells of, as `device:inode`.
fn is_stream(variable: Option<&str>, path: &str) -> bool {
    let told = variable.and_then(|variable| variable.split_once(':'));
    let told = told.and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    let file = fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    told.is_some() && told == file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_named() {
        let check = |variable: Option<&str>, expected: Result<Option<Format>, &str>| {
            let found = chosen(variable).map_err(|failure| format!("{failure:?}"));
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{variable:?} gives {found:?}"),
            }
        };
        check(None, Ok(None));
        check(Some(""), Ok(None));
        check(Some("text"), Ok(Some(Format::Text)));
        check(Some("JSON"), Ok(Some(Format::Json)));
        check(Some("journald"), Ok(Some(Format::Journald)));
        check(Some("xml"), Err("write `text`, `json` or `journald`"));
    }

    #[test]
    fn the_journal_is_known_by_its_stream() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (device, inode) =
            (file.as_file().metadata().unwrap().dev(), file.as_file().metadata().unwrap().ino());
        let path = file.path().to_str().unwrap();
        let check =
            |variable: &str, expected| assert_eq!(is_stream(Some(variable), path), expected, "{variable}");
        check(&format!("{device}:{inode}"), true);
        check(&format!("{device}:{}", inode + 1), false);
        check(&format!("{inode}"), false);
        check("", false);
        check("x:y", false);
        assert!(!is_stream(None, path));
        assert!(!is_stream(Some("1:2"), "/no/such/file"));
    }

    #[test]
    fn a_filter_that_cannot_be_understood_is_the_default_one() {
        let check = |variable, expected| assert_eq!(levels(variable).to_string(), expected, "{variable:?}");
        check(None, "tinydisplay::log=warn,warn");
        check(Some(""), "tinydisplay::log=warn,warn");
        check(Some("actors=debug"), "tinydisplay::log=warn,actors=debug");
        check(Some("warn,tinydisplay::log=off"), "tinydisplay::log=off,warn");
        check(Some("=,=nonsense="), "warn");
    }
}
