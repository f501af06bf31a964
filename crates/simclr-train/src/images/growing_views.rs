//! Views that are smaller in the first passes.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::error::TrainError;
use crate::images::image_views::ImageViews;
use crate::views::view_source::{ViewBatch, ViewSource};

/// Sizes are multiples of it, except for the first one and the last.
const STEP: u32 = 4;

/// Views that begin small and grow to their full size over the first passes, as in progressive resizing: early steps cost an
/// encoder of convolutions less, and learn what is coarse (Bordes, Balestriero and Vincent 2023, "Towards Democratizing
/// Joint-Embedding Self-Supervised Learning").
///
/// A pass goes once through the images. [Local views](crate::LocalViews) keep their share of the others' size. What the
/// monitor sees, and what the encoder is made for, has the full size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrowingViews {
    /// Width and height of the first pass's views in pixels, at least 1 and at most the full size.
    pub first_size: u32,
    /// Views have the full size after so many passes, at least 1.
    pub passes: u64,
}

impl GrowingViews {
    /// Refuses values out of range, for views of `full` pixels in the end.
    pub(crate) fn check(&self, full: u32) -> Result<(), OutOfRange> {
        let (expected, found) = (format!("1 to {full}, the full size"), self.first_size);
        let legal = (1..=full).contains(&found);
        OutOfRange::unless(legal, "growing_views.first_size", expected, found)?;
        let found = self.passes;
        OutOfRange::unless(found > 0, "growing_views.passes", "at least 1", found)
    }

    /// The sizes before the full one, each with the first pass that has it. Passes are numbered from 1.
    pub(crate) fn stages(&self, full: u32) -> Vec<(u64, u32)> {
        let mut stages: Vec<(u64, u32)> = Vec::new();
        for done in 0..self.passes {
            let growth = u64::from(full - self.first_size) * done / self.passes;
            let size = self.first_size + growth as u32;
            let size = if done == 0 { size } else { size / STEP * STEP };
            let last = stages.last().map_or(0, |&(_, size)| size);
            if size > last && size < full {
                stages.push((done + 1, size));
            }
        }
        stages
    }
}

/// Views that change with the passes.
pub(crate) struct ViewStages {
    /// The first pass of each stage, and its views. Those of the first stage are for all passes before the second.
    stages: Vec<(u64, ImageViews)>,
}

impl ViewStages {
    /// Views in stages, in the order of their passes; the last ones have the full size.
    pub(crate) fn new(stages: Vec<(u64, ImageViews)>) -> Self {
        assert!(!stages.is_empty(), "views have a size");
        Self { stages }
    }

    /// The views of a pass.
    fn of(&self, pass: u64) -> &ImageViews {
        let later = self.stages.partition_point(|&(first, _)| first <= pass);
        &self.stages[later.saturating_sub(1)].1
    }

    /// The views of the full size.
    fn last(&self) -> &ImageViews {
        &self.stages[self.stages.len() - 1].1
    }
}

impl ViewSource<Tensor<4>> for ViewStages {
    fn len(&self) -> usize {
        self.last().len()
    }

    fn label(&self, index: usize) -> Option<usize> {
        self.last().label(index)
    }

    fn views_per_example(&self) -> usize {
        self.last().views_per_example()
    }

    fn example_bytes(&self) -> usize {
        self.last().example_bytes()
    }

    fn views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        self.of(pass).views(pass, indices, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_from_the_first_to_the_full_one() {
        let stages = |first_size, passes| GrowingViews { first_size, passes }.stages(32);
        assert_eq!(stages(16, 4), [(1, 16), (2, 20), (3, 24), (4, 28)]);
        assert_eq!(stages(24, 6), [(1, 24), (4, 28)]);
        assert_eq!(stages(15, 2), [(1, 15), (2, 20)]);
        assert_eq!(stages(31, 9), [(1, 31)]);
        assert_eq!(stages(1, 1), [(1, 1)]);
        assert_eq!(stages(32, 5), []);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let message = |first_size, passes| {
            GrowingViews { first_size, passes }.check(32).unwrap_err().to_string()
        };
        let expected = "expected growing_views.first_size to be 1 to 32, the full size, found 33";
        assert_eq!(message(33, 1), expected);
        assert!(message(0, 1).ends_with("found 0"));
        assert_eq!(message(8, 0), "expected growing_views.passes to be at least 1, found 0");
    }
}
