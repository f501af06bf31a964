//! The third protocol of the papers: the whole network learns from labelled images.

mod config;
mod fine_tuned;
mod labelled_views;
mod linear_start;
mod training;

use std::ops::ControlFlow;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Tensor;
use simclr_data::ImageDataset;
use simclr_embed::{EmbedError, Embedder, labels_of};
use simclr_model::Encoder;
use simclr_range::OutOfRange;

pub use self::config::{FineTuneConfig, FineTuneOptimizer};
pub use self::fine_tuned::FineTuned;
use self::labelled_views::LabelledViews;
pub use self::linear_start::LinearStart;
use self::training::Training;
use crate::classifier::Classifier;
use crate::classifier::network::Network;
use crate::error::EvalError;

/// Fine-tuning: encoder and linear layer are trained end to end on labelled images, from the encoder's pretrained
/// weights. It judges pretraining where labels are few (Chen et al. 2020, section 6, settings in appendix B.5), and is
/// what to use in the end if all that counts is how well these labels are told apart.
///
/// An epoch is one pass over the images: each is seen once, as a random crop that may be flipped. Colours stay as they
/// are. The rate falls along a cosine, without warm-up. Batch normalisation uses the batch's statistics, and its running
/// averages go on from those of pretraining.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_data::{SampleConfig, Splits};
/// use simclr_embed::Embedder;
/// use simclr_eval::{FineTune, FineTuneConfig, LabelBudget};
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
///
/// let device = Device::flex();
/// let config = SampleConfig { images: 40, size: 16, ..SampleConfig::default() };
/// let labelled = Splits::sample(&config)?.labelled.expect("the sample is labelled");
/// // An encoder as pretraining leaves it: `Embedder::open("runs/1", &device)?`.
/// let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).init(0, &device)?;
/// let transform = SimClrAugmentation::cifar10().with_size(16)?.evaluation();
/// let embedder = Embedder::new(encoder, transform, &device);
///
/// let few = LabelBudget::per_class(2)?.subset(&labelled.train, 0)?;
/// let fine_tune = FineTune::new(FineTuneConfig { epochs: 2, ..FineTuneConfig::default() })?;
/// let tuned = fine_tune.fit(&embedder, &few, |progress| {
///     println!("epoch {}: loss {:.3}", progress.epoch, progress.loss);
///     ControlFlow::Continue(()) // or `Break`, to stop after this epoch
/// })?;
///
/// let report = tuned.evaluate(&labelled.test)?.report;
/// println!("{report}"); // begins with "fine-tuning (AdamW), 2 epochs, ..."
/// assert_eq!(report.evaluated.train_images, 20);
/// let _classifier = tuned.classifier; // for `save`, `classify`, ...
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FineTune {
    config: FineTuneConfig,
}

/// A finished epoch of fine-tuning.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FineTuneProgress {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// The mean cross-entropy over the epoch's images, in nats.
    pub loss: f64,
    /// Images that went through training in a second.
    pub images_per_second: f64,
}

impl FineTune {
    /// Fine-tuning with these settings.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a setting is out of its range.
    pub fn new(config: FineTuneConfig) -> Result<Self, OutOfRange> {
        config.check()?;
        Ok(Self { config })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &FineTuneConfig {
        &self.config
    }

    /// Trains a copy of the embedder's encoder, and a linear layer for the classes of `images`. Crops take size, filter
    /// and normalisation from the embedder's transform.
    ///
    /// `progress` is called after each epoch and may end training there. Images that cannot be read are left out. A
    /// class without images is never likely. The result depends on the seed, and on flex not on the number of threads.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] if an image has no label or a label no name, if there are no images that can be read, or if
    /// the data set or the device fails as a whole; [`EvalError::OneClass`] if there is nothing to tell apart;
    /// [`EvalError::Diverged`] if the loss becomes NaN or infinite.
    pub fn fit<E: Encoder<Input = Tensor<4>>>(
        &self,
        embedder: &Embedder<E>,
        images: &dyn ImageDataset,
        mut progress: impl FnMut(FineTuneProgress) -> ControlFlow<()>,
    ) -> Result<FineTuned<E>, EvalError> {
        let config = self.config;
        let policy = embedder.transform().crop_and_flip(config.crop_area)?;
        let labels = check_labels(images)?;
        let layer = config.start.layer(embedder, images, &labels)?;

        // `valid` copies the running averages, which clones would share with the embedder's encoder.
        let network = Network::new(embedder.encoder().valid(), &layer, embedder.device());
        let views = LabelledViews::new(images, labels, policy, config.seed);
        let device = embedder.device().clone().autodiff();
        let mut training = Training::new(config, network.train(), views, device);
        let (mut done, mut loss) = (0, f64::NAN);
        while done < config.epochs {
            let started = Instant::now();
            let seen;
            (loss, seen) = training.epoch(done + 1)?;
            done += 1;
            let images_per_second = seen as f64 / started.elapsed().as_secs_f64().max(1e-9);
            let epochs = config.epochs;
            let report = FineTuneProgress { epoch: done, epochs, loss, images_per_second };
            if progress(report).is_break() {
                break;
            }
        }

        let Training { network, views, .. } = training;
        let network = network.valid();
        let layer = network.layer()?;
        if !layer.weights().iter().chain(layer.biases()).all(|value| value.is_finite()) {
            let learning_rate = config.learning_rate;
            return Err(EvalError::Diverged { epoch: done, loss, learning_rate });
        }
        let embedder = embedder.clone().with_encoder(network.encoder);
        Ok(FineTuned {
            classifier: Classifier::new(embedder, layer, images.class_names().to_vec())?,
            epochs: done,
            loss,
            train_images: views.readable(),
            skipped: views.into_skipped(),
            protocol: config.describe(done),
        })
    }
}

/// The class of each image. All are labelled and named, and there are at least two classes.
fn check_labels(images: &dyn ImageDataset) -> Result<Vec<usize>, EvalError> {
    let labels = labels_of(images)?;
    if labels.is_empty() {
        return Err(EmbedError::NoImages { set: "training set" }.into());
    }
    let classes = labels.iter().max().map_or(0, |&label| label + 1);
    let names = images.class_names().len();
    if classes > names {
        EmbedError::check_count("a name", "classes", classes, names)?;
    }
    EvalError::check_classes(&labels)?;
    Ok(labels)
}
