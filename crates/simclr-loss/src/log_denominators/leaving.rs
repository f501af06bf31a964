//! The pairs that leave the denominators, told on the device.

use std::ops::Range;

use burn::tensor::{Bool, Tensor};

use crate::exclusions::{Exclusions, Partners};
use crate::row_ids::{RowIds, others};

/// Which rows leave an anchor's denominator.
#[expect(clippy::large_enum_variant, reason = "one is made for a loss, and none is moved around")]
pub(super) enum Leaving {
    /// The anchor.
    Itself,
    /// All rows with the anchor's id.
    Group(RowIds),
    /// All rows of the anchor's group but the other views of its own image.
    GroupButPartners { groups: RowIds, images: RowIds },
}

impl Leaving {
    /// For the rows of `z`, `[m, d]`.
    pub(super) fn new(exclusions: &Exclusions, z: &Tensor<2>) -> Self {
        let ids = |of_images: &[usize]| RowIds::new(of_images, z);
        let images = || ids(&(0..exclusions.images()).collect::<Vec<_>>());
        match (exclusions.groups(), exclusions.partners()) {
            (None, Partners::Stay) => Self::Itself,
            (None, Partners::Leave) => Self::Group(images()),
            (Some(groups), Partners::Leave) => Self::Group(ids(groups)),
            (Some(groups), Partners::Stay) => {
                Self::GroupButPartners { groups: ids(groups), images: images() }
            }
        }
    }

    /// The pairs that leave, of the anchors in `rows` and all rows, whose cosines these are: `[b, m]`.
    pub(super) fn mask(&self, rows: Range<usize>, cosines: &Tensor<2>) -> Tensor<2, Bool> {
        let ([_, m], device) = (cosines.dims(), cosines.device());
        let itself = others(rows.clone(), m, &device).bool_not();
        match self {
            Self::Itself => itself,
            Self::Group(ids) => ids.same(rows),
            Self::GroupButPartners { groups, images } => {
                let partners = images.same(rows.clone());
                groups.same(rows).bool_and(partners.bool_not()).bool_or(itself)
            }
        }
    }
}
