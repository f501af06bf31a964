//! Writes a module's weights as safetensors.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;

use burn::module::Module;
use safetensors::{Dtype, View};
use simclr_files::replace_file;

use super::error::{WeightError, WeightFault};
use super::load_report::COUNTER;
use super::published_layout::{LaidOut, is_stored_transposed, transposed};
use super::safetensors_header::WeightMetadata;
use crate::module_tensors::{ModuleTensor, TensorRole, module_tensors};
use crate::published_names::{Naming, PublishedNames};

/// Writes a module's weights as safetensors, in one step: a reader sees the old file or the whole new one.
///
/// Running statistics are written as an evaluation has them.
///
/// # Errors
///
/// [`WeightError::Save`] if the file cannot be written; an older file of that name is then untouched.
pub fn save_weights(module: &impl Module, path: impl AsRef<Path>) -> Result<(), WeightError> {
    save_weights_with(module, &WeightMetadata::new(), path)
}

/// As [`save_weights`], with text beside the weights: [`WeightFile::metadata`](crate::WeightFile::metadata) reads it.
///
/// The key `format` is set to `pt`, as PyTorch's tools ask, unless `metadata` sets it.
///
/// # Errors
///
/// [`WeightError::Save`] if the file cannot be written; an older file of that name is then untouched.
pub fn save_weights_with(
    module: &impl Module,
    metadata: &WeightMetadata,
    path: impl AsRef<Path>,
) -> Result<(), WeightError> {
    let path = path.as_ref();
    let laid_out = |tensor: &ModuleTensor| Ok(vec![LaidOut::own(tensor)]);
    write(module, Naming::Simclr, laid_out, metadata, path)
        .map_err(|reason| WeightError::Save { path: path.to_owned(), reason })
}

/// Writes an encoder's weights as safetensors with the names and layouts of another library, in one step.
///
/// `torchvision.models.resnet50().load_state_dict(...)` takes a file with torchvision's names strictly, except for the
/// classifier `fc`, which an encoder doesn't have.
///
/// # Errors
///
/// [`WeightError::Save`] if the file cannot be written, or the library doesn't have the network, or has one that computes
/// something else; an older file of that name is then untouched.
pub fn save_published_weights(
    encoder: &impl PublishedNames,
    naming: Naming,
    path: impl AsRef<Path>,
) -> Result<(), WeightError> {
    let path = path.as_ref();
    let laid_out = |tensor: &ModuleTensor| {
        LaidOut::published(encoder, tensor, naming).ok_or_else(|| WeightFault::Unnamed {
            library: naming.to_string(),
            parameter: tensor.name(),
        })
    };
    WeightFault::unless_same_network(encoder, naming)
        .and_then(|()| write(encoder, naming, laid_out, &WeightMetadata::new(), path))
        .map_err(|reason| WeightError::Save { path: path.to_owned(), reason })
}

fn write(
    module: &impl Module,
    naming: Naming,
    laid_out: impl Fn(&ModuleTensor) -> Result<Vec<LaidOut>, WeightFault>,
    metadata: &WeightMetadata,
    path: &Path,
) -> Result<(), WeightFault> {
    let mut tensors = BTreeMap::new();
    // `valid` brings the running statistics of all threads together.
    for tensor in module_tensors(&module.valid()) {
        let parts = laid_out(&tensor)?;
        let tensor = Rc::new(tensor);
        for part in parts {
            if naming != Naming::Simclr
                && tensor.role == TensorRole::Statistic
                && let Some(layer) = part.name.strip_suffix("running_mean")
            {
                tensors.insert(format!("{layer}{COUNTER}"), Encoded::Counter);
            }
            let name = part.name.clone();
            tensors.insert(name, Encoded::Part(part, Rc::clone(&tensor), naming));
        }
    }
    let mut metadata: HashMap<_, _> = metadata.clone().into_iter().collect();
    metadata.entry("format".to_owned()).or_insert_with(|| "pt".to_owned());
    // Not `serialize_to_file`, whose files only their owner may read.
    let bytes = safetensors::serialize(tensors, Some(metadata))
        .map_err(|error| WeightFault::Write { found: error.to_string() })?;
    Ok(replace_file(path, |file| file.write_all(&bytes))?)
}

/// A tensor of a file. Its bytes are made when safetensors asks for them.
enum Encoded {
    /// A module's tensor, or a part of it, as the file's library has it.
    Part(LaidOut, Rc<ModuleTensor>, Naming),
    /// A counter of batches: the integer 0.
    Counter,
}

impl View for Encoded {
    fn dtype(&self) -> Dtype {
        match self {
            Self::Part(..) => Dtype::F32,
            Self::Counter => Dtype::I64,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::Part(part, ..) => &part.shape,
            Self::Counter => &[],
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let bytes = match self {
            Self::Part(part, tensor, naming) => {
                let values = tensor.values().to_data_as::<f32>();
                let mut values: Vec<f32> = values.iter::<f32>().collect();
                if is_stored_transposed(tensor, *naming) {
                    values = transposed(&values, tensor.shape[0]);
                }
                let mut values = values[part.range(values.len())].to_vec();
                // A first position that the library adds to another tensor, which has it already.
                let more = self.shape().iter().product::<usize>() - values.len();
                values.splice(..0, std::iter::repeat_n(0.0, more));
                values.iter().flat_map(|value| value.to_le_bytes()).collect()
            }
            Self::Counter => vec![0; size_of::<i64>()],
        };
        Cow::Owned(bytes)
    }

    fn data_len(&self) -> usize {
        let count: usize = self.shape().iter().product();
        match self {
            Self::Part(..) => count * size_of::<f32>(),
            Self::Counter => size_of::<i64>(),
        }
    }
}
