//! Convolution and batch normalisation on each backend, against the definition in f64.

use burn::nn::BatchNormConfig;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use simclr::nn::{BatchNorm, channels_last, conv2d};

use crate::backends::{Case, compare};

pub(crate) const CASES: &[Case] = &[
    Case { name: "a_three_by_three_convolution_and_its_gradients", run: three_by_three },
    Case { name: "a_strided_convolution_and_its_gradients", run: strided },
    Case { name: "normalisation_sum_and_relu_and_their_gradients", run: normalised },
];

/// Numbers in -1..1 that are the same everywhere.
fn numbers(count: usize, seed: f64) -> Vec<f64> {
    (0..count).map(|i| f64::from(((i as f64 * 0.37 + seed).sin()) as f32)).collect()
}

fn tensor<const D: usize>(values: &[f64], shape: [usize; D], device: &Device) -> Tensor<D> {
    let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
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
    let images = tensor(&x, [n, channels_in, height, width], &device).require_grad();
    let weight = tensor(&w, [channels_out, channels_in, 3, 3], &device).require_grad();
    let options = ConvOptions::new([stride; 2], [1, 1], [1, 1], 1);
    for moved in [images.clone(), channels_last(images.clone())] {
        let output = conv2d(moved, weight.clone(), None, options.clone());
        compare("output", &values(&output), &y, 1e-5)?;
        let gradients = (output.clone() * tensor(&g, output.dims(), &device)).sum().backward();
        let gradient = images.grad(&gradients).ok_or("the input has no gradient")?;
        compare("the input's gradient", &values(&gradient), &of_x, 1e-5)?;
        let gradient = weight.grad(&gradients).ok_or("the weight has no gradient")?;
        compare("the weight's gradient", &values(&gradient), &of_w, 1e-5)?;
    }
    Ok(())
}

fn normalised(device: &Device) -> Result<(), String> {
    let shape = [3, 4, 2, 5];
    let channel = |i: usize| i / 10 % 4;
    let (x, r, g) = (numbers(120, 0.4), numbers(120, 0.5), numbers(120, 0.6));
    // Gamma is 1 and beta 0, as they start.
    let mean_of = |v: &[f64], c| {
        v.iter().enumerate().filter(|&(i, _)| channel(i) == c).map(|(_, v)| v).sum::<f64>() / 30.0
    };
    let means: Vec<f64> = (0..4).map(|c| mean_of(&x, c)).collect();
    let squares: Vec<f64> =
        x.iter().enumerate().map(|(i, x)| (x - means[channel(i)]).powi(2)).collect();
    let deviations: Vec<f64> = (0..4).map(|c| (mean_of(&squares, c) + 1e-5).sqrt()).collect();
    let normal: Vec<f64> = x
        .iter()
        .enumerate()
        .map(|(i, x)| (x - means[channel(i)]) / deviations[channel(i)])
        .collect();
    let y: Vec<f64> = normal.iter().zip(&r).map(|(z, r)| (z + r).max(0.0)).collect();
    let passed: Vec<f64> = y.iter().zip(&g).map(|(&y, &g)| if y > 0.0 { g } else { 0.0 }).collect();
    let products: Vec<f64> = passed.iter().zip(&normal).map(|(g, z)| g * z).collect();
    let of_x: Vec<f64> = (0..120)
        .map(|i| {
            let c = channel(i);
            let along = normal[i] * mean_of(&products, c);
            (passed[i] - mean_of(&passed, c) - along) / deviations[c]
        })
        .collect();
    let of_gamma: Vec<f64> = (0..4).map(|c| 30.0 * mean_of(&products, c)).collect();
    let of_beta: Vec<f64> = (0..4).map(|c| 30.0 * mean_of(&passed, c)).collect();

    let device = device.clone().autodiff();
    let norm = BatchNorm::from(BatchNormConfig::new(4).init(&device));
    let input = tensor(&x, shape, &device).require_grad();
    let residual = tensor(&r, shape, &device).require_grad();
    let output = norm.forward_add_relu(channels_last(input.clone()), residual.clone());
    compare("output", &values(&output), &y, 1e-5)?;
    let gradients = (output * tensor(&g, shape, &device)).sum().backward();
    for (what, gradient, expected) in [
        ("the input's gradient", input.grad(&gradients).map(|g| values(&g)), &of_x),
        ("the residual's gradient", residual.grad(&gradients).map(|g| values(&g)), &passed),
        ("gamma's gradient", norm.gamma.val().grad(&gradients).map(|g| values(&g)), &of_gamma),
        ("beta's gradient", norm.beta.val().grad(&gradients).map(|g| values(&g)), &of_beta),
    ] {
        compare(what, &gradient.ok_or(format!("there is no {what}"))?, expected, 1e-5)?;
    }
    let running: Vec<f64> = means.iter().map(|mean| 0.1 * mean).collect();
    compare("the running mean", &values(&norm.running_mean.value_sync()), &running, 1e-5)
}
