//! Vectors packed into one on each backend.

use burn::tensor::{Device, Tensor};
use simclr::nn::{PACK_ALIGNMENT, pack};

use crate::backends::{Case, compare};
use crate::layers::{numbers, tensor, values};

pub(crate) const CASES: &[Case] =
    &[Case { name: "packed_vectors_are_where_they_belong_with_zeros_between", run: packed }];

fn packed(device: &Device) -> Result<(), String> {
    for (count, alignment) in [1, 6, 7, 8, 60].into_iter().zip([1, 2, 64, 1, 1]) {
        let alignment = alignment * PACK_ALIGNMENT;
        let lens: Vec<usize> = (0..count).map(|i| 1 + (i * i * 37) % 3000).collect();
        let vectors: Vec<Vec<f64>> = lens.iter().map(|&len| numbers(len, len as f64)).collect();
        let mut expected = Vec::new();
        for vector in &vectors {
            expected.extend(vector);
            expected.resize(expected.len().next_multiple_of(alignment), 0.0);
        }
        let given: Vec<Tensor<1>> =
            vectors.iter().map(|vector| tensor(vector, [vector.len()], device)).collect();
        compare(&format!("{count} vectors"), &values(&pack(given, alignment)), &expected, 1e-9)?;
    }
    Ok(())
}
