//! The third protocol of the papers: the whole network learns from labelled images.

use std::ops::ControlFlow;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use simclr_augment::EvaluationTransform;
use simclr_data::ImageDataset;
use simclr_model::Encoder;

use crate::classifier::Classifier;
use crate::error::EvalError;
use crate::fine_tuned::FineTuned;
use crate::fine_tuning::FineTuning;
use crate::labelled_features::labels_of;
use crate::labelled_views::LabelledViews;
use crate::linear_start::LinearStart;
use crate::logistic_regression::LogisticRegression;
use crate::network::Network;

/// Fine-tuning: encoder and linear layer are trained end to end on labelled images, and the encoder's
/// pretrained weights are where it starts. It is how pretraining is judged where labels are few (Chen et
/// al. 2020, section 6, settings in appendix B.5), and what is used in the end if labels
/// are all that counts.
///
/// Each image is seen once an epoch, as a random crop that may be flipped; colours stay as they are.
/// The rate falls along a cosine, without warm-up. Batch normalisation uses the batch's statistics, and
/// its running averages go on from those of pretraining.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_data::{SampleConfig, Splits};
/// use simclr_eval::{FineTune, LabelBudget};
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
///
/// let device = Device::flex();
/// let config = SampleConfig { images: 40, size: 16, ..SampleConfig::default() };
/// let labelled = Splits::sample(&config)?.labelled.expect("the sample is labelled");
/// let transform = SimClrAugmentation::cifar10().with_size(16)?.evaluation();
/// // An encoder as pretraining leaves it.
/// let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).init(0, &device)?;
///
/// let few = LabelBudget::PerClass(2).subset(&labelled.train, 0)?;
/// let fine_tune = FineTune { epochs: 2, ..FineTune::default() };
/// let tuned = fine_tune.fit(&encoder, &few, &transform, &device, |progress| {
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
    /// Passes over the images, at least 1.
    pub epochs: usize,
    /// Images in a step at most, at least 1. An epoch's images are dealt into steps of equal size.
    pub batch_size: usize,
    /// The first step's rate, finite and positive.
    pub learning_rate: f64,
    /// What turns gradients into steps.
    pub optimizer: FineTuneOptimizer,
    /// Pulls every parameter towards zero, finite and at least 0: factor of the weights in the gradient
    /// for SGD, share that a step of rate 1 takes away for `AdamW`.
    pub weight_decay: f32,
    /// What the linear layer starts from.
    pub start: LinearStart,
    /// Smallest and largest share of the image's area in a crop: `0 < min <= max <= 1`.
    pub crop_area: [f64; 2],
    /// Seed of the order of the images, and of their crops and flips.
    pub seed: u64,
}

/// What turns gradients into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FineTuneOptimizer {
    /// Adam with decoupled weight decay; betas 0.9 and 0.999, epsilon 1e-8, as in PyTorch.
    AdamW,
    /// Stochastic gradient descent with Nesterov's momentum of 0.9, as in the papers.
    Nesterov,
}

/// An epoch of fine-tuning that is done.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FineTuneProgress {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Epochs in all.
    pub epochs: usize,
    /// The mean cross-entropy over the epoch's images, in nats.
    pub loss: f64,
    /// Images learnt from in a second.
    pub images_per_second: f64,
}

impl Default for FineTune {
    /// For small encoders and a few thousand images: 30 epochs of `AdamW` at 1e-3, batch 64, no weight
    /// decay, from the linear probe, on crops of at least a fifth of the image. A choice that works
    /// (`docs/evaluation.md` has figures), not the end of a search.
    fn default() -> Self {
        Self {
            epochs: 30,
            batch_size: 64,
            learning_rate: 1e-3,
            optimizer: FineTuneOptimizer::AdamW,
            weight_decay: 0.0,
            start: LinearStart::Probe(LogisticRegression::default()),
            crop_area: [0.2, 1.0],
            seed: 0,
        }
    }
}

impl FineTune {
    /// The settings of Chen et al. 2020, appendix B.5: SGD with Nesterov's momentum at 0.05 * batch / 256,
    /// no weight decay, from zeros, on crops of 8 to 100 % of the image. They take batches of 4096, and
    /// 60 epochs on 1 % of `ImageNet`'s labels, 30 on 10 %.
    #[must_use]
    pub fn paper(epochs: usize, batch_size: usize) -> Self {
        Self {
            epochs,
            batch_size,
            learning_rate: 0.05 * batch_size as f64 / 256.0,
            optimizer: FineTuneOptimizer::Nesterov,
            weight_decay: 0.0,
            start: LinearStart::Zero,
            crop_area: [0.08, 1.0],
            seed: 0,
        }
    }

    /// Trains a copy of `encoder`, which is on `device`, and a linear layer for the classes of `images`.
    /// `transform` is how images are evaluated; crops take its size, filter and normalisation.
    ///
    /// `progress` is called after each epoch and may end training there. Images that cannot be read are
    /// left out. A class that no image is of is never likely. The result depends on the seed, and on
    /// flex not on the number of threads.
    ///
    /// # Errors
    ///
    /// [`EvalError::Parameter`] and [`EvalError::Augmentation`] for a setting out of its range;
    /// [`EvalError::Unlabelled`] if an image has no label, [`EvalError::ClassCount`] if a label has no
    /// name; [`EvalError::OneClass`] and [`EvalError::NoImages`] if there is nothing to tell apart;
    /// [`EvalError::Diverged`] if the loss is no number any more; [`EvalError::Data`] and
    /// [`EvalError::Device`] if the data set or the device fails as a whole.
    pub fn fit<E: Encoder<Input = Tensor<4>>>(
        &self,
        encoder: &E,
        images: &dyn ImageDataset,
        transform: &EvaluationTransform,
        device: &Device,
        mut progress: impl FnMut(FineTuneProgress) -> ControlFlow<()>,
    ) -> Result<FineTuned<E>, EvalError> {
        self.check()?;
        let policy = transform.crop_and_flip(self.crop_area)?;
        let labels = check_labels(images)?;
        let layer = self.start.layer(encoder, images, &labels, transform, device)?;

        let autodiff = device.clone().autodiff();
        // `valid` copies the running averages, which clones would share with the caller's encoder.
        let network = Network::new(encoder.valid(), &layer, device).train();
        let views = LabelledViews::new(images, labels, policy, self.seed);
        let mut training = FineTuning::new(*self, network, views, autodiff);
        let (mut done, mut loss) = (0, f64::NAN);
        while done < self.epochs {
            let started = Instant::now();
            let seen;
            (loss, seen) = training.epoch(done + 1)?;
            done += 1;
            let images_per_second = seen as f64 / started.elapsed().as_secs_f64().max(1e-9);
            let report =
                FineTuneProgress { epoch: done, epochs: self.epochs, loss, images_per_second };
            if progress(report).is_break() {
                break;
            }
        }

        let network = training.network.valid();
        let layer = network.layer()?;
        if !layer.weights().iter().chain(layer.biases()).all(|value| value.is_finite()) {
            let learning_rate = self.learning_rate;
            return Err(EvalError::Diverged { epoch: done, loss: f64::NAN, learning_rate });
        }
        let names = images.class_names().to_vec();
        Ok(FineTuned {
            classifier: Classifier::new(network.encoder, layer, names, transform.clone(), device)?,
            epochs: done,
            loss,
            train_images: training.views.readable(),
            skipped: training.views.into_skipped(),
            protocol: self.describe(done),
        })
    }

    fn check(&self) -> Result<(), EvalError> {
        let check = |legal: bool, field, expected, found| {
            let protocol = "fine-tuning";
            if legal {
                Ok(())
            } else {
                Err(EvalError::Parameter { protocol, field, expected, found })
            }
        };
        let (rate, decay) = (self.learning_rate, f64::from(self.weight_decay));
        check(self.epochs > 0, "epochs", "at least 1", 0.0)?;
        check(self.batch_size > 0, "batch_size", "at least 1", 0.0)?;
        check(rate.is_finite() && rate > 0.0, "learning_rate", "finite and positive", rate)?;
        check(decay.is_finite() && decay >= 0.0, "weight_decay", "finite and at least 0", decay)
    }

    /// The method and its settings, in words, after `done` epochs.
    fn describe(&self, done: usize) -> String {
        let Self { epochs, batch_size, learning_rate, weight_decay, seed, .. } = self;
        let optimizer = match self.optimizer {
            FineTuneOptimizer::AdamW => "AdamW",
            FineTuneOptimizer::Nesterov => "SGD, Nesterov 0.9",
        };
        let duration = if done == *epochs {
            format!("{epochs} epochs")
        } else {
            format!("stopped after {done} of {epochs} epochs")
        };
        let start = self.start.describe();
        let [smallest, largest] = self.crop_area;
        format!(
            "fine-tuning ({optimizer}), {duration}, batch {batch_size}, rate {learning_rate}, cosine, \
             weight decay {weight_decay}, crops of {smallest} to {largest}, linear layer from {start}, \
             seed {seed}"
        )
    }
}

/// The class of each image: labelled, named, and of more than one kind.
fn check_labels(images: &dyn ImageDataset) -> Result<Vec<usize>, EvalError> {
    let labels = labels_of(images)?;
    let Some(&first) = labels.first() else { return Err(EvalError::NoImages { set: "train" }) };
    let classes = labels.iter().max().map_or(0, |&label| label + 1);
    let names = images.class_names().len();
    if classes > names {
        return Err(EvalError::ClassCount { expected: classes, found: names });
    }
    if labels.iter().all(|&label| label == first) {
        return Err(EvalError::OneClass { found: first });
    }
    Ok(labels)
}
