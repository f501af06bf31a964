//! A run's progress on burn-train's renderers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use burn::train::Interrupter;
use burn::train::metric::{
    MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::{MetricState, MetricsRenderer};

use crate::engine::step_figures::StepFigures;

// The names of the plotted figures.
pub(crate) const LOSS: &str = "Loss";
const CONTRASTIVE_TOP1: &str = "Contrastive top-1";
const LEARNING_RATE: &str = "Learning rate";
const KNN: &str = "kNN top-1";

/// Shows a run's progress on a [`MetricsRenderer`].
///
/// The terminal dashboard panics when the user tells it to kill the run. This type catches the panic and stops the run,
/// as Ctrl-C does.
pub(crate) struct Dashboard {
    renderer: Option<Box<dyn MetricsRenderer>>,
    interrupter: Interrupter,
}

impl Dashboard {
    pub(crate) fn new(renderer: Box<dyn MetricsRenderer>, interrupter: &Interrupter) -> Self {
        Self { renderer: Some(renderer), interrupter: interrupter.clone() }
    }

    pub(crate) fn start(&mut self, epochs: usize, first_epoch: usize) {
        self.tell(|renderer| {
            for (name, unit, higher_is_better) in [
                (LOSS, None, false),
                (CONTRASTIVE_TOP1, Some("%"), true),
                (LEARNING_RATE, None, false),
                (KNN, Some("%"), true),
            ] {
                let unit = unit.map(str::to_owned);
                renderer.register_metric(MetricDefinition {
                    metric_id: id(name),
                    name: Arc::new(name.to_owned()),
                    description: None,
                    attributes: NumericAttributes { unit, higher_is_better }.into(),
                });
            }
            renderer.start(epochs, first_epoch, None, None);
        });
    }

    pub(crate) fn start_epoch(&mut self, examples: usize) {
        self.tell(|renderer| renderer.start_split("train", examples));
    }

    /// Shows a step's figures, and the number of examples of the epoch so far.
    pub(crate) fn step(&mut self, figures: &StepFigures, examples: usize) {
        self.tell(|renderer| {
            let percent = 100.0 * figures.contrastive_top1;
            renderer.update_train(point(LOSS, figures.loss, format!("{:.4}", figures.loss)));
            renderer.update_train(point(CONTRASTIVE_TOP1, percent, format!("{percent:.1} %")));
            let rate = figures.learning_rate;
            renderer.update_train(point(LEARNING_RATE, rate, format!("{rate:.2e}")));
            renderer.update_split(examples);
        });
    }

    pub(crate) fn knn(&mut self, share: f64) {
        self.tell(|renderer| {
            renderer.start_split("valid", 1);
            let percent = 100.0 * share;
            renderer.update_valid(point(KNN, percent, format!("{percent:.1} %")));
            renderer.update_split(1);
            renderer.end_split();
        });
    }

    pub(crate) fn end_training(&mut self) {
        self.tell(|renderer| renderer.end_split());
    }

    pub(crate) fn end_epoch(&mut self, epoch: usize) {
        self.tell(|renderer| renderer.update_epoch(epoch));
    }

    pub(crate) fn warn(&mut self, text: &str) {
        self.tell(|renderer| renderer.log_event_training(format!("warning: {text}")));
    }

    fn tell(&mut self, what: impl FnOnce(&mut dyn MetricsRenderer)) {
        let Some(renderer) = &mut self.renderer else { return };
        if catch_unwind(AssertUnwindSafe(|| what(renderer.as_mut()))).is_err() {
            // It has printed that the run ended, and would print it again when dropped.
            std::mem::forget(self.renderer.take());
            self.interrupter.stop(Some("the dashboard was told to kill the run"));
        }
    }
}

fn id(name: &str) -> MetricId {
    MetricId::new(Arc::new(name.to_owned()))
}

fn point(name: &str, value: f64, formatted: String) -> MetricState {
    let entry = MetricEntry::new(id(name), SerializedEntry::new(formatted, value.to_string()));
    MetricState::Numeric(entry, Some(NumericEntry::Value(value)))
}
