//! A run on images: from a config and a data set to a trained encoder.

use std::sync::Arc;

use burn::tensor::Device;
use burn::train::Interrupter;
use rayon::{ThreadPool, ThreadPoolBuilder};
use simclr_augment::{DeviceAugmentation, SimClrAugmentation};
use simclr_data::Splits;
use simclr_embed::EmbedderFile;
use simclr_loss::TwoViewLoss;
use simclr_model::ImageEncoder;

use crate::engine::train_config::TrainConfig;
use crate::engine::trained::Trained;
use crate::engine::trainer::Trainer;
use crate::error::TrainError;
use crate::images::growing_views::ViewStages;
use crate::images::image_config::ImageConfig;
use crate::images::image_monitor::ImageMonitor;
use crate::images::image_views::{ImageViews, ViewPath};
use crate::images::pretrain_config::PretrainConfig;
use crate::run::data_checksum::DataChecksum;
use crate::run::first_weights::FirstWeights;
use crate::run::image_source::ImageSource;
use crate::watch::monitor::Monitor;
use crate::watch::monitor_every::MonitorEvery;

/// Pretrains an encoder on unlabelled images, by a [`Pretraining`] without options. It writes nothing to disk.
///
/// # Errors
///
/// [`TrainError`], see [`Pretraining::run`].
///
/// ```
/// use burn::tensor::Device;
/// use simclr_data::{SampleConfig, Splits};
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
/// use simclr_train::{PretrainConfig, pretrain};
///
/// let data = Splits::sample(&SampleConfig { images: 20, size: 16, ..SampleConfig::default() })?;
/// let mut config = PretrainConfig::small(16)?;
/// (config.train.epochs, config.train.batch_size) = (1, 10);
/// config.images.encoder = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into();
///
/// let trained = pretrain(&config, &data, &Device::flex())?;
/// assert_eq!(trained.summary.epochs, 1);
/// let _encoder = trained.encoder; // ready to embed images
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn pretrain(
    config: &PretrainConfig,
    data: &Splits,
    device: &Device,
) -> Result<Trained<ImageEncoder>, TrainError> {
    Pretraining::new(config.clone())?.run(data, device)
}

/// A [`Trainer`] with the network and the views of an [`ImageConfig`].
///
/// ```
/// use simclr_train::{PretrainConfig, Pretraining, Progress};
///
/// let pretraining = Pretraining::new(PretrainConfig::small(32)?)?
///     .with_trainer(|trainer| trainer.with_progress(Progress::Lines).with_directory("run"));
/// // pretraining.run(&data, &device)?
/// # Ok::<(), simclr_train::TrainError>(())
/// ```
pub struct Pretraining {
    pub(super) trainer: Trainer,
    pub(super) images: ImageConfig,
    pub(super) augmentation: SimClrAugmentation,
    /// The encoder's first weights; `None` draws them from the seed.
    pub(super) weights: Option<FirstWeights>,
    pub(super) source: Option<ImageSource>,
}

impl Pretraining {
    /// A run that writes nothing to disk and shows its progress where it can.
    ///
    /// # Errors
    ///
    /// [`TrainError`] for a value of the config.
    pub fn new(config: PretrainConfig) -> Result<Self, TrainError> {
        let trainer = Trainer::new(config.train)?;
        Self::with(trainer, config.images)
    }

    /// A run with a loss of the caller's own instead of the config's, see [`Trainer::with_loss`].
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_loss(
        config: PretrainConfig,
        name: &str,
        loss: impl TwoViewLoss + 'static,
    ) -> Result<Self, TrainError> {
        let trainer = Trainer::with_loss(config.train, name, loss)?;
        Self::with(trainer, config.images)
    }

    fn with(trainer: Trainer, images: ImageConfig) -> Result<Self, TrainError> {
        images.check()?;
        let augmentation = images.augmentation()?;
        Ok(Self { trainer, images, augmentation, weights: None, source: None })
    }

    /// Changes the trainer, usually by its own options: directory, devices, checkpoints, progress.
    #[must_use]
    pub fn with_trainer(self, change: impl FnOnce(Trainer) -> Trainer) -> Self {
        Self { trainer: change(self.trainer), ..self }
    }

    /// Records where the images are, so that [`ImageSource::open`] finds them when the run is resumed. A relative folder
    /// is recorded by its absolute path.
    #[must_use]
    pub fn with_source(self, source: ImageSource) -> Self {
        Self { source: Some(source.absolute()), ..self }
    }

    /// The config.
    #[must_use]
    pub fn config(&self) -> PretrainConfig {
        PretrainConfig { train: self.trainer.config.clone(), images: self.images.clone() }
    }

    /// A handle that stops the run after the current step, for example on Ctrl-C. The last checkpoint stays.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.trainer.interrupter()
    }

    /// Pretrains on `data.pretrain`. An [`ImageMonitor`] evaluates the encoder on a draw of `data.labelled` or, without
    /// labels, of `data.pretrain`. Training never sees the labels, unless its [loss](crate::LossConfig) contrasts classes: it then
    /// learns from the labelled images alone, see [`PretrainConfig::splits_for_loss`].
    ///
    /// # Errors
    ///
    /// [`TrainError`]: no labels for a loss that needs them, weights of another network, fewer images than a batch, a run directory that cannot be made or
    /// resumed, a data set or device that fails. Single images that cannot be read are skipped and reported in
    /// [`Trained::skipped`].
    pub fn run(self, data: &Splits, device: &Device) -> Result<Trained<ImageEncoder>, TrainError> {
        let data = &self.config().splits_for_loss(data.clone())?;
        let transform = self.augmentation.evaluation();
        let monitor = self.monitor(data, device)?;
        let views = self.views(data)?;
        let device = device.clone().autodiff();
        let model = self.init_model(&device)?;
        let mut trainer =
            self.trainer.with_subject(ImageConfig::TABLE, &self.images, &data.description)?;
        trainer.weights = self.weights;
        trainer.source = self.source;
        trainer.checksum = Some(DataChecksum::new(&data.pretrain));
        trainer.data_index.clone_from(&data.index);
        trainer.weight_metadata = EmbedderFile::metadata(Some(&self.images.encoder), &transform);
        let monitor =
            monitor.map(|monitor| -> Box<dyn Monitor<ImageEncoder>> { Box::new(monitor) });
        trainer.train(model, views, monitor, &device)
    }

    /// The monitor of a run on `data`; `None` if the config asks it [never](crate::MonitorEvery::Never).
    ///
    /// # Errors
    ///
    /// [`TrainError::Eval`] for a labelled set in which an image has no label.
    pub fn monitor(
        &self,
        data: &Splits,
        device: &Device,
    ) -> Result<Option<ImageMonitor>, TrainError> {
        let TrainConfig { monitor_every, seed, .. } = self.trainer.config;
        if monitor_every == MonitorEvery::Never {
            return Ok(None);
        }
        let (images, transform) = (self.images.monitor_images, self.augmentation.evaluation());
        let monitor = ImageMonitor::drawn(data, images, seed, transform, device)?;
        Ok(Some(monitor.stopped_by(&self.trainer.interrupter)))
    }

    /// The views of `data.pretrain`.
    pub(super) fn views(&self, data: &Splits) -> Result<ViewStages, TrainError> {
        let pool = ThreadPoolBuilder::new().thread_name(|number| format!("views {number}"));
        let pool = pool.build().map_err(|error| TrainError::stopped(error.to_string()))?;
        let pool = Arc::new(pool);
        let stages = self.images.stages()?.into_iter();
        let views = stages.map(|(pass, images)| Ok((pass, self.views_by(&images, data, &pool)?)));
        Ok(ViewStages::new(views.collect::<Result<_, TrainError>>()?))
    }

    /// The views of `data.pretrain` by these settings.
    fn views_by(
        &self,
        settings: &ImageConfig,
        data: &Splits,
        pool: &Arc<ThreadPool>,
    ) -> Result<ImageViews, TrainError> {
        let (images, seed) = (Arc::clone(&data.pretrain), self.trainer.config.seed);
        let augmentation = settings.augmentation()?;
        let views = match settings.views {
            ViewPath::Cpu => ImageViews::new(images, augmentation, seed),
            ViewPath::Device => {
                ImageViews::on_device(images, DeviceAugmentation::new(augmentation)?, seed)
            }
        };
        let mut views = views.with_views(settings.views_per_image);
        if let Some((augmentation, count)) = settings.local_augmentation()? {
            views = views.and(augmentation, count)?;
        }
        Ok(views.with_decoding(settings.decoding).on_threads(Arc::clone(pool)))
    }
}
