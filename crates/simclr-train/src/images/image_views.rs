//! Random views of each image.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;
use rayon::ThreadPool;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use simclr_augment::{
    AugmentationError, DeviceAugmentation, PreparedView, SimClrAugmentation, ViewKey, ViewParams,
};
use simclr_data::ImageDataset;
use simclr_traffic::send;

use crate::error::TrainError;
use crate::images::decoding::Decoding;
use crate::views::view_source::{Skipped, ViewBatch, ViewSource, Views};

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

/// Augmented views of images: two of each, or more, of one size or of several. Each depends only on (seed, pass, image, view).
pub struct ImageViews {
    images: Arc<dyn ImageDataset>,
    policies: Policies,
    decoding: Decoding,
    seed: u64,
    /// `None` for the pool that the caller is in.
    pool: Option<Arc<ThreadPool>>,
}

/// The policy of each size of views. Views are numbered through, from those of the first size on.
enum Policies {
    Cpu(Vec<OfSize<SimClrAugmentation>>),
    Device(Vec<OfSize<DeviceAugmentation>>),
}

/// So many views of each image by a policy.
struct OfSize<P> {
    policy: P,
    views: usize,
}

/// The policy of each view of an image.
fn of_each_view<'a, P>(sizes: &'a [OfSize<P>]) -> Vec<&'a P> {
    let each = |OfSize { policy, views }: &'a OfSize<P>| std::iter::repeat_n(policy, *views);
    sizes.iter().flat_map(each).collect()
}

impl ImageViews {
    /// Two views of each of `images`, computed on the CPU.
    #[must_use]
    pub fn new(images: Arc<dyn ImageDataset>, augmentation: SimClrAugmentation, seed: u64) -> Self {
        Self::of(images, Policies::Cpu(vec![OfSize { policy: augmentation, views: 2 }]), seed)
    }

    /// Two views of each of `images`, computed on the device that trains on them.
    #[must_use]
    pub fn on_device(
        images: Arc<dyn ImageDataset>,
        augmentation: DeviceAugmentation,
        seed: u64,
    ) -> Self {
        Self::of(images, Policies::Device(vec![OfSize { policy: augmentation, views: 2 }]), seed)
    }

    fn of(images: Arc<dyn ImageDataset>, policies: Policies, seed: u64) -> Self {
        Self { images, policies, decoding: Decoding::default(), seed, pool: None }
    }

    /// So many views of the first size instead of two. The first two stay the same.
    #[must_use]
    pub fn with_views(mut self, views: usize) -> Self {
        match &mut self.policies {
            Policies::Cpu(policies) => policies[0].views = views,
            Policies::Device(policies) => policies[0].views = views,
        }
        self
    }

    /// And so many views by another augmentation, such as smaller ones of smaller crops. They come after the others.
    ///
    /// # Errors
    ///
    /// As [`DeviceAugmentation::new`], if views are computed on the device.
    pub fn and(
        mut self,
        augmentation: SimClrAugmentation,
        views: usize,
    ) -> Result<Self, AugmentationError> {
        match &mut self.policies {
            Policies::Cpu(policies) => policies.push(OfSize { policy: augmentation, views }),
            Policies::Device(policies) => {
                policies.push(OfSize { policy: DeviceAugmentation::new(augmentation)?, views });
            }
        }
        Ok(self)
    }

    /// The same views of images that are decoded as finely as `decoding` says.
    #[must_use]
    pub fn with_decoding(self, decoding: Decoding) -> Self {
        Self { decoding, ..self }
    }

    /// Makes the views on the threads of `pool`, and not of the pool that the caller is in: training on the CPU then never
    /// waits for an image in the middle of a convolution. The pool's size changes no view.
    #[must_use]
    pub fn on_threads(self, pool: Arc<ThreadPool>) -> Self {
        Self { pool: Some(pool), ..self }
    }

    /// Does `work` on the pool.
    fn in_pool<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// The policy of each view of an image.
    fn policies(&self) -> Vec<&SimClrAugmentation> {
        match &self.policies {
            Policies::Cpu(sizes) => of_each_view(sizes),
            Policies::Device(sizes) => {
                of_each_view(sizes).into_iter().map(DeviceAugmentation::policy).collect()
            }
        }
    }

    /// Makes all views of one image by `make`, whose last argument is the number of the view. An image that cannot be read
    /// is [`Skipped`].
    fn of_image<T>(
        &self,
        pass: u64,
        index: usize,
        policies: &[&SimClrAugmentation],
        mut make: impl FnMut(&RgbImage, &ViewParams, usize) -> Result<T, AugmentationError>,
    ) -> Result<Result<Vec<T>, Skipped>, TrainError> {
        let skip = |error: &dyn std::error::Error| {
            let reason = with_sources(error);
            Ok(Err(Skipped { index, reason }))
        };
        let mut drawn = Vec::new();
        let mut needed = |width, height| {
            let draw = |(view, policy): (u64, &&SimClrAugmentation)| {
                policy.draw(
                    ViewKey { seed: self.seed, pass, index: index as u64, view },
                    width,
                    height,
                )
            };
            drawn = (0..).zip(policies).map(draw).collect();
            let sizes = policies.iter().map(|policy| policy.config().size);
            self.decoding.needed_part(drawn.iter().zip(sizes))
        };
        let part = match self.images.image_part(index, &mut needed) {
            Ok(part) => part,
            Err(error) if error.is_one_image() => return skip(&error),
            Err(error) => return Err(error.into()),
        };
        assert!(!drawn.is_empty(), "a set of images tells the size of each one that it reads");
        let views = drawn.iter().enumerate();
        let views =
            views.map(|(view, params)| make(part.pixels(), &Decoding::within(&part, params), view));
        match views.collect() {
            Ok(views) => Ok(Ok(views)),
            // The crop was drawn for this image, and lies outside only if the image has no pixels.
            Err(AugmentationError::CropOutsideImage { .. }) => {
                let name = self.images.name(index);
                let reason = format!("expected an image with pixels, found none in {name}");
                Ok(Err(Skipped { index, reason }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Views on the CPU. Each is written straight to its place in the batch.
    fn on_cpu(
        &self,
        pass: u64,
        indices: &[usize],
        sizes: &[OfSize<SimClrAugmentation>],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        let (asked, policies) = (indices.len(), self.policies());
        let batch = |OfSize { policy, views }: &OfSize<SimClrAugmentation>| {
            vec![0.0; views * asked * policy.view_len()]
        };
        let mut batches: Vec<Vec<f32>> = sizes.iter().map(batch).collect();
        let mut places: Vec<Vec<&mut [f32]>> = indices.iter().map(|_| Vec::new()).collect();
        for (batch, OfSize { policy, .. }) in batches.iter_mut().zip(sizes) {
            for (number, place) in batch.chunks_exact_mut(policy.view_len()).enumerate() {
                places[number % asked].push(place);
            }
        }
        let of_image = |(&index, mut places): (&usize, Vec<&mut [f32]>)| {
            self.of_image(pass, index, &policies, |image, params, view| {
                policies[view].view_into(image, params, places[view])
            })
        };
        let made = self.in_pool(|| {
            let images = indices.par_iter().zip(places);
            images.map(of_image).collect::<Result<Vec<_>, TrainError>>()
        })?;

        let read: Vec<usize> = (0..asked).filter(|&place| made[place].is_ok()).collect();
        let inputs =
            batches.into_iter().zip(sizes).map(|(mut values, OfSize { policy, views })| {
                close_gaps(&mut values, &read, asked, policy.view_len());
                let side = policy.config().size as usize;
                send(TensorData::new(values, [views * read.len(), 3, side, side]), device)
            });
        let views = (!read.is_empty()).then(|| gather(inputs, sizes, read.len()));
        Ok(ViewBatch { views, skipped: made.into_iter().filter_map(Result::err).collect() })
    }

    /// Views on the device, from crops that all cores make.
    fn by_device(
        &self,
        pass: u64,
        indices: &[usize],
        sizes: &[OfSize<DeviceAugmentation>],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        let (policies, augmentations) = (self.policies(), of_each_view(sizes));
        let of_image = |&index| {
            self.of_image(pass, index, &policies, |image, params, view| {
                augmentations[view].prepare(image, params)
            })
        };
        let made = self
            .in_pool(|| indices.par_iter().map(of_image).collect::<Result<Vec<_>, TrainError>>())?;
        let mut by_view: Vec<Vec<PreparedView>> = policies.iter().map(|_| Vec::new()).collect();
        let mut skipped = Vec::new();
        for of_image in made {
            match of_image {
                Ok(views) => by_view.iter_mut().zip(views).for_each(|(all, view)| all.push(view)),
                Err(skip) => skipped.push(skip),
            }
        }
        let examples = by_view[0].len();
        let mut by_view = by_view.into_iter();
        let inputs = sizes.iter().map(|OfSize { policy, views }| {
            let prepared: Vec<_> = by_view.by_ref().take(*views).flatten().collect();
            policy.views(&prepared, device)
        });
        let views = (examples > 0).then(|| gather(inputs, sizes, examples));
        Ok(ViewBatch { views, skipped })
    }
}

/// Moves the views of the images that could be read together, and cuts off the rest. View `v` of image `i` begins at
/// `(v * asked + i) * len`.
fn close_gaps(values: &mut Vec<f32>, read: &[usize], asked: usize, len: usize) {
    let views = values.len() / (asked * len);
    let places = (0..views).flat_map(|view| read.iter().map(move |image| view * asked + image));
    for (to, from) in places.enumerate().filter(|(to, from)| to != from) {
        values.copy_within(from * len..(from + 1) * len, to * len);
    }
    values.truncate(views * read.len() * len);
}

/// The inputs of all sizes, together.
fn gather<P>(
    inputs: impl Iterator<Item = Tensor<4>>,
    sizes: &[OfSize<P>],
    examples: usize,
) -> Views<Tensor<4>> {
    let mut inputs = inputs.zip(sizes.iter().map(|of_size| of_size.views));
    let (first, views) = inputs.next().expect("there is a first size");
    inputs.fold(Views::new(first, views, examples), |all, (input, views)| all.and(input, views))
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

    fn views_per_example(&self) -> usize {
        self.policies().len()
    }

    /// On the CPU f32; on the device as many u8, from crops of about the views' size.
    fn example_bytes(&self) -> usize {
        let values: usize = self.policies().iter().map(|policy| policy.view_len()).sum();
        match &self.policies {
            Policies::Cpu(_) => values * size_of::<f32>(),
            Policies::Device(_) => values,
        }
    }

    /// The views of `indices`, of each size `[views * n, 3, size, size]`, normalised.
    fn views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<4>>, TrainError> {
        match &self.policies {
            Policies::Cpu(sizes) => self.on_cpu(pass, indices, sizes, device),
            Policies::Device(sizes) => self.by_device(pass, indices, sizes, device),
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

    /// Two views of each image, on the CPU and on the device.
    fn pairs() -> [ImageViews; 2] {
        let policy = SimClrAugmentation::stl10().with_size(16).unwrap();
        let device = DeviceAugmentation::new(policy.clone()).unwrap();
        [
            ImageViews::new(Arc::new(Images), policy, 5),
            ImageViews::on_device(Arc::new(Images), device, 5),
        ]
    }

    /// Three views of each image, and two smaller ones.
    fn sources() -> [ImageViews; 2] {
        let local = SimClrAugmentation::stl10().with_size(8).unwrap();
        pairs().map(|source| source.with_views(3).and(local.clone(), 2).unwrap())
    }

    /// The number of examples, and the values of each size of views.
    fn values(views: Views<Tensor<4>>) -> (usize, Vec<Vec<f32>>) {
        let examples = views.examples();
        let values = |input: Tensor<4>| input.into_data().try_to_vec::<f32>().unwrap();
        (examples, views.into_inputs().into_iter().map(values).collect())
    }

    #[test]
    fn unreadable_images_are_named_and_leave_no_gap_on_both_paths() {
        for source in sources() {
            let views = |indices: &[usize]| {
                let batch = source.views(3, indices, &Device::flex()).unwrap();
                let skipped: Vec<_> = batch.skipped.iter().map(|s| s.reason.clone()).collect();
                (skipped, batch.views.map(values))
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
            let readable = views(&[0, 3, 5]).1.unwrap();
            assert_eq!(readable.0, 3);
            let lengths: Vec<usize> = readable.1.iter().map(Vec::len).collect();
            assert_eq!(lengths, [3 * 3 * 3 * 16 * 16, 2 * 3 * 3 * 8 * 8]);
            assert_eq!(all, Some(readable));
            assert_eq!(views(&[4, 1]).1, None);
        }
    }

    #[test]
    fn both_paths_make_the_same_views() {
        let [cpu, device] = sources().map(|source| {
            assert_eq!(source.views_per_example(), 5);
            let views = source.views(0, &[0, 3, 5], &Device::flex()).unwrap().views.unwrap();
            values(views).1.concat()
        });
        assert_eq!(cpu.len(), device.len());
        assert!(cpu.iter().zip(&device).all(|(a, b)| (a - b).abs() < 1e-3));
    }

    #[test]
    fn more_views_leave_the_first_two_as_they_are_and_all_differ() {
        for (pair, more) in pairs().into_iter().zip(sources()) {
            let made = |source: &ImageViews| {
                let views = source.views(2, &[0, 3], &Device::flex()).unwrap().views.unwrap();
                values(views).1
            };
            let (two, all) = (made(&pair).remove(0), made(&more));
            assert_eq!(all[0][..two.len()], two);
            let views = all[0].chunks(3 * 16 * 16).map(<[f32]>::to_vec);
            let local = all[1].chunks(3 * 8 * 8).map(<[f32]>::to_vec);
            let views: Vec<Vec<f32>> = views.chain(local).collect();
            assert_eq!(views.len(), 2 * 5);
            for (i, view) in views.iter().enumerate() {
                assert!(views[..i].iter().all(|other| other != view), "view {i}");
            }
        }
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
            let views = views.views(1, &[0, 1], &Device::flex()).unwrap().views.unwrap();
            values(views).1.remove(0)
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
            let [source, _] = sources();
            let source = source.on_threads(Arc::new(pool));
            let batch = source.views(0, &[0, 3, 5], &Device::flex());
            values(batch.unwrap().views.unwrap())
        };
        assert_eq!(views(1), views(5));
    }
}
