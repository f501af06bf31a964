//! A server on this machine that answers a fixed number of requests.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
    time::Duration,
};

/// How the server answers one request.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// The requested range. The connection breaks at this byte of the whole file.
    Range {
        cut_at: usize,
    },
    /// The whole file, whatever the request.
    Whole,
    /// A part of the file that was not requested.
    WrongRange,
    Status(u16),
}

pub(super) const ALL: Answer = Answer::Range { cut_at: usize::MAX };

/// Serves `file` to as many requests as there are `answers`. Its thread returns the first byte that each one requested.
pub(super) fn serve(file: Vec<u8>, answers: Vec<Answer>) -> (String, JoinHandle<Vec<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/archive.tar.gz", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut starts = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let mut start = 0;
            for line in BufReader::new(&stream)
                .lines()
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
            {
                if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
                    start = range.trim_end_matches('-').parse().unwrap();
                }
            }
            starts.push(start);
            let (head, body) = respond(&file, start, answer);
            // The client may hang up before the end.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
        starts
    });
    (url, server)
}

fn respond(file: &[u8], start: usize, answer: Answer) -> (String, &[u8]) {
    let head = |status: u16, length: usize, range: &str| {
        format!(
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{range}\r\n"
        )
    };
    let (len, last) = (file.len(), file.len() - 1);
    match answer {
        Answer::Status(status) => (head(status, 0, ""), &[]),
        Answer::Whole => (head(200, len, ""), file),
        Answer::WrongRange => {
            (head(206, len - 1, &format!("Content-Range: bytes 1-{last}/{len}\r\n")), &file[1..])
        }
        Answer::Range { .. } if start >= len => {
            (head(416, 0, &format!("Content-Range: bytes */{len}\r\n")), &[])
        }
        Answer::Range { cut_at } => {
            let end = cut_at.min(len);
            if start == 0 {
                return (head(200, len, ""), &file[..end]);
            }
            let range = format!("Content-Range: bytes {start}-{last}/{len}\r\n");
            (head(206, len - start, &range), &file[start..end])
        }
    }
}
