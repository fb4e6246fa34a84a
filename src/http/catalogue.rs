//! The catalogue of functions, those of the panel's scripts among them, for editors that complete formulas.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::App;
use crate::catalogue;

/// By category, in the table's order.
pub(super) async fn by_category(State(app): State<Arc<App>>) -> Response {
    let mut categories: Map<String, Value> = Map::new();
    for function in catalogue::functions(&app.handle.panel.scripts.functions) {
        let list = categories.entry(function.category).or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().into_iter().for_each(|list| list.push(json!(function)));
    }
    Json(categories).into_response()
}

/// All in one list.
pub(super) async fn flat(State(app): State<Arc<App>>) -> Response {
    Json(catalogue::functions(&app.handle.panel.scripts.functions)).into_response()
}
