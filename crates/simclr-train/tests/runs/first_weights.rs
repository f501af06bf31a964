//! Runs that begin with the weights of a file.

use burn::tensor::Device;
use simclr_augment::Normalization;
use simclr_embed::Embedder;
use simclr_model::{Naming, save_published_weights};

use crate::support::{changed, config, in_directory, new_run, pretraining, run, sample};

#[test]
fn weights_bring_the_normalisation_of_their_training_and_the_run_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    let own = Normalization { mean: [0.25, 0.5, 0.75], std: [0.125, 0.25, 0.5] };
    new_run(changed(1, |config| config.images.augmentation.normalization = own.clone()), &first);

    let other = pretraining(config(1));
    let begins = other.with_weights(first.join("encoder.safetensors"), None).unwrap();
    assert_eq!(begins.config().images.augmentation.normalization, own);
    run(in_directory(begins, &second), &sample()).unwrap();
    let embedder = Embedder::open(&second, &Device::flex()).unwrap();
    assert_eq!(embedder.transform().normalization(), &own);
}

#[test]
fn published_weights_are_imagenets_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("published.safetensors");
    let encoder = config(1).images.encoder.init(1, &Device::flex()).unwrap();
    save_published_weights(&encoder, Naming::Torchvision, &path).unwrap();
    let begins = || pretraining(config(1)).with_weights(&path, None).unwrap();
    let imagenet = begins().config().images.augmentation.normalization;
    assert_eq!(imagenet, Normalization::IMAGENET);
    let told = begins().with_normalization(Normalization::NONE).unwrap().config();
    assert_eq!(told.images.augmentation.normalization, Normalization::NONE);
    let nonsense = Normalization { std: [0.0; 3], ..Normalization::NONE };
    assert!(begins().with_normalization(nonsense).is_err());
    let nowhere = pretraining(config(1)).with_weights(folder.path().join("none.pth"), None);
    assert!(nowhere.is_err());
}
