//! A formula, evaluated against the values as they are now. It runs beside the core, which notices nothing.

mod known;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use actors::expression::trial::Draft;
use actors::handle::{QuerySamples, QueryValues, QueryWindows};
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
use super::limits::{EVALUATIONS, FORMULA_BYTES, SAMPLES, VARIABLES};
use super::problem::Problem;
use super::signals::value;
use super::wire::Plain;
use known::Known;

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    expression: String,
    /// Beside the panel's values and keys, or instead of them; null for one without a value.
    #[serde(default)]
    variables: BTreeMap<String, Document>,
    /// What windows over these keys see instead of what the panel has: ages in seconds and numbers.
    #[serde(default)]
    samples: Samples,
}

pub(super) async fn evaluate(
    State(app): State<Arc<App>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Response, Problem> {
    let rate = app.evaluated.take(from.ip(), (app.site.times.now)());
    rate.map_err(|wait| Problem::too_many("this address evaluates too often", wait))?;
    let Question { expression, variables, samples } = body::json(request).await?;
    check(&expression, &variables, &samples)?;
    let reported = app.values.answer(&app.handle.values, QueryValues).await?;
    let (panel, tick) = (app.handle.panel_now(), app.handle.pulse.borrow().tick);
    let text: Arc<str> = expression.into();
    let busy = format!("{EVALUATIONS} formulas are evaluated already");
    let expression = text.clone();
    let read = move || -> Result<(Known, Draft), Refused> {
        let mut known = Known::of(panel, &reported, tick);
        fill(&mut known, variables, samples).map_err(Refused::Question)?;
        let draft = known.draft(&expression).map_err(Refused::Formula)?;
        Ok((known, draft))
    };
    let (mut known, draft) = match aside(&app.evaluations, &busy, read).await? {
        Ok(read) => read,
        Err(Refused::Question(why)) => return Err(unprocessable(why)),
        Err(Refused::Formula(problems)) => return Err(wrong(&text, problems)),
    };
    let past = if known.is_asked(&draft) {
        let windows = app.windows.answer(&app.handle.windows, QueryWindows).await?;
        Some((windows, app.samples.answer(&app.handle.samples, QuerySamples).await?))
    } else {
        None
    };
    let expression = text.clone();
    let compute = move || {
        let mut said = draft.warnings().to_vec();
        said.extend(known.failing(&expression, &draft));
        if let Some((windows, ring)) = past {
            said.extend(known.remember((&expression, &draft), &windows, &ring));
        }
        known.run(draft).map(|value| (value, said))
    };
    match aside(&app.evaluations, &busy, compute).await? {
        Ok((value, warnings)) => {
            let mut answer = json!({ "value": value.as_ref().map(Plain) });
            if !warnings.is_empty() {
                answer["warnings"] = told(&text, warnings).into();
            }
            Ok(Json(answer).into_response())
        }
        Err(problems) => Err(wrong(&text, problems)),
    }
}

/// Why nothing is evaluated.
enum Refused {
    Question(String),
    Formula(Vec<Diagnostic>),
}

/// By key: ages in seconds and numbers.
type Samples = BTreeMap<String, Vec<(f64, f64)>>;

/// Takes in what came with the question.
fn fill(known: &mut Known, variables: BTreeMap<String, Document>, samples: Samples) -> Result<(), String> {
    for (name, document) in variables {
        let variable = value(&document);
        if variable.is_none() && !document.is_null() {
            return Err(format!("variable `{name}` is a list or an object"));
        }
        known.take(name, variable)?;
    }
    samples.into_iter().try_for_each(|(name, ages)| known.take_samples(name, ages))
}

fn check(expression: &str, variables: &BTreeMap<String, Document>, samples: &Samples) -> Result<(), Problem> {
    let (bytes, variables) = (expression.len(), variables.len());
    if bytes > FORMULA_BYTES {
        return Err(unprocessable(format!("a formula has at most {FORMULA_BYTES} bytes, not {bytes}")));
    }
    if variables > VARIABLES {
        return Err(unprocessable(format!("at most {VARIABLES} variables can be given, not {variables}")));
    }
    let samples: usize = samples.values().map(|samples| samples.len().max(1)).sum();
    if samples > SAMPLES {
        return Err(unprocessable(format!("at most {SAMPLES} samples can be given, not {samples}")));
    }
    Ok(())
}

fn unprocessable(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

/// Problems of a formula, each with its place, in characters.
fn told(expression: &str, problems: Vec<Diagnostic>) -> Vec<Document> {
    let characters = |bytes: usize| expression.get(..bytes).unwrap_or(expression).chars().count();
    let one = |problem: Diagnostic| {
        let offset = characters(problem.span.start);
        json!({
            "code": problem.code,
            "message": problem.message,
            "offset": offset,
            "length": characters(problem.span.end).saturating_sub(offset),
            "help": problem.help,
            "suggestions": problem.candidates,
        })
    };
    problems.into_iter().map(one).collect()
}

/// All that is wrong with a formula.
fn wrong(expression: &str, mut problems: Vec<Diagnostic>) -> Problem {
    problems.retain(|problem| problem.severity == Severity::Error);
    let errors = told(expression, problems);
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
