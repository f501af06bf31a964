//! The part of a contrastive loss that takes the time: the logarithms of the denominators.
//!
//! Every loss here is a cheap term in the positive pairs plus
//!
//! ```text
//! sum_i  w_i ln D_i,    D_i = sum over the k that stay of exp(z_i . z_k / t)
//! ```
//!
//! whose gradient is known in closed form,
//!
//! ```text
//! d/dz_i = 1/t  sum_k  (w_i / D_i + w_k / D_k) exp(z_i . z_k / t) z_k
//! ```
//!
//! Both are computed here, tile by tile, so that the matrix of similarities never exists.

#[cfg(feature = "flex")]
mod cpu;
mod tensor_blocks;

use burn::tensor::Tensor;

use crate::exclusions::Exclusions;
use crate::temperature::Temperature;

/// Up to this scale 1/t the exponents are shifted by the constant 1/t, which no cosine exceeds: the
/// smallest term, exp(-2/t), is then still an ordinary f32. Beyond it, each row's maximum is looked up
/// first, in a sweep of its own.
const LARGEST_SCALE_OF_CONSTANT_SHIFT: f64 = 40.0;

/// Which sum of log-denominators is wanted.
#[derive(Debug)]
pub(crate) struct Problem {
    /// 1/t.
    scale: f64,
    /// The weight of each row's logarithm. Zero for a row whose denominator is empty.
    weights: Vec<f64>,
    exclusions: Exclusions,
}

impl Problem {
    /// # Panics
    ///
    /// If there isn't one weight a row.
    pub(crate) fn new(temperature: Temperature, weights: Vec<f64>, exclusions: Exclusions) -> Self {
        assert_eq!(weights.len(), exclusions.rows(), "expected one weight for each row");
        Self { scale: 1.0 / temperature.get(), weights, exclusions }
    }

    /// The sum of `weight * ln(denominator)` over the rows of `z`, differentiable.
    ///
    /// The gradient is computed along with the value, if `z` is tracked by autodiff, and attached to
    /// the graph. Nothing else is kept: `[m, d]` numbers wait for the backward pass.
    ///
    /// # Shapes
    ///
    /// - `z`: `[m, d]`, unit rows
    /// - output: `[1]`
    pub(crate) fn weighted_sum(&self, z: Tensor<2>) -> Tensor<1> {
        let (value, gradient) = self.solve(z.clone().inner(), z.is_tracked());
        match gradient {
            None => value,
            Some(gradient) => {
                // Linear in z, so that its derivative is `gradient` whatever comes downstream; and
                // exactly zero, so that the value stays what it is.
                let linear = (z * gradient).sum();
                linear.clone() - linear.detach() + value
            }
        }
    }

    fn solve(&self, z: Tensor<2>, with_gradient: bool) -> (Tensor<1>, Option<Tensor<2>>) {
        #[cfg(feature = "flex")]
        if runs_on_flex_in_f32(&z) {
            return self.solve_on_cpu(z, with_gradient);
        }
        tensor_blocks::solve(self, z, with_gradient)
    }

    /// Reads the values, solves on slices, and hands tensors back: a few copies of `[m, d]`, against
    /// `m² d` multiply-adds. Not a backend extension, because one must name all its backends when the
    /// crate is compiled, and panics on any other.
    #[cfg(feature = "flex")]
    fn solve_on_cpu(&self, z: Tensor<2>, with_gradient: bool) -> (Tensor<1>, Option<Tensor<2>>) {
        use burn::tensor::TensorData;

        let (device, [rows, d]) = (z.device(), z.dims());
        let data = z.into_data();
        let values = data.as_slice::<f32>().expect("the rows are in f32");
        let cpu::Solution { value, gradient } = cpu::solve(self, values, d, with_gradient);
        let value = Tensor::from_data([value as f32], &device);
        let gradient = gradient.map(|g| Tensor::from_data(TensorData::new(g, [rows, d]), &device));
        (value, gradient)
    }

    fn constant_shift_is_safe(&self) -> bool {
        self.scale <= LARGEST_SCALE_OF_CONSTANT_SHIFT
    }
}

#[cfg(feature = "flex")]
fn runs_on_flex_in_f32(z: &Tensor<2>) -> bool {
    use burn::tensor::{DType, Device};

    z.device() == Device::flex() && z.dtype() == DType::F32
}
