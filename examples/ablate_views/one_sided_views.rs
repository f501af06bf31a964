//! Two views of each image, of which only the second is transformed.

use std::sync::Arc;

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use simclr::augment::{AugmentationError, SimClrAugmentation, ViewKey};
use simclr::data::ImageDataset;
use simclr::train::{Skipped, TrainError, ViewBatch, ViewSource, Views};

use crate::results::Cell;
use crate::transformation::unchanged;

/// The views of a cell: a random crop, and that same crop transformed.
pub(crate) struct OneSidedViews {
    images: Arc<dyn ImageDataset>,
    seed: u64,
    crop: SimClrAugmentation,
    /// One or two, applied in order.
    transformations: Vec<SimClrAugmentation>,
    /// Makes a picture the encoder's input.
    unchanged: SimClrAugmentation,
}

impl OneSidedViews {
    /// The views of `cell`, with crops, strengths and size of the policy `whole`.
    pub(crate) fn new(
        images: &Arc<dyn ImageDataset>,
        whole: &SimClrAugmentation,
        cell: &Cell,
    ) -> Result<Self> {
        let mut crop = unchanged(whole)?;
        crop.crop = whole.config().crop.clone();
        let transformations = cell.transformations().iter();
        Ok(Self {
            images: Arc::clone(images),
            seed: cell.seed,
            crop: SimClrAugmentation::new(crop)?,
            transformations: transformations.map(|t| t.policy(whole)).collect::<Result<_>>()?,
            unchanged: SimClrAugmentation::new(unchanged(whole)?)?,
        })
    }

    /// Both views of an image, or why it is skipped.
    fn pair(&self, pass: u64, index: usize) -> Result<Result<[Vec<f32>; 2], Skipped>, TrainError> {
        let skipped = |reason: String| Ok(Err(Skipped { index, reason }));
        let image = match self.images.image(index) {
            Ok(image) => image,
            Err(error) if error.is_one_image() => return skipped(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        // Each step has draws of its own.
        let key = |step| ViewKey { seed: self.seed, pass, index: index as u64, view: step };
        let apply = |policy: &SimClrAugmentation, image: &_, step| {
            let image: &image::RgbImage = image;
            policy.view(image, &policy.draw(key(step), image.width(), image.height()))
        };
        let cropped = match apply(&self.crop, &image, 0) {
            Ok(cropped) => cropped,
            Err(AugmentationError::CropOutsideImage { .. }) => {
                return skipped(format!(
                    "expected pixels, found none in {}",
                    self.images.name(index)
                ));
            }
            Err(error) => return Err(error.into()),
        };
        let mut transformed = cropped.clone();
        for (step, policy) in (1..).zip(&self.transformations) {
            transformed = apply(policy, &transformed, step)?;
        }
        let input = |picture: &image::RgbImage| {
            let mut values = vec![0.0; self.unchanged.view_len()];
            let params = self.unchanged.draw(key(0), picture.width(), picture.height());
            self.unchanged.view_into(picture, &params, &mut values).map(|()| values)
        };
        Ok(Ok([input(&cropped)?, input(&transformed)?]))
    }
}

impl ViewSource<Tensor<4>> for OneSidedViews {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        let pairs = indices.par_iter().map(|&index| self.pair(pass, index));
        let pairs = pairs.collect::<Result<Vec<_>, TrainError>>()?;
        let (mut a, mut b, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for pair in pairs {
            match pair {
                Ok([first, second]) => {
                    a.extend(first);
                    b.extend(second);
                }
                Err(skip) => skipped.push(skip),
            }
        }
        let (examples, side) = (indices.len() - skipped.len(), self.crop.config().size as usize);
        a.append(&mut b); // View a of every image, then view b.
        let views = (examples > 0).then(|| {
            let batch = TensorData::new(a, [2 * examples, 3, side, side]);
            Views::new(Tensor::from_data(batch, device), 2, examples)
        });
        Ok(ViewBatch { views, skipped })
    }
}
