//! The convolution against its definition in f64 and against Burn's own.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::{Conv2d, channels_last, conv2d};

use crate::convolution::{Sizes, oracle, results, sizes};
use crate::support::{distance, flex, tensor, values};

/// The axes in channels-first and in channels-last order.
pub(crate) const FIRST: [isize; 4] = [0, 1, 2, 3];
pub(crate) const LAST: [isize; 4] = [0, 2, 3, 1];

/// Asserts that output and gradients are within 1e-5 of the definition's and of Burn's, relative to the largest value,
/// in either order in memory.
pub(crate) fn agrees(sizes: &Sizes, seed: u64) {
    let expected = oracle(sizes, seed);
    let ours = results(sizes, seed, FIRST, conv2d);
    let moved = results(sizes, seed, LAST, |x, w, b, o| conv2d(channels_last(x), w, b, o));
    let burns = results(sizes, seed, FIRST, burn::tensor::module::conv2d);
    let names = ["output", "input's gradient", "weight's gradient", "bias's gradient"];
    for (index, name) in names.into_iter().enumerate() {
        for (whose, found) in [("ours", &ours), ("channels last", &moved)] {
            let off = distance(&found[index], &expected[index]);
            assert!(off < 1e-5, "{whose}, {name}: off by {off:e} with {sizes:?}");
            let apart = distance(&found[index], &burns[index]);
            assert!(apart < 1e-5, "{whose}, {name}: {apart:e} from Burn's with {sizes:?}");
        }
    }
}

prop_compose! {
    fn any_sizes()(
        groups in prop_oneof![4 => Just(1_usize), 1 => 2_usize..4],
        n in 1_usize..4,
        [channels_in, channels_out] in [1_usize..20, 1_usize..20],
        kernel in [1_usize..5, 1_usize..5],
        stride in [1_usize..4, 1_usize..4],
        dilation in [1_usize..3, 1_usize..3],
        padding in [(0_usize..4, 0_usize..4), (0_usize..4, 0_usize..4)],
        extra in [0_usize..12, 0_usize..12],
    ) -> Sizes {
        let size = [0, 1].map(|axis| {
            let reach = dilation[axis] * (kernel[axis] - 1) + 1;
            reach.saturating_sub(padding[axis].0 + padding[axis].1).max(1) + extra[axis]
        });
        Sizes {
            images: [n, channels_in * groups, size[0], size[1]],
            weight: [channels_out * groups, channels_in, kernel[0], kernel[1]],
            options: ConvOptions::new_with_padding(stride, padding, dilation, groups),
        }
    }
}

prop_compose! {
    /// Sizes that Winograd's way supports.
    fn three_by_three()(
        n in 1_usize..5,
        channels in [1_usize..4, 1_usize..4],
        size in [1_usize..14, 1_usize..14],
        padding in [(0_usize..3, 0_usize..3), (0_usize..3, 0_usize..3)],
    ) -> Sizes {
        let size = [0, 1].map(|a| size[a].max(3_usize.saturating_sub(padding[a].0 + padding[a].1)));
        Sizes {
            images: [n, channels[0] * 16, size[0], size[1]],
            weight: [channels[1] * 16, channels[0] * 16, 3, 3],
            options: ConvOptions::new_with_padding([1, 1], padding, [1, 1], 1),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_convolution_equals_its_definition_and_burns(sizes in any_sizes(), seed in 0_u64..99) {
        agrees(&sizes, seed);
    }

    #[test]
    fn a_three_by_three_kernel_equals_its_definition_and_burns(
        sizes in three_by_three(),
        seed in 0_u64..99,
    ) {
        agrees(&sizes, seed);
    }
}

#[test]
fn many_channels_equal_the_definition_and_burns() {
    // Enough channels that the weights are taken to the points strip by strip, and enough tiles that it pays; too few of
    // them; and images whose tiles fill chunks.
    agrees(&sizes([8, 272, 5, 5], [288, 272, 3, 3], 1, 1), 4);
    agrees(&sizes([2, 368, 5, 4], [336, 368, 3, 3], 1, 1), 5);
    agrees(&sizes([3, 16, 40, 36], [48, 16, 3, 3], 1, 1), 6);
}

#[test]
fn stems_shortcuts_and_patches_equal_the_definition_and_burns() {
    agrees(&sizes([2, 3, 33, 30], [16, 3, 7, 7], 2, 3), 1);
    agrees(&sizes([3, 32, 9, 9], [64, 32, 1, 1], 2, 0), 2);
    agrees(&sizes([2, 64, 6, 6], [48, 64, 1, 1], 1, 0), 3);
    agrees(&sizes([2, 3, 32, 32], [24, 3, 8, 8], 8, 0), 4);
}

#[test]
fn numbers_that_overflow_only_at_the_points_do_not() {
    let sizes = sizes([1, 16, 4, 4], [16, 16, 3, 3], 1, 1);
    let device = flex();
    let x = Tensor::<4>::full(sizes.images, 1.5e38, &device);
    let mut weight = vec![0.0_f32; sizes.weight.iter().product()];
    weight[4] = 1.0;
    let weight = Tensor::<4>::from_data(TensorData::new(weight, sizes.weight), &device);
    let y = values(&conv2d(x, weight, None, sizes.options));
    assert!(y[..16].iter().all(|&y| (y / 1.5e38 - 1.0).abs() < 1e-6), "{:?}", &y[..16]);
}

#[test]
fn the_module_has_burns_parameters_and_padding() {
    let device = flex();
    for padding in
        [PaddingConfig2d::Same, PaddingConfig2d::Valid, PaddingConfig2d::Explicit(1, 2, 3, 0)]
    {
        let config = Conv2dConfig::new([4, 6], [3, 2]).with_stride([1, 2]).with_padding(padding);
        let burns = config.init(&device);
        let ours = Conv2d::from(burns.clone());
        let x = tensor([2, 4, 7, 6], 3, &device);
        let (found, expected) = (ours.forward(x.clone()), burns.forward(x));
        assert_eq!(found.dims(), expected.dims());
        assert!(distance(&values(&found), &values(&expected)) < 1e-5);
        assert_eq!(ours.num_params(), burns.num_params());
    }
}

#[test]
fn other_types_and_empty_batches_are_burns() {
    use burn::tensor::DType;
    let device = flex();
    let x = tensor::<4>([2, 16, 5, 5], 1, &device);
    let w = tensor::<4>([16, 16, 3, 3], 2, &device);
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let run =
        |dtype: DType| conv2d(x.clone().cast(dtype), w.clone().cast(dtype), None, options.clone());
    let expected = values(&run(DType::F32));
    assert_eq!(run(DType::F64).dtype(), DType::F64);
    assert!(distance(&values(&run(DType::F64)), &expected) < 1e-5);
    assert!(distance(&values(&run(DType::F16)), &expected) < 1e-2);
}

#[test]
fn the_order_of_memory_stays_the_images() {
    let device = flex();
    let x = tensor::<4>([2, 16, 6, 6], 1, &device);
    let w = tensor::<4>([32, 16, 3, 3], 2, &device);
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let first = conv2d(x.clone(), w.clone(), None, options.clone());
    let last = conv2d(channels_last(x), w, None, options);
    last.into_data().assert_eq(&first.into_data(), true);
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            [
                results(&sizes([5, 16, 17, 19], [32, 16, 3, 3], 1, 1), 1, FIRST, conv2d),
                results(&sizes([9, 16, 9, 9], [24, 16, 3, 3], 2, 1), 2, FIRST, conv2d),
                // Few channels, whose gradient is unfolded.
                results(&sizes([5, 3, 17, 19], [16, 3, 3, 3], 1, 1), 3, LAST, conv2d),
            ]
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}
