//! What watches a run: how much it looks at, how often, and that it changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::train::Interrupter;
use simclr_data::{BeforeReading, ImageDataset, Labelled, SampleConfig, Splits};
use simclr_train::{
    MetricsLine, MonitorEvery, Position, PretrainConfig, RunDirectory, TrainError, read_metrics,
};

use crate::support::{
    changed, config, in_directory, lines, new_run, pretraining, resumed, run, sample, values,
};

/// The lines of a run's epochs.
fn epochs(dir: &Path) -> Vec<MetricsLine> {
    let mut lines = read_metrics(&RunDirectory::open(dir).unwrap().metrics()).unwrap();
    lines.retain(|line| matches!(line, MetricsLine::Epoch { .. }));
    lines
}

/// The numbers of the epochs after which the monitor was asked.
fn watched(dir: &Path) -> Vec<usize> {
    let of_line = |line: &MetricsLine| match line {
        MetricsLine::Epoch { epoch, monitor: Some(_), .. } => Some(*epoch),
        _ => None,
    };
    epochs(dir).iter().filter_map(of_line).collect()
}

fn every(text: &str) -> MonitorEvery {
    text.parse().unwrap()
}

/// Images that count how often one is read, and stop the run at one of them.
fn counting(
    images: Arc<dyn ImageDataset>,
    reads: &Arc<AtomicUsize>,
    stops: Option<(usize, Interrupter)>,
) -> Arc<dyn ImageDataset> {
    let reads = Arc::clone(reads);
    Arc::new(BeforeReading::new(images, move |_| {
        let read = reads.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some((at, interrupter)) = &stops
            && read == *at
        {
            interrupter.stop(Some("test"));
        }
        Ok(())
    }))
}

/// The data with both labelled sets counted together.
fn counted(data: &Splits) -> (Splits, Arc<AtomicUsize>) {
    let reads = Arc::<AtomicUsize>::default();
    let count = |images| -> Arc<dyn ImageDataset> { counting(images, &reads, None) };
    let Labelled { train, test } = data.labelled.clone().unwrap();
    let labelled = Labelled { train: count(train), test: count(test) };
    (Splits { labelled: Some(labelled), ..data.clone() }, reads)
}

#[test]
fn no_more_images_are_looked_at_than_the_config_says_and_the_log_says_how_many() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let (data, reads) = counted(&sample());
    let config = changed(2, |config| config.images.monitor_images = 8);
    let trained = run(in_directory(pretraining(config), &dir), &data).unwrap();
    // Of each set, before the first epoch and after both.
    assert_eq!(reads.load(Ordering::SeqCst), 3 * (8 + 8));
    assert_eq!(watched(&dir), [0, 1, 2]);
    for line in epochs(&dir) {
        let MetricsLine::Epoch { knn_top1, monitor: Some(figures), .. } = line else {
            panic!("{line:?}");
        };
        let seen = figures.monitored.unwrap();
        assert_eq!((seen.train_images, seen.test_images), (8, 8));
        let shape = seen.shape.unwrap();
        assert!(knn_top1.is_some() && figures.seconds > 0.0);
        assert!((1.0..=8.0).contains(&shape.effective_rank), "{shape:?}");
        assert!((-8.0..=0.0).contains(&shape.uniformity), "{shape:?}");
    }
    let by = trained.summary.linear_probe_by.unwrap();
    assert!(by.starts_with("logistic regression (L-BFGS), C = 1; 8 training images, 8 "), "{by}");
    assert_eq!(trained.summary.monitor.unwrap().monitored.unwrap().train_images, 8);
    assert!(trained.summary.monitor_seconds > Some(0.0));
}

#[test]
fn the_monitor_is_asked_before_training_at_its_rhythm_and_after_the_last_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let run_of = |name: &str| {
        let dir = folder.path().join(name);
        let config = changed(5, |config| config.train.monitor_every = every(name));
        (new_run(config, &dir), dir)
    };
    let ((always, _), (second, dir)) = (run_of("1"), run_of("2"));
    assert_eq!(watched(&dir), [0, 2, 4, 5]);
    assert_eq!(second.summary.knn_top1, always.summary.knn_top1);
    assert_eq!(second.summary.linear_probe, always.summary.linear_probe);
    assert_eq!(values(&second.encoder), values(&always.encoder));

    let (never, dir) = run_of("never");
    assert_eq!(watched(&dir), Vec::<usize>::new());
    assert_eq!((never.summary.knn_top1, never.summary.linear_probe), (None, None));
    assert_eq!(values(&never.encoder), values(&always.encoder));
    // The shape of the last batch needs no monitor.
    let shapes = epochs(&dir)
        .into_iter()
        .filter(|line| matches!(line, MetricsLine::Epoch { representation: Some(_), .. }));
    assert_eq!(shapes.count(), 5);
}

#[test]
fn a_run_without_labels_is_watched_too() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let data = Splits { labelled: None, ..sample() };
    let config = changed(2, |config| config.images.monitor_images = 9);
    let trained = run(in_directory(pretraining(config), &dir), &data).unwrap();
    assert_eq!(watched(&dir), [0, 1, 2]);
    let seen = trained.summary.monitor.unwrap().monitored.unwrap();
    assert_eq!((seen.train_images, seen.test_images), (0, 9));
    assert!(seen.shape.unwrap().effective_rank > 1.0);
    assert_eq!((trained.summary.knn_top1, trained.summary.linear_probe), (None, None));
}

#[test]
fn watching_may_change_when_a_run_goes_on_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, whole_dir) = (folder.path().join("run"), folder.path().join("whole"));
    let whole = new_run(config(4), &whole_dir);
    let stopping = in_directory(pretraining(config(4)), &dir);
    let data = Splits { pretrain: crate::support::fails_after(&sample(), 2 * 24), ..sample() };
    run(stopping, &data).map(drop).unwrap_err();
    // The config of a run that was begun by an older version.
    let file = dir.join("config.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let old: String = text.lines().filter(|line| !line.starts_with("monitor_")).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    );
    assert_ne!(old, text);
    std::fs::write(&file, old).unwrap();
    let known = PretrainConfig::of_run(&RunDirectory::open(&dir).unwrap()).unwrap();
    assert_eq!(known, config(4));

    let other = changed(4, |config| {
        config.train.monitor_every = every("never");
        config.images.monitor_images = 7;
    });
    let parts = run(resumed(pretraining(other.clone()), &dir), &sample()).unwrap();
    assert_eq!(values(&parts.encoder), values(&whole.encoder));
    assert_eq!(watched(&dir), [0, 1, 2]);
    let kept = PretrainConfig::of_run(&RunDirectory::open(&dir).unwrap()).unwrap();
    assert_eq!(kept, other, "the run keeps the change");
}

#[test]
fn the_draw_is_the_seeds() {
    let data = Splits::sample(&SampleConfig { images: 300, size: 8, ..SampleConfig::default() });
    let data = data.unwrap();
    let knn = |seed| {
        let folder = tempfile::tempdir().unwrap();
        let config = changed(1, |config| {
            (config.train.seed, config.images.monitor_images) = (seed, 40);
        });
        run(in_directory(pretraining(config), &folder.path().join("run")), &data).unwrap();
        let mut first = lines(&folder.path().join("run"));
        first.remove(0)
    };
    assert_eq!(knn(1), knn(1));
    assert_ne!(knn(1), knn(2));
}

#[test]
fn a_monitor_without_images_is_refused() {
    let config = changed(1, |config| config.images.monitor_images = 0);
    let expected = "expected monitor_images to be at least 1, found 0";
    assert_eq!(config.check().unwrap_err().to_string(), expected);
    let refused = simclr_train::Pretraining::new(config).map(drop).unwrap_err();
    assert!(matches!(refused, TrainError::OutOfRange(_)), "{refused}");
}

#[test]
fn a_run_that_is_told_to_stop_while_it_is_first_looked_at_reads_no_more_images() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = SampleConfig { images: 600, size: 8, ..SampleConfig::default() };
    let data = Splits::sample(&sizes).unwrap();
    for labelled in [true, false] {
        let dir = folder.path().join(labelled.to_string());
        let stopping = in_directory(pretraining(config(1)), &dir);
        let (reads, stops) = (Arc::<AtomicUsize>::default(), Some((7, stopping.interrupter())));
        let count = |images: &Arc<dyn ImageDataset>| -> Arc<dyn ImageDataset> {
            counting(Arc::clone(images), &reads, stops.clone())
        };
        let data = match &data.labelled {
            Some(Labelled { train, test }) if labelled => {
                let (train, test) = (count(train), Arc::clone(test));
                Splits { labelled: Some(Labelled { train, test }), ..data.clone() }
            }
            _ => Splits { pretrain: count(&data.pretrain), labelled: None, ..data.clone() },
        };
        let stopped = run(stopping, &data).unwrap();
        assert_eq!((stopped.interrupted, stopped.position), (true, Position::default()));
        let after = reads.load(Ordering::SeqCst) - 7;
        // Views of the first four batches are made meanwhile, of the same images where there are no labels.
        let ahead = if labelled { 0 } else { 4 * config(1).train.batch_size };
        assert!(
            after <= rayon::current_num_threads() + ahead,
            "{after} images read after the word"
        );
    }
}
