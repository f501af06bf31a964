//! What to train and how: a preset, a config file, and flags, each overriding the one before.

use std::num::ParseFloatError;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Result};
use clap::Args;
use simclr::data::ImageDataset;
use simclr::model::{EncoderConfig, Stem};
use simclr::train::{Precision, PretrainConfig, Recipe};
use toml::{Table, Value};

use crate::config_layers::{ConfigFile, assignment, merge};

/// The largest view unless told otherwise: what a CPU trains on in minutes.
const DEFAULT_LARGEST_SIZE: u32 = 64;

#[derive(Args)]
pub(crate) struct ConfigArgs {
    /// Config file in TOML: the keys of `[pretrain]` in a run's config.toml, as many as you like, and
    /// preset, data, out, device, image_size
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A published recipe to start from: imagenet-paper, imagenet-google, cifar10-paper,
    /// cifar10-google, stl10-uva [default: a small encoder that suits a CPU]
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Width and height of a view in pixels [default: as the images, at most 64]
    #[arg(long, value_name = "N")]
    image_size: Option<u32>,
    /// resnet50, resnet18x0.25 (a quarter of its width), resnet18_cifar (for images of about 32
    /// pixels), efficientnet_b0, vit_tiny_p8_i32, ... [default: resnet18x0.25_gamma1,
    /// up to 32 pixels resnet18x0.25_cifar_gamma1]
    #[arg(long, value_name = "NAME")]
    encoder: Option<EncoderConfig>,
    /// Passes over the images [default: 30]
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Passes over which the learning rate rises to its peak
    #[arg(long, value_name = "N")]
    warmup_epochs: Option<u32>,
    /// Images in a step, each in two views [default: 64]
    #[arg(long, value_name = "N")]
    batch_size: Option<u32>,
    /// Images that are encoded at a time, for batches larger than memory
    #[arg(long, value_name = "N")]
    chunk_size: Option<u32>,
    /// Steps between two checkpoints [default: a pass over the images]
    #[arg(long, value_name = "N")]
    steps_per_epoch: Option<u32>,
    /// nt-xent or decoupled-nt-xent
    #[arg(long, value_name = "NAME")]
    loss: Option<String>,
    /// Temperature of the loss [default: 0.2]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Peak learning rate, or `auto`: try them out first [default: 0.002]
    #[arg(
        long = "lr",
        visible_alias = "learning-rate",
        value_name = "RATE|auto",
        allow_negative_numbers = true
    )]
    pub(crate) learning_rate: Option<PeakRate>,
    /// Smallest share of an image's area that a crop keeps, in 0..=1: larger where the composition says
    /// what is in a photo, as with objects photographed one by one [default: 0.2]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    smallest_crop: Option<f64>,
    /// Seed of weights, order and views
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Compute the views on the device instead of the CPU's cores
    #[arg(long)]
    views_on_device: bool,
    /// What the encoder computes in: f32, bf16 or f16, if the device has it
    #[arg(long, value_name = "NAME")]
    precision: Option<Precision>,
    /// Any other value of the config, such as `optimizer.weight_decay=0.001`; may be given again
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

/// What `--lr` says.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PeakRate {
    /// What a range test suggests.
    Auto,
    Given(f64),
}

impl FromStr for PeakRate {
    type Err = ParseFloatError;

    fn from_str(text: &str) -> Result<Self, ParseFloatError> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Given) }
    }
}

impl ConfigArgs {
    /// Whether any flag asks for something: what a run that is resumed cannot have, but for its epochs.
    pub(crate) fn epochs(&self) -> Option<usize> {
        self.epochs.map(|epochs| epochs as usize)
    }

    /// The config file, if one is given.
    pub(crate) fn file(&self) -> Result<ConfigFile> {
        self.config.as_deref().map_or_else(|| Ok(ConfigFile::default()), ConfigFile::read)
    }

    /// The config for `images`.
    pub(crate) fn resolve(
        &self,
        file: &ConfigFile,
        images: &dyn ImageDataset,
    ) -> Result<PretrainConfig> {
        let flags = self.flags()?;
        let base = self.base(file, &flags, images)?;
        file.over(&base, &flags)
    }

    /// What everything else overrides.
    fn base(
        &self,
        file: &ConfigFile,
        flags: &Table,
        images: &dyn ImageDataset,
    ) -> Result<PretrainConfig> {
        let of = |table: &Table| {
            let size = table.get("augmentation")?.as_table()?.get("size")?.as_integer()?;
            u32::try_from(size).ok()
        };
        let size = self.image_size.or_else(|| of(flags)).or(file.image_size);
        let size = size.or_else(|| of(&file.values));
        let Some(preset) = self.preset.as_ref().or(file.preset.as_ref()) else {
            let size = size.map_or_else(|| size_of_first(images), Ok)?;
            return Ok(PretrainConfig::small(size)?);
        };
        let mut config = preset.parse::<Recipe>()?.config();
        if let Some(size) = size {
            config.augmentation = config.augmentation()?.with_size(size)?.config().clone();
            if let EncoderConfig::ResNet(resnet) = &mut config.encoder {
                resnet.stem = Stem::for_image_size(size);
            }
        }
        Ok(config)
    }

    /// The flags as a layer of the config.
    fn flags(&self) -> Result<Table> {
        let mut flags = Table::new();
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                flags.insert(key.to_owned(), value);
            }
        };
        let count = |value: Option<u32>| value.map(|value| Value::Integer(i64::from(value)));
        let text = |value: String| Value::String(value);
        set("epochs", count(self.epochs));
        set("warmup_epochs", count(self.warmup_epochs));
        set("batch_size", count(self.batch_size));
        set("chunk_size", count(self.chunk_size));
        set("steps_per_epoch", count(self.steps_per_epoch));
        set("seed", count(self.seed));
        set("encoder", self.encoder.as_ref().map(|encoder| text(encoder.to_string())));
        set("precision", self.precision.map(Value::try_from).transpose()?);
        set("views", self.views_on_device.then(|| text("device".to_owned())));
        let mut loss = Table::new();
        if let Some(kind) = &self.loss {
            loss.insert("kind".to_owned(), text(kind.clone()));
        }
        if let Some(temperature) = self.temperature {
            loss.insert("temperature".to_owned(), Value::Float(temperature));
        }
        set("loss", (!loss.is_empty()).then_some(Value::Table(loss)));
        if let Some(smallest) = self.smallest_crop {
            merge(&mut flags, &assignment(&format!("augmentation.crop.area=[{smallest:?}, 1.0]"))?);
        }
        if let Some(PeakRate::Given(rate)) = self.learning_rate {
            let rate = [("base", Value::Float(rate)), ("scaling", text("none".to_owned()))];
            let rate = rate.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            flags.insert("learning_rate".to_owned(), Value::Table(rate));
        }
        for text in &self.assignments {
            merge(&mut flags, &assignment(text)?);
        }
        Ok(flags)
    }
}

/// The side of the first image, as far as a CPU likes it.
fn size_of_first(images: &dyn ImageDataset) -> Result<u32> {
    let readable = (0..images.len().min(100)).find_map(|index| images.image(index).ok());
    let first = match readable {
        Some(image) => image,
        None => images.image(0).context("the size of the views is taken from the first image")?,
    };
    Ok(first.width().min(first.height()).min(DEFAULT_LARGEST_SIZE))
}
