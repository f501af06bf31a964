//! Evaluation of an image encoder while it trains.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use burn::train::Interrupter;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use simclr_augment::EvaluationTransform;
use simclr_data::{DataError, ImageDataset, Labelled, Splits, Subset};
use simclr_embed::{Embedder, Features, LabelledFeatures, labels_of};
use simclr_eval::{EvalError, Knn, KnnConfig, LinearProbe, Protocol, draw_equally};
use simclr_model::Encoder;

use crate::images::stoppable::stoppable;
use crate::watch::feature_shape::FeatureShape;
use crate::watch::monitor::{Monitor, Monitored, Observation, ProbeFigure};
use crate::watch::representation::MOST_ROWS;

/// Evaluates an encoder on images: by weighted kNN ([`Knn`]) and, after the last epoch, by a linear probe
/// ([`LinearProbe`]) where there are labels; and always by the [`FeatureShape`].
#[derive(Clone)]
pub struct ImageMonitor {
    images: Watched,
    transform: EvaluationTransform,
    device: Device,
    interrupter: Interrupter,
}

#[derive(Clone)]
enum Watched {
    Labelled(Labelled),
    Unlabelled(Arc<dyn ImageDataset>),
}

impl ImageMonitor {
    /// A monitor on `device`, which must be the encoder's, that looks at all of these images.
    #[must_use]
    pub fn new(labelled: Labelled, transform: EvaluationTransform, device: &Device) -> Self {
        Self::watching(Watched::Labelled(labelled), transform, device)
    }

    /// A monitor that looks at a draw of a run's images, which depends on `seed` alone. With labels, it has at most
    /// `images` of the training set, which vote, and as many of the test set, which are classified: of each class as many
    /// as of any other ([`draw_equally`]). Without labels, it has at most `images` of those for pretraining, and no more
    /// than the 512 that a [`FeatureShape`] takes.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] for a labelled set in which an image has no label.
    pub fn drawn(
        data: &Splits,
        images: usize,
        seed: u64,
        transform: EvaluationTransform,
        device: &Device,
    ) -> Result<Self, EvalError> {
        let watched = match &data.labelled {
            Some(Labelled { train, test }) => Watched::Labelled(Labelled {
                train: labelled_draw(train, images, seed)?,
                test: labelled_draw(test, images, seed)?,
            }),
            None => Watched::Unlabelled(draw(&data.pretrain, images.min(MOST_ROWS), seed)?),
        };
        Ok(Self::watching(watched, transform, device))
    }

    fn watching(images: Watched, transform: EvaluationTransform, device: &Device) -> Self {
        let (device, interrupter) = (device.clone(), Interrupter::new());
        Self { images, transform, device, interrupter }
    }

    /// The same monitor, which reads no image and takes no step of the probe once `interrupter` tells to stop.
    #[must_use]
    pub fn stopped_by(self, interrupter: &Interrupter) -> Self {
        Self { interrupter: interrupter.clone(), ..self }
    }

    /// What it looks at, in words: `kNN of 5000 test images by 5000 training images`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.images {
            Watched::Labelled(Labelled { train, test }) => {
                let (train, test) = (train.len(), test.len());
                format!("kNN of {test} test images by {train} training images")
            }
            Watched::Unlabelled(images) => {
                format!("the shape of the features of {} images, without labels", images.len())
            }
        }
    }

    fn stoppable(&self, images: &Arc<dyn ImageDataset>) -> impl ImageDataset + use<> {
        stoppable(images, &self.interrupter)
    }
}

/// At most `images` images, equally of each class.
fn labelled_draw(
    set: &Arc<dyn ImageDataset>,
    images: usize,
    seed: u64,
) -> Result<Arc<dyn ImageDataset>, EvalError> {
    if set.len() <= images {
        return Ok(Arc::clone(set));
    }
    let drawn = draw_equally(&labels_of(set)?, images, seed);
    Ok(Arc::new(Subset::new(Arc::clone(set), drawn)?))
}

/// At most `images` images, whatever they show.
fn draw(
    set: &Arc<dyn ImageDataset>,
    images: usize,
    seed: u64,
) -> Result<Arc<dyn ImageDataset>, DataError> {
    if set.len() <= images {
        return Ok(Arc::clone(set));
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = rand::seq::index::sample(&mut random, set.len(), images).into_vec();
    drawn.sort_unstable();
    Ok(Arc::new(Subset::new(Arc::clone(set), drawn)?))
}

impl<E: Encoder<Input = Tensor<4>>> Monitor<E> for ImageMonitor {
    fn observe(&self, encoder: &E) -> Result<Box<dyn Observation>, EvalError> {
        let embedder = Embedder::new(encoder.clone(), self.transform.clone(), &self.device);
        Ok(match &self.images {
            Watched::Labelled(Labelled { train, test }) => Box::new(EmbeddedLabels {
                train: embedder.embed_labelled(&self.stoppable(train))?.labelled,
                test: embedder.embed_labelled(&self.stoppable(test))?.labelled,
                device: self.device.clone(),
                interrupter: self.interrupter.clone(),
            }),
            Watched::Unlabelled(images) => {
                Box::new(EmbeddedImages(embedder.embed(&self.stoppable(images))?.features))
            }
        })
    }
}

struct EmbeddedLabels {
    train: LabelledFeatures,
    test: LabelledFeatures,
    device: Device,
    interrupter: Interrupter,
}

impl Observation for EmbeddedLabels {
    /// With the `k` of [`KnnConfig::for_equal_classes`].
    fn knn_top1(&self) -> Result<Option<f64>, EvalError> {
        let classes = distinct(self.train.labels());
        let config = KnnConfig::for_equal_classes(self.train.len(), classes);
        Knn::new(config, &self.device)?.top1(&self.train, &self.test).map(Some)
    }

    fn monitored(&self) -> Option<Monitored> {
        let shape = FeatureShape::new(self.test.features());
        let (train_images, test_images) = (self.train.len(), self.test.len());
        Some(Monitored { train_images, test_images, shape })
    }

    /// [`LinearProbe`] with its default settings; `None` if all training images are of one class.
    fn linear_probe(&self) -> Result<Option<ProbeFigure>, EvalError> {
        let (train_images, test_images) = (self.train.len(), self.test.len());
        let probe = LinearProbe::for_images(train_images, 1.0, &self.device)?;
        let layer = match probe.fit_until(&self.train, &|| self.interrupter.should_stop()) {
            Ok(layer) => layer,
            Err(EvalError::OneClass { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let top1 = layer.predict(self.test.features())?.accuracy(self.test.labels(), 1);
        let protocol = format!(
            "{}; {train_images} training images, {test_images} test images",
            probe.describe()
        );
        Ok(Some(ProbeFigure { top1, protocol }))
    }
}

/// How many different labels there are.
fn distinct(labels: &[usize]) -> usize {
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    labels.dedup();
    labels.len()
}

/// Features of images without labels.
struct EmbeddedImages(Features);

impl Observation for EmbeddedImages {
    fn knn_top1(&self) -> Result<Option<f64>, EvalError> {
        Ok(None)
    }

    fn monitored(&self) -> Option<Monitored> {
        let shape = FeatureShape::new(&self.0);
        Some(Monitored { train_images: 0, test_images: self.0.len(), shape })
    }
}
