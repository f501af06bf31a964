//! `simclr explore`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{failure, success, write_photos_and_run};

/// A running command, and its address without the scheme: host, and token.
struct Exploring {
    process: Child,
    host: String,
    token: String,
}

impl Exploring {
    fn start(here: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_simclr"))
            .current_dir(here)
            .args(["explore", "--run=run", "--data=photos"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("40 images at http://").unwrap_or_else(|| panic!("{line}"));
        let (host, token) = address.trim_end_matches('/').split_once('/').unwrap();
        assert!(host.starts_with("127.0.0.1:") && token.len() == 32, "{line}");
        let (host, token) = (host.to_owned(), token.to_owned());
        Self { process, host, token }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let Self { host, token, .. } = self;
        write!(
            stream,
            "{method} /{token}/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends it as Ctrl-C does.
    fn interrupt(mut self) -> bool {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.process.wait().unwrap().success()
    }
}

#[cfg(unix)]
#[test]
fn what_is_labelled_on_the_page_is_there_when_the_command_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let exploring = Exploring::start(here);
    assert!(exploring.ask("GET", "", "").contains("<title>simclr explore</title>"));
    let answer = exploring.ask("POST", "api/labels", r#"{"rows":[0,39],"class":"a class"}"#);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"labels\":2"), "{answer}");
    // Another one would overwrite these labels.
    let (code, error) = failure(here, &["explore", "--run=run", "--data=photos"]);
    assert!(code == 2 && error.contains("expected no other process that explores run"), "{error}");
    assert!(exploring.interrupt());
    let table = std::fs::read_to_string(here.join("run/labels.csv")).unwrap();
    assert_eq!(table, "name,label\ndots/00.png,a class\nstripes/19.png,a class\n");

    let exploring = Exploring::start(here);
    assert!(exploring.ask("GET", "api/labels", "").contains("\"labels\":2"));
    assert!(exploring.interrupt());
    // The vectors are the run's, for `search`, and the labels are for `sort`.
    let found = success(here, &["search", "--run=run", "photos/dots/03.png", "--count=1"]);
    assert!(found.contains("dots/03.png"), "{found}");
    success(here, &["sort", "--labels=run/labels.csv", "--data=photos", "--out=sorted", "--yes"]);
    assert!(here.join("sorted/a class/dots/00.png").exists());
}

#[test]
fn what_is_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("--port={}", taken.local_addr().unwrap().port());
    let (code, error) = failure(here, &["explore", "--run=run", "--data=photos", &port]);
    assert!(
        code == 2 && error.contains("cannot listen at 127.0.0.1") && error.contains("--port"),
        "{error}"
    );
    let (code, error) = failure(here, &["explore", "--run=photos", "--data=photos"]);
    assert!(code == 4 && error.contains("photos"), "{error}");
    std::fs::write(here.join("run/labels.csv"), "name,label\na,1\na,2\n").unwrap();
    let (code, error) = failure(here, &["explore", "--run=run", "--data=photos"]);
    assert!(code == 4 && error.contains("expected one class for a"), "{error}");
}
