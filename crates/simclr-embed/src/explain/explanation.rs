//! The regions of two images that make their features alike.

use burn::tensor::Tensor;
use image::RgbImage;
use simclr_model::ImageEncoder;

use crate::embedding::{Embedder, batch_of, to_host};
use crate::error::EmbedError;
use crate::vectors::unit;

/// How the values of a [`SimilarityMap`] come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The features are a mean over places, and so is the cosine: exact shares, whose mean is the cosine.
    Share,
    /// How much the cosine falls when a patch is hidden under the mean colour.
    Occlusion,
}

/// What each region of an image has to do with its similarity to another image.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarityMap {
    /// Regions in a column and in a row; together they cover the square that the encoder sees.
    pub size: [usize; 2],
    /// `[height, width]`, row by row. Above 0, a region makes the images more alike, below 0 less.
    pub values: Vec<f32>,
}

/// Why an encoder finds two images alike: which regions of each drive the cosine of their features. Made by
/// [`Embedder::explain`].
///
/// **Networks that average over places** (`ResNet`, `EfficientNet`, `ConvNeXt`, and the vision transformers of `DINOv3`): the features of an image are the mean of the
/// features f(p) at the places p of the last map, so that its cosine with other features h is a mean, too (Zhou et al. 2016; for pairs of images Stylianou et al. 2019 and Zhu
/// et al. 2019):
///
/// ```text
/// cos(a, b) = 1/P sum_p s(p),  s(p) = f_a(p) . h_b / (|h_a| |h_b|)
/// ```
///
/// Nothing is approximated. A place sees more of the image than its region, though: the map says where the last layer puts what it found.
///
/// **Vision transformers with a class token**: the cosine is no such mean, and the last tokens of patches are of no use to the class token. Their patches are hidden under the mean
/// colour of the normalisation, one at a time (Zeiler and Fergus 2014), and the map says by how much the cosine falls. That takes a pass through the network for each patch.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The cosine of both images' features, in -1..=1 but for rounding.
    pub cosine: f32,
    /// What the values of the maps are.
    pub reason: Reason,
    /// What the encoder sees of both images.
    pub views: [RgbImage; 2],
    /// The regions of the first image by its likeness to the second, and the other way round.
    pub maps: [SimilarityMap; 2],
}

impl Embedder {
    /// Which regions of two images, of any size, make their features alike.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoPlaces`] for an MLP, which sees no places; those of [`embed_images`](Self::embed_images).
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use simclr_augment::SimClrAugmentation;
    /// use simclr_data::{ImageDataset, Sample, SampleConfig};
    /// use simclr_embed::Embedder;
    /// use simclr_model::EncoderConfig;
    ///
    /// let config: EncoderConfig = "resnet18x0.25_cifar".parse()?;
    /// let transform = SimClrAugmentation::cifar10().evaluation();
    /// let embedder = Embedder::new(config.init(0, &Device::flex())?, transform, &Device::flex());
    /// let images = Sample::new(SampleConfig { images: 2, size: 32, ..SampleConfig::default() })?;
    ///
    /// let explained = embedder.explain(&images.image(0)?, &images.image(1)?)?;
    /// let [first, _] = &explained.maps;
    /// assert_eq!(first.size, [4, 4]);
    /// let mean = first.values.iter().sum::<f32>() / 16.0;
    /// assert!((mean - explained.cosine).abs() < 1e-4);
    /// # let folder = tempfile::tempdir()?;
    /// explained.picture().save(folder.path().join("explained.png"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain(&self, a: &RgbImage, b: &RgbImage) -> Result<Explanation, EmbedError> {
        let views = [self.transform().view(a)?, self.transform().view(b)?];
        let pixels = [self.pixels(a)?, self.pixels(b)?];
        let both = self.batch(pixels.concat());
        if let Some(map) = self.encoder().feature_map(both) {
            let [_, height, width, size] = map.dims();
            let places = to_host(map)?;
            let (first, second) = places.split_at(height * width * size);
            let (cosine, values) = shares(first, second, size);
            let maps = values.map(|values| SimilarityMap { size: [height, width], values });
            return Ok(Explanation { cosine, reason: Reason::Share, views, maps });
        }
        let ImageEncoder::VisionTransformer(net) = self.encoder() else {
            let name = self.config().map(ToString::to_string);
            let found = name.unwrap_or_else(|| "a network that sees no places".to_owned());
            return Err(EmbedError::NoPlaces { found });
        };
        let side = net.patches().isqrt();
        let features = [self.encoded(pixels[0].clone())?, self.encoded(pixels[1].clone())?];
        let cosine = cosine(&features[0], &features[1]);
        let falls = |image: usize| -> Result<SimilarityMap, EmbedError> {
            let mut values = Vec::with_capacity(side * side);
            let patches: Vec<usize> = (0..side * side).collect();
            for patches in patches.chunks(self.batch_size()) {
                let hidden =
                    patches.iter().flat_map(|&patch| self.hidden(&pixels[image], side, patch));
                let rows = self.encoded(hidden.collect())?;
                let rows = rows.chunks_exact(self.feature_size());
                values.extend(rows.map(|row| cosine - self::cosine(row, &features[1 - image])));
            }
            Ok(SimilarityMap { size: [side, side], values })
        };
        Ok(Explanation { cosine, reason: Reason::Occlusion, views, maps: [falls(0)?, falls(1)?] })
    }

    /// An image as the encoder's input, `[3, side, side]`.
    fn pixels(&self, image: &RgbImage) -> Result<Vec<f32>, EmbedError> {
        let mut pixels = vec![0.0; self.transform().view_len()];
        self.transform().view_into(image, &mut pixels)?;
        Ok(pixels)
    }

    fn batch(&self, pixels: Vec<f32>) -> Tensor<4> {
        batch_of(pixels, self.transform().size() as usize, self.device())
    }

    fn encoded(&self, pixels: Vec<f32>) -> Result<Vec<f32>, EmbedError> {
        to_host(self.ready().encode(self.batch(pixels)))
    }

    /// `pixels` with one of `side` x `side` patches at the mean colour, which is 0 once normalised.
    fn hidden(&self, pixels: &[f32], side: usize, patch: usize) -> Vec<f32> {
        let width = self.transform().size() as usize;
        let [row, column] = [patch / side, patch % side];
        let within = |at: usize, patch: usize| at * side / width == patch;
        let hides = |at: usize| within(at / width % width, row) && within(at % width, column);
        let pixels = pixels.iter().enumerate();
        pixels.map(|(at, &value)| if hides(at) { 0.0 } else { value }).collect()
    }
}

/// The cosine of the means of two images' places, `[places, size]` each, and what every place adds to it, times their
/// number.
fn shares(a: &[f32], b: &[f32], size: usize) -> (f32, [Vec<f32>; 2]) {
    let [mean_a, mean_b] = [a, b].map(|places| mean(places, size));
    let norms = norm(&mean_a) * norm(&mean_b);
    let scale = if norms > 0.0 { 1.0 / norms } else { 0.0 };
    let product = |place: &[f32], mean: &[f64]| {
        let sum: f64 = place.iter().zip(mean).map(|(&x, mean)| f64::from(x) * mean).sum();
        (sum * scale) as f32
    };
    let of = |places: &[f32], mean: &[f64]| {
        places.chunks_exact(size).map(|place| product(place, mean)).collect::<Vec<f32>>()
    };
    let cosine = mean_a.iter().zip(&mean_b).map(|(a, b)| a * b).sum::<f64>() * scale;
    (cosine as f32, [of(a, &mean_b), of(b, &mean_a)])
}

fn mean(places: &[f32], size: usize) -> Vec<f64> {
    let mut mean = vec![0.0; size];
    for place in places.chunks_exact(size) {
        for (mean, &value) in mean.iter_mut().zip(place) {
            *mean += f64::from(value);
        }
    }
    let count = (places.len() / size).max(1) as f64;
    mean.iter().map(|sum| sum / count).collect()
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    unit(a).zip(unit(b)).map(|(a, b)| a * b).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use image::Rgb;
    use simclr_augment::{EvaluationTransform, Normalization, ResizeFilter};
    use simclr_model::EncoderConfig;

    /// The mean colour of the normalisation, nearly.
    const GREY: [u8; 3] = [127; 3];

    fn embedder(name: &str, size: u32) -> Embedder {
        let config: EncoderConfig = name.parse().unwrap();
        let transform =
            EvaluationTransform::new(size, ResizeFilter::Bilinear, Normalization::CENTRED).unwrap();
        let encoder = config.init(0, &Device::flex()).unwrap();
        Embedder::new(encoder, transform, &Device::flex()).with_config(config)
    }

    /// Grey, with a ball of stripes that is copied to a corner.
    fn with_ball(left: u32, top: u32) -> RgbImage {
        RgbImage::from_fn(64, 64, |x, y| {
            let [dx, dy] = [x.abs_diff(left + 12), y.abs_diff(top + 12)];
            let is_ball = dx * dx + dy * dy < 120;
            Rgb(match (is_ball, dx / 3 % 2) {
                (false, _) => GREY,
                (true, 0) => [255, 200, 0],
                (true, _) => [0, 0, 90],
            })
        })
    }

    fn sum_of(map: &SimilarityMap, rows: [usize; 2], columns: [usize; 2]) -> f32 {
        let row = |row: usize| &map.values[row * map.size[1]..][columns[0]..columns[1]];
        (rows[0]..rows[1]).flat_map(row).sum()
    }

    #[test]
    fn the_mean_of_both_maps_is_the_cosine_of_the_features() {
        let images = [with_ball(4, 10), with_ball(30, 36)];
        for name in ["resnet18x0.25_cifar", "convnext_tiny"] {
            let embedder = embedder(name, 64);
            let explained = embedder.explain(&images[0], &images[1]).unwrap();
            let features = embedder.embed_images(&images).unwrap();
            let expected = cosine(features.row(0), features.row(1));
            assert!((explained.cosine - expected).abs() < 1e-4, "{name}");
            for map in &explained.maps {
                let mean = map.values.iter().sum::<f32>() / map.values.len() as f32;
                assert!((mean - expected).abs() < 1e-4, "{name}: {mean} and {expected}");
            }
        }
    }

    #[test]
    fn what_two_images_share_lights_up_and_hiding_it_agrees() {
        let (a, b) = (with_ball(4, 4), with_ball(36, 36));
        let embedder = embedder("resnet18x0.25_cifar", 64);
        let explained = embedder.explain(&a, &b).unwrap();
        assert_eq!((explained.reason, explained.maps[0].size), (Reason::Share, [8, 8]));
        let quarters = [[0, 4], [4, 8]];
        let of = embedder.embed_image(&b).unwrap();
        let mut found = Vec::new();
        for (row, rows) in (0_u32..).zip(quarters) {
            for (column, columns) in (0_u32..).zip(quarters) {
                let mut hidden = a.clone();
                let cover = RgbImage::from_pixel(32, 32, Rgb(GREY));
                let [x, y] = [column, row].map(|at| i64::from(32 * at));
                image::imageops::replace(&mut hidden, &cover, x, y);
                let hidden = embedder.embed_image(&hidden).unwrap();
                let fall = explained.cosine - cosine(hidden.row(0), of.row(0));
                found.push((sum_of(&explained.maps[0], rows, columns), fall));
            }
        }
        let others = || found[1..].iter();
        assert!(others().all(|other| other.0 < found[0].0), "{found:?}");
        assert!(others().all(|other| other.1 < found[0].1), "{found:?}");
        let second = &explained.maps[1];
        let there = sum_of(second, [4, 8], [4, 8]);
        assert!(sum_of(second, [0, 4], [0, 4]) < there && sum_of(second, [0, 4], [4, 8]) < there);
    }

    #[test]
    fn a_class_token_is_explained_by_hiding_patches() {
        let patch = RgbImage::from_fn(24, 24, |x, y| {
            let is_drawn = (8..16).contains(&x) && y >= 16;
            Rgb(if is_drawn { [255, 0, x as u8 * 9] } else { GREY })
        });
        let embedder = embedder("vit_tiny_p8_i24", 24);
        let other = RgbImage::from_fn(24, 24, |x, y| Rgb([x as u8 * 10, 200, y as u8 * 10]));
        let explained = embedder.explain(&patch, &patch).unwrap();
        let [first, second] = &explained.maps;
        assert_eq!((explained.reason, first.size), (Reason::Occlusion, [3, 3]));
        assert!((explained.cosine - 1.0).abs() < 1e-5);
        // Number 7 is the only patch that is not nearly grey already.
        let most = first.values.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        assert!(most.is_some_and(|(at, most)| at == 7 && most > 0.0), "{:?}", first.values);
        assert_eq!(first, second);

        // By the definition, a patch at a time.
        let explained = embedder.with_batch_size(4).unwrap();
        let explained = explained.explain(&patch, &other).unwrap();
        let again = self::embedder("vit_tiny_p8_i24", 24);
        let pixels = again.pixels(&other).unwrap();
        let features = again.embed_image(&patch).unwrap();
        for at in [0, 4, 8] {
            let mut hidden = pixels.clone();
            for (index, value) in hidden.iter_mut().enumerate() {
                let (x, y) = (index % 24, index / 24 % 24);
                if (x / 8, y / 8) == (at % 3, at / 3) {
                    *value = 0.0;
                }
            }
            let hidden = again.encoded(hidden).unwrap();
            let fall = explained.cosine - cosine(&hidden, features.row(0));
            assert!((explained.maps[1].values[at] - fall).abs() < 1e-4, "patch {at}");
        }
    }

    #[test]
    fn an_mlp_sees_no_places() {
        let image = RgbImage::new(16, 16);
        let error = embedder("mlp_i16_8_8", 16).explain(&image, &image).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected an encoder that sees where things are, such as resnet50 or vit_small_p16, found mlp_i16_8_8"
        );
    }
}
