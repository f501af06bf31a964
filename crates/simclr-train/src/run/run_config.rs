//! `config.toml` of a run: what ran, and where.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::train_config::TrainConfig;

/// `config.toml` of a run: exactly what ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Where the run was made.
    pub made_with: MadeWith,
    /// How it trained.
    pub train: TrainConfig,
    /// What was trained, and on which views: one table, named by who started the run. Image pretraining's is
    /// `[images]`, an [`ImageConfig`](crate::ImageConfig).
    #[serde(flatten)]
    pub subject: toml::Table,
}

/// What a run depends on beside its config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeWith {
    /// Version of this crate.
    pub simclr: String,
    /// Git revision this crate was built from, or "unknown".
    pub revision: String,
    /// The device by its name, as [`device_from_name`](crate::device_from_name) takes it.
    pub device: String,
    /// What the views were made from, in words.
    pub data: String,
    /// The file that the encoder's first weights came from; `None` if they were drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
}

impl MadeWith {
    pub(crate) fn now(device: String, data: String) -> Self {
        Self {
            simclr: env!("CARGO_PKG_VERSION").to_owned(),
            revision: env!("SIMCLR_GIT_REVISION").to_owned(),
            device,
            data,
            weights: None,
        }
    }
}

impl RunConfig {
    /// Refuses what a run never writes: more than one subject, or one that is no table.
    pub(crate) fn checked(self) -> Result<Self, String> {
        let stray = self.subject.iter().find(|(_, value)| !value.is_table());
        if let Some((name, _)) = stray {
            return Err(format!("unknown field `{name}`"));
        }
        match self.subject.len() {
            0 | 1 => Ok(self),
            found => {
                Err(format!("expected one table beside [made_with] and [train], found {found}"))
            }
        }
    }

    /// The table `name` of [`subject`](Self::subject) as the type it was made from.
    ///
    /// # Errors
    ///
    /// In words: the run has no such table, or it holds something else.
    pub fn subject<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        let Some(values) = self.subject.get(name) else {
            let found: Vec<&str> = self.subject.keys().map(String::as_str).collect();
            return Err(format!("expected a table [{name}], found [{}]", found.join("], [")));
        };
        values.clone().try_into().map_err(|error| format!("[{name}]: {error}").trim().to_owned())
    }
}
