//! Sums over each of several packed parameters.

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// Rows that a single parameter is cut into, at most: enough for every core of a GPU.
const MOST_ROWS: usize = 1024;

/// Cuts a vector in which parameters lie after each other into rows of one length. A row belongs to one parameter; a
/// parameter's last row ends in zeros.
///
/// A sum over a parameter is one over rows, and then over its rows' sums: on CubeCL backends Burn's sum of a whole
/// tensor adds its parts in the order in which they come, and a seed would not give the same run twice.
pub(crate) struct Blocks {
    /// The values of a row.
    len: usize,
    /// `None` for a single parameter.
    owners: Option<Owners>,
}

/// The parameter of each row.
struct Owners {
    /// Indices of the parameters, `[rows]`.
    of_row: Tensor<1, Int>,
    /// Whether a row belongs to another parameter, `[parameters, rows]`.
    others: Tensor<2, Bool>,
}

impl Blocks {
    /// A single parameter of so many values, without zeros behind.
    pub(crate) fn of_one(count: usize) -> Self {
        // The largest power of two that divides the count.
        let rows = (1 << count.trailing_zeros()).min(MOST_ROWS);
        Self { len: count / rows, owners: None }
    }

    /// Parameters of so many values, each from a multiple of `len` on.
    pub(crate) fn of_many(counts: &[usize], len: usize, device: &Device) -> Self {
        let rows = || counts.iter().map(|count| count.div_ceil(len));
        let of_row: Vec<usize> =
            rows().enumerate().flat_map(|(owner, rows)| vec![owner; rows]).collect();
        let others = (0..counts.len())
            .flat_map(|parameter| of_row.iter().map(move |&owner| owner != parameter));
        let others = TensorData::new(others.collect(), [counts.len(), of_row.len()]);
        let of_row: Vec<i32> = of_row
            .into_iter()
            .map(|owner| i32::try_from(owner).expect("fewer parameters than that"))
            .collect();
        let of_row = Tensor::from_ints(of_row.as_slice(), device);
        let owners = Owners { of_row, others: Tensor::from_data(others, device) };
        Self { len, owners: Some(owners) }
    }

    /// The Euclidean length of each parameter, `[parameters, 1]`. `values` are `[rows * len]`.
    pub(crate) fn norms(&self, values: &Tensor<1>) -> Tensor<2> {
        let squares = self.rows(values.clone().square()).sum_dim(1); // [rows, 1]
        let sums = match &self.owners {
            None => squares.sum_dim(0),
            Some(Owners { others, .. }) => {
                // Filled and not multiplied with zero, as one parameter's infinity is not the others' NaN.
                let own =
                    squares.swap_dims(0, 1).expand(others.dims()).mask_fill(others.clone(), 0);
                own.sum_dim(1)
            }
        };
        sums.sqrt()
    }

    /// Multiplies each parameter by a factor of its own. `values` are `[rows * len]`, `factors` are `[parameters, 1]`.
    pub(crate) fn scaled(&self, values: Tensor<1>, factors: Tensor<2>) -> Tensor<1> {
        let factors = match &self.owners {
            None => factors,
            Some(Owners { of_row, .. }) => factors.select(0, of_row.clone()), // [rows, 1]
        };
        let count = values.shape().num_elements();
        self.rows(values).mul(factors).reshape([count])
    }

    fn rows(&self, values: Tensor<1>) -> Tensor<2> {
        let count = values.shape().num_elements();
        values.reshape([count / self.len, self.len])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_nn::pack;

    #[test]
    fn each_parameter_has_its_own_length_and_factor() {
        let device = Device::flex();
        let parameters = [vec![3.0, 4.0], vec![1.0; 129], vec![0.0], vec![-2.0; 64]];
        let counts = parameters.each_ref().map(Vec::len);
        let tensors = parameters.each_ref().map(|p| Tensor::<1>::from_floats(&p[..], &device));
        let packed = pack(tensors.to_vec(), 64);
        let blocks = Blocks::of_many(&counts, 64, &device);

        let norms: Vec<f32> = blocks.norms(&packed).into_data().iter().collect();
        let expected = [5.0, 129_f32.sqrt(), 0.0, 16.0];
        let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
        assert!(norms.iter().zip(expected).all(|(&a, b)| near(a, b)), "{norms:?}");

        let factors = Tensor::<1>::from_floats([1.0, 10.0, 100.0, 1000.0], &device).reshape([4, 1]);
        let scaled: Vec<f32> = blocks.scaled(packed, factors).into_data().iter().collect();
        assert_eq!(scaled.len(), 64 + 192 + 64 + 64);
        assert_eq!(scaled[..3], [3.0, 4.0, 0.0]);
        assert_eq!((scaled[64], scaled[192], scaled[193]), (10.0, 10.0, 0.0));
        assert_eq!(scaled[320..], [-2000.0; 64]);
    }

    #[test]
    fn a_single_parameter_has_rows_of_a_power_of_two() {
        let device = Device::flex();
        for count in [1, 3, 96, 4096, 12_288] {
            let values = Tensor::<1>::ones([count], &device);
            let blocks = Blocks::of_one(count);
            let norm: f32 = blocks.norms(&values).into_scalar();
            assert!((norm - (count as f32).sqrt()).abs() < 1e-4, "{count}: {norm}");
            let scaled = blocks.scaled(values, Tensor::full([1, 1], 2.0, &device));
            assert_eq!(scaled.dims(), [count]);
        }
    }

    #[test]
    fn an_infinite_parameter_leaves_the_others_their_length() {
        let device = Device::flex();
        let infinite = Tensor::<1>::full([2], f32::INFINITY, &device);
        let packed = pack(vec![infinite, Tensor::ones([4], &device)], 64);
        let norms = Blocks::of_many(&[2, 4], 64, &device).norms(&packed);
        let norms: Vec<f32> = norms.into_data().iter().collect();
        assert_eq!(norms, [f32::INFINITY, 2.0]);
    }
}
