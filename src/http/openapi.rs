//! The OpenAPI document, made from the table of routes and the schemas of what goes over the wire.

use std::sync::OnceLock;

use axum::http::StatusCode;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::routes::{Answer, Form, PROBLEMS_OF_ALL, Parameter, ROUTES, Route};

/// The schemas, each with examples, by name.
const SCHEMAS: &str = include_str!("openapi/schemas.json");

pub(super) async fn document() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| openapi().to_string()).as_str();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The document, OpenAPI 3.1.
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for route in &ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = operation(route);
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tinydisplay",
            "summary": "A running panel: what it shows, what it knows, and ways to tell it things",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "where the server has a token" },
            },
        },
        "security": [{}, { "token": [] }],
    })
}

fn operation(route: &Route) -> Value {
    let mut responses = Map::new();
    for answer in route.answers {
        let status = answer.status.to_string();
        let response =
            responses.entry(status).or_insert_with(|| json!({ "description": meaning(answer.status) }));
        if !answer.kind.is_empty() {
            response["content"][answer.kind] = content(answer);
        }
    }
    let problems = route.problems.iter().chain(&PROBLEMS_OF_ALL);
    for status in problems {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ "application/problem+json": { "schema": schema } });
        responses.insert(status.to_string(), json!({ "description": meaning(*status), "content": content }));
    }
    responses.sort_keys();
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": plain(route.summary),
        "parameters": route.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": responses,
    });
    if let Some((kinds, schema)) = route.body {
        let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
        let content: Map<String, Value> =
            kinds.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": schema }))).collect();
        operation["requestBody"] =
            json!({ "required": route.path != "/api/v1/signals/{name}", "content": content });
    }
    operation
}

fn content(answer: &Answer) -> Value {
    match answer.schema {
        Some(schema) => json!({ "schema": { "$ref": format!("#/components/schemas/{schema}") } }),
        None => json!({}),
    }
}

fn parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.form {
        Form::Path | Form::Text => json!({ "type": "string" }),
        Form::Number(from, u64::MAX) => json!({ "type": "integer", "minimum": from }),
        Form::Number(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Form::OneOf(words) => json!({ "type": "string", "enum": words }),
    };
    let is_path = matches!(parameter.form, Form::Path);
    json!({
        "name": parameter.name,
        "in": if is_path { "path" } else { "query" },
        "required": is_path,
        "description": parameter.summary,
        "schema": schema,
    })
}

/// `get_api_v1_values`
fn operation_id(route: &Route) -> String {
    let name: String = route.path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("{}_{}", route.method.to_ascii_lowercase(), name.trim_matches('_'))
        .trim_end_matches('_')
        .to_owned()
}

/// The text without links.
fn plain(markdown: &str) -> String {
    let mut parts = markdown.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once("](") {
        Some((words, rest)) => text + words + rest.split_once(')').map_or("", |(_, rest)| rest),
        None => text + "[" + part,
    })
}

fn meaning(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("an answer")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Calls `look` for every object in the document.
    fn walk(value: &Value, look: &mut impl FnMut(&Map<String, Value>)) {
        match value {
            Value::Object(object) => {
                look(object);
                object.values().for_each(|value| walk(value, look));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, look)),
            _ => {}
        }
    }

    #[test]
    fn the_document_is_whole() {
        let document = openapi();
        assert_eq!(document["openapi"], "3.1.0");
        let (mut used, mut ids) = (BTreeSet::new(), BTreeSet::new());
        walk(&document, &mut |object| {
            if let Some(Value::String(reference)) = object.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference} is nowhere");
                used.insert(reference.rsplit('/').next().unwrap().to_owned());
            }
            if let Some(Value::String(id)) = object.get("operationId") {
                assert!(ids.insert(id.clone()), "{id} twice");
            }
        });
        assert_eq!(ids.len(), ROUTES.len());
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                assert!(!operation["summary"].as_str().unwrap().contains(['[', ']']), "{path}");
                let parameters = operation["parameters"].as_array().unwrap().iter();
                let named: BTreeSet<_> = parameters
                    .filter(|parameter| parameter["in"] == "path")
                    .map(|parameter| parameter["name"].as_str().unwrap())
                    .collect();
                let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
                assert_eq!(named, parts.collect(), "{method} {path}");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    assert!(status.parse::<u16>().is_ok() && response["description"].is_string(), "{path}");
                }
            }
        }
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let unused: Vec<_> = schemas.keys().filter(|name| !used.contains(*name)).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }

    #[test]
    fn every_example_has_its_shape() {
        let document = openapi();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for (name, schema) in schemas {
            jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
            let examples = schema["examples"].as_array().filter(|examples| !examples.is_empty());
            for example in examples.unwrap_or_else(|| panic!("{name} has no example")) {
                if let Err(error) = validate(&document, name, example) {
                    panic!("{name}: {error}\n{example}");
                }
            }
        }
        assert!(validate(&document, "Values", &json!({ "values": 1 })).is_err(), "the check can fail");
    }

    fn validate(document: &Value, name: &str, instance: &Value) -> Result<(), String> {
        crate::http::fixture::conforms(document, name, instance)
    }
}
