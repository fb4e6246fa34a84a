//! Keys: what sources provide by themselves and what `[keys]` adds.

use actors::panel::Key;
use actors::source::Source;
use engine::diagnostic::Diagnostic;
use engine::formula::Kind;
use engine::sample::SourceId;
use engine::value::Value;

use super::source_keys;
use crate::config::file::source as form;
use crate::config::limits;
use crate::config::names::Named;
use crate::config::place::Place;
use crate::config::problems::{Problems, with_known};

/// All declared keys: those of each source in its order, then those of `[keys]` that are new.
///
/// `named` is where the file names sources, good and bad ones.
pub(super) fn resolve(
    declared: &Named<form::Key>,
    at: Place<'_>,
    sources: &[Source],
    named: Place<'_>,
    problems: &mut Problems,
) -> Vec<Key> {
    let mut keys = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let place = named.get(&source.name);
        match source_keys::of(&source.kind) {
            Ok(provided) => keys.extend(provided.into_iter().map(|key| Key {
                name: format!("{}.{}", source.name, key.name),
                source: id(index),
                kind: key.kind,
                default: None,
                range: key.range,
                unit: key.unit,
            })),
            Err(message) => problems.error("bad-file", place.get("file").span(), message),
        }
    }
    for (name, key) in &declared.0 {
        let place = at.get(name);
        let source = name.split('.').next().unwrap_or_default();
        let Some(index) = sources.iter().position(|known| known.name == source) else {
            if named.find(source).is_none() {
                let problem = Diagnostic::error("unknown-source", place.key_span(), format!("there is no source `{source}`"));
                problems.add(with_known(problem, source, "sources", sources.iter().map(|known| &*known.name)));
            }
            continue;
        };
        match keys.iter_mut().find(|known| known.name == *name) {
            Some(known) => declare(known, key, place, problems),
            None => {
                let mut new = Key {
                    name: name.clone(),
                    source: id(index),
                    kind: kind_of(key),
                    default: None,
                    range: (0.0, 100.0),
                    unit: String::new(),
                };
                declare(&mut new, key, place, problems);
                keys.push(new);
            }
        }
    }
    if keys.len() > limits::KEYS {
        let message = format!("the sources and `[keys]` declare {} keys, at most {} fit", keys.len(), limits::KEYS);
        problems.error("too-many", at.span(), message);
        keys.truncate(limits::KEYS);
    }
    keys
}

/// Adds what `[keys]` says of a key.
fn declare(known: &mut Key, key: &form::Key, at: Place<'_>, problems: &mut Problems) {
    let said = key.kind.map(|kind| match kind {
        form::KeyKind::Number => Kind::Number,
        form::KeyKind::Text => Kind::Text,
    });
    if said.is_some_and(|kind| kind != known.kind) {
        let what = if known.kind == Kind::Text { "texts" } else { "numbers" };
        let message = format!("the source sends {what} under `{}`", known.name);
        problems.error_help("wrong-kind", at.get("kind").span(), message, "leave `kind` out");
    }
    if let Some(default) = &key.default {
        let value = match default {
            form::KeyDefault::Bool(truth) => Value::Bool(*truth),
            form::KeyDefault::Number(number) => Value::Number(*number),
            form::KeyDefault::Text(text) => Value::Text(text.as_str().into()),
        };
        let is_text = matches!(value, Value::Text(_));
        if is_text != (known.kind == Kind::Text) {
            let (holds, found) = if is_text { ("numbers", "a text") } else { ("texts", "a number") };
            let message = format!("`{}` holds {holds}, but its default is {found}", known.name);
            problems.error("wrong-kind", at.get("default").span(), message);
        }
        known.default = Some(value);
    }
    if let Some([least, most]) = key.range {
        if known.kind == Kind::Text {
            problems.error("useless-key", at.get("range").key_span(), "texts have no range");
        }
        check_range((least, most), at.get("range"), problems);
        known.range = (least, most);
    }
    if let Some(unit) = &key.unit {
        known.unit.clone_from(unit);
    }
}

/// What a key holds that only `[keys]` knows.
fn kind_of(key: &form::Key) -> Kind {
    match (key.kind, &key.default) {
        (Some(form::KeyKind::Text), _) | (None, Some(form::KeyDefault::Text(_))) => Kind::Text,
        _ => Kind::Number,
    }
}

/// Notes an error unless the first number is below the second.
pub(super) fn check_range((least, most): (f64, f64), at: Place<'_>, problems: &mut Problems) {
    if least >= most {
        let message = format!("{least} is not below {most}");
        problems.error_help("empty-range", at.span(), message, "write the lower number first");
    }
}

fn id(index: usize) -> SourceId {
    SourceId(u16::try_from(index).unwrap_or(u16::MAX))
}
