//! Pretrains an encoder on unlabelled images, and shows by kNN what it has learnt.
//!
//! ```sh
//! cargo run --release --example stl10_pretrain                      # the built-in sample
//! cargo run --release --example stl10_pretrain -- --data DIR        # STL-10, CIFAR-10 or photos
//! cargo run --release --example stl10_pretrain -- --data DIR --download   # fetch STL-10 first
//! ```

use std::io::Write;
use std::num::ParseFloatError;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use clap::Parser;
use simclr::data::{DownloadProgress, ImageDataset, SampleConfig, Splits, Stl10, Subset};
use simclr::embed::raw_pixels;
use simclr::eval::{Knn, Protocol};
use simclr::loss::Temperature;
use simclr::model::{EncoderConfig, ImageEncoder, Stem};
use simclr::train::{
    LearningRate, LossConfig, Precision, PretrainConfig, Pretrained, Pretraining, RangeTest,
    Recipe, RunDirectory, ViewPath, device_from_name,
};

/// The largest view without `--image-size`: what a CPU trains on in minutes.
const DEFAULT_LARGEST_SIZE: u32 = 64;

const ENCODER_HELP: &str = "resnet50, resnet18x0.25 (a quarter of its width), resnet18_cifar (for images of \
    about 32 pixels), efficientnet_b0, vit_tiny_p8_i32, ... [default: resnet18x0.25_gamma1, up to 32 \
    pixels resnet18x0.25_cifar_gamma1]";

/// Pretrain an encoder on unlabelled images with SimCLR, and compare it by kNN with random weights
/// and raw pixels.
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// Folder with STL-10 binaries, CIFAR-10 binaries or images; without it, the built-in sample
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Fetch STL-10 (2.6 GB) into the --data folder first, unless it is there
    #[arg(long, requires = "data")]
    download: bool,
    /// A published recipe, which the other flags change: imagenet-paper, imagenet-google,
    /// cifar10-paper, cifar10-google, stl10-uva
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    recipe: Option<Recipe>,
    /// Passes over the images [default: 30; sample: 14]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Images in a step, each in two views [default: 64]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Images that are encoded at a time, for batches larger than memory [default: all]
    #[arg(long, value_name = "N")]
    chunk_size: Option<usize>,
    /// Steps between two checkpoints [default: a pass over the images]
    #[arg(long, value_name = "N")]
    steps_per_epoch: Option<usize>,
    /// Use only the first N images (of the built-in sample: draw N) [default: all; sample: 2000]
    #[arg(long, value_name = "N")]
    images: Option<usize>,
    #[arg(long, value_name = "NAME", help = ENCODER_HELP)]
    encoder: Option<EncoderConfig>,
    /// Channels of a ResNet's first stage; 64 is the standard width
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    /// Start from these weights of simclr, torchvision or timm (safetensors, .pth, .pt) instead of random ones; a
    /// resumed run goes on without them
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    weights: Option<PathBuf>,
    /// Width and height of a view in pixels [default: as the images, at most 64; sample: 48]
    #[arg(long, value_name = "N")]
    image_size: Option<u32>,
    /// nt-xent or decoupled-nt-xent [default: nt-xent]
    #[arg(long, value_name = "NAME")]
    loss: Option<String>,
    /// Temperature of the loss [default: 0.2]
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,
    /// Peak learning rate, or `auto`: try them out first [default: 0.002; sample: 0.0065]
    #[arg(long, visible_alias = "lr", value_name = "RATE|auto", allow_negative_numbers = true)]
    learning_rate: Option<PeakRate>,
    /// Seed of weights, order and views [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// flex, ndarray, wgpu, wgpu:N, vulkan, metal, cuda:N, remote:ID@ADDRESS:PORT, as far as they are built in;
    /// several, with commas, share each batch
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
    /// Compute the views on the device instead of the CPU's cores
    #[arg(long)]
    views_on_device: bool,
    /// What the encoder computes in: f32, bf16 or f16, if the device has it [default: f32]
    #[arg(long, value_name = "NAME")]
    precision: Option<Precision>,
    /// Folder for the run, new or empty [default: the first free of runs/1, runs/2, ...]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Continue the run in DIR after its last checkpoint, on the same --data
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
}

/// What `--learning-rate` says.
#[derive(Clone, Copy)]
enum PeakRate {
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

fn main() -> Result<()> {
    let options = Options::parse();
    let mut devices = Vec::new();
    for name in options.device.split(',') {
        devices.push(device_from_name(name)?);
    }
    let device = devices.remove(0);
    let run_dir = options.resume.clone().or(options.out.clone()).map_or_else(free_run_dir, Ok)?;

    let resumed = match &options.resume {
        Some(dir) => Some(RunDirectory::open(dir)?.config()?.pretrain),
        None => None,
    };
    let data = open_data(&options)?;
    println!("{}", data.description);
    let config = config(&options, resumed.as_ref(), data.pretrain.as_ref())?;

    let pretraining = Pretraining::new(config).with_more_devices(&devices);
    let mut pretraining = match &options.resume {
        Some(_) => pretraining.resume(&run_dir),
        None => pretraining.in_directory(&run_dir),
    };
    if let Some(weights) = &options.weights {
        pretraining = pretraining.with_weights(weights);
    }
    stop_on_ctrl_c(&pretraining)?;
    if let Some(PeakRate::Auto) = options.learning_rate {
        if options.resume.is_some() {
            bail!(
                "expected no `--learning-rate auto` with --resume: a run keeps its learning rate"
            );
        }
        println!("trying learning rates");
        let curve = pretraining.range_test(RangeTest::default(), &data, &device)?;
        pretraining = pretraining.with_suggested_rate(curve)?;
    }
    let config = pretraining.config().clone();
    println!("{}", config.describe(data.pretrain.len(), &device)?);
    println!("run directory: {}", run_dir.display());
    let pretrained = pretraining.run(&data, &device)?;

    report(&pretrained, &config, &data, &run_dir, &device)
}

/// Opens or draws the images.
fn open_data(options: &Options) -> Result<Splits> {
    let Some(dir) = &options.data else {
        println!(
            "No --data: using the built-in sample of drawn shapes. For the real STL-10 (2.6 GB), add \
             `--data DIR --download`."
        );
        let images = options.images.unwrap_or(2000);
        return Ok(Splits::sample(&SampleConfig { images, ..SampleConfig::default() })?);
    };
    if options.download {
        Stl10::download(dir, &mut show_download)?;
        eprintln!();
    }
    let mut data = Splits::open(dir)?;
    if let Some(images) = options.images {
        let all = Arc::clone(&data.pretrain);
        data.pretrain = Arc::new(Subset::first(all, images));
        if let Some(labelled) = &mut data.labelled {
            labelled.train = Arc::new(Subset::first(Arc::clone(&labelled.train), images));
            labelled.test = Arc::new(Subset::first(Arc::clone(&labelled.test), images.div_ceil(5)));
        }
        data.description = format!("{}; the first {images} of them", data.description);
    }
    Ok(data)
}

fn show_download(progress: DownloadProgress) {
    let megabytes = |bytes: u64| bytes / 1_000_000;
    let total = progress.total.map_or(String::new(), |total| format!(" of {}", megabytes(total)));
    eprint!("\r{:?}: {}{total} MB    ", progress.stage, megabytes(progress.bytes));
    std::io::stderr().flush().ok();
}

/// The run's config: the resumed run's or the defaults, changed by the flags.
fn config(
    options: &Options,
    resumed: Option<&PretrainConfig>,
    images: &dyn ImageDataset,
) -> Result<PretrainConfig> {
    let mut config = match (resumed, options.recipe) {
        (Some(config), _) => config.clone(),
        (None, Some(recipe)) => recipe_config(recipe, options.image_size)?,
        (None, None) if options.data.is_none() => sample_config(options.image_size)?,
        (None, None) => default_config(options.image_size, images)?,
    };
    if let Some(epochs) = options.epochs {
        config.epochs = epochs;
    }
    if let Some(batch_size) = options.batch_size {
        config.batch_size = batch_size;
    }
    config.chunk_size = options.chunk_size.or(config.chunk_size);
    config.steps_per_epoch = options.steps_per_epoch.or(config.steps_per_epoch);
    if let Some(encoder) = &options.encoder {
        config.encoder = encoder.clone();
    }
    match (&mut config.encoder, options.width) {
        (_, None) => {}
        (EncoderConfig::ResNet(resnet), Some(width)) => resnet.width = width,
        (other, Some(_)) => bail!("expected --width with a ResNet, found {other}"),
    }
    config.loss = loss(options, &config.loss)?;
    if let Some(PeakRate::Given(rate)) = options.learning_rate {
        config.learning_rate = LearningRate::unscaled(rate);
    }
    if let Some(seed) = options.seed {
        config.seed = seed;
    }
    config.precision = options.precision.unwrap_or(config.precision);
    if options.views_on_device {
        config.views = ViewPath::Device;
    }
    if let (Some(size), Some(_)) = (options.image_size, resumed) {
        config.augmentation.size = size;
    }
    Ok(config)
}

/// The loss that the flags ask for; what they leave out is as `config` has it.
fn loss(options: &Options, config: &LossConfig) -> Result<LossConfig> {
    let (kind, temperature) = match config {
        LossConfig::NtXent { temperature } => ("nt-xent", *temperature),
        LossConfig::DecoupledNtXent { temperature } => ("decoupled-nt-xent", *temperature),
        other => bail!("expected a run by a loss of this crate, found {other:?}"),
    };
    let temperature = options.temperature.map_or(Ok(temperature), Temperature::new)?;
    match options.loss.as_deref().unwrap_or(kind) {
        "nt-xent" => Ok(LossConfig::NtXent { temperature }),
        "decoupled-nt-xent" => Ok(LossConfig::DecoupledNtXent { temperature }),
        other => bail!("expected a loss of nt-xent or decoupled-nt-xent, found \"{other}\""),
    }
}

/// A published recipe, for views of another size if asked for.
fn recipe_config(recipe: Recipe, image_size: Option<u32>) -> Result<PretrainConfig> {
    println!("recipe {recipe}: {}", recipe.source());
    let mut config = recipe.config();
    if let Some(size) = image_size {
        config.augmentation = config.augmentation()?.with_size(size)?.config().clone();
        if let EncoderConfig::ResNet(resnet) = &mut config.encoder {
            resnet.stem = Stem::for_image_size(size);
        }
    }
    Ok(config)
}

fn default_config(image_size: Option<u32>, images: &dyn ImageDataset) -> Result<PretrainConfig> {
    let size = if let Some(size) = image_size {
        size
    } else {
        let first =
            images.image(0).context("the size of the views is taken from the first image")?;
        first.width().min(first.height()).min(DEFAULT_LARGEST_SIZE)
    };
    Ok(PretrainConfig::small(size)?)
}

/// What learns most from the built-in sample in three or four minutes on two cores: small views, many steps.
fn sample_config(image_size: Option<u32>) -> Result<PretrainConfig> {
    let size = image_size.unwrap_or(48);
    // What `--lr auto` suggests here.
    let learning_rate = LearningRate::unscaled(6.5e-3);
    Ok(PretrainConfig { epochs: 14, learning_rate, ..PretrainConfig::small(size)? })
}

/// The first of runs/1, runs/2, ... that does not exist.
fn free_run_dir() -> Result<PathBuf> {
    let free =
        (1..10_000).map(|number| PathBuf::from(format!("runs/{number}"))).find(|dir| !dir.exists());
    free.context("expected a free name below runs/, found 9999 runs")
}

/// Stops after the current step at the first Ctrl-C, at once at the second.
fn stop_on_ctrl_c(pretraining: &Pretraining) -> Result<()> {
    let interrupter = pretraining.interrupter();
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nstopping after this step; Ctrl-C again stops at once");
        interrupter.stop(Some("Ctrl-C"));
    })
    .context("cannot listen for Ctrl-C")
}

/// Prints what was learnt, beside random weights and raw pixels.
fn report(
    pretrained: &Pretrained<ImageEncoder>,
    config: &PretrainConfig,
    data: &Splits,
    run_dir: &Path,
    device: &burn::tensor::Device,
) -> Result<()> {
    let summary = &pretrained.summary;
    for skipped in pretrained.skipped.iter().take(5) {
        eprintln!("skipped: {}", skipped.reason);
    }
    if !pretrained.skipped.is_empty() {
        eprintln!("{} images could not be read and were left out", pretrained.skipped.len());
    }
    if pretrained.interrupted && summary.epochs == 0 {
        bail!("stopped in the first epoch, before there was a checkpoint to continue from");
    }
    if pretrained.interrupted {
        bail!(
            "stopped after epoch {}; continue with --resume {}",
            summary.epochs,
            run_dir.display()
        );
    }

    println!(
        "\n{} epochs, {:.0} images/s",
        summary.epochs,
        summary.images_per_second.unwrap_or(0.0)
    );
    if let (Some(first), Some(last)) = (summary.loss_first, summary.loss_last) {
        println!("loss {first:.4} in the first epoch, {last:.4} in the last");
    }
    println!("encoder: {}", run_dir.join("encoder.safetensors").display());
    let Some(labelled) = &data.labelled else {
        println!("No labels, so kNN has nothing to vote on.");
        return Ok(());
    };
    let transform = config.augmentation()?.evaluation();
    let train = raw_pixels(&labelled.train, &transform)?.labelled;
    let test = raw_pixels(&labelled.test, &transform)?.labelled;
    let knn = Knn::for_training_images(labelled.train.len(), device);
    let raw = knn.top1(&train, &test)?;

    let (train, asked) = (train.len(), test.len());
    println!(
        "\nkNN top-1 (k = {}) of {asked} held-out images among {train} labelled ones,",
        knn.config().k
    );
    println!("and a linear layer's on the same features (logistic regression)");
    println!("  {:<18} {:>7} {:>7}", "", "kNN", "linear");
    let rows = [
        ("random weights", summary.knn_top1_initial, None),
        ("after pretraining", summary.knn_top1, summary.linear_probe),
        ("raw pixels", Some(raw), None),
    ];
    for (name, knn, linear) in rows {
        let [knn, linear] = [knn, linear].map(|share| {
            share.map_or("-".to_owned(), |share: f64| format!("{:.1} %", 100.0 * share))
        });
        println!("  {name:<18} {knn:>7} {linear:>7}");
    }
    Ok(())
}
