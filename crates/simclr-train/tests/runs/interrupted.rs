//! Runs that are stopped at any moment, and go on.

use std::path::Path;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use burn::tensor::Tensor;
use burn::train::Interrupter;
use simclr_data::{BeforeReading, DataError, ImageDataset, Labelled, Splits};
use simclr_loss::TwoViewLoss;
use simclr_train::{Position, Pretraining, RunDirectory, TrainError};

use crate::support::{
    Sum, changed, config, fails_after, in_directory, lines, new_run, pretraining, resumed, run,
    sample, values,
};

#[test]
fn two_epochs_resumed_for_two_more_equal_four_in_one_go() {
    let folder = tempfile::tempdir().unwrap();
    let (whole_dir, parts_dir) = (folder.path().join("whole"), folder.path().join("parts"));
    let whole = new_run(config(4), &whole_dir);

    // A run of four epochs that a data set stops by failing in epoch 3.
    let data = Splits { pretrain: fails_after(&sample(), 2 * 24), ..sample() };
    let error = run(in_directory(pretraining(config(4)), &parts_dir), &data).unwrap_err();
    assert!(matches!(error, TrainError::Data(DataError::IndexOutOfRange { .. })), "{error}");
    let parts = run(resumed(pretraining(config(4)), &parts_dir), &sample()).unwrap();

    assert_eq!(values(&parts.encoder), values(&whole.encoder));
    assert_eq!(lines(&parts_dir), lines(&whole_dir));
}

#[test]
fn an_interrupted_run_keeps_its_checkpoint_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let first = in_directory(pretraining(config(50)), &dir);
    let interrupter = first.interrupter();
    let watcher = std::thread::spawn({
        let first = dir.join("checkpoint/epoch-0001");
        move || {
            while !first.exists() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            interrupter.stop(Some("test"));
        }
    });
    let trained = run(first, &sample()).unwrap();
    watcher.join().unwrap();
    assert!(trained.interrupted && trained.summary.epochs < 50);
    let resumed = run(resumed(pretraining(config(50)), &dir), &sample());
    assert_eq!(resumed.unwrap().summary.epochs, 50);
}

#[test]
fn epochs_may_end_within_a_pass_and_resume_there() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    // A pass over the images is three steps.
    let config = changed(6, |config| config.train.steps_per_epoch = Some(2));
    let whole = new_run(config.clone(), &whole);
    let data = Splits { pretrain: fails_after(&sample(), 3 * 16), ..sample() };
    run(in_directory(pretraining(config.clone()), &parts), &data).map(drop).unwrap_err();
    let resumed = run(resumed(pretraining(config), &parts), &sample()).unwrap();
    assert_eq!(values(&resumed.encoder), values(&whole.encoder));
    assert_eq!(resumed.summary.epochs, 6);
}

/// A loss that stops its run when it is computed for the last of so many times.
struct Stopping {
    interrupter: Arc<OnceLock<Interrupter>>,
    left: AtomicUsize,
}

impl std::fmt::Debug for Stopping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a loss that stops its run")
    }
}

impl TwoViewLoss for Stopping {
    fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.interrupter.get().unwrap().stop(Some("test"));
        }
        Sum.forward(z_a, z_b)
    }
}

/// Two epochs of three steps, which stop after step `step` of all.
fn stopped_after(step: usize, dir: &Path) -> Pretraining {
    let interrupter = Arc::new(OnceLock::new());
    // Once for the chance level, and once each step.
    let loss = Stopping { interrupter: Arc::clone(&interrupter), left: (1 + step).into() };
    let pretraining = Pretraining::with_loss(config(2), "sum", loss).unwrap();
    assert!(interrupter.set(pretraining.interrupter()).is_ok());
    in_directory(pretraining, dir)
}

#[test]
fn a_run_that_stops_after_any_step_goes_on_as_if_it_had_not() {
    let folder = tempfile::tempdir().unwrap();
    let with_sum = || Pretraining::with_loss(config(2), "sum", Sum).unwrap();
    let whole_dir = folder.path().join("whole");
    // Without labels nobody asks for the encoder within an epoch.
    for (labels, data) in [(true, sample()), (false, Splits { labelled: None, ..sample() })] {
        let whole_dir = whole_dir.join(labels.to_string());
        let whole = run(in_directory(with_sum(), &whole_dir), &data).unwrap();
        for step in 1..=6 {
            let dir = folder.path().join(format!("{step}-{labels}"));
            let stopped = run(stopped_after(step, &dir), &data).unwrap();
            // The last step of an epoch alone does not complete it.
            let position = Position { epochs: (step - 1) / 3, steps: (step - 1) % 3 + 1 };
            assert_eq!((stopped.interrupted, stopped.position), (true, position));
            assert_eq!(RunDirectory::open(&dir).unwrap().position().unwrap(), position);

            let gone_on = run(resumed(with_sum(), &dir), &data).unwrap();
            assert!(!gone_on.interrupted);
            assert_eq!(values(&gone_on.encoder), values(&whole.encoder), "step {step}");
            assert_eq!(lines(&dir), lines(&whole_dir), "step {step}");
            let left: Vec<_> = std::fs::read_dir(dir.join("checkpoint")).unwrap().collect();
            assert!(left.iter().all(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                !name.to_str().unwrap().contains("step")
            }));
        }
    }
}

#[test]
fn a_run_that_stops_before_its_first_step_leaves_no_encoder_and_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, whole_dir) = (folder.path().join("run"), folder.path().join("whole"));
    let whole = new_run(config(2), &whole_dir);
    let stopping = in_directory(pretraining(config(2)), &dir);
    stopping.interrupter().stop(Some("test"));
    let stopped = run(stopping, &sample()).unwrap();
    assert_eq!((stopped.interrupted, stopped.position), (true, Position::default()));
    assert!(!dir.join("encoder.safetensors").exists() && !dir.join("summary.json").exists());

    let error = run(in_directory(pretraining(config(2)), &dir), &sample()).unwrap_err();
    assert!(matches!(error, TrainError::RunUnfinished { epochs: 2, .. }), "{error}");
    let gone_on = run(resumed(pretraining(config(2)), &dir), &sample()).unwrap();
    assert_eq!(values(&gone_on.encoder), values(&whole.encoder));
    assert_eq!(lines(&dir), lines(&whole_dir));
    let error = run(in_directory(pretraining(config(2)), &dir), &sample()).unwrap_err();
    assert!(matches!(error, TrainError::RunExists { .. }), "the run has ended: {error}");
}

/// Images whose reading stops the run, at one of them.
fn stops_at(
    read: isize,
    images: Arc<dyn ImageDataset>,
    interrupter: Interrupter,
) -> Arc<dyn ImageDataset> {
    let left = AtomicIsize::new(read);
    Arc::new(BeforeReading::new(images, move |_| {
        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
            interrupter.stop(Some("test"));
        }
        Ok(())
    }))
}

#[test]
fn a_run_that_stops_while_it_is_evaluated_loses_no_step() {
    let folder = tempfile::tempdir().unwrap();
    let whole_dir = folder.path().join("whole");
    let whole = new_run(config(2), &whole_dir);
    // The 30 labelled images are read before the first epoch, and after each.
    for (read, position) in [(7, (0, 0)), (37, (0, 3)), (67, (1, 3))] {
        let dir = folder.path().join(read.to_string());
        let stopping = in_directory(pretraining(config(2)), &dir);
        let Labelled { train, test } = sample().labelled.unwrap();
        let train = stops_at(read, train, stopping.interrupter());
        let data = Splits { labelled: Some(Labelled { train, test }), ..sample() };
        let stopped = run(stopping, &data).unwrap();
        assert!(stopped.interrupted);
        let position = Position { epochs: position.0, steps: position.1 };
        assert_eq!(stopped.position, position, "at read {read}");

        let gone_on = run(resumed(pretraining(config(2)), &dir), &sample()).unwrap();
        assert_eq!(values(&gone_on.encoder), values(&whole.encoder));
        assert_eq!(gone_on.summary.linear_probe, whole.summary.linear_probe);
        assert_eq!(lines(&dir), lines(&whole_dir));
    }
}

#[test]
fn the_steps_before_an_error_are_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let data = Splits { pretrain: fails_after(&sample(), 24 + 12), ..sample() };
    run(in_directory(pretraining(config(4)), &dir), &data).map(drop).unwrap_err();
    let position = RunDirectory::open(&dir).unwrap().position().unwrap();
    assert_eq!(position, Position { epochs: 1, steps: 1 });
}
