//! Normalisation, residual sum and ReLU against f64, against Burn's own, and against finite differences.

use burn::module::Module;
use burn::nn::BatchNormConfig;
use burn::tensor::activation::{relu, silu};
use burn::tensor::{DType, Device, Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::{BatchNorm, channels_last};

use crate::support::{difference, distance, flex, numbers, same, tensor, values};

/// What follows the normalisation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Nothing,
    Relu,
    Relu6,
    Silu,
    Add,
    AddRelu,
}

const EVERY: [Then; 6] =
    [Then::Nothing, Then::Relu, Then::Relu6, Then::Silu, Then::Add, Then::AddRelu];

/// The output; the gradients of input, gamma, beta and residual; the running mean and variance.
type Results = Vec<Vec<f64>>;

fn burns(channels: usize, device: &Device) -> burn::nn::BatchNorm {
    let mut norm = BatchNormConfig::new(channels).init(device);
    norm.gamma = norm.gamma.map(|_| tensor([channels], 11, device).require_grad());
    norm.beta = norm.beta.map(|_| tensor([channels], 12, device).require_grad());
    norm
}

fn results<const D: usize>(
    x: Tensor<D>,
    norm: &burn::nn::BatchNorm,
    forward: impl Fn(Tensor<D>, Tensor<D>) -> Tensor<D>,
) -> Results {
    let device = x.device();
    let shape = x.dims();
    let x = x.require_grad();
    let residual = tensor(shape, 2, &device).require_grad();
    let y = forward(x.clone(), residual.clone());
    let gradients = (y.clone() * tensor(shape, 3, &device)).sum().backward();
    vec![
        values(&y),
        values(&x.grad(&gradients).unwrap()),
        values(&norm.gamma.val().grad(&gradients).unwrap()),
        values(&norm.beta.val().grad(&gradients).unwrap()),
        residual.grad(&gradients).map_or_else(Vec::new, |g| values(&g)),
        values(&norm.running_mean.value_sync()),
        values(&norm.running_var.value_sync()),
    ]
}

fn ours_and_burns<const D: usize>(
    x: &Tensor<D>,
    then: Then,
    prepare: impl Fn(Tensor<D>) -> Tensor<D>,
) -> (Results, Results) {
    let device = x.device();
    let theirs = burns(x.dims()[1], &device);
    let mut expected = results(x.clone(), &theirs, |x, residual| match then {
        Then::Nothing => theirs.forward(x),
        Then::Relu => relu(theirs.forward(x)),
        Then::Relu6 => relu(theirs.forward(x)).clamp_max(6.0),
        Then::Silu => silu(theirs.forward(x)),
        Then::Add => theirs.forward(x) + residual,
        Then::AddRelu => relu(theirs.forward(x) + residual),
    });
    // Burn's running variance, 1 before the step, averages biased variances; ours averages unbiased ones.
    let count = (x.shape().num_elements() / x.dims()[1]) as f64;
    for variance in expected.last_mut().expect("the running variance comes last") {
        *variance = 0.9 + (*variance - 0.9) * count / (count - 1.0);
    }
    let copy = burns(x.dims()[1], &device);
    let ours = BatchNorm::from(copy.clone());
    let found = results(x.clone(), &copy, |x, residual| match then {
        Then::Nothing => ours.forward(prepare(x)),
        Then::Relu => ours.forward_relu(prepare(x)),
        Then::Relu6 => ours.forward_relu6(prepare(x)),
        Then::Silu => ours.forward_silu(prepare(x)),
        Then::Add => ours.forward_add(prepare(x), prepare(residual)),
        Then::AddRelu => ours.forward_add_relu(prepare(x), prepare(residual)),
    });
    (found, expected)
}

fn agree(found: &Results, expected: &Results, what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        if !(expected.is_empty() && found.is_empty()) {
            // Sums of values of about one that cancel have the rounding of those values.
            let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            let off = distance(found, expected) * (largest / 0.1).min(1.0);
            assert!(off < 2e-5, "{what}, result {index}: off by {off:e}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn values_gradients_and_statistics_equal_burns(
        shape in [2_usize..6, 1_usize..40, 1_usize..9, 1_usize..9],
        then in proptest::sample::select(&EVERY[..]),
        seed in 20_u64..99,
    ) {
        // The gradient by two or three values is nothing but rounding: normalised, they are the same whatever they were.
        prop_assume!(shape[0] * shape[2] * shape[3] >= 8);
        let device = flex().autodiff();
        let x = tensor(shape, seed, &device);
        let (found, expected) = ours_and_burns(&x, then, |x| x);
        agree(&found, &expected, "channels first");
        let (found, expected) = ours_and_burns(&x, then, channels_last);
        agree(&found, &expected, "channels last");
        let flat = tensor([shape[0] * 4, shape[1]], seed, &device);
        let (found, expected) = ours_and_burns(&flat, then, |x| x);
        agree(&found, &expected, "a matrix");
    }
}

#[test]
fn more_than_one_block_equals_burns() {
    let x = tensor([7, 24, 31, 33], 5, &flex().autodiff());
    for then in EVERY {
        let (found, expected) = ours_and_burns(&x, then, channels_last);
        agree(&found, &expected, "several blocks");
    }
}

#[test]
fn a_large_mean_does_not_drown_the_variance() {
    // The mean of squares minus the square of the mean would lose a deviation of 1 beside 10000.
    let device = flex().autodiff();
    let x = tensor::<4>([4, 16, 20, 20], 1, &device) + 10_000.0;
    let norm = BatchNorm::from(BatchNormConfig::new(16).init(&device));
    let y = values(&norm.forward(channels_last(x.clone())));
    let x = values(&x);
    for channel in 0..16 {
        let of_channel = |i: &usize| i / 400 % 16 == channel;
        let indices: Vec<usize> = (0..x.len()).filter(of_channel).collect();
        let count = indices.len() as f64;
        let mean = indices.iter().map(|&i| x[i]).sum::<f64>() / count;
        let variance = indices.iter().map(|&i| (x[i] - mean).powi(2)).sum::<f64>() / count;
        for &i in &indices {
            let expected = (x[i] - mean) / (variance + 1e-5).sqrt();
            // f32 itself resolves 0.001 at 10000.
            assert!((y[i] - expected).abs() < 3e-3, "{} instead of {expected}", y[i]);
        }
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let device = flex().autodiff();
    let shape = [3, 4, 2, 3];
    let x = numbers(72, 1);
    let loss = |x: &[f32]| {
        let norm = BatchNorm::from(burns(4, &device));
        let x = Tensor::<4>::from_data(TensorData::new(x.to_vec(), shape), &device).require_grad();
        let residual = tensor(shape, 2, &device);
        let y = norm.forward_add_relu(x.clone(), residual);
        ((y * tensor(shape, 3, &device)).sum(), x)
    };
    let (sum, tensor) = loss(&x);
    let gradient = values(&tensor.grad(&sum.backward()).unwrap());
    let value = |x: &[f32]| f64::from(loss(x).0.into_scalar::<f32>());
    let mut checked = 0;
    for (at, &expected) in gradient.iter().enumerate() {
        let [one, two] = [1e-3, 2e-3].map(|h| difference(value, &x, at, h));
        // The two differ across ReLU's bend.
        if (one - two).abs() < 2e-3 {
            checked += 1;
            assert!((one - expected).abs() < 1e-2, "{at}: {one}, not {expected}");
        }
    }
    assert!(checked > 50, "{checked} of 72 checked");
}

#[test]
fn what_is_not_finite_travels_as_in_burns() {
    for bad in [f32::NAN, f32::INFINITY] {
        let device = flex().autodiff();
        let mut x = numbers(2 * 3 * 4, 1);
        x[5] = bad;
        let x = Tensor::<4>::from_data(TensorData::new(x, [2, 3, 2, 2]), &device);
        for then in EVERY {
            let (found, expected) = ours_and_burns(&x, then, |x| x);
            for (&found, &expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                assert!(same(found, expected), "{then:?}: expected {expected}, found {found}");
            }
        }
    }
}

#[test]
fn evaluation_equals_burns_with_the_same_statistics() {
    let device = flex().autodiff();
    let ours = BatchNorm::from(burns(16, &device));
    for seed in 0..3 {
        let _ = ours.forward(tensor::<4>([4, 16, 5, 5], seed + 30, &device));
    }
    let ours = ours.valid();
    let mut theirs = burns(16, &device).valid();
    theirs.running_mean = ours.running_mean.clone();
    theirs.running_var = ours.running_var.clone();
    let x = tensor::<4>([4, 16, 5, 5], 40, &flex());
    let residual = tensor::<4>([4, 16, 5, 5], 41, &flex());
    for (found, expected) in [
        (ours.forward(x.clone()), theirs.forward(x.clone())),
        (ours.forward_relu(channels_last(x.clone())), relu(theirs.forward(x.clone()))),
        (ours.forward_silu(channels_last(x.clone())), silu(theirs.forward(x.clone()))),
        (ours.forward_add_relu(x.clone(), residual.clone()), relu(theirs.forward(x) + residual)),
    ] {
        assert!(distance(&values(&found), &values(&expected)) < 1e-5);
    }
}

#[test]
fn relu6_cuts_off_at_both_ends() {
    let device = flex().autodiff();
    let mut theirs = burns(16, &device);
    theirs.gamma = theirs.gamma.map(|gamma| (gamma.detach() * 9.0).detach().require_grad());
    let ours = BatchNorm::from(theirs.clone());
    let x = tensor::<4>([4, 16, 5, 5], 30, &device);
    let expected = results(x.clone(), &theirs, |x, _| relu(theirs.forward(x)).clamp_max(6.0));
    let found = results(x, &theirs, |x, _| ours.forward_relu6(channels_last(x)));
    assert!(expected[0].iter().filter(|&&y| y >= 6.0).count() > 100);
    agree(&found[..4].to_vec(), &expected[..4].to_vec(), "ReLU6");
}

#[test]
fn the_running_variance_averages_unbiased_ones() {
    let device = flex().autodiff();
    let norm = BatchNorm::from(BatchNormConfig::new(1).init(&device));
    // torch.nn.BatchNorm1d(1)(torch.tensor([[1.], [2.], [6.]])): running_mean 0.3, running_var 0.9 + 0.1 * 7
    let _ = norm.forward(Tensor::<2>::from_data([[1.0], [2.0], [6.0]], &device));
    assert!(distance(&values(&norm.running_mean.value_sync()), &[0.3]) < 1e-6);
    assert!(distance(&values(&norm.running_var.value_sync()), &[1.6]) < 1e-6);
    // One value has no variance, and nothing is divided by zero.
    let _ = norm.forward(Tensor::<2>::from_data([[5.0]], &device));
    assert!(distance(&values(&norm.running_var.value_sync()), &[1.44]) < 1e-6);
}

#[test]
fn an_input_in_sixteen_bits_is_normalised_in_the_type_of_the_parameters() {
    let device = flex().autodiff();
    let x = tensor::<4>([4, 16, 5, 5], 1, &device).cast(DType::BF16);
    let norm = || BatchNorm::from(burns(16, &device));
    let (ours, exact) = (norm(), norm());
    let found = ours.forward_add_relu(x.clone(), x.clone());
    let x = x.cast(DType::F32);
    let expected = exact.forward_add_relu(x.clone(), x);
    assert_eq!(found.dtype(), DType::BF16);
    assert!(distance(&values(&found), &values(&expected)) < 1e-2);
    // The statistics are not rounded to 16 bits.
    let mean = |norm: &BatchNorm| values(&norm.running_mean.value_sync());
    assert!(distance(&mean(&ours), &mean(&exact)) < 1e-6);
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let x = tensor([7, 24, 31, 33], 5, &flex().autodiff());
        pool.install(|| {
            [Then::AddRelu, Then::Silu].map(|then| ours_and_burns(&x, then, channels_last).0)
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
#[should_panic(expected = "expected a residual of the input's shape")]
fn a_residual_of_another_shape_is_refused() {
    let device = flex();
    let norm = BatchNorm::from(BatchNormConfig::new(4).init(&device));
    let _ = norm.forward_add_relu(
        Tensor::<4>::zeros([2, 4, 3, 3], &device),
        Tensor::<4>::zeros([2, 4, 1, 1], &device),
    );
}
