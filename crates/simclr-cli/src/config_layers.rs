//! A config in layers: each overrides those below it.

use anyhow::{Context, Error, Result};
use serde::Deserialize;
use simclr::augment::Ground;
use simclr::data::Splits;
use simclr::train::{ImageSource, PretrainConfig, Recipe};
use toml::{Table, Value};

use crate::config_file::ConfigFile;
use crate::config_tables::{UnknownKey, merge};
use crate::failure::usage;
use crate::plain_reason::plain_reason;
use crate::setting::Setting;

/// What a config is made of: a recipe, or what suits the images; over that a file; over that flags.
#[derive(Debug)]
pub(crate) struct ConfigLayers {
    /// Named by a flag, which counts more than the file's.
    pub(crate) recipe: Option<Recipe>,
    pub(crate) file: ConfigFile,
    /// What flags set.
    pub(crate) flags: Vec<Setting>,
}

impl ConfigLayers {
    /// The config of a new run on `data`, the images of `source`.
    pub(crate) fn resolve(&self, source: &ImageSource, data: &Splits) -> Result<PretrainConfig> {
        let size = self.image_size();
        self.over(&PretrainConfig::of_new_run(source, data, self.recipe(), size)?)
    }

    /// The recipe of a flag, or else of the file.
    pub(crate) fn recipe(&self) -> Option<Recipe> {
        self.recipe.or(self.file.recipe)
    }

    /// The config of a recipe, changed by file and flags.
    pub(crate) fn over_recipe(&self, recipe: Recipe) -> Result<PretrainConfig> {
        let config = recipe.config();
        self.over(&match self.image_size() {
            Some(size) => config.with_image_size(size)?,
            None => config,
        })
    }

    fn image_size(&self) -> Option<u32> {
        u32::try_from(self.asked("size")?.as_integer()?).ok()
    }

    /// The ground of transparent images that file or flags ask for, if it is one: [`over`](Self::over) refuses others.
    pub(crate) fn ground(&self) -> Option<Ground> {
        self.asked("ground")?.as_str()?.parse().ok()
    }

    /// Whether file or flags ask for a normalisation. A recipe doesn't: its own is the one that suits its data.
    pub(crate) fn asks_for_normalization(&self) -> bool {
        self.asked("normalization").is_some()
    }

    /// The value of a setting of the augmentation that file or flags ask for.
    fn asked(&self, key: &str) -> Option<Value> {
        let asked = |layer: &Table| layer.get("images")?.get("augmentation")?.get(key).cloned();
        asked(&Setting::merged(&self.flags)).or_else(|| asked(&self.file.values))
    }

    /// `base` with the file's values, and those of the flags, in that order.
    pub(crate) fn over(&self, base: &PretrainConfig) -> Result<PretrainConfig> {
        let mut table = Table::try_from(base).context("cannot write the config as TOML")?;
        merge(&mut table, &self.file.values);
        merge(&mut table, &Setting::merged(&self.flags));
        let config = PretrainConfig::deserialize(Value::Table(table));
        let config = config.map_err(|error| self.explain(&error))?;
        self.check_crop(&config)?;
        Ok(config)
    }

    /// Refuses a flag for the random resized crop where a padded one takes its place.
    fn check_crop(&self, config: &PretrainConfig) -> Result<()> {
        let share = self.flags.iter().find(|flag| flag.path == "images.augmentation.crop.area");
        match (share, &config.images.augmentation.padded_crop) {
            (Some(Setting { name, .. }), Some(_)) => Err(usage(format!(
                "{name}: the config has a padded_crop, which takes the place of that crop"
            ))),
            _ => Ok(()),
        }
    }

    /// `base` with the values of one setting alone.
    pub(crate) fn one_over(
        &self,
        base: &PretrainConfig,
        setting: &Setting,
    ) -> Result<PretrainConfig> {
        let mut table = Table::try_from(base).context("cannot write the config as TOML")?;
        merge(&mut table, &setting.values);
        PretrainConfig::deserialize(Value::Table(table)).map_err(|error| self.explain(&error))
    }

    /// The error with the place of the value that it is about.
    fn explain(&self, error: &toml::de::Error) -> Error {
        let place =
            |key: &str| self.file.place(key).filter(|_| !sets(&Setting::merged(&self.flags), key));
        if let Some(unknown) = UnknownKey::in_message(error.message()) {
            return unknown.at(&place(&unknown.key).unwrap_or_else(|| "--set".to_owned()));
        }
        let (text, reason) = (error.to_string(), plain_reason(error.message()));
        let path = text.rsplit_once("in `").and_then(|(_, rest)| rest.split('`').next());
        let path = path.unwrap_or("the config");
        usage(match place(path.rsplit('.').next().unwrap_or(path)) {
            Some(place) => format!("{path} in {place}: {reason}"),
            None => format!("{path}: {reason}"),
        })
    }
}

/// Whether a layer sets `key`, in whatever table.
fn sets(layer: &Table, key: &str) -> bool {
    layer
        .iter()
        .any(|(name, value)| name == key || value.as_table().is_some_and(|table| sets(table, key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_tables::{assignment, in_tables};
    use simclr::train::{LearningRateScaling, OptimizerConfig};

    fn over(text: &str, assignments: &[&str]) -> Result<PretrainConfig> {
        let mut flags = Vec::new();
        for text in assignments {
            let values = in_tables(assignment(text)?).unwrap();
            flags.push(Setting::of_values("--set".to_owned(), values));
        }
        let file = ConfigFile::parse("run.toml", text)?;
        ConfigLayers { recipe: None, file, flags }.over(&PretrainConfig::small(32)?)
    }

    fn message(text: &str, assignments: &[&str]) -> String {
        over(text, assignments).unwrap_err().to_string()
    }

    #[test]
    fn a_file_changes_what_it_names_and_flags_change_the_file() {
        let text = "epochs = 7\n[train]\nseed = 3\n[train.learning_rate]\nbase = 0.5\n";
        let flags = ["seed=4", "augmentation.flip_probability = 0.25", "images.views=device"];
        let PretrainConfig { train, images } = over(text, &flags).unwrap();
        assert_eq!((train.epochs, train.seed, train.learning_rate.base), (7, 4, 0.5));
        assert_eq!(train.learning_rate.scaling, LearningRateScaling::None);
        assert!((images.augmentation.flip_probability - 0.25).abs() < 1e-9);
        assert_eq!(images.views, simclr::train::ViewPath::Device);
        let small = PretrainConfig::small(32).unwrap();
        assert_eq!((train.loss, images.encoder), (small.train.loss, small.images.encoder));
    }

    #[test]
    fn a_table_of_another_kind_is_replaced() {
        let text = "[optimizer]\nkind = \"lars\"\nmomentum = 0.9\nweight_decay = 1e-6\n\
                    trust_coefficient = 0.001\n";
        assert_eq!(over(text, &[]).unwrap().train.optimizer, OptimizerConfig::lars(1e-6));
        let text = "[optimizer]\nweight_decay = 0.5";
        assert_eq!(over(text, &[]).unwrap().train.optimizer, OptimizerConfig::adamw(0.5));
    }

    #[test]
    fn an_optimiser_of_another_kind_has_its_own_defaults_and_one_of_the_same_kind_keeps_its_values()
    {
        let lars = "[optimizer]\nkind = \"lars\"\ntrust_coefficient = 0.01\nweight_decay = 0.5\n";
        let optimizer = |flags: &[&str]| over(lars, flags).unwrap().train.optimizer;
        assert_eq!(optimizer(&["optimizer.kind=adam"]), OptimizerConfig::adam(1e-4));
        let decayed = ["optimizer.kind=adam", "optimizer.weight_decay=0.1"];
        assert_eq!(optimizer(&decayed), OptimizerConfig::adam(0.1));
        assert_eq!(optimizer(&["optimizer.kind=lars"]), optimizer(&[]));
        let message = message(lars, &["optimizer.kind=sgd", "optimizer.trust_coefficient=1"]);
        assert!(message.starts_with("unknown key `trust_coefficient` in --set"), "{message}");
    }

    #[test]
    fn another_loss_keeps_the_temperature() {
        let loss = |flags: &[&str]| {
            let loss = over("", flags).unwrap().train.loss;
            toml::Table::try_from(loss).unwrap().to_string()
        };
        let decoupled = "kind = \"decoupled-nt-xent\"\ntemperature = ";
        assert_eq!(loss(&["loss.kind=decoupled-nt-xent"]), format!("{decoupled}0.2\n"));
        assert_eq!(loss(&["loss.kind=sup-con"]), "kind = \"sup-con\"\ntemperature = 0.2\n");
        let both = ["loss.kind=decoupled-nt-xent", "loss.temperature=0.1"];
        assert_eq!(loss(&both), format!("{decoupled}0.1\n"));
    }

    #[test]
    fn a_mistake_below_the_tables_is_named_with_its_place() {
        assert_eq!(
            message("[augmentation.crop]\nareas = [0.1, 1.0]\n", &[]),
            "unknown key `areas` in run.toml:2; did you mean `area`?"
        );
        assert_eq!(
            message("seed = 3\naugmentation = { crop = { areas = [0.1, 1.0] } }\n", &[]),
            "unknown key `areas` in run.toml:2; did you mean `area`?"
        );
        assert_eq!(
            message("", &["train.loss.temprature=1"]),
            "unknown key `temprature` in --set; did you mean `temperature`?"
        );
        assert_eq!(
            message("[train]\nencoder = \"resnet18\"\n", &[]),
            "unknown key `encoder` in run.toml:2; it belongs to [images]"
        );
        let many = message("seed = 1\nepochs = \"many\"\n", &[]);
        assert!(
            many.starts_with(
                "train.epochs in run.toml:2: expected a whole number of at least 0, found string"
            ),
            "{many}"
        );
        let negative = message("epochs = 3\n", &["epochs=-1"]);
        assert_eq!(
            negative,
            "train.epochs: expected a whole number of at least 0, found integer `-1`"
        );
    }

    #[test]
    fn a_runs_own_config_repeats_it() {
        let mut config = PretrainConfig::small(96).unwrap();
        config.train.epochs = 5;
        let text = toml::to_string(&config).unwrap();
        let text = format!("[made_with]\nsimclr = \"0.2.0\"\n{text}");
        assert_eq!(over(&text, &[]).unwrap(), config);
    }
}
