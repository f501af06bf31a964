//! Runs whose gradients or losses are not finite, in each number format.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::{Device, Tensor};
use simclr_data::Splits;
use simclr_loss::{NtXent, TwoViewLoss};
use simclr_train::{
    MetricsLine, Position, Precision, PretrainConfig, Pretraining, RunDirectory, TrainError,
    read_metrics,
};

use crate::support::{changed, fails_after, in_directory, lines, resumed, run, sample, values};

/// NT-Xent, a number of times as large. In some steps, counted from 0, its gradient is NaN, or it is NaN itself.
#[derive(Debug)]
struct Faulty {
    factor: f64,
    bad_gradients: Range<usize>,
    bad_losses: Range<usize>,
    steps: AtomicUsize,
}

impl Faulty {
    fn times(factor: f64) -> Self {
        Self { factor, bad_gradients: 0..0, bad_losses: 0..0, steps: AtomicUsize::new(0) }
    }
    fn gradients(bad_gradients: Range<usize>) -> Self {
        Self { bad_gradients, ..Self::times(1.0) }
    }
    fn losses(bad_losses: Range<usize>) -> Self {
        Self { bad_losses, ..Self::times(1.0) }
    }
}

impl TwoViewLoss for Faulty {
    fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
        let loss = NtXent::new(0.5).unwrap().forward(z_a.clone(), z_b) * self.factor;
        if z_a.dims()[1] == 1 {
            return loss; // The chance level, no step.
        }
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        if self.bad_losses.contains(&step) {
            return loss * f64::NAN;
        }
        if self.bad_gradients.contains(&step) {
            // Zero, but infinitely steep.
            return loss + (z_a.clone() - z_a).square().sum().sqrt();
        }
        loss
    }
}

fn config_in(precision: Precision, epochs: usize) -> PretrainConfig {
    changed(epochs, |config| config.train.precision = precision)
}

fn pretraining(config: PretrainConfig, loss: Faulty) -> Pretraining {
    Pretraining::with_loss(config, "faulty", loss).unwrap()
}

fn checkpoints(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir.join("checkpoint")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// For each step: its loss scale, and whether it overflowed.
fn scales(lines: &[MetricsLine]) -> Vec<(f64, bool)> {
    let of_step = |line: &MetricsLine| match *line {
        MetricsLine::Step { loss_scale, overflowed, .. } => Some((loss_scale?, overflowed)),
        _ => None,
    };
    lines.iter().filter_map(of_step).collect()
}

#[test]
fn a_gradient_that_is_nan_in_f32_or_bf16_ends_the_run_at_the_next_loss() {
    for precision in [Precision::F32, Precision::Bf16] {
        let folder = tempfile::tempdir().unwrap();
        let pretraining = pretraining(config_in(precision, 3), Faulty::gradients(4..5));
        let error = run(in_directory(pretraining, folder.path()), &sample()).unwrap_err();
        assert!(matches!(error, TrainError::Diverged { epoch: 2, step: 3, .. }), "{error}");
        assert!(error.to_string().contains("parameters are not finite"), "{error}");
        assert_eq!(checkpoints(folder.path()), ["epoch-0001"]);
    }
}

#[test]
fn a_model_that_is_not_finite_is_not_saved_over_good_checkpoints() {
    for precision in [Precision::F32, Precision::Bf16] {
        let folder = tempfile::tempdir().unwrap();
        // The last step of epoch 2: no loss comes after it.
        let pretraining = pretraining(config_in(precision, 3), Faulty::gradients(5..6));
        let error = run(in_directory(pretraining, folder.path()), &sample()).unwrap_err();
        let TrainError::NotFinite { position, tensor, more, checkpoint } = &error else {
            panic!("{error}")
        };
        assert_eq!(*position, Position { epochs: 1, steps: 3 });
        assert_eq!(*checkpoint, Some(Position { epochs: 1, steps: 0 }));
        assert_eq!(tensor, "encoder.stem.conv.weight");
        let text = format!(
            "expected a model of finite numbers after step 3 of epoch 2, found NaN or infinity in \
             encoder.stem.conv.weight and {more} others, so that it is not saved; the checkpoint of epoch 1 is kept, \
             resume from it"
        );
        assert_eq!(error.to_string(), text);
        assert_eq!(checkpoints(folder.path()), ["epoch-0001"]);
        assert!(!RunDirectory::open(folder.path()).unwrap().encoder_weights().exists());
    }
}

#[test]
fn a_model_that_is_not_finite_is_no_result_of_a_run_without_a_folder_either() {
    let pretraining = pretraining(config_in(Precision::F32, 1), Faulty::gradients(2..3));
    let error = run(pretraining, &sample()).unwrap_err();
    assert!(error.to_string().ends_with("there is no checkpoint yet"), "{error}");
}

#[test]
fn a_step_that_overflows_in_f16_is_skipped_and_told_and_the_run_goes_on() {
    for (chunk_size, devices) in [(None, 1), (Some(4), 1), (Some(4), 2)] {
        for loss in [Faulty::gradients(1..2), Faulty::losses(1..2)] {
            let folder = tempfile::tempdir().unwrap();
            let mut config = config_in(Precision::F16, 2);
            config.train.chunk_size = chunk_size;
            let is_nan = !loss.bad_losses.is_empty();
            let more = vec![Device::flex(); devices - 1];
            let pretraining = in_directory(pretraining(config, loss), folder.path());
            let pretraining = pretraining.with_trainer(|t| t.with_more_devices(&more));
            let trained = run(pretraining, &sample()).unwrap();
            assert!(
                values(&trained.encoder).into_iter().all(|bits| f32::from_bits(bits).is_finite())
            );
            let lines = lines(folder.path());
            let scales = scales(&lines);
            assert!(scales[1].1, "{scales:?}");
            assert!((scales[2].0 - scales[1].0 / 2.0).abs() < 1e-9, "{scales:?}");
            let skipped = scales[..3].iter().filter(|(_, overflowed)| *overflowed).count();
            let warned = |line: &MetricsLine| {
                matches!(line, MetricsLine::Warning { epoch: 1, text }
                    if text.starts_with(&format!("{skipped} of 3 steps were skipped")))
            };
            assert!(lines.iter().any(warned), "{lines:?}");
            let losses: Vec<Option<f64>> = lines
                .iter()
                .filter_map(|line| match line {
                    MetricsLine::Step { loss, .. } => Some(*loss),
                    _ => None,
                })
                .collect();
            assert_eq!(losses.iter().position(Option::is_none), is_nan.then_some(1), "{losses:?}");
            assert!(trained.summary.loss_first.unwrap().is_finite());
        }
    }
}

#[test]
fn a_run_that_overflows_in_f16_at_the_smallest_scale_ends_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let pretraining = pretraining(config_in(Precision::F16, 9), Faulty::gradients(0..usize::MAX));
    let error = run(in_directory(pretraining, folder.path()), &sample()).unwrap_err();
    // 2^16 is halved 16 times.
    assert!(matches!(error, TrainError::Overflow { epoch: 6, step: 2, .. }), "{error}");
    assert!(error.to_string().starts_with("the gradients overflow in f16"), "{error}");
    assert_eq!(checkpoints(folder.path()), ["epoch-0004", "epoch-0005"]);
}

#[test]
fn a_run_in_f16_that_is_resumed_is_the_same_run_bit_for_bit_with_its_skipped_steps() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    // So large that the first steps overflow.
    let steep = || pretraining(config_in(Precision::F16, 4), Faulty::times(10.0));
    let expected = run(in_directory(steep(), &whole), &sample()).unwrap();
    let scales = scales(&read_metrics(&RunDirectory::open(&whole).unwrap().metrics()).unwrap());
    assert!(scales[0].1 && scales.iter().any(|(_, overflowed)| !overflowed), "{scales:?}");

    // Stopped within an epoch.
    let data = Splits { pretrain: fails_after(&sample(), 24 + 16), ..sample() };
    run(in_directory(steep(), &parts), &data).map(drop).unwrap_err();
    assert!(checkpoints(&parts).iter().any(|name| name.contains("-step-")), "{parts:?}");
    let found = run(resumed(steep(), &parts), &sample()).unwrap();
    assert_eq!(values(&found.encoder), values(&expected.encoder));
    assert_eq!(lines(&parts), lines(&whole));
}

#[test]
fn a_checkpoint_without_the_loss_scale_is_refused_in_f16() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let f16 = |epochs| pretraining(config_in(Precision::F16, epochs), Faulty::times(1.0));
    run(in_directory(f16(1), &dir), &sample()).unwrap();
    let manifest = dir.join("checkpoint/epoch-0001/manifest.json");
    let mut value: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    value["parts"].as_object_mut().unwrap().remove("loss-scale.json").unwrap();
    std::fs::write(&manifest, value.to_string()).unwrap();
    let error = run(resumed(f16(2), &dir), &sample()).map(drop).unwrap_err().to_string();
    assert!(error.ends_with("loss-scale.json: expected this part, found none"), "{error}");
}

#[test]
fn a_range_test_in_f16_measures_too() {
    let test = simclr_train::RangeTest::with_steps(12).unwrap();
    let pretraining = pretraining(config_in(Precision::F16, 1), Faulty::gradients(0..2));
    let curve = pretraining.range_test(test, &sample(), &Device::flex()).unwrap();
    assert!(curve.tried.len() >= 3, "{:?}", curve.tried);
}
