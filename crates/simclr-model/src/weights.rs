//! Weights to and from a file that other tools read.

use std::path::Path;

use burn::module::Module;
use burn::store::{ModuleStore, SafetensorsStore};

use crate::error::ModelError;

/// Writes a module's weights as safetensors, replacing `path` only once all is written.
///
/// # Errors
///
/// [`ModelError::Save`] if the file cannot be written; an older file of that name is then untouched.
pub fn save_weights(module: &impl Module, path: &Path) -> Result<(), ModelError> {
    let save_error = |reason: String| ModelError::Save { path: path.to_owned(), reason };
    let partial = path.with_extension("safetensors.part");
    let mut store = SafetensorsStore::from_file(&partial).overwrite(true);
    store.collect_from(module).map_err(|error| save_error(error.to_string()))?;
    std::fs::rename(&partial, path).map_err(|error| save_error(error.to_string()))
}

/// Reads weights that [`save_weights`] wrote into a module of the same architecture.
///
/// # Errors
///
/// [`ModelError::Load`] if the file cannot be read, or its tensors are not exactly the module's.
pub fn load_weights<M: Module>(mut module: M, path: &Path) -> Result<M, ModelError> {
    let load_error = |reason: String| ModelError::Load { path: path.to_owned(), reason };
    let mut store = SafetensorsStore::from_file(path);
    let applied = store.apply_to(&mut module).map_err(|error| load_error(error.to_string()))?;
    if !applied.unused.is_empty() {
        let reason = format!("expected only the module's tensors, found {:?} too", applied.unused);
        return Err(load_error(reason));
    }
    Ok(module)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoder, ResNetConfig, ResNetDepth, Stem};
    use burn::tensor::{Device, Tensor};

    fn net(depth: ResNetDepth, seed: u64) -> crate::ResNet {
        ResNetConfig { depth, width: 4, stem: Stem::Cifar }.init(seed, &Device::flex()).unwrap()
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
