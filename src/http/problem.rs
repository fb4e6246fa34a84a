//! Problem documents (RFC 9457): errors that a program can read as well as a person.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// An error answer. Its `type` is `about:blank`: the status says what kind of problem it is, the detail what
/// is wrong and what to do.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    header: Option<Box<(HeaderName, HeaderValue)>>,
    /// Further members of the document.
    members: BTreeMap<&'static str, Box<RawValue>>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), header: None, members: BTreeMap::new() }
    }

    /// The panel cannot answer now, and may in a second.
    pub(super) fn unavailable(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// The client asks too much, and may go on after `wait`.
    pub(super) fn too_many(detail: impl Into<String>, wait: Duration) -> Problem {
        let seconds = wait.as_secs_f64().ceil().max(1.0) as u32;
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).with_header(header::RETRY_AFTER, seconds.into())
    }

    /// The request cannot be understood.
    pub(super) fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Adds a member, written at once: a long list never lies about as a tree.
    pub(super) fn with(mut self, name: &'static str, member: impl Serialize) -> Problem {
        self.members.extend(to_raw_value(&member).ok().map(|member| (name, member)));
        self
    }

    pub(super) fn with_header(self, name: HeaderName, value: HeaderValue) -> Problem {
        Problem { header: Some(Box::new((name, value))), ..self }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    members: BTreeMap<&'static str, Box<RawValue>>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            members: self.members,
        };
        let body = serde_json::to_string(&document).unwrap_or_default();
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let mut response = (self.status, [kind], body).into_response();
        response.headers_mut().extend(self.header.map(|header| *header));
        response
    }
}

pub(super) async fn not_found(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let known = super::routes::methods(uri.path());
    let detail = format!("{} does not take {method}; use {known}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
