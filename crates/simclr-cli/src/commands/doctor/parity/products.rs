//! How many digits of f32 a device's products keep.

use serde::{Deserialize, Serialize};
use simclr::burn::tensor::ops::ConvOptions;
use simclr::burn::tensor::{Device, Tensor};
use simclr::nn::conv2d;

/// The sizes of the matrices: a device may take another way for small ones.
const SIZES: [usize; 3] = [32, 128, 512];
/// 1 and half a unit in the last place of TF32, which has 10 binary digits: f32, which has 23, keeps it.
const BEYOND_TF32: f32 = 1.0 + 1.0 / 4096.0;
/// 1 and a number that TF32 keeps and bf16, which has 7 digits, doesn't.
const WITHIN_TF32: f32 = 1.0 + 1.0 / 512.0;

/// The numbers that a product of f32 numbers is computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum Products {
    /// 23 binary digits.
    F32,
    /// 10 binary digits, as on the tensor cores of NVIDIA's GPUs.
    Tf32,
    /// Fewer.
    Lower,
}

impl Products {
    /// Multiplies numbers by 1, which loses what the device drops.
    pub(super) fn of(device: &Device) -> Self {
        let kept = |number: f32| {
            SIZES
                .iter()
                .all(|&size| by_one(number, size, device) && convolved_by_one(number, device))
        };
        match (kept(BEYOND_TF32), kept(WITHIN_TF32)) {
            (true, true) => Self::F32,
            (false, true) => Self::Tf32,
            _ => Self::Lower,
        }
    }
}

/// Whether `number` times 1 is the number, in a matrix product.
fn by_one(number: f32, size: usize, device: &Device) -> bool {
    let product = Tensor::<2>::full([size, size], number, device).matmul(Tensor::eye(size, device));
    all_are(&product, number)
}

/// Whether it is in a convolution.
fn convolved_by_one(number: f32, device: &Device) -> bool {
    const CHANNELS: usize = 64;
    let images = Tensor::<4>::full([2, CHANNELS, 8, 8], number, device);
    let ones = Tensor::<2>::eye(CHANNELS, device).reshape([CHANNELS, CHANNELS, 1, 1]);
    all_are(&conv2d(images, ones, None, ConvOptions::new([1; 2], [0; 2], [1; 2], 1)), number)
}

#[expect(clippy::float_cmp, reason = "a number is kept or it isn't")]
fn all_are<const D: usize>(tensor: &Tensor<D>, number: f32) -> bool {
    tensor.to_data_as::<f32>().iter::<f32>().all(|found| found == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_keeps_all_digits() {
        assert_eq!(Products::of(&Device::flex()), Products::F32);
    }
}
