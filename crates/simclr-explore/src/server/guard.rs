//! Who may ask.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;
use super::token::Token;

/// What a browser does with the page: it runs this server's scripts alone, loads nothing from elsewhere, and shows it in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The address that may be asked for, and its token.
pub(super) struct Guard {
    /// 127.0.0.1 and localhost, with the port.
    hosts: [String; 2],
    token: Token,
}

impl Guard {
    pub(super) fn new(token: Token, port: u16) -> Self {
        let hosts = ["127.0.0.1", "localhost"].map(|host| format!("{host}:{port}"));
        Self { hosts, token }
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let forbidden = |reason| Err(Refusal::new(StatusCode::FORBIDDEN, reason));
        // A page of another host may have its name lead here; its browser says that name.
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        let Some(host) = host.filter(|host| self.hosts.iter().any(|own| own == host)) else {
            return forbidden("expected this machine's name in the header Host");
        };
        let is_other = |authority: &axum::http::uri::Authority| authority.as_str() != host;
        if hosts.next().is_some() || uri.authority().is_some_and(is_other) {
            return forbidden("expected one host");
        }
        let mut origins = headers.get_all(ORIGIN).iter();
        if origins.any(|origin| *origin.as_bytes() != *format!("http://{host}").as_bytes()) {
            return forbidden("expected a request of this page's own origin");
        }
        let token = uri.path().strip_prefix('/').unwrap_or_default();
        let token = token.split_once('/').map_or(token, |(token, _)| token);
        if !self.token.is(token) {
            return forbidden("expected the token of the address that was printed");
        }
        Ok(())
    }
}

/// Lets those through who may ask, and gives every answer its headers.
pub(super) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match guard.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
