//! Whole tiny runs: their files, resumed runs, and refused configs.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use image::RgbImage;
use simclr_augment::SimClrAugmentation;
use simclr_data::{DataError, ImageDataset, SampleConfig, Splits};
use simclr_loss::{Temperature, TwoViewLoss};
use simclr_model::{
    ImageEncoder, ProjectionHeadConfig, ResNetConfig, ResNetDepth, Stem, load_weights,
    module_tensors,
};
use simclr_train::{
    ChunkStatistics, ImageConfig, LearningRate, LossConfig, MetricsLine, PretrainConfig,
    Pretraining, Progress, RunDirectory, Summary, TrainConfig, TrainError, Trained, Trainer,
    ViewPath, read_metrics,
};

fn config(epochs: usize) -> PretrainConfig {
    let mut config = PretrainConfig::small(16).unwrap();
    config.train = TrainConfig {
        seed: 3,
        epochs,
        batch_size: 8,
        learning_rate: LearningRate::unscaled(1e-2),
        loss: LossConfig::NtXent { temperature: Temperature::new(0.5).unwrap() },
        ..config.train
    };
    config.images = ImageConfig {
        encoder: ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into(),
        projection: ProjectionHeadConfig { output_size: 8, ..ProjectionHeadConfig::default() },
        augmentation: SimClrAugmentation::cifar10().with_size(16).unwrap().config().clone(),
        ..config.images
    };
    config
}

/// A config of so many epochs, after `change`.
fn changed(epochs: usize, change: impl FnOnce(&mut PretrainConfig)) -> PretrainConfig {
    let mut config = config(epochs);
    change(&mut config);
    config
}

fn pretraining(config: PretrainConfig) -> Pretraining {
    Pretraining::new(config).unwrap()
}

fn in_directory(pretraining: Pretraining, dir: &Path) -> Pretraining {
    pretraining.with_trainer(|trainer| trainer.with_directory(dir))
}

fn resumed(pretraining: Pretraining, dir: &Path) -> Pretraining {
    pretraining.with_trainer(|trainer| trainer.with_resumed(dir))
}

fn sample() -> Splits {
    Splits::sample(&SampleConfig { images: 30, size: 16, ..SampleConfig::default() }).unwrap()
}

fn run(pretraining: Pretraining, data: &Splits) -> Result<Trained<ImageEncoder>, TrainError> {
    let silent = |trainer: Trainer| trainer.with_progress(Progress::Silent);
    pretraining.with_trainer(silent).run(data, &Device::flex())
}

fn new_run(config: PretrainConfig, dir: &Path) -> Trained<ImageEncoder> {
    run(in_directory(pretraining(config), dir), &sample()).unwrap()
}

/// The bits of all weights and running statistics. A comparison of files would differ in their random parameter ids.
fn values(encoder: &ImageEncoder) -> Vec<u32> {
    let tensors = module_tensors(encoder).into_iter();
    let bits = tensors.map(|tensor| {
        let values = tensor.values().to_data_as::<f32>();
        values.iter::<f32>().map(f32::to_bits).collect::<Vec<_>>()
    });
    bits.flatten().collect()
}

#[test]
fn a_run_leaves_config_metrics_checkpoints_encoder_and_summary() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("parents/are/made");
    let trained = new_run(config(3), &dir);

    let run = RunDirectory::open(&dir).unwrap();
    assert_eq!(PretrainConfig::of_run(&run).unwrap(), config(3));
    assert_eq!(run.config().unwrap().made_with.device, "flex");
    let summary: Summary =
        serde_json::from_slice(&std::fs::read(dir.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary, trained.summary);
    assert_eq!((summary.epochs, summary.seed, summary.skipped_images), (3, 3, 0));
    assert!(summary.knn_top1_initial.is_some() && summary.knn_top1.is_some());
    assert!((0.0..=1.0).contains(&summary.linear_probe.unwrap()));
    assert!(summary.images_per_second.unwrap() > 0.0);

    let blank = config(3).images.encoder.init(99, &Device::flex()).unwrap();
    let loaded = load_weights(blank, run.encoder_weights()).unwrap();
    assert_eq!(values(&loaded), values(&trained.encoder));

    let lines = read_metrics(&run.metrics()).unwrap();
    let steps = lines.iter().filter(|l| matches!(l, MetricsLine::Step { .. })).count();
    let epochs = lines.iter().filter(|l| matches!(l, MetricsLine::Epoch { .. })).count();
    assert_eq!((steps, epochs), (3 * 3, 1 + 3), "three steps in each of three epochs");

    let mut kept: Vec<_> = std::fs::read_dir(dir.join("checkpoint"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    assert!(kept.ends_with(&["epoch-0002".to_owned(), "epoch-0003".to_owned()]), "{kept:?}");
}

#[test]
fn the_same_seed_gives_the_same_encoder_and_another_seed_another() {
    let train = |seed| {
        let config = changed(2, |config| config.train.seed = seed);
        values(&run(pretraining(config), &sample()).unwrap().encoder)
    };
    let first = train(3);
    assert_eq!(first, train(3));
    assert_ne!(first, train(4));
}

/// The mean of both projections' sum: a loss that is easily recognised.
#[derive(Debug)]
struct Sum;

impl TwoViewLoss for Sum {
    fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
        (z_a + z_b).mean()
    }
}

#[test]
fn every_loss_of_the_config_and_a_loss_of_the_caller_train_by_their_own_formula() {
    let temperature = Temperature::new(0.5).unwrap();
    let train = |pretraining| run(pretraining, &sample()).unwrap().summary.loss_last.unwrap();
    let nt_xent = train(pretraining(config(1)));
    let decoupled = LossConfig::DecoupledNtXent { temperature };
    let decoupled = train(pretraining(changed(1, |config| config.train.loss = decoupled)));
    let own = train(Pretraining::with_loss(config(1), "sum", Sum).unwrap());
    assert!(
        nt_xent > decoupled,
        "the positive pair leaves the denominator: {decoupled}, {nt_xent}"
    );
    assert!(own < 1.0, "{own}");
}

#[test]
fn a_run_by_an_own_loss_resumes_by_that_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let with_sum = |epochs, name| Pretraining::with_loss(config(epochs), name, Sum).unwrap();
    run(in_directory(with_sum(1, "sum"), &dir), &sample()).unwrap();

    let found = PretrainConfig::of_run(&RunDirectory::open(&dir).unwrap()).unwrap();
    let message = Pretraining::new(found).map(drop).unwrap_err().to_string();
    assert!(message.starts_with("expected loss to be a loss of this crate"), "{message}");
    assert!(message.ends_with("found \"sum\""), "{message}");
    let message = run(resumed(with_sum(2, "other"), &dir), &sample()).unwrap_err().to_string();
    assert!(message.contains("another train.loss"), "{message}");
    assert_eq!(run(resumed(with_sum(2, "sum"), &dir), &sample()).unwrap().summary.epochs, 2);
}

#[test]
fn training_changes_weights_and_lowers_the_loss() {
    let summary = run(pretraining(config(8)), &sample()).unwrap().summary;
    assert!(summary.loss_last < summary.loss_first, "{summary:?}");
}

#[test]
fn views_from_the_device_train_like_views_from_the_cpu() {
    let first_loss = |views| {
        let config = changed(1, |config| config.images.views = views);
        run(pretraining(config), &sample()).unwrap().summary.loss_first.unwrap()
    };
    let (cpu, device) = (first_loss(ViewPath::Cpu), first_loss(ViewPath::Device));
    assert!((cpu - device).abs() < 1e-3, "{cpu} and {device}");
}

#[test]
fn two_epochs_resumed_for_two_more_equal_four_in_one_go() {
    let folder = tempfile::tempdir().unwrap();
    let (whole_dir, parts_dir) = (folder.path().join("whole"), folder.path().join("parts"));
    let whole = new_run(config(4), &whole_dir);

    // A run of four epochs that a data set stops by failing in epoch 3.
    let data = Splits { pretrain: Arc::new(FailsAfter::reads(&sample(), 2 * 24)), ..sample() };
    let error = run(in_directory(pretraining(config(4)), &parts_dir), &data).unwrap_err();
    assert!(matches!(error, TrainError::Data(DataError::Io { .. })), "{error}");
    let parts = run(resumed(pretraining(config(4)), &parts_dir), &sample()).unwrap();

    assert_eq!(values(&parts.encoder), values(&whole.encoder));
    let lines = |dir: &Path| {
        let mut lines = read_metrics(&RunDirectory::open(dir).unwrap().metrics()).unwrap();
        // Only the speed may differ.
        for line in &mut lines {
            match line {
                MetricsLine::Epoch { images_per_second, waiting_share, .. } => {
                    (*images_per_second, *waiting_share) = (None, None);
                }
                MetricsLine::Step { images_per_second, waiting_share, .. } => {
                    (*images_per_second, *waiting_share) = (0.0, 0.0);
                }
                _ => {}
            }
        }
        lines
    };
    assert_eq!(lines(&parts_dir), lines(&whole_dir));
}

/// Images that can be read a number of times.
struct FailsAfter {
    images: Arc<dyn ImageDataset>,
    left: std::sync::atomic::AtomicIsize,
}

impl FailsAfter {
    fn reads(data: &Splits, reads: isize) -> Self {
        Self { images: Arc::clone(&data.pretrain), left: reads.into() }
    }
}

impl ImageDataset for FailsAfter {
    fn len(&self) -> usize {
        self.images.len()
    }
    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        if self.left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) <= 0 {
            let source = std::io::Error::other("unplugged");
            return Err(DataError::Io { path: "disk".into(), source });
        }
        self.images.image(index)
    }
    fn name(&self, index: usize) -> String {
        self.images.name(index)
    }
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
fn a_folder_with_files_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("precious.txt"), "mine").unwrap();
    let error = run(in_directory(pretraining(config(1)), folder.path()), &sample()).unwrap_err();
    assert!(matches!(error, TrainError::RunExists { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_run_directory_below_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error =
        run(in_directory(pretraining(config(1)), &file.join("run")), &sample()).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
}

#[test]
fn resuming_with_another_config_or_other_images_names_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    new_run(config(1), &dir);
    let resume = |config: PretrainConfig, data: &Splits| {
        run(resumed(pretraining(config), &dir), data).unwrap_err().to_string()
    };
    let deeper = ResNetConfig::new(ResNetDepth::ResNet34, 2, Stem::Cifar).into();
    let message = resume(changed(1, |config| config.images.encoder = deeper), &sample());
    assert!(
        message.contains("another images.encoder") && message.contains("resnet34"),
        "{message}"
    );
    let message = resume(changed(1, |config| config.train.batch_size = 10), &sample());
    assert!(
        message.contains("another train.batch_size: the run in") && message.contains("has 8"),
        "{message}"
    );
    let other = Splits { description: "other images".to_owned(), ..sample() };
    assert!(resume(config(1), &other).contains("another data set"));
}

#[test]
fn a_checkpoint_of_another_architecture_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, other) = (folder.path().join("run"), folder.path().join("other"));
    new_run(config(1), &dir);
    let wider = ResNetConfig::new(ResNetDepth::ResNet18, 4, Stem::Cifar).into();
    new_run(changed(1, |config| config.images.encoder = wider), &other);
    for part in ["model.bpk", "optimizer.bpk", "manifest.json"] {
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
    for part in ["model.bpk", "optimizer.bpk", "manifest.json"] {
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

#[test]
fn epochs_may_end_within_a_pass_and_resume_there() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    // A pass over the images is three steps.
    let config = changed(6, |config| config.train.steps_per_epoch = Some(2));
    let whole = new_run(config.clone(), &whole);
    let data = Splits { pretrain: Arc::new(FailsAfter::reads(&sample(), 3 * 16)), ..sample() };
    run(in_directory(pretraining(config.clone()), &parts), &data).map(drop).unwrap_err();
    let resumed = run(resumed(pretraining(config), &parts), &sample()).unwrap();
    assert_eq!(values(&resumed.encoder), values(&whole.encoder));
    assert_eq!(resumed.summary.epochs, 6);
}

#[test]
fn several_devices_make_the_encoder_that_one_makes_of_the_same_chunks() {
    let chunked = changed(2, |config| config.train.chunk_size = Some(2));
    let one = run(pretraining(chunked.clone()), &sample()).unwrap();
    for devices in [2, 4] {
        let more = vec![Device::flex(); devices - 1];
        let pretraining = pretraining(chunked.clone()).with_trainer(|t| t.with_more_devices(&more));
        let several = run(pretraining, &sample()).unwrap();
        assert_eq!(values(&several.encoder), values(&one.encoder), "{devices} devices");
        assert_eq!(several.summary.loss_last, one.summary.loss_last);
    }
}

#[test]
fn a_batch_that_the_devices_cannot_share_is_refused() {
    let pretraining = pretraining(config(1))
        .with_trainer(|t| t.with_more_devices(&[Device::flex(), Device::flex()]));
    let message = run(pretraining, &sample()).unwrap_err().to_string();
    assert_eq!(
        message,
        "expected batch_size to be a multiple of 3, the number of devices, found 8"
    );
}

#[test]
fn chunks_of_an_encoder_with_batch_normalisation_can_be_refused() {
    let strict = changed(1, |config| {
        config.train.chunk_size = Some(4);
        config.train.chunk_statistics = ChunkStatistics::Refuse;
    });
    let message = run(pretraining(strict.clone()), &sample()).unwrap_err().to_string();
    assert!(message.starts_with("expected chunk_size to be the batch size, 8"), "{message}");
    let whole = changed(1, |config| config.train.chunk_size = Some(8));
    run(pretraining(whole), &sample()).unwrap();
}

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

#[test]
fn a_folder_that_is_no_run_cannot_be_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let error = run(resumed(pretraining(config(1)), folder.path()), &sample()).unwrap_err();
    assert!(matches!(error, TrainError::NotARun { missing: "config.toml", .. }), "{error}");
}

#[test]
fn a_broken_config_file_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), "[train]\nepochs = \"many\"\n").unwrap();
    let error = RunDirectory::open(folder.path()).unwrap().config().unwrap_err().to_string();
    assert!(error.contains("config.toml") && error.contains("line"), "{error}");
}

#[test]
fn images_without_labels_are_trained_on_without_knn() {
    let data = Splits { labelled: None, ..sample() };
    let summary = run(pretraining(config(1)), &data).unwrap().summary;
    assert_eq!((summary.knn_top1_initial, summary.knn_top1), (None, None));
    assert_eq!(summary.linear_probe, None);
}
