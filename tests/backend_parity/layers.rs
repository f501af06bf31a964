//! Convolution on each backend, against the definition in f64.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use simclr::nn::{channels_last, conv2d};

use crate::backends::{Case, compare, of_products};

pub(crate) const CASES: &[Case] = &[
    Case { name: "a_three_by_three_convolution_and_its_gradients", run: three_by_three },
    Case { name: "a_strided_convolution_and_its_gradients", run: strided },
    Case { name: "a_weight_gradient_over_32768_products_of_16_bits", run: many_products },
];

/// Numbers in -1..1 that are the same everywhere.
pub(crate) fn numbers(count: usize, seed: f64) -> Vec<f64> {
    (0..count).map(|i| f64::from(((i as f64 * 0.37 + seed).sin()) as f32)).collect()
}

pub(crate) fn tensor<const D: usize>(
    values: &[f64],
    shape: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub(crate) fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data_as::<f64>().iter::<f64>().collect()
}

fn three_by_three(device: &Device) -> Result<(), String> {
    convolution(device, [2, 16, 6, 5], [16, 16, 3, 3], 1)
}

fn strided(device: &Device) -> Result<(), String> {
    convolution(device, [2, 3, 7, 6], [5, 3, 3, 3], 2)
}

/// A convolution with a 3x3 kernel and padding 1.
fn convolution(
    device: &Device,
    [n, channels_in, height, width]: [usize; 4],
    [channels_out, _, _, _]: [usize; 4],
    stride: usize,
) -> Result<(), String> {
    let [height_out, width_out] = [height, width].map(|size| (size - 1) / stride + 1);
    let x = numbers(n * channels_in * height * width, 0.1);
    let w = numbers(channels_out * channels_in * 9, 0.2);
    let g = numbers(n * channels_out * height_out * width_out, 0.3);
    let (mut y, mut of_x, mut of_w) = (vec![0.0; g.len()], vec![0.0; x.len()], vec![0.0; w.len()]);
    for output in 0..g.len() {
        let (row, column) = (output / width_out % height_out, output % width_out);
        let out = output / (height_out * width_out) % channels_out;
        let image = output / (height_out * width_out * channels_out);
        for tap in 0..channels_in * 9 {
            let (c, i, j) = (tap / 9, tap / 3 % 3, tap % 3);
            let (row, column) = (row * stride + i, column * stride + j);
            if (1..=height).contains(&row) && (1..=width).contains(&column) {
                let input = ((image * channels_in + c) * height + row - 1) * width + column - 1;
                let weight = out * channels_in * 9 + tap;
                y[output] += x[input] * w[weight];
                of_x[input] += g[output] * w[weight];
                of_w[weight] += g[output] * x[input];
            }
        }
    }

    let device = device.clone().autodiff();
    let tolerance = of_products(&device, 1e-5);
    let images = tensor(&x, [n, channels_in, height, width], &device).require_grad();
    let weight = tensor(&w, [channels_out, channels_in, 3, 3], &device).require_grad();
    let options = ConvOptions::new([stride; 2], [1, 1], [1, 1], 1);
    for moved in [images.clone(), channels_last(images.clone())] {
        let output = conv2d(moved, weight.clone(), None, options.clone());
        compare("output", &values(&output), &y, tolerance)?;
        let gradients = (output.clone() * tensor(&g, output.dims(), &device)).sum().backward();
        let gradient = images.grad(&gradients).ok_or("the input has no gradient")?;
        compare("the input's gradient", &values(&gradient), &of_x, tolerance)?;
        let gradient = weight.grad(&gradients).ok_or("the weight has no gradient")?;
        compare("the weight's gradient", &values(&gradient), &of_w, tolerance)?;
    }
    Ok(())
}

/// A gradient of which each element is a sum of 32,768 products: in f16 the sum would stop growing at 2, in bf16 at 1/4.
///
/// No more, because software Vulkan (Mesa's llvmpipe) leaves a kernel's loops after 65,535 rounds, and sums the rest of a
/// million products as if it weren't there.
fn many_products(device: &Device) -> Result<(), String> {
    for dtype in [FloatDType::F32, FloatDType::F16, FloatDType::BF16] {
        if !device.supports_dtype(dtype) {
            continue;
        }
        let device = device.clone().autodiff();
        let images = Tensor::<4>::ones([8, 2, 64, 64], &device).cast(dtype);
        let weight = Tensor::<4>::ones([2, 2, 3, 3], &device).cast(dtype).require_grad();
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        let output = conv2d(images, weight.clone(), None, options);
        let gradients = (output.cast(FloatDType::F32) * 2.0_f64.powi(-10)).sum().backward();
        let found = weight.grad(&gradients).ok_or("the weight has no gradient")?;
        // The kernel's centre meets every pixel; its sides miss a row or a column, and its corners both.
        let met = |tap: usize| if tap == 1 { 64.0 } else { 63.0 };
        let products = |tap: usize| 8.0 * met(tap / 3) * met(tap % 3);
        let expected: Vec<f64> = (0..36).map(|i| products(i % 9) / 1024.0).collect();
        compare(&format!("{dtype:?}"), &values(&found.cast(FloatDType::F32)), &expected, 1e-2)?;
    }
    Ok(())
}
