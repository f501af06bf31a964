//! Answers, and refusals in words.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::ExploreError;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    reason: String,
}

pub(super) type Answer<T = Response> = Result<T, Refusal>;

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    pub(super) fn none(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, json_of(&json!({ "error": self.reason }))).into_response()
    }
}

/// What the asker can do something about is a bad request; all else is the server's fault.
impl From<ExploreError> for Refusal {
    fn from(error: ExploreError) -> Self {
        let status = match error {
            ExploreError::OutOfRange(_) | ExploreError::Class { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

/// An answer in JSON.
pub(super) fn json_of(value: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(value).expect("numbers, texts and lists are always JSON");
    bytes_of("application/json", bytes)
}

/// An answer of bytes.
pub(super) fn bytes_of(kind: &'static str, bytes: impl Into<Bytes>) -> Response {
    ([(header::CONTENT_TYPE, kind)], bytes.into()).into_response()
}

/// Values one after the other, in little-endian order.
pub(super) fn binary<const N: usize>(values: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
    values.flatten().collect()
}

/// What a request asks, in JSON. That it has to say so keeps out the forms of other pages.
///
/// # Errors
///
/// A bad request.
pub(super) fn asked<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Answer<T> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_none_or(|kind| kind.split(';').next() != Some("application/json")) {
        let reason = "expected the content type application/json";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
    }
    serde_json::from_slice(body).map_err(|error| Refusal::bad(error.to_string()))
}

/// Does `work` on a thread that may wait and compute.
///
/// # Errors
///
/// Those of `work`; a fault of the server if it panics.
pub(super) async fn worked<T: Send + 'static>(
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "this request made the server panic"))
    })
}
