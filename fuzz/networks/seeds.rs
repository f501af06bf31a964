//! Writes the first inputs of the fuzz targets of this folder: `cargo run --bin network-seeds -- corpus`.

use std::{error::Error, fs, path::Path};

use burn::tensor::Device;
use simclr_augment::SimClrAugmentation;
use simclr_data::{SampleConfig, Splits};
use simclr_embed::{Embedder, ImageIndex};
use simclr_eval::{Classifier, LogisticRegression};
use simclr_fuzz::{folder_with, seed};
use simclr_model::{EncoderConfig, save_weights};
use simclr_train::fuzzed_checkpoint;

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = std::env::args().nth(1).ok_or("expected a folder")?;
    let corpus = Path::new(&corpus);
    files(corpus)?;
    checkpoints(corpus)?;
    for (name, text) in [
        ("about", "\u{1}/api/about\n"),
        ("map", "\u{1}/api/map\n"),
        ("thumbnail", "\u{1}/api/thumbnail/3\n"),
        (
            "search",
            "\u{2}/api/search\n{\"like\":[{\"row\":1}],\"unlike\":[{\"row\":2}],\"count\":3}",
        ),
        ("label", "\u{2}/api/labels\n{\"rows\":[1,2],\"class\":\"cat\"}"),
        ("other", "\u{2}/api/labels\n{\"rows\":[3,4],\"class\":\"dog\"}"),
        ("aside", "\u{2}/api/aside\n{\"rows\":[1],\"aside\":true}"),
        ("undo", "\u{2}/api/undo\n"),
        ("next", "\u{1}/api/next/5\n"),
        ("held-out", "\u{1}/api/held-out\n"),
        ("copies", "\u{2}/api/copies\n"),
        ("raw", "\0GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 2\r\n\r\nab"),
    ] {
        seed(corpus, "request", name, text.as_bytes())?;
    }
    Ok(())
}

/// A classifier, an index of vectors, and weights.
fn files(corpus: &Path) -> Result<(), Box<dyn Error>> {
    let device = Device::flex();
    let folder = folder_with(&[]);
    let path = folder.path().join("file.safetensors");
    let sample = SampleConfig { images: 40, size: 16, ..SampleConfig::default() };
    let labelled = Splits::sample(&sample)?.labelled.ok_or("expected labels")?;
    let config: EncoderConfig = "mlp_i8_4".parse()?;
    let transform = SimClrAugmentation::cifar10().with_size(8)?.evaluation();
    let encoder = config.init(0, &device)?;
    save_weights(&encoder, &path)?;
    seed(corpus, "weights", "safetensors", &fs::read(&path)?)?;
    let embedder = Embedder::new(encoder, transform, &device).with_config(config);
    let embedded = embedder.embed(&labelled.test)?;
    ImageIndex::new(embedded.names, embedded.features, embedder.preparation())?.save(&path)?;
    seed(corpus, "image_index", "vectors", &fs::read(&path)?)?;
    embedder.save(&path)?;
    seed(corpus, "image_index", "embedder", &fs::read(&path)?)?;
    let probe = LogisticRegression::default();
    Classifier::train(embedder, &labelled.train, &probe)?.save(&path)?;
    seed(corpus, "classifier", "classifier", &fs::read(&path)?)
}

/// Each part of a checkpoint, after its number.
fn checkpoints(corpus: &Path) -> Result<(), Box<dyn Error>> {
    for (number, name) in [(0_u8, "model.bpk"), (1, "optimizer.safetensors")] {
        let folder = folder_with(&[]);
        // It puts nothing in the other part's place.
        let replaced = fuzzed_checkpoint(folder.path(), usize::from(1 - number), b"");
        replaced.err().ok_or("expected that an empty part is refused")?;
        let part = fs::read(folder.path().join("epoch-0001").join(name))?;
        seed(corpus, "checkpoint", name, &[&[number][..], &part].concat())?;
    }
    Ok(())
}
