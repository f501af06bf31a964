//! What labelled images say about the encoder.

use simclr_augment::EvaluationTransform;
use simclr_embed::{Embedder, raw_pixels};
use simclr_eval::{LogisticRegression, LogisticRegressionConfig, Report};

use crate::error::ReportError;
use crate::images::{Gallery, LabelledParts};
use crate::quality::confused::{ConfusedPair, confused};
use crate::quality::labelled_sets::LabelledSets;
use crate::quality::stages::{AFTER, RANDOM, Stage, Stages};

/// Steps of the linear probe on raw pixels. Neighbouring pixels are nearly equal, so L-BFGS would take minutes to reach
/// the optimum.
const RAW_PIXEL_STEPS: usize = 100;
/// Raw pixels are compared at this size at most, for the same reason.
const RAW_PIXEL_SIDE: u32 = 48;

/// Figures of the encoder, beside those of no encoder and of one with random weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quality {
    /// By kNN.
    pub(crate) knn: Report,
    /// By a linear probe; `None` if all training images are of one class.
    pub(crate) linear: Option<Report>,
    /// Raw pixels, random weights and the trained encoder, in this order.
    pub(crate) stages: Stages,
    /// What the run measured itself on its monitor's images, unless `stages` says the same.
    pub(crate) by_run: Option<Stages>,
    pub(crate) confused: Vec<ConfusedPair>,
}

impl Quality {
    /// The figures of the two galleries' own features, which are `embedder`'s, and of two others. `by_run` is what the
    /// run measured itself.
    pub(crate) fn new(
        [train, test]: [&Gallery; 2],
        embedder: &Embedder,
        untrained: &Embedder,
        by_run: Option<Stages>,
    ) -> Result<Self, ReportError> {
        let (class_names, device) = (train.class_names(), embedder.device());
        let sets = |train, test, class_names| LabelledSets { train, test, class_names, device };
        let trained = sets(train.labelled()?, test.labelled()?, class_names);
        let by_untrained = |gallery: &Gallery| untrained.embed_labelled(&gallery.images);
        let random = sets(by_untrained(train)?.labelled, by_untrained(test)?.labelled, &[]);
        let small = small(embedder.transform())?;
        let pixels = |gallery: &Gallery| raw_pixels(&gallery.images, &small);
        let raw = sets(pixels(train)?.labelled, pixels(test)?.labelled, &[]);

        let probe = LogisticRegression::default();
        let limited =
            LogisticRegressionConfig { max_iterations: RAW_PIXEL_STEPS, ..*probe.config() };
        let limited = LogisticRegression::new(limited).expect("100 steps are in range");
        let (knn, linear) = (trained.knn()?, trained.linear(&probe)?);
        let side = small.size();
        let after = Stage {
            name: AFTER.to_owned(),
            knn: Some(knn.report.top1),
            linear: linear.as_ref().map(|linear| linear.report.top1),
        };
        let stages = Stages {
            images: LabelledParts { train: train.part, test: test.part },
            rows: vec![
                raw.stage(format!("raw pixels, {side} × {side}"), &limited)?,
                random.stage(RANDOM, &probe)?,
                after,
            ],
        };
        let judged = linear.as_ref().unwrap_or(&knn);
        let confused = confused(judged, trained.test.labels(), test, embedder.transform())?;
        let by_run = by_run.filter(|by_run| !by_run.are_in(&stages));
        let (knn, linear) = (knn.report, linear.map(|linear| linear.report));
        Ok(Self { knn, linear, stages, by_run, confused })
    }
}

/// The transform to raw pixels.
fn small(transform: &EvaluationTransform) -> Result<EvaluationTransform, ReportError> {
    let side = transform.size().min(RAW_PIXEL_SIDE);
    Ok(transform.with_size(side)?)
}
