//! Progress of a run: a dashboard, or plain lines.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use burn::train::Interrupter;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining, tui::TuiMetricsRendererWrapper,
};

use crate::watch::ctrl_c::keep_alive_under_dashboard;
use crate::watch::dashboard::LOSS;
use crate::watch::terminal::remember_terminal;

/// The time between two lines within an epoch.
const INTERVAL: Duration = Duration::from_secs(10);

/// The way in which a run shows its progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Progress {
    /// A dashboard if standard output is a terminal, else [`Lines`](Self::Lines).
    #[default]
    Auto,
    /// Plain lines on standard error: one per epoch, and one every ten seconds.
    Lines,
    /// No progress.
    Silent,
}

impl Progress {
    pub(crate) fn renderer(
        self,
        interrupter: &Interrupter,
        checkpoint: Option<usize>,
    ) -> Box<dyn MetricsRenderer> {
        match self {
            Self::Auto if std::io::stdout().is_terminal() => {
                remember_terminal();
                let dashboard = TuiMetricsRendererWrapper::new(interrupter.clone(), checkpoint);
                keep_alive_under_dashboard();
                Box::new(dashboard)
            }
            Self::Auto | Self::Lines => Box::new(PlainProgress::new(|line| eprintln!("{line}"))),
            Self::Silent => Box::new(PlainProgress::new(|_| ())),
        }
    }
}

/// Progress as plain lines. [`Progress`] sends them to standard error, so that only a program's results are on standard
/// output.
struct PlainProgress {
    print: fn(&str),
    epochs: usize,
    epoch: usize,
    /// The examples of the epoch so far, and all of them; `None` outside of training.
    examples: Option<(usize, usize)>,
    loss_metric: Option<MetricId>,
    losses: Vec<f64>,
    knn_percent: Option<f64>,
    started: Instant,
    last_line: Instant,
    epochs_done: usize,
}

impl PlainProgress {
    fn new(print: fn(&str)) -> Self {
        let now = Instant::now();
        Self {
            print,
            epochs: 0,
            epoch: 1,
            examples: None,
            loss_metric: None,
            losses: Vec::new(),
            knn_percent: None,
            started: now,
            last_line: now,
            epochs_done: 0,
        }
    }

    /// The mean loss of the epoch's steps; nothing if they were done before the run was resumed.
    fn mean_loss(&self) -> String {
        let (sum, steps) = (self.losses.iter().sum::<f64>(), self.losses.len());
        if steps == 0 { String::new() } else { format!("  loss {:.4}", sum / steps as f64) }
    }
}

impl MetricsRendererTraining for PlainProgress {
    fn update_train(&mut self, state: MetricState) {
        if let MetricState::Numeric(entry, Some(value)) = state
            && Some(entry.metric_id) == self.loss_metric
            && self.examples.is_some()
        {
            self.losses.push(value.current());
        }
    }

    fn update_valid(&mut self, state: MetricState) {
        if let MetricState::Numeric(_, Some(value)) = state {
            self.knn_percent = Some(value.current());
        }
    }
}

impl TrainingProgressLogger for PlainProgress {
    fn start(
        &mut self,
        total_epochs: usize,
        starting_epoch: usize,
        _: Option<usize>,
        _: Option<&str>,
    ) {
        (self.epochs, self.epoch) = (total_epochs, starting_epoch);
        (self.started, self.last_line) = (Instant::now(), Instant::now());
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.examples = (split == "train").then_some((0, total_items));
        if self.examples.is_some() {
            self.losses.clear();
            self.knn_percent = None;
        }
    }

    fn update_split(&mut self, items_processed: usize) {
        let Some((seen, total)) = &mut self.examples else { return };
        *seen = items_processed;
        if self.last_line.elapsed() < INTERVAL {
            return;
        }
        self.last_line = Instant::now();
        let (seen, total, epoch, epochs) = (*seen, *total, self.epoch, self.epochs);
        let loss = self.mean_loss();
        (self.print)(&format!("epoch {epoch}/{epochs}  {seen} of {total} examples{loss}"));
    }

    fn end_split(&mut self) {
        self.examples = None;
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.epochs_done += 1;
        let knn = self.knn_percent.map_or(String::new(), |percent| format!("  kNN {percent:.1} %"));
        let left = self.epochs.saturating_sub(epoch) as u32;
        let time_left = self.started.elapsed() / self.epochs_done as u32 * left;
        let (loss, epochs) = (self.mean_loss(), self.epochs);
        let time_left = minutes(time_left);
        (self.print)(&format!("epoch {epoch}/{epochs}{loss}{knn}  {time_left} left"));
        (self.epoch, self.last_line) = (epoch + 1, Instant::now());
    }

    fn end(&mut self) {}

    fn log_event_training(&mut self, event: String) {
        (self.print)(&event);
    }
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

impl MetricsRenderer for PlainProgress {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        if definition.name.as_str() == LOSS {
            self.loss_metric = Some(definition.metric_id);
        }
    }
}

// burn-train requires one type for training and evaluation. Training never calls these.

impl MetricsRendererEvaluation for PlainProgress {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for PlainProgress {
    fn start_global_progress(&mut self, _total_tests: usize) {}
    fn start_test(&mut self, _name: &str, _total_items: usize) {}
    fn update_test_progress(&mut self, _items_processed: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        let written = [5, 65, 3600 + 61].map(|seconds| minutes(Duration::from_secs(seconds)));
        assert_eq!(written, ["5 s", "1 min 05 s", "1 h 01 min"]);
    }
}
