//! Answers, and refusals in words.

use std::io::{self, Write};

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::ExploreError;

/// What is sent.
#[derive(Debug)]
pub(super) struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    reason: String,
}

pub(super) type Answer<T = Response> = Result<T, Refusal>;

impl Refusal {
    pub(super) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    pub(super) fn bad(reason: impl Into<String>) -> Self {
        Self::new(400, reason)
    }

    pub(super) fn none(reason: impl Into<String>) -> Self {
        Self::new(404, reason)
    }
}

impl From<Refusal> for Response {
    fn from(Refusal { status, reason }: Refusal) -> Self {
        Self { status, ..json_of(&json!({ "error": reason })) }
    }
}

/// What the asker can do something about is a bad request; all else is the server's fault.
impl From<ExploreError> for Refusal {
    fn from(error: ExploreError) -> Self {
        let status = match error {
            ExploreError::OutOfRange(_) | ExploreError::Class { .. } => 400,
            _ => 500,
        };
        Self::new(status, error.to_string())
    }
}

impl Response {
    /// The same answer with another header. Values are made of constants and numbers.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header.0 == name)
    }

    /// Sends it, as the last thing on a connection.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(super) fn send(&self, stream: &mut impl Write, always: &[(&str, &str)]) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason_of(self.status));
        let own = self.headers.iter().map(|(name, value)| (*name, &value[..]));
        let always = always.iter().copied().filter(|(name, _)| !self.has(name));
        for (name, value) in own.chain(always) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let length = self.body.len().to_string();
        head.extend(["content-length: ", &length, "\r\nconnection: close\r\n\r\n"]);
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body)?;
        stream.flush()
    }
}

fn reason_of(status: u16) -> &'static str {
    match status {
        200 => "OK",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        400..=499 => "Bad Request",
        _ => "Internal Server Error",
    }
}

/// An answer in JSON.
pub(super) fn json_of(value: &impl Serialize) -> Response {
    let bytes = serde_json::to_vec(value).expect("numbers, texts and lists are always JSON");
    bytes_of("application/json", bytes)
}

/// An answer of bytes.
pub(super) fn bytes_of(kind: &'static str, bytes: impl Into<Bytes>) -> Response {
    Response { status: 200, headers: vec![("content-type", kind.to_owned())], body: bytes.into() }
}

/// Values one after the other, in little-endian order.
pub(super) fn binary<const N: usize>(values: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
    values.flatten().collect()
}

/// What a request asks, in JSON.
///
/// # Errors
///
/// A bad request.
pub(super) fn asked<T: DeserializeOwned>(body: &[u8]) -> Answer<T> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad(error.to_string()))
}
