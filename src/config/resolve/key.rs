//! Keys: what sources provide by themselves and what `[keys]` adds.

use std::collections::BTreeMap;

use actors::panel::Key;
use actors::source::{KeySpec, Source};
use engine::diagnostic::Diagnostic;
use engine::formula::Kind;
use engine::sample::SourceId;
use engine::tick::Fps;
use engine::value::Value;

use super::Setting;
use crate::config::file::source as form;
use crate::config::limits;
use crate::config::place::Place;
use crate::config::problems::{Problems, with_known};

/// All declared keys: what each source `provided`, then those of `[keys]` that are new.
pub(super) fn resolve(
    setting: Setting<'_>,
    sources: &[Source],
    provided: Vec<Vec<KeySpec>>,
    problems: &mut Problems,
) -> Vec<Key> {
    let at = setting.clean.get("keys");
    let mut keys: Vec<Key> = Vec::new();
    for (index, (source, provided)) in sources.iter().zip(provided).enumerate() {
        keys.extend(provided.into_iter().map(|key| Key {
            name: format!("{}.{}", source.name, key.name),
            source: id(index),
            kind: key.kind,
            default: None,
            range: key.range,
            unit: key.unit.into(),
            stale_after: None,
        }));
    }
    let mut known: BTreeMap<String, usize> =
        keys.iter().enumerate().map(|(index, key)| (key.name.clone(), index)).collect();
    for (name, key) in &setting.file.keys.0 {
        let place = at.get(name);
        let Some(source) = source_of(name, place, sources, setting, problems) else { continue };
        let index = *known.entry(name.clone()).or_insert_with(|| {
            let (default, range, unit) = (None, (0.0, 100.0), String::new());
            let (name, kind) = (name.clone(), kind_of(key));
            keys.push(Key { name, source, kind, default, range, unit, stale_after: None });
            keys.len() - 1
        });
        declare(&mut keys[index], key, place, setting.fps(), problems);
    }
    if keys.len() > limits::KEYS {
        let message =
            format!("the sources and `[keys]` declare {} keys, at most {} fit", keys.len(), limits::KEYS);
        problems.error("too-many", at.span(), message);
        keys.truncate(limits::KEYS);
    }
    keys
}

/// The source that the key `name` belongs to.
fn source_of(
    name: &str,
    at: Place<'_>,
    sources: &[Source],
    setting: Setting<'_>,
    problems: &mut Problems,
) -> Option<SourceId> {
    let source = name.split('.').next().unwrap_or_default();
    let found = sources.iter().position(|known| known.name == source);
    if found.is_none() && setting.raw.get("source").find(source).is_none() {
        let message = format!("there is no source `{source}`");
        let problem = Diagnostic::error("unknown-source", at.key_span(), message);
        let known = sources.iter().map(|known| &*known.name);
        problems.add(with_known(problem, source, "sources", known));
    }
    found.map(id)
}

/// Adds what `[keys]` says of a key.
fn declare(known: &mut Key, key: &form::Key, at: Place<'_>, fps: Fps, problems: &mut Problems) {
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
            problems.error_help(
                "wrong-kind",
                at.get("default").span(),
                message,
                format!("write {}", if is_text { "a number" } else { "a text in quotes" }),
            );
        }
        known.default = Some(value);
    }
    if let Some([least, most]) = key.range {
        if known.kind == Kind::Text {
            problems.error_help(
                "useless-key",
                at.get("range").key_span(),
                "texts have no `range`",
                "leave it out",
            );
        }
        check_range((least, most), at.get("range"), problems);
        known.range = (least, most);
    }
    if let Some(unit) = &key.unit {
        known.unit.clone_from(unit);
    }
    if let Some(span) = key.stale_after {
        known.stale_after = Some(super::source::positive(span, at.get("stale_after"), fps, problems));
    }
}

/// What a key holds that only `[keys]` knows.
fn kind_of(key: &form::Key) -> Kind {
    match (key.kind, &key.default) {
        (Some(form::KeyKind::Text), _) | (None, Some(form::KeyDefault::Text(_))) => Kind::Text,
        _ => Kind::Number,
    }
}

/// Kinds of sources whose keys are known without being declared.
const COMPLETE: [&str; 3] = ["system", "time", "generator"];

/// The problem of a formula, `text`: where a key is not declared that its source may send, with what declares
/// it; `None` where its source is wrong itself, so that nobody knows its keys, which takes that something `is_wrong`.
pub(super) fn explained(
    problem: Diagnostic,
    text: &str,
    setting: Setting<'_>,
    (keys, is_wrong): (&[Key], bool),
) -> Option<Diagnostic> {
    if problem.code != "unknown-name" {
        return Some(problem);
    }
    let name = text.get(problem.span.clone()).unwrap_or_default().trim_matches(['`', '\'', '"']);
    let Some((source, _)) = name.split_once('.') else { return Some(problem) };
    let Some(at) = setting.raw.get("source").find(source) else { return Some(problem) };
    let is_read = setting.file.source.0.iter().any(|(name, _)| name == source);
    let kind = at.find("kind").and_then(Place::str);
    if is_wrong && !is_read {
        return None;
    }
    if kind.is_none_or(|kind| COMPLETE.contains(&kind)) {
        let own = |key: &Key| key.name.strip_prefix(source).is_some_and(|rest| rest.starts_with('.'));
        return (!is_wrong || keys.iter().any(own)).then_some(problem);
    }
    let declare = format!("if `{source}` sends it, declare it under `[keys]`: \"{name}\" = {{}}");
    Some(problem.with_help(declare))
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
