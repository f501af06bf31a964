//! What a run logged, as curves over its epochs.

use serde::Serialize;
use simclr_train::{LossConfig, MetricsLine, PretrainConfig};

use crate::bins::{Bin, bins};
use crate::text::Text;

/// The most points that a line of a chart has: more than it has pixels help nobody.
const MOST_POINTS: usize = 360;

/// What a chart's values are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// Values around wherever they are.
    Plain,
    /// Values from 0.
    Amount,
    /// Shares in percent, 0 to 100.
    Percent,
}

impl Unit {
    /// What follows a value.
    pub(crate) fn suffix(self) -> &'static str {
        if self == Self::Percent { " %" } else { "" }
    }
}

/// A figure over the epochs of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    /// Names it in the page.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    /// One sentence on how to read it.
    pub(crate) reading: &'static str,
    /// One line, or several with names.
    pub(crate) lines: Vec<Line>,
    /// A value to compare with, and what it is.
    pub(crate) reference: Option<(f64, &'static str)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) bins: Vec<Bin>,
}

/// All curves of a run, those without values left out, and what it warned of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curves {
    pub(crate) all: Vec<Curve>,
    /// Warnings with the epoch that they came after.
    pub(crate) warnings: Vec<(usize, Text)>,
    /// The last epoch, or part of one, that was logged.
    pub(crate) epochs: f64,
}

/// A step's figures, by its place in epochs.
struct Step {
    x: f64,
    loss: Option<f64>,
    learning_rate: f64,
    /// Contrastive top-1 and top-5, in percent.
    contrastive: [f64; 2],
    images_per_second: f64,
}

/// An epoch's figures.
struct Epoch {
    x: f64,
    knn_percent: Option<f64>,
    /// Of features and projections.
    effective_rank: Option<[f64; 2]>,
}

impl Curves {
    /// From a run's log. `classes` is 0 without labels.
    pub(crate) fn new(lines: &[MetricsLine], config: &PretrainConfig, classes: usize) -> Self {
        let (steps, epochs, warnings) = sorted(lines);
        let of_steps = |name, value: &dyn Fn(&Step) -> Option<f64>| {
            line(name, steps.iter().filter_map(|step| Some((step.x, value(step)?))).collect())
        };
        let of_epochs = |name, value: &dyn Fn(&Epoch) -> Option<f64>| {
            line(name, epochs.iter().filter_map(|epoch| Some((epoch.x, value(epoch)?))).collect())
        };
        let views = 2.0 * config.batch_size as f64;
        let mut curves = vec![
            Curve {
                lines: vec![of_steps("loss", &|step| step.loss)],
                reference: guessing(&config.loss, views),
                ..LOSS
            },
            Curve {
                lines: vec![
                    of_steps("nearest", &|step| Some(step.contrastive[0])),
                    of_steps("among the five nearest", &|step| Some(step.contrastive[1])),
                ],
                ..CONTRASTIVE
            },
            Curve {
                lines: vec![of_epochs("kNN top-1", &|epoch| epoch.knn_percent)],
                reference: (classes > 0).then(|| (100.0 / classes as f64, "guessing")),
                ..KNN
            },
            Curve {
                lines: vec![
                    of_epochs("features h", &|epoch| Some(epoch.effective_rank?[0])),
                    of_epochs("projections z", &|epoch| Some(epoch.effective_rank?[1])),
                ],
                ..RANK
            },
            Curve {
                lines: vec![of_steps("learning rate", &|step| Some(step.learning_rate))],
                ..LEARNING_RATE
            },
            Curve {
                lines: vec![of_steps("images/s", &|step| Some(step.images_per_second))],
                ..SPEED
            },
        ];
        curves.retain(|curve| curve.lines.iter().any(|line| !line.bins.is_empty()));
        let places = steps.iter().map(|step| step.x).chain(epochs.iter().map(|epoch| epoch.x));
        Self { all: curves, warnings, epochs: places.fold(0.0, f64::max) }
    }
}

fn line(name: &'static str, points: Vec<(f64, f64)>) -> Line {
    let finite: Vec<(f64, f64)> =
        points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    Line { name, bins: bins(&finite, MOST_POINTS) }
}

/// The loss of an encoder that cannot tell views apart: the logarithm of how many it has to choose from.
fn guessing(loss: &LossConfig, views: f64) -> Option<(f64, &'static str)> {
    match loss {
        LossConfig::NtXent { .. } => Some(((views - 1.0).ln(), "guessing, ln(2n − 1)")),
        LossConfig::DecoupledNtXent { .. } => Some(((views - 2.0).ln(), "guessing, ln(2n − 2)")),
        _ => None,
    }
}

/// The log by what its lines are of.
fn sorted(lines: &[MetricsLine]) -> (Vec<Step>, Vec<Epoch>, Vec<(usize, Text)>) {
    let in_epoch = lines.iter().filter_map(|line| match line {
        MetricsLine::Step { step, .. } => Some(*step),
        _ => None,
    });
    let steps_per_epoch = in_epoch.max().unwrap_or(1).max(1) as f64;
    let (mut steps, mut epochs, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        match line {
            MetricsLine::Step {
                epoch,
                step,
                loss,
                learning_rate,
                contrastive_top1,
                contrastive_top5,
                images_per_second,
                ..
            } => steps.push(Step {
                x: epoch.saturating_sub(1) as f64 + *step as f64 / steps_per_epoch,
                loss: *loss,
                learning_rate: *learning_rate,
                contrastive: [contrastive_top1, contrastive_top5].map(|share| 100.0 * share),
                images_per_second: *images_per_second,
            }),
            MetricsLine::Epoch { epoch, knn_top1, representation, .. } => epochs.push(Epoch {
                x: *epoch as f64,
                knn_percent: knn_top1.map(|share| 100.0 * share),
                effective_rank: representation.map(|r| [r.effective_rank_h, r.effective_rank_z]),
            }),
            MetricsLine::Warning { epoch, text } => warnings.push((*epoch, Text::new(text))),
            _ => {}
        }
    }
    (steps, epochs, warnings)
}

const LOSS: Curve = Curve {
    id: "loss",
    title: "Loss",
    unit: Unit::Plain,
    reading: "Falls as two views of one image become more alike than views of different images; its scale \
              depends on batch and temperature, so compare it within a run only.",
    lines: Vec::new(),
    reference: None,
};

const CONTRASTIVE: Curve = Curve {
    id: "contrastive",
    title: "Partner found",
    unit: Unit::Percent,
    reading: "How often the other view of the same image is the nearest of all views in the batch, or among the \
              five nearest: the same task as the loss, in plain shares.",
    lines: Vec::new(),
    reference: None,
};

const KNN: Curve = Curve {
    id: "knn",
    title: "kNN on held-out images",
    unit: Unit::Percent,
    reading: "How often the labelled neighbours of an image that was never trained on name its class; epoch 0 is \
              the encoder with random weights.",
    lines: Vec::new(),
    reference: None,
};

const RANK: Curve = Curve {
    id: "rank",
    title: "Effective rank",
    unit: Unit::Amount,
    reading: "How many directions the vectors use; near 1 the representation has collapsed, and all images look \
              the same to the encoder.",
    lines: Vec::new(),
    reference: None,
};

const LEARNING_RATE: Curve = Curve {
    id: "learning-rate",
    title: "Learning rate",
    unit: Unit::Amount,
    reading: "The length of the optimiser's steps: it warms up to its peak, then follows a cosine to zero.",
    lines: Vec::new(),
    reference: None,
};

const SPEED: Curve = Curve {
    id: "speed",
    title: "Images per second",
    unit: Unit::Amount,
    reading: "Images, each in two views, that were learnt from in a second; dips are other work on the machine.",
    lines: Vec::new(),
    reference: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_train::Recipe;

    fn lines(text: &str) -> Vec<MetricsLine> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn step(epoch: usize, step: usize, loss: &str) -> String {
        format!(
            r#"{{"event":"step","epoch":{epoch},"step":{step},"loss":{loss},"learning_rate":0.1,"contrastive_top1":0.5,"contrastive_top5":0.75,"images_per_second":10.0,"waiting_share":0.0}}"#
        ) + "\n"
    }

    #[test]
    fn steps_lie_within_their_epoch_and_losses_that_are_no_number_are_left_out() {
        let log = [step(1, 1, "5.0"), step(1, 2, "4.0"), step(2, 1, "null"), step(2, 2, "2.0")];
        let curves = Curves::new(&lines(&log.concat()), &Recipe::Cifar10Google.config(), 0);
        let loss = &curves.all[0];
        let places: Vec<f64> = loss.lines[0].bins.iter().map(|bin| bin.x).collect();
        assert_eq!((loss.id, places), ("loss", vec![0.5, 1.0, 2.0]));
        assert_eq!(loss.reference, Some((1023_f64.ln(), "guessing, ln(2n − 1)")));
        assert!((curves.epochs - 2.0).abs() < 1e-12);
    }

    #[test]
    fn curves_without_values_are_left_out_and_warnings_kept() {
        let epoch = r#"{"event":"epoch","epoch":0,"loss":null,"knn_top1":null,"images_per_second":null,"waiting_share":null,"contrastive_top1":null,"representation":null}"#;
        let warning = r#"{"event":"warning","epoch":3,"text":"<collapse>"}"#;
        let config = Recipe::Cifar10Google.config();
        let curves = Curves::new(&lines(&format!("{epoch}\n{warning}\n")), &config, 10);
        assert_eq!(curves.all, []);
        assert_eq!(curves.warnings, [(3, Text::new("<collapse>"))]);
    }

    #[test]
    fn a_long_run_stays_small() {
        let log: String =
            (0..5000).map(|index| step(index / 100 + 1, index % 100 + 1, "1.5")).collect();
        let curves = Curves::new(&lines(&log), &Recipe::Cifar10Google.config(), 0);
        assert!(curves.all.iter().flat_map(|c| &c.lines).all(|l| l.bins.len() <= MOST_POINTS));
    }
}
