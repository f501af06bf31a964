//! Checkpoints that are damaged, foreign or kept.

use std::path::Path;

use simclr_model::{ResNetConfig, ResNetDepth, Stem};
use simclr_train::{MetricsLine, RunDirectory, TrainError, read_metrics};

use crate::support::{
    changed, config, in_directory, new_run, pretraining, resumed, run, sample, values,
};

#[test]
fn a_checkpoint_of_another_architecture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, other) = (folder.path().join("run"), folder.path().join("other"));
    new_run(config(1), &dir);
    let wider = ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar).into();
    new_run(changed(1, |config| config.images.encoder = wider), &other);
    for part in ["model.bpk", "optimizer.safetensors", "manifest.json"] {
        let part = Path::new("checkpoint/epoch-0001").join(part);
        std::fs::copy(other.join(&part), dir.join(&part)).unwrap();
    }

    let error = run(resumed(pretraining(config(2)), &dir), &sample()).unwrap_err();
    assert!(matches!(error, TrainError::Checkpoint { .. }), "{error}");
    assert!(error.to_string().contains("epoch-0001: model.bpk"), "{error}");
}

#[test]
fn a_torn_checkpoint_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    new_run(config(1), &dir);
    for part in ["model.bpk", "optimizer.safetensors", "manifest.json"] {
        let path = dir.join("checkpoint/epoch-0001").join(part);
        let whole = std::fs::read(&path).unwrap();
        for torn in [&whole[..whole.len() / 2], &[][..], b"something else entirely"] {
            std::fs::write(&path, torn).unwrap();
            let error =
                run(resumed(pretraining(config(2)), &dir), &sample()).map(drop).unwrap_err();
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        std::fs::write(&path, whole).unwrap();
    }
    run(resumed(pretraining(config(2)), &dir), &sample()).map(drop).unwrap();
}

#[test]
fn the_checkpoint_before_a_damaged_one_is_resumed_from() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, whole) = (folder.path().join("run"), folder.path().join("whole"));
    new_run(config(3), &dir);
    std::fs::write(dir.join("checkpoint/epoch-0003/model.bpk"), "torn").unwrap();

    let resumed = run(resumed(pretraining(config(3)), &dir), &sample()).unwrap();
    assert_eq!(values(&resumed.encoder), values(&new_run(config(3), &whole).encoder));
    let lines = read_metrics(&RunDirectory::open(&dir).unwrap().metrics()).unwrap();
    let warned = lines.iter().any(|line| {
        matches!(line, MetricsLine::Warning { epoch: 2, text }
            if text.contains("epoch-0003: model.bpk") && text.contains("from epoch 2 instead"))
    });
    assert!(warned, "{lines:?}");
}

#[test]
fn the_best_epochs_checkpoint_is_kept_beside_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let pretraining = pretraining(config(6)).with_trainer(|t| t.with_kept_checkpoints(1));
    run(in_directory(pretraining, &dir), &sample()).unwrap();

    let lines = read_metrics(&RunDirectory::open(&dir).unwrap().metrics()).unwrap();
    let knn = lines.iter().filter_map(|line| match line {
        MetricsLine::Epoch { epoch: epoch @ 1.., knn_top1, .. } => {
            Some((*epoch, knn_top1.unwrap()))
        }
        _ => None,
    });
    let (best, _) = knn.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let kept = |epoch: usize| dir.join(format!("checkpoint/epoch-{epoch:04}")).exists();
    let found: Vec<usize> = (1..=6).filter(|&epoch| kept(epoch)).collect();
    let mut expected = vec![best, 6];
    expected.dedup();
    assert_eq!(found, expected);
}
