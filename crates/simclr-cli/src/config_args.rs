//! Flags that say what to train and how.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use simclr::augment::Normalization;
use simclr::model::EncoderConfig;
use simclr::train::{MonitorEvery, Precision, Recipe};
use toml::Value;

use crate::config_file::ConfigFile;
use crate::config_layers::ConfigLayers;
use crate::config_tables::{assignment, in_tables};
use crate::setting::Setting;

#[derive(Args)]
pub(crate) struct ConfigArgs {
    /// Config file in TOML: any keys of [train] and [images] in a run's config.toml, and recipe, data,
    /// out, device, image_size
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Published recipe to start from: imagenet-paper, imagenet-google, cifar10-paper,
    /// cifar10-google, stl10-uva [default: a small encoder that suits a CPU]
    #[arg(long, value_name = "NAME")]
    recipe: Option<Recipe>,
    /// Width and height of a view in pixels [default: as the images, at most 64; sample: 48]
    #[arg(long, value_name = "N")]
    image_size: Option<u32>,
    /// Network to train: resnet50, resnet18x0.25 (a quarter of the width), resnet18_cifar (for images
    /// of about 32 pixels), efficientnet_b0, vit_tiny_p8_i32, ... [default: resnet18x0.25_gamma1, up
    /// to 32 pixels resnet18x0.25_cifar_gamma1]
    #[arg(long, value_name = "NAME")]
    encoder: Option<EncoderConfig>,
    /// Number of epochs [default: 30; sample: 14]
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Epochs over which the learning rate rises to its peak [default: 1]
    #[arg(long, value_name = "N")]
    warmup_epochs: Option<u32>,
    /// Steps of an epoch; each epoch ends with a checkpoint [default: one pass over the images]
    #[arg(long, value_name = "N")]
    steps_per_epoch: Option<u32>,
    /// Images in a step, each in two views or as many as --views says [default: 64]
    #[arg(long, value_name = "N")]
    batch_size: Option<u32>,
    /// Images that are encoded at a time, for batches larger than memory [default: the whole batch]
    #[arg(long, value_name = "N")]
    chunk_size: Option<u32>,
    /// Views of each image in a step, 2 to 16, all of them each other's positives; more views of fewer images may learn
    /// more in the same time [default: 2]
    #[arg(long, value_name = "N")]
    views: Option<u32>,
    /// Smaller views of smaller crops beside them, so many of each image
    #[arg(long, value_name = "N")]
    local_views: Option<u32>,
    /// Width and height of a smaller view in pixels [default: half of the others']
    #[arg(long, value_name = "N")]
    local_size: Option<u32>,
    /// Width and height of views in the first pass over the images, in pixels; they grow to the full size over
    /// --growing-passes passes
    #[arg(long, value_name = "N", requires = "growing_passes")]
    first_size: Option<u32>,
    /// Passes over the images after which views have their full size
    #[arg(long, value_name = "N", requires = "first_size")]
    growing_passes: Option<u32>,
    /// Loss; sup-con learns from the labels of the training images too [default: nt-xent]
    #[arg(long, value_name = "NAME", value_parser = ["nt-xent", "poly-view", "decoupled-nt-xent", "sup-con"])]
    loss: Option<String>,
    /// Temperature of the loss [default: 0.2]
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Optimiser, with its own defaults: weight decay 0.0001, momentum 0.9 [default: adamw]
    #[arg(long, value_name = "NAME", value_parser = ["adamw", "adam", "sgd", "lars"])]
    optimizer: Option<String>,
    /// Peak learning rate [default: 0.002; sample: 0.0065]
    #[arg(
        long = "lr",
        visible_alias = "learning-rate",
        value_name = "RATE",
        allow_negative_numbers = true
    )]
    learning_rate: Option<f64>,
    /// Smallest share of an image's area that a crop keeps, in 0..=1; a larger one helps where the
    /// composition tells what a photo shows, as with products on a plain ground [default: 0.2]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    smallest_crop: Option<f64>,
    /// How pixels are normalised: imagenet, cifar10, centred, none or stl10; `--set augmentation.normalization.mean=...`
    /// takes other numbers [default: as the training of --weights, else as the recipe, else centred, up to 32 pixels
    /// cifar10]
    #[arg(long, value_name = "NAME")]
    normalize: Option<Normalization>,
    /// Crop as CIFAR's recipes do, instead of zooming in: pad each side of the image by so many pixels of a view, black,
    /// and cut out a window of the view's size
    #[arg(long, value_name = "PIXELS", conflicts_with = "smallest_crop")]
    padded_crop: Option<u32>,
    /// Seed of weights, order and views [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Compute the views on the device instead of the CPU's cores
    #[arg(long)]
    views_on_device: bool,
    /// Number format that the encoder computes in: f32, bf16 or f16, if the device has it
    /// [default: f32]
    #[arg(long, value_name = "NAME")]
    precision: Option<Precision>,
    /// Share of the images, in 0..=1, that may be unreadable and are skipped; the run stops where more are, with 0 at
    /// the first [default: 0.1]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    max_skipped: Option<f64>,
    /// End the run if the contrastive top-1, averaged over an epoch, has not risen for N epochs [default: train for all]
    #[arg(long, value_name = "N")]
    stop_when_flat: Option<u32>,
    /// Most images that watch the run: so many of the training set vote by kNN on so many of the test set, equally of each
    /// class, and teach the linear probe at its end [default: 5000]
    #[arg(long, value_name = "N")]
    monitor_images: Option<u32>,
    /// How often the run is watched: before training, after every N-th epoch and after the last, or never [default: 1]
    #[arg(long, value_name = "N|never")]
    monitor_every: Option<MonitorEvery>,
    /// Any value of the config, such as `optimizer.weight_decay=0.001`; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

impl ConfigArgs {
    /// Reads the config file, if one is given, and checks the names of all keys.
    pub(crate) fn layers(&self) -> Result<ConfigLayers> {
        let flags = self.settings()?;
        let file =
            self.config.as_deref().map_or_else(|| Ok(ConfigFile::default()), ConfigFile::read)?;
        Ok(ConfigLayers { recipe: self.recipe, file, flags })
    }

    /// The values that the flags set.
    fn settings(&self) -> Result<Vec<Setting>> {
        let mut settings = Vec::new();
        let mut set = |flag: &str, path: &[&str], value: Option<Value>| {
            settings.extend(value.map(|value| Setting::new(flag, path, value)));
        };
        let text = |text: &str| Value::from(text);
        set("--epochs", &["train", "epochs"], self.epochs.map(Value::from));
        set("--warmup-epochs", &["train", "warmup_epochs"], self.warmup_epochs.map(Value::from));
        set(
            "--steps-per-epoch",
            &["train", "steps_per_epoch"],
            self.steps_per_epoch.map(Value::from),
        );
        set("--batch-size", &["train", "batch_size"], self.batch_size.map(Value::from));
        set("--chunk-size", &["train", "chunk_size"], self.chunk_size.map(Value::from));
        set("--seed", &["train", "seed"], self.seed.map(Value::from));
        set("--max-skipped", &["train", "max_skipped"], self.max_skipped.map(Value::from));
        let flat = self.stop_when_flat.map(Value::from);
        set("--stop-when-flat", &["train", "stop_when_flat"], flat);
        let every = self.monitor_every.map(Value::try_from).transpose()?;
        set("--monitor-every", &["train", "monitor_every"], every);
        let images = self.monitor_images.map(Value::from);
        set("--monitor-images", &["images", "monitor_images"], images);
        let precision = self.precision.map(Value::try_from).transpose()?;
        set("--precision", &["train", "precision"], precision);
        set("--views", &["images", "views_per_image"], self.views.map(Value::from));
        let count = self.local_views.map(Value::from);
        set("--local-views", &["images", "local_views", "count"], count);
        let size = self.local_size.map(Value::from);
        set("--local-size", &["images", "local_views", "size"], size);
        let size = self.first_size.map(Value::from);
        set("--first-size", &["images", "growing_views", "first_size"], size);
        let passes = self.growing_passes.map(Value::from);
        set("--growing-passes", &["images", "growing_views", "passes"], passes);
        set("--loss", &["train", "loss", "kind"], self.loss.as_deref().map(text));
        set("--temperature", &["train", "loss", "temperature"], self.temperature.map(Value::from));
        let optimizer = self.optimizer.as_deref().map(text);
        set("--optimizer", &["train", "optimizer", "kind"], optimizer);
        let encoder = self.encoder.as_ref().map(|name| text(&name.to_string()));
        set("--encoder", &["images", "encoder"], encoder);
        let on_device = self.views_on_device.then(|| text("device"));
        set("--views-on-device", &["images", "views"], on_device);
        let size = self.image_size.map(Value::from);
        set("--image-size", &["images", "augmentation", "size"], size);
        let area = self.smallest_crop.map(|smallest| Value::from(vec![smallest, 1.0]));
        set("--smallest-crop", &["images", "augmentation", "crop", "area"], area);
        let normalization = self.normalize.as_ref().map(|kind| text(&kind.to_string()));
        set("--normalize", &["images", "augmentation", "normalization"], normalization);
        let padding = ["images", "augmentation", "padded_crop", "padding"];
        set("--padded-crop", &padding, self.padded_crop.map(Value::from));
        if let Some(rate) = self.learning_rate {
            let rate = Setting::new("--lr", &["train", "learning_rate", "base"], rate.into());
            settings.push(rate.and(&["train", "learning_rate", "scaling"], text("none")));
        }
        for text in &self.assignments {
            let values = in_tables(assignment(text)?).map_err(|unknown| unknown.at("--set"))?;
            let key = text.split('=').next().unwrap_or(text).trim();
            settings.push(Setting::of_values(format!("--set {key}"), values));
        }
        Ok(settings)
    }
}
