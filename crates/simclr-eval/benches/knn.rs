//! Weighted kNN on random features: seconds and memory, as one JSON line.
//!
//! ```text
//! cargo bench --workspace --bench knn -- 100000 512 10000 200   train, features, test, k
//! ```
//!
//! Without arguments there is nothing to do. `benches/peers/knn.py` does the same work in PyTorch and `NumPy`.

use std::time::Instant;

use burn::tensor::Device;
use serde_json::json;
use simclr_embed::{Features, LabelledFeatures};
use simclr_eval::{Knn, KnnConfig, Protocol};

const CLASSES: usize = 10;
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<usize> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .map(|text| text.parse().expect("sizes are whole numbers"))
        .collect();
    match arguments.as_slice() {
        [] => {}
        &[train, size, test, k] => search(train, size, test, k),
        _ => panic!("expected no argument, or: TRAIN FEATURES TEST K"),
    }
}

fn search(train: usize, size: usize, test: usize, k: usize) {
    let labels = (0..train).map(|row| row % CLASSES).collect();
    let train = LabelledFeatures::new(features(train, size, 1), labels).expect("a label each");
    let test = features(test, size, 2);
    let knn =
        Knn::new(KnnConfig { k, ..KnnConfig::default() }, &Device::flex()).expect("k of 1 or more");
    let before = peak_mib();
    let seconds = |_| {
        let start = Instant::now();
        let predictions = knn.predict(&train, &test).expect("finite features");
        assert_eq!(predictions.len(), test.len());
        start.elapsed().as_secs_f64()
    };
    let best = (0..ROUNDS).map(seconds).fold(f64::INFINITY, f64::min);
    println!("{}", json!({ "seconds": best, "extra_mib": peak_mib() - before }));
}

/// Numbers between -1 and 1 without a pattern (xorshift, Marsaglia 2003).
fn features(count: usize, size: usize, seed: u64) -> Features {
    let mut state = seed;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    };
    Features::new((0..count * size).map(|_| draw()).collect(), size)
}

/// The most memory that the process has held so far; zero where there is no `/proc`.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 =
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0.0);
    kib / 1024.0
}
