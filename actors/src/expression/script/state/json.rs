//! Plain data as JSON, in which it outlasts the process. A table whose keys are texts is an object, one whose
//! keys are the numbers from 1 on is an array; any other is an object with the one empty name, of which the
//! entries are listed in pairs.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Key, Plain, STATE_DEPTH_MAX, spend};
use engine::value::Value;

/// The longest that a state is as JSON, in bytes: a state has no more, however it is written.
pub const JSON_BYTES_MAX: usize = 16 * super::STATE_BYTES_MAX;

/// The name of the list of entries in an object that stands for a table with keys of all kinds.
const ENTRIES: &str = "";

impl From<Plain> for Json {
    fn from(plain: Plain) -> Json {
        match plain {
            Plain::Value(Value::Number(number)) => json!(number),
            Plain::Value(Value::Bool(truth)) => json!(truth),
            Plain::Value(Value::Text(text)) => json!(&*text),
            Plain::Table(entries) => table(entries),
        }
    }
}

fn table(entries: BTreeMap<Key, Plain>) -> Json {
    let is_list = !entries.is_empty() && (1..).zip(entries.keys()).all(|(n, key)| *key == Key::Number(n));
    let is_plain = |key: &Key| matches!(key, Key::Text(text) if &**text != ENTRIES);
    if is_list {
        return entries.into_values().map(Json::from).collect();
    }
    if entries.keys().all(is_plain) {
        let name = |key: Key| if let Key::Text(text) = key { text.to_string() } else { String::new() };
        return Json::Object(entries.into_iter().map(|(key, plain)| (name(key), plain.into())).collect());
    }
    let pair = |(key, plain): (Key, Plain)| {
        let key = match key {
            Key::Number(number) => json!(number),
            Key::Text(text) => json!(&*text),
        };
        Json::Array(vec![key, plain.into()])
    };
    let entries: Vec<Json> = entries.into_iter().map(pair).collect();
    Json::Object(Map::from_iter([(ENTRIES.to_string(), Json::Array(entries))]))
}

impl TryFrom<Json> for Plain {
    type Error = String;

    /// What is no state, or too much for one, is refused.
    fn try_from(json: Json) -> Result<Plain, String> {
        let mut left = super::STATE_BYTES_MAX;
        match plain(json, 0, &mut left)? {
            table @ Plain::Table(_) => Ok(table),
            Plain::Value(_) => Err("a state is a table".into()),
        }
    }
}

fn plain(json: Json, depth: usize, left: &mut usize) -> Result<Plain, String> {
    let value = match json {
        Json::Null => return Err("there is no value".into()),
        Json::Bool(truth) => Value::Bool(truth),
        Json::Number(number) => Value::Number(finite(&number)?),
        Json::String(text) => {
            spend(left, text.len())?;
            Value::Text(text.into())
        }
        Json::Array(items) => {
            let entries = (1..).zip(items).map(|(n, item)| (Key::Number(n), item));
            return entries_of(entries, depth, left);
        }
        Json::Object(mut object) => {
            if let Some(entries) = object.remove(ENTRIES) {
                return if object.is_empty() { pairs(entries, depth, left) } else { Err(no_pairs()) };
            }
            let entries = object.into_iter().map(|(name, item)| (Key::Text(name.into()), item));
            return entries_of(entries, depth, left);
        }
    };
    Ok(Plain::Value(value))
}

fn pairs(json: Json, depth: usize, left: &mut usize) -> Result<Plain, String> {
    let Json::Array(pairs) = json else { return Err(no_pairs()) };
    let pair = |pair: Json| match pair {
        Json::Array(pair) => {
            let [key, item] = <[Json; 2]>::try_from(pair).map_err(|_| no_pairs())?;
            let key = match key {
                Json::Number(number) => {
                    Key::Number(number.as_i64().filter(|n| n.abs() < 1 << 50).ok_or_else(no_pairs)?)
                }
                Json::String(text) => Key::Text(text.into()),
                _ => return Err(no_pairs()),
            };
            Ok((key, item))
        }
        _ => Err(no_pairs()),
    };
    let pairs = pairs.into_iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    entries_of(pairs, depth, left)
}

fn entries_of(
    items: impl IntoIterator<Item = (Key, Json)>,
    depth: usize,
    left: &mut usize,
) -> Result<Plain, String> {
    if depth == STATE_DEPTH_MAX {
        return Err(format!("it is nested more than {STATE_DEPTH_MAX} tables deep"));
    }
    let mut entries = BTreeMap::new();
    for (key, item) in items {
        spend(left, 8 + if let Key::Text(text) = &key { text.len() } else { 0 })?;
        entries.insert(key, plain(item, depth + 1, left)?);
    }
    Ok(Plain::Table(entries))
}

fn finite(number: &serde_json::Number) -> Result<f64, String> {
    number.as_f64().filter(|number| number.is_finite()).ok_or_else(|| "a number is not finite".into())
}

fn no_pairs() -> String {
    "the entries of a table are pairs of a key, a text or a whole number, and a value".into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Plain, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Plain::try_from(json)
    }

    fn any_plain() -> impl Strategy<Value = Plain> {
        let value = prop_oneof![
            (-1e9..1e9_f64).prop_map(Value::Number),
            any::<bool>().prop_map(Value::Bool),
            ".{0,6}".prop_map(|text| Value::from(&*text)),
        ];
        let key = prop_oneof![
            3 => (1..4_i64).prop_map(Key::Number),
            1 => any::<i32>().prop_map(|n| Key::Number(n.into())),
            3 => "[a-c]{0,2}".prop_map(|text| Key::Text(text.as_str().into())),
        ];
        let leaf = value.prop_map(Plain::Value);
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(Plain::Table)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_written_is_read(plain in prop::collection::btree_map("[a-z]{0,2}", any_plain(), 0..4)) {
            let plain = Plain::table(plain.iter().map(|(name, plain)| (name.as_str(), plain.clone())));
            let text = Json::from(plain.clone()).to_string();
            prop_assert_eq!(read(&text), Ok(plain), "{}", text);
        }
    }

    #[test]
    fn lists_and_records_are_written_as_such() {
        let list = Plain::Table([(Key::Number(1), Value::from("a").into())].into());
        let odd = Plain::Table([(Key::Number(7), Value::Bool(true).into())].into());
        let plain = Plain::table([("list", list), ("n", Value::Number(2.5).into()), ("odd", odd)]);
        let text = r#"{"list":["a"],"n":2.5,"odd":{"":[[7,true]]}}"#;
        assert_eq!(Json::from(plain).to_string(), text);
    }

    #[test]
    fn what_is_no_state_is_refused() {
        let text = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes));
        let nested = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        assert!(read(&text(super::super::STATE_BYTES_MAX - 9)).is_ok());
        assert!(read(&nested(STATE_DEPTH_MAX)).is_ok());
        for (text, expected) in [
            (text(super::super::STATE_BYTES_MAX - 8), "65536 bytes"),
            (nested(STATE_DEPTH_MAX + 1), "16 tables deep"),
            ("1".into(), "a state is a table"),
            (r#"{"a":null}"#.into(), "no value"),
            (r#"{"a":1e999}"#.into(), "number out of range"),
            (r#"{"":1}"#.into(), "pairs"),
            (r#"{"":[[1.5,1]]}"#.into(), "pairs"),
            (r#"{"":[[1]]}"#.into(), "pairs"),
            (r#"{"":[],"a":1}"#.into(), "pairs"),
        ] {
            let told = read(&text).unwrap_err();
            assert!(told.contains(expected), "{expected}: {told}");
        }
    }
}
