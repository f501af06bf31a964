//! The report about a run.

use std::path::Path;

use burn::tensor::Device;
use simclr_data::{ImageDataset, Labelled, Splits, replace_file};
use simclr_train::{MadeWith, PretrainConfig, RunDirectory, Summary, read_metrics};

use crate::contents::Contents;
use crate::error::ReportError;
use crate::images::{
    Embedder, EmbeddingMap, Galleries, LabelledParts, Part, neighbour_rows, view_rows,
};
use crate::page;
use crate::quality::{FIRST, Quality, RANDOM, Stages};
use crate::report_config::ReportConfig;
use crate::run::{Curves, RunFacts};
use crate::text::Text;

/// Everything that the page about a run shows, computed.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_augment::SimClrAugmentation;
/// use simclr_data::{SampleConfig, Splits};
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
/// use simclr_report::{ReportConfig, RunReport};
/// use simclr_train::{PretrainConfig, Pretraining, Recipe, RunDirectory};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("1");
/// let device = Device::flex();
/// let data = Splits::sample(&SampleConfig { images: 20, size: 16, ..SampleConfig::default() })?;
/// let config = PretrainConfig {
///     epochs: 1,
///     batch_size: 10,
///     warmup_epochs: 0,
///     encoder: ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into(),
///     augmentation: SimClrAugmentation::cifar10().with_size(16)?.config().clone(),
///     ..Recipe::Cifar10Google.config()
/// };
/// Pretraining::new(config).in_directory(&path).run(&data, &device)?;
///
/// let run = RunDirectory::open(&path)?;
/// let report = RunReport::new(&run, &data, &ReportConfig::default(), &device)?;
/// report.write(path.join("report.html"))?;
/// assert!(report.to_html().starts_with("<!DOCTYPE html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    contents: Contents,
}

impl RunReport {
    /// Looks at a run and its images. `data` should be what the run was pretrained on, opened in the same way; the page
    /// says so if it is not.
    ///
    /// A run that was stopped has an encoder, and gets a page that says so. A run that was killed, or has not ended, has
    /// none. That is an error: most of the page would be empty, and resuming the run helps more.
    ///
    /// # Errors
    ///
    /// [`ReportError`]: a value of `config` is out of range; the run has no encoder, or a damaged file; no image can be
    /// read; the data set or the device fails.
    pub fn new(
        run: &RunDirectory,
        data: &Splits,
        config: &ReportConfig,
        device: &Device,
    ) -> Result<Self, ReportError> {
        config.check()?;
        let made = run.config()?;
        let weights = run.encoder_weights();
        if !weights.is_file() {
            return Err(ReportError::NoEncoder { path: weights });
        }
        let (log, summary) = (read_metrics(&run.metrics())?, run.summary()?);
        let range_test = run.learning_rate_curve()?;
        let trained = Embedder::open(run, device)?;
        let pretrain = &made.pretrain;
        let augmentation = pretrain.augmentation()?;

        let views = view_rows(&data.pretrain, &augmentation, pretrain.seed, config.seed)?;
        let galleries = Galleries::embed(&data.pretrain, data.labelled.as_ref(), config, &trained)?;
        let by_run = by_run(summary.as_ref(), &made.made_with, data);
        let quality = quality(&galleries, &trained, pretrain, by_run)?;
        let classes = quality.as_ref().map_or(0, |quality| quality.knn.per_class.len());
        let contents = Contents {
            facts: RunFacts::new(Text::path(run.path()), &made, summary, &trained.encoder, data),
            quality,
            curves: Curves::new(&log, range_test.as_ref(), pretrain, classes),
            views,
            map: EmbeddingMap::new(galleries.test(), &trained.transform, config)?,
            neighbours: neighbour_rows(&galleries, &trained, config.seed)?,
            skipped: galleries.skipped(),
        };
        Ok(Self { contents })
    }

    /// The page: HTML with everything in it, which loads nothing.
    #[must_use]
    pub fn to_html(&self) -> String {
        page::html(&self.contents)
    }

    /// Writes the page, usually to `report.html` in the run's folder. The file appears as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`]; an older file of that name is then untouched.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        let path = path.as_ref();
        replace_file(path, |file| file.write_all(self.to_html().as_bytes()))
            .map_err(|source| ReportError::Write { path: path.to_owned(), source })
    }
}

/// The figures of a run's encoder; `None` without labels.
fn quality(
    galleries: &Galleries,
    trained: &Embedder,
    config: &PretrainConfig,
    by_run: Option<Stages>,
) -> Result<Option<Quality>, ReportError> {
    let Galleries::Labelled { train, test } = galleries else { return Ok(None) };
    let untrained = Embedder::untrained(config, &trained.device)?;
    Quality::new([train, test], trained, &untrained, by_run).map(Some)
}

/// What a run measured on all of its labelled images, if `data` is the run's own.
fn by_run(summary: Option<&Summary>, made_with: &MadeWith, data: &Splits) -> Option<Stages> {
    let Labelled { train, test } = data.labelled.as_ref()?;
    let images = LabelledParts { train: Part::all(train.len()), test: Part::all(test.len()) };
    let first = if made_with.weights.is_some() { FIRST } else { RANDOM };
    summary
        .filter(|_| made_with.data == data.description)
        .and_then(|summary| Stages::of_run(summary, images, first))
}
