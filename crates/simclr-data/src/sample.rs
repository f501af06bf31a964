//! The built-in, procedurally drawn, labelled image set.

mod background;
mod draws;
mod motif;
mod palette;
mod scene;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use self::{draws::Draws, motif::Motif, scene::Scene};
use crate::{DataError, ImageDataset};

/// Smallest side of a picture in pixels: below it, a motif is a single dot.
const MIN_SIZE: u32 = 8;
/// Largest side of a picture in pixels: 48 MiB per image.
const MAX_SIZE: u32 = 4096;

/// Which pictures a [`Sample`] consists of.
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
    /// Two samples with different seeds share no picture. Default 0.
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
/// A picture is a patchwork with the motif on every patch, so that most crops of it show the class. All else varies
/// freely inside a class, and from patch to patch: colours, position, size, rotation, lighting, texture and background.
/// All motifs of one size cover the same area and the random draws don't depend on the class, so neither brightness nor
/// coverage gives it away: nearest neighbours of raw pixels do little better than chance.
///
/// Image `i` depends only on the seed and on `i`, never on how many images there are or in which order they are asked
/// for. It is drawn with additions, multiplications, divisions and square roots alone, which IEEE 754 fixes to the last
/// bit, so a seed gives the same bytes on every machine. A larger `size` shows the same scene in more detail.
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
    /// Number of the first picture in the endless sequence that the seed stands for.
    first: u64,
    class_names: Vec<String>,
}

impl Sample {
    /// A sample of `config.images` pictures; none is drawn yet.
    ///
    /// # Errors
    ///
    /// [`DataError::Sample`] if `images` is outside 1..=4294967295 or `size` outside 8..=4096.
    pub fn new(config: SampleConfig) -> Result<Self, DataError> {
        if config.images == 0 || u32::try_from(config.images).is_err() {
            let expected = format!("in 1..={}", u32::MAX);
            return Err(DataError::Sample { field: "images", expected, found: config.images });
        }
        if !(MIN_SIZE..=MAX_SIZE).contains(&config.size) {
            let expected = format!("in {MIN_SIZE}..={MAX_SIZE} pixels");
            return Err(DataError::Sample { field: "size", expected, found: config.size as usize });
        }
        let class_names = Motif::ALL.iter().map(|motif| motif.name().to_owned()).collect();
        Ok(Self { config, first: 0, class_names })
    }

    /// The configuration that this sample was made from.
    #[must_use]
    pub fn config(&self) -> &SampleConfig {
        &self.config
    }

    /// The `count` pictures after this sample's own, with the same seed and size.
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
