//! The kernels that Burn takes for each convolution of a ResNet-50, after autotune has tried them on this device.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, FloatDType, Tensor};
use simclr::nn::conv2d;

use crate::cases::Sizes;
use crate::launches::{self, Launches};

/// A convolution: channels in and out, side of the kernel, stride, side of its input.
#[derive(Clone, Copy, PartialEq)]
struct Layer {
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
    side: usize,
}

/// Every kind of convolution in a ResNet-50 for images of so many pixels (He et al. 2015, table 1; the stride is in the
/// 3x3 convolution, as in torchvision).
fn layers(pixels: usize) -> Vec<Layer> {
    let layer = |channels, kernel, stride, side| Layer { channels, kernel, stride, side };
    let mut layers = vec![layer([3, 64], 7, 2, pixels)];
    let mut side = pixels / 4;
    let mut inputs = 64;
    for (stage, width) in [64, 128, 256, 512].into_iter().enumerate() {
        let stride = if stage == 0 { 1 } else { 2 };
        let smaller = side / stride;
        layers.extend([
            layer([inputs, width], 1, 1, side),
            layer([width, width], 3, stride, side),
            layer([width, 4 * width], 1, 1, smaller),
            layer([inputs, 4 * width], 1, stride, side),
            layer([4 * width, width], 1, 1, smaller),
            layer([width, width], 3, 1, smaller),
        ]);
        (side, inputs) = (smaller, 4 * width);
    }
    let mut kinds = Vec::new();
    for layer in layers {
        if !kinds.contains(&layer) {
            kinds.push(layer);
        }
    }
    kinds
}

/// Prints the kernels of each layer's output and gradients.
pub(crate) fn print(sizes: Sizes, device: &Device, dtype: FloatDType) {
    println!("| layer | output | gradient of the input | gradient of the weights |");
    println!("|-------|--------|-----------------------|-------------------------|");
    for layer in layers(sizes.size as usize) {
        let [channels_in, channels_out] = layer.channels;
        let (side, kernel, stride) = (layer.side, layer.kernel, layer.stride);
        let name = format!("{kernel}x{kernel}/{stride} {channels_in} to {channels_out}, {side} px");
        // The first time compiles and tries; the kernels of the second are what a run launches.
        let kernels =
            [(); 2].map(|()| layer.kernels(sizes, device, dtype)).map(|k| k.map(|k| words(&k)));
        println!("| {name} | {} |", kernels[1].join(" | "));
    }
}

fn words(launches: &Launches) -> String {
    let word = |(kernel, count): (&String, &u64)| match count {
        1 => kernel.clone(),
        _ => format!("{count} {kernel}"),
    };
    launches.iter().map(word).collect::<Vec<_>>().join(", ")
}

impl Layer {
    /// The launches of the output, of the input's gradient and of the weights' gradient.
    fn kernels(&self, sizes: Sizes, device: &Device, dtype: FloatDType) -> [Launches; 3] {
        let device = device.clone().autodiff();
        let [channels_in, channels_out] = self.channels;
        let random = |shape: [usize; 4]| {
            Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device).cast(dtype).detach()
        };
        let images = random([2 * sizes.images, channels_in, self.side, self.side]);
        let weight = random([channels_out, channels_in, self.kernel, self.kernel]);
        let padding = [self.kernel / 2; 2];
        let options = || ConvOptions::new([self.stride; 2], padding, [1, 1], 1);
        wait(&images);
        wait(&weight);
        let forward = |images: &Tensor<4>, weight: &Tensor<4>| {
            launches::count(|| {
                let output = conv2d(images.clone(), weight.clone(), None, options());
                wait(&output);
                output
            })
        };
        let (output, of_output) = forward(&images, &weight);
        let gradient = random(output.dims());
        wait(&gradient);
        let backward = |output: Tensor<4>, leaf: &Tensor<4>| {
            let loss = (output * gradient.clone()).sum();
            launches::count(|| {
                let gradients = loss.backward();
                wait(&leaf.grad(&gradients).expect("the leaf is tracked"));
            })
            .1
        };
        let leaf = images.clone().require_grad();
        let of_input = backward(forward(&leaf, &weight).0, &leaf);
        let leaf = weight.clone().require_grad();
        let of_weight = backward(forward(&images, &leaf).0, &leaf);
        [of_output, of_input, of_weight]
    }
}

/// Waits until the tensor has been computed.
fn wait<const D: usize>(tensor: &Tensor<D>) {
    let first: [_; D] = std::array::from_fn(|_| 0..1);
    tensor.clone().slice(first).into_data();
}
