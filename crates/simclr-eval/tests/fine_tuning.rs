//! Fine-tuning of tiny networks on tiny samples, from beginning to end.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::Device;
use image::RgbImage;
use simclr_augment::{EvaluationTransform, SimClrAugmentation};
use simclr_data::{DataError, ImageDataset, Labelled, SampleConfig, Splits, Subset};
use simclr_embed::{Embedder, FeatureSource};
use simclr_eval::{
    Classifier, EvalError, FineTune, FineTuneConfig, FineTuneOptimizer, FineTuneProgress,
    FineTuned, LabelBudget, LinearStart, LogisticRegression, LogisticRegressionConfig, evaluate,
};
use simclr_model::{Encoder, ResNet, ResNetConfig, ResNetDepth, Stem, save_weights};

fn encoder() -> ResNet {
    let config = ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar);
    config.init(1, &Device::flex()).unwrap()
}

fn transform() -> EvaluationTransform {
    SimClrAugmentation::cifar10().with_size(16).unwrap().evaluation()
}

fn labelled(images: usize) -> Labelled {
    let config = SampleConfig { images, size: 16, ..SampleConfig::default() };
    Splits::sample(&config).unwrap().labelled.unwrap()
}

fn embedder() -> Embedder<ResNet> {
    Embedder::new(encoder(), transform(), &Device::flex())
}

fn quick() -> FineTuneConfig {
    FineTuneConfig { epochs: 2, batch_size: 16, ..FineTuneConfig::default() }
}

fn go_on(_: FineTuneProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn fit(config: FineTuneConfig, images: &dyn ImageDataset) -> Result<FineTuned<ResNet>, EvalError> {
    FineTune::new(config)?.fit(&embedder(), images, go_on)
}

fn message(config: FineTuneConfig, images: &dyn ImageDataset) -> String {
    fit(config, images).map(|_| ()).unwrap_err().to_string()
}

/// All weights of an encoder, running averages among them.
fn weights(encoder: &impl Encoder) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    save_weights(encoder, &path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    // After the header, which holds random parameter ids.
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

fn pictures(images: &dyn ImageDataset) -> Vec<RgbImage> {
    (0..images.len()).map(|i| images.image(i).unwrap()).collect()
}

/// A set of which some images are damaged, and some have no label.
struct Flawed {
    images: Arc<dyn ImageDataset>,
    unreadable: Vec<usize>,
    unlabelled: Option<usize>,
}

impl Flawed {
    fn without(unreadable: Vec<usize>) -> Self {
        Self { images: labelled(40).train, unreadable, unlabelled: None }
    }
}

impl ImageDataset for Flawed {
    fn len(&self) -> usize {
        self.images.len()
    }
    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        if self.unreadable.contains(&index) {
            let source = image::ImageError::IoError(std::io::Error::other("torn"));
            return Err(DataError::Decode { path: self.name(index).into(), source });
        }
        self.images.image(index)
    }
    fn label(&self, index: usize) -> Option<usize> {
        if self.unlabelled == Some(index) { None } else { self.images.label(index) }
    }
    fn class_names(&self) -> &[String] {
        self.images.class_names()
    }
    fn name(&self, index: usize) -> String {
        self.images.name(index)
    }
}

/// An encoder whose running averages are those of the sample, as pretraining leaves it. Those of random weights have
/// not seen an image.
fn acquainted(images: &dyn ImageDataset) -> Embedder<ResNet> {
    let config = FineTuneConfig { epochs: 8, start: LinearStart::Zero, ..quick() };
    fit(config, images).unwrap().classifier.embedder().clone()
}

#[test]
fn it_goes_on_from_the_probe_on_the_frozen_encoder_and_leaves_it_behind() {
    let train = labelled(100).train;
    let embedder = acquainted(&train);
    let features = embedder.embed_labelled(&train).unwrap().labelled;
    let probe = LogisticRegression::default();
    let frozen = evaluate(&probe, &features, &features, &[]).unwrap().report.top1;
    let config = FineTuneConfig { epochs: 40, batch_size: 25, learning_rate: 3e-3, ..quick() };
    let config = FineTuneConfig { crop_area: [0.9, 1.0], ..config };
    let mut losses = Vec::new();
    let tuned = FineTune::new(config).unwrap().fit(&embedder, &train, |progress| {
        losses.push(progress.loss);
        ControlFlow::Continue(())
    });
    let top1 = tuned.unwrap().evaluate(&train).unwrap().report.top1;
    println!("frozen {frozen}, fine-tuned {top1}, losses {losses:?}");
    assert!(top1 > frozen + 0.1, "{top1}, frozen {frozen}");
    assert!(losses[39] < 0.6 * losses[0], "{losses:?}");
}

#[test]
fn the_encoder_that_was_given_stays_as_it_was() {
    let (given, images) = (embedder(), labelled(40).train);
    let before = weights(given.encoder());
    let tuned = FineTune::new(quick()).unwrap().fit(&given, &images, go_on).unwrap();
    assert_eq!(weights(given.encoder()), before);
    assert_ne!(weights(tuned.classifier.embedder().encoder()), before);
}

#[test]
fn the_seed_decides_and_the_number_of_threads_does_not() {
    let images = labelled(40).train;
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let tuned = pool.install(|| fit(FineTuneConfig { seed, ..quick() }, &images).unwrap());
        (weights(tuned.classifier.embedder().encoder()), tuned.classifier.layer().clone())
    };
    let one = run(1, 7);
    assert_eq!(run(3, 7), one);
    assert_ne!(run(3, 8), one);
}

#[test]
fn its_figures_say_what_they_are_of() {
    let Labelled { train, test } = labelled(100);
    let few = LabelBudget::per_class(2).unwrap().subset(&train, 3).unwrap();
    let evaluated = fit(quick(), &few).unwrap().evaluate(&test).unwrap().report.evaluated;
    assert_eq!(
        evaluated.protocol,
        "fine-tuning (AdamW), 2 epochs, batch 16, rate 0.001, cosine, weight decay 0, crops of 0.2 to 1, \
         linear layer from logistic regression (L-BFGS), C = 1, seed 0"
    );
    assert_eq!((evaluated.source, evaluated.feature_size), (FeatureSource::Encoder, 32));
    assert_eq!((evaluated.train_images, evaluated.test_images), (20, 20));
}

#[test]
fn the_papers_settings_start_from_zeros() {
    let paper = FineTuneConfig::paper(1, 4096);
    assert!((paper.learning_rate - 0.8).abs() < 1e-12);
    assert_eq!((paper.optimizer, paper.start), (FineTuneOptimizer::Nesterov, LinearStart::Zero));
    let mut loss = 0.0;
    let config = FineTuneConfig { batch_size: 40, ..paper };
    let tuned = FineTune::new(config).unwrap().fit(&embedder(), &labelled(40).train, |p| {
        loss = p.loss;
        ControlFlow::Continue(())
    });
    assert!((loss - 10_f64.ln()).abs() < 1e-5, "{loss}: the first step's is that of guessing");
    assert!(tuned.unwrap().classifier.layer().weights().iter().any(|weight| weight.abs() > 0.0));
}

#[test]
fn a_classifier_that_was_saved_says_the_same() {
    let Labelled { train, test } = labelled(40);
    let tuned = fit(quick(), &train).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    tuned.classifier.save(&path).unwrap();
    let loaded = Classifier::load(&path, encoder(), &Device::flex()).unwrap();
    let said = loaded.predict(&pictures(&test)).unwrap();
    assert_eq!(said, tuned.classifier.predict(&pictures(&test)).unwrap());
    assert_eq!(said, tuned.evaluate(&test).unwrap().predictions);
}

#[test]
fn it_tells_of_each_epoch_and_can_be_stopped_after_one() {
    let config = FineTuneConfig { epochs: 9, ..quick() };
    let images = labelled(40).train;
    let mut epochs = Vec::new();
    let stopped = FineTune::new(config).unwrap().fit(&embedder(), &images, |progress| {
        assert!(progress.images_per_second > 0.0 && progress.epochs == 9);
        epochs.push(progress.epoch);
        if progress.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let stopped = stopped.unwrap();
    assert_eq!((epochs, stopped.epochs), (vec![1, 2], 2));
    let protocol = stopped.evaluate(&images).unwrap().report.evaluated.protocol;
    assert!(protocol.contains("stopped after 2 of 9 epochs"), "{protocol}");
}

#[test]
fn an_image_without_a_label_is_refused_by_name() {
    let images = Flawed { unlabelled: Some(17), ..Flawed::without(vec![]) };
    let expected = "expected a label for every image to evaluate, found none for sample/chevron/17";
    assert_eq!(message(quick(), &images), expected);
}

#[test]
fn images_that_cannot_be_read_are_left_out_and_named_whatever_the_start() {
    for start in [LinearStart::Zero, quick().start] {
        let images = Flawed::without(vec![3, 30]);
        let tuned = fit(FineTuneConfig { start, ..quick() }, &images).unwrap();
        let skipped: Vec<String> = tuned.skipped.iter().map(ToString::to_string).collect();
        assert_eq!((tuned.train_images, skipped.len()), (38, 2));
        assert!(skipped[0].contains("sample/triangle/3"), "{skipped:?}");
    }
    let none = FineTuneConfig { start: LinearStart::Zero, ..quick() };
    let expected = "expected at least one image in the training set, found none";
    assert_eq!(message(none, &Flawed::without((0..40).collect())), expected);
}

#[test]
fn sets_without_anything_to_tell_apart_are_refused() {
    let train = labelled(40).train;
    let of = |indices: &[usize]| Subset::new(Arc::clone(&train), indices.to_vec()).unwrap();
    let expected = "expected at least one image in the training set, found none";
    assert_eq!(message(quick(), &of(&[])), expected);
    let expected = "expected examples of at least two classes, found class 4 alone";
    assert_eq!(message(quick(), &of(&[4, 14])), expected);
}

#[test]
fn classes_without_examples_are_never_likely() {
    let Labelled { train, test } = labelled(40);
    for start in [LinearStart::Zero, quick().start] {
        let three = Subset::new(Arc::clone(&train), vec![0, 1, 2, 10, 11, 12]).unwrap();
        let tuned = fit(FineTuneConfig { start, weight_decay: 0.1, ..quick() }, &three).unwrap();
        assert_eq!(tuned.classifier.class_names().len(), 10);
        let predictions = tuned.classifier.predict(&pictures(&test)).unwrap();
        assert!(predictions.rows().all(|scores| scores[3..].iter().all(|&score| score == 0.0)));
    }
}

#[test]
fn a_rate_that_is_far_too_high_is_an_error_that_says_so() {
    let config = FineTuneConfig { optimizer: FineTuneOptimizer::Nesterov, ..quick() };
    for epochs in [1, 3] {
        let config = FineTuneConfig { epochs, learning_rate: 1e30, batch_size: 20, ..config };
        let error = fit(config, &labelled(40).train).unwrap_err();
        assert!(matches!(error, EvalError::Diverged { epoch: 1, .. }), "{error}");
        assert!(error.to_string().starts_with("expected a finite loss, found "), "{error}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    type Config = FineTuneConfig;
    let good = quick();
    let probe = LogisticRegressionConfig { c: 0.0, ..LogisticRegressionConfig::default() };
    let shares = "two ascending shares in 0..=1, above 0";
    for (config, expected) in [
        (Config { epochs: 0, ..good }, "epochs to be at least 1, found 0"),
        (Config { batch_size: 0, ..good }, "batch_size to be at least 1, found 0"),
        (
            Config { learning_rate: f64::NAN, ..good },
            "learning_rate to be finite and positive, found NaN",
        ),
        (
            Config { weight_decay: -1.0, ..good },
            "weight_decay to be finite and at least 0, found -1",
        ),
        (
            Config { crop_area: [0.0, 1.0], ..good },
            &format!("crop_area to be {shares}, found [0.0, 1.0]"),
        ),
        (
            Config { crop_area: [0.6, 0.5], ..good },
            &format!("crop_area to be {shares}, found [0.6, 0.5]"),
        ),
        (
            Config { start: LinearStart::Probe(probe), ..good },
            "start.c to be finite and positive, found 0",
        ),
    ] {
        let message = FineTune::new(config).unwrap_err().to_string();
        assert_eq!(message, format!("expected {expected}"));
    }
}
