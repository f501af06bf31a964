use serde::{Deserialize, Serialize};

/// The filter that resizes a crop.
///
/// Both filters widen with the scale when the crop is larger than the view ("antialiased"), and both use
/// only pixels of the crop: those outside the box do not bleed in at its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResizeFilter {
    /// A triangle of radius 1: torchvision's default with `antialias=True`, and PIL's `BILINEAR`.
    Bilinear,
    /// Keys' cubic of radius 2 with a = -0.5: PIL's `BICUBIC`, which solo-learn uses, and torchvision's
    /// bicubic with `antialias=True`. Google's code uses the same cubic without antialiasing.
    Bicubic,
}

impl ResizeFilter {
    /// The distance beyond which a pixel has no weight, counted in pixels of the view or of the crop,
    /// whichever pixel is larger.
    pub(crate) fn radius(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    /// The weight of a pixel at a distance, not normalised.
    pub(crate) fn weight(self, distance: f64) -> f64 {
        let x = distance.abs();
        match self {
            Self::Bilinear => (1.0 - x).max(0.0),
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Self::Bicubic => 0.0,
        }
    }
}
