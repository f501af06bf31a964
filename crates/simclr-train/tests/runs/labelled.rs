//! Runs whose loss contrasts classes.

use std::sync::Arc;

use burn::tensor::Device;
use image::RgbImage;
use simclr_data::{Concat, DataError, ImageDataset, SampleConfig, Splits, Subset};
use simclr_loss::Temperature;
use simclr_train::{LearningRate, LossConfig, PretrainConfig, RunDirectory, TrainError};

use crate::support::{changed, config, in_directory, pretraining, resumed, run, sample, values};

fn sup_con(temperature: f64) -> LossConfig {
    LossConfig::SupCon { temperature: Temperature::new(temperature).unwrap() }
}

fn labelled_config(epochs: usize) -> PretrainConfig {
    changed(epochs, |config| config.train.loss = sup_con(0.5))
}

/// The sample with labels of its own choice; images in `broken` cannot be decoded.
struct Relabelled {
    images: Arc<dyn ImageDataset>,
    label: fn(usize) -> Option<usize>,
    broken: &'static [usize],
    classes: Vec<String>,
}

impl ImageDataset for Relabelled {
    fn len(&self) -> usize {
        self.images.len()
    }
    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        if self.broken.contains(&index) {
            let source = image::ImageError::IoError(std::io::Error::other("torn"));
            return Err(DataError::Decode { path: self.name(index).into(), source });
        }
        self.images.image(index)
    }
    fn label(&self, index: usize) -> Option<usize> {
        (self.label)(index)
    }
    fn class_names(&self) -> &[String] {
        &self.classes
    }
}

/// The sample to pretrain on, with these labels, and nothing to evaluate with.
fn relabelled(label: fn(usize) -> Option<usize>, broken: &'static [usize]) -> Splits {
    let images = sample().pretrain;
    let classes = vec!["a".to_owned(), "b".to_owned()];
    let pretrain = Arc::new(Relabelled { images, label, broken, classes });
    Splits { pretrain, labelled: None, ..sample() }
}

fn trained(config: PretrainConfig, data: &Splits) -> Vec<u32> {
    values(&run(pretraining(config), data).unwrap().encoder)
}

/// Half of the images each in two classes.
const OF_TWO: fn(usize) -> Option<usize> = |index| Some(index % 2);

/// A third of the images each in three classes.
const OF_THREE: fn(usize) -> Option<usize> = |index| Some(index % 3);

#[test]
fn other_labels_make_another_encoder_by_a_loss_of_classes_alone() {
    let of_classes = |label| trained(labelled_config(1), &relabelled(label, &[]));
    assert_eq!(of_classes(OF_TWO), of_classes(OF_TWO));
    assert_eq!(of_classes(OF_TWO), of_classes(|index| Some(9 - index % 2)), "names don't matter");
    assert_ne!(of_classes(OF_TWO), of_classes(OF_THREE));
    let of_partners = |label| trained(config(1), &relabelled(label, &[]));
    assert_eq!(of_partners(OF_TWO), of_partners(OF_THREE));
}

#[test]
fn chunks_devices_and_views_on_the_device_keep_the_labels_of_their_rows() {
    let loss = |change: fn(&mut PretrainConfig), devices: usize| {
        let mut config = labelled_config(1);
        change(&mut config);
        let more = vec![Device::flex(); devices - 1];
        let pretraining = pretraining(config).with_trainer(|t| t.with_more_devices(&more));
        run(pretraining, &sample()).unwrap().summary.loss_first.unwrap()
    };
    // The statistics of smaller chunks are others, so that only equal chunks can be compared.
    let chunked = |config: &mut PretrainConfig| config.train.chunk_size = Some(2);
    assert_eq!(loss(chunked, 1).to_bits(), loss(chunked, 4).to_bits());
    let on_device = |config: &mut PretrainConfig| {
        config.images.views = simclr_train::ViewPath::Device;
    };
    let (cpu, device) = (loss(|_| (), 1), loss(on_device, 1));
    assert!((cpu - device).abs() < 1e-3, "{cpu} and {device}");
}

#[test]
fn the_labels_of_images_that_cannot_be_read_move_nothing() {
    let skipping = |label| {
        let config = changed(2, |config| {
            (config.train.loss, config.train.max_skipped) = (sup_con(0.5), 1.0);
        });
        trained(config, &relabelled(label, &[1, 4, 20]))
    };
    let of_broken = |index| if [1, 4, 20].contains(&index) { Some(7) } else { OF_TWO(index) };
    assert_eq!(skipping(OF_TWO), skipping(of_broken));
    let of_another = |index| if index == 2 { Some(7) } else { OF_TWO(index) };
    assert_ne!(skipping(OF_TWO), skipping(of_another));
}

#[test]
fn images_without_a_label_are_left_out() {
    let whole = trained(labelled_config(1), &sample());
    let unlabelled = relabelled(|_| None, &[]).pretrain;
    let parts = vec![unlabelled, sample().pretrain];
    let mixed = Splits { pretrain: Arc::new(Concat::new(parts)), ..sample() };
    assert_eq!(trained(labelled_config(1), &mixed), whole, "the training set alone is learnt from");

    let some = |index| (index < 20).then_some(index % 2);
    let first_twenty = Subset::first(relabelled(OF_TWO, &[]).pretrain, 20);
    let first_twenty = Splits { pretrain: Arc::new(first_twenty), labelled: None, ..sample() };
    let expected = trained(labelled_config(1), &first_twenty);
    assert_eq!(trained(labelled_config(1), &relabelled(some, &[])), expected);
}

#[test]
fn data_without_labels_or_with_one_class_are_refused_before_the_run_begins() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let refused = |label| {
        let error =
            run(in_directory(pretraining(labelled_config(1)), &dir), &relabelled(label, &[]));
        assert!(!dir.exists());
        error.map(drop).unwrap_err()
    };
    let error = refused(|_| None);
    assert!(matches!(error, TrainError::Unlabelled { unlabelled: 30, examples: 30 }), "{error}");
    assert!(error.to_string().contains("class folders"), "{error}");
    let error = refused(|_| Some(4));
    assert!(matches!(error, TrainError::OneClass { examples: 30 }), "{error}");
}

#[test]
fn a_resumed_labelled_run_is_the_run_that_was_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let whole = run(in_directory(pretraining(labelled_config(2)), &dir), &sample()).unwrap();
    // As if it had been killed after its first epoch.
    std::fs::remove_dir_all(dir.join("checkpoint/epoch-0002")).unwrap();
    let resume = |config| run(resumed(pretraining(config), &dir), &sample());
    let error = resume(config(2)).map(drop).unwrap_err().to_string();
    assert!(error.contains("another train.loss"), "{error}");
    assert_eq!(values(&resume(labelled_config(2)).unwrap().encoder), values(&whole.encoder));
    let kept = PretrainConfig::of_run(&RunDirectory::open(&dir).unwrap()).unwrap();
    assert_eq!(kept, labelled_config(2));
}

#[test]
fn a_labelled_run_makes_better_neighbours_than_chance_and_random_weights() {
    let sample = SampleConfig { images: 400, size: 24, ..SampleConfig::default() };
    let data = Splits::sample(&sample).unwrap();
    let mut config = PretrainConfig::small(24).unwrap();
    (config.train.epochs, config.train.batch_size) = (7, 20);
    config.train.learning_rate = LearningRate::unscaled(5e-3);
    config.train.loss = sup_con(0.1);
    let summary = run(pretraining(config), &data).unwrap().summary;
    println!("kNN {:?} -> {:?}", summary.knn_top1_initial, summary.knn_top1);
    assert!(summary.knn_top1 > Some(0.35), "chance is 0.1: {summary:?}");
    assert!(summary.knn_top1 > summary.knn_top1_initial, "{summary:?}");
}
