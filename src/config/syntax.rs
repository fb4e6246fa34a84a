//! TOML's syntax errors, said so that they help.

use engine::diagnostic::Diagnostic;

/// What the parser's `error` in `text` means for the person who wrote it.
pub(super) fn explain(text: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().unwrap_or(text.len()..text.len());
    let part = text.get(span.clone()).unwrap_or("");
    let message = error.message();
    let starts = |begin: &str| message.starts_with(begin);
    let (message, help) = if starts("string values must be quoted") && part.trim().is_empty() {
        ("a value is missing".to_owned(), None)
    } else if starts("string values must be quoted") {
        (format!("`{part}` is no value"), Some(format!("texts stand in quotes: \"{part}\"")))
    } else if starts("duplicate key") && stands_in_brackets(text, span.start) {
        (
            format!("the section `{part}` is in the file already"),
            Some("write all its keys below one header".to_owned()),
        )
    } else if starts("duplicate key") {
        (format!("`{part}` has a value already"), Some("leave one of them out".to_owned()))
    } else if starts("invalid basic string") || starts("invalid literal string") {
        ("this text has no closing quote".to_owned(), None)
    } else if starts("extra `=`") {
        ("there is an `=` too many".to_owned(), None)
    } else {
        (message.to_owned(), None)
    };
    let problem = Diagnostic::error("syntax", span, message);
    match help {
        Some(help) => problem.with_help(help),
        None => problem,
    }
}

fn stands_in_brackets(text: &str, at: usize) -> bool {
    let line = text.get(..at).and_then(|before| before.lines().last()).unwrap_or("");
    line.trim_start().starts_with('[')
}
