use serde::{Deserialize, Serialize};

use crate::draw::CropBox;

/// How an image that is not square becomes a square input, where nothing may be random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The centred square: what lies at the ends of a tall or wide image is lost.
    #[default]
    Crop,
    /// The whole image in the middle, and the mean colour of the normalisation (0 once normalised)
    /// beside it.
    Pad,
    /// The whole image, stretched to a square.
    Squash,
}

impl Fit {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
    pub(crate) fn is_crop(&self) -> bool {
        *self == Self::Crop
    }

    /// The part of a view of `size x size` pixels that a crop fills.
    pub(crate) fn place(self, crop: CropBox, size: u32) -> CropBox {
        if self != Self::Pad {
            return CropBox::whole(size, size);
        }
        let longer = f64::from(crop.width.max(crop.height));
        let scaled = |length: u32| {
            let length = f64::from(length) / longer * f64::from(size);
            (length.round_ties_even() as u32).clamp(1, size)
        };
        let (width, height) = (scaled(crop.width), scaled(crop.height));
        CropBox { x: (size - width) / 2, y: (size - height) / 2, width, height }
    }
}
