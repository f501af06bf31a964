//! The tables of a config, and the keys that each has.

use anyhow::{Error, Result};
use simclr::train::{ImageConfig, TrainConfig};
use toml::{Table, Value};

use crate::failure::usage;
use crate::field_names::field_names;
use crate::nearest::nearest;

/// The key that a loss keeps when it becomes another one.
const TEMPERATURE: &str = "temperature";

/// Each table of a config with its keys. No key is in both.
fn tables() -> [(&'static str, &'static [&'static str]); 2] {
    [("train", field_names::<TrainConfig>()), ("images", field_names::<ImageConfig>())]
}

fn table_with(key: &str) -> Option<&'static str> {
    tables().into_iter().find(|(_, keys)| keys.contains(&key)).map(|(name, _)| name)
}

/// Moves keys that are written without their table into it: `epochs` is short for `train.epochs`.
pub(crate) fn in_tables(values: Table) -> Result<Table, UnknownKey> {
    let is_table = |key: &str| tables().iter().any(|(name, _)| *name == key);
    let (mut in_tables, short): (Table, Table) =
        values.into_iter().partition(|(key, _)| is_table(key));
    for (key, value) in short {
        let Some(table) = table_with(&key) else { return Err(UnknownKey::of_config(key)) };
        merge(&mut in_tables, &nested(&[table, &key], value));
    }
    Ok(in_tables)
}

/// The table that holds nothing but `value`, at `path`.
pub(crate) fn nested(path: &[&str], value: Value) -> Table {
    let at = |value, key: &&str| Value::Table(Table::from_iter([((*key).to_owned(), value)]));
    match path.iter().rev().fold(value, at) {
        Value::Table(table) => table,
        _ => Table::new(),
    }
}

/// Puts the values of `over` into `base`, table by table. A table of another `kind` replaces the old one, since its
/// keys are others; only a loss keeps its temperature.
pub(crate) fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if same_kind(old, new) => merge(old, new),
            (Some(Value::Table(old)), Value::Table(new)) => {
                let temperature = old.remove(TEMPERATURE);
                old.clone_from(new);
                if let Some(temperature) = temperature {
                    old.entry(TEMPERATURE).or_insert(temperature);
                }
            }
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

/// A key that its table doesn't have.
#[derive(Debug)]
pub(crate) struct UnknownKey {
    pub(crate) key: String,
    /// The keys that are known there.
    pub(crate) known: Vec<String>,
}

impl UnknownKey {
    /// A key without a table that neither table has.
    fn of_config(key: String) -> Self {
        let known = tables().into_iter().flat_map(|(_, keys)| keys);
        Self { key, known: known.map(|&key| key.to_owned()).collect() }
    }

    /// Out of Serde's message, if it is about such a key.
    pub(crate) fn in_message(message: &str) -> Option<Self> {
        let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
        let key = quoted.next()?.to_owned();
        Some(Self { key, known: quoted.map(str::to_owned).collect() })
    }

    /// The error for such a key at `place`: with the table that it belongs to, or the key that was probably meant.
    pub(crate) fn at(&self, place: &str) -> Error {
        let Self { key, known } = self;
        let meant = match (table_with(key), nearest(key, known.iter().map(String::as_str))) {
            (Some(table), _) => format!("; it belongs to [{table}]"),
            (None, Some(meant)) => format!("; did you mean `{meant}`?"),
            (None, None) => format!("; known are {}", known.join(", ")),
        };
        usage(format!("unknown key `{key}` in {place}{meant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_in_both_tables() {
        let [(_, train), (_, images)] = tables();
        assert!(train.contains(&"chunk_size") && images.contains(&"encoder"));
        assert!(train.iter().all(|key| !images.contains(key)), "{train:?}, {images:?}");
    }

    #[test]
    fn keys_find_their_tables_whether_they_name_them_or_not() {
        let long =
            "[train]\nepochs = 3\n[train.loss]\ntemperature = 0.5\n[images]\nencoder = \"mlp\"\n";
        let short = "epochs = 3\nencoder = \"mlp\"\n[loss]\ntemperature = 0.5\n";
        let [long, short] = [long, short].map(|text| in_tables(text.parse().unwrap()).unwrap());
        assert_eq!(long, short);
        assert_eq!(in_tables(assignment("epoch = 3").unwrap()).unwrap_err().key, "epoch");
    }

    #[test]
    fn a_word_without_quotes_is_text_and_a_word_without_a_value_is_nothing() {
        let value = |text: &str| assignment(text).unwrap()["a"].clone();
        assert_eq!((value("a=b c"), value("a=2")), (Value::from("b c"), Value::from(2)));
        assert!(assignment("a").is_err() && assignment("a b=1").is_err());
    }
}
