//! A file of weights that says what they are of.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::Device;
use simclr_augment::{EvaluationTransform, Normalization};
use simclr_model::{EncoderConfig, ImageEncoder, WeightFile, WeightMetadata, save_weights_with};

use super::parameter_bound::fewest_parameters;
use crate::error::EmbedError;

/// The version of the format that is written and read.
const FORMAT: &str = "1";

const FORMAT_KEY: &str = "simclr.format";
const ENCODER_KEY: &str = "simclr.encoder";
const TRANSFORM_KEY: &str = "simclr.evaluation_transform";

/// Weights in safetensors whose header says how to use them: the file of an [`Embedder`](crate::Embedder), or of a
/// network around its encoder.
///
/// | key of the header's metadata | value |
/// |---|---|
/// | `simclr.format` | `1` |
/// | `simclr.encoder` | the encoder's [`EncoderConfig`], such as `resnet18_cifar`; absent for an encoder of one's own |
/// | `simclr.evaluation_transform` | `{"size": 96, "filter": "bilinear", "normalization": {"mean": [...], "std": [...]}}` |
///
/// A network around the encoder may add keys of its own.
///
/// Files may come from anywhere. The header is checked when the file is opened, and tensors when they are loaded. No
/// memory is taken on the header's word alone.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_embed::EmbedderFile;
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("encoder.safetensors");
/// let device = Device::flex();
/// let config = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar);
/// let transform = SimClrAugmentation::cifar10().evaluation();
/// let more = [("shop.catalogue", "2026".to_owned())];
/// EmbedderFile::write(&config.init(1, &device)?, Some(&config.into()), &transform, more, &path)?;
///
/// let file = EmbedderFile::open(&path)?;
/// assert_eq!(file.value("shop.catalogue")?, "2026");
/// assert_eq!(file.config().map(ToString::to_string).as_deref(), Some("resnet18x0.03125_cifar"));
/// let resnet = file.load(config.init(0, &device)?)?;
/// # let _ = resnet;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EmbedderFile {
    path: PathBuf,
    weights: WeightFile,
    config: Option<EncoderConfig>,
    transform: EvaluationTransform,
}

impl EmbedderFile {
    /// Writes the weights of `network` with a header that describes its encoder, and with `more` keys. The file
    /// appears as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Weights`] if it cannot be written; an older file of that name is then
    /// untouched.
    pub fn write(
        network: &impl Module,
        config: Option<&EncoderConfig>,
        transform: &EvaluationTransform,
        more: impl IntoIterator<Item = (&'static str, String)>,
        path: impl AsRef<Path>,
    ) -> Result<(), EmbedError> {
        let mut metadata = Self::metadata(config, transform);
        metadata.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
        Ok(save_weights_with(network, &metadata, path)?)
    }

    /// What the header of such a file says of an encoder: for code that writes the weights itself.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "what is written is always JSON")]
    pub fn metadata(
        config: Option<&EncoderConfig>,
        transform: &EvaluationTransform,
    ) -> WeightMetadata {
        let transform = serde_json::to_string(transform).expect("finite numbers are always JSON");
        let mut metadata = WeightMetadata::from([
            (FORMAT_KEY.to_owned(), FORMAT.to_owned()),
            (TRANSFORM_KEY.to_owned(), transform),
        ]);
        metadata.extend(config.map(|config| (ENCODER_KEY.to_owned(), config.to_string())));
        metadata
    }

    /// Opens a file that [`write`](Self::write) wrote, and checks its header.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Weights`] if the file cannot be read or holds no weights;
    /// [`EmbedError::File`] if it doesn't describe them, or is of a later version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EmbedError> {
        let path = path.as_ref();
        let weights = WeightFile::open(path)?;
        let metadata = weights.metadata();
        let format = value_of(metadata, FORMAT_KEY, path)?;
        if format != FORMAT {
            let expected = format!("`{FORMAT_KEY}` {FORMAT}");
            return Err(EmbedError::file(path, expected, format!("{format:?}")));
        }
        let transform = transform(value_of(metadata, TRANSFORM_KEY, path)?, path)?;
        let config = match metadata.get(ENCODER_KEY) {
            None => None,
            Some(name) => Some(config(name, &weights, path)?),
        };
        if let Some(config) = &config {
            config.check_image_size(transform.size() as usize)?;
        }
        Ok(Self { path: path.to_owned(), weights, config, transform })
    }

    /// The normalisation that the weights in a file were trained with: what its header says, or else
    /// [`IMAGENET`](Normalization::IMAGENET), as the weights that torchvision publishes, and most of timm's, expect.
    ///
    /// No file of those libraries says it. Some of timm's models are trained with [`CENTRED`](Normalization::CENTRED)
    /// (vision transformers named `augreg`, for example): `model.default_cfg` shows their mean and std.
    ///
    /// # Errors
    ///
    /// [`EmbedError::File`] if the header holds something else than an evaluation transform.
    pub fn normalization_of(weights: &WeightFile) -> Result<Normalization, EmbedError> {
        Ok(Self::recorded_normalization_of(weights)?.unwrap_or(Normalization::IMAGENET))
    }

    /// The normalisation that a file's header says its weights were trained with; `None` if it doesn't say any.
    ///
    /// # Errors
    ///
    /// [`EmbedError::File`] if the header holds something else than an evaluation transform.
    pub fn recorded_normalization_of(
        weights: &WeightFile,
    ) -> Result<Option<Normalization>, EmbedError> {
        let text = weights.metadata().get(TRANSFORM_KEY);
        let recorded = text.map(|text| transform(text, weights.path())).transpose()?;
        Ok(recorded.map(|transform| transform.normalization().clone()))
    }

    /// The encoder's config; `None` for an encoder of one's own.
    #[must_use]
    pub fn config(&self) -> Option<&EncoderConfig> {
        self.config.as_ref()
    }

    /// How an image becomes the encoder's input.
    #[must_use]
    pub fn transform(&self) -> &EvaluationTransform {
        &self.transform
    }

    /// The shape of the tensor `name`, if there is one: what a network around the encoder can be built for.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.tensors().find(|(known, _)| *known == name).map(|(_, shape)| shape)
    }

    /// The value of a key that the writer added.
    ///
    /// # Errors
    ///
    /// [`EmbedError::File`] if the header doesn't have it.
    pub fn value(&self, key: &str) -> Result<&str, EmbedError> {
        value_of(self.weights.metadata(), key, &self.path)
    }

    /// An encoder of the file's config on `device`, with random weights, for [`load`](Self::load).
    ///
    /// # Errors
    ///
    /// [`EmbedError::File`] for an encoder of one's own, which has no config; [`EmbedError::Model`] for one that
    /// cannot be built.
    pub fn encoder(&self, device: &Device) -> Result<ImageEncoder, EmbedError> {
        let config = self.config.as_ref().ok_or_else(|| missing(ENCODER_KEY, &self.path))?;
        Ok(config.init(0, device)?)
    }

    /// Gives `network` the file's weights, all of them and no others.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Weights`] if the file's tensors are not exactly the network's, or hold
    /// anything but finite numbers.
    pub fn load<M: Module>(self, network: M) -> Result<M, EmbedError> {
        Ok(self.weights.load_module(network)?)
    }
}

fn transform(text: &str, path: &Path) -> Result<EvaluationTransform, EmbedError> {
    serde_json::from_str(text)
        .map_err(|error| EmbedError::file(path, "an evaluation transform", error.to_string()))
}

fn value_of<'a>(
    metadata: &'a WeightMetadata,
    key: &str,
    path: &Path,
) -> Result<&'a str, EmbedError> {
    metadata.get(key).map(String::as_str).ok_or_else(|| missing(key, path))
}

fn missing(key: &str, path: &Path) -> EmbedError {
    let expected = format!("a header with `{key}`");
    EmbedError::file(path, expected, "one without: weights that don't say what they are of")
}

/// The config that `name` stands for, if the file is large enough to hold its weights.
fn config(name: &str, weights: &WeightFile, path: &Path) -> Result<EncoderConfig, EmbedError> {
    let config: EncoderConfig = name.parse()?;
    let values = |(_, shape): (&str, &[usize])| shape.iter().map(|&n| n as u128).product::<u128>();
    let stored: u128 = weights.tensors().map(values).sum();
    let fewest = fewest_parameters(&config);
    if stored < fewest {
        let expected = format!("the weights of {name}, more than {fewest} values,");
        return Err(EmbedError::file(path, expected, format!("{stored} values")));
    }
    Ok(config)
}
