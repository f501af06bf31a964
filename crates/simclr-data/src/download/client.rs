//! Requests of files, with rules of our own for redirects.

use std::time::Duration;

use ureq::{
    Body,
    http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri, header},
};

use super::{
    error::DownloadError,
    redirect::{Origin, redirected},
    weights::HubToken,
};

/// How many redirects are followed.
const REDIRECTS: usize = 10;

/// Asks servers for files. It follows redirects itself: never from HTTPS to plain HTTP, never to another scheme, and its
/// token goes to one server alone.
pub(super) struct Client {
    agent: ureq::Agent,
    token: Option<(Origin, HubToken)>,
}

impl Client {
    pub(super) fn new() -> Self {
        Self::with(ureq::Agent::config_builder())
    }

    /// A client that goes through no proxy, and gives up soon: for servers of this process.
    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        let builder = ureq::Agent::config_builder().proxy(None);
        Self::with(builder.timeout_global(Some(Duration::from_secs(20))))
    }

    fn with(builder: ureq::config::ConfigBuilder<ureq::typestate::AgentScope>) -> Self {
        let config = builder
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("simclr/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(30)))
            // A transfer may take hours, but must not stall for a minute.
            .timeout_per_read(Some(Duration::from_mins(1)));
        Self { agent: config.build().new_agent(), token: None }
    }

    /// The same client, which gives `token` to the server of `address`, and to no other.
    pub(super) fn with_token(self, address: &Uri, token: Option<HubToken>) -> Self {
        Self { token: Origin::of(address).zip(token), ..self }
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// The answer at the end of all redirects.
    pub(super) fn get(
        &self,
        url: &str,
        headers: &[(HeaderName, String)],
    ) -> Result<Response<Body>, DownloadError> {
        self.follow(&Method::GET, url, headers, |_| false)
    }

    /// The head of the first answer that `is_enough`, or of that at the end of all redirects.
    pub(super) fn head(
        &self,
        url: &str,
        is_enough: fn(&HeaderMap) -> bool,
    ) -> Result<Response<Body>, DownloadError> {
        self.follow(&Method::HEAD, url, &[], is_enough)
    }

    fn follow(
        &self,
        method: &Method,
        url: &str,
        headers: &[(HeaderName, String)],
        is_enough: fn(&HeaderMap) -> bool,
    ) -> Result<Response<Body>, DownloadError> {
        let refused = |reason: String| DownloadError::Redirect { url: url.to_owned(), reason };
        let mut address: Uri =
            url.parse().map_err(|error| refused(format!("it is no address: {error}")))?;
        for _ in 0..=REDIRECTS {
            let response = self.ask(method, url, &address, headers)?;
            let leads_on = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            if !leads_on || is_enough(response.headers()) {
                return Ok(response);
            }
            let location = response.headers().get(header::LOCATION);
            let location = location.and_then(|location| location.to_str().ok());
            let location =
                location.ok_or_else(|| refused("expected an address, found none".to_owned()))?;
            address = redirected(&address, location).map_err(refused)?;
        }
        Err(refused(format!("expected at most {REDIRECTS} redirects, found more")))
    }

    /// One request, of what `url` leads to.
    fn ask(
        &self,
        method: &Method,
        url: &str,
        address: &Uri,
        headers: &[(HeaderName, String)],
    ) -> Result<Response<Body>, DownloadError> {
        let failed = |source: ureq::Error| DownloadError::Request {
            url: url.to_owned(),
            source: Box::new(source),
        };
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some((origin, token)) = &self.token
            && Origin::of(address).as_ref() == Some(origin)
        {
            request = request.header(header::AUTHORIZATION, token.bearer());
        }
        let request = request.body(()).map_err(|error| failed(error.into()))?;
        self.agent.run(request).map_err(failed)
    }
}

/// The error for an answer with a status that says neither the file nor why.
pub(super) fn refused(url: &str, status: StatusCode) -> DownloadError {
    DownloadError::Status { url: url.to_owned(), status: status.as_u16() }
}
