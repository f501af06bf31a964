//! Images with their features, names and classes: all that a report embeds.

use std::sync::Arc;

use burn::tensor::Device;
use image::RgbImage;
use rayon::prelude::*;
use simclr_augment::EvaluationTransform;
use simclr_data::{ImageDataset, Labelled, Subset};
use simclr_eval::{
    EmbeddedImages, EvalError, Features, LabelledFeatures, embed_images, raw_pixels,
};
use simclr_model::{ImageEncoder, load_weights};
use simclr_train::{PretrainConfig, RunDirectory};

use crate::error::ReportError;
use crate::images::draws::{Purpose, some_of};
use crate::images::part::Part;
use crate::report_config::ReportConfig;
use crate::text::Text;

/// A frozen encoder, the transform that its images go through, and its device.
pub(crate) struct Embedder {
    pub(crate) encoder: ImageEncoder,
    pub(crate) transform: EvaluationTransform,
    pub(crate) device: Device,
}

impl Embedder {
    /// The encoder with the random weights that a run of `config` draws.
    pub(crate) fn untrained(config: &PretrainConfig, device: &Device) -> Result<Self, ReportError> {
        let augmentation = config.augmentation()?;
        config.encoder.check_image_size(augmentation.config().size as usize)?;
        let encoder = config.encoder.init(config.seed, device)?;
        Ok(Self { encoder, transform: augmentation.evaluation(), device: device.clone() })
    }

    /// The encoder that a run has trained.
    pub(crate) fn open(run: &RunDirectory, device: &Device) -> Result<Self, ReportError> {
        let untrained = Self::untrained(&run.config()?.pretrain, device)?;
        let encoder = load_weights(untrained.encoder, &run.encoder_weights())?;
        Ok(Self { encoder, ..untrained })
    }

    fn embed(&self, images: &dyn ImageDataset) -> Result<EmbeddedImages, ReportError> {
        Ok(embed_images(&self.encoder, images, &self.transform, &self.device)?)
    }
}

/// The images of one set that a report looks at, without those that cannot be read. Row i of everything is the same
/// image.
pub(crate) struct Gallery {
    images: Arc<dyn ImageDataset>,
    /// The image of each row.
    indices: Vec<usize>,
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
        let drawn = some_of(images.len(), config.max_images, config.seed, purpose);
        let of = images.len();
        let images: Arc<dyn ImageDataset> = Arc::new(Subset::new(Arc::clone(images), drawn)?);
        let EmbeddedImages { features, images: indices, skipped } = embedder.embed(&images)?;
        if indices.is_empty() {
            return Err(ReportError::NoImages { set, images: images.len() });
        }
        let part = Part { images: indices.len(), skipped: skipped.len(), of };
        Ok(Self { images, indices, features, part })
    }

    /// The same images by another encoder. An image that cannot be read has stayed so.
    pub(crate) fn embed_by(&self, embedder: &Embedder) -> Result<Features, ReportError> {
        Ok(embedder.embed(&self.readable()?)?.features)
    }

    /// The features of the same images without an encoder, with their labels.
    pub(crate) fn raw_pixels(
        &self,
        transform: &EvaluationTransform,
    ) -> Result<LabelledFeatures, ReportError> {
        Ok(raw_pixels(&self.readable()?, transform)?.labelled)
    }

    fn readable(&self) -> Result<Subset, ReportError> {
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

    /// `features` of these images with their labels; an error if one has none.
    pub(crate) fn labelled(&self, features: Features) -> Result<LabelledFeatures, ReportError> {
        let label = |row: usize| {
            let unlabelled = || EvalError::Unlabelled { name: self.images.name(self.indices[row]) };
            self.label(row).ok_or_else(unlabelled)
        };
        let labels = (0..self.len()).map(label).collect::<Result<_, EvalError>>()?;
        Ok(LabelledFeatures { features, labels })
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
