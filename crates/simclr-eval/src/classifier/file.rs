//! A classifier in a file: an embedder's file with a linear layer, and the classes' names in its header.

use std::path::Path;

use burn::nn::LinearConfig;
use burn::tensor::{Device, Tensor};
use simclr_embed::{EmbedError, Embedder, EmbedderFile};
use simclr_model::Encoder;

use super::Classifier;
use super::network::Network;
use crate::error::EvalError;

pub(super) const CLASSES_KEY: &str = "simclr.class_names";
/// The name of the linear layer's weight.
const WEIGHT: &str = "classifier.weight";

impl Classifier {
    /// Reads a classifier that [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] if the file cannot be read, holds something else, or doesn't name its encoder (then
    /// [`load`](Self::load) reads it).
    pub fn open(path: impl AsRef<Path>, device: &Device) -> Result<Self, EvalError> {
        let file = EmbedderFile::open(&path)?;
        let encoder = file.encoder(device)?;
        read(file, path.as_ref(), encoder, device)
    }
}

impl<E: Encoder<Input = Tensor<4>>> Classifier<E> {
    /// Writes encoder, linear layer, the classes' names and the evaluation transform to one safetensors file, which
    /// appears as a whole or not at all. It is an [`EmbedderFile`] with one more key, `simclr.class_names`, a JSON
    /// list.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`]; an older file of that name is then untouched.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), EvalError> {
        let Self { embedder, layer, class_names } = self;
        let network = Network::new(embedder.encoder().clone(), layer, embedder.device());
        let names = serde_json::Value::from(class_names.as_slice()).to_string();
        let (config, transform) = (embedder.config(), embedder.transform());
        Ok(EmbedderFile::write(&network, config, transform, [(CLASSES_KEY, names)], path)?)
    }

    /// Reads a classifier with an encoder of one's own: its weights replace those of `encoder`, which must be of the
    /// same architecture, on `device`. Clones of `encoder` stay as they are.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] if the file cannot be read, holds something else, or a later version's classifier, or if
    /// its tensors are not those of `encoder` and a linear layer for its classes.
    pub fn load(path: impl AsRef<Path>, encoder: E, device: &Device) -> Result<Self, EvalError> {
        read(EmbedderFile::open(&path)?, path.as_ref(), encoder, device)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a classifier owns its encoder")]
fn read<E: Encoder<Input = Tensor<4>>>(
    file: EmbedderFile,
    path: &Path,
    encoder: E,
    device: &Device,
) -> Result<Classifier<E>, EvalError> {
    let no_classes =
        |_| EmbedError::file(path, "a classifier, with the names of its classes,", "no classes");
    let class_names: Vec<String> =
        serde_json::from_str(file.value(CLASSES_KEY).map_err(no_classes)?)
            .map_err(|error| EmbedError::file(path, "a list of class names", error.to_string()))?;
    if class_names.is_empty() {
        return Err(EmbedError::file(path, "at least one class", "none").into());
    }
    // A header may name millions of classes: no memory is taken for them unless the file holds their weights.
    let expected = [encoder.feature_size(), class_names.len()];
    let found = file.shape(WEIGHT);
    if found != Some(&expected[..]) {
        let found = found.map_or_else(|| "none".to_owned(), |shape| format!("{shape:?}"));
        let expected = format!("`{WEIGHT}` of shape {expected:?}, [features, classes],");
        return Err(EmbedError::file(path, expected, found).into());
    }
    let (config, transform) = (file.config().cloned(), file.transform().clone());
    let classifier = LinearConfig::new(expected[0], expected[1]).init(device);
    // A copy: clones would share the running statistics that are loaded.
    let network = file.load(Network { encoder: encoder.valid(), classifier })?;
    let layer = network.layer()?;
    let embedder = Embedder::new(network.encoder, transform, device).with_config(config);
    Classifier::new(embedder, layer, class_names)
}
