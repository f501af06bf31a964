//! Weights to and from files that other tools read.

mod error;
mod load_report;
mod module_parameters;
mod pickle;
mod pickle_value;
mod safetensors_header;
mod stored_tensor;
mod torch_file;
mod torch_object;
mod weight_file;
mod zip_directory;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::module::Module;
use safetensors::{Dtype, View};

pub use self::error::WeightError;
use self::load_report::COUNTER;
pub use self::load_report::LoadReport;
use self::module_parameters::{Parameter, parameters, transposed, values};
pub use self::weight_file::WeightFile;
use self::weight_file::{name_of, stored_shape};
use crate::error::ModelError;
use crate::published_names::{Naming, PublishedNames};

/// Writes a module's weights as safetensors, replacing `path` only once all is written.
///
/// # Errors
///
/// [`ModelError::Save`] if the file cannot be written; an older file of that name is then untouched.
pub fn save_weights(module: &impl Module, path: &Path) -> Result<(), ModelError> {
    let names = parameters(module).iter().map(Parameter::name).collect();
    write(module, Naming::Simclr, names, path)
        .map_err(|source| ModelError::Save { path: path.to_owned(), source })
}

/// Writes an encoder's weights as safetensors with the names and layouts of another library, replacing `path` only
/// once all is written.
///
/// With torchvision's names, `torchvision.models.resnet50().load_state_dict(...)` takes them strictly, but for the
/// classifier `fc`, which an encoder doesn't have.
///
/// # Errors
///
/// [`ModelError::Save`] if the file cannot be written, or the library doesn't have the network; an older file of that
/// name is then untouched.
pub fn save_published_weights(
    encoder: &impl PublishedNames,
    naming: Naming,
    path: &Path,
) -> Result<(), ModelError> {
    let save_error = |source| ModelError::Save { path: path.to_owned(), source };
    let name = |parameter: &Parameter| {
        name_of(encoder, parameter, naming).ok_or_else(|| WeightError::Unnamed {
            library: naming.to_string(),
            parameter: parameter.name(),
        })
    };
    let names = parameters(encoder).iter().map(name).collect::<Result<_, _>>();
    write(encoder, naming, names.map_err(save_error)?, path).map_err(save_error)
}

/// Reads weights that [`save_weights`] wrote into a module of the same architecture.
///
/// # Errors
///
/// [`ModelError::Load`] if the file cannot be read, or its tensors are not exactly the module's.
pub fn load_weights<M: Module>(module: M, path: &Path) -> Result<M, ModelError> {
    WeightFile::open(path)?.load_own(module)
}

/// `names` are in the order of the parameters.
fn write(
    module: &impl Module,
    naming: Naming,
    names: Vec<String>,
    path: &Path,
) -> Result<(), WeightError> {
    let mut tensors = BTreeMap::new();
    for ((parameter, name), values) in parameters(module).iter().zip(names).zip(values(module)) {
        let shape = stored_shape(parameter, naming);
        let values = if parameter.is_matrix && naming != Naming::Simclr {
            transposed(&values, parameter.shape[0])
        } else {
            values
        };
        if naming != Naming::Simclr
            && let Some(layer) = name.strip_suffix("running_mean")
        {
            let counter = Encoded { dtype: Dtype::I64, shape: Vec::new(), bytes: vec![0; 8] };
            tensors.insert(format!("{layer}{COUNTER}"), counter);
        }
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        tensors.insert(name, Encoded { dtype: Dtype::F32, shape, bytes });
    }
    let partial = path.with_extension("safetensors.part");
    // What PyTorch's tools ask of a safetensors file.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize_to_file(tensors, Some(metadata), &partial)
        .map_err(|error| WeightError::Write { found: error.to_string() })?;
    Ok(std::fs::rename(&partial, path)?)
}

/// A tensor as safetensors keeps it.
struct Encoded {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Encoded {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoder, ResNetConfig, ResNetDepth, Stem};
    use burn::tensor::{Device, Tensor};

    fn net(depth: ResNetDepth, seed: u64) -> crate::ResNet {
        ResNetConfig::new(depth, 4, Stem::Cifar).init(seed, &Device::flex()).unwrap()
    }

    #[test]
    fn weights_survive_a_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("encoder.safetensors");
        let trained = net(ResNetDepth::ResNet18, 1);
        save_weights(&trained, &path).unwrap();
        let loaded = load_weights(net(ResNetDepth::ResNet18, 2), &path).unwrap();
        let image = Tensor::<4>::ones([1, 3, 8, 8], &Device::flex());
        loaded
            .encode(image.clone())
            .into_data()
            .assert_eq(&trained.encode(image).into_data(), true);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file is left");
    }

    #[test]
    fn weights_of_another_architecture_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("encoder.safetensors");
        for (saved, loaded) in [
            (ResNetDepth::ResNet18, ResNetDepth::ResNet34),
            (ResNetDepth::ResNet34, ResNetDepth::ResNet18),
        ] {
            save_weights(&net(saved, 0), &path).unwrap();
            assert!(matches!(load_weights(net(loaded, 0), &path), Err(ModelError::Load { .. })));
        }
    }

    #[test]
    fn torn_and_foreign_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("encoder.safetensors");
        assert!(load_weights(net(ResNetDepth::ResNet18, 0), &path).is_err(), "no file");
        save_weights(&net(ResNetDepth::ResNet18, 0), &path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let torn = &whole[..whole.len() / 2];
        for bytes in [&[][..], b"not safetensors", &[255; 64], torn] {
            std::fs::write(&path, bytes).unwrap();
            assert!(matches!(
                load_weights(net(ResNetDepth::ResNet18, 0), &path),
                Err(ModelError::Load { .. })
            ));
        }
    }
}
