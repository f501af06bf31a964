//! What is computed on both.

use anyhow::{Context, Result};
use image::{Rgb, RgbImage};
use simclr::augment::{
    AugmentationConfig, DeviceAugmentation, Normalization, SimClrAugmentation, ViewKey,
};
use simclr::burn::nn::BatchNormConfig;
use simclr::burn::tensor::ops::ConvOptions;
use simclr::burn::tensor::{Device, Tensor, TensorData};
use simclr::loss::NtXent;
use simclr::nn::{BatchNorm, conv2d};
use simclr::train::Precision;

use super::super::training::Steps;

/// Something that every device computes alike.
pub(super) struct Check {
    pub(super) name: &'static str,
    /// The largest difference that is allowed, as a share of the largest number.
    pub(super) tolerance: f64,
    /// The same, where products are computed in TF32.
    pub(super) with_tf32: f64,
    /// The results, each a list of numbers of one size.
    pub(super) run: fn(&Device) -> Result<Vec<Vec<f64>>>,
}

/// f32 carries 7 digits, and TF32 carries 3.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "matrix product", tolerance: 1e-5, with_tf32: 3e-3, run: matrix_product },
    Check {
        name: "convolution and both gradients",
        tolerance: 1e-5,
        with_tf32: 3e-3,
        run: |device| convolution([4, 16, 12, 10], 24, 3, 1, device),
    },
    Check {
        name: "strided convolution and both gradients",
        tolerance: 1e-5,
        with_tf32: 3e-3,
        run: |device| convolution([2, 3, 21, 18], 16, 7, 2, device),
    },
    Check {
        name: "batch norm, residual, ReLU and gradients",
        tolerance: 1e-5,
        with_tf32: 1e-5, // No product.
        run: normalised_sum,
    },
    Check {
        name: "NT-Xent and gradient, n = 48",
        tolerance: 1e-4,
        with_tf32: 3e-2,
        run: |device| nt_xent(48, device),
    },
    Check {
        name: "NT-Xent in tiles and gradient, n = 600",
        tolerance: 1e-4,
        with_tf32: 3e-2,
        run: |device| nt_xent(600, device),
    },
    // Half a level of 255.
    Check { name: "views made on the device", tolerance: 2e-3, with_tf32: 1e-2, run: views },
    Check {
        name: "loss of a training step",
        tolerance: 1e-4,
        with_tf32: 1e-2,
        run: |device| loss_after(0, device),
    },
    // Gradients of many layers, whose ReLUs may cut at other places.
    Check {
        name: "loss after a training step",
        tolerance: 1e-2,
        with_tf32: 5e-2,
        run: |device| loss_after(1, device),
    },
];

/// Numbers in -1..1, the same everywhere.
fn numbers<const D: usize>(shape: [usize; D], seed: f64, device: &Device) -> Tensor<D> {
    let count = shape.iter().product::<usize>();
    let values =
        (0..count).map(|i| ((i as f64 * 0.37 + seed).sin() + (i as f64 * 1.7).cos()) as f32 / 2.0);
    Tensor::from_data(TensorData::new(values.collect::<Vec<f32>>(), shape), device)
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data_as::<f64>().iter::<f64>().collect()
}

#[expect(clippy::unnecessary_wraps, reason = "all checks have one type")]
fn matrix_product(device: &Device) -> Result<Vec<Vec<f64>>> {
    let product = numbers([96, 160], 0.1, device).matmul(numbers([160, 72], 0.2, device));
    Ok(vec![values(&product)])
}

fn convolution(
    shape: [usize; 4],
    channels: usize,
    kernel: usize,
    stride: usize,
    device: &Device,
) -> Result<Vec<Vec<f64>>> {
    let device = device.clone().autodiff();
    let images = numbers(shape, 0.1, &device).require_grad();
    let weight = numbers([channels, shape[1], kernel, kernel], 0.2, &device).require_grad();
    let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1; 2], 1);
    let output = conv2d(images.clone(), weight.clone(), None, options);
    let gradients = (output.clone() * numbers(output.dims(), 0.3, &device)).sum().backward();
    let of_images = images.grad(&gradients).context("the images have no gradient")?;
    let of_weight = weight.grad(&gradients).context("the weight has no gradient")?;
    Ok(vec![values(&output), values(&of_images), values(&of_weight)])
}

fn normalised_sum(device: &Device) -> Result<Vec<Vec<f64>>> {
    let device = device.clone().autodiff();
    let shape = [4, 6, 5, 5];
    let norm = BatchNorm::from(BatchNormConfig::new(6).init(&device));
    let input = numbers(shape, 0.4, &device).require_grad();
    let residual = numbers(shape, 0.5, &device).require_grad();
    let output = norm.forward_add_relu(input.clone(), residual.clone());
    let gradients = (output.clone() * numbers(shape, 0.6, &device)).sum().backward();
    let of_input = input.grad(&gradients).context("the input has no gradient")?;
    let of_residual = residual.grad(&gradients).context("the residual has no gradient")?;
    let of_gamma = norm.gamma.val().grad(&gradients).context("gamma has no gradient")?;
    Ok(vec![values(&output), values(&of_input), values(&of_residual), values(&of_gamma)])
}

fn nt_xent(n: usize, device: &Device) -> Result<Vec<Vec<f64>>> {
    let device = device.clone().autodiff();
    let z_a = numbers([n, 64], 0.7, &device).require_grad();
    let z_b = (numbers([n, 64], 0.7, &device) + numbers([n, 64], 0.8, &device)).require_grad();
    let loss = NtXent::new(0.1)?.forward(z_a.clone(), z_b.clone());
    let gradients = loss.backward();
    let of_a = z_a.grad(&gradients).context("view a has no gradient")?;
    let of_b = z_b.grad(&gradients).context("view b has no gradient")?;
    Ok(vec![values(&loss), values(&of_a), values(&of_b)])
}

fn views(device: &Device) -> Result<Vec<Vec<f64>>> {
    let policy = SimClrAugmentation::imagenet().with_size(24)?;
    let config =
        AugmentationConfig { normalization: Normalization::NONE, ..policy.config().clone() };
    let policy = SimClrAugmentation::new(config)?;
    let on_device = DeviceAugmentation::new(policy.clone())?;
    let mut prepared = Vec::new();
    for (index, (width, height)) in (0..).zip([(30, 40), (61, 20)]) {
        let image = RgbImage::from_fn(width, height, |x, y| {
            Rgb([7 * x + 3 * y, x * y, 11 * y + 200 - 3 * x.min(60)]
                .map(|value| (value % 256) as u8))
        });
        for view in 0..6 {
            let params = policy.draw(ViewKey { seed: 3, pass: 0, index, view }, width, height);
            prepared.push(on_device.prepare(&image, &params)?);
        }
    }
    Ok(vec![values(&on_device.views(&prepared, device))])
}

/// The loss after so many steps of a small network on one batch.
fn loss_after(count: usize, device: &Device) -> Result<Vec<Vec<f64>>> {
    let encoder = "resnet18x0.125_cifar".parse()?;
    let mut steps = Steps::new(&encoder, Precision::F32, device)?;
    let views = numbers([16, 3, 16, 16], 0.9, &device.clone().autodiff());
    for _ in 0..count {
        steps.run(&views)?;
    }
    Ok(vec![values(&steps.run(&views)?)])
}
