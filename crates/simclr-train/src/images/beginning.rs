//! How the network of a run on images begins: drawn from the seed, or with weights from a file.

use std::path::Path;

use burn::tensor::Device;
use simclr_augment::Normalization;
use simclr_model::{ImageEncoder, LoadReport, SimClr};

use crate::error::TrainError;
use crate::images::pretraining::Pretraining;
use crate::run::first_weights::FirstWeights;
use crate::run::position::Position;
use crate::run::run_directory::RunDirectory;

impl Pretraining {
    /// Starts the encoder from the weights in a file of this crate, torchvision or timm, see [`WeightFile`](simclr_model::WeightFile), and
    /// normalises the views as the weights' training did, whatever the config says: by
    /// [`FirstWeights::normalization`]. [`with_normalization`](Self::with_normalization) after it takes another one. The
    /// head is still drawn from the seed.
    ///
    /// `prefix` says where in the file the encoder is, if it is there more than once: see [`WeightFile::below`](simclr_model::WeightFile::below).
    ///
    /// The run reads the values when it starts. A [resumed](crate::Trainer::with_resumed) run reads its checkpoint instead; with
    /// its own config ([`PretrainConfig::of_run`](crate::PretrainConfig::of_run)) it needs neither this call nor the file.
    ///
    /// # Errors
    ///
    /// Those of [`FirstWeights::normalization`].
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use simclr_augment::Normalization;
    /// use simclr_model::{Naming, save_published_weights};
    /// use simclr_train::{PretrainConfig, Pretraining};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("resnet18.safetensors");
    /// let config = PretrainConfig::small(96)?;
    /// assert_eq!(config.images.augmentation.normalization, Normalization::CENTRED);
    /// let published = config.images.encoder.init(1, &Device::flex())?;
    /// save_published_weights(&published, Naming::Torchvision, &path)?;
    ///
    /// let pretraining = Pretraining::new(config)?.with_weights(&path, None)?;
    /// let config = pretraining.config();
    /// assert_eq!(config.images.augmentation.normalization, Normalization::IMAGENET);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_weights(
        self,
        path: impl AsRef<Path>,
        prefix: Option<&str>,
    ) -> Result<Self, TrainError> {
        self.with_first_weights(FirstWeights::new(path, prefix))
    }

    /// As [`with_weights`](Self::with_weights), with weights of which it is recorded where they were published.
    ///
    /// # Errors
    ///
    /// Those of [`FirstWeights::normalization`].
    pub fn with_first_weights(self, weights: FirstWeights) -> Result<Self, TrainError> {
        let normalization = weights.normalization()?;
        Self { weights: Some(weights), ..self }.with_normalization(normalization)
    }

    /// Normalises the views by other numbers than the config's, or than the [weights'](Self::with_weights).
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`] for numbers out of range.
    pub fn with_normalization(mut self, normalization: Normalization) -> Result<Self, TrainError> {
        self.images.augmentation.normalization = normalization;
        self.augmentation = self.images.augmentation()?;
        Ok(self)
    }

    /// Reads the weights that the encoder begins with, and says what it took from the file and what it left; `None` if they
    /// are drawn from the seed, or if the run goes on from a checkpoint.
    ///
    /// # Errors
    ///
    /// [`TrainError`]: weights of another network, or a run that cannot be resumed.
    pub fn read_first_weights(&self, device: &Device) -> Result<Option<LoadReport>, TrainError> {
        let Some(weights) = self.first_weights()? else { return Ok(None) };
        let SimClr { encoder, .. } = self.config().init_model(device)?;
        Ok(Some(weights.open()?.load(encoder)?.1))
    }

    /// The network before its first step. A resumed run replaces it by its checkpoint.
    pub(super) fn init_model(&self, device: &Device) -> Result<SimClr<ImageEncoder>, TrainError> {
        let SimClr { encoder, head } = self.config().init_model(device)?;
        let encoder = match self.first_weights()? {
            Some(weights) => weights.open()?.load(encoder)?.0,
            None => encoder,
        };
        Ok(SimClr { encoder, head })
    }

    /// The weights that the encoder begins with. A resumed run needs them only if it has no checkpoint: its own, whose
    /// file is where the caller says, or else where it was.
    fn first_weights(&self) -> Result<Option<FirstWeights>, TrainError> {
        match &self.trainer.directory {
            Some(path) if self.trainer.resumes => {
                let run = RunDirectory::open(path)?;
                let begins = run.position()? == Position::START;
                let own = if begins { run.config()?.made_with.weights } else { None };
                let asked = self.weights.clone();
                Ok(own.map(|own| asked.filter(|asked| asked.is_same(&own)).unwrap_or(own)))
            }
            _ => Ok(self.weights.clone()),
        }
    }
}
