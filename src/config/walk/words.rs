//! How the walk speaks: where it is, what it found, and what to write instead.

use serde_json::Value as Json;
use toml::de::DeValue;

use super::rules::{Rules, one_of};

/// The way from the file's root to a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trail<'a> {
    parent: Option<&'a Trail<'a>>,
    key: &'a str,
}

impl<'a> Trail<'a> {
    /// The file itself.
    pub(super) fn root() -> Trail<'static> {
        Trail { parent: None, key: "" }
    }

    /// The value under `key`.
    pub(super) fn key(&'a self, key: &'a str) -> Trail<'a> {
        Trail { parent: Some(self), key }
    }

    /// Whether this is the file itself.
    pub(super) fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// The last key.
    pub(super) fn name(&self) -> &'a str {
        self.key
    }

    /// Whether it leads through the section `name`.
    pub(super) fn is_in(&self, name: &str) -> bool {
        match self.parent {
            Some(parent) if parent.is_root() => self.key == name,
            Some(parent) => parent.is_in(name),
            None => false,
        }
    }

    /// The keys as a section's header has them.
    fn path(&self) -> String {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let quoted = self.key.is_empty() || !self.key.chars().all(is_bare);
        let key = if quoted { format!("{:?}", self.key) } else { self.key.to_owned() };
        match self.parent {
            Some(parent) if !parent.is_root() => format!("{}.{key}", parent.path()),
            _ => key,
        }
    }

    /// The table as a user knows it: "`[display]`", or "the file".
    pub(super) fn section(&self) -> String {
        self.section_of(None)
    }

    /// The same, with the kind that the table says it is.
    pub(super) fn section_of(&self, kind: Option<&str>) -> String {
        match kind {
            _ if self.is_root() => "the file".into(),
            Some(kind) => format!("`{}` of kind `{kind}`", self.path()),
            None => format!("`{}`", self.path()),
        }
    }

    /// The table that this value stands in.
    pub(super) fn parent_section(&self, kind: Option<&str>) -> String {
        self.parent.map_or_else(|| "the file".into(), |parent| parent.section_of(kind))
    }

    /// The value as a sentence's subject.
    pub(super) fn subject(&self) -> String {
        if self.is_root() { "the file".into() } else { format!("`{}`", self.key) }
    }
}

/// What `value` is, in words.
pub(super) fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text \"{}\"", shortened(text)),
        DeValue::Integer(number) => format!("the number {}", shortened(&number.to_string())),
        DeValue::Float(number) => format!("the number {}", shortened(number.as_str())),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(_) => "a date or time".into(),
        DeValue::Array(items) => format!("a list of {}", plural(items.len() as u64, "entry", "entries")),
        DeValue::Table(_) => "a table".into(),
    }
}

/// A user's text as it is quoted in a message: at most 40 characters, on one line.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() { line + "…" } else { line }
}

/// "1 entry", "2 entries".
pub(super) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// How a key that is missing may be written.
pub(super) fn example(root: &Json, key: &str, schema: &Json) -> String {
    let rules = Rules::of_any(root, schema);
    if !rules.words().is_empty() {
        return format!("write `{key} = …`: {}", one_of(rules.words()));
    }
    match sample(&rules) {
        Some(value) => format!("write it, for example `{key} = {value}`"),
        None if rules.accept_table() => format!("write a section `[{key}.main]`"),
        None => format!("write `{key} = …`: {}", rules.expected()),
    }
}

/// What was probably meant by a value of the wrong type.
pub(super) fn correction(
    trail: &Trail<'_>,
    rules: &Rules<'_>,
    value: &DeValue<'_>,
    raw: &str,
) -> Option<String> {
    let key = trail.name();
    let raw = shortened(raw);
    match value {
        DeValue::String(text) if rules.accept_any_number() && text.trim().parse::<f64>().is_ok() => {
            Some(format!("write the number without quotes: `{key} = {}`", text.trim()))
        }
        DeValue::String(text) if rules.accept_bool() && (&**text == "true" || &**text == "false") => {
            Some(format!("write it without quotes: `{key} = {text}`"))
        }
        DeValue::String(_) if rules.accept_list_of_texts() => {
            Some(format!("write a list, even of one: `{key} = [{raw}]`"))
        }
        DeValue::Float(_) if rules.accept_any_number() => Some("write it without a fraction".into()),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) if rules.accept_any_text() => {
            Some(format!("write it in quotes: `{key} = \"{raw}\"`"))
        }
        DeValue::Table(_) if rules.accept_list_of_tables() => {
            Some(format!("write the section with two brackets: `[[{}]]`", trail.path()))
        }
        _ if rules.accept_table() => Some(format!("write a section `[{}]`", trail.path())),
        _ => sample(rules).map(|value| format!("for example `{key} = {value}`")),
    }
}

/// Something that fits, as TOML has it.
pub(super) fn sample(rules: &Rules<'_>) -> Option<String> {
    rules.example().map(as_toml)
}

fn as_toml(example: &Json) -> String {
    match example {
        Json::Array(items) => format!("[{}]", items.iter().map(as_toml).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}
