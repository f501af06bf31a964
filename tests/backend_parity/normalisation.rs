//! Batch normalisation with the statistics of the batch on each backend, against the definition in f64.

use burn::module::Param;
use burn::nn::BatchNormConfig;
use burn::tensor::{Device, FloatDType, Tensor};
use simclr::nn::{BatchNorm, channels_last};

use crate::backends::{Case, compare};
use crate::layers::{numbers, tensor, values};

pub(crate) const CASES: &[Case] = &[
    Case { name: "normalisation_sum_and_relu_and_their_gradients", run: every_kind },
    Case { name: "normalisation_of_many_values_far_from_zero", run: far_from_zero },
    Case { name: "normalisation_of_16_bits_has_statistics_of_32", run: sixteen_bits },
];

/// What follows the normalisation.
#[derive(Clone, Copy, Debug)]
enum Then {
    Nothing,
    Relu,
    SumAndRelu,
}

/// A normalisation of `[n, channels, height, width]` and everything that belongs to it.
struct Problem {
    shape: [usize; 4],
    then: Then,
    x: Vec<f64>,
    residual: Vec<f64>,
    gamma: Vec<f64>,
    beta: Vec<f64>,
    /// The gradient of the output.
    gradient: Vec<f64>,
}

/// Output, mean, and the gradients of the input, the residual, gamma and beta.
struct Solution {
    output: Vec<f64>,
    mean: Vec<f64>,
    of_x: Vec<f64>,
    of_residual: Vec<f64>,
    of_gamma: Vec<f64>,
    of_beta: Vec<f64>,
}

impl Problem {
    /// Values around `centre`, with a spread of about 1.
    fn new(shape: [usize; 4], centre: f64, then: Then) -> Self {
        let count = shape.iter().product();
        let x = numbers(count, 0.4).into_iter().map(|x| f64::from((x + centre) as f32)).collect();
        let plus_one = |x: f64| f64::from((1.0 + 0.5 * x) as f32);
        Self {
            shape,
            then,
            x,
            residual: numbers(count, 0.5),
            gamma: numbers(shape[1], 0.7).into_iter().map(plus_one).collect(),
            beta: numbers(shape[1], 0.8),
            gradient: numbers(count, 0.6),
        }
    }

    fn channel(&self, element: usize) -> usize {
        element / (self.shape[2] * self.shape[3]) % self.shape[1]
    }

    /// The mean over each channel of what `value` says of each element.
    fn means(&self, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.shape[1]];
        for element in 0..self.x.len() {
            sums[self.channel(element)] += value(element);
        }
        let count = (self.x.len() / self.shape[1]) as f64;
        sums.into_iter().map(|sum| sum / count).collect()
    }

    fn solve(&self) -> Solution {
        let mean = self.means(|i| self.x[i]);
        let variance = self.means(|i| (self.x[i] - mean[self.channel(i)]).powi(2));
        let deviation: Vec<f64> = variance.iter().map(|v| (v + 1e-5).sqrt()).collect();
        let each = |value: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..self.x.len()).map(|i| value(i, self.channel(i))).collect()
        };
        let normal = each(&|i, c| (self.x[i] - mean[c]) / deviation[c]);
        let output = each(&|i, c| {
            let value = normal[i] * self.gamma[c] + self.beta[c];
            match self.then {
                Then::Nothing => value,
                Then::Relu => value.max(0.0),
                Then::SumAndRelu => (value + self.residual[i]).max(0.0),
            }
        });
        let passed = each(&|i, _| {
            let passes = output[i] > 0.0 || matches!(self.then, Then::Nothing);
            if passes { self.gradient[i] } else { 0.0 }
        });
        let along = self.means(|i| passed[i] * normal[i]);
        let level = self.means(|i| passed[i]);
        let of_x = each(&|i, c| {
            self.gamma[c] / deviation[c] * (passed[i] - level[c] - normal[i] * along[c])
        });
        let count = (self.x.len() / self.shape[1]) as f64;
        let sums = |means: Vec<f64>| means.into_iter().map(|mean| count * mean).collect();
        Solution {
            output,
            mean,
            of_x,
            of_residual: passed,
            of_gamma: sums(along),
            of_beta: sums(level),
        }
    }

    /// Fails where the device's values are further than `tolerance` from these.
    fn check(&self, device: &Device, dtype: FloatDType, tolerance: f64) -> Result<(), String> {
        let device = device.clone().autodiff();
        let expected = self.solve();
        let mut norm = BatchNorm::from(BatchNormConfig::new(self.shape[1]).init(&device));
        norm.gamma = Param::from_tensor(tensor(&self.gamma, [self.shape[1]], &device));
        norm.beta = Param::from_tensor(tensor(&self.beta, [self.shape[1]], &device));
        let leaf = |values: &[f64]| tensor(values, self.shape, &device).cast(dtype).require_grad();
        let (input, residual) = (leaf(&self.x), leaf(&self.residual));
        for moved in [input.clone(), channels_last(input.clone()), columns_first(&input)] {
            let output = match self.then {
                Then::Nothing => norm.forward(moved),
                Then::Relu => norm.forward_relu(moved),
                Then::SumAndRelu => norm.forward_add_relu(moved, residual.clone()),
            };
            let what = |of: &str| format!("{:?} {:?}: {of}", self.shape, self.then);
            let found = output.clone().cast(FloatDType::F32);
            compare(&what("output"), &values(&found), &expected.output, tolerance)?;
            let weights = tensor(&self.gradient, self.shape, &device);
            let gradients = (found * weights).sum().backward();
            let of_leaf =
                |leaf: &Tensor<4>| leaf.grad(&gradients).map(|g| values(&g.cast(FloatDType::F32)));
            let of_residual = match self.then {
                Then::SumAndRelu => of_leaf(&residual),
                _ => Some(expected.of_residual.clone()),
            };
            for (of, found, expected) in [
                ("the input's gradient", of_leaf(&input), &expected.of_x),
                ("the residual's gradient", of_residual, &expected.of_residual),
                (
                    "gamma's gradient",
                    norm.gamma.val().grad(&gradients).map(|g| values(&g)),
                    &expected.of_gamma,
                ),
                (
                    "beta's gradient",
                    norm.beta.val().grad(&gradients).map(|g| values(&g)),
                    &expected.of_beta,
                ),
            ] {
                compare(&what(of), &found.ok_or_else(|| what(of))?, expected, tolerance)?;
            }
        }
        // Three updates of the running mean by a tenth each.
        let running: Vec<f64> = expected.mean.iter().map(|m| m * (1.0 - 0.9_f64.powi(3))).collect();
        compare("the running mean", &values(&norm.running_mean.value_sync()), &running, tolerance)
    }
}

/// The same images, with the columns of each channel after each other in memory: an order that no kernel is made for.
fn columns_first(images: &Tensor<4>) -> Tensor<4> {
    // Adding zero makes memory in the order of the axes.
    (images.clone().swap_dims(2, 3) + 0.0).swap_dims(2, 3)
}

const EVERY: [Then; 3] = [Then::Nothing, Then::Relu, Then::SumAndRelu];

fn every_kind(device: &Device) -> Result<(), String> {
    // Vectors of 4, 2 and 1 channels; one column of units and several; one block of rows and several.
    for shape in
        [[3, 4, 2, 5], [2, 6, 3, 3], [5, 3, 7, 2], [2, 132, 2, 3], [9, 8, 16, 16], [4, 2, 1, 1]]
    {
        for then in EVERY {
            Problem::new(shape, 0.0, then).check(device, FloatDType::F32, 2e-5)?;
        }
    }
    Ok(())
}

fn far_from_zero(device: &Device) -> Result<(), String> {
    // 61,440 values a channel around 100: their squares alone would leave no digit of the variance.
    Problem::new([16, 4, 64, 60], 100.0, Then::Relu).check(device, FloatDType::F32, 2e-3)
}

fn sixteen_bits(device: &Device) -> Result<(), String> {
    for (dtype, tolerance) in [(FloatDType::F16, 4e-3), (FloatDType::BF16, 3e-2)] {
        if !device.supports_dtype(dtype) {
            continue;
        }
        for then in EVERY {
            let mut problem = Problem::new([9, 8, 16, 16], 0.0, then);
            // What the device is given is what the definition is given.
            for values in [&mut problem.x, &mut problem.residual, &mut problem.gradient] {
                let rounded = tensor(values, [values.len()], &Device::flex()).cast(dtype);
                *values = rounded.cast(FloatDType::F32).to_data_as::<f64>().iter().collect();
            }
            problem.check(device, dtype, tolerance)?;
        }
    }
    Ok(())
}
