//! A formula, evaluated against the values as they are now. It runs beside the core, which notices nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use actors::expression::trial::Trial;
use actors::handle::{QuerySamples, QueryValues, QueryWindows};
use actors::panel::Panel;
use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::diagnostic::{Diagnostic, Severity};
use engine::sample::SourceState;
use engine::tick::Tick;
use engine::value::Value;
use serde::Deserialize;
use serde_json::{Value as Document, json};

use super::App;
use super::aside::aside;
use super::body;
use super::limits::{EVALUATIONS, FORMULA_BYTES, SAMPLES, VARIABLES};
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
    let tick = app.handle.pulse.borrow().tick;
    let mut known = Known { samples, tick, ..Known::default() };
    for reported in app.values.answer(&app.handle.values, QueryValues).await?.iter() {
        let name = reported.name.to_string();
        known.states.entry(name.clone()).or_insert(reported.state);
        // A value stands above a key of the same name, as in the configuration.
        known.variables.entry(name).or_insert_with(|| reported.value.clone());
    }
    for (name, document) in variables {
        let variable = value(&document);
        if variable.is_none() && !document.is_null() {
            return Err(unprocessable(format!("variable `{name}` is a list or an object")));
        }
        known.states.remove(&name);
        known.variables.insert(name, variable);
    }
    let expression: Arc<str> = expression.into();
    let busy = format!("{EVALUATIONS} formulas are evaluated already");
    let (text, variables) = (expression.clone(), Vec::from_iter(known.variables.clone()));
    let panel = app.handle.panel_now();
    let asks = move || {
        let (constants, library, fps) = (&panel.constants, &panel.scripts, panel.fps);
        Trial { text: &text, variables: &variables, constants, library, fps, ..Trial::default() }.asks()
    };
    let asked = aside(&app.evaluations, &busy, asks).await?;
    if !asked.is_empty() {
        remember(&app, &asked, &mut known).await?;
    }
    let (text, panel) = (expression.clone(), app.handle.panel_now());
    match aside(&app.evaluations, &busy, move || known.evaluate(&text, &panel)).await? {
        Ok((value, warnings)) => {
            let mut answer = json!({ "value": value.as_ref().map(Plain) });
            if !warnings.is_empty() {
                answer["warnings"] = told(&expression, warnings).into();
            }
            Ok(Json(answer).into_response())
        }
        Err(problems) => Err(wrong(&expression, problems)),
    }
}

/// What a formula is evaluated with.
#[derive(Debug, Default)]
struct Known {
    variables: BTreeMap<String, Option<Value>>,
    states: BTreeMap<String, SourceState>,
    samples: Samples,
    tick: Tick,
}

type Evaluated = (Option<Value>, Vec<Diagnostic>);

/// By key: ages in seconds and numbers.
type Samples = BTreeMap<String, Vec<(f64, f64)>>;

impl Known {
    /// The result, and what is hardly meant as it is written.
    fn evaluate(self, text: &str, panel: &Panel) -> Result<Evaluated, Vec<Diagnostic>> {
        let Known { variables, states, samples, tick: first } = self;
        let variables = Vec::from_iter(variables);
        let (samples, states, ticks) = (&samples, &states, 1);
        let Panel { constants, scripts: library, fps, seed, .. } = panel;
        let (fps, seed, variables) = (*fps, *seed, &variables[..]);
        let trial = Trial { text, variables, samples, constants, states, first, ticks, fps, seed, library };
        trial.run().map(|value| (value, trial.warnings()))
    }
}

/// Adds the pasts of the keys that are `asked` for, as far as the question did not bring them along: what
/// the panel's own windows hold or, where there are none over a key, what is in the ring.
async fn remember(app: &App, asked: &BTreeSet<String>, known: &mut Known) -> Result<(), Problem> {
    let windows = app.windows.answer(&app.handle.windows, QueryWindows).await?;
    let now_ms = windows.now_ms();
    let age = |(ms, number): (i64, f64)| (now_ms.saturating_sub(ms) as f64 / 1_000.0, number);
    for name in asked.iter().filter(|name| known.states.contains_key(*name)) {
        let key = app.handle.panel.keys.iter().position(|key| key.name == *name);
        let Some(key) = key.map(|key| key as u32).filter(|_| !known.samples.contains_key(name)) else {
            continue;
        };
        let past = match windows.samples(key) {
            Some(samples) => samples.map(age).collect(),
            None => {
                let ring = app.samples.answer(&app.handle.samples, QuerySamples).await?;
                let of_key = ring.iter().filter(|held| held.key == key);
                of_key.map(|held| age((held.timestamp_ms, held.number))).collect()
            }
        };
        known.samples.insert(name.clone(), past);
    }
    Ok(())
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
