use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::resize_filter::ResizeFilter;
use super::rules;
use crate::draw::{CropBox, Draws};

/// The ranges of the random resized crop ("Inception crop").
///
/// The crop's area is uniform in `area` times the image's, its aspect ratio log-uniform in
/// `aspect`, its place uniform among those that fit. Sides are rounded to whole pixels as in
/// torchvision's `RandomResizedCrop.get_params`. A box that does not fit is drawn again; after `attempts`
/// such boxes the crop is the largest centred box with an aspect ratio inside the range.
///
/// Source: paper appendix A; google's `distorted_bounding_box_crop`; torchvision's
/// `RandomResizedCrop`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropConfig {
    /// Smallest and largest share of the image's area: `0 < min <= max <= 1`.
    pub area: [f64; 2],
    /// Smallest and largest aspect ratio, width / height: `0 < min <= max`, finite.
    pub aspect: [f64; 2],
    /// The number of boxes that are tried before the centred one is taken, 1 to 1000: 10 in torchvision,
    /// 100 in google's code.
    pub attempts: u32,
    /// The filter that resizes the crop.
    pub filter: ResizeFilter,
}

impl CropConfig {
    /// Area 0.08 to 1 and aspect 3/4 to 4/3, the paper's choice, with torchvision's 10 attempts and
    /// antialiased bilinear filter.
    pub const TORCHVISION: Self = Self {
        area: [0.08, 1.0],
        aspect: [3.0 / 4.0, 4.0 / 3.0],
        attempts: 10,
        filter: ResizeFilter::Bilinear,
    };

    /// The same with google's 100 attempts and bicubic filter.
    pub const GOOGLE: Self =
        Self { attempts: 100, filter: ResizeFilter::Bicubic, ..Self::TORCHVISION };

    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        rules::area(self.area)?;
        rules::aspect(self.aspect)?;
        let legal = (1..=1000).contains(&self.attempts);
        OutOfRange::unless(legal, "attempts", "in 1..=1000", self.attempts)
    }

    /// For an image without pixels the box is empty, and making a view of it is an error.
    pub(crate) fn draw(&self, draws: &mut Draws, width: u32, height: u32) -> CropBox {
        let log_aspect = self.aspect.map(libm::log);
        let attempt =
            |_| CropBox::draw(draws, self.area, log_aspect, [width, height], [width, height]);
        (0..self.attempts).find_map(attempt).unwrap_or_else(|| self.centred(width, height))
    }

    /// The largest centred box whose aspect ratio lies in the range.
    ///
    /// torchvision rounds a side to 0 where the range excludes every box of a very thin image; here
    /// it is at least 1.
    fn centred(&self, width: u32, height: u32) -> CropBox {
        let [min, max] = self.aspect;
        let aspect = f64::from(width) / f64::from(height);
        let side = |length: f64, limit: u32| (length.round_ties_even() as u32).max(1).min(limit);
        let (crop_width, crop_height) = if aspect < min {
            (width, side(f64::from(width) / min, height))
        } else if aspect > max {
            (side(f64::from(height) * max, width), height)
        } else {
            (width, height)
        };
        CropBox {
            x: (width - crop_width) / 2,
            y: (height - crop_height) / 2,
            width: crop_width,
            height: crop_height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Step, ViewKey};

    fn draw(config: &CropConfig, index: u64, width: u32, height: u32) -> CropBox {
        let key = ViewKey { seed: 0, pass: 0, index, view: 0 };
        config.draw(&mut Draws::new(key, Step::Crop), width, height)
    }

    #[test]
    fn a_thin_image_falls_back_to_the_centred_box_of_torchvision() {
        // No box of a 1000x30 image holds its whole area at an aspect ratio of at most 4/3.
        let config = CropConfig { area: [1.0, 1.0], ..CropConfig::TORCHVISION };
        assert_eq!(draw(&config, 0, 1000, 30), CropBox { x: 480, y: 0, width: 40, height: 30 });
        assert_eq!(draw(&config, 0, 30, 1000), CropBox { x: 0, y: 480, width: 30, height: 40 });
    }

    #[test]
    fn a_single_pixel_can_be_cropped() {
        for index in 0..100 {
            assert_eq!(draw(&CropConfig::TORCHVISION, index, 1, 1), CropBox::whole(1, 1));
        }
    }

    #[test]
    fn a_line_of_pixels_keeps_its_one_pixel_side() {
        for index in 0..100 {
            assert_eq!(draw(&CropConfig::TORCHVISION, index, 1, 50).width, 1);
            assert_eq!(draw(&CropConfig::TORCHVISION, index, 50, 1).height, 1);
        }
    }

    #[test]
    fn an_aspect_range_that_no_box_can_meet_still_gives_a_box() {
        let config =
            CropConfig { area: [1.0, 1.0], aspect: [100.0, 200.0], ..CropConfig::TORCHVISION };
        assert!(draw(&config, 0, 1, 5).lies_inside(1, 5));
    }

    #[test]
    fn an_image_without_pixels_gives_an_empty_box() {
        let crop = draw(&CropConfig::TORCHVISION, 0, 0, 7);
        assert!(!crop.lies_inside(0, 7));
    }
}
