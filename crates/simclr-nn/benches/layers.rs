//! Single layers, ours and Burn's: milliseconds of the output and of each gradient, as JSON lines.
//!
//! ```text
//! cargo bench --workspace --bench layers               every layer
//! cargo bench --workspace --bench layers -- resnet18   layers whose names begin with resnet18
//! ```
//!
//! The time of a gradient is the time of a backward pass that computes it alone, minus the time of the loss's backward
//! pass. Our layers take images and output gradients in channels-last order, as inside a network, unless their name
//! says "plain". Burn's own always take them in channels-first order.

use std::time::Instant;

use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{BatchNormConfig, PaddingConfig2d};
use burn::tensor::activation::{relu, silu};
use burn::tensor::module::conv2d as burns_conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor};
use serde_json::json;
use simclr_nn::{BatchNorm, channels_last, conv2d, max_pool2d};

/// A convolution of square images with a square kernel, padded by half the kernel.
struct Layer {
    name: &'static str,
    images: usize,
    pixels: usize,
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    groups: usize,
}

const fn layer(
    name: &'static str,
    [images, pixels]: [usize; 2],
    channels: [usize; 2],
    [kernel, stride]: [usize; 2],
) -> Layer {
    Layer { name, images, pixels, channels, kernel, stride, padding: kernel / 2, groups: 1 }
}

const fn depthwise(
    name: &'static str,
    images: [usize; 2],
    channels: usize,
    kernel: [usize; 2],
) -> Layer {
    Layer { groups: channels, ..layer(name, images, [channels; 2], kernel) }
}

const LAYERS: [Layer; 30] = [
    layer("resnet18 64 stem", [32, 32], [3, 64], [3, 1]),
    layer("resnet18 64 stage 1", [32, 32], [64, 64], [3, 1]),
    layer("resnet18 64 into stage 2", [32, 32], [64, 128], [3, 2]),
    layer("resnet18 64 stage 2", [32, 16], [128, 128], [3, 1]),
    layer("resnet18 64 into stage 3", [32, 16], [128, 256], [3, 2]),
    layer("resnet18 64 stage 3", [32, 8], [256, 256], [3, 1]),
    layer("resnet18 64 into stage 4", [32, 8], [256, 512], [3, 2]),
    layer("resnet18 64 stage 4", [32, 4], [512, 512], [3, 1]),
    layer("resnet18 64 shortcut 2", [32, 32], [64, 128], [1, 2]),
    layer("resnet18 16 stem", [256, 32], [3, 16], [3, 1]),
    layer("resnet18 16 stage 1", [256, 32], [16, 16], [3, 1]),
    layer("resnet18 16 into stage 2", [256, 32], [16, 32], [3, 2]),
    layer("resnet18 16 stage 2", [256, 16], [32, 32], [3, 1]),
    layer("resnet18 16 stage 3", [256, 8], [64, 64], [3, 1]),
    layer("resnet18 16 stage 4", [256, 4], [128, 128], [3, 1]),
    layer("resnet50 64 stem", [32, 96], [3, 64], [7, 2]),
    layer("resnet50 64 narrowing", [32, 24], [256, 64], [1, 1]),
    layer("resnet50 64 widening", [32, 24], [64, 256], [1, 1]),
    layer("resnet50 64 last widening", [32, 3], [512, 2048], [1, 1]),
    layer("plain 3x3", [32, 32], [64, 64], [3, 1]),
    layer("plain 1x1", [32, 24], [64, 256], [1, 1]),
    layer("plain one image 3x3", [1, 32], [64, 64], [3, 1]),
    layer("plain one image 1x1", [1, 14], [256, 256], [1, 1]),
    Layer { padding: 0, ..layer("plain patches", [32, 224], [3, 192], [16, 16]) },
    depthwise("depthwise stage 1", [32, 48], 32, [3, 1]),
    depthwise("depthwise into stage 2", [32, 48], 96, [3, 2]),
    depthwise("depthwise stage 2", [32, 24], 144, [3, 1]),
    depthwise("depthwise stage 3", [32, 12], 240, [5, 1]),
    depthwise("depthwise stage 6", [32, 3], 1152, [5, 1]),
    depthwise("plain depthwise", [32, 28], 96, [3, 1]),
];

fn main() {
    let wanted = std::env::args().skip(1).find(|a| a != "--bench").unwrap_or_default();
    for layer in LAYERS.iter().filter(|layer| layer.name.starts_with(&wanted)) {
        println!("{}", layer.row());
    }
    for (name, shape) in [
        ("norm and relu 64", [32, 64, 32, 32]),
        ("norm and relu 512", [32, 512, 4, 4]),
        ("norm and relu 16", [256, 16, 32, 32]),
        ("plain norm and relu", [32, 64, 32, 32]),
    ] {
        if name.starts_with(&wanted) {
            let burns = BatchNormConfig::new(shape[1]).init(&Device::flex().autodiff());
            let ours = BatchNorm::from(burns.clone());
            println!("{}", row(name, shape, |x| ours.forward_relu(x), |x| relu(burns.forward(x))));
        }
    }
    let (name, shape) = ("norm and silu 96", [32, 96, 48, 48]);
    if name.starts_with(&wanted) {
        let burns = BatchNormConfig::new(shape[1]).init(&Device::flex().autodiff());
        let ours = BatchNorm::from(burns.clone());
        println!("{}", row(name, shape, |x| ours.forward_silu(x), |x| silu(burns.forward(x))));
    }
    let name = "max pool 64";
    if name.starts_with(&wanted) {
        let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]);
        let pool = pool.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init();
        let shape = [32, 64, 48, 48];
        println!("{}", row(name, shape, |x| max_pool2d(&pool, x), |x| pool.forward(x)));
    }
}

impl Layer {
    fn row(&self) -> serde_json::Value {
        let options = || {
            let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
            ConvOptions::new(stride, padding, [1, 1], self.groups)
        };
        let ours =
            self.times(!self.name.starts_with("plain"), |x, w| conv2d(x, w, None, options()));
        let burns = self.times(false, |x, w| burns_conv2d(x, w, None, options()));
        let outputs = (self.pixels + 2 * self.padding - self.kernel) / self.stride + 1;
        let [channels_in, channels_out] = self.channels;
        let products = self.images * outputs * outputs * channels_out * channels_in / self.groups
            * self.kernel
            * self.kernel;
        let of_definition = |ms: f64| 2.0 * products as f64 / ms / 1e6;
        json!({
            "layer": self.name,
            "ours_ms": ours.map(rounded),
            "burn_ms": burns.map(rounded),
            "ours_gflops": ours.map(|ms| of_definition(ms).round()),
            "times_faster": ([0, 1, 2].map(|i| rounded(burns[i] / ours[i]))),
        })
    }

    /// Milliseconds of the output, the input's gradient and the weight's.
    fn times(&self, moved: bool, convolve: impl Fn(Tensor<4>, Tensor<4>) -> Tensor<4>) -> [f64; 3] {
        let device = Device::flex();
        let [channels_in, channels_out] = self.channels;
        let order = |x: Tensor<4>| if moved { channels_last(x) } else { x };
        let random = |shape| Tensor::<4>::random(shape, Distribution::Default, &device);
        let x = order(random([self.images, channels_in, self.pixels, self.pixels]));
        let w = random([channels_out, channels_in / self.groups, self.kernel, self.kernel]);
        let forward = fastest(|| seconds(|| convolve(x.clone(), w.clone())));
        let g = order(random(convolve(x.clone(), w.clone()).dims()));
        let learning = |tensor: &Tensor<4>| Tensor::from_inner(tensor.clone());
        let (x, w, g) = (learning(&x), learning(&w), learning(&g));
        let backward = |output: &dyn Fn() -> Tensor<4>| backward(output, &g, moved);
        let sum_alone = backward(&|| g.clone().require_grad());
        let of_x = backward(&|| convolve(x.clone().require_grad(), w.clone())) - sum_alone;
        let of_w = backward(&|| convolve(x.clone(), w.clone().require_grad())) - sum_alone;
        [forward, of_x, of_w]
    }
}

/// Milliseconds of any other layer: of its output, and of all its gradients together.
fn row(
    name: &str,
    shape: [usize; 4],
    ours: impl Fn(Tensor<4>) -> Tensor<4>,
    burns: impl Fn(Tensor<4>) -> Tensor<4>,
) -> serde_json::Value {
    let x = Tensor::<4>::random(shape, Distribution::Default, &Device::flex().autodiff());
    let times = |moved: bool, forward: &dyn Fn(Tensor<4>) -> Tensor<4>| {
        let x = if moved { channels_last(x.clone()) } else { x.clone() };
        let output = fastest(|| seconds(|| forward(x.clone())));
        let g = Tensor::ones(forward(x.clone()).dims(), &x.device());
        let g = if moved { channels_last(g) } else { g };
        let backward = |output: &dyn Fn() -> Tensor<4>| backward(output, &g, moved);
        let sum_alone = backward(&|| g.clone().require_grad());
        [output, backward(&|| forward(x.clone().require_grad())) - sum_alone]
    };
    let (ours, burns) = (times(!name.starts_with("plain"), &ours), times(false, &burns));
    json!({
        "layer": name,
        "ours_ms": ours.map(rounded),
        "burn_ms": burns.map(rounded),
        "times_faster": ([0, 1].map(|i| rounded(burns[i] / ours[i]))),
    })
}

/// Milliseconds of a backward pass. The loss is the sum of `output` times `weights`, so `weights` are the output's
/// gradient, in channels-last order if `moved`.
fn backward(output: &dyn Fn() -> Tensor<4>, weights: &Tensor<4>, moved: bool) -> f64 {
    let order = |x: Tensor<4>| if moved { x.permute([0, 2, 3, 1]) } else { x };
    fastest(|| {
        let sum = (order(output()) * order(weights.clone())).sum();
        seconds(|| sum.backward())
    })
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed().as_secs_f64()
}

/// The fastest of some runs, in milliseconds: other work on the machine can only add time.
fn fastest(run: impl Fn() -> f64) -> f64 {
    run();
    let first = run();
    let runs = (0.15 / first).clamp(1.0, 15.0) as usize;
    1e3 * (0..runs).map(|_| run()).fold(first, f64::min)
}

fn rounded(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}
