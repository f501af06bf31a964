//! Is an encoder any good? Figures from labelled images: kNN and linear probes on frozen features, and
//! [fine-tuning](FineTune) of the whole network.
//!
//! The quickest honest answer is a nearest-neighbour vote: [`embed`] turns two labelled sets into
//! features, and [`Knn`] asks how often the labelled neighbours of a held-out image name its class.
//! [`raw_pixels`] gives the floor: what the same vote reaches without any encoder.
//!
//! ```
//! use burn::tensor::Device;
//! use simclr_augment::SimClrAugmentation;
//! use simclr_data::{SampleConfig, Splits};
//! use simclr_eval::{Knn, embed, raw_pixels};
//! use simclr_model::{ResNetConfig, ResNetDepth, Stem};
//!
//! let device = Device::flex();
//! let sample = SampleConfig { images: 50, size: 32, ..SampleConfig::default() };
//! let labelled = Splits::sample(&sample)?.labelled.expect("the sample is labelled");
//! let transform = SimClrAugmentation::cifar10().evaluation();
//! let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar);
//! let encoder = encoder.init(0, &device)?;
//!
//! let knn = Knn::for_training_images(labelled.train.len());
//! let train = embed(&encoder, &labelled.train, &transform, &device)?.labelled;
//! let test = embed(&encoder, &labelled.test, &transform, &device)?.labelled;
//! println!("random weights: {:.1} %", 100.0 * knn.top1(&train, &test, &device)?);
//!
//! let train = raw_pixels(&labelled.train, &transform)?.labelled;
//! let test = raw_pixels(&labelled.test, &transform)?.labelled;
//! println!("raw pixels: {:.1} %", 100.0 * knn.top1(&train, &test, &device)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod classifier;
mod classifier_file;
mod confusion_matrix;
mod cosine;
mod embedded_images;
mod error;
mod evaluation;
mod features;
mod fine_tune;
mod fine_tuned;
mod fine_tuning;
mod image_index;
mod knn;
mod labelled_features;
mod labelled_views;
mod layer;
mod lbfgs;
mod linear_layer;
mod linear_start;
mod logistic_regression;
mod low_label;
mod neighbours;
mod network;
mod prediction_table;
mod predictions;
mod protocol;
mod report;
mod sgd_probe;
mod softmax_regression;
mod standardization;

pub use classifier::Classifier;
pub use confusion_matrix::{Confusion, ConfusionMatrix};
pub use embedded_images::{EmbeddedImages, embed_image, embed_images};
pub use error::EvalError;
pub use evaluation::{Evaluation, evaluate};
pub use features::Features;
pub use fine_tune::{FineTune, FineTuneOptimizer, FineTuneProgress};
pub use fine_tuned::FineTuned;
pub use image_index::ImageIndex;
pub use knn::Knn;
pub use labelled_features::{Embedded, LabelledFeatures, embed, embed_projections, raw_pixels};
pub use layer::Layer;
pub use linear_layer::LinearLayer;
pub use linear_start::LinearStart;
pub use logistic_regression::{LogisticFit, LogisticRegression};
pub use low_label::{LabelBudget, Spread, over_folds, with_few_labels};
pub use neighbours::{Neighbour, nearest_neighbours};
pub use prediction_table::PredictionTable;
pub use predictions::Predictions;
pub use protocol::Protocol;
pub use report::{ClassFigures, Evaluated, Report};
pub use sgd_probe::SgdProbe;
