//! Convolution on each backend, against the definition in f64.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use simclr::nn::{channels_last, conv2d};

use crate::backends::{Case, compare, of_products};

pub(crate) const CASES: &[Case] = &[
    Case { name: "a_three_by_three_convolution_and_its_gradients", run: three_by_three },
    Case { name: "a_strided_convolution_and_its_gradients", run: strided },
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
