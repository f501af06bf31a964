//! Which views matter? Pretrains one encoder for each pair of augmentations, and draws how much each has learnt: figure 5
//! of the SimCLR paper (Chen et al. 2020), small.
//!
//! ```sh
//! cargo run --release --example ablate_views                        # the built-in sample
//! cargo run --release --example ablate_views -- --data DIR --images 5000 --epochs 3
//! ```
//!
//! Expect one line for each of 25 pairs, and `runs/ablate_views/matrix.svg`, which grows with them. `docs/views.md` shows
//! ours of CIFAR-10.
//!
//! As in the paper (section 3.1), every image is first cropped at random. One branch sees that crop as it is; in the
//! other branch, one transformation changes it (the diagonal) or two, one after the other (row first, column second).
//! A linear probe on the frozen features then says how much the encoder has learnt from telling these views apart.

mod matrix_picture;
mod one_sided_views;
mod results;
mod transformation;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::Parser;
use simclr::data::{ImageDataset, Labelled, Opening, Splits};
use simclr::embed::Embedder;
use simclr::eval::{Knn, LogisticRegression, Protocol};
use simclr::model::{EncoderConfig, ImageEncoder};
use simclr::train::{PretrainConfig, Progress, Trainer, device_from_name};

use matrix_picture::MatrixPicture;
use one_sided_views::OneSidedViews;
use results::{Cell, Results};
use transformation::Transformation;

/// Channels of the default encoder's first stage, an eighth of the published network's: dozens of encoders are trained.
const WIDTH: usize = 8;
const ENCODER_HELP: &str =
    "resnet18x0.25, resnet50, vit_tiny_p8_i32, ... [default: a ResNet-18 an eighth as wide]";

/// Pretrain an encoder for each pair of augmentations, and draw the matrix of what they have learnt.
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// Folder with STL-10 binaries, CIFAR-10 binaries or images in class folders; without it, the built-in sample
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Use only N images, drawn from all classes [default: all; sample: 2000]
    #[arg(long, value_name = "N")]
    images: Option<usize>,
    /// The transformations to pair, with commas
    #[arg(
        long,
        value_name = "NAME,...",
        value_enum,
        value_delimiter = ',',
        default_value = "crop,cutout,color,blur,rotate"
    )]
    pairs: Vec<Transformation>,
    /// Epochs of each encoder: passes over the images
    #[arg(long, value_name = "N", default_value_t = 8)]
    epochs: usize,
    /// Seeds of weights, order and views, with commas: a cell is the mean over all
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "0")]
    seed: Vec<u64>,
    #[arg(long, value_name = "NAME", help = ENCODER_HELP)]
    encoder: Option<EncoderConfig>,
    /// flex, ndarray, wgpu, cuda:N, ..., as far as they are built in
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
    /// Folder for cells.csv and matrix.svg; cells that are there already are not trained again
    #[arg(long, value_name = "DIR", default_value = "runs/ablate_views")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let options = Options::parse();
    options.check()?;
    let device = device_from_name(&options.device)?;
    let data = Splits::open_or_sample(options.data.as_ref(), options.images, &Opening::default())?;
    println!("{}", data.description);
    data.warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
    let config = options.config(&data)?;
    let labelled = data.labelled.as_ref();
    let labelled = labelled.context("expected labelled images, to evaluate by, found none")?;
    let ablation = Ablation { images: &data.pretrain, labelled, device: &device, config };
    let settings = (&data.description, &ablation.config);
    let mut results = Results::open(&options.out, &settings)?;

    let cells = options.cells();
    let missing: Vec<_> = cells.iter().filter(|cell| !results.has(cell)).collect();
    let (images, epochs) = (data.pretrain.len(), options.epochs);
    println!(
        "{} of {} cells to train: {epochs} epochs of {images} images each",
        missing.len(),
        cells.len()
    );
    let random = ablation.random_weights(options.seed[0])?;
    println!("random weights: {:.1} %", 100.0 * random);
    let start = Instant::now();
    for (done, cell) in (1..).zip(&missing) {
        let cell = ablation.train(cell)?;
        let left = start.elapsed() / done * (missing.len() as u32 - done);
        println!("{cell}   {} min left", left.as_secs().div_ceil(60));
        results.add(cell)?;
        options.draw(&results, random)?;
    }
    options.draw(&results, random)?;
    if let Some(deviation) = results.deviation_between_seeds() {
        println!("standard deviation between seeds: {:.1} points", 100.0 * deviation);
    }
    println!("written to {}", options.picture().display());
    Ok(())
}

/// What all cells have in common.
struct Ablation<'a> {
    images: &'a Arc<dyn ImageDataset>,
    labelled: &'a Labelled,
    device: &'a Device,
    config: PretrainConfig,
}

impl Ablation<'_> {
    /// Pretrains the encoder of a cell, and evaluates it.
    fn train(&self, cell: &Cell) -> Result<Cell> {
        let start = Instant::now();
        let mut config = self.config.clone();
        config.train.seed = cell.seed;
        let policy = config.images.augmentation()?;
        let views = OneSidedViews::new(self.images, &policy, cell)?;
        let device = self.device.clone().autodiff();
        let model = config.init_model(&device)?;
        let trainer = Trainer::new(config.train)?.with_progress(Progress::Silent);
        let trained = trainer.train(model, views, None, &device)?;
        if let [first, ..] = &trained.skipped[..] {
            eprintln!("{} images could not be read: {}, ...", trained.skipped.len(), first.reason);
        }
        let (linear, knn) = self.evaluate(trained.encoder)?;
        let loss = trained.summary.loss_last.context("expected a loss of the last epoch")?;
        Ok(Cell { linear, knn, loss, seconds: start.elapsed().as_secs_f64(), ..cell.clone() })
    }

    /// Top-1 of a linear probe on an encoder without training.
    fn random_weights(&self, seed: u64) -> Result<f64> {
        let mut config = self.config.clone();
        config.train.seed = seed;
        Ok(self.evaluate(config.init_model(self.device)?.encoder)?.0)
    }

    /// Top-1 of held-out images, by a linear probe and by kNN on frozen features.
    fn evaluate(&self, encoder: ImageEncoder) -> Result<(f64, f64)> {
        let transform = self.config.images.augmentation()?.evaluation();
        let embedder = Embedder::new(encoder, transform, self.device);
        let [train, test] = [&self.labelled.train, &self.labelled.test];
        let (train, test) = (embedder.embed_labelled(train)?, embedder.embed_labelled(test)?);
        let (train, test) = (train.labelled, test.labelled);
        let knn = Knn::for_training_images(train.len(), self.device);
        Ok((LogisticRegression::default().top1(&train, &test)?, knn.top1(&train, &test)?))
    }
}

impl Options {
    /// Checks what the parser doesn't know.
    fn check(&self) -> Result<()> {
        for (index, name) in self.pairs.iter().enumerate() {
            if self.pairs[..index].contains(name) {
                bail!("expected each transformation once in --pairs, found {name} twice");
            }
        }
        Ok(())
    }

    /// The settings that suit the images, with the flags' encoder and epochs.
    fn config(&self, data: &Splits) -> Result<PretrainConfig> {
        let mut config = match &self.data {
            Some(_) => PretrainConfig::for_images(data)?,
            None => PretrainConfig::for_sample()?.with_batch_within(data.pretrain.len()),
        };
        config.train.epochs = self.epochs;
        config.train.warmup_epochs = config.train.warmup_epochs.min(self.epochs);
        if let EncoderConfig::ResNet(resnet) = &mut config.images.encoder {
            resnet.width = WIDTH;
        }
        config.images.encoder = self.encoder.clone().unwrap_or(config.images.encoder);
        config.check()?;
        Ok(config)
    }

    /// Every pair in order, by every seed: all pairs by the first seed come first.
    fn cells(&self) -> Vec<Cell> {
        let pairs = self.pairs.iter().flat_map(|&a| self.pairs.iter().map(move |&b| [a, b]));
        let pairs: Vec<_> = pairs.collect();
        let seeds = self.seed.iter();
        seeds.flat_map(|&seed| pairs.iter().map(move |&pair| Cell::untrained(pair, seed))).collect()
    }

    fn picture(&self) -> PathBuf {
        self.out.join("matrix.svg")
    }

    fn draw(&self, results: &Results, random: f64) -> Result<()> {
        let value = |&row: &Transformation, &column: &Transformation| {
            results.mean([row, column], &self.seed)
        };
        let values = self
            .pairs
            .iter()
            .map(|row| self.pairs.iter().map(|column| value(row, column)).collect());
        MatrixPicture { names: &self.pairs, values: values.collect(), random }.save(&self.picture())
    }
}
