//! The convolution's gradients: finite differences, NaN and infinity, and what the graph asks for.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use simclr_nn::conv2d;

use crate::convolution::{Sizes, sizes};
use crate::support::{difference, flex, numbers, same, tensor, values};

/// The gradients by images and weights equal central differences, at every so many values of each. `laid` puts the images
/// in an order in memory.
pub(crate) fn equal_finite_differences(
    sizes: &Sizes,
    laid: impl Fn(Tensor<4>) -> Tensor<4>,
    [images_apart, weights_apart]: [usize; 2],
) {
    let device = flex().autodiff();
    let loss = |x: &[f32], w: &[f32]| {
        let x = Tensor::<4>::from_data(TensorData::new(x.to_vec(), sizes.images), &device);
        let w = Tensor::<4>::from_data(TensorData::new(w.to_vec(), sizes.weight), &device);
        let (x, w) = (x.require_grad(), w.require_grad());
        let y = conv2d(laid(x.clone()), w.clone(), None, sizes.options.clone());
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
    for (at, &expected) in of_x.iter().enumerate().step_by(images_apart) {
        let found = difference(|x| value(x, &w), &x, at, 1.0);
        assert!((found - expected).abs() < 1e-3, "input {at}: {found}, not {expected}");
    }
    for (at, &expected) in of_w.iter().enumerate().step_by(weights_apart) {
        let found = difference(|w| value(&x, w), &w, at, 1.0);
        assert!((found - expected).abs() < 1e-3, "weight {at}: {found}, not {expected}");
    }
}

#[test]
fn gradients_equal_finite_differences() {
    // One by Winograd's way and one by the other. The loss is linear in each value, so a large step is exact.
    for sizes in
        [sizes([1, 16, 6, 5], [16, 16, 3, 3], 1, 1), sizes([2, 3, 6, 5], [4, 3, 3, 2], 2, 1)]
    {
        equal_finite_differences(&sizes, |x| x, [37, 41]);
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
                for (&found, &expected) in ours.iter().zip(burns) {
                    assert!(same(found, expected), "{bad}: expected {expected}, found {found}");
                }
            }
        }
    }
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
