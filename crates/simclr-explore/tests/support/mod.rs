//! A running server, and clients of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use serde_json::Value;
use simclr_augment::SimClrAugmentation;
use simclr_data::{ImageDataset, Sample, SampleConfig};
use simclr_embed::Embedder;
use simclr_explore::{Exploration, ExploreError, Server, Stopper};
use simclr_model::EncoderConfig;

pub(crate) fn embedder() -> Embedder {
    let device = Device::flex();
    let config: EncoderConfig = "mlp_i8_12".parse().unwrap();
    let transform = SimClrAugmentation::cifar10().with_size(8).unwrap().evaluation();
    Embedder::new(config.init(0, &device).unwrap(), transform, &device)
}

pub(crate) fn sample(images: usize) -> Arc<dyn ImageDataset> {
    let config = SampleConfig { images, size: 32, ..SampleConfig::default() };
    Arc::new(Sample::new(config).unwrap())
}

/// Different pictures of 40 x 30 pixels, by these names.
pub(crate) fn photos(folder: &Path, names: &[&str]) {
    for (number, name) in (0_u32..).zip(names) {
        let picture = RgbImage::from_fn(40, 30, |x, y| {
            let value = (x * (number + 3) + y * (7 * number + 1)) * 37 / (number + 2);
            Rgb([value as u8, (value / 3 + 40 * number) as u8, (200 - 20 * number) as u8])
        });
        picture.save_with_format(folder.join(name), image::ImageFormat::Png).unwrap();
    }
}

pub(crate) fn exploration(run: &Path, images: Arc<dyn ImageDataset>) -> Exploration {
    Exploration::open(run, images, embedder(), &|_| ()).unwrap()
}

pub(crate) struct Running {
    address: String,
    stopper: Stopper,
    thread: JoinHandle<Result<(), ExploreError>>,
}

impl Running {
    pub(crate) fn start(exploration: Exploration) -> Self {
        let server = Server::bind(exploration, 0).unwrap();
        let (address, stopper) = (server.address(), server.stopper());
        let thread = std::thread::spawn(move || server.run());
        Self { address, stopper, thread }
    }

    pub(crate) fn client(&self) -> Client {
        let address = self.address.strip_prefix("http://").unwrap();
        let (host, token) = address.trim_end_matches('/').split_once('/').unwrap();
        Client { host: host.to_owned(), token: token.to_owned() }
    }

    /// Stops it as Ctrl-C does.
    pub(crate) fn stop(self) -> Result<(), ExploreError> {
        self.stopper.stop();
        self.thread.join().unwrap()
    }
}

pub(crate) struct Client {
    host: String,
    token: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, self.text()))
    }
}

impl Client {
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    pub(crate) fn post(&self, path: &str, question: &str) -> Answer {
        self.ask("POST", path, "Content-Type: application/json\r\n", question.as_bytes())
    }

    /// Asks below the token.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let (host, token, length) = (&self.host, &self.token, body.len());
        let head = format!(
            "{method} /{token}/{path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        self.raw(&head, body)
    }

    pub(crate) fn raw(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // A server that refuses a long body may close before it is sent.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }

    /// Asks until the answer is as expected.
    pub(crate) fn until(&self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let found = self.get(path).json();
            if is(&found) {
                return found;
            }
            assert!(started.elapsed() < Duration::from_mins(1), "{found}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
