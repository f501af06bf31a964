//! Depthwise convolution against its definition in f64, against Burn's own, and against finite differences.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::{channels_last, conv2d};

use crate::conv2d::{FIRST, LAST, agrees};
use crate::conv2d_gradients::equal_finite_differences;
use crate::convolution::{Sizes, results};
use crate::support::{flex, numbers, same, tensor, values};

/// Sizes with square strides, padded by `padding` before and after, down and across.
fn depthwise(
    [n, channels, height, width]: [usize; 4],
    kernel: [usize; 2],
    stride: usize,
    padding: [(usize, usize); 2],
) -> Sizes {
    Sizes {
        images: [n, channels, height, width],
        weight: [channels, 1, kernel[0], kernel[1]],
        options: ConvOptions::new_with_padding([stride; 2], padding, [1, 1], channels),
    }
}

prop_compose! {
    fn any_sizes()(
        [n, channels] in [1_usize..4, 2_usize..70],
        kernel in prop_oneof![
            2 => Just([3_usize, 3]), 2 => Just([5, 5]), 2 => Just([7, 7]), 1 => [1_usize..8, 1_usize..8],
        ],
        stride in [1_usize..4, 1_usize..4],
        padding in [(0_usize..5, 0_usize..5), (0_usize..5, 0_usize..5)],
        extra in [0_usize..12, 0_usize..12],
    ) -> Sizes {
        let size = [0, 1].map(|axis| {
            kernel[axis].saturating_sub(padding[axis].0 + padding[axis].1).max(1) + extra[axis]
        });
        let sizes = depthwise([n, channels, size[0], size[1]], kernel, 1, padding);
        let options = ConvOptions::new_with_padding(stride, padding, [1, 1], channels);
        Sizes { options, ..sizes }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn any_depthwise_convolution_equals_its_definition_and_burns(
        sizes in any_sizes(),
        seed in 0_u64..99,
    ) {
        agrees(&sizes, seed);
    }
}

#[test]
fn layers_of_efficient_nets_equal_the_definition_and_burns() {
    let alike = |padding| [(padding, padding); 2];
    agrees(&depthwise([2, 32, 24, 24], [3, 3], 1, alike(1)), 1);
    agrees(&depthwise([2, 96, 24, 25], [3, 3], 2, alike(1)), 2);
    agrees(&depthwise([1, 144, 13, 12], [5, 5], 2, alike(2)), 3);
    agrees(&depthwise([3, 240, 7, 6], [5, 5], 1, alike(2)), 4);
    agrees(&depthwise([4, 1152, 3, 3], [5, 5], 1, alike(2)), 5);
    // As TensorFlow pads where there is a stride.
    agrees(&depthwise([2, 96, 24, 24], [3, 3], 2, [(0, 1); 2]), 6);
    agrees(&depthwise([2, 40, 12, 12], [5, 5], 2, [(1, 2); 2]), 7);
    // One pixel, and bands of an image.
    agrees(&depthwise([1, 24, 1, 1], [3, 3], 1, alike(1)), 8);
    agrees(&depthwise([1, 72, 90, 31], [3, 3], 1, alike(1)), 9);
    agrees(&depthwise([1, 72, 91, 30], [5, 5], 2, alike(2)), 10);
}

#[test]
fn layers_of_conv_next_equal_the_definition_and_burns() {
    // Images smaller than the kernel, of one pixel, with a rest of channels, and in bands.
    let alike = [(3, 3); 2];
    for (seed, images) in
        [[2, 96, 14, 15], [3, 384, 4, 3], [2, 768, 1, 1], [2, 42, 2, 9], [1, 70, 61, 40]]
            .into_iter()
            .enumerate()
    {
        agrees(&depthwise(images, [7, 7], 1, alike), seed as u64);
    }
}

#[test]
fn gradients_equal_finite_differences() {
    for sizes in [
        depthwise([1, 18, 6, 5], [3, 3], 1, [(1, 1); 2]),
        depthwise([2, 18, 7, 6], [5, 5], 2, [(1, 2), (2, 1)]),
        depthwise([1, 18, 6, 5], [7, 7], 1, [(3, 3); 2]),
    ] {
        equal_finite_differences(&sizes, channels_last, [37, 31]);
    }
}

#[test]
fn what_is_not_finite_travels_as_in_burns() {
    for sizes in [
        depthwise([1, 20, 9, 9], [3, 3], 1, [(1, 1); 2]),
        depthwise([1, 20, 9, 9], [5, 5], 2, [(2, 2); 2]),
    ] {
        for (bad, at) in [(f32::NAN, 40), (f32::INFINITY, 7), (f32::NEG_INFINITY, 900)] {
            let run = |moved: bool| {
                let device = flex().autodiff();
                let mut x = numbers(sizes.images.iter().product(), 1);
                x[at] = bad;
                let x = Tensor::<4>::from_data(TensorData::new(x, sizes.images), &device);
                let w = tensor::<4>(sizes.weight, 2, &device).require_grad();
                let x = x.require_grad();
                let y = if moved {
                    conv2d(channels_last(x.clone()), w.clone(), None, sizes.options.clone())
                } else {
                    let (x, w) = (x.clone(), w.clone());
                    burn::tensor::module::conv2d(x, w, None, sizes.options.clone())
                };
                let gradients = (y.clone() * tensor(y.dims(), 3, &device)).sum().backward();
                let of_x = values(&x.grad(&gradients).unwrap());
                [values(&y), of_x, values(&w.grad(&gradients).unwrap())]
            };
            for (ours, burns) in run(true).iter().zip(&run(false)) {
                for (&found, &expected) in ours.iter().zip(burns) {
                    assert!(same(found, expected), "{bad}: expected {expected}, found {found}");
                }
            }
        }
    }
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let convolve = |x, w, bias, options| conv2d(channels_last(x), w, bias, options);
        pool.install(|| {
            [
                results(&depthwise([5, 96, 25, 24], [3, 3], 2, [(1, 1); 2]), 1, LAST, convolve),
                results(&depthwise([9, 200, 9, 9], [5, 5], 1, [(2, 2); 2]), 2, LAST, convolve),
                results(&depthwise([5, 96, 9, 8], [7, 7], 1, [(3, 3); 2]), 3, LAST, convolve),
            ]
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}

#[test]
fn the_order_of_memory_stays_the_images() {
    let sizes = depthwise([2, 24, 8, 8], [3, 3], 1, [(1, 1); 2]);
    let run = |order| results(&sizes, 4, order, conv2d);
    let [first, last] = [run(FIRST), run(LAST)];
    for (first, last) in first.iter().zip(&last) {
        assert!(crate::support::distance(first, last) < 1e-5);
    }
}
