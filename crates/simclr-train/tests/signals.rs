//! A run on examples that are not images: its folder records their settings.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::Interrupter;
use serde::{Deserialize, Serialize};
use simclr_embed::{Features, LabelledFeatures};
use simclr_eval::{EvalError, Knn, Protocol};
use simclr_model::{Encoder, ProjectionHeadConfig, SimClr};
use simclr_train::{
    Monitor, Observation, Position, PretrainConfig, ProbeFigure, Progress, RunDirectory,
    TrainConfig, TrainError, Trainer, ViewBatch, ViewSource, Views,
};

const LENGTH: usize = 6;
const SIGNALS: usize = 24;

#[derive(Module, Debug)]
struct OneLayer {
    layer: Linear,
}

impl Encoder for OneLayer {
    type Input = Tensor<2>;
    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        self.layer.forward(input)
    }
    fn feature_size(&self) -> usize {
        4
    }
}

/// Waves of two frequencies. The views of a wave differ in phase.
struct Waves;

fn wave(index: usize, phase: f64) -> impl Iterator<Item = f32> {
    let pitch = if index.is_multiple_of(2) { 0.5 } else { 2.0 };
    (0..LENGTH).map(move |i| (pitch * i as f64 + phase + index as f64 * 0.01).sin() as f32)
}

impl ViewSource<Tensor<2>> for Waves {
    fn len(&self) -> usize {
        SIGNALS
    }
    fn views(
        &self,
        pass: u64,
        indices: &[usize],
        device: &Device,
    ) -> Result<ViewBatch<Tensor<2>>, TrainError> {
        let views = [0.0, 0.1 + pass as f64 * 0.01];
        let values: Vec<f32> = views
            .iter()
            .flat_map(|&phase| indices.iter().flat_map(move |&i| wave(i, phase)))
            .collect();
        let data = TensorData::new(values, [2 * indices.len(), LENGTH]);
        let views = Views::new(Tensor::from_data(data, device), 2, indices.len());
        Ok(ViewBatch { views: Some(views), skipped: Vec::new() })
    }
}

/// Counts its observations.
struct WaveMonitor(std::sync::Arc<std::sync::atomic::AtomicUsize>);

struct EmbeddedWaves(LabelledFeatures);

impl Monitor<OneLayer> for WaveMonitor {
    fn observe(&self, encoder: &OneLayer) -> Result<Box<dyn Observation>, EvalError> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let values: Vec<f32> = (0..SIGNALS).flat_map(|i| wave(i, 0.3)).collect();
        let waves = Tensor::from_data(TensorData::new(values, [SIGNALS, LENGTH]), &Device::flex());
        let features = encoder.encode(waves).to_data_as::<f32>().iter::<f32>().collect();
        let labels = (0..SIGNALS).map(|index| index % 2).collect();
        Ok(Box::new(EmbeddedWaves(LabelledFeatures::new(Features::new(features, 4), labels)?)))
    }
}

impl Observation for EmbeddedWaves {
    fn knn_top1(&self) -> Result<Option<f64>, EvalError> {
        Knn::for_training_images(SIGNALS, &Device::flex()).top1(&self.0, &self.0).map(Some)
    }
    fn linear_probe(&self) -> Result<Option<ProbeFigure>, EvalError> {
        Ok(Some(ProbeFigure { top1: 0.25, protocol: "a guess".to_owned() }))
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct WaveConfig {
    length: usize,
    phase_step: f64,
}

const WAVES: WaveConfig = WaveConfig { length: LENGTH, phase_step: 0.01 };

fn model(device: &Device) -> SimClr<OneLayer> {
    let encoder = OneLayer { layer: LinearConfig::new(LENGTH, 4).init(device) };
    SimClr { encoder, head: ProjectionHeadConfig::default().init(4, 0, device).unwrap() }
}

fn trainer(epochs: usize) -> Trainer {
    let config = TrainConfig { epochs, batch_size: 8, ..TrainConfig::small() };
    let trainer = Trainer::new(config).unwrap().with_progress(Progress::Silent);
    trainer.with_subject("waves", &WAVES, "24 waves").unwrap()
}

#[test]
fn a_runs_folder_records_its_own_settings_and_no_image_encoder() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let device = Device::flex().autodiff();
    let asked = std::sync::Arc::default();
    let monitor = Box::new(WaveMonitor(std::sync::Arc::clone(&asked)));
    let trained =
        trainer(2).with_directory(&dir).train(model(&device), Waves, Some(monitor), &device);
    let trained = trained.unwrap();
    assert_eq!(trained.summary.linear_probe, Some(0.25));
    let asked = asked.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(
        asked, 3,
        "embedded before the first epoch and after each, and not again at the end"
    );

    let run = RunDirectory::open(&dir).unwrap();
    let config = run.config().unwrap();
    assert_eq!(config.train, TrainConfig { epochs: 2, batch_size: 8, ..TrainConfig::small() });
    assert_eq!(config.subject.keys().collect::<Vec<_>>(), ["waves"]);
    assert_eq!(config.subject::<WaveConfig>("waves").unwrap(), WAVES);
    assert_eq!(
        (config.made_with.data.as_str(), config.made_with.device.as_str()),
        ("24 waves", "flex")
    );
    let text = std::fs::read_to_string(dir.join("config.toml")).unwrap();
    assert!(!text.contains("resnet") && !text.contains("augmentation"), "{text}");
    let error = PretrainConfig::of_run(&run).unwrap_err().to_string();
    assert!(error.contains("expected a table [images], found [waves]"), "{error}");
    let mut damaged = config;
    damaged.subject["waves"]["phase_step"] = "fast".into();
    assert_eq!(
        damaged.subject::<WaveConfig>("waves").unwrap_err(),
        "[waves]: invalid type: string \"fast\", expected f64 in `phase_step`"
    );
}

#[test]
fn a_run_resumes_only_with_the_same_subject_and_data() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let device = Device::flex().autodiff();
    trainer(1).with_directory(&dir).train(model(&device), Waves, None, &device).unwrap();
    let resume = |trainer: Trainer| {
        let trained = trainer.with_resumed(&dir).train(model(&device), Waves, None, &device);
        trained.map(|trained| trained.summary.epochs).map_err(|error| error.to_string())
    };
    let other = WaveConfig { phase_step: 0.5, ..WAVES };
    let error = resume(trainer(2).with_subject("waves", &other, "24 waves").unwrap()).unwrap_err();
    assert!(error.contains("another waves.phase_step") && error.contains("has 0.01"), "{error}");
    let error = resume(trainer(2).with_subject("waves", &WAVES, "25 waves").unwrap()).unwrap_err();
    assert!(error.contains("it was \"24 waves\" and now is \"25 waves\""), "{error}");
    assert_eq!(resume(trainer(2)), Ok(2));
}

#[test]
fn a_subject_must_be_a_table_with_a_name_of_its_own() {
    let refused = |name: &str, values: i32| {
        trainer(1).with_subject(name, &values, "").map(drop).unwrap_err().to_string()
    };
    assert!(refused("waves", 3).starts_with("cannot record [waves] of the run"));
    let error = trainer(1).with_subject("train", &WAVES, "").map(drop).unwrap_err().to_string();
    assert!(error.contains("[train]") && error.contains("the run's own table"), "{error}");
}

#[test]
fn a_data_set_smaller_than_a_batch_is_refused() {
    let device = Device::flex().autodiff();
    let config = TrainConfig { batch_size: 25, ..TrainConfig::small() };
    let trained = Trainer::new(config).unwrap().train(model(&device), Waves, None, &device);
    assert!(matches!(
        trained.map(drop),
        Err(TrainError::TooFewExamples { batch_size: 25, found: 24 })
    ));
}

/// Stops its run while the probe learns, the first time.
struct StopsAtProbe(Interrupter);

impl Monitor<OneLayer> for StopsAtProbe {
    fn observe(&self, _: &OneLayer) -> Result<Box<dyn Observation>, EvalError> {
        Ok(Box::new(Self(self.0.clone())))
    }
}

impl Observation for StopsAtProbe {
    fn knn_top1(&self) -> Result<Option<f64>, EvalError> {
        Ok(None)
    }
    fn linear_probe(&self) -> Result<Option<ProbeFigure>, EvalError> {
        self.0.stop(Some("test"));
        Err(EvalError::Stopped)
    }
}

#[test]
fn a_run_that_stops_while_its_probe_learns_has_its_encoder_and_goes_on_to_its_summary() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let device = Device::flex().autodiff();
    let first = trainer(2).with_directory(&dir);
    let monitor = Box::new(StopsAtProbe(first.interrupter()));
    let stopped = first.train(model(&device), Waves, Some(monitor), &device).unwrap();
    assert!(stopped.interrupted);
    assert_eq!(stopped.position, Position { epochs: 2, steps: 0 });
    assert!(dir.join("encoder.safetensors").exists() && !dir.join("summary.json").exists());

    let monitor = Box::new(WaveMonitor(std::sync::Arc::default()));
    let gone_on =
        trainer(2).with_resumed(&dir).train(model(&device), Waves, Some(monitor), &device);
    let gone_on = gone_on.unwrap();
    assert!(!gone_on.interrupted && dir.join("summary.json").exists());
    assert_eq!(gone_on.summary.linear_probe, Some(0.25));
    assert_eq!(gone_on.summary.linear_probe_by.as_deref(), Some("a guess"));
    let weights = |layer: &OneLayer| layer.layer.weight.to_data();
    assert_eq!(weights(&gone_on.encoder), weights(&stopped.encoder));
}
