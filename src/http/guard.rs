//! The guard in front of every route: it keeps out who may not ask, ends what takes too long, and gives every
//! answer the headers that keep it safe in a browser.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::body::too_large;
use super::limits::BODY_BYTES;
use super::problem::Problem;

/// Everything from this server, nothing from elsewhere; the icon is part of the page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Answers what may not come in itself and passes all else on; counts both.
pub(super) async fn guard(
    State(app): State<Arc<App>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let mut response = match enter(&app, &request) {
        Ok(None) => answer(&app, request, next).await,
        Ok(Some(response)) => response,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    let route = path.as_ref().map_or("other", MatchedPath::as_str);
    app.telemetry.answered(route, response.status().as_u16(), began.elapsed());
    response
}

async fn answer(app: &App, request: Request, next: Next) -> Response {
    match tokio::time::timeout(app.site.times.request, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "the request did not come to its end in time";
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
                .with_header(header::CONNECTION, HeaderValue::from_static("close"))
                .into_response()
        }
    }
}

/// Whether a request may come in; where it has brought the token in its address, what answers it.
fn enter(app: &App, request: &Request) -> Result<Option<Response>, Problem> {
    let (headers, uri) = (request.headers(), request.uri());
    app.access.check(request.method(), headers, uri.authority())?;
    if declared(headers).is_some_and(|bytes| bytes > BODY_BYTES as u64) {
        return Err(too_large());
    }
    let Some(token) = app.access.token.as_ref().filter(|_| uri.path() != "/healthz") else { return Ok(None) };
    let brought =
        if uri.path() == "/" && request.method() == Method::GET { token.is_in_query(uri) } else { None };
    let cookie = token.cookie(app.access.port).filter(|_| brought == Some(true));
    match cookie {
        // The address with the token in it is left at once.
        Some(cookie) => {
            let to = (header::LOCATION, HeaderValue::from_static("/"));
            let headers = HeaderMap::from_iter([to, (header::SET_COOKIE, cookie)]);
            Ok(Some((StatusCode::SEE_OTHER, headers).into_response()))
        }
        None if brought.is_none() && token.is_in(headers, app.access.port) => Ok(None),
        None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "the panel needs its token: send `Authorization: Bearer …`, or open /?token=… once in a browser",
        )
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
    }
}

fn declared(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
