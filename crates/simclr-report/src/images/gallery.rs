//! Images with their features, names and classes: all that a report embeds.

use std::sync::Arc;

use image::RgbImage;
use rayon::prelude::*;
use simclr_augment::EvaluationTransform;
use simclr_data::{ImageDataset, Labelled, Subset};
use simclr_embed::{EmbedError, Embedded, Embedder, Features, LabelledFeatures, labels_of};

use crate::error::ReportError;
use crate::images::draws::{Purpose, some_of};
use crate::images::part::Part;
use crate::report_config::ReportConfig;
use crate::text::Text;

/// The images of one set that a report looks at, without those that cannot be read. Row i of everything is the same
/// image.
pub(crate) struct Gallery {
    pub(crate) images: Subset,
    pub(crate) features: Features,
    pub(crate) part: Part,
}

impl Gallery {
    /// Embeds some of `images`, drawn by the config's seed. An error calls them `set` images.
    fn embed(
        images: &Arc<dyn ImageDataset>,
        (set, purpose): (&'static str, Purpose),
        config: &ReportConfig,
        embedder: &Embedder,
    ) -> Result<Self, ReportError> {
        let of = images.len();
        let drawn = some_of(of, config.max_images, config.seed, purpose);
        let subset = |rows: Vec<usize>| Subset::new(Arc::clone(images), rows);
        let embedded = embedder.embed(&subset(drawn.clone())?)?;
        let Embedded { features, indices, skipped, .. } = embedded;
        if indices.is_empty() {
            return Err(ReportError::NoImages { set, images: drawn.len() });
        }
        let part = Part { images: indices.len(), skipped: skipped.len(), of };
        let images = subset(indices.into_iter().map(|index| drawn[index]).collect())?;
        Ok(Self { images, features, part })
    }

    pub(crate) fn len(&self) -> usize {
        self.images.len()
    }

    pub(crate) fn name(&self, row: usize) -> Text {
        Text::new(self.images.name(row))
    }

    pub(crate) fn label(&self, row: usize) -> Option<usize> {
        self.images.label(row)
    }

    /// The features with their labels; an error if an image has none.
    pub(crate) fn labelled(&self) -> Result<LabelledFeatures, EmbedError> {
        LabelledFeatures::new(self.features.clone(), labels_of(&self.images)?)
    }

    pub(crate) fn class_names(&self) -> &[String] {
        self.images.class_names()
    }

    pub(crate) fn class(&self, row: usize) -> Option<Text> {
        let name = self.label(row).and_then(|label| self.class_names().get(label));
        name.map(Text::new)
    }

    pub(crate) fn image(&self, row: usize) -> Result<RgbImage, ReportError> {
        Ok(self.images.image(row)?)
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
    /// Labelled images: the training set of the probes, and the test set, which neither they nor the run learnt from.
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
        let embed = |images, set| Gallery::embed(images, set, config, embedder);
        Ok(match labelled {
            Some(Labelled { train, test }) => Self::Labelled {
                train: embed(train, ("training", Purpose::TrainingSet))?,
                test: embed(test, ("test", Purpose::TestSet))?,
            },
            None => Self::Unlabelled(embed(pretraining, ("pretraining", Purpose::Pretraining))?),
        })
    }

    /// The images of the map, and those whose neighbours are shown.
    pub(crate) fn test(&self) -> &Gallery {
        match self {
            Self::Labelled { test, .. } => test,
            Self::Unlabelled(images) => images,
        }
    }

    pub(crate) fn skipped(&self) -> usize {
        match self {
            Self::Labelled { train, test } => train.part.skipped + test.part.skipped,
            Self::Unlabelled(images) => images.part.skipped,
        }
    }
}
