use serde::{Deserialize, Serialize};

/// What the padding beside an image shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaddingFill {
    /// Zeros, before the normalisation: torchvision's `padding_mode="constant"` with its `fill=0`.
    #[default]
    Black,
    /// The image, mirrored at its border pixels, which are not repeated: torchvision's
    /// `padding_mode="reflect"`.
    Reflect,
}
