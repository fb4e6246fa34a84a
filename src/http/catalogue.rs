//! The catalogue of functions, those of the panel's scripts among them, for editors that complete formulas.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::App;
use crate::catalogue::{self, Entry};

/// By category, in the table's order.
pub(super) async fn by_category(State(app): State<Arc<App>>) -> Response {
    let mut categories: Map<String, Value> = Map::new();
    for function in functions(&app) {
        let list = categories.entry(function.category).or_insert_with(|| Value::Array(Vec::new()));
        list.as_array_mut().into_iter().for_each(|list| list.push(json!(function)));
    }
    Json(categories).into_response()
}

/// All in one list.
pub(super) async fn flat(State(app): State<Arc<App>>) -> Response {
    Json(functions(&app)).into_response()
}

/// The built-in functions, and those that scripts define now.
fn functions(app: &App) -> Vec<Entry> {
    let library = app.handle.scripts.library();
    catalogue::functions(&library.present().map(|(function, _)| function.clone()).collect::<Vec<_>>())
}
