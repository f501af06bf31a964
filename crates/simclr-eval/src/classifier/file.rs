//! A classifier in a file: safetensors, with what is no tensor in the metadata.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use burn::nn::LinearConfig;
use burn::store::{ModuleStore, SafetensorsStore};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr_model::{Encoder, load_weights};

use crate::classifier::Classifier;
use crate::error::EvalError;
use crate::network::Network;

/// The version of the format that this crate writes and reads.
const FORMAT: &str = "1";

const FORMAT_KEY: &str = "simclr_classifier_format";
const CLASSES_KEY: &str = "class_names";
const TRANSFORM_KEY: &str = "evaluation_transform";

/// The longest header that the safetensors format allows, in bytes.
const LONGEST_HEADER: u64 = 100_000_000;

/// An [`EvaluationTransform`] as JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transform {
    size: u32,
    filter: ResizeFilter,
    normalization: Normalization,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__", default)]
    metadata: HashMap<String, String>,
}

impl<E: Encoder<Input = Tensor<4>>> Classifier<E> {
    /// Writes encoder, linear layer, the classes' names and the evaluation transform to one safetensors
    /// file, in one step.
    ///
    /// # Errors
    ///
    /// [`EvalError::SaveClassifier`]; an older file of that name is then untouched.
    pub fn save(&self, path: &Path) -> Result<(), EvalError> {
        let transform = Transform {
            size: self.transform.size(),
            filter: self.transform.filter(),
            normalization: self.transform.normalization().clone(),
        };
        let fail = |reason: String| EvalError::SaveClassifier { path: path.to_owned(), reason };
        let tensors = Network::new(self.encoder.clone(), &self.layer, &self.device);
        let mut store = SafetensorsStore::from_file(path)
            .overwrite(true)
            .metadata(FORMAT_KEY, FORMAT)
            .metadata(
                CLASSES_KEY,
                serde_json::to_string(&self.class_names).map_err(|e| fail(e.to_string()))?,
            )
            .metadata(
                TRANSFORM_KEY,
                serde_json::to_string(&transform).map_err(|e| fail(e.to_string()))?,
            );
        store.collect_from(&tensors).map_err(|error| fail(error.to_string()))
    }

    /// Reads a classifier that [`save`](Self::save) wrote. Its encoder's weights replace those of
    /// `encoder`, which must be of the same architecture, on `device`.
    ///
    /// # Errors
    ///
    /// [`EvalError::Read`] if the file cannot be read, [`EvalError::NotAClassifier`] if it holds
    /// something else, or a later version's classifier, [`EvalError::Model`] if its tensors are not those
    /// of `encoder` and a linear layer for its classes.
    pub fn load(path: &Path, encoder: E, device: &Device) -> Result<Self, EvalError> {
        let metadata = read_metadata(path)?;
        let of = |expected: &'static str, found: String| EvalError::NotAClassifier {
            path: path.to_owned(),
            expected,
            found,
        };
        let value = |key: &'static str| {
            metadata.get(key).ok_or_else(|| of(key, "none in its metadata".to_owned()))
        };
        let format = value(FORMAT_KEY)?;
        if format != FORMAT {
            return Err(of("a classifier of format 1", format!("format {format:?}")));
        }
        let class_names: Vec<String> = serde_json::from_str(value(CLASSES_KEY)?)
            .map_err(|error| of("a list of class names", error.to_string()))?;
        let expected = "an evaluation transform";
        let transform: Transform = serde_json::from_str(value(TRANSFORM_KEY)?)
            .map_err(|error| of(expected, error.to_string()))?;
        let Transform { size, filter, normalization } = transform;
        let transform = EvaluationTransform::new(size, filter, normalization)
            .map_err(|error| of(expected, error.to_string()))?;
        if class_names.is_empty() {
            return Err(of("at least one class", "none".to_owned()));
        }

        let classifier = LinearConfig::new(encoder.feature_size(), class_names.len()).init(device);
        // The tensors of the file are `encoder.*`, `classifier.weight` and `classifier.bias`.
        let network = load_weights(Network { encoder, classifier }, path)?;
        let layer = network.layer()?;
        Self::new(network.encoder, layer, class_names, transform, device)
    }
}

/// Reads the metadata alone; the tensors are checked where they are read.
fn read_metadata(path: &Path) -> Result<HashMap<String, String>, EvalError> {
    let cannot_read = |source: io::Error| EvalError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(cannot_read)?;
    let length = file.metadata().map_err(cannot_read)?.len();
    let not_safetensors = |found: String| EvalError::NotAClassifier {
        path: path.to_owned(),
        expected: "a safetensors file",
        found,
    };
    let mut start = [0; 8];
    if length < start.len() as u64 {
        return Err(not_safetensors(format!("{length} bytes")));
    }
    file.read_exact(&mut start).map_err(cannot_read)?;
    let header = u64::from_le_bytes(start);
    // Nothing is allocated on the header's word alone.
    if header > LONGEST_HEADER.min(length - start.len() as u64) {
        return Err(not_safetensors(format!("{length} bytes with a header of {header}")));
    }
    let mut json = Vec::new();
    file.take(header).read_to_end(&mut json).map_err(cannot_read)?;
    let header: Header =
        serde_json::from_slice(&json).map_err(|error| not_safetensors(error.to_string()))?;
    Ok(header.metadata)
}
