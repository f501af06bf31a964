//! Images with their features, names and classes.

use std::sync::Arc;

use image::RgbImage;
use rayon::prelude::*;
use simclr_augment::EvaluationTransform;
use simclr_data::{ImageDataset, Labelled, Subset};
use simclr_embed::{EmbedError, Embedder, Features, LabelledFeatures};

use crate::draws::{Purpose, some_of};
use crate::error::ReportError;
use crate::report_config::ReportConfig;
use crate::text::Text;

/// Images that a report looks at, without those that cannot be read. Row i of everything is of one image.
pub(crate) struct Gallery {
    images: Arc<dyn ImageDataset>,
    /// The image of each row.
    indices: Vec<usize>,
    pub(crate) features: Features,
    /// How many could not be read.
    pub(crate) skipped: usize,
}

impl Gallery {
    /// Embeds all of `images`, which are called `set` if none of them can be read.
    fn embed(
        images: Arc<dyn ImageDataset>,
        set: &'static str,
        embedder: &Embedder,
    ) -> Result<Self, ReportError> {
        let embedded = embedder.embed(&images)?;
        if embedded.indices.is_empty() {
            return Err(ReportError::NoImages { set, images: images.len() });
        }
        let skipped = embedded.skipped.len();
        Ok(Self { images, indices: embedded.indices, features: embedded.features, skipped })
    }

    /// The same images with another encoder's features. What cannot be read stays so.
    pub(crate) fn with(&self, embedder: &Embedder) -> Result<Features, ReportError> {
        Ok(embedder.embed(&self.readable()?)?.features)
    }

    /// The images that were read, as a set of their own.
    pub(crate) fn readable(&self) -> Result<Subset, ReportError> {
        Ok(Subset::new(Arc::clone(&self.images), self.indices.clone())?)
    }

    pub(crate) fn len(&self) -> usize {
        self.indices.len()
    }

    pub(crate) fn name(&self, row: usize) -> Text {
        Text::new(self.images.name(self.indices[row]))
    }

    pub(crate) fn label(&self, row: usize) -> Option<usize> {
        self.images.label(self.indices[row])
    }

    /// `features` of these images, with their labels, of which a labelled gallery has one for each.
    pub(crate) fn labelled(&self, features: Features) -> Result<LabelledFeatures, ReportError> {
        let label = |row: usize| {
            let unlabelled =
                || EmbedError::Unlabelled { name: self.images.name(self.indices[row]) };
            self.label(row).ok_or_else(unlabelled)
        };
        let labels = (0..self.len()).map(label).collect::<Result<_, EmbedError>>()?;
        Ok(LabelledFeatures::new(features, labels)?)
    }

    pub(crate) fn class_names(&self) -> &[String] {
        self.images.class_names()
    }

    pub(crate) fn class(&self, row: usize) -> Option<Text> {
        let name = self.label(row).and_then(|label| self.class_names().get(label));
        name.map(Text::new)
    }

    pub(crate) fn image(&self, row: usize) -> Result<RgbImage, ReportError> {
        Ok(self.images.image(self.indices[row])?)
    }

    /// What `transform` makes of some images, to look at.
    pub(crate) fn views(
        &self,
        rows: &[usize],
        transform: &EvaluationTransform,
    ) -> Result<Vec<RgbImage>, ReportError> {
        rows.par_iter().map(|&row| Ok(transform.view(&self.image(row)?)?)).collect()
    }
}

/// The images of a report.
pub(crate) enum Galleries {
    /// Labelled ones: the training set, and the test, which the run never saw.
    Labelled { train: Gallery, test: Gallery },
    /// Images that the run was pretrained on.
    Unlabelled(Gallery),
}

impl Galleries {
    pub(crate) fn embed(
        pretraining: &Arc<dyn ImageDataset>,
        labelled: Option<&Labelled>,
        config: &ReportConfig,
        embedder: &Embedder,
    ) -> Result<Self, ReportError> {
        let drawn = |images: &Arc<dyn ImageDataset>, set, purpose| {
            let drawn = some_of(images.len(), config.max_images, config.seed, purpose);
            let some: Arc<dyn ImageDataset> = Arc::new(Subset::new(Arc::clone(images), drawn)?);
            Gallery::embed(some, set, embedder)
        };
        Ok(match labelled {
            Some(Labelled { train, test }) => Self::Labelled {
                train: drawn(train, "train", Purpose::Bank)?,
                test: drawn(test, "test", Purpose::Queries)?,
            },
            None => {
                Self::Unlabelled(drawn(pretraining, "pretraining images", Purpose::Pretraining)?)
            }
        })
    }

    /// The images of the map, and those whose neighbours are looked for.
    pub(crate) fn test(&self) -> &Gallery {
        match self {
            Self::Labelled { test, .. } => test,
            Self::Unlabelled(images) => images,
        }
    }

    pub(crate) fn skipped(&self) -> usize {
        match self {
            Self::Labelled { train, test } => train.skipped + test.skipped,
            Self::Unlabelled(images) => images.skipped,
        }
    }
}
