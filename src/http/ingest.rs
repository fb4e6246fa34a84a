//! Ingest: data comes in over HTTP, for the panel's `push` sources. Each value is answered by itself, and a
//! bad one takes nothing with it.

mod parse;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actors::source::push::Refusal;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::ring::intake::Rejection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::App;
use super::api::bad_query;
use super::body;
use super::problem::Problem;
use crate::config::limits::NAME_BYTES;
use parse::{Item, Wrong};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IngestQuery {
    source: Option<String>,
}

pub(super) async fn ingest(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    query: Result<Query<IngestQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    app.may_change(from)?;
    let named = query.map_err(bad_query)?.0.source;
    let known = push_sources(&app);
    if let Some(name) = named.as_ref().filter(|name| !known.contains(&name.as_str())) {
        return Err(unknown(name, &known));
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_lines = kind.map(str::to_owned);
    let bytes = body::read(request).await?;
    let items = parse::items(&bytes, is_lines.as_deref())?;
    // Where there is one push source alone, data needs no address.
    let usual = named.or_else(|| known.first().filter(|_| known.len() == 1).map(|name| (*name).to_owned()));
    let mut tally = Tally::default();
    for (index, item) in items.into_iter().enumerate() {
        offer(&app, index, item, usual.as_deref(), &known, &mut tally)?;
    }
    Ok(tally.response())
}

/// Offers one reading to its source.
fn offer(
    app: &App,
    index: usize,
    item: Item,
    usual: Option<&str>,
    known: &[&str],
    tally: &mut Tally,
) -> Result<(), Problem> {
    for (key, wrong) in item.wrong {
        tally.refuse(index, key, wrong);
    }
    let Some(source) = item.source.as_deref().or(usual) else {
        let detail = "there are several push sources, or none; name one";
        let reason = ("no_source", detail.to_owned());
        tally.refuse_all(index, item.values, &reason);
        return Ok(());
    };
    if !known.contains(&source) {
        // Said once for each value, so that a long name would become a long answer.
        let shown: String = source.chars().take(NAME_BYTES).collect();
        let reason = ("unknown_source", format!("there is no push source `{shown}`"));
        tally.refuse_all(index, item.values, &reason);
        return Ok(());
    }
    if item.values.is_empty() {
        return Ok(());
    }
    let keys: Vec<Arc<str>> = item.values.iter().map(|(key, _)| key.clone()).collect();
    match app.handle.push.offer(source, item.timestamp_ms, item.values) {
        Ok(results) => {
            for (key, result) in keys.iter().zip(results) {
                match result {
                    Ok(()) => tally.accept(index, key.to_string()),
                    Err(rejection) => {
                        tally.refuse(index, key.to_string(), (rejection.name(), meaning(rejection).into()));
                    }
                }
            }
            Ok(())
        }
        Err(Refusal::Full) => {
            let detail = format!("source `{source}` is full; send what begins with index {index} again");
            Err(tally.added_to(Problem::too_many(detail, Duration::from_secs(1)), index))
        }
        Err(refusal @ (Refusal::Stopped | Refusal::Unknown | Refusal::NotPush)) => {
            let detail = format!("source `{source}`: {refusal}");
            Err(tally.added_to(Problem::unavailable(detail), index))
        }
    }
}

/// The names of the sources that data can be pushed into.
fn push_sources(app: &App) -> Vec<&str> {
    let sources = app.handle.panel.sources.iter();
    sources.filter(|source| source.kind.name() == "push").map(|source| source.name.as_str()).collect()
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let detail = match known {
        [] => "the panel has no push source; its configuration needs a [source.NAME] with kind = \"push\""
            .into(),
        known => format!("there is no push source `{name}`, but {}", known.join(", ")),
    };
    Problem::new(StatusCode::NOT_FOUND, detail).with("sources", known)
}

fn meaning(rejection: Rejection) -> &'static str {
    match rejection {
        Rejection::NotFinite => "the number is infinite or not a number",
        Rejection::TextTooLong => "the text is too long",
        Rejection::KeyEmpty => "the key has no name",
        Rejection::KeyTooLong => "the key's name is too long",
        Rejection::TooManyKeys => "there are too many keys",
        Rejection::WrongKind => "the key is declared as another kind: a number for a text, or the reverse",
        Rejection::Timestamp => "the timestamp is more than a day from the panel's time",
        Rejection::Malformed => "the value cannot be read",
    }
}

/// What became of a value.
#[derive(Serialize)]
struct Outcome {
    /// Of its reading, from 0.
    index: usize,
    key: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// What became of values of which some were accepted.
#[derive(Serialize)]
struct Outcomes<'a> {
    accepted: usize,
    rejected: usize,
    results: &'a [Outcome],
}

#[derive(Default)]
struct Tally {
    accepted: usize,
    results: Vec<Outcome>,
}

impl Tally {
    fn accept(&mut self, index: usize, key: String) {
        self.accepted += 1;
        self.results.push(Outcome { index, key, status: "accepted", reason: None, detail: None });
    }

    fn refuse(&mut self, index: usize, key: String, (reason, detail): Wrong) {
        let (reason, detail) = (Some(reason), Some(detail));
        self.results.push(Outcome { index, key, status: "rejected", reason, detail });
    }

    fn refuse_all(&mut self, index: usize, values: parse::Values, reason: &Wrong) {
        for (key, _) in values {
            self.refuse(index, key.to_string(), reason.clone());
        }
    }

    fn rejected(&self) -> usize {
        self.results.len() - self.accepted
    }

    fn added_to(&self, problem: Problem, index: usize) -> Problem {
        let problem = problem.with("accepted", self.accepted).with("rejected", self.rejected());
        problem.with("index", index).with("results", &self.results)
    }

    fn response(self) -> Response {
        let (accepted, rejected) = (self.accepted, self.rejected());
        match (accepted, rejected) {
            (_, 0) => Json(json!({ "accepted": accepted, "rejected": 0 })).into_response(),
            (0, _) => {
                let first = self.results.first().and_then(|outcome| outcome.detail.clone());
                let detail = format!("nothing was accepted: {}", first.unwrap_or_default());
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
                    .with("accepted", 0)
                    .with("rejected", rejected)
                    .with("results", &self.results)
                    .into_response()
            }
            _ => {
                let outcomes = Outcomes { accepted, rejected, results: &self.results };
                (StatusCode::MULTI_STATUS, Json(outcomes)).into_response()
            }
        }
    }
}
