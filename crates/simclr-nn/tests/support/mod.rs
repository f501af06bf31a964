//! What the tests share: numbers from a seed, a convolution in f64, and how far apart two results are.

#![allow(dead_code, reason = "each test file uses its own part")]

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

pub(crate) fn flex() -> Device {
    Device::flex()
}

/// Numbers in -1..1 that `seed` fixes.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

pub(crate) fn tensor<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let values = numbers(shape.iter().product(), seed);
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub(crate) fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data_as::<f64>().iter::<f64>().collect()
}

/// The largest difference, as a part of the largest expectation.
pub(crate) fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "expected as many values");
    let scale = expected.iter().fold(f64::MIN_POSITIVE, |scale, x| scale.max(x.abs()));
    let difference = |(a, b): (&f64, &f64)| (a - b).abs();
    found.iter().zip(expected).map(difference).fold(0.0, f64::max) / scale
}

/// The sizes of a convolution.
#[derive(Debug, Clone)]
pub(crate) struct Sizes {
    pub(crate) images: [usize; 4],
    pub(crate) weight: [usize; 4],
    pub(crate) options: ConvOptions<2>,
}

/// A convolution in f64, straight from its definition: calls `visit` with the indices of the output, the input
/// and the weight of every product.
pub(crate) fn each_product(sizes: &Sizes, mut visit: impl FnMut(usize, usize, usize)) {
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

pub(crate) fn output_size(sizes: &Sizes) -> [usize; 2] {
    let options = &sizes.options;
    [0, 1].map(|axis| {
        let (before, after) = options.padding[axis];
        let reach = options.dilation[axis] * (sizes.weight[2 + axis] - 1) + 1;
        (sizes.images[2 + axis] + before + after - reach) / options.stride[axis] + 1
    })
}
