//! A folded convolution against the layers that it is made from, and against its definition in f64.

use burn::module::{Param, RunningState};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Distribution, Tensor};
use proptest::prelude::*;
use simclr_nn::{Activation, BatchNorm, Conv2d, FoldedConv2d, channels_last};

use crate::convolution::{oracle, sizes};
use crate::support::{distance, flex, tensor, values};

const ACTIVATIONS: [Activation; 4] =
    [Activation::Identity, Activation::Relu, Activation::Relu6, Activation::Silu];

/// A normalisation whose every number matters.
fn norm(channels: usize, seed: u64) -> BatchNorm {
    let device = flex();
    let mut norm = BatchNorm::from(BatchNormConfig::new(channels).init(&device));
    norm.gamma = Param::from_tensor(tensor([channels], seed, &device) + 1.5);
    norm.beta = Param::from_tensor(tensor([channels], seed + 1, &device));
    norm.running_mean = RunningState::new(tensor([channels], seed + 2, &device));
    norm.running_var = RunningState::new(tensor([channels], seed + 3, &device).abs() * 3.0 + 0.1);
    norm
}

fn conv(channels: [usize; 2], kernel: [usize; 2], padding: PaddingConfig2d) -> Conv2dConfig {
    Conv2dConfig::new(channels, kernel).with_padding(padding)
}

/// The layers one after the other.
fn unfolded(
    conv: &Conv2d,
    norm: &BatchNorm,
    images: Tensor<4>,
    residual: Option<Tensor<4>>,
    activation: Activation,
) -> Vec<f64> {
    let normalised = values(&norm.forward(conv.forward(images)));
    let residual = residual.map_or(vec![0.0; normalised.len()], |residual| values(&residual));
    let sums = normalised.iter().zip(residual).map(|(x, r)| x + r);
    let apply = |x: f64| match activation {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Silu => x / (1.0 + (-x).exp()),
        _ => x,
    };
    sums.map(apply).collect()
}

/// Asserts that the folded layer is within 1e-5 of the layers, with and without a residual, in either order in memory.
fn agrees(conv: &Conv2d, images: [usize; 4], seed: u64) {
    let norm = norm(conv.weight.dims()[0], seed);
    let folded = FoldedConv2d::new(conv, &norm);
    let images = tensor(images, seed + 4, &flex());
    let residual = tensor(conv.forward(images.clone()).dims(), seed + 5, &flex());
    for moved in [false, true] {
        let order = |x: &Tensor<4>| if moved { channels_last(x.clone()) } else { x.clone() };
        for activation in ACTIVATIONS {
            let found = values(&folded.forward(order(&images), activation));
            let expected = unfolded(conv, &norm, images.clone(), None, activation);
            let off = distance(&found, &expected);
            assert!(off < 1e-5, "{activation:?}: {off:e} for {:?}, moved: {moved}", images.dims());

            let found = folded.forward_add(order(&images), order(&residual), activation);
            let expected =
                unfolded(conv, &norm, images.clone(), Some(residual.clone()), activation);
            let off = distance(&values(&found), &expected);
            assert!(off < 1e-5, "{activation:?} of a sum: {off:e}, moved: {moved}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_folded_convolution_equals_its_layers(
        channels in [1_usize..40, 1_usize..40],
        kernel in [1_usize..4, 1_usize..4],
        stride in 1_usize..3,
        padding in 0_usize..3,
        size in [4_usize..14, 4_usize..14],
        n in 1_usize..4,
        bias in any::<bool>(),
        seed in 0_u64..99,
    ) {
        let padding = PaddingConfig2d::Explicit(padding, padding, padding, padding);
        let config = conv(channels, kernel, padding).with_stride([stride; 2]).with_bias(bias);
        agrees(&config.init(&flex()).into(), [n, channels[0], size[0], size[1]], seed);
    }
}

#[test]
fn every_way_of_convolving_folds() {
    let padded = PaddingConfig2d::Explicit(1, 1, 1, 1);
    for (config, images) in [
        (conv([16, 32], [3, 3], padded.clone()), [3, 16, 9, 10]), // Winograd, few weights
        (conv([272, 272], [3, 3], padded.clone()), [2, 272, 16, 13]), // Winograd, strip by strip
        (conv([64, 48], [1, 1], PaddingConfig2d::Valid), [2, 64, 7, 5]), // pointwise
        (conv([3, 16], [7, 7], PaddingConfig2d::Same).with_stride([2, 2]), [2, 3, 17, 20]),
        (conv([24, 24], [3, 3], padded).with_groups(24), [2, 24, 6, 7]), // depthwise
        (conv([12, 8], [3, 3], PaddingConfig2d::Valid).with_groups(4), [2, 12, 6, 7]),
    ] {
        agrees(&config.init(&flex()).into(), images, 5);
    }
}

#[test]
fn a_convolution_that_is_not_finite_at_the_points_is_finished_all_the_same() {
    let config = conv([16, 16], [3, 3], PaddingConfig2d::Explicit(1, 1, 1, 1));
    let (conv, norm) = (Conv2d::from(config.init(&flex())), norm(16, 1));
    let folded = FoldedConv2d::new(&conv, &norm);
    // 3e38 overflows at the points, but not where it is multiplied by weights of about 0.1.
    let mut numbers = vec![0.0; 16 * 12 * 12];
    numbers[77] = 3e38;
    let images = Tensor::<1>::from_floats(numbers.as_slice(), &flex()).reshape([1, 16, 12, 12]);
    let found = values(&folded.forward(channels_last(images.clone()), Activation::Relu));
    let expected = unfolded(&conv, &norm, images, None, Activation::Relu);
    assert!(distance(&found, &expected) < 1e-5);
}

#[test]
fn a_folded_convolution_equals_its_definition() {
    let sizes = sizes([2, 16, 9, 7], [32, 16, 3, 3], 1, 1);
    let [expected, ..] = oracle(&sizes, 3);
    let config = conv([16, 32], [3, 3], PaddingConfig2d::Explicit(1, 1, 1, 1));
    let mut conv = Conv2d::from(config.init(&flex()));
    conv.weight = Param::from_tensor(tensor(sizes.weight, 4, &flex()));
    conv.bias = Some(Param::from_tensor(tensor([32], 5, &flex())));
    let mut identity = BatchNorm::from(BatchNormConfig::new(32).init(&flex()));
    identity.epsilon = 0.0;
    let folded = FoldedConv2d::new(&conv, &identity);
    let images = tensor(sizes.images, 3, &flex());
    let found = values(&folded.forward(images, Activation::Identity));
    assert!(distance(&found, &expected) < 1e-5);
}

#[test]
fn a_folded_convolution_is_a_value_of_its_own() {
    let config = conv([16, 16], [3, 3], PaddingConfig2d::Valid);
    let device = flex().autodiff();
    let mut conv = Conv2d::from(config.init(&device));
    let mut norm = BatchNorm::from(BatchNormConfig::new(16).init(&device));
    let images = Tensor::<4>::random([2, 16, 8, 8], Distribution::Default, &device);
    let folded = FoldedConv2d::new(&conv, &norm);
    let before = folded.forward(images.clone(), Activation::Relu);
    assert!(!before.device().is_autodiff());

    // Training goes on: a gradient for every parameter, and other weights and statistics.
    let loss = norm.forward_relu(conv.forward(images.clone())).sum();
    let gradients = loss.backward();
    assert!(conv.weight.grad(&gradients).is_some() && norm.gamma.grad(&gradients).is_some());
    conv.weight = conv.weight.map(|weight| weight * 2.0);
    norm.beta = norm.beta.map(|beta| beta + 1.0);
    let after = folded.forward(images, Activation::Relu);
    after.into_data().assert_eq(&before.into_data(), true);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let config = conv([32, 48], [3, 3], PaddingConfig2d::Explicit(1, 1, 1, 1));
    let folded = FoldedConv2d::new(&config.init(&flex()).into(), &norm(48, 2));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let images = channels_last(tensor([5, 32, 20, 20], 3, &flex()));
        let residual = channels_last(tensor([5, 48, 20, 20], 4, &flex()));
        pool.install(|| folded.forward_add(images, residual, Activation::Silu)).into_data()
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        one.assert_eq(&run(threads), true);
    }
}

#[test]
#[should_panic(expected = "expected images of 16 channels")]
fn images_of_other_channels_are_refused() {
    let config = conv([16, 16], [3, 3], PaddingConfig2d::Valid);
    let folded = FoldedConv2d::new(&config.init(&flex()).into(), &norm(16, 2));
    let _ = folded.forward(tensor([1, 8, 5, 5], 0, &flex()), Activation::Relu);
}
