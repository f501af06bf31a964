use image::RgbImage;

use crate::config::ResizeFilter;
use crate::cpu::{Planes, Resampler, Resampling};
use crate::draw::{CropBox, ViewParams};

/// A crop of more than this many times the view's width or height is resized on the CPU.
const LARGEST_SHRINK: u32 = 2;

/// A view's parameters and the pixels of its crop: the output of
/// [`DeviceAugmentation::prepare`](crate::DeviceAugmentation::prepare).
#[derive(Debug, Clone)]
pub struct PreparedView {
    params: ViewParams,
    size: u32,
    pixels: Pixels,
}

#[derive(Debug, Clone)]
pub(super) enum Pixels {
    /// The pixels of the crop: interleaved u8.
    Crop(Vec<u8>),
    /// The crop, flipped and resized: planes of the view's size.
    Resized(Vec<f32>),
}

impl PreparedView {
    /// From checked parameters.
    pub(super) fn new(
        image: &RgbImage,
        params: &ViewParams,
        size: u32,
        filter: ResizeFilter,
    ) -> Self {
        let CropBox { x, y, width, height } = params.crop;
        let (params, large) = (params.clone(), width.max(height) > LARGEST_SHRINK * size);
        if large {
            let mut values = vec![0.0; 3 * size as usize * size as usize];
            let mut view = Planes::new(size as usize, &mut values);
            let place = CropBox::whole(size, size);
            let task = Resampling { image, params: &params, place, filter };
            Resampler::default().resample(&task, &mut view);
            return Self { params, size, pixels: Pixels::Resized(values) };
        }
        let row = 3 * width as usize;
        let stride = 3 * image.width() as usize;
        let start = y as usize * stride + 3 * x as usize;
        let rows = image.as_raw()[start..].chunks(stride).take(height as usize);
        let crop = rows.flat_map(|source| &source[..row]).copied().collect();
        Self { params, size, pixels: Pixels::Crop(crop) }
    }

    /// The parameters that were drawn for the view.
    #[must_use]
    pub fn params(&self) -> &ViewParams {
        &self.params
    }

    pub(super) fn size(&self) -> u32 {
        self.size
    }

    pub(super) fn pixels(&self) -> &Pixels {
        &self.pixels
    }

    /// Width of the pixels that go to the device.
    pub(super) fn width(&self) -> usize {
        match self.pixels {
            Pixels::Crop(_) => self.params.crop.width as usize,
            Pixels::Resized(_) => self.size as usize,
        }
    }

    /// Height of the pixels that go to the device.
    pub(super) fn height(&self) -> usize {
        match self.pixels {
            Pixels::Crop(_) => self.params.crop.height as usize,
            Pixels::Resized(_) => self.size as usize,
        }
    }
}
