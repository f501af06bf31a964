//! Training of any encoder on any views.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use burn::train::Interrupter;
use serde::Serialize;
use simclr_data::DataIndex;
use simclr_loss::TwoViewLoss;
use simclr_model::WeightMetadata;
use simclr_range::OutOfRange;

use crate::engine::batch_loss::BatchLoss;
use crate::engine::loss_config::LossConfig;
use crate::engine::train_config::TrainConfig;
use crate::error::TrainError;
use crate::run::data_checksum::DataChecksum;
use crate::run::first_weights::FirstWeights;
use crate::run::image_source::ImageSource;
use crate::watch::progress::Progress;

/// The latest checkpoints that a run keeps by default: the last, and the one before in case that is damaged.
const KEPT_CHECKPOINTS: usize = 2;

/// Trains an encoder by contrasting views: SimCLR (Chen et al. 2020, algorithm 1) for any kind of example.
///
/// The encoder says what its input is ([`Encoder::Input`](simclr_model::Encoder::Input)), and a
/// [`ViewSource`](crate::ViewSource) makes views of each example. [`Pretraining`](crate::Pretraining) is a trainer
/// with an encoder and views of images.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::module::Module;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_model::{Encoder, ProjectionHeadConfig, SimClr};
/// use simclr_train::{Progress, TrainConfig, TrainError, Trainer, ViewBatch, ViewSource, Views};
///
/// #[derive(Module, Debug)]
/// struct OneLayer {
///     layer: Linear,
/// }
///
/// impl Encoder for OneLayer {
///     type Input = Tensor<2>;
///     fn encode(&self, input: Tensor<2>) -> Tensor<2> {
///         self.layer.forward(input)
///     }
///     fn feature_size(&self) -> usize {
///         4
///     }
/// }
///
/// /// Points in the plane. The second view is a small step away from the first.
/// struct Points(Vec<[f32; 2]>);
///
/// impl ViewSource<Tensor<2>> for Points {
///     fn len(&self) -> usize {
///         self.0.len()
///     }
///     fn views(&self, _: u64, indices: &[usize], device: &Device) -> Result<ViewBatch<Tensor<2>>, TrainError> {
///         let points: Vec<f32> = indices.iter().flat_map(|&i| self.0[i]).collect();
///         let a = Tensor::<1>::from_floats(points.as_slice(), device).reshape([indices.len(), 2]);
///         let input = Tensor::cat(vec![a.clone(), a + 0.01], 0);
///         Ok(ViewBatch { views: Some(Views::new(input, 2, indices.len())), skipped: Vec::new() })
///     }
/// }
///
/// let device = Device::flex().autodiff();
/// let encoder = OneLayer { layer: LinearConfig::new(2, 4).init(&device) };
/// let head = ProjectionHeadConfig::default().init(4, 0, &device)?;
/// let config = TrainConfig { epochs: 1, batch_size: 8, ..TrainConfig::small() };
/// let points = Points((0..16_u8).map(|i| [f32::from(i).sin(), f32::from(i).cos()]).collect());
///
/// let trainer = Trainer::new(config)?.with_progress(Progress::Silent);
/// let trained = trainer.train(SimClr { encoder, head }, points, None, &device)?;
/// assert_eq!(trained.summary.epochs, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer {
    pub(crate) config: TrainConfig,
    pub(crate) loss: BatchLoss,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) resumes: bool,
    /// Whether a resumed run begins a new schedule for the epochs that it gets.
    pub(crate) restarts_schedule: bool,
    /// Whether a resumed run may go on with other examples.
    pub(crate) accepts_other_data: bool,
    pub(crate) more_devices: Vec<Device>,
    pub(crate) kept_checkpoints: usize,
    /// The caller's description of the data, and table of settings, for the run's `config.toml`.
    pub(crate) data: String,
    pub(crate) subject: toml::Table,
    pub(crate) weights: Option<FirstWeights>,
    pub(crate) source: Option<ImageSource>,
    pub(crate) checksum: Option<DataChecksum>,
    /// What the run's folder keeps of where the images are.
    pub(crate) data_index: Option<DataIndex>,
    pub(crate) weight_metadata: WeightMetadata,
    pub(crate) progress: Progress,
    pub(crate) interrupter: Interrupter,
}

impl Trainer {
    /// A run that writes nothing to disk and shows its progress where it can.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for a value of the config. A config with a [`LossConfig::Custom`] needs
    /// [`with_loss`](Self::with_loss).
    pub fn new(config: TrainConfig) -> Result<Self, OutOfRange> {
        let loss = config.loss.init()?;
        Self::with(config, loss)
    }

    /// A trainer with a loss of the caller's own. It replaces the config's loss by [`LossConfig::Custom`] with this
    /// `name`, and a run is resumed only with a loss of the same name.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use simclr_loss::TwoViewLoss;
    /// use simclr_train::{TrainConfig, Trainer};
    ///
    /// /// One minus the cosine of the two views. Without negatives nothing prevents collapse.
    /// #[derive(Debug)]
    /// struct Attraction;
    ///
    /// impl TwoViewLoss for Attraction {
    ///     fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    ///         let norm = |z: &Tensor<2>| z.clone().square().sum_dim(1).sqrt();
    ///         let norms = norm(&z_a) * norm(&z_b);
    ///         1.0 - ((z_a * z_b).sum_dim(1) / norms).mean()
    ///     }
    /// }
    ///
    /// let trainer = Trainer::with_loss(TrainConfig::small(), "attraction", Attraction)?;
    /// # Ok::<(), simclr_train::OutOfRange>(())
    /// ```
    pub fn with_loss(
        mut config: TrainConfig,
        name: &str,
        loss: impl TwoViewLoss + 'static,
    ) -> Result<Self, OutOfRange> {
        config.loss = LossConfig::Custom { name: name.to_owned() };
        Self::with(config, BatchLoss::of_two(loss))
    }

    fn with(config: TrainConfig, loss: BatchLoss) -> Result<Self, OutOfRange> {
        config.check()?;
        Ok(Self {
            config,
            loss,
            directory: None,
            resumes: false,
            restarts_schedule: false,
            accepts_other_data: false,
            more_devices: Vec::new(),
            kept_checkpoints: KEPT_CHECKPOINTS,
            data: "not described".to_owned(),
            subject: toml::Table::new(),
            weights: None,
            source: None,
            checksum: None,
            data_index: None,
            weight_metadata: WeightMetadata::new(),
            progress: Progress::Auto,
            interrupter: Interrupter::new(),
        })
    }

    /// Keeps the run in a new [`RunDirectory`](crate::RunDirectory) at `path`, which must be empty or not there.
    #[must_use]
    pub fn with_directory(self, path: impl AsRef<Path>) -> Self {
        Self { directory: Some(path.as_ref().to_owned()), resumes: false, ..self }
    }

    /// Records the subject of the run, beside the [`TrainConfig`]. `values` are the settings of the encoder and the
    /// views and become the table `name` of the run's `config.toml`; `data` describes the examples in words. A run is
    /// resumed only with the same values and the same description.
    ///
    /// # Errors
    ///
    /// [`TrainError::Subject`] if TOML cannot write the values as a table, or if `name` is `made_with` or `train`.
    pub fn with_subject(
        mut self,
        name: &str,
        values: &impl Serialize,
        data: &str,
    ) -> Result<Self, TrainError> {
        let refused = |reason: String| TrainError::Subject { name: name.to_owned(), reason };
        if ["made_with", "train"].contains(&name) {
            return Err(refused("the run's own table has this name".to_owned()));
        }
        // Through text, as the file holds it: converted directly, an f32 of 0.1 would become 0.10000000149011612.
        let text = toml::to_string(values).map_err(|error| refused(error.to_string()))?;
        let values = text.parse::<toml::Table>().map_err(|error| refused(error.to_string()))?;
        self.subject = toml::Table::from_iter([(name.to_owned(), toml::Value::Table(values))]);
        data.clone_into(&mut self.data);
        Ok(self)
    }

    /// Spreads every batch over these devices and the one that [`train`](Self::train) is given, which also holds the
    /// parameters and the optimiser. Each device encodes its share of a batch, and the loss contrasts every anchor with
    /// the 2n - 1 other views of the whole batch, as on one device. Only batch normalisation inside the encoder sees a
    /// device's share, see [`ChunkStatistics`](crate::ChunkStatistics).
    #[must_use]
    pub fn with_more_devices(self, devices: &[Device]) -> Self {
        Self { more_devices: devices.to_vec(), ..self }
    }

    /// Keeps the checkpoints of the last `epochs` epochs (default 2, at least 1), and that of the epoch with the
    /// highest kNN top-1.
    #[must_use]
    pub fn with_kept_checkpoints(self, epochs: usize) -> Self {
        Self { kept_checkpoints: epochs.max(1), ..self }
    }

    /// Shows progress this way.
    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// The config.
    #[must_use]
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// A handle that stops the run after the current step, for example on Ctrl-C. The last checkpoint stays.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }
}
