//! Embedders from files.

use std::path::Path;

use burn::tensor::{Device, Tensor};
use simclr_augment::EvaluationTransform;
use simclr_model::{Encoder, EncoderConfig, LoadReport, WeightFile};

use super::embedder::Embedder;
use super::embedder_file::EmbedderFile;
use crate::error::EmbedError;

/// The name of an embedder's file in the folder of a run.
const FILE_IN_RUN: &str = "encoder.safetensors";

impl Embedder {
    /// The embedder of a run's folder, or of a file that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`EmbedError::File`] if the run has not ended, or the file doesn't say what its weights are of (then
    /// [`from_weights`](Self::from_weights) reads it); [`EmbedError::Weights`] if it cannot be read or is damaged.
    pub fn open(path: impl AsRef<Path>, device: &Device) -> Result<Self, EmbedError> {
        let file = file_at(path.as_ref())?;
        let encoder = file.encoder(device)?;
        Self::from_file(file, encoder, device)
    }

    /// The embedder of an encoder whose weights are in a file of torchvision, timm, a training script or this workspace,
    /// and what it took from the file: see [`WeightFile::load`]. `transform` has to be that of the weights' training.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Model`] or [`EmbedError::Weights`] if the encoder cannot be built, doesn't take images of the
    /// transform's size, or the file doesn't hold its weights in one place.
    pub fn from_weights(
        weights: WeightFile,
        config: &EncoderConfig,
        transform: EvaluationTransform,
        device: &Device,
    ) -> Result<(Self, LoadReport), EmbedError> {
        config.check_image_size(transform.size() as usize)?;
        let (encoder, report) = weights.load(config.init(0, device)?)?;
        Ok((Self::new(encoder, transform, device).with_config(config.clone()), report))
    }
}

impl<E: Encoder<Input = Tensor<4>>> Embedder<E> {
    /// The embedder of a run's folder, or of a file that [`save`](Self::save) wrote, for an encoder of one's own: its
    /// weights replace those of `encoder`, which must be of the same architecture, on `device`. Clones of `encoder` stay as
    /// they are, running statistics included.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Embedder::open); [`EmbedError::Weights`] for another architecture.
    pub fn load(path: impl AsRef<Path>, encoder: E, device: &Device) -> Result<Self, EmbedError> {
        Self::from_file(file_at(path.as_ref())?, encoder, device)
    }

    #[expect(clippy::needless_pass_by_value, reason = "an embedder owns its encoder")]
    fn from_file(file: EmbedderFile, encoder: E, device: &Device) -> Result<Self, EmbedError> {
        let (config, transform) = (file.config().cloned(), file.transform().clone());
        // A copy: clones would share the running statistics that are loaded.
        Ok(Self::new(file.load(encoder.valid())?, transform, device).with_config(config))
    }
}

/// Opens a file, or the one in the folder of a run.
fn file_at(path: &Path) -> Result<EmbedderFile, EmbedError> {
    if !path.is_dir() {
        return EmbedderFile::open(path);
    }
    let file = path.join(FILE_IN_RUN);
    if file.is_file() {
        return EmbedderFile::open(file);
    }
    let expected = "the trained encoder, which a run writes when it ends,";
    Err(EmbedError::file(file, expected, "no such file"))
}
