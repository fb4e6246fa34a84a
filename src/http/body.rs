//! Bodies of requests, read whole and not beyond their limit.

use axum::body::Bytes;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::limits::BODY_BYTES;
use super::problem::Problem;

/// The body of a request.
///
/// # Errors
/// 413 where it is too large, 400 where it does not come to its end.
pub(super) async fn read(request: Request) -> Result<Bytes, Problem> {
    to_bytes(request.into_body(), BODY_BYTES).await.map_err(|error| {
        let source: Option<&dyn std::error::Error> = std::error::Error::source(&error);
        match source.is_some_and(|source| source.to_string().contains("length limit")) {
            true => too_large(),
            false => Problem::bad_request("the body broke off"),
        }
    })
}

/// The body of a request as JSON.
///
/// # Errors
/// As of [`read`], and 400 where it is something else.
pub(super) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    let bytes = read(request).await?;
    serde_json::from_slice(&bytes).map_err(|error| not_json(&error))
}

pub(super) fn not_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let text = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    Problem::bad_request(format!("the body is not as it should be: {text} (line {line}, column {column})"))
}

pub(super) fn too_large() -> Problem {
    let detail = format!("a body has at most {BODY_BYTES} bytes; send several");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}
