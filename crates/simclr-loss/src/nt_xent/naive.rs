//! NT-Xent as two loops, as in the paper's Algorithm 1.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::explanation::Explanation;
use crate::temperature::Temperature;
use crate::views::UnitViews;

/// NT-Xent as two nested loops over the 2n views, for reading and for checking the fast forms.
///
/// It is differentiable like the others and takes 4n² steps: use it for tens of images.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::{NaiveNtXent, NtXent};
///
/// let device = Device::flex();
/// let z_a = Tensor::<2>::from_data([[1.0, 2.0], [3.0, -2.0]], &device);
/// let z_b = Tensor::<2>::from_data([[1.0, 0.75], [2.8, -1.75]], &device);
///
/// let naive = NaiveNtXent::new(1.0)?.forward(z_a.clone(), z_b.clone()).into_scalar::<f64>();
/// let fast = NtXent::new(1.0)?.forward(z_a, z_b).into_scalar::<f64>();
/// assert!((naive - fast).abs() < 1e-6);
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NaiveNtXent {
    temperature: Temperature,
}

impl NaiveNtXent {
    /// A loss with the given temperature: a number, or a [`Temperature`], which is valid already.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless the temperature is finite and positive.
    pub fn new(
        temperature: impl TryInto<Temperature, Error: Into<OutOfRange>>,
    ) -> Result<Self, OutOfRange> {
        Ok(Self { temperature: Temperature::given(temperature)? })
    }

    /// The mean of l(i, j) over all 2n anchors. See [`NtXent::forward`](crate::NtXent::forward).
    ///
    /// # Shapes
    ///
    /// - `z_a`, `z_b`: `[n, d]`, projections of the two views, of any length; row i of each comes
    ///   from image i
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If the shapes differ, or n or d is zero.
    #[must_use]
    pub fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
        let z = UnitViews::new(z_a, z_b).concat(); // [2n, d]
        let views = z.dims()[0];
        let n = views / 2;

        let zero = Tensor::<1>::zeros([1], (&z.device(), z.dtype()));
        let mut sum = zero.clone();
        for i in 0..views {
            let partner = (i + n) % views;
            // A constant that is subtracted from every exponent and added again outside the logarithm
            // changes nothing, but keeps exp in range. Any constant near the largest term will do.
            let similarities: Vec<Option<Tensor<1>>> =
                (0..views).map(|k| (k != i).then(|| self.similarity(&z, i, k))).collect();
            let shift = largest(&similarities);

            let mut denominator = zero.clone();
            for s_ik in similarities.iter().flatten() {
                denominator = denominator + s_ik.clone().sub_scalar(shift).exp();
            }
            let s_ij = self.similarity(&z, i, partner);
            let l_ij = denominator.log().add_scalar(shift) - s_ij;
            sum = sum + l_ij;
        }
        sum.div_scalar(views as f64)
    }

    /// Every number that goes into the loss, in f64, to print or to check by hand.
    ///
    /// # Shapes
    ///
    /// - `z_a`, `z_b`: as in [`forward`](Self::forward)
    ///
    /// # Panics
    ///
    /// If the shapes differ, n or d is zero, or the device fails to hand out the values.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use simclr_loss::NaiveNtXent;
    ///
    /// let device = Device::flex();
    /// let z_a = Tensor::<2>::from_data([[1.0, 2.0], [3.0, -2.0]], &device);
    /// let z_b = Tensor::<2>::from_data([[1.0, 0.75], [2.8, -1.75]], &device);
    /// let explained = NaiveNtXent::new(1.0)?.explain(&z_a, &z_b);
    /// assert_eq!(explained.anchors.len(), 4);
    /// println!("{explained}");
    /// # Ok::<(), simclr_loss::OutOfRange>(())
    /// ```
    #[must_use]
    pub fn explain(&self, z_a: &Tensor<2>, z_b: &Tensor<2>) -> Explanation {
        let ([n_a, d_a], [n_b, d_b]) = (z_a.dims(), z_b.dims());
        assert!(
            n_a == n_b && d_a == d_b && n_a > 0 && d_a > 0,
            "expected two non-empty views of the same shape [n, d], found [{n_a}, {d_a}] and [{n_b}, {d_b}]"
        );
        let rows = |z: &Tensor<2>| -> Vec<Vec<f64>> {
            let values: Vec<f64> = z.to_data_as::<f64>().iter::<f64>().collect();
            values.chunks(d_a).map(<[f64]>::to_vec).collect()
        };
        Explanation::new(&rows(z_a), &rows(z_b), self.temperature)
    }

    /// The similarity `z_i . z_k / t` of two unit rows.
    fn similarity(self, z: &Tensor<2>, i: usize, k: usize) -> Tensor<1> {
        let (z_i, z_k) = (z.clone().narrow(0, i, 1), z.clone().narrow(0, k, 1));
        (z_i * z_k).sum().div_scalar(self.temperature.get())
    }
}

fn largest(similarities: &[Option<Tensor<1>>]) -> f64 {
    similarities
        .iter()
        .flatten()
        .map(|s| s.clone().into_scalar::<f64>())
        .fold(f64::NEG_INFINITY, f64::max)
}
