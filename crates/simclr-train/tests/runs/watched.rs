//! What a run tells while it trains.

use burn::tensor::Tensor;
use simclr_loss::TwoViewLoss;
use simclr_train::{MetricsLine, Pretraining, RunDirectory, TrainError, read_metrics};

use crate::support::{Sum, config, in_directory, new_run, resumed, run, sample};

/// A loss with the same value for all projections.
#[derive(Debug)]
struct Always(f64);

impl TwoViewLoss for Always {
    fn forward(&self, z_a: Tensor<2>, _: Tensor<2>) -> Tensor<1> {
        z_a.sum().mul_scalar(0.0).add_scalar(self.0)
    }
}

#[test]
fn a_loss_that_is_nan_stops_the_run_and_keeps_the_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    run(in_directory(Pretraining::with_loss(config(1), "mine", Sum).unwrap(), &dir), &sample())
        .unwrap();
    let broken = Pretraining::with_loss(config(2), "mine", Always(f64::NAN)).unwrap();
    let error = run(resumed(broken, &dir), &sample()).map(drop).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { epoch: 2, step: 1, .. }), "{error}");
    assert!(error.to_string().contains("the loss became NaN in step 1 of epoch 2"), "{error}");
    assert!(dir.join("checkpoint/epoch-0001").exists());
    assert!(!dir.join("checkpoint/epoch-0002").exists());
}

#[test]
fn a_loss_that_stays_at_the_chance_level_gives_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let warnings = |epochs: usize| {
        let dir = folder.path().join(epochs.to_string());
        let loss = Always(15_f64.ln());
        let pinned = Pretraining::with_loss(config(epochs), "pinned", loss).unwrap();
        run(in_directory(pinned, &dir), &sample()).unwrap();
        let lines = read_metrics(&RunDirectory::open(&dir).unwrap().metrics()).unwrap();
        let warnings = lines.into_iter().filter_map(|line| match line {
            MetricsLine::Warning { epoch, text } => Some((epoch, text)),
            _ => None,
        });
        warnings.collect::<Vec<_>>()
    };
    assert_eq!(warnings(2), [], "a new network may need an epoch or two");
    let found = warnings(3);
    assert_eq!((found.len(), found[0].0), (1, 3));
    let expected = "nothing has been learnt for 3 epochs: the loss stays at 2.7081";
    assert!(found[0].1.starts_with(expected), "{found:?}");
}

#[test]
fn steps_and_epochs_are_logged_with_their_figures() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    new_run(config(1), &dir);
    let lines = read_metrics(&RunDirectory::open(&dir).unwrap().metrics()).unwrap();
    for line in &lines {
        match line {
            MetricsLine::Step { contrastive_top1, contrastive_top5, waiting_share, .. } => {
                assert!(contrastive_top1 <= contrastive_top5 && *contrastive_top5 <= 1.0);
                assert!((0.0..=1.0).contains(waiting_share), "{line:?}");
            }
            MetricsLine::Epoch { epoch: 1, representation: Some(found), .. } => {
                assert!((1.0..=8.0).contains(&found.effective_rank_z), "{line:?}");
                assert!((0.0..=4.0).contains(&found.alignment), "{line:?}");
            }
            MetricsLine::Epoch { epoch: 0, representation: None, .. } => {}
            other => panic!("expected steps and epochs with their figures, found {other:?}"),
        }
    }
}
