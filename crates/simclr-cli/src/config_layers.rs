//! A config in layers: each overrides what is below it.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use simclr::train::PretrainConfig;
use toml::{Table, Value};

use crate::failure::usage;
use crate::nearest::nearest;

/// What a config file may hold beside the values of a [`PretrainConfig`].
const OWN_KEYS: [&str; 5] = ["preset", "data", "out", "device", "image_size"];

/// A config file: TOML with the keys of `[pretrain]` in a run's `config.toml`, as many as one likes, and
/// what `simclr` itself needs.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    pub(crate) preset: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) out: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) image_size: Option<u32>,
    /// Everything else.
    pub(crate) values: Table,
    /// For messages.
    name: String,
    text: String,
}

impl ConfigFile {
    /// Reads a config file, or a run's `config.toml`.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        Self::parse(&name, &text)
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let mut values: Table =
            text.parse().map_err(|error| usage(format!("{name} is no TOML: {error}")))?;
        if let Some(Value::Table(run)) = values.remove("pretrain") {
            values.remove("made_with");
            values.extend(run);
        }
        let mut file = Self { name: name.to_owned(), text: text.to_owned(), ..Self::default() };
        file.preset = file.take_text(&mut values, "preset")?;
        file.data = file.take_text(&mut values, "data")?;
        file.out = file.take_text(&mut values, "out")?;
        file.device = file.take_text(&mut values, "device")?;
        file.image_size = match values.remove("image_size") {
            None => None,
            Some(value) => Some(
                value
                    .as_integer()
                    .and_then(|size| u32::try_from(size).ok())
                    .ok_or_else(|| file.expected("image_size", "a number of pixels", &value))?,
            ),
        };
        file.values = values;
        Ok(file)
    }

    fn take_text(&self, values: &mut Table, key: &str) -> Result<Option<String>> {
        match values.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.expected(key, "text in quotes", &other)),
        }
    }

    fn expected(&self, key: &str, expected: &str, found: &Value) -> anyhow::Error {
        usage(format!("expected {key} in {} to be {expected}, found {found}", self.place(key)))
    }

    /// The file, and the line that sets `key` if there is one.
    fn place(&self, key: &str) -> String {
        let sets = |line: &str| {
            let rest = line.trim_start().trim_start_matches('[');
            let name = rest.split(['=', ']']).next().unwrap_or("").trim();
            name == key || name.rsplit('.').next() == Some(key)
        };
        match self.text.lines().position(sets) {
            Some(line) => format!("{}:{}", self.name, line + 1),
            None => self.file_name().to_owned(),
        }
    }

    fn file_name(&self) -> &str {
        if self.name.is_empty() { "the config" } else { &self.name }
    }

    /// `base` with this file's values, and those of `flags`, in that order.
    pub(crate) fn over(&self, base: &PretrainConfig, flags: &Table) -> Result<PretrainConfig> {
        let mut table = Table::try_from(base).context("cannot write the config as TOML")?;
        merge(&mut table, &self.values);
        merge(&mut table, flags);
        PretrainConfig::deserialize(Value::Table(table)).map_err(|error| self.explain(&error))
    }

    /// An unknown key by its place, with the known one that was probably meant.
    fn explain(&self, error: &toml::de::Error) -> anyhow::Error {
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let Some(key) = quoted.next().filter(|_| message.starts_with("unknown field")) else {
            let name = self.file_name();
            return usage(format!("{name}: {}", error.to_string().trim()));
        };
        let known: Vec<&str> = quoted.collect();
        // Only a config as a whole has `epochs`; a section of it has none of our own keys either.
        let own = if known.contains(&"epochs") { &OWN_KEYS[..] } else { &[] };
        let meant = nearest(key, known.iter().chain(own).copied());
        let meant = meant.map_or_else(
            || format!("; known are {}", known.join(", ")),
            |meant| format!("; did you mean `{meant}`?"),
        );
        usage(format!("unknown key `{key}` in {}{meant}", self.place(key)))
    }
}

/// Puts the values of `over` into `base`, table by table. A table of another `kind` replaces the whole.
pub(crate) fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if same_kind(old, new) => merge(old, new),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

fn same_kind(old: &Table, new: &Table) -> bool {
    match (old.get("kind"), new.get("kind")) {
        (Some(old), Some(new)) => old == new,
        _ => true,
    }
}

/// `learning_rate.base=0.01` as a table.
pub(crate) fn assignment(text: &str) -> Result<Table> {
    let expected = || usage(format!("expected --set KEY=VALUE, found `{text}`"));
    let (key, value) = text.split_once('=').ok_or_else(expected)?;
    // A word without quotes is text.
    text.parse()
        .or_else(|_| format!("{key} = '''{}'''", value.trim()).parse())
        .map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr::train::LearningRateScaling;

    fn over(text: &str, flags: &[&str]) -> Result<PretrainConfig> {
        let mut table = Table::new();
        for flag in flags {
            merge(&mut table, &assignment(flag)?);
        }
        ConfigFile::parse("run.toml", text)?.over(&PretrainConfig::small(32)?, &table)
    }

    fn message(text: &str) -> String {
        over(text, &[]).unwrap_err().to_string()
    }

    #[test]
    fn a_file_changes_what_it_names_and_flags_change_the_file() {
        let text = "epochs = 7\nseed = 3\n[learning_rate]\nbase = 0.5\n";
        let config = over(text, &["seed=4", "augmentation.flip_probability = 0.25"]).unwrap();
        assert_eq!((config.epochs, config.seed, config.learning_rate.base), (7, 4, 0.5));
        assert_eq!(config.learning_rate.scaling, LearningRateScaling::None);
        assert!((config.augmentation.flip_probability - 0.25).abs() < 1e-9);
        let rest = PretrainConfig { epochs: 7, seed: 4, ..PretrainConfig::small(32).unwrap() };
        assert_eq!((config.loss, config.encoder), (rest.loss, rest.encoder));
    }

    #[test]
    fn a_table_of_another_kind_is_replaced() {
        let text = "[optimizer]\nkind = \"lars\"\nmomentum = 0.9\nweight_decay = 1e-6\n\
                    trust_coefficient = 0.001\n";
        let config = over(text, &["loss.kind=decoupled-nt-xent", "loss.temperature=0.1"]);
        let config = config.unwrap();
        assert_eq!(config.optimizer, simclr::train::OptimizerConfig::lars(1e-6));
        assert_eq!(
            over("[optimizer]\nweight_decay = 0.5", &[]).unwrap().optimizer,
            simclr::train::OptimizerConfig::adamw(0.5)
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
        assert_eq!(
            message("seed = 1\nepoch = 3\n"),
            "unknown key `epoch` in run.toml:2; did you mean `epochs`?"
        );
        assert_eq!(
            message("devise = \"cpu\"\n"),
            "unknown key `devise` in run.toml:1; did you mean `device`?"
        );
        assert_eq!(
            message("[augmentation.crop]\nareas = [0.1, 1.0]\n"),
            "unknown key `areas` in run.toml:2; did you mean `area`?"
        );
        let nonsense = message("xyzzy = 1\n");
        assert!(nonsense.starts_with("unknown key `xyzzy` in run.toml:1; known are seed, epochs"));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named() {
        assert_eq!(
            message("device = 3\n"),
            "expected device in run.toml:1 to be text in quotes, found 3"
        );
        assert_eq!(
            message("image_size = -1\n"),
            "expected image_size in run.toml:1 to be a number of pixels, found -1"
        );
        assert!(message("epochs = \"many\"\n").contains("epochs"));
        assert!(message("epochs = \n").starts_with("run.toml is no TOML"));
    }

    #[test]
    fn a_runs_own_config_repeats_it() {
        let config = PretrainConfig { epochs: 5, ..PretrainConfig::small(96).unwrap() };
        let text = format!(
            "[made_with]\nsimclr = \"0.1.0\"\n[pretrain]\n{}",
            toml::to_string(&config).unwrap().replace("\n[", "\n[pretrain.")
        );
        assert_eq!(over(&text, &[]).unwrap(), config);
    }
}
