//! Smaller views of smaller crops, beside the others.

use serde::{Deserialize, Serialize};
use simclr_augment::{AugmentationConfig, CropConfig};
use simclr_range::OutOfRange;

/// Views of each image that are smaller than the others and show less of it, as in `SwAV`'s multi-crop (Caron et al. 2020,
/// section 3.2). They cost an encoder little, and ask it to tell the whole from a part.
///
/// In everything but size and crop they are as the other views. All views of an image are each other's positives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalViews {
    /// How many of each image, 1 to 16.
    pub count: usize,
    /// Their width and height in pixels. `None` is half of the other views', rounded up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// Smallest and largest share of the image's area that a crop keeps, 0 < min <= max <= 1. Default 0.1 to 0.4.
    #[serde(default = "default_area")]
    pub area: [f64; 2],
}

fn default_area() -> [f64; 2] {
    [0.1, 0.4]
}

impl LocalViews {
    /// So many views of half the others' size, of 10 to 40 % of the image.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self { count, size: None, area: default_area() }
    }

    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let found = self.count;
        OutOfRange::unless((1..=16).contains(&found), "local_views.count", "1 to 16", found)
    }

    /// Their augmentation, beside that of the other views.
    pub(crate) fn augmentation(&self, others: &AugmentationConfig) -> AugmentationConfig {
        let size = self.size.unwrap_or(others.size.div_ceil(2));
        let crop = CropConfig { area: self.area, ..others.crop.clone() };
        AugmentationConfig { size, crop, padded_crop: None, ..others.clone() }
    }
}
