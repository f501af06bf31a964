//! Two random views of each image.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use simclr_augment::{
    AugmentationError, DeviceAugmentation, PreparedView, SimClrAugmentation, ViewKey, ViewParams,
};
use simclr_data::ImageDataset;

use crate::error::TrainError;
use crate::images::decoding::Decoding;
use crate::views::view_source::{Skipped, TwoViews, ViewBatch, ViewSource};

/// Where the pixels of views are computed. Both paths make the same views, except for rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewPath {
    /// On all cores of the CPU: the right choice if the network runs on the CPU too, or if the cores are fast enough
    /// for the device.
    #[default]
    Cpu,
    /// On the training device, a batch at a time. The CPU only decodes and crops.
    Device,
}

/// Augmented views of images. Each depends only on (seed, pass, image, view).
pub struct ImageViews {
    images: Arc<dyn ImageDataset>,
    augmentation: Augmentation,
    decoding: Decoding,
    seed: u64,
}

enum Augmentation {
    Cpu(SimClrAugmentation),
    Device(DeviceAugmentation),
}

impl ImageViews {
    /// Views of `images`, computed on the CPU.
    #[must_use]
    pub fn new(images: Arc<dyn ImageDataset>, augmentation: SimClrAugmentation, seed: u64) -> Self {
        Self::of(images, Augmentation::Cpu(augmentation), seed)
    }

    /// Views of `images`, computed on the device that trains on them.
    #[must_use]
    pub fn on_device(
        images: Arc<dyn ImageDataset>,
        augmentation: DeviceAugmentation,
        seed: u64,
    ) -> Self {
        Self::of(images, Augmentation::Device(augmentation), seed)
    }

    fn of(images: Arc<dyn ImageDataset>, augmentation: Augmentation, seed: u64) -> Self {
        Self { images, augmentation, decoding: Decoding::default(), seed }
    }

    /// The same views of images that are decoded as finely as `decoding` says.
    #[must_use]
    pub fn with_decoding(self, decoding: Decoding) -> Self {
        Self { decoding, ..self }
    }

    /// Makes both views of one image by `make`, whose last argument is the view, 0 or 1. An image that cannot be read
    /// is [`Skipped`].
    fn pair<T>(
        &self,
        pass: u64,
        index: usize,
        policy: &SimClrAugmentation,
        mut make: impl FnMut(&RgbImage, &ViewParams, usize) -> Result<T, AugmentationError>,
    ) -> Result<Result<[T; 2], Skipped>, TrainError> {
        let skip = |error: &dyn std::error::Error| {
            let reason = with_sources(error);
            Ok(Err(Skipped { index, reason }))
        };
        let mut drawn = None;
        let mut needed = |width, height| {
            let params = [0, 1].map(|view| {
                policy.draw(
                    ViewKey { seed: self.seed, pass, index: index as u64, view },
                    width,
                    height,
                )
            });
            let part = self.decoding.needed_part(&params, policy.config().size);
            drawn = Some(params);
            part
        };
        let part = match self.images.image_part(index, &mut needed) {
            Ok(part) => part,
            Err(error) if error.is_one_image() => return skip(&error),
            Err(error) => return Err(error.into()),
        };
        let drawn = drawn.expect("a set of images tells the size of each one that it reads");
        let mut view =
            |view: usize| make(part.pixels(), &Decoding::within(&part, &drawn[view]), view);
        match (view(0), view(1)) {
            (Ok(a), Ok(b)) => Ok(Ok([a, b])),
            // The crop was drawn for this image, and lies outside only if the image has no pixels.
            (Err(AugmentationError::CropOutsideImage { .. }), _) => {
                let name = self.images.name(index);
                let reason = format!("expected an image with pixels, found none in {name}");
                Ok(Err(Skipped { index, reason }))
            }
            (Err(error), _) | (_, Err(error)) => Err(error.into()),
        }
    }

    /// Views on the CPU. Each is written straight to its place in the batch.
    fn on_cpu(
        &self,
        pass: u64,
        indices: &[usize],
        policy: &SimClrAugmentation,
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        let (len, asked) = (policy.view_len(), indices.len());
        let mut values = vec![0.0; 2 * asked * len];
        let (a, b) = values.split_at_mut(asked * len);
        let places = a.par_chunks_exact_mut(len).zip(b.par_chunks_exact_mut(len));
        let made: Vec<Result<[(); 2], Skipped>> = (indices.par_iter().zip(places))
            .map(|(&index, (a, b))| {
                let mut places = [a, b];
                self.pair(pass, index, policy, |image, params, view| {
                    policy.view_into(image, params, places[view])
                })
            })
            .collect::<Result<_, TrainError>>()?;

        // Closes the gaps of skipped images.
        let read: Vec<usize> = (0..asked).filter(|&place| made[place].is_ok()).collect();
        if read.len() < asked {
            let places = read.iter().chain(&read).enumerate();
            for (to, &from) in places {
                let from = if to < read.len() { from } else { asked + from };
                values.copy_within(from * len..(from + 1) * len, to * len);
            }
            values.truncate(2 * read.len() * len);
        }
        let side = policy.config().size as usize;
        let views = (!read.is_empty()).then(|| {
            let batch = TensorData::new(values, [2 * read.len(), 3, side, side]);
            TwoViews { input: Tensor::from_data(batch, device), examples: read.len() }
        });
        Ok(ViewBatch { views, skipped: made.into_iter().filter_map(Result::err).collect() })
    }

    /// Views on the device, from crops that all cores make.
    fn by_device(
        &self,
        pass: u64,
        indices: &[usize],
        augmentation: &DeviceAugmentation,
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        let policy = augmentation.policy();
        let made: Vec<Result<[PreparedView; 2], Skipped>> = indices
            .par_iter()
            .map(|&index| {
                self.pair(pass, index, policy, |image, params, _| {
                    augmentation.prepare(image, params)
                })
            })
            .collect::<Result<_, TrainError>>()?;
        let (mut prepared, mut of_b, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for pair in made {
            match pair {
                Ok([a, b]) => {
                    prepared.push(a);
                    of_b.push(b);
                }
                Err(skip) => skipped.push(skip),
            }
        }
        let examples = prepared.len();
        prepared.append(&mut of_b);
        let views = (examples > 0)
            .then(|| TwoViews { input: augmentation.views(&prepared, device), examples });
        Ok(ViewBatch { views, skipped })
    }
}

/// An error and its sources, on one line.
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

    fn label(&self, index: usize) -> Option<usize> {
        self.images.label(index)
    }

    /// The views of `indices`: `[2n, 3, size, size]`, normalised.
    fn two_views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        match &self.augmentation {
            Augmentation::Cpu(policy) => self.on_cpu(pass, indices, policy, device),
            Augmentation::Device(policy) => self.by_device(pass, indices, policy, device),
        }
    }
}

#[cfg(test)]
mod tests {
    use simclr_data::{DataError, ImageFolder};

    use super::*;

    /// Patterns of several sizes; images 1 and 4 have no pixels, and image 2 cannot be decoded.
    struct Images;

    impl ImageDataset for Images {
        fn len(&self) -> usize {
            6
        }
        fn image(&self, index: usize) -> Result<RgbImage, DataError> {
            match index {
                1 | 4 => Ok(RgbImage::new(0, 0)),
                2 => {
                    let source = image::ImageError::IoError(std::io::Error::other("torn"));
                    Err(DataError::Decode { path: "two.jpg".into(), source })
                }
                _ => Ok(RgbImage::from_fn(20 + index as u32, 30, |x, y| {
                    image::Rgb([(x * y) as u8, (7 * x) as u8, (11 * y + index as u32) as u8])
                })),
            }
        }
        fn name(&self, index: usize) -> String {
            format!("image {index}")
        }
    }

    fn sources() -> [ImageViews; 2] {
        let policy = SimClrAugmentation::stl10().with_size(16).unwrap();
        let device = DeviceAugmentation::new(policy.clone()).unwrap();
        [
            ImageViews::new(Arc::new(Images), policy, 5),
            ImageViews::on_device(Arc::new(Images), device, 5),
        ]
    }

    #[test]
    fn unreadable_images_are_named_and_leave_no_gap_on_both_paths() {
        for source in sources() {
            let views = |indices: &[usize]| {
                let batch = source.two_views(3, indices, &Device::flex()).unwrap();
                let skipped: Vec<_> = batch.skipped.iter().map(|s| s.reason.clone()).collect();
                let views = batch.views.map(|views| {
                    (views.examples, views.input.into_data().try_to_vec::<f32>().unwrap())
                });
                (skipped, views)
            };
            let (skipped, all) = views(&[1, 0, 2, 3, 4, 5]);
            assert_eq!(skipped.len(), 3);
            assert!(
                skipped[0].contains("image 1") && skipped[2].contains("image 4"),
                "{skipped:?}"
            );
            assert!(
                skipped[1].contains("two.jpg") && skipped[1].ends_with(": torn"),
                "{skipped:?}"
            );
            let (examples, values) = views(&[0, 3, 5]).1.unwrap();
            assert_eq!(examples, 3);
            assert_eq!(all, Some((3, values)));
            assert_eq!(views(&[4, 1]).1, None);
        }
    }

    #[test]
    fn both_paths_make_the_same_views() {
        let [cpu, device] = sources().map(|source| {
            let views = source.two_views(0, &[0, 3, 5], &Device::flex()).unwrap().views.unwrap();
            views.input.into_data().try_to_vec::<f32>().unwrap()
        });
        assert!(cpu.iter().zip(&device).all(|(a, b)| (a - b).abs() < 1e-3));
    }

    /// A folder of two JPEGs, and the same decoded whole.
    struct Whole(ImageFolder);

    impl ImageDataset for Whole {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn image(&self, index: usize) -> Result<RgbImage, DataError> {
            self.0.image(index)
        }
    }

    #[test]
    fn parts_of_jpegs_give_the_views_of_whole_ones_and_nearly_so_at_lower_resolution() {
        let dir = tempfile::tempdir().unwrap();
        for (name, width) in [("1.jpg", 300), ("2.jpg", 500)] {
            let wave = |x: u32, y: u32, k: f32| {
                ((x as f32 * k / 31.0).sin() + (y as f32 / 27.0).cos()) * 60.0
            };
            let image = RgbImage::from_fn(width, 240, |x, y| {
                image::Rgb([0.8, 1.0, 1.4].map(|k| (128.0 + wave(x, y, k)) as u8))
            });
            image.save(dir.path().join(name)).unwrap();
        }
        let folder = ImageFolder::open(dir.path()).unwrap();
        let policy = SimClrAugmentation::stl10().with_size(32).unwrap();
        let views = |images: Arc<dyn ImageDataset>, decoding| {
            let views = ImageViews::new(images, policy.clone(), 5).with_decoding(decoding);
            let views = views.two_views(1, &[0, 1], &Device::flex()).unwrap().views.unwrap();
            views.input.into_data().try_to_vec::<f32>().unwrap()
        };
        let whole = views(Arc::new(Whole(folder.clone())), Decoding::Scaled);
        assert_eq!(views(Arc::new(folder.clone()), Decoding::Full), whole);
        let scaled = views(Arc::new(folder), Decoding::Scaled);
        assert_ne!(scaled, whole);
        // Normalised values span about five.
        let differences = scaled.iter().zip(&whole).map(|(a, b)| f64::from((a - b).abs()));
        let mean = differences.sum::<f64>() / whole.len() as f64;
        assert!(mean < 0.03, "{mean}");
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let views = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let source = &sources()[0];
            let batch = pool.install(|| source.two_views(0, &[0, 3, 5], &Device::flex()));
            batch.unwrap().views.unwrap().input.into_data().try_to_vec::<f32>().unwrap()
        };
        assert_eq!(views(1), views(5));
    }
}
