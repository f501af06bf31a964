//! Numbers from a seed, and how far apart two results are.

use burn::tensor::{Device, Tensor, TensorData};

pub(crate) fn flex() -> Device {
    Device::flex()
}

/// Numbers in -1..1, the same for the same `seed`.
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

/// The largest difference, relative to the largest expected value.
pub(crate) fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "expected as many values");
    let scale = expected.iter().fold(f64::MIN_POSITIVE, |scale, x| scale.max(x.abs()));
    let difference = |(a, b): (&f64, &f64)| (a - b).abs();
    found.iter().zip(expected).map(difference).fold(0.0, f64::max) / scale
}

/// Whether two numbers are the same: both NaN, the same infinity, or within 1e-4.
pub(crate) fn same(found: f64, expected: f64) -> bool {
    (found.is_nan() && expected.is_nan())
        || found.total_cmp(&expected).is_eq()
        || (found - expected).abs() < 1e-4
}

/// The derivative of `loss` by value `at`, as the central difference over a step of `h` to each side.
pub(crate) fn difference(loss: impl Fn(&[f32]) -> f64, values: &[f32], at: usize, h: f32) -> f64 {
    let shifted = |by: f32| {
        let mut values = values.to_vec();
        values[at] += by;
        loss(&values)
    };
    (shifted(h) - shifted(-h)) / f64::from(2.0 * h)
}

/// What `run` gives on so many threads.
pub(crate) fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}
