//! The catalogue of functions, for editors that complete formulas.

use axum::Json;
use axum::response::{IntoResponse, Response};
use engine::formula::functions::{FUNCTIONS, Function};
use serde::Serialize;
use serde_json::{Map, Value};

#[derive(Serialize)]
struct FunctionDocument {
    name: &'static str,
    description: &'static str,
    category: &'static str,
    signature: &'static str,
    example: &'static str,
    result: &'static str,
    min_arguments: usize,
    /// `None` for any number.
    max_arguments: Option<usize>,
}

impl FunctionDocument {
    fn new(function: &Function) -> FunctionDocument {
        FunctionDocument {
            name: function.name,
            description: function.description,
            category: function.category.name(),
            signature: function.signature,
            example: function.example,
            result: function.example_result,
            min_arguments: function.min_arguments,
            max_arguments: function.max_arguments,
        }
    }
}

/// By category, in the table's order.
pub(super) async fn by_category() -> Response {
    let mut categories = Map::new();
    for function in &FUNCTIONS {
        let list = categories.entry(function.category.name()).or_insert_with(|| Value::Array(Vec::new()));
        let document = serde_json::to_value(FunctionDocument::new(function)).unwrap_or_default();
        list.as_array_mut().into_iter().for_each(|list| list.push(document.clone()));
    }
    Json(categories).into_response()
}

/// All in one list.
pub(super) async fn flat() -> Response {
    Json(FUNCTIONS.iter().map(FunctionDocument::new).collect::<Vec<_>>()).into_response()
}
