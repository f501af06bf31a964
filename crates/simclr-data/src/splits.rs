//! Which images serve pretraining, and which serve evaluation.

mod found;
mod hold_out;
mod labelled;
mod of_shards;
mod open;
mod recognise;
mod split_folders;
mod split_name;
mod whole_set;

use std::sync::Arc;

use simclr_range::OutOfRange;

use self::found::labelled_only;
use self::hold_out::test_images_for;
pub use self::labelled::Labelled;
pub(crate) use self::split_folders::split_folders;
pub(crate) use self::split_name::{Split, SplitName};
pub use self::whole_set::WholeSet;
use crate::{DataError, DataIndex, ImageDataset, Subset};

/// The most images that are read to find their typical size.
const MEASURED: usize = 25;

/// The images for pretraining and, if there are labels, those for evaluation.
///
/// Pretraining never sees an image of the test set.
///
/// ```
/// use simclr_data::{ImageDataset, SampleConfig, Splits};
///
/// let splits = Splits::sample(&SampleConfig { images: 1000, ..SampleConfig::default() })?;
/// assert_eq!(splits.pretrain.len(), 1000);
/// assert_eq!(splits.labelled.unwrap().test.len(), 200);
/// # Ok::<(), simclr_data::DataError>(())
/// ```
#[derive(Clone)]
pub struct Splits {
    /// Images for pretraining, which ignores their labels unless its loss contrasts classes.
    pub pretrain: Arc<dyn ImageDataset>,
    /// Images for evaluation; `None` without labels.
    pub labelled: Option<Labelled>,
    /// One line for people: what was found and how it is used.
    pub description: String,
    /// One line each for people: what was guessed or left out when the folder was opened.
    pub warnings: Vec<String>,
    /// What an [index file](crate::Opening::index) may keep, so that the data is opened faster the next time. `None` if there is
    /// nothing to gain, or if such a file was used.
    pub index: Option<DataIndex>,
}

impl Splits {
    /// Keeps `images` for pretraining, `images` of the training set, and a fifth as many (rounded up) of the test set, each
    /// [drawn](Subset::drawn) from all classes. A set that has fewer is kept whole.
    ///
    /// # Errors
    ///
    /// [`DataError::OutOfRange`] if `images` is zero.
    ///
    /// ```
    /// use simclr_data::{ImageDataset, SampleConfig, Splits};
    ///
    /// let splits = Splits::sample(&SampleConfig::default())?.limited_to(200)?;
    /// let labelled = splits.labelled.expect("the sample is labelled");
    /// assert_eq!([splits.pretrain.len(), labelled.train.len(), labelled.test.len()], [200, 200, 40]);
    /// # Ok::<(), simclr_data::DataError>(())
    /// ```
    pub fn limited_to(self, images: usize) -> Result<Self, DataError> {
        OutOfRange::unless(images > 0, "images", "at least 1", images)?;
        let drawn =
            |dataset, count| -> Arc<dyn ImageDataset> { Arc::new(Subset::drawn(dataset, count)) };
        let labelled = self.labelled.map(|Labelled { train, test }| Labelled {
            train: drawn(train, images),
            test: drawn(test, test_images_for(images)),
        });
        Ok(Self {
            pretrain: drawn(self.pretrain, images),
            labelled,
            description: format!("{}; of these, {images} drawn from all classes", self.description),
            warnings: self.warnings,
            index: self.index,
        })
    }

    /// Pretrains on labelled images alone, for a loss that contrasts classes: on the training set or, without one, on the
    /// images for pretraining that have a label. `pretrain` is empty if there is none. Splits that pretrain on
    /// labelled images already stay as they are.
    ///
    /// # Errors
    ///
    /// [`DataError::IndexOutOfRange`] for a set that changes its length meanwhile.
    pub fn with_labelled_pretraining(self) -> Result<Self, DataError> {
        let unlabelled = |images: &dyn ImageDataset| {
            (0..images.len()).any(|index| images.label(index).is_none())
        };
        if !unlabelled(&self.pretrain) {
            return Ok(self);
        }
        let pretrain = match &self.labelled {
            Some(Labelled { train, .. }) => Arc::clone(train),
            None => labelled_only(Arc::clone(&self.pretrain))?,
        };
        let images = pretrain.len();
        let description =
            format!("{}; pretraining on the {images} labelled ones", self.description);
        Ok(Self { pretrain, description, ..self })
    }

    /// The shorter side of a typical image for pretraining, in pixels: the median over up to 25 of them, evenly chosen.
    /// The size of the views follows from it.
    ///
    /// # Errors
    ///
    /// The error of the first of those images, if none of them can be read.
    pub fn typical_side(&self) -> Result<u32, DataError> {
        let len = self.pretrain.len();
        let measured = len.clamp(1, MEASURED);
        let side = |number| -> Result<u32, DataError> {
            let image = self.pretrain.image(number * len / measured)?;
            Ok(image.width().min(image.height()))
        };
        let mut sides: Vec<u32> = (0..measured).filter_map(|number| side(number).ok()).collect();
        sides.sort_unstable();
        sides.get(sides.len() / 2).copied().map_or_else(|| side(0), Ok)
    }
}

#[cfg(test)]
mod tests;
