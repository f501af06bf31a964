//! The built-in labelled image set, drawn by a procedure.

mod background;
mod draws;
mod motif;
mod palette;
mod scene;

use image::RgbImage;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use self::{draws::Draws, motif::Motif, scene::Scene};
use crate::{DataError, ImageDataset};

/// Smallest side of a picture in pixels. In a smaller one, a motif would be a single dot.
const MIN_SIZE: u32 = 8;
/// Largest side of a picture in pixels. Such a picture takes 48 MiB.
const MAX_SIZE: u32 = 4096;

/// Settings of a [`Sample`]: how many pictures, how large, and by which seed.
///
/// ```
/// use simclr_data::SampleConfig;
///
/// let config: SampleConfig = serde_json::from_str(r#"{"seed": 7, "images": 500}"#)?;
/// assert_eq!(config, SampleConfig { seed: 7, images: 500, size: 96 });
/// assert!(serde_json::from_str::<SampleConfig>(r#"{"sed": 7}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleConfig {
    /// Seed of the pictures: samples with different seeds share none. Default 0.
    pub seed: u64,
    /// Number of images, 1..=4294967295. Default 5000, as in STL-10's training split.
    pub images: usize,
    /// Height and width of an image in pixels, 8..=4096. Default 96, as in STL-10.
    pub size: u32,
}

impl Default for SampleConfig {
    fn default() -> Self {
        Self { seed: 0, images: 5000, size: 96 }
    }
}

/// Pictures of ten kinds of motif (disk, ring, bar, triangle, star, cross, crescent, chevron, heart, zigzag), drawn on
/// demand.
///
/// A picture is a patchwork with the motif on every patch, so that most crops of it show the class. Everything else
/// varies freely inside a class and from patch to patch: colours, position, size, rotation, lighting, texture and
/// background. All motifs of one size cover the same area, and the random draws don't depend on the class. So neither
/// brightness nor coverage gives the class away: nearest neighbours of raw pixels do little better than chance.
///
/// Image `i` depends only on the seed and on `i`, neither on the number of images nor on the order of reading. It is
/// drawn with additions, multiplications, divisions and square roots alone, which IEEE 754 defines to the last bit, so
/// a seed gives the same bytes on every machine. A larger `size` shows the same scene in more detail.
///
/// ```
/// use simclr_data::{ImageDataset, Sample, SampleConfig};
///
/// let sample = Sample::new(SampleConfig { images: 20, ..SampleConfig::default() })?;
/// assert_eq!(sample.image(13)?.dimensions(), (96, 96));
/// assert_eq!(sample.image(13)?, sample.image(13)?);
/// assert_eq!(sample.class_names()[sample.label(13).unwrap()], "triangle");
/// # Ok::<(), simclr_data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sample {
    config: SampleConfig,
    /// Number of the first picture in the endless sequence of the seed.
    first: u64,
    class_names: Vec<String>,
}

impl Sample {
    /// A sample of `config.images` pictures. Each is drawn when it is read.
    ///
    /// # Errors
    ///
    /// [`DataError::OutOfRange`] if `images` is outside 1..=4294967295 or `size` outside 8..=4096.
    pub fn new(config: SampleConfig) -> Result<Self, DataError> {
        let SampleConfig { images, size, .. } = config;
        let is_legal = images > 0 && u32::try_from(images).is_ok();
        OutOfRange::unless(is_legal, "images", format!("in 1..={}", u32::MAX), images)?;
        let is_legal = (MIN_SIZE..=MAX_SIZE).contains(&size);
        OutOfRange::unless(is_legal, "size", format!("in {MIN_SIZE}..={MAX_SIZE} pixels"), size)?;
        let class_names = Motif::ALL.iter().map(|motif| motif.name().to_owned()).collect();
        Ok(Self { config, first: 0, class_names })
    }

    /// The settings of this sample.
    #[must_use]
    pub fn config(&self) -> &SampleConfig {
        &self.config
    }

    /// The `count` pictures that follow this sample's own, with the same seed and size.
    pub(crate) fn following(&self, count: usize) -> Self {
        let config = SampleConfig { images: count, ..self.config.clone() };
        Self {
            config,
            first: self.first + self.config.images as u64,
            class_names: self.class_names.clone(),
        }
    }

    /// Number of the picture at `index` in the seed's sequence, and its motif.
    fn picture(&self, index: usize) -> (u64, Motif) {
        let number = self.first + index as u64;
        (number, Motif::ALL[(number % Motif::ALL.len() as u64) as usize])
    }
}

/// Labels are balanced: image `i` is of class `i % 10`.
impl ImageDataset for Sample {
    fn len(&self) -> usize {
        self.config.images
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        DataError::check_index(index, self.config.images)?;
        let (number, motif) = self.picture(index);
        let mut draws = Draws::new(self.config.seed, number);
        let scene = Scene::draw(&mut draws);
        Ok(scene.render(motif, self.config.size, &mut draws))
    }

    fn label(&self, index: usize) -> Option<usize> {
        (index < self.config.images).then(|| self.picture(index).1 as usize)
    }

    fn class_names(&self) -> &[String] {
        &self.class_names
    }

    fn name(&self, index: usize) -> String {
        let (number, motif) = self.picture(index);
        format!("sample/{}/{number}", motif.name())
    }
}

#[cfg(test)]
mod tests;
