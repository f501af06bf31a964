//! Inference: seconds of a batch by encoder, as JSON lines.
//!
//! ```text
//! cargo bench --workspace --bench embed                          every case
//! cargo bench --workspace --bench embed -- resnet50 224 16       one: encoder, pixels, images
//! ```
//!
//! `ready` is the encoder as an `Embedder` makes it ready, `plain` the same encoder as it is trained, evaluated without
//! autodiff. `benches/peers/embed.py` does the same in PyTorch and in ONNX Runtime.

#[path = "process/mod.rs"]
mod process;

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use serde_json::json;
use simclr::model::{Encoder, EncoderConfig};

const ENCODERS: [&str; 7] = [
    "resnet18",
    "resnet50",
    "efficientnet_b0_d0",
    "vit_small_p16",
    "vit_small_p14_dinov2",
    "vit_small_p16_dinov3",
    "convnext_tiny",
];
const PIXELS: usize = 224;
const BATCHES: [usize; 3] = [1, 16, 64];
/// Seconds in which batches are timed.
const SECONDS: f64 = 3.0;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.as_slice() {
        [] => ENCODERS
            .iter()
            .try_for_each(|name| BATCHES.iter().try_for_each(|&images| case(name, PIXELS, images))),
        [name, pixels, images] => case(name, pixels.parse()?, images.parse()?),
        _ => anyhow::bail!("expected ENCODER PIXELS IMAGES"),
    }
}

fn case(name: &str, pixels: usize, images: usize) -> anyhow::Result<()> {
    let config: EncoderConfig = name.parse()?;
    config.check_image_size(pixels)?;
    let device = Device::flex();
    let encoder = config.init(0, &device)?.valid();
    let ready = encoder.inference();
    let batch =
        Tensor::random([images, 3, pixels, pixels], Distribution::Normal(0.0, 1.0), &device);
    let (plain, plain_faults) = fastest(|| encoder.encode(batch.clone()));
    let (ready, ready_faults) = fastest(|| ready.encode(batch.clone()));
    println!(
        "{}",
        json!({
            "encoder": name,
            "images": images,
            "ready": ready,
            "plain": plain,
            "ready_faults": ready_faults,
            "plain_faults": plain_faults,
        })
    );
    Ok(())
}

/// Seconds of the fastest batch, after one to warm up, and the page faults of a batch.
fn fastest(encode: impl Fn() -> Tensor<2>) -> (f64, u64) {
    drop(encode().into_data());
    let (start, before) = (Instant::now(), process::page_faults());
    let (mut best, mut batches) = (f64::INFINITY, 0);
    while batches < 2 || start.elapsed().as_secs_f64() < SECONDS {
        let start = Instant::now();
        drop(encode().into_data());
        best = best.min(start.elapsed().as_secs_f64());
        batches += 1;
    }
    (best, (process::page_faults() - before) / batches)
}
