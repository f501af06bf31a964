//! Who may ask.

use super::answer::Refusal;
use super::request::Head;
use super::token::Token;

/// What a browser does with the page: it runs this server's scripts alone, loads nothing from elsewhere, and shows it in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers of every answer.
pub(super) const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-store"),
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

    pub(super) fn token(&self) -> &str {
        self.token.text()
    }

    /// The path below the token, if the request may ask.
    ///
    /// # Errors
    ///
    /// That it may not.
    pub(super) fn below<'a>(&self, head: &'a Head) -> Result<&'a str, Refusal> {
        let forbidden = |reason: &str| Err(Refusal::new(403, reason));
        // A page of another host may have its name lead here; its browser says that name.
        let host = head.one("host").ok().flatten();
        let Some(host) = host.filter(|host| self.hosts.iter().any(|own| own == host)) else {
            return forbidden("expected this machine's name in the header Host");
        };
        let own = format!("http://{host}");
        if head.all("origin").any(|origin| *origin != *own.as_bytes()) {
            return forbidden("expected a request of this page's own origin");
        }
        let path = head.path.strip_prefix('/').unwrap_or_default();
        let (token, below) = path.split_once('/').unwrap_or((path, "/"));
        if !self.token.is(token) {
            return forbidden("expected the token of the address that was printed");
        }
        Ok(below)
    }
}
