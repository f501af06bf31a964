//! A convolution in f64, straight from its definition.

use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use crate::support::{flex, numbers, tensor, values};

/// The sizes of a convolution.
#[derive(Debug, Clone)]
pub(crate) struct Sizes {
    pub(crate) images: [usize; 4],
    pub(crate) weight: [usize; 4],
    pub(crate) options: ConvOptions<2>,
}

/// A square stride and padding, without dilation and groups.
pub(crate) fn sizes(
    images: [usize; 4],
    weight: [usize; 4],
    stride: usize,
    padding: usize,
) -> Sizes {
    let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
    Sizes { images, weight, options }
}

/// The output and the gradients of input, weight and bias.
pub(crate) type Results = [Vec<f64>; 4];

/// The results of `convolve`. The loss reads the output with its axes in the order `seen`, and the output's gradient
/// lies in memory in that order.
pub(crate) fn results(
    sizes: &Sizes,
    seed: u64,
    seen: [isize; 4],
    convolve: impl Fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, ConvOptions<2>) -> Tensor<4>,
) -> Results {
    let device = flex().autodiff();
    let x = tensor(sizes.images, seed, &device).require_grad();
    let weight = tensor(sizes.weight, seed + 1, &device).require_grad();
    let bias = tensor([sizes.weight[0]], seed + 2, &device).require_grad();
    let y = convolve(x.clone(), weight.clone(), Some(bias.clone()), sizes.options.clone());
    let gradient = tensor(y.dims(), seed + 3, &device);
    let gradients = (y.clone().permute(seen) * gradient.permute(seen)).sum().backward();
    [
        values(&y),
        values(&x.grad(&gradients).unwrap()),
        values(&weight.grad(&gradients).unwrap()),
        values(&bias.grad(&gradients).unwrap()),
    ]
}

/// The results in f64, from the definition.
pub(crate) fn oracle(sizes: &Sizes, seed: u64) -> Results {
    let exact =
        |count, seed| -> Vec<f64> { numbers(count, seed).into_iter().map(f64::from).collect() };
    let [height, width] = output_size(sizes);
    let (n, channels) = (sizes.images[0], sizes.weight[0]);
    let outputs = n * channels * height * width;
    let x = exact(sizes.images.iter().product(), seed);
    let weight = exact(sizes.weight.iter().product(), seed + 1);
    let bias = exact(channels, seed + 2);
    let gradient = exact(outputs, seed + 3);
    let channel = |output: usize| output / (height * width) % channels;
    let mut y: Vec<f64> = (0..outputs).map(|output| bias[channel(output)]).collect();
    let mut of_bias = vec![0.0; channels];
    for (output, g) in gradient.iter().enumerate() {
        of_bias[channel(output)] += g;
    }
    let (mut of_x, mut of_weight) = (vec![0.0; x.len()], vec![0.0; weight.len()]);
    each_product(sizes, |output, input, w| {
        y[output] += x[input] * weight[w];
        of_x[input] += gradient[output] * weight[w];
        of_weight[w] += gradient[output] * x[input];
    });
    [y, of_x, of_weight, of_bias]
}

/// Calls `visit` with the output, the input and the weight of every product in the definition of a convolution, as
/// indices.
fn each_product(sizes: &Sizes, mut visit: impl FnMut(usize, usize, usize)) {
    let [n, channels_in, height, width] = sizes.images;
    let [channels_out, per_group, kernel_height, kernel_width] = sizes.weight;
    let ConvOptions { stride, padding, dilation, groups } = &sizes.options;
    let [height_out, width_out] = output_size(sizes);
    for image in 0..n {
        for out in 0..channels_out {
            for (y, x) in (0..height_out).flat_map(|y| (0..width_out).map(move |x| (y, x))) {
                let output = ((image * channels_out + out) * height_out + y) * width_out + x;
                for c in 0..per_group {
                    for i in 0..kernel_height {
                        for j in 0..kernel_width {
                            let row = (y * stride[0] + i * dilation[0]).checked_sub(padding[0].0);
                            let column =
                                (x * stride[1] + j * dilation[1]).checked_sub(padding[1].0);
                            let (Some(row), Some(column)) = (row, column) else { continue };
                            if row >= height || column >= width {
                                continue;
                            }
                            let channel = out / (channels_out / groups) * per_group + c;
                            let input =
                                ((image * channels_in + channel) * height + row) * width + column;
                            let weight =
                                ((out * per_group + c) * kernel_height + i) * kernel_width + j;
                            visit(output, input, weight);
                        }
                    }
                }
            }
        }
    }
}

fn output_size(sizes: &Sizes) -> [usize; 2] {
    let options = &sizes.options;
    [0, 1].map(|axis| {
        let (before, after) = options.padding[axis];
        let reach = options.dilation[axis] * (sizes.weight[2 + axis] - 1) + 1;
        (sizes.images[2 + axis] + before + after - reach) / options.stride[axis] + 1
    })
}
