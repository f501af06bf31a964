//! What a run learns from, and how: images and a config.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use simclr::data::Splits;
use simclr::train::{ImageSource, PretrainConfig, RunDirectory};

use crate::config_args::ConfigArgs;
use crate::config_file::ConfigFile;
use crate::config_layers::{AskedFor, ConfigLayers};
use crate::data_args::{DataArgs, warned};
use crate::resumed_args::ResumedRun;

#[derive(Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What the arguments come to.
pub(crate) struct RunSettings {
    pub(crate) config: PretrainConfig,
    /// What flags or the file ask for of what weights know.
    pub(crate) asked_for: AskedFor,
    pub(crate) data: Splits,
    /// Where the images are.
    pub(crate) source: ImageSource,
    /// The config file, for what it says beside the config.
    pub(crate) file: ConfigFile,
}

impl RunArgs {
    /// Reads the config and opens the images. The config starts from that of `run`, if one is given.
    pub(crate) fn open(&self, run: Option<&Path>) -> Result<RunSettings> {
        let layers = self.config.layers()?;
        let source = ImageSource { folder: self.folder(&layers), limit: self.data.images };
        let open = |ground| self.data.open_at(source.folder.as_deref(), ground, None);
        let (config, data) = if let Some(run) = run {
            let config = layers.over(&PretrainConfig::of_run(&RunDirectory::open(run)?)?)?;
            let data = config.splits_for_loss(open(config.images.augmentation.ground)?)?;
            (config, data)
        } else {
            // No recipe has another ground.
            let data = open(layers.ground().unwrap_or_default())?;
            let config = layers.resolve(&source, &data)?;
            if config.train.loss.needs_labels() {
                // The images that the loss uses may be fewer and smaller.
                let data = config.splits_for_loss(data)?;
                (layers.resolve(&source, &data)?, data)
            } else {
                (config, data)
            }
        };
        let asked_for = layers.asked_for();
        Ok(RunSettings { config, asked_for, data, source, file: layers.file })
    }

    /// Reads the config and opens the images of a run that goes on: its own. Arguments may repeat them.
    pub(crate) fn resume(&self, run: &ResumedRun) -> Result<RunSettings> {
        let layers = self.config.layers()?;
        let config = run.config(&layers)?;
        let source = run.source(self.folder(&layers).as_deref(), self.data.images)?;
        let ground = config.images.augmentation.ground;
        let data = warned(source.open_with(&run.opening(ground))?);
        let data = config.splits_for_loss(data)?;
        let asked_for = layers.asked_for();
        Ok(RunSettings { config, asked_for, data, source, file: layers.file })
    }

    fn folder(&self, layers: &ConfigLayers) -> Option<PathBuf> {
        self.data.folder().or(layers.file.data.as_deref()).map(Path::to_owned)
    }
}
