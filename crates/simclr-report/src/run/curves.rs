//! What a run logged, as curves.

use simclr_loss::{DecoupledNtXent, NtXent};
use simclr_train::{LossConfig, MetricsLine, TrainConfig};

use crate::chart::{Axis, Caption, Line, LineChart, Spread, Style, Unit};
use crate::run::log::{Epoch, Log, Step};
use crate::text::Text;

/// The curves of a run, and its warnings.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curves {
    /// Those that have values.
    pub(crate) charts: Vec<LineChart>,
    /// Warnings with the epoch that each came after.
    pub(crate) warnings: Vec<(usize, Text)>,
}

impl Curves {
    /// The curves of a run's log. `classes` is 0 without labels.
    pub(crate) fn new(lines: &[MetricsLine], config: &TrainConfig, classes: usize) -> Self {
        let log = Log::new(lines);
        let end = if log.end() > 0.0 { log.end() } else { 1.0 };
        let x = Axis { name: "epoch", spread: Spread::Linear, ends: [0.0, end] };
        let chart =
            |caption, unit, lines, level| LineChart { caption, x, unit, lines, level, mark: None };
        let chance = |classes: usize| (100.0 / classes as f64, "chance level");
        let mut charts = vec![
            chart(loss_caption(&config.loss), Unit::Plain, vec![loss(&log)], chance_loss(config)),
            chart(found_caption(&config.loss), Unit::Percent, found(&log), None),
            chart(KNN, Unit::Percent, vec![knn(&log)], (classes > 0).then(|| chance(classes))),
            chart(RANK, Unit::Amount, rank(&log), None),
            chart(LEARNING_RATE, Unit::Amount, vec![learning_rate(&log)], None),
            chart(SPEED, Unit::Amount, vec![speed(&log)], None),
        ];
        charts.retain(|chart| !chart.is_empty());
        Self { charts, warnings: log.warnings }
    }
}

fn loss(log: &Log) -> Line {
    of_steps(log, "loss", Style::First, |step| step.loss)
}

fn found(log: &Log) -> Vec<Line> {
    vec![
        of_steps(log, "nearest", Style::First, |step| Some(step.contrastive[0])),
        of_steps(log, "among the five nearest", Style::Second, |step| Some(step.contrastive[1])),
    ]
}

fn knn(log: &Log) -> Line {
    of_epochs(log, "kNN top-1", Style::First, |epoch| epoch.knn)
}

fn rank(log: &Log) -> Vec<Line> {
    vec![
        of_epochs(log, "features h", Style::First, |epoch| Some(epoch.effective_rank?[0])),
        of_epochs(log, "projections z", Style::Second, |epoch| Some(epoch.effective_rank?[1])),
        of_epochs(log, "features of whole images", Style::Faint, |epoch| epoch.monitored_rank),
    ]
}

fn learning_rate(log: &Log) -> Line {
    of_steps(log, "learning rate", Style::First, |step| Some(step.learning_rate))
}

fn speed(log: &Log) -> Line {
    of_steps(log, "images/s", Style::First, |step| Some(step.images_per_second))
}

fn of_steps(
    log: &Log,
    name: &'static str,
    style: Style,
    value: impl Fn(&Step) -> Option<f64>,
) -> Line {
    let points = log.steps.iter().filter_map(|step| Some((step.x, value(step)?)));
    Line::new(name, style, points.collect())
}

fn of_epochs(
    log: &Log,
    name: &'static str,
    style: Style,
    value: impl Fn(&Epoch) -> Option<f64>,
) -> Line {
    let points = log.epochs.iter().filter_map(|epoch| Some((epoch.x, value(epoch)?)));
    Line::new(name, style, points.collect())
}

/// The loss of an encoder that cannot tell views apart: the logarithm of the number of views to choose from.
fn chance_loss(config: &TrainConfig) -> Option<(f64, &'static str)> {
    let images = config.batch_size;
    match config.loss {
        // Of SupCon too: where all views are alike, their classes don't matter.
        LossConfig::NtXent { .. } | LossConfig::SupCon { .. } => {
            Some((NtXent::chance_loss(images), "chance level, ln(2n − 1)"))
        }
        LossConfig::DecoupledNtXent { .. } => {
            Some((DecoupledNtXent::chance_loss(images), "chance level, ln(2n − 2)"))
        }
        _ => None,
    }
}

fn loss_caption(loss: &LossConfig) -> Caption {
    if loss.needs_labels() { CLASS_LOSS } else { LOSS }
}

fn found_caption(loss: &LossConfig) -> Caption {
    if loss.needs_labels() { CLASS } else { PARTNER }
}

const LOSS: Caption = Caption {
    id: "loss",
    title: "Loss",
    reading: "Falls as two views of one image become more alike than views of different images; its scale depends on \
              batch size and temperature, so compare it only within a run.",
};

const CLASS_LOSS: Caption = Caption {
    reading: "Falls as the views of one class become more alike than views of different classes; it stays above 0, as a \
              view shares its probability among all of its class; compare it only within a run.",
    ..LOSS
};

const CLASS: Caption = Caption {
    title: "Class found",
    reading: "How often the nearest of all other views in the batch, or one of the five nearest, is of the same class: \
              the task that the loss sets, as a share.",
    ..PARTNER
};

const PARTNER: Caption = Caption {
    id: "contrastive",
    title: "Partner found",
    reading: "How often the other view of the same image is the nearest of all views in the batch, or among the five \
              nearest: the task that the loss sets, as a share.",
};

const KNN: Caption = Caption {
    id: "knn",
    title: "kNN on held-out images",
    reading: "How often a vote of the most similar training images names the class of a test image, measured by the run \
              on the labelled images that its monitor draws; epoch 0 is before training.",
};

const RANK: Caption = Caption {
    id: "rank",
    title: "Effective rank",
    reading: "How many directions the vectors use; near 1 the representation has collapsed, and all images look the \
              same to the encoder. Features and projections are those of a batch of views in training.",
};

const LEARNING_RATE: Caption = Caption {
    id: "learning-rate",
    title: "Learning rate",
    reading: "The length of the optimiser's steps: it warms up to its peak, then follows a cosine to zero.",
};

const SPEED: Caption = Caption {
    id: "speed",
    title: "Images per second",
    reading: "Images, each in two views, that a second of training takes in; dips are other work on the machine.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_train::Recipe;

    fn curves(log: &str, classes: usize) -> Curves {
        let lines: Vec<MetricsLine> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Curves::new(&lines, &Recipe::Cifar10Google.config().train, classes)
    }

    fn step(epoch: usize, step: usize, loss: &str) -> String {
        format!(
            r#"{{"event":"step","epoch":{epoch},"step":{step},"loss":{loss},"learning_rate":0.1,"contrastive_top1":0.5,"contrastive_top5":0.75,"images_per_second":10.0,"waiting_share":0.0}}"#
        ) + "\n"
    }

    #[test]
    fn steps_lie_within_their_epoch_and_losses_that_are_not_finite_are_left_out() {
        let log = [step(1, 1, "5.0"), step(1, 2, "4.0"), step(2, 1, "null"), step(2, 2, "2.0")];
        let curves = curves(&log.concat(), 0);
        let loss = &curves.charts[0];
        let places: Vec<f64> = loss.lines[0].bins.iter().map(|bin| bin.x).collect();
        assert_eq!((loss.caption.id, places), ("loss", vec![0.5, 1.0, 2.0]));
        assert_eq!(loss.level, Some((1023_f64.ln(), "chance level, ln(2n − 1)")));
        assert!((loss.x.ends[1] - 2.0).abs() < 1e-12);
    }

    #[test]
    fn curves_without_values_are_left_out_and_warnings_kept() {
        let epoch = r#"{"event":"epoch","epoch":0,"loss":null,"knn_top1":null,"images_per_second":null,"waiting_share":null,"contrastive_top1":null,"representation":null}"#;
        let warning = r#"{"event":"warning","epoch":3,"text":"<collapse>"}"#;
        let curves = curves(&format!("{epoch}\n{warning}\n"), 10);
        assert_eq!(curves.charts, []);
        assert_eq!(curves.warnings, [(3, Text::new("<collapse>"))]);
    }

    #[test]
    fn a_long_run_stays_small() {
        let log: String =
            (0..5000).map(|index| step(index / 100 + 1, index % 100 + 1, "1.5")).collect();
        let curves = curves(&log, 0);
        assert!(curves.charts.iter().flat_map(|c| &c.lines).all(|l| l.bins.len() <= 360));
    }
}
