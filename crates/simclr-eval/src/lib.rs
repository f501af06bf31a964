//! Is an encoder any good? Figures from labelled images: kNN and linear probes on frozen features, and
//! [fine-tuning](FineTune) of the whole network.
//!
//! The quickest honest answer is a nearest-neighbour vote: an [`Embedder`](simclr_embed::Embedder) turns two labelled
//! sets into features, and [`Knn`] counts how often the labelled neighbours of a held-out image name its class.
//! [`raw_pixels`](simclr_embed::raw_pixels) give the floor: what the same vote reaches without any encoder.
//!
//! ```
//! use burn::tensor::Device;
//! use simclr_augment::SimClrAugmentation;
//! use simclr_data::{SampleConfig, Splits};
//! use simclr_embed::{Embedder, raw_pixels};
//! use simclr_eval::{Knn, Protocol};
//! use simclr_model::{ResNetConfig, ResNetDepth, Stem};
//!
//! let device = Device::flex();
//! let sample = SampleConfig { images: 50, size: 32, ..SampleConfig::default() };
//! let labelled = Splits::sample(&sample)?.labelled.expect("the sample is labelled");
//! // or `Embedder::open("runs/1", &device)?`
//! let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar).init(0, &device)?;
//! let embedder = Embedder::new(encoder, SimClrAugmentation::cifar10().evaluation(), &device);
//!
//! let knn = Knn::for_training_images(labelled.train.len(), &device);
//! let train = embedder.embed_labelled(&labelled.train)?.labelled;
//! let test = embedder.embed_labelled(&labelled.test)?.labelled;
//! println!("random weights: {:.1} %", 100.0 * knn.top1(&train, &test)?);
//!
//! let train = raw_pixels(&labelled.train, embedder.transform())?.labelled;
//! let test = raw_pixels(&labelled.test, embedder.transform())?.labelled;
//! println!("raw pixels: {:.1} %", 100.0 * knn.top1(&train, &test)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Protocols
//!
//! | type | learns |
//! |---|---|
//! | [`Knn`] | nothing: the nearest images of the training set vote |
//! | [`LogisticRegression`] | a linear layer, to its one optimum |
//! | [`MinibatchProbe`] | the same on a device, a minibatch at a time; [`LinearProbe`] chooses between the two |
//! | [`SgdProbe`] | a linear layer by SGD, as in the papers |
//! | [`FineTune`] | the whole network |
//!
//! All but the last are a [`Protocol`]: [`evaluate`] makes a [`Report`] of any of them, and gives the linear layer that it
//! measured. With that layer, an embedder becomes a [`Classifier`] to keep in a file. [`with_few_labels`] and
//! [`over_folds`] repeat an evaluation on several draws of the training set.
//!
//! # Where to go next
//!
//! - Guide: [evaluation](https://docs.rs/crate/simclr/latest/source/docs/evaluation.md).
//! - Example: [`evaluate`](https://docs.rs/crate/simclr/latest/source/examples/evaluate.rs) does all of it on a run.
//! - Beside it: [`simclr-embed`](simclr_embed) makes the vectors, [`simclr-report`](https://docs.rs/simclr-report) draws
//!   a page about them, [`simclr-train`](https://docs.rs/simclr-train) watches a run by them, and
//!   [`simclr`](https://docs.rs/simclr) is all of it under one roof.

mod budget;
mod classifier;
mod error;
mod evaluation;
mod figures;
mod fine_tune;
mod knn;
mod linear_layer;
mod probe;
mod protocol;
mod softmax;
mod warmup_cosine;

pub use budget::{LabelBudget, Shortfall, Spread, draw_equally, over_folds, with_few_labels};
pub use classifier::Classifier;
pub use error::EvalError;
pub use evaluation::{Evaluation, evaluate};
pub use figures::{
    ClassFigures, Confusion, ConfusionMatrix, Evaluated, PredictionTable, Predictions, Report,
};
pub use fine_tune::{
    FineTune, FineTuneConfig, FineTuneOptimizer, FineTuneProgress, FineTuned, LinearStart,
};
pub use knn::{Knn, KnnConfig};
pub use linear_layer::LinearLayer;
pub use probe::{
    LinearProbe, LogisticFit, LogisticRegression, LogisticRegressionConfig, MinibatchProbe,
    MinibatchProbeConfig, SgdProbe, SgdProbeConfig,
};
pub use protocol::{Fitted, Protocol};
/// The error for a value out of range, the same in every crate.
pub use simclr_range::OutOfRange;
pub use warmup_cosine::WarmupCosine;

/// The README's code is tested with the crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
