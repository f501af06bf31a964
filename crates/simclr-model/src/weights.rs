//! Weights to and from files that other tools read.

mod contents;
mod element_type;
mod error;
mod load_report;
mod near_miss;
mod pickle;
mod place;
mod position_grid;
mod published_layout;
mod safetensors_header;
mod save;
mod search;
mod stored_tensor;
mod strided_reader;
mod torch;
mod weight_file;

pub use self::error::{WeightError, WeightFault};
pub use self::load_report::LoadReport;
pub use self::near_miss::NearMiss;
pub use self::safetensors_header::WeightMetadata;
pub use self::save::{save_published_weights, save_weights, save_weights_with};
pub use self::weight_file::{WeightFile, load_weights};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoder, ResNet, ResNetConfig, ResNetDepth, Stem};
    use burn::tensor::{Device, Tensor};
    use std::path::Path;

    fn net(depth: ResNetDepth, seed: u64) -> ResNet {
        ResNetConfig::new(depth, 4, Stem::Cifar).init(seed, &Device::flex()).unwrap()
    }

    fn features(net: &ResNet) -> Vec<f32> {
        let image = Tensor::<4>::ones([1, 3, 8, 8], &Device::flex());
        net.encode(image).into_data().try_to_vec().unwrap()
    }

    #[test]
    fn weights_survive_a_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("encoder.safetensors");
        let trained = net(ResNetDepth::ResNet18, 1);
        save_weights(&trained, &path).unwrap();
        let loaded = load_weights(net(ResNetDepth::ResNet18, 2), &path).unwrap();
        assert_eq!(features(&loaded), features(&trained));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no partial file is left");
    }

    #[test]
    fn metadata_survives_a_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("classifier.safetensors");
        let metadata = WeightMetadata::from([
            ("classes".to_owned(), r#"["cat", "Grüße", "\u0000"]"#.to_owned()),
            (String::new(), "an empty key".to_owned()),
        ]);
        let trained = net(ResNetDepth::ResNet18, 1);
        save_weights_with(&trained, &metadata, &path).unwrap();
        let file = WeightFile::open(&path).unwrap();
        for (key, value) in &metadata {
            assert_eq!(file.metadata().get(key), Some(value));
        }
        // PyTorch's tools need this key.
        assert_eq!(file.metadata().get("format").map(String::as_str), Some("pt"));
        assert_eq!(file.metadata().len(), metadata.len() + 1);
        let loaded = file.load_module(net(ResNetDepth::ResNet18, 2)).unwrap();
        assert_eq!(features(&loaded), features(&trained));
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
            assert!(matches!(load_weights(net(loaded, 0), &path), Err(WeightError::Load { .. })));
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
                Err(WeightError::Load { .. })
            ));
        }
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        // A folder cannot be replaced by a file.
        let path = folder.path().join("encoder.safetensors");
        std::fs::create_dir(&path).unwrap();
        let error = save_weights(&net(ResNetDepth::ResNet18, 0), &path).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot save weights to {}", path.display()));
        assert!(path.is_dir());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = Path::new("no such folder/encoder.safetensors");
        let error = save_weights(&net(ResNetDepth::ResNet18, 0), nowhere).unwrap_err();
        assert!(matches!(error, WeightError::Save { reason: WeightFault::Io(_), .. }), "{error:?}");
    }

    #[test]
    #[cfg(unix)]
    fn a_saved_file_has_the_mode_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        let (path, other) =
            (folder.path().join("encoder.safetensors"), folder.path().join("other"));
        save_weights(&net(ResNetDepth::ResNet18, 0), &path).unwrap();
        std::fs::File::create(&other).unwrap();
        assert_eq!(mode(&path), mode(&other));
    }
}
