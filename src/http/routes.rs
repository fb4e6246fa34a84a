//! The table of routes: all that the server answers. The router, the OpenAPI document and the manual's table
//! are made from it.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};

use super::event_log::EVENTS_KEPT;
use super::limits::BODY_BYTES;
use super::{App, api, catalogue, evaluate, graph, guard, ingest, openapi, problem, signals, studio, ws};

/// Something that can be asked.
pub struct Route {
    /// `GET` or `POST`; `HEAD` goes wherever `GET` does.
    pub method: &'static str,
    /// Its path, with `{name}` for a part that varies.
    pub path: &'static str,
    /// What it answers, or does.
    pub summary: &'static str,
    /// What varies.
    pub parameters: &'static [Parameter],
    /// What is sent along: the content types, and the schema that is common to them.
    pub body: Option<(&'static [&'static str], &'static str)>,
    /// What comes back where all is well.
    pub answers: &'static [Answer],
    /// The statuses of its problems.
    pub problems: &'static [u16],
    handler: fn() -> MethodRouter<Arc<App>>,
}

/// Something that varies in a request.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub summary: &'static str,
    /// What it can be.
    pub form: Form,
}

/// What a parameter can be.
#[derive(Clone, Copy)]
pub enum Form {
    /// A part of the path.
    Path,
    /// A text.
    Text,
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type; empty where there is no content.
    pub kind: &'static str,
    /// The schema of JSON, by its name in the OpenAPI document.
    pub schema: Option<&'static str>,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

const fn json(schema: &'static str) -> Answer {
    Answer { status: 200, kind: JSON, schema: Some(schema) }
}

const fn other(kind: &'static str) -> Answer {
    Answer { status: 200, kind, schema: None }
}

const fn asks(
    path: &'static str,
    summary: &'static str,
    answers: &'static [Answer],
    problems: &'static [u16],
    handler: fn() -> MethodRouter<Arc<App>>,
) -> Route {
    Route { method: "GET", path, summary, parameters: &[], body: None, answers, problems, handler }
}

const fn with(route: Route, parameters: &'static [Parameter]) -> Route {
    Route { parameters, ..route }
}

const fn sends(route: Route, kinds: &'static [&'static str], schema: &'static str) -> Route {
    Route { method: "POST", body: Some((kinds, schema)), ..route }
}

const fn number(name: &'static str, summary: &'static str, from: u64, to: u64) -> Parameter {
    Parameter { name, summary, form: Form::Number(from, to) }
}

const INGEST_KINDS: [&str; 2] = [JSON, "application/x-ndjson"];

/// All routes.
pub static ROUTES: [Route; 21] = [
    asks(
        "/",
        "the studio: the live panel, its values, sources and events",
        &[other("text/html")],
        &[],
        || get(studio::page),
    ),
    with(
        asks(
            "/studio/{file}",
            "the studio's files",
            &[Answer { status: 200, kind: "", schema: None }],
            &[404],
            || get(studio::asset),
        ),
        &[Parameter { name: "file", summary: "a file's name", form: Form::Path }],
    ),
    asks(
        "/ws",
        "the live panel for programs, over a [WebSocket](#the-websocket)",
        &[Answer { status: 101, kind: "", schema: None }],
        &[426, 503],
        || get(ws::upgrade),
    ),
    asks("/metrics", "[metrics](metrics.md) in Prometheus' text format", &[other(TEXT)], &[], || {
        get(api::metrics)
    }),
    asks("/healthz", "200 while the server lives; needs no token", &[other(TEXT)], &[], || get(api::healthz)),
    asks("/readyz", "200 once the first frame is painted, 503 before", &[other(TEXT)], &[503], || {
        get(api::readyz)
    }),
    asks(
        "/api/v1/values",
        "named values and declared keys as they are now",
        &[json("Values")],
        &[503],
        || get(api::values),
    ),
    asks("/api/v1/sources", "the sources and how they are doing", &[json("Sources")], &[503], || {
        get(api::sources)
    }),
    asks(
        "/api/v1/scripts",
        "[scripts](scripts.md): what they define, and why a change of one was not taken up",
        &[json("Scripts")],
        &[],
        || get(api::scripts),
    ),
    asks(
        "/api/v1/actors",
        "the tree of supervision: every actor and how it is doing",
        &[json("Actors")],
        &[],
        || get(api::actors),
    ),
    asks("/api/v1/performance", "how long what takes", &[json("Performance")], &[503], || {
        get(api::performance)
    }),
    with(
        asks(
            "/api/v1/events",
            "the newest events, the oldest of them first",
            &[json("Events")],
            &[400],
            || get(api::events),
        ),
        &[
            number("limit", "the most events; 100 where it is left out", 1, EVENTS_KEPT as u64),
            Parameter { name: "type", summary: "events of this type alone", form: Form::Text },
            number("since", "events from this tick on alone", 0, u64::MAX),
        ],
    ),
    with(
        asks(
            "/api/v1/frame.png",
            "the newest frame; the header `tinydisplay-tick` says which tick it shows",
            &[other("image/png")],
            &[400, 429, 503],
            || get(api::frame),
        ),
        &[number("scale", "how often each pixel is repeated; once where it is left out", 1, 8)],
    ),
    with(
        asks(
            "/api/v1/graph",
            "what depends on what: sources, keys, scripts, values, templates, widgets, triggers, animations and signals",
            &[json("Graph"), other("text/vnd.graphviz"), other("text/vnd.mermaid"), other("image/svg+xml")],
            &[400, 422, 429, 503],
            || get(graph::graph),
        ),
        &[Parameter {
            name: "format",
            summary: "`json`, `svg` for a picture, `dot` for Graphviz, or `mermaid`",
            form: Form::OneOf(&["json", "svg", "dot", "mermaid"]),
        }],
    ),
    with(
        asks(
            "/api/v1/config",
            "the configuration that runs; secrets are no part of it",
            &[json("Configuration"), other("application/toml")],
            &[400],
            || get(api::config),
        ),
        &[Parameter {
            name: "format",
            summary: "`json`, or `toml` for the text alone",
            form: Form::OneOf(&["json", "toml"]),
        }],
    ),
    asks(
        "/api/v1/expression-functions",
        "the functions of formulas by category, those of the panel's scripts among them",
        &[json("FunctionsByCategory")],
        &[],
        || get(catalogue::by_category),
    ),
    asks("/api/v1/expression-functions/flat", "the same in one list", &[json("Functions")], &[], || {
        get(catalogue::flat)
    }),
    asks("/api/v1/openapi.json", "this table as an OpenAPI 3.1 document", &[json("OpenApi")], &[], || {
        get(openapi::document)
    }),
    with(
        sends(
            asks(
                "/api/v1/ingest",
                "takes [data](#ingest) for a `push` source",
                &[json("Accepted"), Answer { status: 207, kind: JSON, schema: Some("Ingested") }],
                &[400, 404, 408, 413, 422, 429, 503],
                || post(ingest::ingest),
            ),
            &INGEST_KINDS,
            "Readings",
        ),
        &[Parameter {
            name: "source",
            summary: "the source; may be left out where there is exactly one `push` source",
            form: Form::Text,
        }],
    ),
    sends(
        asks(
            "/api/v1/evaluate",
            "the result of a [formula](#evaluate) with the panel's values as they are now",
            &[json("Evaluated")],
            &[400, 408, 413, 422, 429, 503],
            || post(evaluate::evaluate),
        ),
        &[JSON],
        "Question",
    ),
    with(
        sends(
            asks(
                "/api/v1/signals/{name}",
                "gives the panel a [signal](#signals)",
                &[Answer { status: 202, kind: JSON, schema: Some("Signalled") }],
                &[400, 408, 409, 413, 422, 429],
                || post(signals::signal),
            ),
            &[JSON],
            "Facts",
        ),
        &[Parameter { name: "name", summary: "the signal's name", form: Form::Path }],
    ),
];

/// The problems that every route can have.
pub const PROBLEMS_OF_ALL: [u16; 3] = [401, 403, 503];

pub(super) fn router(app: Arc<App>) -> Router {
    let router =
        ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    router
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}

/// The methods that a path takes, for people.
pub(super) fn methods(path: &str) -> &'static str {
    let fits = |route: &&Route| {
        let (mut parts, mut given) = (route.path.split('/'), path.split('/'));
        loop {
            match (parts.next(), given.next()) {
                (None, None) => return true,
                (Some(part), Some(found)) if part == found || part.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    let posts = ROUTES.iter().find(fits).is_some_and(|route| route.method == "POST");
    if posts { "POST" } else { "GET or HEAD" }
}

/// The routes as a table of the manual.
pub fn table() -> String {
    let head = "| route | what it does |\n|---|---|\n".to_owned();
    ROUTES.iter().fold(head, |table, route| {
        let mut summary = route.summary.to_owned();
        for parameter in route.parameters.iter().filter(|parameter| !matches!(parameter.form, Form::Path)) {
            let range = match parameter.form {
                Form::Number(from, u64::MAX) => format!(" ({from} and more)"),
                Form::Number(from, to) => format!(" ({from} to {to})"),
                _ => String::new(),
            };
            summary += &format!("; `?{}=`{range}: {}", parameter.name, parameter.summary);
        }
        let method = if route.method == "GET" { "" } else { "POST " };
        table + &format!("| `{method}{}` | {summary} |\n", route.path)
    })
}
