//! Whether a run that is resumed is the one that was begun.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::TrainError;
use crate::run::first_weights::FirstWeights;
use crate::run::run_config::RunConfig;

/// The settings of a run's `config.toml`, by path, that may change when it is resumed: its length, what only decides
/// when it gives up or ends, and what only watches.
pub const RESUMABLE_SETTINGS: [&str; 5] = [
    "train.epochs",
    "train.max_skipped",
    "train.stop_when_flat",
    "train.monitor_every",
    "images.monitor_images",
];

/// Refuses settings, a subject or first weights that are not those of the run in `path`.
pub(crate) fn check_settings(
    path: &Path,
    run: &RunConfig,
    asked: &RunConfig,
) -> Result<(), TrainError> {
    let other = |field: &str, expected: Option<String>, found: Option<String>| {
        let [expected, found] =
            [expected, found].map(|value| value.unwrap_or_else(|| "none".to_owned()));
        let (path, field) = (path.to_owned(), field.to_owned());
        Err(TrainError::OtherConfig { path, field, expected, found })
    };
    let (run_values, asked_values) = (settings(run), settings(asked));
    let names: BTreeSet<&String> = run_values.keys().chain(asked_values.keys()).collect();
    for name in names.into_iter().filter(|name| !RESUMABLE_SETTINGS.contains(&name.as_str())) {
        let (found, expected) = (run_values.get(name), asked_values.get(name));
        if found != expected {
            return other(name, expected.map(ToString::to_string), found.map(ToString::to_string));
        }
    }
    let [found, expected] = [run, asked].map(|config| config.made_with.weights.as_ref());
    let is_runs = |asked| found.is_some_and(|run: &FirstWeights| run.is_same(asked));
    if expected.is_some_and(|asked| !is_runs(asked)) {
        let [expected, found] = [expected, found].map(|weights| weights.map(ToString::to_string));
        return other("weights", expected, found);
    }
    Ok(())
}

/// Refuses examples that are not those of the run in `path`: by their checksum, or by their description where there is
/// none.
pub(crate) fn check_data(
    path: &Path,
    run: &RunConfig,
    asked: &RunConfig,
) -> Result<(), TrainError> {
    let (run, asked) = (&run.made_with, &asked.made_with);
    let difference = match (&run.checksum, &asked.checksum) {
        (Some(run), Some(asked)) => run.difference(asked),
        _ if run.data == asked.data => None,
        _ => Some(format!("it was \"{}\" and now is \"{}\"", run.data, asked.data)),
    };
    let other = |difference| Err(TrainError::OtherData { path: path.to_owned(), difference });
    difference.map_or(Ok(()), other)
}

/// The settings of a run's `[train]` and subject by path: `train.epochs`.
fn settings(config: &RunConfig) -> toml::Table {
    let train = toml::Value::try_from(&config.train);
    let train = train.expect("a config holds nothing that TOML cannot write");
    let mut tables = config.subject.clone();
    tables.insert("train".to_owned(), train);
    let of_table = |(table, values): (String, toml::Value)| {
        let values = values.as_table().cloned().unwrap_or_default();
        values.into_iter().map(move |(name, value)| (format!("{table}.{name}"), value))
    };
    tables.into_iter().flat_map(of_table).collect()
}
