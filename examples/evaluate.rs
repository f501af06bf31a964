//! Is an encoder any good? kNN, linear probes, few labels and figures per class, beside random weights and
//! raw pixels.
//!
//! ```sh
//! cargo run --release --example evaluate                                  # random weights, the built-in sample
//! cargo run --release --example evaluate -- --run runs/1                  # an encoder that was pretrained on it
//! cargo run --release --example evaluate -- --run runs/2 --data DIR --images 10000
//! ```
//!
//! With `--run` it leaves `predictions.csv` and `classifier.safetensors` in the run's folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Parser;
use simclr::augment::{EvaluationTransform, SimClrAugmentation};
use simclr::data::{ImageDataset, Labelled, SampleConfig, Splits, Subset};
use simclr::eval::{
    Classifier, Knn, LabelBudget, LabelledFeatures, LogisticRegression, PredictionTable, Protocol,
    SgdProbe, embed, evaluate, raw_pixels, with_few_labels,
};
use simclr::model::{EncoderConfig, ImageEncoder, ResNetConfig, ResNetDepth, Stem, load_weights};
use simclr::train::{RunDirectory, device_from_name};

/// Evaluate an encoder on labelled images.
#[derive(Parser)]
struct Options {
    /// Run directory of the encoder; without it, random weights
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Folder with STL-10 binaries, CIFAR-10 binaries or images; without it, the built-in sample
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Learn from only the first N images, and ask about a fifth as many
    #[arg(long, value_name = "N", default_value_t = 2000)]
    images: usize,
    /// Where the encoder runs
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let device = device_from_name(&options.device)?;
    let labelled = labelled(&options)?;
    let (encoder, transform) = encoder(&options, labelled.bank.as_ref(), &device)?;

    let train = embed(&encoder, &labelled.bank, &transform, &device)?.labelled;
    let test = embed(&encoder, &labelled.queries, &transform, &device)?;
    let names = labelled.bank.class_names();
    println!("{}", if options.run.is_some() { "the run's encoder" } else { "random weights" });
    let probe = LogisticRegression::default();
    compare([&train, &test.labelled], &probe, &device)?;

    println!("\n{} on few labels", probe.describe());
    for count in [1, 5, 10, 25, 100] {
        let budget = LabelBudget::PerClass(count);
        match with_few_labels(&probe, [&train, &test.labelled], budget, &[0, 1, 2, 3, 4], &device) {
            Ok(spread) => println!("  {count:>4} per class  {spread}"),
            Err(error) => println!("  {count:>4} per class  {error}"),
        }
    }

    println!("\nraw pixels");
    let pixels = [&labelled.bank, &labelled.queries].map(|set| raw_pixels(set, &transform));
    let [raw_train, raw_test] = pixels.map(|set| set.map(|embedded| embedded.labelled));
    // Neighbouring pixels say the same: without a limit, L-BFGS takes minutes to its optimum.
    let limited = LogisticRegression { max_iterations: 100, ..probe };
    compare([&raw_train?, &raw_test?], &limited, &device)?;

    let evaluation = evaluate(&probe, &train, &test.labelled, names, &device)?;
    println!("\n{}", evaluation.report);
    if let Some(run) = &options.run {
        let table = PredictionTable::new(&evaluation.predictions, &test.images, &labelled.queries)?;
        table.write_csv(&run.join("predictions.csv"))?;
        let classifier = Classifier::train(encoder, &labelled.bank, &transform, &probe, &device)?;
        classifier.save(&run.join("classifier.safetensors"))?;
        println!("predictions.csv and classifier.safetensors are in {}", run.display());
    }
    Ok(())
}

/// Labelled images to learn from and to ask about.
fn labelled(options: &Options) -> Result<Labelled> {
    let Some(dir) = &options.data else {
        let config = SampleConfig { images: options.images, ..SampleConfig::default() };
        return Splits::sample(&config)?.labelled.context("the sample is labelled");
    };
    let Labelled { bank, queries } =
        Splits::open(dir)?.labelled.context("expected labelled images, found none")?;
    Ok(Labelled {
        bank: Arc::new(Subset::first(bank, options.images)),
        queries: Arc::new(Subset::first(queries, options.images.div_ceil(5))),
    })
}

/// The run's encoder, or a slim `ResNet`-18 with random weights.
fn encoder(
    options: &Options,
    images: &dyn ImageDataset,
    device: &Device,
) -> Result<(ImageEncoder, EvaluationTransform)> {
    if let Some(dir) = &options.run {
        let run = RunDirectory::open(dir)?;
        let config = run.config()?.pretrain;
        let encoder = load_weights(config.encoder.init(0, device)?, &run.encoder_weights())?;
        return Ok((encoder, config.augmentation()?.evaluation()));
    }
    let size = images.image(0)?.width().min(48);
    let stem = Stem::for_image_size(size);
    let config = EncoderConfig::ResNet(ResNetConfig::new(ResNetDepth::ResNet18, 16, stem));
    let transform = SimClrAugmentation::cifar10().with_size(size)?.evaluation();
    Ok((config.init(0, device)?, transform))
}

/// Top-1 and time of each protocol.
fn compare(
    [train, test]: [&LabelledFeatures; 2],
    logistic: &LogisticRegression,
    device: &Device,
) -> Result<()> {
    let knn = Knn::for_bank(train.labels.len());
    let sgd = SgdProbe::default();
    let protocols: [&dyn Protocol; 3] = [&knn, logistic, &sgd];
    for protocol in protocols {
        let start = Instant::now();
        let report = evaluate(protocol, train, test, &[], device)?.report;
        let (percent, seconds) = (100.0 * report.top1, start.elapsed().as_secs_f64());
        println!("  {percent:>5.1} %  {seconds:>6.2} s  {}", report.evaluated);
    }
    Ok(())
}
