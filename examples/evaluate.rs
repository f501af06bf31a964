//! Is an encoder any good? kNN, linear probes, few labels and figures per class, beside random weights and
//! raw pixels.
//!
//! ```sh
//! cargo run --release --example evaluate                                  # random weights, the built-in sample
//! cargo run --release --example evaluate -- --run runs/1                  # an encoder that was pretrained on it
//! cargo run --release --example evaluate -- --run runs/2 --data DIR --images 10000
//! ```
//!
//! With `--run` it leaves `predictions.csv` and `classifier.safetensors` in the run's folder. `--fine-tune` trains the
//! whole network on few labels and on all, beside one from random weights: minutes to hours on a CPU.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Parser;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use simclr::augment::Ground;
use simclr::data::{ImageDataset, Labelled, Opening, Splits};
use simclr::embed::{Embedder, LabelledFeatures, raw_pixels};
use simclr::eval::{
    Classifier, FineTune, FineTuneConfig, FineTuned, Knn, KnnConfig, LabelBudget, LinearStart,
    LogisticRegression, LogisticRegressionConfig, PredictionTable, Protocol, SgdProbe, Spread,
    evaluate, with_few_labels,
};
use simclr::train::{PretrainConfig, device_from_name};

/// Evaluate an encoder on labelled images.
#[derive(Parser)]
struct Options {
    /// Run directory of the encoder; without it, random weights
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// Folder with STL-10 binaries, CIFAR-10 binaries or images; without it, the built-in sample
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Learn from only N images, drawn from all classes, and ask about a fifth as many
    #[arg(long, value_name = "N", default_value_t = 2000)]
    images: usize,
    /// Fine-tune the whole network, too, for N epochs
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "30")]
    fine_tune: Option<usize>,
    /// Write features, labels, and what kNN and logistic regression say to FILE (safetensors), and stop there
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
    /// Where the encoder runs
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let device = device_from_name(&options.device)?;
    let trained = options.run.as_ref().map(|run| Embedder::open(run, &device)).transpose()?;
    let ground = trained.as_ref().map_or(Ground::WHITE, |embedder| embedder.transform().ground());
    let opening = Opening { ground: ground.0, ..Opening::default() };
    let data = Splits::open_or_sample(options.data.as_ref(), Some(options.images), &opening)?;
    let labelled = data.labelled.as_ref().context("expected labelled images, found none")?;
    let (embedder, random) = if let Some(embedder) = trained {
        let config = embedder.config().context("expected a run on images")?;
        let random = config.init(0, &device)?;
        (embedder.clone(), embedder.with_encoder(random))
    } else {
        let config = PretrainConfig::for_images(&data)?.images;
        let transform = config.augmentation()?.evaluation();
        let random = Embedder::new(config.encoder.init(0, &device)?, transform, &device);
        (random.clone(), random)
    };

    let train = embedder.embed_labelled(&labelled.train)?.labelled;
    let test = embedder.embed_labelled(&labelled.test)?;
    let names = labelled.train.class_names();
    println!("{}", if options.run.is_some() { "the run's encoder" } else { "random weights" });
    let probe = LogisticRegression::default();
    compare([&train, &test.labelled], &probe, &device)?;
    if let Some(path) = &options.features {
        return write_features([&train, &test.labelled], &probe, &device, path);
    }

    println!("\n{} on few labels", probe.describe());
    for count in [1, 5, 10, 25, 100] {
        let budget = LabelBudget::per_class(count)?;
        match with_few_labels(&probe, [&train, &test.labelled], budget, &[0, 1, 2, 3, 4], names) {
            Ok(draws) => println!("  {count:>4} per class  {}", Spread::new(&draws)),
            Err(error) => println!("  {count:>4} per class  {error}"),
        }
    }

    println!("\nraw pixels");
    let pixels = [&labelled.train, &labelled.test].map(|set| raw_pixels(set, embedder.transform()));
    let [raw_train, raw_test] = pixels.map(|set| set.map(|embedded| embedded.labelled));
    // Neighbouring pixels say the same: without a limit, L-BFGS takes minutes to its optimum.
    let limited = LogisticRegressionConfig { max_iterations: 100, ..*probe.config() };
    let limited = LogisticRegression::new(limited)?;
    compare([&raw_train?, &raw_test?], &limited, &device)?;

    let evaluation = evaluate(&probe, &train, &test.labelled, names)?;
    println!("\n{}", evaluation.report);
    if let Some(epochs) = options.fine_tune {
        let settings = FineTuneConfig { epochs, ..FineTuneConfig::default() };
        println!("fine-tuning from random weights");
        // The running averages of random weights are of no images, and a probe of their features misleads.
        let from_zeros = FineTuneConfig { start: LinearStart::Zero, ..settings };
        fine_tune(&FineTune::new(from_zeros)?, &random, labelled)?;
        if let Some(run) = &options.run {
            println!("fine-tuning from the run's encoder");
            let tuned = fine_tune(&FineTune::new(settings)?, &embedder, labelled)?;
            tuned.classifier.save(run.join("fine-tuned.safetensors"))?;
            println!("fine-tuned.safetensors is in {}", run.display());
        }
    }
    if let Some(run) = &options.run {
        let table = PredictionTable::new(&evaluation.predictions, &test.indices, &labelled.test)?;
        table.write_csv(run.join("predictions.csv"))?;
        let layer = evaluation.layer.context("logistic regression has a linear layer")?;
        let classifier = Classifier::new(embedder, layer, names.to_vec())?;
        classifier.save(run.join("classifier.safetensors"))?;
        println!("predictions.csv and classifier.safetensors are in {}", run.display());
    }
    Ok(())
}

/// Writes both sets and the classes that kNN and `logistic` predict, for `tests/beside_scikit_learn.py`.
fn write_features(
    [train, test]: [&LabelledFeatures; 2],
    logistic: &LogisticRegression,
    device: &Device,
    path: &Path,
) -> Result<()> {
    let knn = Knn::for_training_images(train.len(), device);
    let said = |protocol: &dyn Protocol| -> Result<Vec<usize>> {
        Ok(protocol.predict(train, test.features())?.top1())
    };
    let (by_knn, by_logistic) = (said(&knn)?, said(logistic)?);
    let mut bytes = Vec::new();
    for (name, set) in [("train", train), ("test", test)] {
        let features = set.features();
        let values = features.values().iter().flat_map(|value| value.to_le_bytes()).collect();
        let shape = vec![features.len(), features.size()];
        bytes.push((format!("{name}.features"), Dtype::F32, shape, values));
    }
    let classes = [("train.labels", train.labels()), ("test.labels", test.labels())];
    for (name, classes) in
        classes.into_iter().chain([("knn", &by_knn[..]), ("logistic_regression", &by_logistic)])
    {
        let values: Vec<u8> = classes.iter().flat_map(|&c| (c as u64).to_le_bytes()).collect();
        bytes.push((name.to_owned(), Dtype::U64, vec![classes.len()], values));
    }
    let mut tensors = Vec::new();
    for (name, dtype, shape, values) in &bytes {
        tensors.push((name, TensorView::new(*dtype, shape.clone(), values)?));
    }
    let KnnConfig { k, temperature } = *knn.config();
    let settings = [("k", k as f64), ("temperature", temperature), ("c", logistic.config().c)];
    let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_string()));
    safetensors::serialize_to_file(tensors, Some(settings.collect()), path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Fine-tunes on few labels and on all, and returns the classifier that all made.
fn fine_tune(settings: &FineTune, embedder: &Embedder, labelled: &Labelled) -> Result<FineTuned> {
    let fit = |images: &dyn ImageDataset| -> Result<FineTuned> {
        let tuned = settings.fit(embedder, images, |progress| {
            let (epoch, epochs, loss) = (progress.epoch, progress.epochs, progress.loss);
            eprint!(
                "\repoch {epoch}/{epochs}, loss {loss:.3}, {:.0} images/s  ",
                progress.images_per_second
            );
            ControlFlow::Continue(())
        })?;
        eprint!("\r{:60}\r", "");
        let report = tuned.evaluate(&labelled.test)?.report;
        println!("  {:>5.1} %  {}", 100.0 * report.top1, report.evaluated);
        Ok(tuned)
    };
    for count in [10, 100] {
        match LabelBudget::per_class(count)?.subset(&labelled.train, 0) {
            Ok(few) => drop(fit(&few)?),
            Err(error) => println!("  {count} labels per class: {error}"),
        }
    }
    fit(&labelled.train)
}

/// Top-1 and time of each protocol.
fn compare(
    [train, test]: [&LabelledFeatures; 2],
    logistic: &LogisticRegression,
    device: &Device,
) -> Result<()> {
    let knn = Knn::for_training_images(train.len(), device);
    let sgd = SgdProbe::default();
    let protocols: [&dyn Protocol; 3] = [&knn, logistic, &sgd];
    for protocol in protocols {
        let start = Instant::now();
        let report = evaluate(protocol, train, test, &[])?.report;
        let (percent, seconds) = (100.0 * report.top1, start.elapsed().as_secs_f64());
        println!("  {percent:>5.1} %  {seconds:>6.2} s  {}", report.evaluated);
    }
    Ok(())
}
