//! Tables whose keys the user chooses, in the file's order, and the rules for such names.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use engine::diagnostic::Diagnostic;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::limits;

/// Entries under names that the user chose, in the order of the file.
#[derive(Clone, Debug)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Named<T>, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }

        input.deserialize_map(Entries(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": generator.subschema_for::<T>(),
        })
    }
}

/// Whether `text` can name something that formulas speak of: letters, digits and `_`, no digit first.
pub(super) fn check_identifier(text: &str) -> Result<(), Diagnostic> {
    check(text, "_", "letters, digits and `_`, and begin with a letter or `_`")
}

/// Whether `text` can name something else: like an identifier, and `-` is fine too.
pub(super) fn check_name(text: &str) -> Result<(), Diagnostic> {
    check(text, "_-", "letters, digits, `_` and `-`, and begin with a letter or `_`")
}

/// Whether `text` is the full name of a key, `source.key`; only the source's part has rules.
pub(super) fn check_key(text: &str) -> Result<(), Diagnostic> {
    let whole = 0..text.len();
    if text.len() > limits::KEY_BYTES {
        return Err(too_long(whole, limits::KEY_BYTES));
    }
    match text.split_once('.') {
        Some((source, key)) if !key.is_empty() => {
            if key.chars().any(char::is_control) {
                return Err(Diagnostic::error("bad-name", whole, "a key has no control characters"));
            }
            check_identifier(source)
        }
        _ => Err(Diagnostic::error("bad-name", whole, format!("`{text}` is no full name of a key"))
            .with_help("write the source's name, a point and the key's name in quotes, such as \"sensor.temperature\"")),
    }
}

fn check(text: &str, punctuation: &str, rule: &str) -> Result<(), Diagnostic> {
    let whole = 0..text.len();
    if text.len() > limits::NAME_BYTES {
        return Err(too_long(whole, limits::NAME_BYTES));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || punctuation.contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && text.chars().all(fits) {
        return Ok(());
    }
    Err(Diagnostic::error("bad-name", whole, format!("`{text}` cannot be a name"))
        .with_help(format!("names consist of {rule}")))
}

fn too_long(span: std::ops::Range<usize>, limit: usize) -> Diagnostic {
    Diagnostic::error("too-long", span, format!("a name has at most {limit} bytes"))
}
