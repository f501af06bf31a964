//! Text beside weights, until `simclr-model` reads and writes it: this file has its names, and goes then.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use burn::module::Module;
use safetensors::SafeTensors;
use serde::Deserialize;
use simclr_data::replace_file;
use simclr_model::{load_weights, save_weights};

use crate::error::EmbedError;

pub(super) type WeightMetadata = BTreeMap<String, String>;

#[derive(Debug)]
pub(super) struct WeightFile {
    path: std::path::PathBuf,
    file: simclr_model::WeightFile,
    metadata: WeightMetadata,
}

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "__metadata__", default)]
    metadata: WeightMetadata,
}

impl WeightFile {
    pub(super) fn open(path: &Path) -> Result<Self, EmbedError> {
        let file = simclr_model::WeightFile::open(path)?;
        let mut bytes = File::open(path).map_err(EmbedError::read(path))?;
        let mut start = [0; 8];
        bytes.read_exact(&mut start).map_err(EmbedError::read(path))?;
        let mut header = Vec::new();
        let length = u64::from_le_bytes(start).min(16 << 20);
        bytes.take(length).read_to_end(&mut header).map_err(EmbedError::read(path))?;
        let header =
            serde_json::from_slice(&header).unwrap_or(Header { metadata: BTreeMap::new() });
        Ok(Self { path: path.to_owned(), file, metadata: header.metadata })
    }

    pub(super) fn metadata(&self) -> &WeightMetadata {
        &self.metadata
    }

    pub(super) fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &[usize])> {
        self.file.tensors()
    }

    pub(super) fn load_module<M: Module>(self, module: M) -> Result<M, EmbedError> {
        Ok(load_weights(module, &self.path)?)
    }
}

pub(super) fn save_weights_with(
    module: &impl Module,
    metadata: &WeightMetadata,
    path: &Path,
) -> Result<(), EmbedError> {
    let plain = path.with_extension("weights");
    save_weights(module, &plain)?;
    let bytes = std::fs::read(&plain).map_err(EmbedError::read(&plain))?;
    std::fs::remove_file(&plain).map_err(EmbedError::write(&plain))?;
    let tensors = SafeTensors::deserialize(&bytes).expect("it was written as safetensors");
    let metadata: HashMap<String, String> = metadata.clone().into_iter().collect();
    let file = safetensors::serialize(tensors.tensors(), Some(metadata)).expect("valid tensors");
    replace_file(path, |out| out.write_all(&file)).map_err(EmbedError::write(path))
}
