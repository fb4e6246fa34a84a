//! A formula, evaluated against the values as they are now. It runs beside the core, which notices nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use actors::expression::chunk;
use actors::handle::QueryValues;
use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::diagnostic::{Diagnostic, Severity};
use serde::Deserialize;
use serde_json::{Value as Document, json};

use super::App;
use super::aside::aside;
use super::body;
use super::limits::{EVALUATIONS, FORMULA_BYTES, VARIABLES};
use super::problem::Problem;
use super::signals::value;
use super::wire::Plain;

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    expression: String,
    /// Beside the panel's values and keys, or instead of them; null for one without a value.
    #[serde(default)]
    variables: BTreeMap<String, Document>,
}

pub(super) async fn evaluate(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Problem> {
    let rate = app.evaluated.take(from.ip(), (app.site.times.now)());
    rate.map_err(|wait| Problem::too_many("this address evaluates too often", wait))?;
    let question: Question = body::json(request).await?;
    check(&question)?;
    let mut variables = BTreeMap::new();
    for known in app.values.answer(&app.handle.values, QueryValues).await?.iter() {
        // A value stands above a key of the same name, as in the configuration.
        variables.entry(known.name.to_string()).or_insert_with(|| known.value.clone());
    }
    for (name, document) in question.variables {
        let known = value(&document);
        if known.is_none() && !document.is_null() {
            return Err(unprocessable(format!("variable `{name}` is a list or an object")));
        }
        variables.insert(name, known);
    }
    let expression = question.expression;
    let busy = format!("{EVALUATIONS} formulas are evaluated already");
    let evaluate = move || (chunk::evaluate(&expression, &Vec::from_iter(variables)), expression);
    match aside(&app.evaluations, &busy, evaluate).await? {
        (Ok(value), _) => Ok(Json(json!({ "value": value.as_ref().map(Plain) })).into_response()),
        (Err(problems), expression) => Err(wrong(&expression, problems)),
    }
}

fn check(question: &Question) -> Result<(), Problem> {
    let (bytes, variables) = (question.expression.len(), question.variables.len());
    if bytes > FORMULA_BYTES {
        return Err(unprocessable(format!("a formula has at most {FORMULA_BYTES} bytes, not {bytes}")));
    }
    if variables > VARIABLES {
        return Err(unprocessable(format!("at most {VARIABLES} variables can be given, not {variables}")));
    }
    Ok(())
}

fn unprocessable(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

/// All that is wrong with a formula, each with its place, in characters.
fn wrong(expression: &str, problems: Vec<Diagnostic>) -> Problem {
    let characters = |bytes: usize| expression.get(..bytes).unwrap_or(expression).chars().count();
    let errors = problems.into_iter().filter(|problem| problem.severity == Severity::Error);
    let errors: Vec<_> = errors
        .map(|error| {
            let offset = characters(error.span.start);
            json!({
                "code": error.code,
                "message": error.message,
                "offset": offset,
                "length": characters(error.span.end).saturating_sub(offset),
                "help": error.help,
                "suggestions": error.candidates,
            })
        })
        .collect();
    let first = errors.first().and_then(|error| error["message"].as_str()).unwrap_or("the formula is wrong");
    unprocessable(first).with("errors", &errors)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tokio::sync::watch;

    use super::*;
    use crate::http::Site;
    use crate::http::access::Access;
    use crate::http::fixture::{FakePanel, metrics};

    #[tokio::test]
    async fn evaluations_at_a_time_are_limited() {
        let panel = FakePanel::new(Vec::new(), Vec::new());
        let address = SocketAddr::from(([127, 0, 0, 1], 9_185));
        let site = Site::from(address);
        let (_stop, stopped) = watch::channel(false);
        let access = Access::new(address, &site.http, None);
        let app = Arc::new(App::new(panel.handle.clone(), metrics(), access, site, stopped));
        for others in 0..=EVALUATIONS {
            let at_work = app.evaluations.clone().acquire_many_owned(others as u32).await.unwrap();
            let question = Request::post("/").body(Body::from(r#"{"expression":"1 + 1"}"#)).unwrap();
            let answer = evaluate(State(app.clone()), ConnectInfo(address), question).await.into_response();
            let expected = if others < EVALUATIONS { 200 } else { 429 };
            assert_eq!(answer.status(), expected, "beside {others}");
            drop(at_work);
        }
    }
}
