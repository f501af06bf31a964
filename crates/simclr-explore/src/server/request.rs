//! A request of HTTP/1.1, one a connection.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use httparse::{EMPTY_HEADER, Status};

use super::answer::Refusal;

/// Bytes of a head, and its headers.
const HEAD: usize = 16 << 10;
const HEADERS: usize = 64;
/// How long a request may take to arrive.
const ARRIVED: Duration = Duration::from_secs(30);

/// What is asked, without the body.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: String,
    /// Without a query. It is matched as it is, never decoded, and never becomes a path of the system.
    pub(super) path: String,
    headers: Vec<(String, Vec<u8>)>,
    /// What came after the head: the beginning of the body.
    rest: Vec<u8>,
    length: usize,
    until: Instant,
}

impl Head {
    /// Reads a head. `None` if the client hung up before it asked.
    ///
    /// # Errors
    ///
    /// Why it is none; the connection may be read no further.
    pub(super) fn read(stream: &mut impl Read) -> Result<Option<Self>, Refusal> {
        let until = Instant::now() + ARRIVED;
        let mut bytes = Vec::new();
        loop {
            let mut part = [0; 4096];
            let found = match stream.read(&mut part) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(Refusal::new(408, "the request did not arrive in time")),
            };
            if found == 0 && bytes.is_empty() {
                return Ok(None);
            }
            bytes.extend_from_slice(&part[..found]);
            if let Some(head) = Self::parsed(&bytes, until)? {
                return Ok(Some(head));
            }
            if found == 0 {
                return Err(Refusal::bad("expected a whole request"));
            } else if bytes.len() > HEAD {
                return Err(Refusal::new(431, format!("expected a head of at most {HEAD} bytes")));
            } else if Instant::now() > until {
                return Err(Refusal::new(408, "the request did not arrive in time"));
            }
        }
    }

    /// The head, if it is whole.
    fn parsed(bytes: &[u8], until: Instant) -> Result<Option<Self>, Refusal> {
        let mut headers = [EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(bytes).map_err(|error| Refusal::bad(error.to_string()))?;
        let Status::Complete(end) = parsed else { return Ok(None) };
        let target = request.path.unwrap_or_default();
        let Some(path) = target.split('?').next().filter(|path| path.starts_with('/')) else {
            return Err(Refusal::bad("expected a path"));
        };
        let mut head = Self {
            method: request.method.unwrap_or_default().to_owned(),
            path: path.to_owned(),
            headers: request
                .headers
                .iter()
                .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
                .collect(),
            rest: bytes[end..].to_vec(),
            length: 0,
            until,
        };
        if head.all("transfer-encoding").next().is_some() {
            return Err(Refusal::new(501, "expected a body of a length that is told"));
        }
        head.length = match head.one("content-length") {
            Ok(None) => 0,
            Ok(Some(length)) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().map_err(|_| Refusal::bad("expected a length"))?
            }
            _ => return Err(Refusal::bad("expected one length")),
        };
        Ok(Some(head))
    }

    /// All values of a header, whose name is in lower case.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |header| header.0 == name).map(|header| &header.1[..])
    }

    /// The value of a header that is there once at most.
    ///
    /// # Errors
    ///
    /// If it is there twice, or is no text.
    pub(super) fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, ()> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => std::str::from_utf8(value).map(Some).map_err(|_| ()),
            _ => Err(()),
        }
    }

    /// Whether the client waits to be told to send the body.
    pub(super) fn waits(&self) -> bool {
        matches!(self.one("expect"), Ok(Some(expected)) if expected.eq_ignore_ascii_case("100-continue"))
    }

    /// Reads the body.
    ///
    /// # Errors
    ///
    /// If it has more than `most` bytes, which are then not read, or ends too early.
    pub(super) fn body(&mut self, stream: &mut impl Read, most: usize) -> Result<Vec<u8>, Refusal> {
        if self.length > most {
            return Err(Refusal::new(413, format!("expected at most {most} bytes")));
        }
        let mut body = std::mem::take(&mut self.rest);
        body.truncate(self.length);
        let mut part = vec![0; 64 << 10];
        while body.len() < self.length {
            let wanted = part.len().min(self.length - body.len());
            match stream.read(&mut part[..wanted]) {
                Ok(0) => return Err(Refusal::bad("expected a longer body")),
                Ok(found) => body.extend_from_slice(&part[..found]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Refusal::new(408, "the request did not arrive in time")),
            }
            if Instant::now() > self.until {
                return Err(Refusal::new(408, "the request did not arrive in time"));
            }
        }
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<Head>, Refusal> {
        Head::read(&mut text.as_bytes())
    }

    #[test]
    fn a_request_is_read_with_its_body_and_no_further() {
        let text = "POST /a/b?c=%2f HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyGET / HTTP/1.1\r\n\r\n";
        let mut stream = text.as_bytes();
        let mut found = Head::read(&mut stream).unwrap().unwrap();
        assert_eq!((&found.method[..], &found.path[..]), ("POST", "/a/b"));
        assert_eq!(found.one("host"), Ok(Some("x")));
        assert_eq!(found.body(&mut stream, 4).unwrap(), b"body");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(head("").unwrap().is_none());
        for (text, status) in [
            ("GET", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\n", 400),
            ("\0\u{1}\r\n\r\n", 400),
            ("GET http://evil.example/ HTTP/1.1\r\n\r\n", 400),
            ("GET * HTTP/1.1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
            ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
        ] {
            assert_eq!(head(text).unwrap_err().status, status, "{text:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD));
        assert_eq!(head(&long).unwrap_err().status, 431);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(HEADERS + 1));
        assert_eq!(head(&many).unwrap_err().status, 400);
        let mut short = head("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc").unwrap().unwrap();
        assert_eq!(short.body(&mut io::empty(), 8).unwrap_err().status, 413);
        assert_eq!(short.body(&mut io::empty(), 9).unwrap_err().status, 400);
    }
}
