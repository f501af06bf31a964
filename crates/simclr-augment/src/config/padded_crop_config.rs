use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::draw::{Draws, PaddedWindow, PaddingFill};

/// The padded crop of CIFAR's recipes, which shifts an image instead of zooming into it.
///
/// The image is resized until its shorter side is the view's, `padding` pixels are added on each of its
/// four sides, and a window of the view's size is cut out at a place uniform among those that fit. An image
/// that already has the view's size keeps its pixels.
///
/// With the window given, the view is that of torchvision's `Resize(size)` followed by
/// `RandomCrop(size, padding, fill=0, padding_mode)`.
///
/// ```
/// use simclr_augment::{PaddedCropConfig, PaddingFill, SimClrAugmentation, ViewKey};
///
/// let mut config = SimClrAugmentation::cifar10().config().clone();
/// config.padded_crop = Some(PaddedCropConfig { padding: 4, fill: PaddingFill::Black });
/// let policy = SimClrAugmentation::new(config)?;
/// let params = policy.draw(ViewKey { seed: 0, pass: 1, index: 7, view: 0 }, 32, 32);
/// let window = params.padded.expect("every view has one");
/// assert!(window.x <= 8 && window.y <= 8);
/// # Ok::<(), simclr_augment::OutOfRange>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaddedCropConfig {
    /// Pixels of a view that are added on each side of the image: below the view's size. CIFAR's recipes
    /// take 4 for 32; with 0, a square image is shown whole.
    pub padding: u32,
    /// What the padding shows; black if the field is absent.
    #[serde(default)]
    pub fill: PaddingFill,
}

impl PaddedCropConfig {
    pub(super) fn check(&self, size: u32) -> Result<(), OutOfRange> {
        let expected = format!("below {size}, the size of a view");
        OutOfRange::unless(self.padding < size, "padding", expected, self.padding)
    }

    /// For an image without pixels it is a window of no use, and making a view of it is an error.
    pub(crate) fn draw(&self, draws: &mut Draws, image: [u32; 2], size: u32) -> PaddedWindow {
        let &Self { padding, fill } = self;
        let [x, y] = PaddedWindow::largest_start(image, size, padding)
            .map(|largest| draws.below(largest.saturating_add(1)));
        PaddedWindow { x, y, padding, fill }
    }
}
