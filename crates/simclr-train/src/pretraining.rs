//! A whole run: from a config and images to a trained encoder.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use burn::tensor::{Device, Tensor};
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::{LearningRateMetric, LossMetric};
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};
use simclr_data::Splits;
use simclr_loss::TwoViewLoss;
use simclr_model::{Encoder, ResNet, SimClr, save_weights};

use crate::error::TrainError;
use crate::image_views::ImageViews;
use crate::learner::SimClrLearner;
use crate::loss_config::LossConfig;
use crate::metrics_log::{MetricsLog, StepLogger};
use crate::monitor::{ImageMonitor, KnnMetric, Monitor};
use crate::monitor_loader::MonitorLoader;
use crate::pretrain_config::PretrainConfig;
use crate::pretrained::Pretrained;
use crate::progress::Progress;
use crate::run_directory::{MadeWith, RunConfig, RunDirectory};
use crate::summary::Summary;
use crate::training_loop::TrainingLoop;
use crate::two_views::{Skipped, ViewSource};
use crate::view_loader::ViewLoader;
use crate::warmup_cosine::WarmupCosine;

/// Checkpoints that are kept: the latest, and the one before in case that is damaged.
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
/// use simclr_loss::Temperature;
/// use simclr_model::{ProjectionHeadConfig, ResNetConfig, ResNetDepth, Stem};
/// use simclr_train::{LossConfig, OptimizerConfig, PretrainConfig, pretrain};
///
/// let data = Splits::sample(&SampleConfig { images: 20, size: 16, ..SampleConfig::default() })?;
/// let config = PretrainConfig {
///     seed: 0,
///     epochs: 1,
///     batch_size: 10,
///     learning_rate: 1e-3,
///     warmup_epochs: 0,
///     loss: LossConfig::NtXent { temperature: Temperature::new(0.5)? },
///     optimizer: OptimizerConfig::AdamW { weight_decay: 1e-4 },
///     encoder: ResNetConfig { depth: ResNetDepth::ResNet18, width: 2, stem: Stem::Cifar },
///     projection: ProjectionHeadConfig::default(),
///     augmentation: SimClrAugmentation::cifar10().with_size(16)?.config().clone(),
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
) -> Result<Pretrained<ResNet>, TrainError> {
    Pretraining::new(config.clone()).run(data, device)
}

/// A pretraining run and how it is to be done.
pub struct Pretraining {
    config: PretrainConfig,
    /// The caller's own, if the config says so.
    loss: Option<Arc<dyn TwoViewLoss>>,
    directory: Option<PathBuf>,
    resume: bool,
    progress: Progress,
    interrupter: Interrupter,
}

impl Pretraining {
    /// A run that writes nothing to disk and shows its progress where it can.
    #[must_use]
    pub fn new(config: PretrainConfig) -> Self {
        Self {
            config,
            loss: None,
            directory: None,
            resume: false,
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

    /// Keeps the run in a new [`RunDirectory`] at `path`, which must be empty or not there.
    #[must_use]
    pub fn in_directory(self, path: &Path) -> Self {
        Self { directory: Some(path.to_owned()), resume: false, ..self }
    }

    /// Continues the run in `path` after its last checkpoint, as if it had not been stopped. The config
    /// must be the run's own, but for the number of epochs.
    #[must_use]
    pub fn resume(self, path: &Path) -> Self {
        Self { directory: Some(path.to_owned()), resume: true, ..self }
    }

    /// How to show progress.
    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
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
    /// [`TrainError`]: a config out of range, a run directory that cannot be made or resumed, a data
    /// set or device that fails. Single images that cannot be read are skipped and reported in
    /// [`Pretrained::skipped`].
    pub fn run(self, data: &Splits, device: &Device) -> Result<Pretrained<ResNet>, TrainError> {
        self.config.check(data.pretrain.len())?;
        let augmentation = self.config.augmentation()?;
        let monitor = data.labelled.clone().map(|labelled| -> Arc<dyn Monitor<ResNet>> {
            Arc::new(ImageMonitor::new(labelled, augmentation.evaluation(), device))
        });
        let views: Arc<dyn ViewSource<Tensor<4>>> =
            Arc::new(ImageViews::new(Arc::clone(&data.pretrain), augmentation, self.config.seed));

        let training_device = device.clone().autodiff();
        let encoder = self.config.encoder.init(self.config.seed, &training_device)?;
        // The same seed would give the head the encoder's first numbers again.
        let head_seed = self.config.seed.wrapping_add(1);
        let head =
            self.config.projection.init(encoder.feature_size(), head_seed, &training_device)?;
        self.train(SimClr { encoder, head }, views, monitor, &data.description, &training_device)
    }

    fn train<E: Encoder>(
        self,
        model: SimClr<E>,
        views: Arc<dyn ViewSource<E::Input>>,
        monitor: Option<Arc<dyn Monitor<E>>>,
        data: &str,
        device: &Device,
    ) -> Result<Pretrained<E>, TrainError> {
        let config = &self.config;
        let run = self.open_directory(data, device)?;
        let checkpoint = match &run {
            Some(run) if self.resume => Some(run.latest_checkpoint()?),
            _ => None,
        };
        let learner =
            self.learner(model, config.steps_per_epoch(views.len()), run.as_ref(), checkpoint)?;
        let log = match &run {
            Some(run) => MetricsLog::open(&run.metrics(), checkpoint)?,
            None => MetricsLog::default(),
        };

        let next_epoch = checkpoint.unwrap_or(0) + 1;
        let loader = ViewLoader::new(views, config.batch_size, config.seed, next_epoch, device);
        let monitor = MonitorLoader::new(monitor);
        let report = loader.report();
        let strategy = Arc::new(TrainingLoop::new(device, log.clone(), Arc::clone(&report)));
        let mut training = SupervisedTraining::new("", Arc::new(loader), Arc::new(monitor))
            .metric_train_numeric(LossMetric::new())
            .metric_train_numeric(LearningRateMetric::new())
            .metric_valid_numeric(KnnMetric::new())
            .with_metric_logger(StepLogger::new(log.clone()))
            .with_application_logger(None)
            .with_interrupter(self.interrupter.clone())
            .renderer(self.progress.renderer(&self.interrupter, checkpoint))
            .with_checkpointing_strategy(KeepLastNCheckpoints::new(KEPT_CHECKPOINTS))
            .with_training_strategy(TrainingStrategy::Custom(strategy.clone()))
            .num_epochs(config.epochs);
        if let Some(run) = &run {
            let folder = run.checkpoints();
            let (model, optimizer, schedule) =
                (folder.model(), folder.optimizer(), folder.schedule());
            training = training.with_custom_checkpointers(model, optimizer, schedule);
        }
        if let Some(epoch) = checkpoint {
            training = training.checkpoint(epoch);
        }
        let result = training.launch(learner);
        drop(result.renderer); // Gives the terminal back.

        let engine_error = result.error.map(|error| TrainError::Engine(error.to_string()));
        if let Some(error) = strategy.take_error().or(engine_error) {
            return Err(error);
        }
        let report = std::mem::take(&mut *report.lock().unwrap_or_else(PoisonError::into_inner));
        let skipped: Vec<Skipped> = report.skipped.into_iter().collect();
        let device = format!("{:?}", device.clone().inner());
        let summary = Summary::new(&log.epochs(), config, device, skipped.len());
        let encoder = result.model.model.encoder;
        if let Some(run) = &run {
            save_weights(&encoder, &run.encoder_weights())?;
            run.write_summary(&summary)?;
        }
        Ok(Pretrained { interrupted: summary.epochs < config.epochs, encoder, summary, skipped })
    }

    /// Model, optimiser and schedule: new, or as the checkpoint has them.
    ///
    /// burn-train would load the checkpoint by itself, but panics where it is damaged.
    fn learner<E: Encoder>(
        &self,
        model: SimClr<E>,
        steps_per_epoch: usize,
        run: Option<&RunDirectory>,
        checkpoint: Option<usize>,
    ) -> Result<Learner<SimClrLearner<E>>, TrainError> {
        let config = &self.config;
        let warmup_steps = config.warmup_epochs * steps_per_epoch;
        let total_steps = config.epochs * steps_per_epoch;
        let schedule = WarmupCosine::new(config.learning_rate, warmup_steps, total_steps);
        let model = SimClrLearner::new(model, config.loss.init(self.loss.as_ref())?);
        let new = (model, config.optimizer.init(), schedule);
        let (model, optimizer, schedule) = match run.zip(checkpoint) {
            Some((run, epoch)) => run.checkpoints().load(epoch, new)?,
            None => new,
        };
        Ok(Learner::new(model, optimizer, schedule))
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
        let made_with = MadeWith::now(format!("{:?}", device.clone().inner()), data.to_owned());
        let config = RunConfig { made_with, pretrain: self.config.clone() };
        RunDirectory::create(path, &config).map(Some)
    }
}
