//! Where a server's redirect leads.

use ureq::http::{Uri, uri::Scheme};

/// The address that `location` names, as the server at `from` means it (RFC 9110, section 10.2.2; RFC 3986, section 5).
///
/// # Errors
///
/// In words: another scheme than HTTP or HTTPS, HTTP after HTTPS, or something that is no address.
pub(super) fn redirected(from: &Uri, location: &str) -> Result<Uri, String> {
    let location = location.split('#').next().unwrap_or("");
    let (scheme, authority) = (from.scheme_str().unwrap_or("http"), authority(from));
    let scheme_of_its_own = location
        .split_once(':')
        .map(|(scheme, _)| scheme)
        .filter(|scheme| !scheme.contains(['/', '?']));
    let absolute = match scheme_of_its_own {
        Some(own) if own.eq_ignore_ascii_case("http") || own.eq_ignore_ascii_case("https") => {
            location.to_owned()
        }
        Some(own) => return Err(format!("expected HTTP or HTTPS, found `{}:`", printed(own))),
        None if location.starts_with("//") => format!("{scheme}:{location}"),
        None if location.starts_with('/') => format!("{scheme}://{authority}{location}"),
        None if location.is_empty() => return Err("expected an address, found none".to_owned()),
        None => {
            let (folder, _) = from.path().rsplit_once('/').unwrap_or_default();
            format!("{scheme}://{authority}{folder}/{location}")
        }
    };
    let to: Uri = absolute.parse().map_err(|error| format!("it is no address: {error}"))?;
    if to.host().is_none_or(str::is_empty) {
        return Err("expected an address with a host, found none".to_owned());
    }
    if from.scheme() == Some(&Scheme::HTTPS) && to.scheme() != Some(&Scheme::HTTPS) {
        return Err("expected HTTPS after HTTPS, found plain HTTP".to_owned());
    }
    Ok(to)
}

/// Host and port, without a user's name.
fn authority(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The server that an address is on: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// `None` for an address without scheme or host.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let host = uri.host()?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some(Self { scheme, host, port })
    }
}

/// What a server wrote, on one line and of bounded length.
fn printed(text: &str) -> String {
    crate::printable(&text.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str, location: &str) -> Result<String, String> {
        redirected(&address.parse().unwrap(), location).map(|uri| uri.to_string())
    }

    #[test]
    fn a_location_is_read_as_the_server_means_it() {
        for (location, expected) in [
            ("https://cdn.example/a?b=c#d", "https://cdn.example/a?b=c"),
            ("HTTPS://cdn.example/a", "https://cdn.example/a"),
            ("//cdn.example/a", "https://cdn.example/a"),
            ("/api/x", "https://hub.example:8443/api/x"),
            ("x", "https://hub.example:8443/o/r/x"),
            ("x?y=a:b", "https://hub.example:8443/o/r/x?y=a:b"),
        ] {
            assert_eq!(from("https://hub.example:8443/o/r/f", location).unwrap(), expected);
        }
    }

    #[test]
    fn plain_http_after_https_and_other_schemes_are_refused() {
        for (location, part) in [
            ("http://cdn.example/a", "expected HTTPS after HTTPS"),
            ("file:///etc/passwd", "found `file:`"),
            ("FILE:/etc/passwd", "found `FILE:`"),
            ("data:text/plain,x", "found `data:`"),
            ("javascript:\u{1b}[2J", "found `javascript:`"),
            ("\u{1b}[2J:x", "found `\\u{1b}[2J:`"),
            ("https://", "no address"),
            ("https:///a", "no address"),
            ("https://a b/", "no address"),
            ("/a b\u{7f}", "no address"),
            ("", "found none"),
        ] {
            let reason = from("https://hub.example/f", location).unwrap_err();
            assert!(reason.contains(part), "{location:?}: {reason}");
        }
        assert_eq!(from("http://a.example/f", "https://b.example/").unwrap(), "https://b.example/");
    }

    #[test]
    fn an_origin_is_the_server_and_not_what_stands_before_an_at_sign() {
        let origin = |address: &str| Origin::of(&address.parse().unwrap()).unwrap();
        let hub = origin("https://huggingface.co/a");
        assert_eq!(hub, origin("https://HuggingFace.co:443/b?c"));
        for other in [
            "http://huggingface.co/a",
            "https://huggingface.co:444/a",
            "https://huggingface.co@evil.example/a",
            "https://huggingface.co.evil.example/a",
            "https://cdn-lfs.huggingface.co/a",
        ] {
            assert_ne!(hub, origin(other), "{other}");
        }
    }
}
