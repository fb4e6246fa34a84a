//! The API: questions about the panel, answered as JSON, and what machines ask of any server.

use std::sync::{Arc, PoisonError};

use actors::handle::{QuerySources, QueryValues};
use actors::output::png;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::event::EventKind;
use serde::Deserialize;
use serde_json::json;

use super::App;
use super::aside::aside;
use super::event_log::EVENTS_KEPT;
use super::limits::PICTURES;
use super::problem::Problem;
use super::wire::{ActorsDocument, EventDocument, ScriptDocument, SourceDocument, ValueDocument};

/// How many events are answered where the request does not say.
const EVENTS_DEFAULT: usize = 100;

/// The tick that a picture shows.
const TICK_HEADER: HeaderName = HeaderName::from_static("tinydisplay-tick");

pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    painted(&app).map(|()| "ready\n")
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    app.process.lock().unwrap_or_else(PoisonError::into_inner).measure();
    let kind = (header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    ([kind], app.metrics.render()).into_response()
}

pub(super) async fn values(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let values = app.values.answer(&app.handle.values, QueryValues).await?;
    let values: Vec<_> = values.iter().map(ValueDocument::new).collect();
    Ok(Json(json!({ "values": values })).into_response())
}

pub(super) async fn sources(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let sources = app.sources.answer(&app.handle.sources, QuerySources).await?;
    let sources: Vec<_> = sources.iter().map(SourceDocument::new).collect();
    Ok(Json(json!({ "sources": sources })).into_response())
}

pub(super) async fn scripts(State(app): State<Arc<App>>) -> Response {
    let scripts = app.handle.scripts.reports();
    let scripts: Vec<_> = scripts.iter().map(ScriptDocument::new).collect();
    Json(json!({ "scripts": scripts })).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    limit: Option<usize>,
    r#type: Option<String>,
    since: Option<u64>,
}

pub(super) async fn events(
    State(app): State<Arc<App>>,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = query.map_err(bad_query)?.0;
    let limit = query.limit.unwrap_or(EVENTS_DEFAULT);
    if !(1..=EVENTS_KEPT).contains(&limit) {
        let detail = format!("limit={limit} is out of range; use 1 to {EVENTS_KEPT}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let kind = query.r#type.map(kind_of).transpose()?;
    let events = app.events.chosen(limit, |event| {
        let is_new = query.since.is_none_or(|since| event.tick.0 >= since);
        is_new && kind.is_none_or(|kind| event.kind == kind)
    });
    let events: Vec<_> = events.iter().map(EventDocument::new).collect();
    Ok(Json(json!({ "events": events })).into_response())
}

fn kind_of(name: String) -> Result<EventKind, Problem> {
    let known = || EventKind::ALL.iter().map(|kind| kind.name());
    let found = EventKind::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| {
        let known = known().collect::<Vec<_>>().join(", ");
        Problem::bad_request(format!("type={name} is no type of events; they are {known}"))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigQuery {
    #[serde(default)]
    format: ConfigFormat,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ConfigFormat {
    #[default]
    Json,
    Toml,
}

/// The configuration as it was written: secrets never stand in it, only where they are.
pub(super) async fn config(
    State(app): State<Arc<App>>,
    query: Result<Query<ConfigQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let (site, panel) = (&app.site, &app.handle.panel);
    Ok(match query.map_err(bad_query)?.0.format {
        ConfigFormat::Json => Json(json!({
            "name": panel.name,
            "file": site.file,
            "fingerprint": format!("{:016x}", panel.fingerprint),
            "text": &*site.text,
        }))
        .into_response(),
        ConfigFormat::Toml => {
            ([(header::CONTENT_TYPE, "application/toml")], site.text.to_string()).into_response()
        }
    })
}

pub(super) async fn actors(State(app): State<Arc<App>>) -> Response {
    let actors = app.handle.actors.borrow().clone();
    let supervision = &app.handle.panel.supervision;
    Json(ActorsDocument::new(&actors, supervision, app.handle.world.now())).into_response()
}

pub(super) async fn performance(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let document = app.performance.borrow().clone();
    match document {
        Some(document) => Ok(Json(&*document).into_response()),
        None => Err(Problem::unavailable("nothing is measured yet")),
    }
}

/// The most times that a pixel can be repeated across and down.
const SCALE_MAX: u32 = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrameQuery {
    scale: Option<u32>,
}

pub(super) async fn frame(
    State(app): State<Arc<App>>,
    query: Result<Query<FrameQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let scale = query.map_err(bad_query)?.scale.unwrap_or(1);
    if !(1..=SCALE_MAX).contains(&scale) {
        let detail = format!("scale={scale} is out of range; use 1 to {SCALE_MAX}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    painted(&app)?;
    let picture = app.handle.pictures.borrow().clone();
    let tick = picture.tick.0;
    let encode = move || {
        let mut bytes = Vec::new();
        png::encode(&picture.frame, scale, &mut bytes).map(|()| bytes)
    };
    let busy = format!("{PICTURES} pictures are made already");
    match aside(&app.pictures, &busy, encode).await? {
        Ok(png) => {
            let kind = (header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
            Ok((HeaderMap::from_iter([kind, (TICK_HEADER, tick.into())]), png).into_response())
        }
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

fn painted(app: &App) -> Result<(), Problem> {
    if app.handle.pulse.borrow().ready {
        return Ok(());
    }
    Err(Problem::unavailable("the first frame is not painted yet"))
}

pub(super) fn bad_query(rejection: QueryRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, rejection.body_text())
}
