//! Signals: a word from outside becomes an input of the next tick.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::handle::Refused;
use axum::Json;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::signal::{PER_TICK_MAX, Signal};
use engine::value::Value;
use serde_json::{Value as Document, json};

use super::App;
use super::body;
use super::problem::Problem;

pub(super) async fn signal(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    app.may_change(from)?;
    let bytes = body::read(request).await?;
    let facts = match bytes.trim_ascii() {
        b"" => BTreeMap::new(),
        bytes => serde_json::from_slice::<BTreeMap<String, Document>>(bytes)
            .map_err(|error| body::not_json(&error))?,
    };
    let wrong = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let mut known = BTreeMap::new();
    for (name, fact) in facts {
        let fact =
            value(&fact).ok_or_else(|| wrong(format!("`{name}` is no number, text, true or false")))?;
        known.insert(name, fact);
    }
    let signal = Signal::new(&name, known).map_err(|problem| wrong(problem.to_string()))?;
    match app.handle.signal(signal) {
        Ok(()) => Ok((StatusCode::ACCEPTED, Json(json!({ "signal": name }))).into_response()),
        Err(Refused::Full) => {
            let detail = format!("{PER_TICK_MAX} signals wait for the next tick already");
            Err(Problem::too_many(detail, Duration::from_secs(1)))
        }
        Err(Refused::Closed) => {
            let detail = "this run takes no signals: it shows a recording, or it ends";
            Err(Problem::new(StatusCode::CONFLICT, detail))
        }
    }
}

/// A value of JSON's as one of ours; `None` for null, lists and objects.
pub(super) fn value(document: &Document) -> Option<Value> {
    Some(match document {
        Document::Number(number) => Value::Number(number.as_f64()?),
        Document::Bool(truth) => Value::Bool(*truth),
        Document::String(text) => Value::from(text.as_str()),
        Document::Null | Document::Array(_) | Document::Object(_) => return None,
    })
}

impl App {
    /// Whether the client at `from` may change something now.
    pub(super) fn may_change(&self, from: SocketAddr) -> Result<(), Problem> {
        self.changes.take(from.ip(), (self.site.times.now)()).map_err(|wait| {
            Problem::too_many("this address sends too often; send several readings at once", wait)
        })
    }
}
