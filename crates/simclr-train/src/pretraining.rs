//! A whole run: from a config and images to a trained encoder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use burn::train::Interrupter;
use simclr_augment::DeviceAugmentation;
use simclr_data::Splits;
use simclr_loss::TwoViewLoss;
use simclr_model::{Encoder, ImageEncoder, SimClr, WeightFile, save_weights};

use crate::buffers::has_buffers;
use crate::checkpoint::{CheckpointFolder, Loaded};
use crate::contrastive_step::ContrastiveStep;
use crate::dashboard::Dashboard;
use crate::error::TrainError;
use crate::image_views::{ImageViews, ViewPath};
use crate::learning_rate_curve::LearningRateCurve;
use crate::loss_config::LossConfig;
use crate::metrics_log::MetricsLog;
use crate::monitor::{ImageMonitor, Monitor};
use crate::pretrain_config::{ChunkStatistics, PretrainConfig};
use crate::pretrained::Pretrained;
use crate::progress::Progress;
use crate::run_directory::{MadeWith, RunConfig, RunDirectory};
use crate::summary::Summary;
use crate::training_loop::TrainingLoop;
use crate::training_state::TrainingState;
use crate::two_views::ViewSource;
use crate::view_loader::{StepLayout, ViewLoader};

/// The latest checkpoints that are kept unless told otherwise: the last, and the one before in case that
/// is damaged.
const KEPT_CHECKPOINTS: usize = 2;

/// Pretrains an encoder on unlabelled images: [`Pretraining`] with every option as it comes, and
/// nothing written to disk.
///
/// # Errors
///
/// [`TrainError`], see [`Pretraining::run`].
///
/// ```
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_data::{SampleConfig, Splits};
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
/// use simclr_train::{LearningRate, OptimizerConfig, PretrainConfig, Recipe, pretrain};
///
/// let data = Splits::sample(&SampleConfig { images: 20, size: 16, ..SampleConfig::default() })?;
/// let config = PretrainConfig {
///     epochs: 1,
///     batch_size: 10,
///     learning_rate: LearningRate::unscaled(1e-3),
///     warmup_epochs: 0,
///     optimizer: OptimizerConfig::adamw(1e-4),
///     encoder: ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into(),
///     augmentation: SimClrAugmentation::cifar10().with_size(16)?.config().clone(),
///     ..Recipe::Cifar10Google.config()
/// };
/// let pretrained = pretrain(&config, &data, &Device::flex())?;
/// assert_eq!(pretrained.summary.epochs, 1);
/// let _encoder = pretrained.encoder; // ready to embed images
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pretrain(
    config: &PretrainConfig,
    data: &Splits,
    device: &Device,
) -> Result<Pretrained<ImageEncoder>, TrainError> {
    Pretraining::new(config.clone()).run(data, device)
}

/// A pretraining run and how it is to be done.
pub struct Pretraining {
    pub(crate) config: PretrainConfig,
    /// The caller's own, if the config says so.
    loss: Option<Arc<dyn TwoViewLoss>>,
    /// What the encoder starts from instead of the config's seed.
    weights: Option<PathBuf>,
    directory: Option<PathBuf>,
    resume: bool,
    more_devices: Vec<Device>,
    kept_checkpoints: usize,
    /// Where the config's learning rate comes from, if a range test chose it.
    pub(crate) learning_rate_curve: Option<LearningRateCurve>,
    progress: Progress,
    pub(crate) interrupter: Interrupter,
}

impl Pretraining {
    /// A run that writes nothing to disk and shows its progress where it can.
    #[must_use]
    pub fn new(config: PretrainConfig) -> Self {
        Self {
            config,
            loss: None,
            weights: None,
            directory: None,
            resume: false,
            more_devices: Vec::new(),
            kept_checkpoints: KEPT_CHECKPOINTS,
            learning_rate_curve: None,
            progress: Progress::Auto,
            interrupter: Interrupter::new(),
        }
    }

    /// Trains by a loss of the caller's own instead of the config's, which from now on holds its `name`.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use simclr_loss::TwoViewLoss;
    /// use simclr_train::{PretrainConfig, Pretraining};
    ///
    /// /// One minus the cosine of the two views: no negatives, and so nothing against collapse.
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
    /// fn train_by_attraction(config: PretrainConfig) -> Pretraining {
    ///     Pretraining::new(config).with_loss("attraction", Attraction)
    /// }
    /// ```
    #[must_use]
    pub fn with_loss(mut self, name: &str, loss: impl TwoViewLoss + 'static) -> Self {
        self.config.loss = LossConfig::Custom { name: name.to_owned() };
        self.loss = Some(Arc::new(loss));
        self
    }

    /// Starts the encoder from the weights in a file, of this crate, torchvision or timm, see [`WeightFile`]; the
    /// head is drawn from the seed all the same. They are read when the run starts and are part of its
    /// checkpoints: a run that is [resumed](Self::resume) doesn't need the file any more, nor looks at it.
    #[must_use]
    pub fn with_weights(self, path: &Path) -> Self {
        Self { weights: Some(path.to_owned()), ..self }
    }

    /// Keeps the run in a new [`RunDirectory`] at `path`, which must be empty or not there.
    #[must_use]
    pub fn in_directory(self, path: &Path) -> Self {
        Self { directory: Some(path.to_owned()), resume: false, ..self }
    }

    /// Continues the run in `path` after its last checkpoint, as if it had not been stopped. The config
    /// must be the run's own, but for the number of epochs. A damaged checkpoint is reported, and the one
    /// before it taken.
    #[must_use]
    pub fn resume(self, path: &Path) -> Self {
        Self { directory: Some(path.to_owned()), resume: true, ..self }
    }

    /// Spreads every batch over these devices beside the one that [`run`](Self::run) is given, which holds
    /// the parameters and the optimiser. Each device encodes its share of a batch, and the loss contrasts
    /// all of it: every anchor has the 2n - 1 other views of the whole batch, as on one device. Only batch
    /// normalisation inside the encoder sees a device's share, see
    /// [`ChunkStatistics`](crate::ChunkStatistics).
    #[must_use]
    pub fn with_more_devices(self, devices: &[Device]) -> Self {
        Self { more_devices: devices.to_vec(), ..self }
    }

    /// Keeps the checkpoints of the last `epochs` epochs, at least 1 and at first 2, beside that of the
    /// epoch with the highest kNN top-1.
    #[must_use]
    pub fn keeping_checkpoints(self, epochs: usize) -> Self {
        Self { kept_checkpoints: epochs.max(1), ..self }
    }

    /// How to show progress.
    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// The config, with the learning rate that [`with_suggested_rate`](Self::with_suggested_rate) chose.
    #[must_use]
    pub fn config(&self) -> &PretrainConfig {
        &self.config
    }

    /// A handle that stops the run after the current step, for Ctrl-C. Its last checkpoint stays.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Pretrains on `data.pretrain`, watched by kNN on `data.labelled` if there are labels, which the
    /// training itself never sees.
    ///
    /// # Errors
    ///
    /// [`TrainError`]: a config out of range, weights of another network, a run directory that cannot be made or
    /// resumed, a data set or device that fails. Single images that cannot be read are skipped and reported in
    /// [`Pretrained::skipped`].
    pub fn run(
        self,
        data: &Splits,
        device: &Device,
    ) -> Result<Pretrained<ImageEncoder>, TrainError> {
        self.config.check(data.pretrain.len())?;
        let augmentation = self.config.augmentation()?;
        let monitor = data.labelled.clone().map(|labelled| -> Arc<dyn Monitor<ImageEncoder>> {
            Arc::new(ImageMonitor::new(labelled, augmentation.evaluation(), device))
        });
        let views = self.views(data)?;
        let training_device = device.clone().autodiff();
        let model = self.init_model(&training_device)?;
        self.train(&model, views, monitor, &data.description, &training_device)
    }

    /// The network before its first step; in a run that is resumed, what a checkpoint replaces.
    pub(crate) fn init_model(&self, device: &Device) -> Result<SimClr<ImageEncoder>, TrainError> {
        let SimClr { encoder, head } = self.config.init_model(device)?;
        let encoder = match &self.weights {
            Some(path) if !self.resume => WeightFile::open(path)?.load(encoder)?.0,
            _ => encoder,
        };
        Ok(SimClr { encoder, head })
    }

    /// Two views of each image of `data.pretrain`, as the config draws them.
    pub(crate) fn views(
        &self,
        data: &Splits,
    ) -> Result<Arc<dyn ViewSource<Tensor<4>>>, TrainError> {
        let (images, seed) = (Arc::clone(&data.pretrain), self.config.seed);
        let augmentation = self.config.augmentation()?;
        Ok(Arc::new(match self.config.views {
            ViewPath::Cpu => ImageViews::new(images, augmentation, seed),
            ViewPath::Device => {
                ImageViews::on_device(images, DeviceAugmentation::new(augmentation)?, seed)
            }
        }))
    }

    /// Pretrains any encoder on any views: [`run`](Self::run) is this with the config's network and the
    /// views of images. Of the config, `encoder`, `projection` and `augmentation` are not used.
    ///
    /// `model` is on `device`, which must differentiate ([`Device::autodiff`]); `monitor` is asked before
    /// the first epoch and after each; `data` says in words what the views are of.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn train<E: Encoder>(
        self,
        model: &SimClr<E>,
        views: Arc<dyn ViewSource<E::Input>>,
        monitor: Option<Arc<dyn Monitor<E>>>,
        data: &str,
        device: &Device,
    ) -> Result<Pretrained<E>, TrainError> {
        let config = &self.config;
        config.check(views.len())?;
        let devices = self.devices(device);
        let layout = self.layout(views.len(), devices.len())?;
        if layout.chunk_size < layout.batch_size {
            self.check_chunks(&model.encoder, layout)?;
        }
        let step = self.step(devices.clone())?;
        let run = self.open_directory(data, device)?;
        let new = || Ok(TrainingState::new(model.clone(), config.optimizer.init(model)));
        let Loaded { state, epoch: done, refused } = match &run {
            Some(run) if self.resume => run.load_latest_checkpoint(new)?,
            _ => Loaded { state: new()?, epoch: 0, refused: Vec::new() },
        };
        let log = match &run {
            Some(run) => {
                MetricsLog::open(&run.metrics(), &run.tensorboard(), self.resume.then_some(done))?
            }
            None => MetricsLog::default(),
        };

        let checkpoint = (done > 0).then_some(done);
        let renderer = self.progress.renderer(&self.interrupter, checkpoint);
        let mut training = TrainingLoop {
            epochs: config.epochs,
            steps_per_epoch: layout.steps_per_epoch,
            schedule: config.schedule(views.len()),
            views: ViewLoader::new(views, layout, config.seed, &devices),
            step,
            monitor,
            log,
            checkpoints: run.as_ref().map(RunDirectory::checkpoints),
            kept_checkpoints: self.kept_checkpoints,
            dashboard: Dashboard::new(renderer, &self.interrupter),
            interrupter: self.interrupter.clone(),
        };
        for damaged in refused {
            training.warn(done, format!("{damaged}; resuming from epoch {done} instead"))?;
        }
        let state = TrainError::catch("a device", || training.run(state, done))
            .map_err(|error| with_checkpoint(error, training.checkpoints.as_ref()))?;
        let TrainingLoop { log, views, dashboard, monitor, .. } = training;
        drop(dashboard); // Gives the terminal back.

        let device = format!("{:?}", device.clone().inner());
        let skipped = views.skipped();
        let mut summary = Summary::new(log.epochs(), config, device, skipped.len());
        let encoder = state.model.encoder.valid();
        if let Some(run) = &run {
            save_weights(&encoder, run.encoder_weights())?;
        }
        // After the weights are safe: an evaluation that fails must not cost them.
        if let Some(monitor) = monitor.filter(|_| summary.epochs == config.epochs) {
            summary.linear_probe = monitor.linear_probe(&encoder)?;
        }
        if let Some(run) = &run {
            run.write_summary(&summary)?;
        }
        Ok(Pretrained { interrupted: summary.epochs < config.epochs, encoder, summary, skipped })
    }

    /// What a step does on these devices.
    pub(crate) fn step(&self, devices: Vec<Device>) -> Result<ContrastiveStep, TrainError> {
        let precision = self.config.precision;
        precision.check(&devices)?;
        Ok(ContrastiveStep { loss: self.config.loss.init(self.loss.as_ref())?, precision, devices })
    }

    /// The devices that train, the first of which holds the parameters.
    pub(crate) fn devices(&self, first: &Device) -> Vec<Device> {
        let more = self.more_devices.iter().map(|device| device.clone().autodiff());
        std::iter::once(first.clone()).chain(more).collect()
    }

    pub(crate) fn layout(&self, images: usize, devices: usize) -> Result<StepLayout, TrainError> {
        let config = &self.config;
        if config.chunk_size.is_none() && !config.batch_size.is_multiple_of(devices) {
            let expected = format!("a multiple of {devices}, the number of devices");
            return Err(TrainError::config("batch_size", expected, config.batch_size));
        }
        Ok(StepLayout {
            batch_size: config.batch_size,
            chunk_size: config.images_in_chunk(devices),
            steps_per_epoch: config.steps_in_epoch(images),
        })
    }

    /// Refuses chunks where the config does and the encoder would notice.
    fn check_chunks<E: Encoder>(&self, encoder: &E, layout: StepLayout) -> Result<(), TrainError> {
        if self.config.chunk_statistics == ChunkStatistics::Refuse && has_buffers(encoder) {
            let expected = format!(
                "the batch size, {}, as the encoder has batch normalisation and chunk_statistics is \"refuse\"",
                layout.batch_size
            );
            return Err(TrainError::config("chunk_size", expected, layout.chunk_size));
        }
        Ok(())
    }

    fn open_directory(
        &self,
        data: &str,
        device: &Device,
    ) -> Result<Option<RunDirectory>, TrainError> {
        let Some(path) = &self.directory else { return Ok(None) };
        if self.resume {
            let run = RunDirectory::open(path)?;
            run.check_same(&self.config, data)?;
            return Ok(Some(run));
        }
        let mut made_with = MadeWith::now(format!("{:?}", device.clone().inner()), data.to_owned());
        made_with.weights.clone_from(&self.weights);
        let config = RunConfig { made_with, pretrain: self.config.clone() };
        let run = RunDirectory::create(path, &config)?;
        if let Some(curve) = &self.learning_rate_curve {
            run.write_learning_rate_curve(curve)?;
        }
        Ok(Some(run))
    }
}

/// The error, with what the run can be resumed from.
fn with_checkpoint(error: TrainError, checkpoints: Option<&CheckpointFolder>) -> TrainError {
    match error {
        TrainError::Stopped { reason, .. } => {
            let saved = checkpoints.and_then(|folder| folder.epochs().ok());
            let checkpoint = saved.and_then(|epochs| epochs.last().copied());
            TrainError::Stopped { reason, checkpoint }
        }
        other => other,
    }
}
