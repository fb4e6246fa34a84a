//! What an ingest's body can be: one JSON object, an array of them, or one on each line.

use std::fmt;
use std::sync::Arc;

use axum::http::StatusCode;
use engine::value::Value;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Document;
use serde_json::value::RawValue;

use crate::http::body::not_json;
use crate::http::limits::INGESTED;
use crate::http::problem::Problem;
use crate::http::signals::value;

/// Keys and values.
pub(super) type Values = Vec<(Arc<str>, Value)>;

/// The short and the long reason for a refusal.
pub(super) type Wrong = (&'static str, String);

/// One reading: what can be offered of it, and what is wrong with the rest.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Item {
    pub(super) source: Option<String>,
    pub(super) timestamp_ms: Option<i64>,
    pub(super) values: Values,
    /// By key; without one where the whole reading is at fault.
    pub(super) wrong: Vec<(String, Wrong)>,
}

/// The readings of a body. What is wrong with one of them stands in it; a body that is nothing of the kind
/// is an error.
///
/// It has at most [`INGESTED`] values, counted as they are read, so that no more is ever built of it.
///
/// With a content type of lines, or where the first line is complete by itself and others follow, each line
/// is one reading.
pub(super) fn items(body: &[u8], content_type: Option<&str>) -> Result<Vec<Item>, Problem> {
    let kind = content_type.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let text = std::str::from_utf8(body).map_err(|error| {
        Problem::bad_request(format!("the body is no UTF-8 text: byte {} is at fault", error.valid_up_to()))
    })?;
    let is_lines = match kind {
        "application/x-ndjson" | "application/jsonl" | "application/jsonlines" => true,
        "application/json" => false,
        _ => looks_like_lines(text),
    };
    let items: Vec<Item> = match text.trim_start().chars().next() {
        None => Vec::new(),
        _ if is_lines => taken(text.lines().filter(|line| !line.trim().is_empty()))?,
        Some('[') => {
            let list: List<'_> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
            taken(list.0.into_iter().map(RawValue::get))?
        }
        Some(_) => {
            let one: &RawValue = serde_json::from_str(text).map_err(|error| not_json(&error))?;
            taken(std::iter::once(one.get()))?
        }
    };
    if items.is_empty() {
        return Err(Problem::bad_request("the body has no reading"));
    }
    Ok(items)
}

/// The readings that `texts` are, up to one value more than there may be.
fn taken<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<Item>, Problem> {
    let (mut items, mut count) = (Vec::new(), 0);
    for text in texts {
        let item = item(text);
        count += item.values.len() + item.wrong.len();
        if count > INGESTED {
            let detail = format!("at most {INGESTED} values are taken at once; send several times");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        items.push(item);
    }
    Ok(items)
}

fn looks_like_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().filter(|line| !line.trim_start().starts_with('['));
    first.is_some_and(|line| serde_json::from_str::<&RawValue>(line).is_ok()) && lines.next().is_some()
}

/// The reading that `text` is: a sample, a reading with several values, or an object of keys and values.
fn item(text: &str) -> Item {
    let wrong =
        |detail: String| Item { wrong: vec![(String::new(), ("malformed", detail))], ..Item::default() };
    let members = match serde_json::from_str::<Members<'_>>(text) {
        Ok(members) => members.0,
        Err(error) => return wrong(format!("this is no object of JSON: {error}")),
    };
    let member = |name: &str| members.iter().find(|(found, _)| found == name).map(|(_, raw)| *raw);
    let is_text = |raw: &RawValue| raw.get().starts_with('"');
    let (known, values) = match (member("key"), member("value"), member("values")) {
        (Some(key), Some(value), None) if is_text(key) => {
            let key = serde_json::from_str::<String>(key.get()).unwrap_or_default();
            (["key", "value", "timestamp_ms", "source"].as_slice(), vec![(key, value)])
        }
        (None, None, Some(values)) if values.get().starts_with('{') => {
            match serde_json::from_str::<Members<'_>>(values.get()) {
                Ok(values) => (["values", "timestamp_ms", "source"].as_slice(), values.0),
                Err(error) => return wrong(format!("`values` is no object of JSON: {error}")),
            }
        }
        // Every member is a key; none means anything else.
        _ => return with_values(Item::default(), members),
    };
    if let Some((name, _)) = members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return wrong(format!("`{name}` is not known here, but {}", known.join(", ")));
    }
    let mut item = Item::default();
    if let Some(raw) = member("source").filter(|raw| raw.get() != "null") {
        match serde_json::from_str(raw.get()) {
            Ok(source) => item.source = Some(source),
            Err(_) => return wrong("`source` is no text".into()),
        }
    }
    if let Some(raw) = member("timestamp_ms").filter(|raw| raw.get() != "null") {
        match serde_json::from_str(raw.get()) {
            Ok(timestamp_ms) => item.timestamp_ms = Some(timestamp_ms),
            Err(_) => return wrong("`timestamp_ms` is no whole number of milliseconds".into()),
        }
    }
    with_values(item, values)
}

fn with_values(mut item: Item, values: Vec<(String, &RawValue)>) -> Item {
    if values.is_empty() {
        item.wrong.push((String::new(), ("malformed", "the reading has no value".into())));
    }
    for (key, raw) in values {
        // A list or an object is no value, however much is in it.
        let scalar = Some(raw.get()).filter(|raw| !raw.starts_with(['[', '{']));
        let document = scalar.and_then(|raw| serde_json::from_str::<Document>(raw).ok());
        match document.as_ref().and_then(value) {
            Some(value) => item.values.push((key.into(), value)),
            None => {
                let detail = "the value is no number, text, true or false".into();
                item.wrong.push((key, ("malformed", detail)));
            }
        }
    }
    item
}

/// The members of an object, unread, in their order; those alone that may be so many, and one more.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Members<'de>, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    if members.len() <= INGESTED {
                        members.push(member);
                    }
                }
                Ok(Members(members))
            }
        }

        input.deserialize_map(Object)
    }
}

/// What a list consists of, unread; so many alone as [`Members`] are.
struct List<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<List<'de>, D::Error> {
        struct Array;

        impl<'de> Visitor<'de> for Array {
            type Value = List<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<'de>, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = list.next_element()? {
                    if parts.len() <= INGESTED {
                        parts.push(part);
                    }
                }
                Ok(List(parts))
            }
        }

        input.deserialize_seq(Array)
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    /// `source@time key=value … !key:reason …` for each reading.
    fn told(body: &str, content_type: Option<&str>) -> String {
        let items = match items(body.as_bytes(), content_type) {
            Ok(items) => items,
            Err(_) => return "refused".into(),
        };
        let tell = |item: Item| {
            let source = item.source.unwrap_or_default();
            let time = item.timestamp_ms.map(|ms| format!("@{ms}")).unwrap_or_default();
            let values = item.values.iter().map(|(key, value)| format!(" {key}={value}"));
            let wrong = item.wrong.iter().map(|(key, (reason, _))| format!(" !{key}:{reason}"));
            format!("{source}{time}{}", values.chain(wrong).collect::<String>())
        };
        items.into_iter().map(tell).collect::<Vec<_>>().join(";")
    }

    #[test]
    fn readings_have_several_forms() {
        for (body, expected) in [
            (r#"{"key":"heat","value":21.5}"#, " heat=21.5"),
            (r#"{"key":"heat","value":1,"timestamp_ms":5,"source":"door"}"#, "door@5 heat=1"),
            (r#"{"key":"heat","value":1,"timestamp_ms":null,"source":null}"#, " heat=1"),
            (r#"{"values":{"heat":21.5,"on":true,"mode":"day"}}"#, " heat=21.5 on=true mode=day"),
            (r#"{"values":{"a":1},"timestamp_ms":7}"#, "@7 a=1"),
            (r#"{"heat":21.5,"timestamp_ms":7}"#, " heat=21.5 timestamp_ms=7"),
            (r#"{"key":1,"value":2}"#, " key=1 value=2"),
            (r#"[{"a":1},{"b":2}]"#, " a=1; b=2"),
            ("{\"a\":1}\n\n{\"b\":2}\r\n", " a=1; b=2"),
            ("{\n \"a\": 1\n}\n", " a=1"),
        ] {
            assert_eq!(told(body, None), expected, "{body}");
        }
        assert_eq!(told("{\"a\":1}", Some("application/x-ndjson")), " a=1");
        assert_eq!(told("{\"a\":1}\n{\"b\":2}", Some("application/json; charset=utf-8")), "refused");
    }

    #[test]
    fn a_bad_value_takes_nothing_with_it() {
        for (body, expected) in [
            (
                r#"{"a":1,"b":null,"c":[1],"d":{},"e":1e999,"f":2}"#,
                " a=1 f=2 !b:malformed !c:malformed !d:malformed !e:malformed",
            ),
            (
                r#"[{"a":1},7,"x",null,{"b":1e999},{"c":3}]"#,
                " a=1; !:malformed; !:malformed; !:malformed; !b:malformed; c=3",
            ),
            ("{\"a\":1}\n{\"b\":\n{\"c\":3}", " a=1; !:malformed; c=3"),
            (r#"[{"key":"a","value":1,"ts":5},{"b":1}]"#, " !:malformed; b=1"),
            (r#"[{"key":"a","value":1,"timestamp_ms":"noon"},{"b":1}]"#, " !:malformed; b=1"),
            (r#"[{"values":{"a":1},"source":5},{}]"#, " !:malformed; !:malformed"),
            (r#"{"a":1,"a":2}"#, " a=1 a=2"),
        ] {
            assert_eq!(told(body, None), expected, "{body}");
        }
        let deep = format!("[{{\"a\":{}1{}}},{{\"b\":2}}]", "[".repeat(100_000), "]".repeat(100_000));
        assert!(["refused", " !a:malformed; b=2"].contains(&told(&deep, None).as_str()));
        for body in ["", " \n ", "[]", "[{\"a\":1}", "{\"a\":", "a=1", "\u{0}"] {
            let told = told(body, Some("application/json"));
            assert_eq!(told, "refused", "{body:?}");
        }
        assert!(items(&[b'{', 0xff], None).is_err());
    }

    #[test]
    fn values_are_limited_whatever_becomes_of_them() {
        let object = |count: usize, value: &str| {
            let members: Vec<_> = (0..count).map(|n| format!("\"k{n}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        };
        let lines = |line: &str, count: usize| vec![line; count].join("\n");
        let list = |part: &str, count: usize| format!("[{}]", vec![part; count].join(","));
        let check = |what: &str, of: &dyn Fn(usize) -> String| {
            for count in [INGESTED - 1, INGESTED] {
                let items = items(of(count).as_bytes(), None).unwrap();
                let taken: usize = items.iter().map(|item| item.values.len() + item.wrong.len()).sum();
                assert_eq!(taken, count, "{what}");
            }
            for count in [INGESTED + 1, 2 * INGESTED] {
                let refused = items(of(count).as_bytes(), None).unwrap_err();
                assert_eq!(refused.into_response().status(), StatusCode::PAYLOAD_TOO_LARGE, "{what}");
            }
        };
        check("good values", &|count| object(count, "1"));
        check("bad values", &|count| object(count, "null"));
        check("values of a reading", &|count| format!("{{\"values\":{}}}", object(count, "[]")));
        check("readings", &|count| list("{\"a\":1}", count));
        check("readings that are none", &|count| list("0", count));
        check("two values each", &|count| format!("[{},{}]", object(count - 1, "1"), "{\"a\":{}}"));
        check("lines", &|count| lines("{\"a\":1}", count));
    }
}
