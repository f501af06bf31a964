//! A config file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result};
use simclr::train::{FirstWeights, Recipe};
use toml::{Table, Value};

use crate::config_tables::{UnknownKey, in_tables, merge, nested};
use crate::failure::usage;
use crate::setting::Setting;

/// What a config file may hold beside the values of a config.
const OWN_KEYS: [&str; 5] = ["recipe", "data", "out", "device", "image_size"];

/// A config file, or a run's `config.toml`: TOML with any of the values of `[train]` and `[images]`, and what `simclr`
/// itself needs.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    pub(crate) recipe: Option<Recipe>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) device: Option<String>,
    /// Where the encoder of the run began whose `config.toml` it is.
    pub(crate) weights: Option<FirstWeights>,
    /// The values of the config, in their tables.
    pub(crate) values: Table,
    /// For messages.
    name: String,
    text: String,
}

impl ConfigFile {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        Self::parse(&name, &text)
    }

    pub(crate) fn parse(name: &str, text: &str) -> Result<Self> {
        let mut values: Table = text.parse().map_err(|error| not_toml(name, text, &error))?;
        let mut file = Self { name: name.to_owned(), text: text.to_owned(), ..Self::default() };
        let made_with = values.remove("made_with");
        let weights = made_with.as_ref().and_then(|table| table.get("weights")).cloned();
        if let Some(weights) = weights {
            let first = weights.clone().try_into();
            let expected = || file.expected("weights", "a table with the path of a file", &weights);
            file.weights = Some(first.map_err(|_| expected())?);
        }
        if let Some(recipe) = file.take_text(&mut values, "recipe")? {
            let place = || file.place("recipe").unwrap_or_default();
            file.recipe = Some(recipe.parse().with_context(place)?);
        }
        file.data = file.take_text(&mut values, "data")?.map(PathBuf::from);
        file.out = file.take_text(&mut values, "out")?.map(PathBuf::from);
        file.device = file.take_text(&mut values, "device")?;
        let size = values.remove("image_size");
        file.values = in_tables(values).map_err(|unknown| file.unknown_key(unknown))?;
        if let Some(size) = size {
            let pixels = size.as_integer().and_then(|size| u32::try_from(size).ok());
            let pixels =
                pixels.ok_or_else(|| file.expected("image_size", "a number of pixels", &size))?;
            let path = ["images", "augmentation", "size"];
            merge(&mut file.values, &nested(&path, Value::from(pixels)));
        }
        Ok(file)
    }

    fn take_text(&self, values: &mut Table, key: &str) -> Result<Option<String>> {
        match values.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.expected(key, "text in quotes", &other)),
        }
    }

    fn expected(&self, key: &str, expected: &str, found: &Value) -> Error {
        let place = self.place(key).unwrap_or_else(|| self.name.clone());
        usage(format!("expected {key} in {place} to be {expected}, found {found}"))
    }

    fn unknown_key(&self, unknown: UnknownKey) -> Error {
        let UnknownKey { key, mut known } = unknown;
        let place = self.place(&key).unwrap_or_else(|| self.name.clone());
        known.extend(OWN_KEYS.map(str::to_owned));
        UnknownKey { key, known }.at(&place)
    }

    /// The values that the file sets, key by key of its tables.
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let tables = self.values.iter().filter_map(|(table, keys)| Some((table, keys.as_table()?)));
        let keys = tables.flat_map(|(table, keys)| keys.iter().map(move |key| (table, key)));
        let settings = keys.map(|(table, (key, value))| {
            let place = self.place(key).unwrap_or_else(|| self.name.clone());
            let name = format!("{table}.{key} in {place}");
            Setting { name, ..Setting::new("", &[table, key], value.clone()) }
        });
        settings.collect()
    }

    /// The file and the line that sets `key`, if one does.
    pub(crate) fn place(&self, key: &str) -> Option<String> {
        let opens = |line: &str| {
            let rest = line.trim_start().trim_start_matches('[');
            let name = rest.split(['=', ']']).next().unwrap_or("").trim();
            name == key || name.rsplit('.').next() == Some(key)
        };
        // A key of an inline table stands anywhere in its line.
        let holds = |line: &str| {
            let rest = line.split('#').next().unwrap_or("");
            rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').any(|w| w == key)
        };
        let mut lines = self.text.lines();
        let line = lines.clone().position(opens).or_else(|| lines.position(holds))?;
        Some(format!("{}:{}", self.name, line + 1))
    }
}

/// The error for a file that cannot be parsed, in one line.
fn not_toml(name: &str, text: &str, error: &toml::de::Error) -> Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
    let line = before.matches('\n').count() + 1;
    usage(format!("{name}:{line} is not TOML: {}", error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        format!("{:#}", ConfigFile::parse("run.toml", text).unwrap_err())
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
        assert!(message("recipe = \"x\"\n").starts_with("run.toml:1: expected a recipe out of"));
        let broken = message("seed = 1\nepochs = \"\nout = 3\n");
        assert!(broken.starts_with("run.toml:2 is not TOML: "), "{broken}");
    }

    #[test]
    fn what_simclr_itself_needs_is_no_part_of_the_config() {
        let text = "recipe = \"stl10\"\ndata = \"photos\"\ndevice = \"wgpu:1\"\nimage_size = 24\n\
                    [made_with]\nsimclr = \"0.2.0\"\nweights.path = \"old.pth\"\n";
        let file = ConfigFile::parse("run.toml", text).unwrap();
        assert_eq!(file.recipe, Some(Recipe::Stl10Uva));
        assert_eq!(file.data.as_deref(), Some(Path::new("photos")));
        let first = FirstWeights { path: "old.pth".into(), published: None, prefix: None };
        assert_eq!(file.weights, Some(first));
        assert_eq!(file.device.as_deref(), Some("wgpu:1"));
        let size = nested(&["images", "augmentation", "size"], Value::from(24));
        assert_eq!(file.values, size);
    }
}
