//! Random views of labelled images, in shuffled batches.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use simclr_augment::{SimClrAugmentation, ViewKey};
use simclr_data::{DataError, ImageDataset};
use simclr_embed::EmbedError;
use simclr_traffic::send;

use crate::error::EvalError;

/// The input of a supervised step: n images and their classes.
pub(super) struct LabelledBatch {
    /// `[n, 3, size, size]`, normalised.
    pub(super) input: Tensor<4>,
    /// `[n]`.
    pub(super) labels: Tensor<1, Int>,
}

/// Hands out every image once an epoch, which is one pass, each in a view that follows from (seed, epoch, image) alone.
pub(super) struct LabelledViews<'a> {
    images: &'a dyn ImageDataset,
    labels: Vec<usize>,
    policy: SimClrAugmentation,
    seed: u64,
    order: Vec<usize>,
    random: ChaCha8Rng,
    skipped: BTreeMap<usize, DataError>,
}

impl<'a> LabelledViews<'a> {
    pub(super) fn new(
        images: &'a dyn ImageDataset,
        labels: Vec<usize>,
        policy: SimClrAugmentation,
        seed: u64,
    ) -> Self {
        let order = (0..labels.len()).collect();
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self { images, labels, policy, seed, order, random, skipped: BTreeMap::new() }
    }

    /// How many images can be read: known after the first epoch.
    pub(super) fn readable(&self) -> usize {
        self.labels.len() - self.skipped.len()
    }

    /// The images that could not be read, each once, in order.
    pub(super) fn into_skipped(self) -> Vec<DataError> {
        self.skipped.into_values().collect()
    }

    /// The next epoch's images, dealt into steps of at most `batch_size`.
    ///
    /// The steps differ in size as little as possible: a last step of the remainder could be a single image, whose
    /// batch statistics say nothing.
    pub(super) fn shuffle(&mut self, batch_size: usize) -> Vec<Vec<usize>> {
        self.order.shuffle(&mut self.random);
        let steps = self.order.len().div_ceil(batch_size).max(1);
        let size = self.order.len().div_ceil(steps).max(1);
        self.order.chunks(size).map(<[usize]>::to_vec).collect()
    }

    /// The views of `indices` in `epoch`; `None` if none of them could be read.
    pub(super) fn batch(
        &mut self,
        epoch: usize,
        indices: &[usize],
        device: &Device,
    ) -> Result<Option<LabelledBatch>, EvalError> {
        let views: Vec<_> = indices.par_iter().map(|&index| self.view(epoch, index)).collect();
        let mut pixels = Vec::with_capacity(indices.len() * self.policy.view_len());
        let mut labels = Vec::with_capacity(indices.len());
        for (&index, view) in indices.iter().zip(views) {
            match view {
                Ok(view) => {
                    pixels.extend(view);
                    labels.push(i64::try_from(self.labels[index]).expect("labels count names"));
                }
                Err(EvalError::Embed(EmbedError::Data(error))) if error.is_one_image() => {
                    self.skipped.insert(index, error);
                }
                Err(error) => return Err(error),
            }
        }
        if labels.is_empty() {
            return Ok(None);
        }
        let (count, side) = (labels.len(), self.policy.config().size as usize);
        let input = TensorData::new(pixels, [count, 3, side, side]);
        let labels = TensorData::new(labels, [count]);
        Ok(Some(LabelledBatch { input: send(input, device), labels: send(labels, device) }))
    }

    fn view(&self, epoch: usize, index: usize) -> Result<Vec<f32>, EvalError> {
        let image = self.images.image(index)?;
        let key = ViewKey { seed: self.seed, pass: epoch as u64, index: index as u64, view: 0 };
        let params = self.policy.draw(key, image.width(), image.height());
        let mut pixels = vec![0.0; self.policy.view_len()];
        self.policy.view_into(&image, &params, &mut pixels)?;
        Ok(pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_data::{Sample, SampleConfig};
    use simclr_embed::labels_of;

    fn sample(images: usize) -> Sample {
        Sample::new(SampleConfig { images, size: 16, ..SampleConfig::default() }).unwrap()
    }

    fn views(sample: &Sample) -> LabelledViews<'_> {
        let policy = SimClrAugmentation::cifar10().with_size(8).unwrap();
        let policy = policy.evaluation().crop_and_flip([0.08, 1.0]).unwrap();
        LabelledViews::new(sample, labels_of(sample).unwrap(), policy, 7)
    }

    #[test]
    fn an_epoch_is_every_image_once_in_steps_of_nearly_equal_size() {
        let sample = sample(13);
        let mut views = views(&sample);
        for (batch_size, sizes) in
            [(4, vec![4, 4, 4, 1]), (6, vec![5, 5, 3]), (12, vec![7, 6]), (100, vec![13])]
        {
            let steps = views.shuffle(batch_size);
            assert_eq!(steps.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
            let mut seen = steps.concat();
            seen.sort_unstable();
            assert_eq!(seen, (0..13).collect::<Vec<_>>());
        }
        assert_ne!(views.shuffle(13), views.shuffle(13));
    }

    #[test]
    fn a_view_depends_on_its_epoch_and_image_and_nothing_else() {
        let sample = sample(6);
        let mut views = views(&sample);
        let mut of = |epoch: usize, indices: &[usize]| {
            let batch = views.batch(epoch, indices, &Device::flex()).unwrap().unwrap();
            let labels: Vec<usize> =
                batch.labels.into_data().iter::<i64>().map(|label| label as usize).collect();
            assert_eq!(labels, indices, "image i of the sample is of class i");
            let values = batch.input.into_data().try_to_vec::<f32>().unwrap();
            values.chunks(3 * 8 * 8).map(<[f32]>::to_vec).collect::<Vec<_>>()
        };
        let together = of(3, &[4, 1, 5]);
        assert_eq!(together[1..2], of(3, &[1]));
        assert_ne!(together[1..2], of(4, &[1]));
    }
}
