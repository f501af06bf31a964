//! The files of a run, but for its weights.

use simclr_train::{MetricsLine, PretrainConfig, RunConfig, RunDirectory, Summary, read_metrics};

use crate::error::ReportError;
use crate::text::Text;

/// What a run on images wrote about itself.
pub(crate) struct RunFiles {
    /// The run's folder.
    pub(crate) path: Text,
    /// All of `config.toml`.
    pub(crate) config: RunConfig,
    /// Its tables `[train]` and `[images]`.
    pub(crate) pretrain: PretrainConfig,
    /// How the run ended; `None` if it left no summary.
    pub(crate) summary: Option<Summary>,
    pub(crate) log: Vec<MetricsLine>,
}

impl RunFiles {
    /// Reads the files. A run without an encoder is an error, and so is one on something else than images.
    pub(crate) fn read(run: &RunDirectory) -> Result<Self, ReportError> {
        let (config, pretrain) = (run.config()?, PretrainConfig::of_run(run)?);
        let weights = run.encoder_weights();
        if !weights.is_file() {
            return Err(ReportError::NoEncoder { path: weights });
        }
        Ok(Self {
            path: Text::path(run.path()),
            config,
            pretrain,
            log: read_metrics(&run.metrics())?,
            summary: run.summary()?,
        })
    }
}
