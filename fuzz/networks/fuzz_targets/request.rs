//! Sends any bytes to the server of the local page, as a whole request or below its token. The result is an answer of HTTP, and never the one that a panic leaves.

#![no_main]

use std::cell::OnceCell;
use std::sync::Arc;

use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;
use simclr_augment::SimClrAugmentation;
use simclr_data::{Sample, SampleConfig};
use simclr_embed::Embedder;
use simclr_explore::{Exploration, Server};
use simclr_fuzz::folder_with;
use simclr_model::EncoderConfig;
use tempfile::TempDir;

thread_local! {
    static SERVER: OnceCell<(TempDir, Server)> = const { OnceCell::new() };
}

fn server() -> (TempDir, Server) {
    let device = Device::flex();
    let config: EncoderConfig = "mlp_i8_4".parse().expect("a name of a network");
    let transform = SimClrAugmentation::cifar10().with_size(8).expect("a size").evaluation();
    let embedder = Embedder::new(config.init(0, &device).expect("a network"), transform, &device);
    let images = SampleConfig { images: 12, size: 32, ..SampleConfig::default() };
    let images = Arc::new(Sample::new(images).expect("images"));
    let run = folder_with(&[]);
    let exploration = Exploration::open(run.path(), images, embedder, &|_| ()).expect("a run");
    (run, Server::bind(exploration, 0).expect("a port"))
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    SERVER.with(|kept| {
        let (_, server) = kept.get_or_init(server);
        let address = server.address();
        let (host, token) = address["http://".len()..].split_once('/').expect("a token");
        let line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
        let (path, body) = (&bytes[..line], bytes.get(line + 1..).unwrap_or_default());
        let head = |method: &str, kind: &str| {
            let start = format!("{method} /{token}");
            let headers = format!(
                " HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            [start.as_bytes(), path, headers.as_bytes(), body].concat()
        };
        let request = match kind % 4 {
            0 => bytes.to_vec(),
            1 => head("GET", "text/plain"),
            2 => head("POST", "application/json"),
            _ => head("POST", "image/png"),
        };
        let answer = server.answer_bytes(&request);
        if request.is_empty() {
            return;
        }
        assert!(answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&answer));
        assert!(!answer.starts_with(b"HTTP/1.1 500"), "{}", String::from_utf8_lossy(&answer));
    });
});
