//! Two random views of each image of a data set.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use simclr_augment::{SimClrAugmentation, ViewKey};
use simclr_data::ImageDataset;

use crate::error::TrainError;
use crate::two_views::{Skipped, TwoViews, ViewBatch, ViewSource};

/// Augmented views of images, made on the CPU by all cores, one image a task.
pub struct ImageViews {
    images: Arc<dyn ImageDataset>,
    augmentation: SimClrAugmentation,
    seed: u64,
}

impl ImageViews {
    /// Views of `images`; each is a function of (seed, epoch, image, view) alone.
    #[must_use]
    pub fn new(images: Arc<dyn ImageDataset>, augmentation: SimClrAugmentation, seed: u64) -> Self {
        Self { images, augmentation, seed }
    }

    /// Both views of one image, or why it has to be skipped.
    fn pair(&self, epoch: u64, index: usize) -> Result<Result<[Vec<f32>; 2], Skipped>, TrainError> {
        let image = match self.images.image(index) {
            Ok(image) => image,
            Err(error) if error.is_one_image() => {
                let reason = with_sources(&error);
                return Ok(Err(Skipped { index, reason }));
            }
            Err(error) => return Err(error.into()),
        };
        let view = |view: u64| -> Result<Vec<f32>, TrainError> {
            let key = ViewKey { seed: self.seed, epoch, index: index as u64, view };
            let params = self.augmentation.draw(key, image.width(), image.height());
            let mut pixels = vec![0.0; self.augmentation.view_len()];
            self.augmentation.view_into(&image, &params, &mut pixels)?;
            Ok(pixels)
        };
        Ok(Ok([view(0)?, view(1)?]))
    }
}

/// An error with all that caused it, on one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line = format!("{line}: {error}");
        source = error.source();
    }
    line
}

impl ViewSource<Tensor<4>> for ImageViews {
    fn len(&self) -> usize {
        self.images.len()
    }

    /// Input: `[2n, 3, size, size]`, normalised.
    fn two_views(
        &self,
        epoch: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        let pairs: Vec<_> = indices
            .par_iter()
            .map(|&index| self.pair(epoch, index))
            .collect::<Result<_, TrainError>>()?;

        let (mut a, mut b, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for pair in pairs {
            match pair {
                Ok([view_a, view_b]) => {
                    a.extend(view_a);
                    b.extend(view_b);
                }
                Err(reason) => skipped.push(reason),
            }
        }
        let examples = indices.len() - skipped.len();
        a.append(&mut b);

        let side = self.augmentation.config().size as usize;
        let views = (examples > 0).then(|| {
            let batch = TensorData::new(a, [2 * examples, 3, side, side]);
            TwoViews { input: Tensor::from_data(batch, device), examples }
        });
        Ok(ViewBatch { views, skipped })
    }
}
