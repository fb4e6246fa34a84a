//! The studio: the page in the browser, with its views of the panel, of formulas, of supervision and of performance,
//! built into the program. Plain modules, no build step, nothing from elsewhere.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::problem::{self, Problem};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The files below `/studio/`: name, type, content.
const ASSETS: [(&str, &str, &str); 23] = [
    ("studio.css", CSS, include_str!("studio/studio.css")),
    ("supervision.css", CSS, include_str!("studio/supervision.css")),
    ("performance.css", CSS, include_str!("studio/performance.css")),
    ("graph.css", CSS, crate::graph::STYLE),
    ("formulas.css", CSS, include_str!("studio/formulas.css")),
    ("studio.js", JAVASCRIPT, include_str!("studio/studio.js")),
    ("connection.js", JAVASCRIPT, include_str!("studio/connection.js")),
    ("panel.js", JAVASCRIPT, include_str!("studio/panel.js")),
    ("values.js", JAVASCRIPT, include_str!("studio/values.js")),
    ("sparkline.js", JAVASCRIPT, include_str!("studio/sparkline.js")),
    ("sources.js", JAVASCRIPT, include_str!("studio/sources.js")),
    ("events.js", JAVASCRIPT, include_str!("studio/events.js")),
    ("status.js", JAVASCRIPT, include_str!("studio/status.js")),
    ("format.js", JAVASCRIPT, include_str!("studio/format.js")),
    ("views.js", JAVASCRIPT, include_str!("studio/views.js")),
    ("formulas.js", JAVASCRIPT, include_str!("studio/formulas.js")),
    ("completion.js", JAVASCRIPT, include_str!("studio/completion.js")),
    ("graph.js", JAVASCRIPT, include_str!("studio/graph.js")),
    ("outline.js", JAVASCRIPT, include_str!("studio/outline.js")),
    ("supervision.js", JAVASCRIPT, include_str!("studio/supervision.js")),
    ("restarts.js", JAVASCRIPT, include_str!("studio/restarts.js")),
    ("performance.js", JAVASCRIPT, include_str!("studio/performance.js")),
    ("plots.js", JAVASCRIPT, include_str!("studio/plots.js")),
];

/// The page.
pub(super) async fn page(headers: HeaderMap) -> Response {
    cached(&headers, HTML, include_str!("studio/index.html"))
}

/// One of its files.
pub(super) async fn asset(
    Path(file): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match ASSETS.iter().find(|(name, ..)| *name == file) {
        Some((_, kind, content)) => Ok(cached(&headers, kind, content)),
        None => Err(problem::not_found(uri).await),
    }
}

/// Lets the browser keep a file and ask whether it is still the same.
fn cached(request: &HeaderMap, kind: &'static str, content: &'static str) -> Response {
    let tag = format!("\"{:016x}\"", engine::hash::of(content.as_bytes()));
    let known = request.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, kind)], content).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
    response
}
