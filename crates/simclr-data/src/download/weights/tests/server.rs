//! A server on this machine that answers as it is told, and notes what it was asked.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// What a client asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The first byte of the range that was asked for.
    pub(super) fn start(&self) -> usize {
        let range = self.header("range").and_then(|range| range.strip_prefix("bytes="));
        range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap())
    }
}

/// What a server answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The length that the head announces; `None` announces none.
    announced: Option<usize>,
    endless: bool,
}

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self { status, announced: Some(0), ..Self::default() }
    }

    pub(super) fn with(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub(super) fn redirect(location: &str) -> Self {
        Self::status(302).with("Location", location)
    }

    pub(super) fn body(bytes: &[u8]) -> Self {
        Self { body: bytes.to_vec(), announced: Some(bytes.len()), ..Self::status(200) }
    }

    /// What follows byte `start` of a file, as it was asked for.
    pub(super) fn range(file: &[u8], start: usize) -> Self {
        if start == 0 {
            return Self::body(file);
        }
        let range = format!("bytes {start}-{}/{}", file.len() - 1, file.len());
        Self { status: 206, ..Self::body(&file[start..]) }.with("Content-Range", &range)
    }

    /// The connection breaks after so many bytes of the body.
    pub(super) fn cut_at(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        self
    }

    /// Nothing says how long the body is.
    pub(super) fn without_length(mut self) -> Self {
        self.announced = None;
        self
    }

    /// The body goes on for as long as the client reads.
    pub(super) fn endless() -> Self {
        Self { endless: true, announced: None, ..Self::status(200) }
    }

    fn write(&self, mut stream: &TcpStream, method: &str) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if let Some(length) = self.announced {
            write!(head, "Content-Length: {length}\r\n").unwrap();
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if method == "HEAD" {
            return Ok(());
        }
        stream.write_all(&self.body)?;
        if self.endless {
            // Until the client hangs up.
            loop {
                stream.write_all(&[7; 4096])?;
            }
        }
        Ok(())
    }
}

/// A server that lives as long as the process.
pub(super) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(super) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (noted, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    noted.lock().unwrap().push(request.clone());
                    // The client may hang up before the end.
                    let _ = answer(&request).write(&stream, &request.method);
                });
            }
        });
        Self { address, asked }
    }

    /// What was asked since this was last called.
    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    Some(Asked { method, path, headers: headers.collect() })
}
