//! How many labels the page of `simclr explore` saves: a simulated user who labels what it asks for, beside one who labels photos by chance.
//!
//! ```sh
//! simclr embed --run RUN --data PHOTOS --out vectors.safetensors
//! cargo bench --features explore --bench label_savings -- vectors.safetensors [--pool N] [--json FILE]
//! ```
//!
//! The true labels are those in the table that `embed` writes beside the vectors. The user's photos are N of those of the split `train`, drawn anew for each of five seeds
//! (nine tenths of them unless told); both users' classifiers, which are the page's, are tested on all photos of other splits.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use simclr::burn::tensor::Device;
use simclr::embed::{Features, ImageIndex};
use simclr::explore::LabelSession;

const SEEDS: u64 = 5;
/// Labels after which both are tested.
const TESTED: [usize; 11] = [20, 40, 60, 80, 90, 100, 110, 130, 150, 175, 200];

#[derive(Parser)]
struct Arguments {
    /// Index of `simclr embed`, with its table of labels beside it
    vectors: PathBuf,
    /// Photos that the user has
    #[arg(long)]
    pool: Option<usize>,
    /// File for the curves
    #[arg(long)]
    json: Option<PathBuf>,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

/// Photos with their true classes.
struct Labelled {
    features: Features,
    classes: Vec<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let [train, test] = read(&arguments.vectors)?;
    let photos = arguments.pool.unwrap_or(train.classes.len() * 9 / 10).min(train.classes.len());
    println!("{photos} photos of {}, {} to test on", train.classes.len(), test.classes.len());
    let (mut asked, mut random, mut seconds) = (Vec::new(), Vec::new(), 0.0_f64);
    for seed in 0..SEEDS {
        let mut rows: Vec<usize> = (0..train.classes.len()).collect();
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let pool = train.select(&rows[..photos]);
        let session = LabelSession::new(pool.features.clone(), &Device::flex())?;
        let (curve, slowest) = curve(session.clone(), &pool, &test, |session, _| {
            session.next_to_label(1).first().copied()
        })?;
        seconds = seconds.max(slowest);
        asked.push(curve);
        // The photos of the pool are in the order of chance.
        random.push(curve_of(session, &pool, &test, |_, labels| Some(labels))?);
    }
    report(&asked, &random, seconds, arguments.json.as_deref())
}

fn curve_of(
    session: LabelSession,
    pool: &Labelled,
    test: &Labelled,
    next: impl Fn(&LabelSession, usize) -> Option<usize>,
) -> Result<Vec<f64>> {
    Ok(curve(session, pool, test, next)?.0)
}

/// The accuracy after each number of labels, and the seconds that the slowest label took.
fn curve(
    mut session: LabelSession,
    pool: &Labelled,
    test: &Labelled,
    next: impl Fn(&LabelSession, usize) -> Option<usize>,
) -> Result<(Vec<f64>, f64)> {
    let (mut curve, mut slowest) = (Vec::new(), 0.0_f64);
    for labels in 0..TESTED[TESTED.len() - 1] {
        let row = next(&session, labels).context("expected more photos")?;
        let started = Instant::now();
        session.label(&[row], Some(&pool.classes[row]))?;
        slowest = slowest.max(started.elapsed().as_secs_f64());
        if TESTED.contains(&(labels + 1)) {
            curve.push(accuracy(&session, test)?);
        }
    }
    Ok((curve, slowest))
}

fn accuracy(session: &LabelSession, test: &Labelled) -> Result<f64> {
    let Some(guesses) = session.predict(test.features.clone())? else { return Ok(0.0) };
    let name = |class: &u16| &session.classes()[usize::from(*class)];
    let right =
        guesses.classes.iter().zip(&test.classes).filter(|(class, truth)| name(class) == *truth);
    Ok(right.count() as f64 / test.classes.len() as f64)
}

fn report(
    asked: &[Vec<f64>],
    random: &[Vec<f64>],
    seconds: f64,
    file: Option<&Path>,
) -> Result<()> {
    let mean = |curves: &[Vec<f64>], at: usize| -> (f64, f64) {
        let values: Vec<f64> = curves.iter().map(|curve| 100.0 * curve[at]).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance.sqrt())
    };
    println!("| labels | asked for | by chance |\n|---|---|---|");
    for (at, labels) in TESTED.iter().enumerate() {
        let ((a, da), (r, dr)) = (mean(asked, at), mean(random, at));
        println!("| {labels} | {a:.1} ± {da:.1} % | {r:.1} ± {dr:.1} % |");
    }
    let goal = mean(random, TESTED.len() - 1).0;
    match (0..TESTED.len()).find(|&at| mean(asked, at).0 >= goal) {
        Some(at) => println!("200 labels by chance are worth {} that are asked for", TESTED[at]),
        None => println!("200 labels that are asked for are worth fewer than 200 by chance"),
    }
    println!("the slowest label took {:.0} ms", 1000.0 * seconds);
    if let Some(file) = file {
        let result = json!({ "labels": TESTED, "asked": asked, "random": random, "slowest_label_s": seconds });
        std::fs::write(file, result.to_string())?;
    }
    Ok(())
}

/// The photos that have a class: those of the split `train`, and all others.
fn read(path: &Path) -> Result<[Labelled; 2]> {
    let index = ImageIndex::load(path)?;
    let mut table = csv::Reader::from_path(path.with_extension("labels.csv"))?;
    let mut rows = [Vec::new(), Vec::new()];
    let mut classes = [Vec::new(), Vec::new()];
    for (row, line) in table.records().enumerate() {
        let line = line?;
        if index.names().get(row).map(String::as_str) != Some(&line[0]) {
            bail!("expected {:?} in line {} of the table", index.names().get(row), row + 2);
        }
        let part = usize::from(&line[1] != "train");
        if !line[2].is_empty() {
            rows[part].push(row);
            classes[part].push(line[2].to_owned());
        }
    }
    let [train, test] = rows.map(|rows| index.features().select(&rows));
    let [of_train, of_test] = classes;
    Ok([
        Labelled { features: train, classes: of_train },
        Labelled { features: test, classes: of_test },
    ])
}

impl Labelled {
    fn select(&self, rows: &[usize]) -> Self {
        let classes = rows.iter().map(|&row| self.classes[row].clone()).collect();
        Self { features: self.features.select(rows), classes }
    }
}
