//! Learn image encoders from unlabelled images, in Rust: SimCLR (Chen et al. 2020) on
//! [Burn](https://burn.dev).
//!
//! Two random views of an image should look alike to an encoder, and unlike any other image. Trained
//! on nothing but that, it turns images into vectors in which kinds of things lie together, and a few
//! labels, or none, are enough for the rest.
//!
//! # Where to go
//!
//! - The formula: [`loss`] carries the guide to NT-Xent, from two loops to tiles.
//! - Your photos: [from images to an encoder](#from-images-to-an-encoder), or the command `simclr` of
//!   [`simclr-cli`](https://docs.rs/crate/simclr-cli).
//! - Your own training code: [the loss](#the-loss-in-your-own-training-code), a [whole loop](loss#in-your-own-training-loop),
//!   and [`train::Trainer`] for any network and any kind of data.
//! - Your GPU: [backends](#backends).
//! - Your data set or tutorial: [`train::Recipe`] has published settings, [`data`] reads STL-10, CIFAR-10 and folders, and the guide
//!   says how to [come from PyTorch](loss#coming-from-pytorch).
//!
//! [All pages of the guide](https://docs.rs/crate/simclr/latest/source/docs/README.md), and the
//! [examples](https://docs.rs/crate/simclr/latest/source/examples/): each is one story, and says what to expect.
//!
//! # From images to an encoder
//!
//! ```
//! use simclr::data::{SampleConfig, Splits};
//! use simclr::train::{PretrainConfig, device_from_name, pretrain};
//!
//! // The built-in sample, tiny; `Splits::open("folder")` takes STL-10, CIFAR-10 or your own photos.
//! let data = Splits::sample(&SampleConfig { images: 20, size: 16, ..SampleConfig::default() })?;
//! let mut config = PretrainConfig::for_images(&data)?;
//! (config.train.epochs, config.train.batch_size) = (1, 10);
//! let pretrained = pretrain(&config, &data, &device_from_name("flex")?)?;
//! println!("kNN top-1: {:?}", pretrained.summary.knn_top1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The loss in your own training code
//!
//! ```toml
//! [dependencies]
//! burn = { version = "0.22.1", default-features = false, features = ["std", "flex", "optim"] }
//! simclr = { version = "0.2", default-features = false, features = ["loss", "flex"] }
//! ```
//!
//! ```
//! use simclr::burn::tensor::{Device, Tensor};
//! use simclr::loss::NtXent;
//!
//! # let device = Device::flex();
//! # let z_a = Tensor::<2>::ones([4, 128], &device);
//! # let z_b = Tensor::<2>::ones([4, 128], &device);
//! let loss = NtXent::new(0.5)?; // temperature: finite and positive, else a typed error
//! let value: Tensor<1> = loss.forward(z_a, z_b); // two views' projections, [n, d] each
//! # Ok::<(), simclr::loss::OutOfRange>(())
//! ```
//!
//! # The rooms
//!
//! | module and feature | in, out |
//! |---|---|
//! | [`loss`] | two views' projections -> one number |
//! | [`augment`] | one image and drawn parameters -> one view |
//! | [`data`] | files -> images and labels |
//! | [`nn`] | layers that train fast, drop-in for Burn's |
//! | [`model`] | images -> features h -> projections z |
//! | [`onnx`] | a network -> a graph that onnxruntime and browsers compute |
//! | [`embed`] | encoder and images -> vectors, and what vectors answer |
//! | [`eval`] | vectors and labels -> figures |
//! | [`train`] | views, encoder and loss -> a trained encoder |
//! | [`report`] | a run and its images -> one page that shows what was learnt |
//! | `explore` | a run and its images -> a local page to explore, search and label them; not on by default |
//!
//! Each is a crate of its own (`simclr-loss`, ...) that can be used without the others, and a Cargo feature here. All
//! are on by default; `default-features = false, features = ["loss", "flex"]` builds the losses and Burn's CPU backend
//! alone.
//!
//! # Backends
//!
//! Everything runs where its [`Device`](burn::tensor::Device) says. The features `flex` (the default, pure
//! Rust on the CPU), `ndarray`, `wgpu`, `vulkan`, `metal` and `cuda` only forward to Burn; those of GPUs turn on its
//! fusion and autotune, as Burn's own defaults do. Nothing has run on a GPU yet.

pub use burn;

/// Contrastive losses: two views' projections in, one number out.
///
// The guide's programs need all rooms. The first definition of a link counts: those of pictures and pages before the
// guide's own, which are relative to its file.
#[cfg_attr(feature = "report", doc = include_str!("guide_links.md"))]
#[cfg_attr(feature = "report", doc = include_str!("../docs/nt-xent.md"))]
#[cfg(feature = "loss")]
pub mod loss {
    pub use simclr_loss::{
        Anchor, DecoupledNtXent, Explanation, LossAndRanks, NaiveNtXent, NtXent, OutOfRange,
        PolyView, PolyViewForm, SupCon, Temperature, TiledNtXent, TwoViewLoss, VectorizedNtXent,
        class_ranks, partner_ranks,
    };
}

/// Augmentation: one image and drawn parameters in, one view out.
#[cfg(feature = "augment")]
pub mod augment {
    pub use simclr_augment::{
        AugmentationConfig, AugmentationError, BlurConfig, ColorJitterConfig, CropBox, CropConfig,
        DeviceAugmentation, Draws, ErasingConfig, EvaluationTransform, Fit, Ground, JitterFlavor,
        JitterParams, JitterStep, Normalization, OutOfRange, PaddedCropConfig, PaddedWindow,
        PaddingFill, Planes, PreparedView, ResizeFilter, RotationConfig, SimClrAugmentation,
        SolarizeConfig, ViewKey, ViewParams, ViewStep,
    };
}

/// Data sets: files in, images and labels out.
#[cfg(feature = "data")]
pub mod data {
    #[cfg(feature = "parquet")]
    pub use simclr_data::ParquetImages;
    pub use simclr_data::{
        BeforeReading, Cifar10, Cifar10Split, Concat, DataError, DataIndex, ImageDataset,
        ImageFolder, ImagePart, LabelTable, Labelled, LabelledName, ListingProgress, Opening,
        PackConfig, PackError, PackFormat, PackProgress, Packed, PartialImage, Resolution, Sample,
        SampleConfig, Shards, SortAction, SortConfig, SortError, SortPlan, SortStep, Sorted,
        Splits, Stl10, Stl10Split, Subset, WholeSet, decode_image, decode_image_bytes,
        decode_image_bytes_on, decode_image_on, decode_part_bytes_on, decode_part_on, escape_name,
        misnamed, pack, printable, replace_file, unescape_name,
    };
    #[cfg(feature = "download")]
    pub use simclr_data::{
        DownloadError, DownloadProgress, DownloadStage, HubAddress, HubRefusal, HubToken,
        KnownWeights, PublishedWeights, WeightAddress, WeightCache, known_weights,
    };
}

/// Layers that train fast: drop-in modules for Burn's own.
#[cfg(feature = "nn")]
pub mod nn {
    pub use simclr_nn::{
        Activation, BatchNorm, Conv2d, FoldedConv2d, PACK_ALIGNMENT, QueuedRead, batch_norms,
        channels_last, conv2d, free_kept_memory, launches_kernels, max_pool2d, pack,
    };
}

/// Encoders and the projection head: images in, features h and projections z out.
#[cfg(feature = "model")]
pub mod model {
    pub use simclr_model::{
        ConvNext, ConvNextConfig, ConvNextSize, ConvNorm, EfficientNet, EfficientNetConfig,
        EfficientNetVariant, Encoder, EncoderConfig, ImageEncoder, Inference, LoadReport, Mlp,
        MlpConfig, ModelError, ModuleTensor, Naming, NearMiss, ProjectionHead,
        ProjectionHeadConfig, PublishedNames, ResNet, ResNetConfig, ResNetDepth, ResidualBlock,
        SimClr, Stem, TensorRole, VisionTransformer, VisionTransformerConfig,
        VisionTransformerFamily, VisionTransformerSize, WeightError, WeightFault, WeightFile,
        WeightInit, WeightMetadata, count_parameters, load_weights, module_tensors,
        save_published_weights, save_weights, save_weights_with,
    };
}

/// ONNX: a network in, a graph out that other runtimes compute.
#[cfg(feature = "model")]
pub mod onnx {
    pub use simclr_onnx::{
        Attribute, Convolution, Dimension, Graph, OnnxError, Padding, ToOnnx, Value, Weights,
    };
}

/// Embedding: encoder and images in, vectors out, and what vectors answer.
#[cfg(feature = "embed")]
pub mod embed {
    pub use simclr_embed::{
        CosineIndex, Duplicate, DuplicateGroup, DuplicateSearch, EmbedError, Embedded,
        EmbeddedLabelled, Embedder, EmbedderFile, ExperimentalDesign, Explanation, FeatureSource,
        Features, Fingerprint, Fingerprinting, GroupCount, Groups, ImageIndex, LabelledFeatures,
        Neighbour, NeighbourGraph, OnnxOptions, OutOfRange, Preparation, PrincipalComponents,
        Reason, Relation, SimilarityMap, SphericalKMeans, Tsne, VectorFile, VectorsWritten,
        group_count, labels_of, nearest_neighbours, outlier_scores, pixel_checksum, raw_pixels,
        typical_images,
    };
}

/// Evaluation: vectors and labels in, figures out.
#[cfg(feature = "eval")]
pub mod eval {
    pub use simclr_eval::{
        ClassFigures, Classifier, Confusion, ConfusionMatrix, EvalError, Evaluated, Evaluation,
        FineTune, FineTuneConfig, FineTuneOptimizer, FineTuneProgress, FineTuned, Fitted, Knn,
        KnnConfig, LabelBudget, LinearLayer, LinearProbe, LinearStart, LogisticFit,
        LogisticRegression, LogisticRegressionConfig, MinibatchProbe, MinibatchProbeConfig,
        OutOfRange, PredictionTable, Predictions, Protocol, Report, SgdProbe, SgdProbeConfig,
        Shortfall, Spread, draw_equally, evaluate, over_folds, with_few_labels,
    };
}

/// Pretraining: images in, with labels or without, a trained encoder out.
#[cfg(feature = "train")]
pub mod train {
    pub use simclr_train::{
        ChunkStatistics, DataChecksum, DecayScope, Decoding, DeviceDescription, EpochChange,
        EpochViews, FeatureShape, FirstWeights, GrowingViews, ImageConfig, ImageMonitor,
        ImageSource, ImageViews, LabelledViews, Lars, LarsState, LearningRate, LearningRateCurve,
        LearningRateScaling, LocalViews, LossConfig, MadeWith, MetricsLine, Monitor, MonitorEvery,
        MonitorFigures, Monitored, Observation, OptimizerConfig, Position, Precision,
        PretrainConfig, Pretraining, ProbeFigure, Progress, PublishedAs, RESUMABLE_SETTINGS,
        RangeTest, RateChange, Recipe, Representation, RunConfig, RunDescription, RunDirectory,
        RunOverview, RunState, RunsBelow, Skipped, StepLayout, StepViews, Summary, TrainConfig,
        TrainError, Trained, Trainer, TrainingStep, TriedRate, ViewBatch, ViewLoader, ViewPath,
        ViewSource, Views, WarmupCosine, device_from_name, device_name, differing_settings,
        pretrain, read_metrics, restore_terminal, settings_by_path,
    };
    #[cfg(feature = "remote")]
    pub use simclr_train::{DeviceServer, REMOTE_TOKEN};
}

/// The page about a run: a run's folder and its images in, one file of HTML out.
#[cfg(feature = "report")]
pub mod report {
    pub use simclr_report::{ReportConfig, ReportError, RunReport, learning_rate_plot};
}

/// The page to explore, search and label images: a run's folder and its images in, labels out.
#[cfg(feature = "explore")]
pub mod explore {
    pub use simclr_explore::{
        Exploration, ExploreError, Guesses, HeldOut, LabelSession, OutOfRange, Server, Stage,
        Stopper,
    };
}

/// The README's code is tested with the crate.
#[cfg(all(doctest, feature = "report"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// And so is the page on encoders.
#[cfg(all(doctest, feature = "report"))]
#[doc = include_str!("../docs/encoders.md")]
struct Encoders;

/// And so is the page on views.
#[cfg(all(doctest, feature = "report"))]
#[doc = include_str!("../docs/views.md")]
struct Views;

/// And the page on evaluation.
#[cfg(all(doctest, feature = "report"))]
#[doc = include_str!("../docs/evaluation.md")]
struct Evaluation;

/// And the page on training.
#[cfg(all(doctest, feature = "report"))]
#[doc = include_str!("../docs/training.md")]
struct Training;

/// And the page on exploring, as far as it is built in.
#[cfg(all(doctest, feature = "explore"))]
#[doc = include_str!("../docs/explore.md")]
struct Explore;

/// And the page on other data.
#[cfg(all(doctest, feature = "report"))]
#[doc = include_str!("../docs/other-data.md")]
struct OtherData;
