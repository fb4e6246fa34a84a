//! What depends on what, with values, states and costs as they are now: as data and as a picture.

use std::sync::Arc;

use actors::handle::{QueryValues, QueryWindows};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::api::bad_query;
use super::aside::aside;
use super::limits::PICTURES;
use super::problem::Problem;
use crate::graph::{Form, Graph, Live, TooLarge};

/// A picture looks by its own rules; nothing else is allowed in it.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GraphQuery {
    #[serde(default)]
    format: Form,
}

pub(super) async fn graph(
    State(app): State<Arc<App>>,
    query: Result<Query<GraphQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let form = query.map_err(bad_query)?.0.format;
    let values = app.values.answer(&app.handle.values, QueryValues).await?;
    let windows = app.windows.answer(&app.handle.windows, QueryWindows).await?;
    let (panel, formulas) = (app.handle.panel_now(), &app.handle.telemetry.formulas);
    let (costs, called) = (formulas.costliest.means(), formulas.called.read());
    let busy = format!("{PICTURES} pictures are made already");
    let draw = move || -> Result<Response, TooLarge> {
        let (called, windows) = (Some(&called), Some(&*windows));
        let graph = Graph::new(&panel, Live { values: &values, costs: &costs, called, windows });
        Ok(match form {
            Form::Json => ([(header::CONTENT_TYPE, "application/json")], graph.json()).into_response(),
            Form::Dot => typed("text/vnd.graphviz; charset=utf-8", graph.dot()),
            Form::Mermaid => typed("text/vnd.mermaid; charset=utf-8", graph.mermaid()),
            Form::Svg => {
                let policy = (header::CONTENT_SECURITY_POLICY, PICTURE_POLICY);
                let kind = (header::CONTENT_TYPE, "image/svg+xml");
                ([kind, policy], graph.svg(&panel.name)?).into_response()
            }
        })
    };
    // Texts are made as soon as anybody asks; what takes time is to lay out a picture.
    let drawn = if matches!(form, Form::Svg) { aside(&app.pictures, &busy, draw).await? } else { draw() };
    drawn.map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

fn typed(kind: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
