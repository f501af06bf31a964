//! `config.toml` of a run.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::train_config::TrainConfig;
use crate::run::data_checksum::DataChecksum;
use crate::run::epoch_change::EpochChange;
use crate::run::first_weights::FirstWeights;
use crate::run::image_source::ImageSource;

/// `config.toml` of a run: all settings, and where they ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Program, device and data of the run.
    pub made_with: MadeWith,
    /// The settings of training.
    pub train: TrainConfig,
    /// The settings of encoder and views: one table, whose name the caller of
    /// [`Trainer::with_subject`](crate::Trainer::with_subject) gives. Image pretraining writes `[images]`, an
    /// [`ImageConfig`](crate::ImageConfig).
    #[serde(flatten)]
    pub subject: toml::Table,
}

/// Program, device and data of a run: the result depends on them too.
///
/// A run that is resumed writes it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeWith {
    /// Version of this crate.
    pub simclr: String,
    /// Git revision from which this crate was built, or "unknown".
    pub revision: String,
    /// The device's name, see [`device_from_name`](crate::device_from_name); of several devices, the names with commas.
    pub device: String,
    /// The number of devices. A file without it is of one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub devices: usize,
    /// The data set, in words.
    pub data: String,
    /// The encoder's first weights; `None` if they were drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<FirstWeights>,
    /// Where the images are; `None` if the run was not told, or knows no images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ImageSource>,
    /// What identifies the images; `None` if the run knows no images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<DataChecksum>,
    /// The numbers of epochs that the run had before, if it was resumed with another one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub epoch_changes: Vec<EpochChange>,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_one(devices: &usize) -> bool {
    *devices == 1
}

impl MadeWith {
    pub(crate) fn now(device: String, devices: usize, data: String) -> Self {
        Self {
            simclr: env!("CARGO_PKG_VERSION").to_owned(),
            revision: env!("SIMCLR_GIT_REVISION").to_owned(),
            device,
            devices,
            data,
            weights: None,
            source: None,
            checksum: None,
            epoch_changes: Vec::new(),
        }
    }
}

impl RunConfig {
    /// Refuses a config that no run writes: with several subjects, or with one that is not a table.
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

    /// Reads the table `name` of [`subject`](Self::subject) back into its type.
    ///
    /// # Errors
    ///
    /// In words, if the run has no such table, or if the table has other fields.
    pub fn subject<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        let Some(values) = self.subject.get(name) else {
            let found: Vec<&str> = self.subject.keys().map(String::as_str).collect();
            return Err(format!("expected a table [{name}], found [{}]", found.join("], [")));
        };
        // The reason's second line says in which key.
        values.clone().try_into().map_err(|error: toml::de::Error| {
            format!("[{name}]: {}", error.to_string().trim().replace('\n', " "))
        })
    }
}
