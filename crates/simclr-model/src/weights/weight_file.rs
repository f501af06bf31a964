//! A file of named tensors, and what a network takes from it.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burn::module::Module;

use super::error::{WeightError, WeightFault};
use super::load_report::{LoadReport, is_beside_encoder};
use super::published_layout::{is_stored_transposed, stored_name, stored_shape, transposed};
use super::safetensors_header::{self, WeightMetadata};
use super::stored_tensor::{StoredTensor, StoredTensors};
use super::torch;
use crate::module_tensors::{ModuleTensor, module_tensors, with_values};
use crate::published_names::{Naming, PublishedNames};

/// Bytes that tell the formats apart.
const MAGIC_BYTES: usize = 16;
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// A file of weights: safetensors, or a state dict that `torch.save` wrote (`.pth`, `.pt`). The content tells which.
///
/// Opening reads names and shapes. Values are read later, and only those of tensors that have the network's shape.
/// Files may come from anywhere: nothing in a pickle is executed, lengths are checked before memory is taken for them,
/// and every weight has to be a finite number.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_model::{EncoderConfig, Naming, WeightFile, save_published_weights};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("resnet18.safetensors");
/// let config: EncoderConfig = "resnet18x0.25".parse()?;
/// let trained = config.init(1, &Device::flex())?;
/// save_published_weights(&trained, Naming::Torchvision, &path)?; // torchvision reads this file
///
/// let (encoder, report) = WeightFile::open(&path)?.load(config.init(2, &Device::flex())?)?;
/// assert_eq!(report.naming, Naming::Torchvision);
/// assert!(report.missing.is_empty() && report.unused.is_empty());
/// # let _ = encoder;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WeightFile {
    path: PathBuf,
    file: File,
    tensors: StoredTensors,
    metadata: WeightMetadata,
}

impl WeightFile {
    /// Reads the names and shapes of the tensors in a file. If all names begin with `module.`, as those of PyTorch's
    /// data-parallel training do, that is taken away.
    ///
    /// # Errors
    ///
    /// [`WeightError::Load`] if the file cannot be read, is damaged, or is a pickle that calls a function.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, WeightError> {
        let path = path.as_ref();
        let open = || -> Result<_, WeightFault> {
            let mut file = File::open(path)?;
            let (tensors, metadata) = read_contents(&mut file)?;
            Ok(Self { path: path.to_owned(), file, tensors, metadata })
        };
        let opened =
            open().map_err(|reason| WeightError::Load { path: path.to_owned(), reason })?;
        let parallel = opened.tensors.keys().all(|name| name.starts_with("module."));
        Ok(if parallel { opened.below("module.") } else { opened })
    }

    /// Keeps only the tensors whose names begin with `prefix`, and takes the prefix away. In the checkpoint of a larger
    /// network, `"backbone."` may be the encoder.
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

    /// The names and shapes of the tensors, sorted by name.
    #[must_use]
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape()))
    }

    /// The text beside the tensors: what [`save_weights_with`](crate::save_weights_with) wrote, or another tool into the
    /// metadata of a safetensors file. Files of `torch.save` have none.
    #[must_use]
    pub fn metadata(&self) -> &WeightMetadata {
        &self.metadata
    }

    /// Gives `encoder` the file's weights. The library whose names they have is found out; a classifier is left out.
    ///
    /// # Errors
    ///
    /// [`WeightError::Load`] if a tensor is missing, left over, of another shape, or holds NaN or infinity.
    pub fn load<M: PublishedNames>(self, encoder: M) -> Result<(M, LoadReport), WeightError> {
        self.or_error(|file| {
            let (encoder, report) = file.take_published(encoder)?;
            Ok((encoder, complete(report)?))
        })
    }

    /// As [`load`](Self::load), but parameters that the file doesn't have stay as they are, and tensors that the encoder
    /// doesn't have are passed over. The report names both.
    ///
    /// # Errors
    ///
    /// [`WeightError::Load`] if a tensor is of another shape, or holds NaN or infinity.
    pub fn load_matching<M: PublishedNames>(
        self,
        encoder: M,
    ) -> Result<(M, LoadReport), WeightError> {
        self.or_error(|file| file.take_published(encoder))
    }

    /// Gives any module the weights that [`save_weights`](crate::save_weights) wrote of a module like it: all of them,
    /// and no others.
    ///
    /// # Errors
    ///
    /// [`WeightError::Load`] if a tensor is missing, left over, of another shape, or holds NaN or infinity.
    pub fn load_module<M: Module>(self, module: M) -> Result<M, WeightError> {
        self.or_error(|file| {
            let named = |tensor: ModuleTensor| (tensor.name(), tensor);
            let tensors = module_tensors(&module).into_iter().map(named).collect();
            let (module, report) = file.take(module, Naming::Simclr, tensors)?;
            complete(report)?;
            Ok(module)
        })
    }

    /// What `load` returns, with the file's path if that is an error.
    fn or_error<T>(
        mut self,
        load: impl FnOnce(&mut Self) -> Result<T, WeightFault>,
    ) -> Result<T, WeightError> {
        load(&mut self).map_err(|reason| WeightError::Load { path: self.path, reason })
    }

    /// As [`take`](Self::take), with the names of the library that finds the most tensors, ours if none finds any.
    fn take_published<M: PublishedNames>(
        &mut self,
        encoder: M,
    ) -> Result<(M, LoadReport), WeightFault> {
        let tensors = module_tensors(&encoder);
        let names = |naming: Naming| -> Option<Vec<String>> {
            tensors.iter().map(|tensor| stored_name(&encoder, tensor, naming)).collect()
        };
        let (naming, names) = [Naming::Timm, Naming::Torchvision, Naming::Simclr]
            .into_iter()
            .filter_map(|naming| Some((naming, names(naming)?)))
            .max_by_key(|(_, names)| {
                names.iter().filter(|name| self.tensors.contains_key(*name)).count()
            })
            .unwrap_or((Naming::Simclr, Vec::new()));
        self.take(encoder, naming, names.into_iter().zip(tensors).collect())
    }

    /// Replaces each of the module's `tensors` by the file's tensor of its name, if there is one.
    fn take<M: Module>(
        &mut self,
        module: M,
        naming: Naming,
        tensors: Vec<(String, ModuleTensor)>,
    ) -> Result<(M, LoadReport), WeightFault> {
        let (mut values, mut missing) = (HashMap::new(), Vec::new());
        let mut left: BTreeSet<&str> = self.tensors.keys().map(String::as_str).collect();
        for (name, tensor) in tensors {
            let Some(stored) = self.tensors.get(&name) else {
                missing.push(name);
                continue;
            };
            left.remove(name.as_str());
            values.insert(tensor.name(), read(stored, &name, &tensor, naming, &mut self.file)?);
        }
        let (ignored, unused) = left
            .into_iter()
            .map(str::to_owned)
            .partition(|name| naming != Naming::Simclr && is_beside_encoder(name));
        let report = LoadReport { naming, loaded: values.len(), missing, unused, ignored };
        Ok((with_values(module, values), report))
    }
}

/// Reads weights that [`save_weights`](crate::save_weights) wrote into a module of the same architecture.
///
/// # Errors
///
/// [`WeightError::Load`] if the file cannot be read, or its tensors are not exactly the module's.
pub fn load_weights<M: Module>(module: M, path: impl AsRef<Path>) -> Result<M, WeightError> {
    WeightFile::open(path)?.load_module(module)
}

/// The report, or an error about tensors that are missing or left over.
fn complete(report: LoadReport) -> Result<LoadReport, WeightFault> {
    if report.missing.is_empty() && report.unused.is_empty() {
        return Ok(report);
    }
    Err(WeightFault::Names { missing: report.missing, unused: report.unused })
}

/// The values of a file's tensor in the module's layout.
fn read(
    stored: &StoredTensor,
    name: &str,
    tensor: &ModuleTensor,
    naming: Naming,
    file: &mut File,
) -> Result<Vec<f32>, WeightFault> {
    let expected = stored_shape(tensor, naming);
    if stored.shape() != expected {
        let (tensor, found) = (name.to_owned(), stored.shape().to_vec());
        return Err(WeightFault::Shape { tensor, expected, found });
    }
    let values = stored.read(name, file)?;
    Ok(if is_stored_transposed(tensor, naming) { transposed(&values, expected[0]) } else { values })
}

fn read_contents(file: &mut File) -> Result<(StoredTensors, WeightMetadata), WeightFault> {
    let length = file.metadata()?.len();
    let mut magic = Vec::new();
    file.take(MAGIC_BYTES as u64).read_to_end(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    let without_metadata = |tensors| (tensors, WeightMetadata::new());
    if magic.starts_with(ZIP_MAGIC) {
        torch::read_archive(file, length).map(without_metadata)
    } else if magic.starts_with(&torch::LEGACY_MAGIC) {
        torch::read_legacy(file, length).map(without_metadata)
    } else if magic.get(8) == Some(&b'{') {
        safetensors_header::read(file, length)
    } else {
        Err(WeightFault::Format { found: magic })
    }
}
