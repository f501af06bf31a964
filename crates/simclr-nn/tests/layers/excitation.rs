//! Squeeze and excitation, and residual sums with factors, against Burn's own operations and finite differences.

use burn::module::Module;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::activation::{sigmoid, silu};
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::{Conv2d, add_scaled, channels_last, squeeze_excite};

use crate::support::{difference, distance, flex, numbers, same, tensor, values};

/// The layers from `channels` to `squeezed` channels and back.
fn layers(channels: usize, squeezed: usize, device: &Device) -> [Conv2d; 2] {
    let layer = |sizes: [usize; 2], seed| {
        let mut layer = Conv2d::from(Conv2dConfig::new(sizes, [1, 1]).init(device));
        layer.weight =
            layer.weight.map(|_| tensor([sizes[1], sizes[0], 1, 1], seed, device).require_grad());
        let bias = |_| tensor([sizes[1]], seed + 1, device).require_grad();
        layer.bias = layer.bias.map(|values| values.map(bias));
        layer
    };
    [layer([channels, squeezed], 11), layer([squeezed, channels], 13)]
}

/// The output, and the gradients of the images and of weights and biases.
fn results(
    x: Tensor<4>,
    [reduce, expand]: &[Conv2d; 2],
    excite: impl Fn(Tensor<4>) -> Tensor<4>,
) -> Vec<Vec<f64>> {
    let x = x.require_grad();
    let y = excite(x.clone());
    let gradients = (y.clone() * tensor(y.dims(), 3, &x.device())).sum().backward();
    let mut results = vec![values(&y), values(&x.grad(&gradients).unwrap())];
    for layer in [reduce, expand] {
        results.push(values(&layer.weight.val().grad(&gradients).unwrap()));
        let bias = layer.bias.as_ref().unwrap().val();
        results.push(values(&bias.grad(&gradients).unwrap()));
    }
    results
}

fn by_burn(x: &Tensor<4>, layers: &[Conv2d; 2]) -> Tensor<4> {
    let convolve = |layer: &Conv2d, x: Tensor<4>| {
        let [outputs, inputs, _, _] = layer.weight.dims();
        let weight = layer.weight.val().reshape([outputs, inputs]);
        let [n, _, _, _] = x.dims();
        let product = x.reshape([n, inputs]).matmul(weight.transpose());
        product + layer.bias.as_ref().unwrap().val().unsqueeze()
    };
    let squeezed = convolve(&layers[0], x.clone().mean_dims(&[2, 3]));
    let [n, _] = squeezed.dims();
    let squeezed = silu(squeezed).reshape([n, layers[0].weight.dims()[0], 1, 1]);
    let factors = sigmoid(convolve(&layers[1], squeezed));
    x.clone() * factors.unsqueeze_dims::<4>(&[2, 3])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn values_and_gradients_equal_burns(
        shape in [1_usize..5, 1_usize..70, 1_usize..9, 1_usize..9],
        squeezed in 1_usize..20,
        seed in 20_u64..99,
    ) {
        let device = flex().autodiff();
        let layers = layers(shape[1], squeezed, &device);
        let [reduce, expand] = &layers;
        let x = tensor::<4>(shape, seed, &device);
        let expected = results(x.clone(), &layers, |x| by_burn(&x, &layers));
        let first = results(x.clone(), &layers, |x| squeeze_excite(x, reduce, expand));
        let last = |x| squeeze_excite(channels_last(x), reduce, expand);
        for found in [first, results(x.clone(), &layers, last)] {
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let off = distance(found, expected);
                prop_assert!(off < 2e-5, "result {index}: off by {off:e}");
            }
        }
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let device = flex().autodiff();
    let shape = [2, 5, 2, 3];
    let [reduce, expand] = layers(5, 3, &device);
    let loss = |x: &[f32]| {
        let x = Tensor::<4>::from_data(TensorData::new(x.to_vec(), shape), &device).require_grad();
        let y = squeeze_excite(x.clone(), &reduce, &expand);
        ((y * tensor(shape, 3, &device)).sum(), x)
    };
    let x = numbers(60, 1);
    let (sum, tensor) = loss(&x);
    let gradient = values(&tensor.grad(&sum.backward()).unwrap());
    for (at, &expected) in gradient.iter().enumerate() {
        let value = |x: &[f32]| f64::from(loss(x).0.into_scalar::<f32>());
        let found = difference(value, &x, at, 1e-2);
        assert!((found - expected).abs() < 1e-3, "{at}: {found}, not {expected}");
    }
}

#[test]
fn evaluation_and_threads_give_the_same_bits() {
    let device = flex();
    let [reduce, expand] = layers(40, 6, &device.clone().autodiff());
    let x = tensor::<4>([5, 40, 21, 20], 1, &device);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let x = channels_last(Tensor::from_inner(x.clone()));
            results(x, &[reduce.clone(), expand.clone()], |x| squeeze_excite(x, &reduce, &expand))
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
    let (reduce, expand) = (reduce.clone().valid(), expand.clone().valid());
    assert_eq!(values(&squeeze_excite(channels_last(x), &reduce, &expand)), one[0]);
}

#[test]
fn nan_stays_in_its_image() {
    let device = flex().autodiff();
    let [reduce, expand] = layers(6, 2, &device);
    let mut x = numbers(2 * 6 * 4, 1);
    x[3] = f32::NAN;
    let x = Tensor::<4>::from_data(TensorData::new(x, [2, 6, 2, 2]), &device);
    let found = values(&squeeze_excite(channels_last(x.clone()), &reduce, &expand));
    let expected = values(&by_burn(&x, &[reduce, expand]));
    assert!(found[..24].iter().all(|y| y.is_nan()));
    assert!(found.iter().zip(expected).all(|(&found, expected)| same(found, expected)));
}

#[test]
fn a_sum_with_factors_equals_burns() {
    let device = flex().autodiff();
    let shape = [3, 20, 5, 7];
    let factors = Tensor::<2>::from_floats([[0.0], [1.25], [-2.0]], &device);
    let run = |add: &dyn Fn(Tensor<4>, Tensor<4>) -> Tensor<4>| {
        let x = tensor::<4>(shape, 1, &device).require_grad();
        let branch = tensor::<4>(shape, 2, &device).require_grad();
        let sum = add(x.clone(), branch.clone());
        let gradients = (sum.clone() * tensor(shape, 3, &device)).sum().backward();
        [
            values(&sum),
            values(&x.grad(&gradients).unwrap()),
            values(&branch.grad(&gradients).unwrap()),
        ]
    };
    let expected = run(&|x, branch| x + branch * factors.clone().unsqueeze_dims::<4>(&[2, 3]));
    assert_eq!(run(&|x, branch| add_scaled(x, branch, factors.clone())), expected);
    let moved = |x, branch| add_scaled(channels_last(x), channels_last(branch), factors.clone());
    assert_eq!(run(&moved), expected);
}

#[test]
#[should_panic(expected = "expected a factor for each image")]
fn a_factor_for_another_batch_is_refused() {
    let x = Tensor::<4>::zeros([2, 3, 1, 1], &flex());
    let _ = add_scaled(x.clone(), x, Tensor::zeros([3, 1], &flex()));
}
