//! How other libraries name and lay out a tensor.

use crate::module_tensors::{ModuleTensor, TensorRole};
use crate::published_names::{Naming, PublishedNames};

/// The name of a module's tensor in a file; `None` if the library doesn't have it.
pub(super) fn stored_name(
    module: &impl PublishedNames,
    tensor: &ModuleTensor,
    naming: Naming,
) -> Option<String> {
    if naming == Naming::Simclr {
        return Some(tensor.name());
    }
    let path: Vec<&str> = tensor.path.iter().map(String::as_str).collect();
    module.published_name(&path, naming)
}

/// The shape of a module's tensor in a file.
pub(super) fn stored_shape(tensor: &ModuleTensor, naming: Naming) -> Vec<usize> {
    let mut shape = tensor.shape.clone();
    if is_stored_transposed(tensor, naming) {
        shape.reverse();
    }
    shape
}

/// Whether other libraries hold the tensor transposed: the weights of fully connected layers.
pub(super) fn is_stored_transposed(tensor: &ModuleTensor, naming: Naming) -> bool {
    tensor.role == TensorRole::Matrix && naming != Naming::Simclr
}

/// The transpose of a matrix with `rows` rows.
pub(super) fn transposed(values: &[f32], rows: usize) -> Vec<f32> {
    let columns = values.len() / rows;
    (0..values.len()).map(|at| values[at % rows * columns + at / rows]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
