//! Runs that end when they don't learn more.

use simclr_train::{
    LearningRate, MetricsLine, MonitorEvery, PretrainConfig, RunDirectory, RunOverview, RunState,
};

use crate::support::{changed, lines, new_run, pretraining, resumed, run, sample, values};

const EPOCHS: usize = 40;

/// A run that learns nothing, whose contrastive top-1 only comes and goes.
fn learning_nothing(patience: Option<usize>) -> PretrainConfig {
    changed(EPOCHS, |config| {
        config.train.learning_rate = LearningRate::unscaled(1e-12);
        config.train.monitor_every = MonitorEvery::Epochs(EPOCHS.try_into().unwrap());
        config.train.stop_when_flat = patience;
    })
}

#[test]
fn a_run_that_is_flat_ends_with_all_that_a_whole_run_leaves_and_can_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let trained = new_run(learning_nothing(Some(3)), &dir);
    let ended = trained.summary.epochs;
    assert!((4..EPOCHS).contains(&ended), "{ended}");
    assert!(!trained.interrupted && trained.position.epochs == ended);
    assert!(trained.summary.knn_top1.is_some(), "the monitor is asked after the last epoch");
    assert!(trained.summary.linear_probe.is_some());
    let directory = RunDirectory::open(&dir).unwrap();
    assert_eq!(RunOverview::of(&directory).unwrap().state, RunState::Finished);
    let warned = lines(&dir).into_iter().find_map(|line| match line {
        MetricsLine::Warning { epoch, text } => Some((epoch, text)),
        _ => None,
    });
    let (epoch, text) = warned.unwrap();
    assert!(epoch == ended && text.contains("has not risen for 3 epochs"), "{epoch}: {text}");

    // Opened again it ends at once; with more patience it goes on.
    let again = run(resumed(pretraining(learning_nothing(Some(3))), &dir), &sample()).unwrap();
    assert_eq!((again.summary.epochs, values(&again.encoder)), (ended, values(&trained.encoder)));
    let on = run(resumed(pretraining(learning_nothing(None)), &dir), &sample()).unwrap();
    assert_eq!((on.summary.epochs, on.interrupted), (EPOCHS, false));
}

#[test]
fn a_run_that_learns_goes_on_and_no_patience_is_refused() {
    let learning = |patience| changed(4, |config| config.train.stop_when_flat = patience);
    let trained = run(pretraining(learning(Some(3))), &sample()).unwrap();
    let plain = run(pretraining(learning(None)), &sample()).unwrap();
    assert_eq!(trained.summary.epochs, 4);
    assert_eq!(values(&trained.encoder), values(&plain.encoder));
    let error = learning(Some(0)).check().unwrap_err().to_string();
    assert_eq!(error, "expected stop_when_flat to be at least 1, found 0");
}
