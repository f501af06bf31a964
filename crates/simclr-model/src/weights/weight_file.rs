//! A file of named tensors, and what a network takes from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burn::module::Module;

use super::error::WeightError;
use super::load_report::{LoadReport, is_beside_encoder};
use super::module_parameters::{Parameter, parameters, transposed, with_values};
use super::stored_tensor::StoredTensor;
use super::{safetensors_header, torch_file};
use crate::error::ModelError;
use crate::published_names::{Naming, PublishedNames};

/// Bytes that tell the formats apart.
const MAGIC_BYTES: usize = 16;
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// A file of weights: safetensors, or what `torch.save` wrote of a state dict (`.pth`, `.pt`), told apart by
/// content.
///
/// Opening reads the names; values are read where they are asked for, and only of tensors that have the network's
/// shape. Files may come from anywhere: nothing in a pickle is executed, lengths are checked before memory is taken
/// for them, and every weight has to be a finite number.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_model::{EncoderConfig, Naming, WeightFile, save_published_weights};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("resnet18.safetensors");
/// let config: EncoderConfig = "resnet18x0.25".parse()?;
/// let trained = config.init(1, &Device::flex())?;
/// save_published_weights(&trained, Naming::Torchvision, &path)?; // as torchvision reads it
///
/// let (encoder, report) = WeightFile::open(&path)?.load(config.init(2, &Device::flex())?)?;
/// assert_eq!(report.naming, Naming::Torchvision);
/// assert!(report.missing.is_empty() && report.unused.is_empty());
/// # let _ = encoder;
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug)]
pub struct WeightFile {
    path: PathBuf,
    file: File,
    tensors: BTreeMap<String, StoredTensor>,
}

impl WeightFile {
    /// Opens a file and reads the names of its tensors.
    ///
    /// A state dict may lie under `state_dict`, `model_state_dict`, `model` or `net` in a larger checkpoint, and
    /// the `module.` that PyTorch's data-parallel training puts before all names is taken away.
    ///
    /// # Errors
    ///
    /// [`ModelError::Load`] if the file cannot be read, is damaged, or is a pickle that calls anything.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let open = || -> Result<_, WeightError> {
            let mut file = File::open(path)?;
            let tensors = tensors(&mut file)?;
            Ok((file, tensors))
        };
        let (file, tensors) = open().map_err(|source| load_error(path, source))?;
        let opened = Self { path: path.to_owned(), file, tensors };
        let parallel = opened.tensors.keys().all(|name| name.starts_with("module."));
        Ok(if parallel { opened.below("module.") } else { opened })
    }

    /// Only the tensors whose names begin with `prefix`, without it: `"backbone."` finds the encoder in the
    /// checkpoint of a larger network.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        let tensors = std::mem::take(&mut self.tensors);
        let stripped = |name: String| name.strip_prefix(prefix).map(str::to_owned);
        self.tensors = tensors
            .into_iter()
            .filter_map(|(name, tensor)| Some((stripped(name)?, tensor)))
            .collect();
        self
    }

    /// The names of the tensors and their shapes, sorted.
    #[must_use]
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape()))
    }

    /// Gives `encoder` the file's weights. Whose names they have is found out; a classifier is left out.
    ///
    /// # Errors
    ///
    /// [`ModelError::Load`] if a tensor is missing, left over, of another shape, or holds anything but finite
    /// numbers.
    pub fn load<M: PublishedNames>(self, encoder: M) -> Result<(M, LoadReport), ModelError> {
        let path = self.path.clone();
        let (encoder, report) = self.load_matching(encoder)?;
        if report.missing.is_empty() && report.unused.is_empty() {
            return Ok((encoder, report));
        }
        let LoadReport { missing, unused, .. } = report;
        Err(load_error(&path, WeightError::Names { missing, unused }))
    }

    /// As [`load`](Self::load), but parameters that the file doesn't have stay as they are, and tensors that the
    /// encoder doesn't have are passed over: the report names both.
    ///
    /// # Errors
    ///
    /// [`ModelError::Load`] if a tensor is of another shape, or holds anything but finite numbers.
    pub fn load_matching<M: PublishedNames>(
        mut self,
        encoder: M,
    ) -> Result<(M, LoadReport), ModelError> {
        let parameters = parameters(&encoder);
        let named = |naming: Naming| -> Option<Vec<String>> {
            parameters.iter().map(|parameter| name_of(&encoder, parameter, naming)).collect()
        };
        // The naming that finds the most; ours if none finds any.
        let (naming, names) = [Naming::Timm, Naming::Torchvision, Naming::Simclr]
            .into_iter()
            .filter_map(|naming| Some((naming, named(naming)?)))
            .max_by_key(|(_, names)| {
                names.iter().filter(|name| self.tensors.contains_key(*name)).count()
            })
            .unwrap_or((Naming::Simclr, Vec::new()));
        self.take(encoder, naming, &parameters, &names)
            .map_err(|source| load_error(&self.path, source))
    }

    /// Gives any module weights under our own names, all of them and no others.
    pub(super) fn load_own<M: Module>(mut self, module: M) -> Result<M, ModelError> {
        let parameters = parameters(&module);
        let names: Vec<String> = parameters.iter().map(Parameter::name).collect();
        let (module, report) = self
            .take(module, Naming::Simclr, &parameters, &names)
            .map_err(|source| load_error(&self.path, source))?;
        let LoadReport { missing, unused, .. } = report;
        if missing.is_empty() && unused.is_empty() {
            return Ok(module);
        }
        Err(load_error(&self.path, WeightError::Names { missing, unused }))
    }

    /// Replaces each parameter by the tensor of its name, if there is one.
    fn take<M: Module>(
        &mut self,
        module: M,
        naming: Naming,
        parameters: &[Parameter],
        names: &[String],
    ) -> Result<(M, LoadReport), WeightError> {
        let (mut values, mut missing) = (HashMap::new(), Vec::new());
        let mut left: BTreeSet<&str> = self.tensors.keys().map(String::as_str).collect();
        for (parameter, name) in parameters.iter().zip(names) {
            let Some(tensor) = self.tensors.get(name) else {
                missing.push(name.clone());
                continue;
            };
            left.remove(name.as_str());
            values.insert(parameter.name(), read(tensor, name, parameter, naming, &mut self.file)?);
        }
        let (ignored, unused) = left
            .into_iter()
            .map(str::to_owned)
            .partition(|name| naming != Naming::Simclr && is_beside_encoder(name));
        let report = LoadReport { naming, loaded: values.len(), missing, unused, ignored };
        Ok((with_values(module, values), report))
    }
}

/// The name of a parameter in a file.
pub(super) fn name_of(
    module: &impl PublishedNames,
    parameter: &Parameter,
    naming: Naming,
) -> Option<String> {
    if naming == Naming::Simclr {
        return Some(parameter.name());
    }
    let path: Vec<&str> = parameter.path.iter().map(String::as_str).collect();
    module.published_name(&path, naming)
}

/// A parameter's shape as a file of this naming has it.
pub(super) fn stored_shape(parameter: &Parameter, naming: Naming) -> Vec<usize> {
    let mut shape = parameter.shape.clone();
    if parameter.is_matrix && naming != Naming::Simclr {
        shape.reverse();
    }
    shape
}

fn read(
    tensor: &StoredTensor,
    name: &str,
    parameter: &Parameter,
    naming: Naming,
    file: &mut File,
) -> Result<Vec<f32>, WeightError> {
    let expected = stored_shape(parameter, naming);
    if tensor.shape() != expected {
        let (tensor, found) = (name.to_owned(), tensor.shape().to_vec());
        return Err(WeightError::Shape { tensor, expected, found });
    }
    let values = tensor.read(name, file)?;
    if expected == parameter.shape && !(parameter.is_matrix && naming != Naming::Simclr) {
        return Ok(values);
    }
    Ok(transposed(&values, expected[0]))
}

fn tensors(file: &mut File) -> Result<BTreeMap<String, StoredTensor>, WeightError> {
    let length = file.metadata()?.len();
    let mut magic = Vec::new();
    file.take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    if magic.starts_with(ZIP_MAGIC) {
        torch_file::read(file, length)
    } else if magic.starts_with(&torch_file::LEGACY_MAGIC) {
        torch_file::read_legacy(file, length)
    } else if magic.get(8) == Some(&b'{') {
        safetensors_header::read(file, length)
    } else {
        Err(WeightError::Format { found: magic })
    }
}

fn load_error(path: &Path, source: WeightError) -> ModelError {
    ModelError::Load { path: path.to_owned(), source }
}
