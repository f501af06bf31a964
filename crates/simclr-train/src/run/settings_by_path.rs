//! The values of a config, each by its path.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// All values of tables in tables, each by its path, such as `train.learning_rate.base`. A list is one value.
///
/// ```
/// use simclr_train::settings_by_path;
///
/// let tables: toml::Table = "[train]\nseed = 1\n[train.loss]\nkind = \"nt-xent\"".parse()?;
/// let settings = settings_by_path(&tables);
/// assert_eq!(settings["train.loss.kind"].as_str(), Some("nt-xent"));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[must_use]
pub fn settings_by_path(tables: &Table) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::new();
    collect("", tables, &mut settings);
    settings
}

fn collect(prefix: &str, table: &Table, settings: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => collect(&format!("{path}."), inner, settings),
            value => {
                settings.insert(path, value.clone());
            }
        }
    }
}
