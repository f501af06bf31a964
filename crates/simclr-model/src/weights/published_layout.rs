//! How other libraries name and lay out a network's tensors.

use std::collections::HashMap;
use std::ops::Range;

use super::position_grid::{Resampling, grid_side};
use crate::module_tensors::{ModuleTensor, TensorRole};
use crate::published_names::{Naming, PublishedNames};

/// The namings that a file may have, the more usual one first.
const NAMINGS: [Naming; 10] = [
    Naming::Torchvision,
    Naming::Timm,
    Naming::DinoV2,
    Naming::DinoV3,
    Naming::Transformers,
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
    /// What the library has for each of the module's tensors, in their order: one, or several that are parts of it.
    pub(super) parts: Vec<Vec<LaidOut>>,
    /// What the names of tensors in one of the encoder's own modules begin with that are no part of it.
    pub(super) beside: Option<&'static str>,
    /// The names of tensors that only another network has.
    pub(super) of_others: &'static [&'static str],
    /// The positions and the parameter to which their first row belongs.
    first_position: Option<[&'static str; 2]>,
}

/// One tensor in a library's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LaidOut {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// Which part of the module's tensor it is, of how many of one length: `[0, 1]` for all of it.
    part: [usize; 2],
    /// If it holds positions that may be resampled, the number of those before the patches' own.
    others_before_positions: Option<usize>,
}

impl Layout {
    /// The layouts of all libraries that have the network.
    pub(super) fn all(module: &impl PublishedNames, tensors: &[ModuleTensor]) -> Vec<Self> {
        let layout = |naming| {
            let parts = tensors.iter().map(|tensor| LaidOut::published(module, tensor, naming));
            Some(Self {
                naming,
                parts: parts.collect::<Option<_>>()?,
                beside: module.beside(naming),
                of_others: module.tensors_of_others(naming),
                first_position: module.first_position(naming),
            })
        };
        NAMINGS.into_iter().filter_map(layout).collect()
    }

    /// The layout of this crate's own files.
    pub(super) fn own(tensors: &[ModuleTensor]) -> Self {
        let parts = tensors.iter().map(|tensor| vec![LaidOut::own(tensor)]).collect();
        let naming = Naming::Simclr;
        Self { naming, parts, beside: None, of_others: &[], first_position: None }
    }

    /// All tensors of the library's file.
    pub(super) fn tensors(&self) -> impl Iterator<Item = &LaidOut> {
        self.parts.iter().flatten()
    }

    /// Brings the values of a file to those of the module's `tensors`, where a row of one belongs to another.
    pub(super) fn move_first_position(
        &self,
        tensors: &[ModuleTensor],
        values: &mut HashMap<String, Vec<f32>>,
    ) {
        let Some([positions, token]) = self.first_position else { return };
        let Some(rows) = values.get_mut(positions) else { return };
        let own = tensors.iter().find(|tensor| tensor.name() == positions);
        let first = rows.len() - own.map_or(0, ModuleTensor::count);
        let first: Vec<f32> = rows.drain(..first).collect();
        for (value, first) in values.get_mut(token).into_iter().flatten().zip(first) {
            *value += first;
        }
    }
}

impl LaidOut {
    /// What a library has for the module's tensor; `None` if the library doesn't have it.
    pub(super) fn published(
        module: &impl PublishedNames,
        tensor: &ModuleTensor,
        naming: Naming,
    ) -> Option<Vec<Self>> {
        let path: Vec<&str> = tensor.path.iter().map(String::as_str).collect();
        let mut others_before_positions = module.others_before_positions(&path);
        if naming == Naming::Simclr {
            return Some(vec![Self { others_before_positions, ..Self::own(tensor) }]);
        }
        let mut shape = tensor.shape.clone();
        if is_stored_transposed(tensor, naming) {
            shape.reverse();
        }
        if module.has_pixel_axes(&path, naming) {
            shape.extend([1, 1]);
        }
        if module.first_position(naming).is_some_and(|[positions, _]| path == [positions]) {
            shape[1] += 1;
            others_before_positions = others_before_positions.map(|others| others + 1);
        }
        let names = module.published_parts(&path, naming)?;
        let count = names.len();
        shape[0] /= count;
        let named = names.into_iter().enumerate().filter_map(|(at, name)| Some((at, name?)));
        let laid_out = named.map(|(at, name)| {
            let (shape, part) = (shape.clone(), [at, count]);
            Self { name, shape, part, others_before_positions }
        });
        Some(laid_out.collect())
    }

    /// The module's tensor as this crate holds it.
    pub(super) fn own(tensor: &ModuleTensor) -> Self {
        let shape = tensor.shape.clone();
        Self { name: tensor.name(), shape, part: [0, 1], others_before_positions: None }
    }

    /// Its place among the values of the module's tensor, of which there are so many.
    pub(super) fn range(&self, count: usize) -> Range<usize> {
        let [part, parts] = self.part;
        let each = count / parts;
        part * each..(part + 1) * each
    }

    /// Puts its values into those of the module's tensor, which are zero where nothing is put.
    pub(super) fn put(&self, values: &[f32], whole: &mut Vec<f32>) {
        let [_, parts] = self.part;
        whole.resize(values.len() * parts, 0.0);
        let range = self.range(whole.len());
        whole[range].copy_from_slice(values);
    }

    /// Whether a tensor of `shape` can take its place: it has the same shape, or positions for another number of
    /// patches.
    pub(super) fn fits(&self, shape: &[usize]) -> bool {
        self.shape == shape || self.resampling(shape).is_some()
    }

    /// How positions of `shape` have to be resampled, if they have to.
    pub(super) fn resampling(&self, shape: &[usize]) -> Option<Resampling> {
        let others = self.others_before_positions?;
        match (shape, self.shape.as_slice()) {
            (&[1, found, ours], &[1, needed, features]) if found != needed && ours == features => {
                let (from, to) = (grid_side(found, others)?, grid_side(needed, others)?);
                Some(Resampling { from, to, others })
            }
            _ => None,
        }
    }
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
