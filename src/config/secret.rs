//! Secrets that stand in a configuration after all, where only their place belongs: whatever is said about
//! such a file, they are not in it.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{limits, names};

/// What a secret's characters become. It is part of no name, so that nothing becomes valid by it.
const BLANK: &str = "*";

/// `text` without the secrets in it, each character of theirs replaced, so that all lines and columns stay.
/// Where there was one, the text has an error, with or without it: it can be checked in place of the other.
pub(super) fn hidden(text: &str) -> Cow<'_, str> {
    if !text.contains("http") || text.len() > limits::FILE_BYTES {
        return Cow::Borrowed(text);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut secrets = Vec::new();
    if let Some(DeValue::Table(http)) = table.get_ref().get("http").map(Spanned::get_ref) {
        in_http(http, text, &mut secrets);
    }
    if !errors.is_empty() {
        in_lines(text, &mut secrets);
    }
    blanked(text, secrets)
}

fn in_http(http: &DeTable<'_>, text: &str, secrets: &mut Vec<Range<usize>>) {
    for (key, value) in http {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("listen" | "hosts", _) => {}
            ("token", DeValue::Table(token)) => {
                for (key, value) in token {
                    let is_place = match (key.get_ref().as_ref(), value.get_ref()) {
                        // What is a name could be a variable's.
                        ("env", DeValue::String(name)) => names::check_name(name).is_ok(),
                        (key, _) => key == "file",
                    };
                    if !is_place {
                        all_of(value, text, secrets);
                    }
                }
            }
            ("token", _) => all_of(value, text, secrets),
            // Some other word for it.
            (_, DeValue::String(_)) => all_of(value, text, secrets),
            _ => {}
        }
    }
}

/// The insides of all texts in `value`.
fn all_of(value: &Spanned<DeValue<'_>>, text: &str, secrets: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Array(list) => list.iter().for_each(|value| all_of(value, text, secrets)),
        DeValue::Table(table) => table.values().for_each(|value| all_of(value, text, secrets)),
        DeValue::String(_) => {
            let span = value.span();
            let raw = text.get(span.clone()).unwrap_or_default();
            let is_long = raw.len() >= 6 && (raw.starts_with("\"\"\"") || raw.starts_with("'''"));
            let quotes = if is_long { 3 } else { 1 };
            secrets.push(span.start + quotes..span.end.saturating_sub(quotes));
        }
        _ => {}
    }
}

/// What stands behind `token =` where the file is no TOML, so that nothing is known but its lines.
fn in_lines(text: &str, secrets: &mut Vec<Range<usize>>) {
    let (mut at, mut is_http) = (0, false);
    for line in text.split_inclusive('\n') {
        let words = line.trim_start();
        if words.starts_with('[') {
            is_http = words.starts_with("[http]");
        }
        let key = words.strip_prefix("http.").or(Some(words).filter(|_| is_http));
        let value = key.and_then(|key| key.strip_prefix("token")?.trim_start().strip_prefix('='));
        if let Some(value) = value.map(str::trim).filter(|value| !value.starts_with('{')) {
            let start = at + line.rfind(value).unwrap_or_default();
            secrets.push(start..start + value.len());
        }
        at += line.len();
    }
}

fn blanked(text: &str, mut secrets: Vec<Range<usize>>) -> Cow<'_, str> {
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_by_key(|secret| secret.start);
    let mut shown = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let is_secret = secrets.iter().any(|secret| secret.contains(&at)) && !matches!(c, '\n' | '\r');
        if is_secret { shown.push_str(BLANK) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SECRET: &str = "hünter2-correct";

    #[test]
    fn secrets_are_in_no_report() {
        for lines in [
            "[http]\ntoken = \"S\"",
            "[http]\ntoken = 'S'",
            "[http]\ntoken = \"\"\"\nS\"\"\"",
            "[http]\ntoken = \"S\\\"S\"",
            "[http]\ntoken = [\"S\"]",
            "[http]\ntoken = { value = \"S\" }",
            "[http]\ntoken = { env = \"S\" }",
            "[http]\ntoken = { env = \"A\", file = \"b\", text = \"S\" }",
            "[http.token]\nvalue = \"S\"",
            "[http]\npassword = \"S\"",
            "http.token = \"S\"",
            "http = { token = \"S\" }",
            "[http]\ntoken = S",
            "[http]\ntoken = \"S",
            "[http]\ntoken = \"S\" S",
            "[http]\n  token=\"S\\q\"",
            "http.token = S",
        ] {
            let text = format!("version = 1\n{}\n", lines.replace('S', SECRET));
            let report = super::super::parse("panel.toml", &text, Path::new("")).unwrap_err();
            for color in [false, true] {
                let rendered = report.render(color);
                assert!(!rendered.contains("nter2"), "{lines}\n{rendered}");
            }
            assert!(report.problems().iter().all(|problem| !problem.message.contains("nter2")), "{lines}");
        }
    }

    #[test]
    fn all_else_is_left_as_it_is() {
        for text in [
            "[http]\nlisten = \"127.0.0.1:1\"\nhosts = [\"a\"]\ntoken = { env = \"A_1\" }",
            "[http.token]\nfile = \"my secret\"",
            "[value]\ntoken = \"http\"",
            "[value]\ntoken = \"http",
            "[http]\nport = 80",
            "[http]\ntoken = { env = \"A\"\n",
        ] {
            assert_eq!(hidden(text), text);
        }
        assert_eq!(hidden("[http]\ntoken = \"aé\" # why\n"), "[http]\ntoken = \"**\" # why\n");
    }
}
