//! Every family of encoders: seconds of a forward pass and of a training step, as JSON lines.
//!
//! ```text
//! cargo bench --workspace --bench encoders                        every case
//! cargo bench --workspace --bench encoders -- resnet50 96 16      one: encoder, pixels, images
//! ```
//!
//! The forward pass is an evaluation, without autodiff; the step is the forward pass in training mode, the mean of the
//! features' squares, and the backward pass. `benches/peers/encoders.py` does the same in PyTorch.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use serde_json::json;
use simclr::model::{Encoder, EncoderConfig, ImageEncoder, count_parameters};

/// Encoder, pixels and images.
const CASES: [(&str, usize, usize); 11] = [
    ("resnet18", 96, 16),
    ("resnet50", 96, 16),
    ("efficientnet_b0_d0", 96, 16),
    ("efficientnet_b0_d0", 224, 16),
    ("efficientnet_b3_d0", 96, 16),
    ("efficientnet_b3_d0", 224, 4),
    ("vit_tiny_p16_i96", 96, 32),
    ("vit_small_p16_i96", 96, 32),
    ("vit_tiny_p16", 224, 4),
    ("vit_small_p16", 224, 4),
    ("mlp_i32_1024_512", 32, 256),
];
/// Passes of which the fastest counts.
const REPEATS: usize = 5;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.as_slice() {
        [] => CASES.iter().try_for_each(|&(name, pixels, images)| case(name, pixels, images)),
        [name, pixels, images] => case(name, pixels.parse()?, images.parse()?),
        _ => anyhow::bail!("expected ENCODER PIXELS IMAGES"),
    }
}

fn case(name: &str, pixels: usize, images: usize) -> anyhow::Result<()> {
    let config: EncoderConfig = name.parse()?;
    config.check_image_size(pixels)?;
    let forward = fastest(&config, [images, 3, pixels, pixels], &Device::flex(), forward)?;
    let device = Device::flex().autodiff();
    let step = fastest(&config, [images, 3, pixels, pixels], &device, step)?;
    let parameters = count_parameters(&config.init(0, &Device::flex())?);
    println!("{}", json!({ "forward": forward, "step": step, "parameters": parameters }));
    Ok(())
}

/// Seconds of the fastest of a few passes, after one to warm up.
fn fastest(
    config: &EncoderConfig,
    shape: [usize; 4],
    device: &Device,
    pass: fn(&ImageEncoder, Tensor<4>),
) -> anyhow::Result<f64> {
    let encoder = config.init(0, device)?;
    let images = Tensor::random(shape, Distribution::Normal(0.0, 1.0), device);
    pass(&encoder, images.clone());
    let seconds = (0..REPEATS).map(|_| {
        let start = Instant::now();
        pass(&encoder, images.clone());
        start.elapsed().as_secs_f64()
    });
    Ok(seconds.fold(f64::INFINITY, f64::min))
}

fn forward(encoder: &ImageEncoder, images: Tensor<4>) {
    let _ = encoder.encode(images).into_data();
}

fn step(encoder: &ImageEncoder, images: Tensor<4>) {
    let loss = encoder.encode(images).powi_scalar(2).mean();
    let gradients = loss.backward();
    // Reading the loss waits for the device; flex has computed the gradients by then.
    let _ = (loss.into_data(), gradients);
}
