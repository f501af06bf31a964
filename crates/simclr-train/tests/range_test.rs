//! The learning-rate range test on tiny runs.

use burn::tensor::Device;
use simclr_augment::SimClrAugmentation;
use simclr_data::{SampleConfig, Splits};
use simclr_model::{
    ImageEncoder, ProjectionHeadConfig, ResNetConfig, ResNetDepth, Stem, save_weights,
};
use simclr_train::{
    ImageConfig, LearningRate, LearningRateCurve, PretrainConfig, Pretraining, Progress, RangeTest,
    TrainConfig, TrainError, Trained, Trainer,
};

fn config() -> PretrainConfig {
    let mut config = PretrainConfig::small(16).unwrap();
    config.train = TrainConfig {
        seed: 3,
        epochs: 2,
        batch_size: 16,
        learning_rate: LearningRate::unscaled(1e-2),
        ..config.train
    };
    config.images = ImageConfig {
        encoder: ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar).into(),
        projection: ProjectionHeadConfig { output_size: 16, ..ProjectionHeadConfig::default() },
        augmentation: SimClrAugmentation::cifar10().with_size(16).unwrap().config().clone(),
        ..config.images
    };
    config
}

fn sample() -> Splits {
    Splits::sample(&SampleConfig { images: 64, size: 16, ..SampleConfig::default() }).unwrap()
}

fn pretraining() -> Pretraining {
    let silent = |trainer: Trainer| trainer.with_progress(Progress::Silent);
    Pretraining::new(config()).unwrap().with_trainer(silent)
}

fn test(test: RangeTest) -> Result<LearningRateCurve, TrainError> {
    pretraining().range_test(test, &sample(), &Device::flex())
}

fn weights(trained: &Trained<ImageEncoder>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("encoder.safetensors");
    save_weights(&trained.encoder, &path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    // Without the header, which holds random parameter ids.
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].to_vec()
}

#[test]
fn a_range_test_climbs_evenly_and_stops_where_the_loss_diverges() {
    let curve = test(RangeTest::default()).unwrap();
    let rates: Vec<f64> = curve.tried.iter().map(|tried| tried.rate).collect();
    assert!((rates[0] - 1e-7).abs() < 1e-15);
    assert!(rates.windows(2).all(|pair| (pair[1] / pair[0]).log10() > 0.01));
    let beyond = test(RangeTest::new(1e-3, 1e6, 120).unwrap()).unwrap();
    assert!(beyond.diverged && beyond.tried.len() < 120, "{} steps", beyond.tried.len());
}

#[test]
fn a_range_test_leaves_no_trace_in_the_run() {
    let (data, device) = (sample(), Device::flex());
    let untested = pretraining().run(&data, &device).unwrap();
    let tested = pretraining();
    tested.range_test(RangeTest::default(), &data, &device).unwrap();
    let tested = tested.run(&data, &device).unwrap();
    assert_eq!(weights(&tested), weights(&untested));
}

#[test]
fn impossible_ranges_are_refused() {
    let message =
        |lowest, highest, steps| RangeTest::new(lowest, highest, steps).unwrap_err().to_string();
    for lowest in [0.0, -1.0, f64::NAN] {
        let message = message(lowest, 10.0, 800);
        assert!(message.starts_with("expected range_test.lowest to be finite and"), "{message}");
    }
    for highest in [1e-7, f64::INFINITY, f64::NAN] {
        let message = message(1e-7, highest, 800);
        assert!(message.starts_with("expected range_test.highest to be finite and"), "{message}");
    }
    assert_eq!(message(1e-7, 10.0, 9), "expected range_test.steps to be at least 10, found 9");
}

#[test]
fn a_range_test_can_be_interrupted() {
    let pretraining = pretraining();
    pretraining.interrupter().stop(Some("test"));
    let error =
        pretraining.range_test(RangeTest::default(), &sample(), &Device::flex()).unwrap_err();
    assert!(matches!(error, TrainError::Interrupted), "{error}");
}
