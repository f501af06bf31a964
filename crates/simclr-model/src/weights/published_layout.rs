//! How other libraries name and lay out a network's tensors.

use super::position_grid::grid_side;
use crate::module_tensors::{ModuleTensor, TensorRole};
use crate::published_names::{Naming, PublishedNames};

/// The namings that a file may have, the more usual one first.
const NAMINGS: [Naming; 7] = [
    Naming::Torchvision,
    Naming::Timm,
    Naming::EfficientNetPytorch,
    Naming::Simclr,
    Naming::Sequential { first_stage: 4 },
    Naming::Sequential { first_stage: 3 },
    Naming::Sequential { first_stage: 2 },
];

/// A network's tensors as a file has them that a library wrote.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) naming: Naming,
    /// In the order of the module's tensors.
    pub(super) tensors: Vec<LaidOut>,
}

/// One tensor in a library's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LaidOut {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// Whether it holds positions that may be resampled.
    pub(super) is_position_grid: bool,
}

impl Layout {
    /// The layouts of all libraries that have the network.
    pub(super) fn all(module: &impl PublishedNames, tensors: &[ModuleTensor]) -> Vec<Self> {
        let laid_out = |tensor: &ModuleTensor, naming| {
            let path: Vec<&str> = tensor.path.iter().map(String::as_str).collect();
            Some(LaidOut {
                name: stored_name(module, tensor, naming)?,
                shape: stored_shape(tensor, naming),
                is_position_grid: module.is_position_grid(&path),
            })
        };
        let layout = |naming| {
            let tensors = tensors.iter().map(|tensor| laid_out(tensor, naming));
            Some(Self { naming, tensors: tensors.collect::<Option<_>>()? })
        };
        NAMINGS.into_iter().filter_map(layout).collect()
    }

    /// The layout of this crate's own files.
    pub(super) fn own(tensors: &[ModuleTensor]) -> Self {
        let laid_out = |tensor: &ModuleTensor| LaidOut {
            name: tensor.name(),
            shape: tensor.shape.clone(),
            is_position_grid: false,
        };
        Self { naming: Naming::Simclr, tensors: tensors.iter().map(laid_out).collect() }
    }
}

impl LaidOut {
    /// Whether a tensor of `shape` can take its place: it has the same shape, or positions for another number of
    /// patches.
    pub(super) fn fits(&self, shape: &[usize]) -> bool {
        self.shape == shape || self.resampling(shape).is_some()
    }

    /// The sides of the squares of patches, if positions of `shape` have to be resampled: from and to.
    pub(super) fn resampling(&self, shape: &[usize]) -> Option<[usize; 2]> {
        match (shape, self.shape.as_slice()) {
            (&[1, found, ours], &[1, needed, features])
                if self.is_position_grid && found != needed && ours == features =>
            {
                Some([grid_side(found)?, grid_side(needed)?])
            }
            _ => None,
        }
    }
}

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
