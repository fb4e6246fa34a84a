//! The catalogue of functions, for editors that complete formulas.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::catalogue;

/// By category, in the table's order.
pub(super) async fn by_category() -> Response {
    let mut categories: Map<String, Value> = Map::new();
    for function in catalogue::functions() {
        let list = categories.entry(function.category).or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().into_iter().for_each(|list| list.push(json!(function)));
    }
    Json(categories).into_response()
}

/// All in one list.
pub(super) async fn flat() -> Response {
    Json(catalogue::functions()).into_response()
}
