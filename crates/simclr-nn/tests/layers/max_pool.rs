//! Max-pooling against Burn's own.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2dConfig;
use burn::tensor::{Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::{channels_last, max_pool2d};

use crate::support::{distance, flex, numbers, tensor, values};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn maxima_and_their_gradient_equal_burns(
        [n, channels] in [1_usize..4, 1_usize..20],
        kernel in [1_usize..4, 1_usize..4],
        stride in [1_usize..4, 1_usize..4],
        padding in [0_usize..2, 0_usize..2],
        extra in [0_usize..9, 0_usize..9],
        seed in 0_u64..99,
    ) {
        let padding = [0, 1].map(|i| padding[i].min(kernel[i] - 1));
        let shape = [n, channels, kernel[0] + extra[0], kernel[1] + extra[1]];
        let [down, across] = padding;
        let pool = MaxPool2dConfig::new(kernel)
            .with_strides(stride)
            .with_padding(PaddingConfig2d::Explicit(down, across, down, across))
            .init();
        let run = |moved: bool| {
            let device = flex().autodiff();
            // Few distinct values, so that there are ties.
            let x: Vec<f32> =
                numbers(shape.iter().product(), seed).iter().map(|x| (x * 3.0).round()).collect();
            let x = Tensor::<4>::from_data(TensorData::new(x, shape), &device).require_grad();
            let y = if moved {
                max_pool2d(&pool, channels_last(x.clone()))
            } else {
                pool.forward(x.clone())
            };
            let gradients = (y.clone() * tensor(y.dims(), seed + 1, &device)).sum().backward();
            (values(&y), values(&x.grad(&gradients).unwrap()))
        };
        let ((y, of_x), (expected, of_x_expected)) = (run(true), run(false));
        prop_assert_eq!(y, expected);
        prop_assert!(distance(&of_x, &of_x_expected) < 1e-6);
    }
}

#[test]
fn nan_is_larger_than_anything_as_in_burns() {
    let mut x = numbers(2 * 16 * 6 * 6, 1);
    x[77] = f32::NAN;
    x[200] = f32::INFINITY;
    x[300..340].fill(f32::NEG_INFINITY);
    let x = Tensor::<4>::from_data(TensorData::new(x, [2, 16, 6, 6]), &flex());
    let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).init();
    let found = values(&max_pool2d(&pool, channels_last(x.clone())));
    for (found, expected) in found.iter().zip(values(&pool.forward(x))) {
        assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
    }
}
