//! A training step of SimCLR: seconds and memory by network and batch, as JSON lines.
//!
//! ```text
//! cargo bench --workspace --bench train_step                                    every case, one process each
//! cargo bench --workspace --bench train_step -- ours resnet18 64 cifar 32 128   one: layers, encoder, width,
//!                                                                               stem, pixels, images
//! cargo bench --workspace --bench train_step -- ours efficientnet_b0 96 32      one: encoder, pixels, images
//! ```
//!
//! A step is the forward pass of an encoder and a linear layer to 128 numbers, the mean of their squares, and
//! the backward pass: what `benches/peers/train_step.py` does in PyTorch. `burn` is the same network with
//! Burn's own layers. A case runs in a process of its own, because its memory is the growth of the process's
//! peak.

mod burns_resnet;
#[path = "../process/mod.rs"]
mod process;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor};
use serde_json::json;
use simclr::model::{Encoder, EncoderConfig, ResNet, ResNetConfig, ResNetDepth, Stem};

use burns_resnet::BurnsResNet;
use process::{page_faults, peak_mib};

/// Encoder, width, stem, pixels and batches.
const CASES: [(&str, usize, &str, usize, &[usize]); 5] = [
    ("resnet18", 64, "cifar", 32, &[32, 128]),
    ("resnet18", 16, "cifar", 32, &[32, 128, 256]),
    ("resnet18", 64, "standard", 96, &[32, 128]),
    ("resnet18", 16, "standard", 96, &[32, 128, 256]),
    ("resnet50", 64, "standard", 96, &[32]),
];

/// Encoders without a width and a stem: name, pixels and batches.
const NAMED: [(&str, usize, &[usize]); 8] = [
    ("efficientnet_b0", 96, &[32]),
    ("efficientnet_b0", 224, &[16]),
    ("efficientnet_b3", 96, &[32]),
    ("efficientnet_b3", 224, &[8]),
    ("vit_tiny_p16_i96", 96, &[32]),
    ("vit_small_p16_i96", 96, &[32]),
    ("vit_tiny_p16", 224, &[16]),
    ("vit_small_p16", 224, &[16]),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => every_case(),
        ["ours", encoder, pixels, images] => {
            println!("{}", named(encoder, number(pixels), number(images)));
        }
        [layers, depth, width, stem, pixels, images] => {
            let stem = if *stem == "cifar" { Stem::Cifar } else { Stem::Standard };
            let depth_of = depth.parse::<ResNetDepth>().expect("a known encoder");
            let config = ResNetConfig::new(depth_of, number(width), stem);
            println!("{}", case(layers, config, depth, number(pixels), number(images)));
        }
        _ => panic!("expected no argument, or: LAYERS ENCODER [WIDTH STEM] PIXELS IMAGES"),
    }
}

fn number(text: &str) -> usize {
    text.parse().expect("sizes are whole numbers")
}

fn every_case() {
    let this = std::env::current_exe().expect("the bench knows its own path");
    for (depth, width, stem, pixels, batches) in CASES {
        for images in batches {
            for layers in ["ours", "burn"] {
                let [width, pixels, images] = [width, pixels, *images].map(|size| size.to_string());
                run(&this, &[layers, depth, &width, stem, &pixels, &images]);
            }
        }
    }
    for (encoder, pixels, batches) in NAMED {
        for images in batches {
            run(&this, &["ours", encoder, &pixels.to_string(), &images.to_string()]);
        }
    }
}

/// Runs one case in a process of its own.
fn run(this: &Path, case: &[&str]) {
    let status = Command::new(this).args(case).status().expect("the bench can start itself");
    assert!(status.success(), "{case:?} failed");
}

/// An encoder with the layer that stands for the projection head.
#[derive(Module, Debug)]
struct Network<E> {
    encoder: E,
    head: Linear,
}

fn case(
    layers: &str,
    config: ResNetConfig,
    depth: &str,
    pixels: usize,
    images: usize,
) -> serde_json::Value {
    let device = Device::flex().autodiff();
    let encoder: ResNet = config.init(0, &device).expect("the bench's configs are valid");
    let head = LinearConfig::new(encoder.feature_size(), 128).init(&device);
    let x = Tensor::random([images, 3, pixels, pixels], Distribution::Uniform(0.0, 1.0), &device);
    let (seconds, faults) = match layers {
        "ours" => {
            steps(&Network { encoder, head }, |n| n.head.forward(n.encoder.encode(x.clone())))
        }
        "burn" => {
            let encoder = BurnsResNet::new(depth, config, &device);
            steps(&Network { encoder, head }, |n| n.head.forward(n.encoder.forward(x.clone())))
        }
        other => panic!("expected ours or burn, found {other}"),
    };
    json!({
        "layers": layers,
        "encoder": depth,
        "width": config.width,
        "pixels": pixels,
        "images": images,
        "fastest": fastest(&seconds).0,
        "forward": fastest(&seconds).1,
        "peak_mib": peak_mib(),
        "page_faults": faults,
    })
}

/// An encoder of ours by its name.
fn named(name: &str, pixels: usize, images: usize) -> serde_json::Value {
    let device = Device::flex().autodiff();
    let config: EncoderConfig = name.parse().expect("a known encoder");
    let encoder = config.init(0, &device).expect("the bench's configs are valid");
    let head = LinearConfig::new(encoder.feature_size(), 128).init(&device);
    let x = Tensor::random([images, 3, pixels, pixels], Distribution::Uniform(0.0, 1.0), &device);
    let network = Network { encoder, head };
    let (seconds, faults) = steps(&network, |n| n.head.forward(n.encoder.encode(x.clone())));
    json!({
        "layers": "ours",
        "encoder": name,
        "pixels": pixels,
        "images": images,
        "fastest": fastest(&seconds).0,
        "forward": fastest(&seconds).1,
        "peak_mib": peak_mib(),
        "page_faults": faults,
    })
}

/// The least of each.
fn fastest(seconds: &[(f64, f64)]) -> (f64, f64) {
    let least = (f64::INFINITY, f64::INFINITY);
    seconds.iter().fold(least, |least, s| (least.0.min(s.0), least.1.min(s.1)))
}

/// Seconds of some steps, and of the forward pass of each; and the page faults of a step.
fn steps<M: Module>(network: &M, forward: impl Fn(&M) -> Tensor<2>) -> (Vec<(f64, f64)>, u64) {
    let step = || {
        let start = Instant::now();
        let loss = forward(network).powi_scalar(2).mean();
        let forward = start.elapsed().as_secs_f64();
        let gradients = loss.backward();
        std::hint::black_box(&gradients);
        (start.elapsed().as_secs_f64(), forward)
    };
    let (first, _) = step();
    let count = (4.0 / first).clamp(2.0, 30.0) as usize;
    let before = page_faults();
    let seconds = (0..count).map(|_| step()).collect();
    (seconds, (page_faults() - before) / count as u64)
}
