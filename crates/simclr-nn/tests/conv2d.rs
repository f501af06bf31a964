//! The convolution against its definition in f64, against Burn's own, and against finite differences.

mod support;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::{Conv2d, channels_last, conv2d};
use support::{Sizes, distance, each_product, flex, numbers, output_size, tensor, values};

/// Channels first, and last.
const FIRST: [isize; 4] = [0, 1, 2, 3];
const LAST: [isize; 4] = [0, 2, 3, 1];

/// The output and the gradients of input, weight and bias.
type Results = [Vec<f64>; 4];

/// `seen` is the order in which the loss takes the output, and its gradient lies in memory.
fn results(
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

fn oracle(sizes: &Sizes, seed: u64) -> Results {
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

/// Both within 1e-5 of the largest value, in either order of memory.
fn agrees(sizes: &Sizes, seed: u64) {
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

fn sizes(images: [usize; 4], weight: [usize; 4], stride: usize, padding: usize) -> Sizes {
    let options = ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1);
    Sizes { images, weight, options }
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
    /// What Winograd's way applies to.
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
    // Enough that the weights at the points are made strip by strip; and images whose tiles fill chunks.
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
fn gradients_equal_finite_differences() {
    // One of Winograd's and one of the others. The loss is linear in each, so that a large step is exact.
    for sizes in
        [sizes([1, 16, 6, 5], [16, 16, 3, 3], 1, 1), sizes([2, 3, 6, 5], [4, 3, 3, 2], 2, 1)]
    {
        let device = flex().autodiff();
        let loss = |x: &[f32], w: &[f32]| {
            let x = Tensor::<4>::from_data(TensorData::new(x.to_vec(), sizes.images), &device);
            let w = Tensor::<4>::from_data(TensorData::new(w.to_vec(), sizes.weight), &device);
            let (x, w) = (x.require_grad(), w.require_grad());
            let y = conv2d(x.clone(), w.clone(), None, sizes.options.clone());
            let weights = tensor(y.dims(), 9, &device);
            ((y * weights).sum(), x, w)
        };
        let x = numbers(sizes.images.iter().product(), 1);
        let w = numbers(sizes.weight.iter().product(), 2);
        let (value, x_tensor, w_tensor) = loss(&x, &w);
        let gradients = value.backward();
        let of_x = values(&x_tensor.grad(&gradients).unwrap());
        let of_w = values(&w_tensor.grad(&gradients).unwrap());
        let value = |x: &[f32], w: &[f32]| f64::from(loss(x, w).0.into_scalar::<f32>());
        for (at, &expected) in of_x.iter().enumerate().step_by(37) {
            let (mut above, mut below) = (x.clone(), x.clone());
            above[at] += 1.0;
            below[at] -= 1.0;
            let found = (value(&above, &w) - value(&below, &w)) / 2.0;
            assert!((found - expected).abs() < 1e-3, "input {at}: {found}, not {expected}");
        }
        for (at, &expected) in of_w.iter().enumerate().step_by(41) {
            let (mut above, mut below) = (w.clone(), w.clone());
            above[at] += 1.0;
            below[at] -= 1.0;
            let found = (value(&x, &above) - value(&x, &below)) / 2.0;
            assert!((found - expected).abs() < 1e-3, "weight {at}: {found}, not {expected}");
        }
    }
}

#[test]
fn what_is_not_finite_travels_as_in_burns() {
    for sizes in
        [sizes([1, 16, 9, 9], [16, 16, 3, 3], 1, 1), sizes([1, 4, 9, 9], [4, 4, 3, 3], 2, 1)]
    {
        for (bad, at) in [(f32::NAN, 40), (f32::INFINITY, 7), (f32::NEG_INFINITY, 80)] {
            let run = |convolve: &dyn Fn(Tensor<4>, Tensor<4>) -> Tensor<4>| {
                let device = flex().autodiff();
                let mut x = numbers(sizes.images.iter().product(), 1);
                x[at] = bad;
                let x = Tensor::<4>::from_data(TensorData::new(x, sizes.images), &device);
                let w = tensor(sizes.weight, 2, &device).require_grad();
                let x = x.require_grad();
                let y = convolve(x.clone(), w.clone());
                let [n, c, height, width] = y.dims();
                let mut gradient = numbers(n * c * height * width, 3);
                gradient[at / 4] = bad;
                let gradient = Tensor::<4>::from_data(TensorData::new(gradient, y.dims()), &device);
                let gradients = (y.clone() * gradient).sum().backward();
                let of_x = values(&x.grad(&gradients).unwrap());
                [values(&y), of_x, values(&w.grad(&gradients).unwrap())]
            };
            let options = &sizes.options;
            let ours = run(&|x, w| conv2d(x, w, None, options.clone()));
            let burns = run(&|x, w| burn::tensor::module::conv2d(x, w, None, options.clone()));
            for (ours, burns) in ours.iter().zip(&burns) {
                for (found, expected) in ours.iter().zip(burns) {
                    let same = (found.is_nan() && expected.is_nan())
                        || found.total_cmp(expected).is_eq()
                        || (found - expected).abs() < 1e-4;
                    assert!(same, "{bad}: expected {expected}, found {found}");
                }
            }
        }
    }
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
fn only_the_gradients_that_are_asked_for_are_computed() {
    let device = flex().autodiff();
    let x = tensor::<4>([1, 16, 6, 6], 1, &device);
    let w = tensor::<4>([16, 16, 3, 3], 2, &device).require_grad();
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let gradients = conv2d(x.clone(), w.clone(), None, options).sum().backward();
    assert!(x.grad(&gradients).is_none());
    assert!(w.grad(&gradients).is_some());
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

#[test]
fn gradient_checkpointing_gives_the_same_gradients() {
    let run = |device: Device| {
        let x = tensor::<4>([2, 16, 6, 6], 1, &device).require_grad();
        let w = tensor::<4>([16, 16, 3, 3], 2, &device).require_grad();
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        let y = burn::tensor::activation::relu(conv2d(x.clone(), w.clone(), None, options.clone()));
        let gradients = conv2d(y, w.clone(), None, options).powi_scalar(2).sum().backward();
        [values(&x.grad(&gradients).unwrap()), values(&w.grad(&gradients).unwrap())]
    };
    assert_eq!(run(flex().autodiff()), run(flex().autodiff().gradient_checkpointing()));
}
