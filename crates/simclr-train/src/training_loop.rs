//! The training loop, in the order things happen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn::data::dataset::DatasetError;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use burn::train::{
    EventProcessorTraining, InferenceStep, Learner, LearnerEvent, SupervisedLearningStrategy,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingItem, ValidLoader,
};
use simclr_model::Encoder;

use crate::error::TrainError;
use crate::learner::{SimClrLearner, StepOutput};
use crate::metrics_log::{MetricsLine, MetricsLog};
use crate::monitor::MonitorOutput;
use crate::view_loader::LoaderReport;

/// SimCLR's strategy for burn-train's learner, on one device.
///
/// burn-train owns the learner, the dashboard, the metrics and the checkpoints' timing; this loop owns
/// the order of things, the log of epochs, and what ends a run early.
pub(crate) struct TrainingLoop {
    device: Device,
    log: MetricsLog,
    loader: Arc<Mutex<LoaderReport>>,
    error: Mutex<Option<TrainError>>,
}

/// The figures of an epoch's training.
struct EpochFigures {
    mean_loss: f64,
    images_per_second: f64,
}

type Loader<E> = TrainLoader<SimClrLearner<E>>;
type Components<E> = TrainingComponents<SimClrLearner<E>>;

impl TrainingLoop {
    pub(crate) fn new(device: &Device, log: MetricsLog, loader: Arc<Mutex<LoaderReport>>) -> Self {
        Self { device: device.clone(), log, loader, error: Mutex::default() }
    }

    /// What ended the run, once it is over: burn-train's own errors have no room for ours.
    pub(crate) fn take_error(&self) -> Option<TrainError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn run<E: Encoder>(
        &self,
        learner: &mut Learner<SimClrLearner<E>>,
        loader: &Loader<E>,
        monitor: &ValidLoader<SimClrLearner<E>>,
        components: &mut Components<E>,
        epochs: std::ops::RangeInclusive<usize>,
    ) -> Result<(), TrainError> {
        if *epochs.start() == 1 {
            let knn_top1 = monitor_epoch(0, learner, monitor, components)?;
            self.log_epoch(0, None, knn_top1)?;
        }
        for epoch in epochs {
            let Some(figures) = self.train_epoch(epoch, learner, loader, components)? else {
                return Ok(()); // Interrupted: the epoch's beginning is forgotten.
            };
            if !figures.mean_loss.is_finite() {
                return Err(TrainError::Diverged { epoch, found: figures.mean_loss });
            }
            let knn_top1 = monitor_epoch(epoch, learner, monitor, components)?;
            self.log_epoch(epoch, Some(&figures), knn_top1)?;
            if let Some(checkpointer) = &mut components.checkpointer {
                checkpointer.checkpoint(learner, epoch, &components.event_store);
            }
            send(components, LearnerEvent::EndEpoch(epoch));
        }
        Ok(())
    }

    /// Learns from every batch of an epoch; `None` if the run was interrupted.
    fn train_epoch<E: Encoder>(
        &self,
        epoch: usize,
        learner: &mut Learner<SimClrLearner<E>>,
        loader: &Loader<E>,
        components: &mut Components<E>,
    ) -> Result<Option<EpochFigures>, TrainError> {
        let total_items = loader.num_items();
        send(components, LearnerEvent::StartSplit { epoch_number: epoch, total_items });

        let started = Instant::now();
        let (mut steps, mut images) = (0_usize, 0_usize);
        let mut loss_sum: Option<Tensor<1>> = None;
        let mut batches = loader.iter();
        while let Some(views) = batches.next() {
            let views = views.map_err(|error| self.loader_error(&error))?;
            images += views.examples;
            steps += 1;

            let step = learner.train_step(views);
            learner.lr_step();
            learner.optimizer_step(step.grads);

            // Summed on the device: reading each loss here would make the host wait for every step.
            let loss = step.item.loss.clone();
            loss_sum = Some(loss_sum.map_or(loss.clone(), |sum| sum + loss));
            let (progress, rate) = (batches.progress(), learner.lr_current());
            let item = TrainingItem::new(step.item, progress, Some(steps), Some(rate));
            send(components, LearnerEvent::ProcessedItem(item));
            if components.interrupter.should_stop() {
                break;
            }
        }
        let loss_sum = loss_sum.ok_or_else(|| self.no_readable_image())?;
        let mean_loss = loss_sum.into_scalar::<f64>() / steps as f64; // Waits for the device.
        send(components, LearnerEvent::EndSplit(epoch));
        if components.interrupter.should_stop() {
            return Ok(None);
        }
        let seconds = started.elapsed().max(Duration::from_micros(1)).as_secs_f64();
        Ok(Some(EpochFigures { mean_loss, images_per_second: images as f64 / seconds }))
    }

    fn no_readable_image(&self) -> TrainError {
        let skipped = &self.report().skipped;
        let first = skipped.first().map_or_else(String::new, |s| s.reason.clone());
        TrainError::NoReadableImage { skipped: skipped.len(), first }
    }

    fn loader_error(&self, error: &DatasetError) -> TrainError {
        self.report().error.take().unwrap_or_else(|| TrainError::Engine(error.to_string()))
    }

    fn report(&self) -> MutexGuard<'_, LoaderReport> {
        self.loader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_epoch(
        &self,
        epoch: usize,
        figures: Option<&EpochFigures>,
        knn_top1: Option<f64>,
    ) -> Result<(), TrainError> {
        self.log.append(&MetricsLine::Epoch {
            epoch,
            loss: figures.map(|f| f.mean_loss),
            knn_top1,
            images_per_second: figures.map(|f| f.images_per_second),
        })
    }
}

/// Asks the monitor, if there is one, and tells the dashboard.
fn monitor_epoch<E: Encoder>(
    epoch: usize,
    learner: &Learner<SimClrLearner<E>>,
    monitor: &ValidLoader<SimClrLearner<E>>,
    components: &mut Components<E>,
) -> Result<Option<f64>, TrainError> {
    let Some(task) = monitor.iter().next() else { return Ok(None) };
    let task = task.map_err(|error| TrainError::Engine(error.to_string()))?;
    let output = InferenceStep::step(&learner.model().valid(), task);
    let knn_top1 = output.knn_top1?;
    let output = MonitorOutput { knn_top1: Ok(knn_top1) };

    let processor = &mut components.event_processor;
    let progress = Progress::new(1, 1, Some("evaluations".to_owned()));
    for event in [
        LearnerEvent::StartSplit { epoch_number: epoch, total_items: 1 },
        LearnerEvent::ProcessedItem(TrainingItem::new(output, progress, Some(1), None)),
        LearnerEvent::EndSplit(epoch),
    ] {
        components.interrupter.fail_on_error(processor.process_valid(event));
    }
    Ok(Some(knn_top1))
}

/// Tells burn-train's metrics, loggers and dashboard.
fn send<E: Encoder>(components: &mut Components<E>, event: LearnerEvent<StepOutput>) {
    let sent = components.event_processor.process_train(event);
    components.interrupter.fail_on_error(sent);
}

impl<E: Encoder> SupervisedLearningStrategy<SimClrLearner<E>> for TrainingLoop {
    fn fit(
        &self,
        mut components: Components<E>,
        mut learner: Learner<SimClrLearner<E>>,
        train: Loader<E>,
        monitor: ValidLoader<SimClrLearner<E>>,
        starting_epoch: usize,
    ) -> (SimClrLearner<E>, SupervisedTrainingEventProcessor<SimClrLearner<E>>) {
        learner.fork(&self.device);
        let epochs = starting_epoch..=components.num_epochs;
        if let Err(error) = self.run(&mut learner, &train, &monitor, &mut components, epochs) {
            *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        (learner.model(), components.event_processor)
    }
}
