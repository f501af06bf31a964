//! A value of the config, and who set it.

use toml::{Table, Value};

use crate::config_tables::{merge, nested};

/// A value of the config, and the flag or the place in a file that set it.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// `--lr`, or `train.epochs in run.toml:3`.
    pub(crate) name: String,
    /// The path of the value that the name stands for: `train.learning_rate.base`; empty if it may be any.
    pub(crate) path: String,
    /// The values in their tables.
    pub(crate) values: Table,
}

impl Setting {
    pub(crate) fn new(flag: &str, path: &[&str], value: Value) -> Self {
        Self { name: flag.to_owned(), path: path.join("."), values: nested(path, value) }
    }

    pub(crate) fn of_values(name: String, values: Table) -> Self {
        Self { name, path: String::new(), values }
    }

    /// The setting with another value that goes with it.
    pub(crate) fn and(mut self, path: &[&str], value: Value) -> Self {
        merge(&mut self.values, &nested(path, value));
        self
    }

    /// The values of all settings, each over those before it.
    pub(crate) fn merged(settings: &[Self]) -> Table {
        let mut merged = Table::new();
        for setting in settings {
            merge(&mut merged, &setting.values);
        }
        merged
    }
}
