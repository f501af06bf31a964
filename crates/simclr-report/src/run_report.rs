//! The report about a run.

use std::path::Path;

use burn::tensor::Device;
use simclr_data::{ImageDataset, Labelled, Splits};
use simclr_embed::Embedder;
use simclr_files::replace_file;
use simclr_train::{PretrainConfig, RunDirectory};

use crate::contents::Contents;
use crate::error::ReportError;
use crate::images::{EmbeddingMap, Galleries, LabelledParts, Part, neighbour_rows, view_rows};
use crate::page;
use crate::quality::{FIRST, Quality, RANDOM, Stages};
use crate::report_config::ReportConfig;
use crate::run::{Curves, RunFacts, RunFiles};

/// Everything that the page about a run shows, computed.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_data::{SampleConfig, Splits};
/// use simclr_model::{ResNetConfig, ResNetDepth, Stem};
/// use simclr_report::{ReportConfig, RunReport};
/// use simclr_train::{PretrainConfig, Pretraining, RunDirectory};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("1");
/// let device = Device::flex();
/// let data = Splits::sample(&SampleConfig { images: 20, size: 16, ..SampleConfig::default() })?;
/// let mut config = PretrainConfig::small(16)?;
/// (config.train.epochs, config.train.batch_size) = (1, 10);
/// config.images.encoder = ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into();
/// Pretraining::new(config)?
///     .with_trainer(|trainer| trainer.with_directory(&path))
///     .run(&data, &device)?;
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
    /// [`ReportError`]: a value of `config` is out of range; the run is not on images, has no encoder, or a damaged
    /// file; no image can be read; the data set or the device fails.
    pub fn new(
        run: &RunDirectory,
        data: &Splits,
        config: &ReportConfig,
        device: &Device,
    ) -> Result<Self, ReportError> {
        config.check()?;
        let files = RunFiles::read(run)?;
        let PretrainConfig { train, images } = &files.pretrain;
        let augmentations = images.view_augmentations()?;
        // As the run used it. Without the labels that its loss needed it is other data, and the page says so.
        let data = &files.pretrain.splits_for_loss(data.clone()).unwrap_or_else(|_| data.clone());
        // `Embedder::open` would accept another encoder's weights, and the page describes the config's.
        let trained = Embedder::load(run.path(), images.encoder.init(train.seed, device)?, device)?;

        let views = view_rows(&data.pretrain, &augmentations, train.seed, config.seed)?;
        let galleries = Galleries::embed(&data.pretrain, data.labelled.as_ref(), config, &trained)?;
        let quality = quality(&galleries, &trained, &files.pretrain, by_run(&files, data))?;
        let classes = quality.as_ref().map_or(0, |quality| quality.knn.per_class.len());
        let contents = Contents {
            facts: RunFacts::new(&files, trained.encoder(), data),
            quality,
            curves: Curves::new(&files.log, train, classes),
            views,
            map: EmbeddingMap::new(galleries.test(), &trained, config)?,
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
    // Drawn anew: a clone of the encoder that the weights were loaded into shares its running statistics.
    let untrained = config.images.encoder.init(config.train.seed, trained.device())?;
    let untrained = trained.clone().with_encoder(untrained);
    Quality::new([train, test], trained, &untrained, by_run).map(Some)
}

/// What a run measured on the labelled images that its monitor looked at, if `data` is the run's own.
fn by_run(run: &RunFiles, data: &Splits) -> Option<Stages> {
    let made_with = &run.config.made_with;
    let Labelled { train, test } = data.labelled.as_ref()?;
    let first = if made_with.weights.is_some() { FIRST } else { RANDOM };
    let summary = run.summary.as_ref().filter(|_| made_with.data == data.description)?;
    // Runs of older versions, which don't say, looked at all.
    let seen = summary.monitor.and_then(|figures| figures.monitored);
    let part = |seen: Option<usize>, of| Part { images: seen.unwrap_or(of), skipped: 0, of };
    let images = LabelledParts {
        train: part(seen.map(|seen| seen.train_images), train.len()),
        test: part(seen.map(|seen| seen.test_images), test.len()),
    };
    Stages::of_run(summary, images, first)
}
