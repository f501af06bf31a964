//! All that a report shows.

use std::path::Path;

use burn::tensor::Device;
use simclr_data::{Splits, replace_file};
use simclr_embed::Embedder;
use simclr_model::load_weights;
use simclr_train::{RunDirectory, read_metrics};

use crate::curves::Curves;
use crate::embedding_map::EmbeddingMap;
use crate::error::ReportError;
use crate::gallery::Galleries;
use crate::neighbour_rows::{NeighbourRow, neighbour_rows};
use crate::page;
use crate::quality::Quality;
use crate::report_config::ReportConfig;
use crate::run_facts::RunFacts;
use crate::text::Text;
use crate::view_rows::{ViewRow, view_rows};

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
/// report.write(&path.join("report.html"))?;
/// assert!(report.to_html().starts_with("<!doctype html>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    pub(crate) facts: RunFacts,
    pub(crate) curves: Curves,
    pub(crate) views: Vec<ViewRow>,
    pub(crate) map: EmbeddingMap,
    pub(crate) neighbours: Vec<NeighbourRow>,
    /// `None` without labels.
    pub(crate) quality: Option<Quality>,
    /// Images that were looked at: of the training set, and test; without labels all are test.
    pub(crate) looked_at: (usize, usize),
    /// Images that could not be read for the report.
    pub(crate) skipped: usize,
}

impl RunReport {
    /// Looks at a run and its images: `data` should be what it was pretrained on, opened as it was then. If
    /// it is not, the page says so.
    ///
    /// A run that was stopped has an encoder, and gets a page that says so. One that was killed, or goes on
    /// still, has none: most of the page would be empty, and resuming it is what helps, so that is an error.
    ///
    /// # Errors
    ///
    /// [`ReportError`]: a config out of range; a run without an encoder, or with damaged files; no readable
    /// image; a data set or a device that fails.
    pub fn new(
        run: &RunDirectory,
        data: &Splits,
        config: &ReportConfig,
        device: &Device,
    ) -> Result<Self, ReportError> {
        config.check()?;
        let made = run.config()?;
        let pretrain = &made.pretrain;
        let weights = run.encoder_weights();
        if !weights.is_file() {
            return Err(ReportError::NoEncoder { path: weights });
        }
        let log = read_metrics(&run.metrics())?;
        let augmentation = pretrain.augmentation()?;
        pretrain.encoder.check_image_size(augmentation.config().size as usize)?;
        // Twice, as a clone would share its running statistics with the weights that are loaded.
        let untrained = pretrain.encoder.init(pretrain.seed, device)?;
        let trained = load_weights(pretrain.encoder.init(pretrain.seed, device)?, &weights)?;
        let transform = &augmentation.evaluation();

        let facts = RunFacts::new(Text::path(run.path()), &made, run.summary()?, &trained, data);
        let views = view_rows(&data.pretrain, &augmentation, pretrain.seed, config.seed)?;
        let embedder = Embedder::new(trained, transform.clone(), device);
        let galleries =
            Galleries::embed(&data.pretrain, data.labelled.as_ref(), config, &embedder)?;
        let (quality, looked_at) = match &galleries {
            Galleries::Labelled { train, test } => {
                let untrained = Embedder::new(untrained, transform.clone(), device);
                let quality = Quality::new([train, test], &untrained)?;
                (Some(quality), (train.len(), test.len()))
            }
            Galleries::Unlabelled(images) => (None, (0, images.len())),
        };
        let classes = quality.as_ref().map_or(0, |quality| quality.knn.per_class.len());
        Ok(Self {
            facts,
            curves: Curves::new(&log, pretrain, classes),
            views,
            map: EmbeddingMap::new(galleries.test(), transform, config)?,
            neighbours: neighbour_rows(&galleries, transform, config.seed, device)?,
            quality,
            looked_at,
            skipped: galleries.skipped(),
        })
    }

    /// The page: HTML with everything in it, which loads nothing and asks nobody.
    #[must_use]
    pub fn to_html(&self) -> String {
        page::html(self)
    }

    /// Writes the page, usually to `report.html` in the run's folder. The file appears as a whole or not at
    /// all.
    ///
    /// # Errors
    ///
    /// [`ReportError::Write`]; an older file of that name is then untouched.
    pub fn write(&self, path: &Path) -> Result<(), ReportError> {
        replace_file(path, |file| file.write_all(self.to_html().as_bytes()))
            .map_err(|source| ReportError::Write { path: path.to_owned(), source })
    }
}
