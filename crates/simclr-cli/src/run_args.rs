//! What a run learns from, and how: images and a config.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use simclr::data::Splits;
use simclr::train::{PretrainConfig, RunDirectory};

use crate::config_args::ConfigArgs;
use crate::config_file::ConfigFile;
use crate::config_layers::ConfigLayers;
use crate::data_args::DataArgs;

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
    pub(crate) data: Splits,
    /// The folder of the images; `None` for the built-in sample.
    pub(crate) folder: Option<PathBuf>,
    /// The number of images that they are limited to.
    pub(crate) images: Option<usize>,
    /// The config file, for what it says beside the config.
    pub(crate) file: ConfigFile,
}

impl RunArgs {
    /// Whether a range test is to choose the learning rate.
    pub(crate) fn wants_auto_rate(&self) -> bool {
        self.config.wants_auto_rate()
    }

    /// Reads the config and opens the images. The config starts from that of `run`, if one is given.
    pub(crate) fn open(&self, run: Option<&Path>) -> Result<RunSettings> {
        let layers = self.config.layers()?;
        let run = run.map(|dir| PretrainConfig::of_run(&RunDirectory::open(dir)?)).transpose()?;
        let folder = self.data.folder().or(layers.file.data.as_deref()).map(Path::to_owned);
        let data = self.data.open_at(folder.as_deref())?;
        let config = match run {
            Some(run) => layers.over(&run)?,
            None => layers.resolve(&data, folder.is_none())?,
        };
        let ConfigLayers { file, .. } = layers;
        Ok(RunSettings { config, data, folder, images: self.data.images, file })
    }
}
