//! What a run that goes on is, whatever the arguments repeat of it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use simclr::augment::Ground;
use simclr::data::Opening;
use simclr::train::{
    FirstWeights, ImageSource, Position, PretrainConfig, RESUMABLE_SETTINGS, RunConfig,
    RunDirectory, settings_by_path,
};
use toml::{Table, Value};

use crate::config_layers::ConfigLayers;
use crate::data_args::listing_progress;
use crate::failure::usage;

/// The run that goes on, to be compared with the arguments.
pub(crate) struct ResumedRun {
    directory: PathBuf,
    index: PathBuf,
    run: RunConfig,
    config: PretrainConfig,
}

impl ResumedRun {
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let run = RunDirectory::open(directory)?;
        let config = PretrainConfig::of_run(&run)?;
        let index = run.data_index();
        Ok(Self { directory: directory.to_owned(), index, run: run.config()?, config })
    }

    /// How the run's images are opened: by the index that it keeps, if it does.
    pub(crate) fn opening(&self, ground: Ground) -> Opening {
        let (index, progress) = (Some(self.index.clone()), Some(listing_progress()));
        Opening { ground: ground.0, index, progress, ..Opening::default() }
    }

    /// The names of the run's devices, with commas.
    pub(crate) fn device(&self) -> &str {
        &self.run.made_with.device
    }

    /// The run's config, with the settings of `layers` that may change. All others must be the run's.
    pub(crate) fn config(&self, layers: &ConfigLayers) -> Result<PretrainConfig> {
        if let Some(recipe) = layers.recipe() {
            self.check(&format!("the recipe {recipe}"), "", &layers.over_recipe(recipe)?)?;
        }
        for setting in layers.file.settings().iter().chain(&layers.flags) {
            let asked = layers.one_over(&self.config, setting)?;
            self.check(&setting.name, &setting.path, &asked)?;
        }
        let out = layers.file.out.as_deref();
        if let Some(out) = out.filter(|out| absolute(out) != absolute(&self.directory)) {
            let place = layers.file.place("out").unwrap_or_default();
            let [run, found] = [&self.directory, out].map(|path| path.display());
            return Err(other(&format!("out in {place}"), run, found));
        }
        layers.over(&self.config)
    }

    /// Refuses `asked` if another value than the run's is in it. `name` set it, and stands for the value at `path`.
    fn check(&self, name: &str, path: &str, asked: &PretrainConfig) -> Result<()> {
        let [mut run, mut asked] = [table(&self.config)?, table(asked)?];
        for free in RESUMABLE_SETTINGS {
            run.remove(free);
            asked.remove(free);
        }
        let mut names: Vec<&String> = run.keys().chain(asked.keys()).collect();
        // What the name stands for comes first.
        names.sort_by_key(|name| (*name != path, (*name).clone()));
        let Some(at) = names.into_iter().find(|name| run.get(*name) != asked.get(*name)) else {
            return Ok(());
        };
        let shown =
            |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
        let name = if at == path || name.ends_with(at.as_str()) {
            name.to_owned()
        } else {
            format!("{name} ({at})")
        };
        Err(other(&name, shown(run.get(at)), shown(asked.get(at))))
    }

    /// Refuses first weights that are not the run's.
    pub(crate) fn check_weights(&self, asked: &FirstWeights) -> Result<()> {
        let run = self.run.made_with.weights.as_ref();
        if run.is_some_and(|run| run.is_same(asked)) {
            return Ok(());
        }
        let run = run.map_or_else(|| "random ones".to_owned(), ToString::to_string);
        Err(other("--weights", run, asked))
    }

    /// The run's published first weights, if it still needs them and their file is gone.
    pub(crate) fn missing_weights(&self) -> Result<Option<&FirstWeights>> {
        let weights = self.run.made_with.weights.as_ref();
        let begins =
            RunDirectory::open(&self.directory)?.position()? == Position { epochs: 0, steps: 0 };
        Ok(weights.filter(|own| begins && own.published.is_some() && !own.path.is_file()))
    }

    /// Where the run's images are: in `folder` if one is given, else where they were. `limit` must be the run's.
    pub(crate) fn source(
        &self,
        folder: Option<&Path>,
        limit: Option<usize>,
    ) -> Result<ImageSource> {
        let run = self.run.made_with.source.clone();
        let folder = folder.map(Path::to_owned);
        let Some(run) = run else {
            if folder.is_some() {
                return Ok(ImageSource { folder, limit });
            }
            let run = self.directory.display();
            return Err(usage(format!(
                "the run in {run} doesn't say where its images are: pass --data DIR"
            )));
        };
        if limit.is_some() && limit != run.limit {
            let [run, found] = [run.limit, limit]
                .map(|limit| limit.map_or_else(|| "all".to_owned(), |limit| limit.to_string()));
            return Err(other("--images", run, found));
        }
        Ok(ImageSource { folder: folder.or(run.folder), ..run })
    }
}

/// The refusal of a value that is not the run's.
fn other(name: &str, run: impl Display, found: impl Display) -> Error {
    usage(format!(
        "{name}: the run has {run}, found {found}; --resume goes on with the run's own settings"
    ))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// All values of a config by path, as its file would hold them: `train.learning_rate.base`.
fn table(config: &PretrainConfig) -> Result<BTreeMap<String, Value>> {
    // Through text: converted directly, an f32 of 0.1 would become 0.10000000149011612.
    let tables: Table = toml::to_string(config)?.parse()?;
    Ok(settings_by_path(&tables))
}
