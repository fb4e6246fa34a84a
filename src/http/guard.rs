//! The guard in front of every route: it keeps other sites' pages away from the panel, and gives every
//! answer the headers that keep it safe in a browser.
//!
//! A page from elsewhere can reach a loopback address in two ways. By DNS rebinding its own name comes to
//! mean 127.0.0.1; then `Host` carries that name, so only loopback's own names are answered. And a
//! WebSocket may be opened across sites; then `Origin` differs from `Host`. The port is free in both, since
//! a tunnel may end at another one (`ssh -L 8080:localhost:9185`).

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
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

/// Answers foreign requests itself and passes all others on; counts both.
pub(super) async fn guard(
    State(app): State<Arc<App>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let mut response = match check(request.headers(), request.uri().authority()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    let route = path.as_ref().map_or("other", MatchedPath::as_str);
    app.telemetry.answered(route, response.status().as_u16(), began.elapsed());
    response
}

/// Whether a request may come in. `target` is the authority of its request line, which stands above the
/// `Host` header where it is there (RFC 9112, 3.2.2).
fn check(headers: &HeaderMap, target: Option<&Authority>) -> Result<(), Problem> {
    let host = match (target, text(headers, header::HOST)) {
        (Some(target), _) => target.as_str(),
        (None, Some(host)) => host,
        (None, None) => return Err(Problem::new(StatusCode::BAD_REQUEST, "the Host header is missing")),
    };
    if !host.parse().is_ok_and(|authority: Authority| is_loopback(authority.host())) {
        let detail = "the Host header names another machine; open the panel as localhost, 127.0.0.1 or [::1]";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    match headers.get(header::ORIGIN) {
        Some(origin) if !is_own(origin, host) => {
            Err(Problem::new(StatusCode::FORBIDDEN, "pages of other sites may not use this panel"))
        }
        _ => Ok(()),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    let ipv6 = || host.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1" || ipv6().is_some_and(|ip| ip.is_loopback())
}

/// Whether an `Origin` is this server as the client names it. Programs that are no browsers send none.
fn is_own(origin: &HeaderValue, host: &str) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
    origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(host: Option<&str>, origin: Option<&str>) -> u16 {
        let mut headers = HeaderMap::new();
        headers.extend(host.map(|host| (header::HOST, host.parse().unwrap())));
        headers.extend(origin.map(|origin| (header::ORIGIN, origin.parse().unwrap())));
        check(&headers, None).map_or_else(|problem| problem.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn hosts() {
        for (host, expected) in [
            (Some("127.0.0.1:9185"), 200),
            (Some("localhost:9185"), 200),
            (Some("LocalHost:9185"), 200),
            (Some("[::1]:9185"), 200),
            (Some("localhost"), 200),
            (Some("localhost:8080"), 200),
            (Some("panel.example:9185"), 403),
            (Some("localhost.evil.example:9185"), 403),
            (Some("evil.example"), 403),
            (Some("127.0.0.1.evil.example"), 403),
            (Some("192.168.1.10:9185"), 403),
            (Some("0.0.0.0:9185"), 403),
            (Some("[::]:9185"), 403),
            (Some("user@localhost:9185"), 200),
            (Some(""), 403),
            (Some("localhost:x y"), 403),
            (None, 400),
        ] {
            assert_eq!(status(host, None), expected, "{host:?}");
        }
    }

    #[test]
    fn origins() {
        for (origin, expected) in [
            ("http://localhost:9185", 200),
            ("http://LOCALHOST:9185", 200),
            ("http://127.0.0.1:9185", 403),
            ("http://localhost:3000", 403),
            ("http://localhost", 403),
            ("https://localhost:9185", 403),
            ("http://localhost:9185.evil.example", 403),
            ("https://evil.example", 403),
            ("null", 403),
            ("", 403),
        ] {
            assert_eq!(status(Some("localhost:9185"), Some(origin)), expected, "{origin}");
        }
    }

    #[test]
    fn request_line_stands_above_host() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        let target = Authority::from_static("evil.example");
        assert!(check(&headers, Some(&target)).is_err());
    }
}
