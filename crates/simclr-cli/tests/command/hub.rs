//! A Hugging Face hub on this machine, and the command beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The token of the account that may read `gated` repositories.
pub(crate) const TOKEN: &str = "hf_aVerySecretToken";

/// Serves files by `OWNER/REPO/FILE` for as long as the process lives. Repositories of the owner `gated` ask for the token.
pub(crate) struct Hub {
    address: String,
    /// The paths of requests for content.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hub {
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
        let files: Arc<BTreeMap<String, Vec<u8>>> = Arc::new(files.collect());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (files, noted) = (Arc::clone(&files), Arc::clone(&noted));
                // The client may hang up before the end.
                thread::spawn(move || answer(&stream, &files, &noted));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// The command in `folder`, with this hub, a cache in `folder/cache`, and no token.
    pub(crate) fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_simclr"));
        command.current_dir(folder).args(arguments);
        for proxy in
            ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        {
            command.env_remove(proxy);
        }
        command.env_remove("HF_TOKEN").env_remove("HF_TOKEN_PATH").env_remove("HF_HUB_OFFLINE");
        command.env("HF_ENDPOINT", &self.address).env("HF_HOME", folder.join("hf"));
        command.env("SIMCLR_CACHE", folder.join("cache"));
        command
    }

    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.command(folder, arguments).output().unwrap()
    }
}

fn answer(
    mut stream: &TcpStream,
    files: &BTreeMap<String, Vec<u8>>,
    noted: &Mutex<Vec<String>>,
) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let mut words = lines.first()?.split(' ');
    let (method, path) = (words.next()?, words.next()?.to_owned());
    let bearer = format!("authorization: Bearer {TOKEN}").to_ascii_lowercase();
    let is_known = lines.iter().any(|line| line.to_ascii_lowercase() == bearer);
    let name = path.trim_start_matches('/').replace("/resolve/main", "");
    let name = name.replace(&format!("/resolve/{COMMIT}"), "");
    let mut respond = |status: u16, headers: &str, body: &[u8]| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        let body = if method == "HEAD" { &[] } else { body };
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok()
    };
    if name.starts_with("gated/") && !is_known {
        return respond(401, "X-Error-Code: GatedRepo\r\n", b"");
    }
    let Some(file) = files.get(&name) else {
        let code = match name.rsplit_once('/') {
            Some((repository, _)) if files.keys().any(|own| own.starts_with(repository)) => {
                "EntryNotFound"
            }
            _ => "RepoNotFound",
        };
        return respond(404, &format!("X-Error-Code: {code}\r\n"), b"");
    };
    if method == "GET" {
        noted.lock().unwrap().push(name);
        // Long enough for another process to come meanwhile.
        thread::sleep(Duration::from_millis(200));
    }
    let mut sum = String::new();
    for byte in Sha256::digest(file) {
        write!(sum, "{byte:02x}").unwrap();
    }
    let headers = format!("X-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{sum}\"\r\n");
    respond(200, &headers, file)
}
