//! Writes the first inputs of the fuzz targets: `cargo run --bin seeds -- corpus`.

use std::{error::Error, fs, io::Cursor, ops::ControlFlow, path::Path};

use image::{ImageFormat, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use simclr_augment::{SimClrAugmentation, ViewKey};
use simclr_data::{
    ImageDataset, Opening, PackConfig, PackFormat, Sample, SampleConfig, Shards, Splits, WholeSet,
    pack,
};
use simclr_fuzz::{bitmap, folder_with, seed, set_time, shard};

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = std::env::args().nth(1).ok_or("expected a folder")?;
    let corpus = Path::new(&corpus);
    images(corpus)?;
    views(corpus)?;
    jpegs(&corpus.join("jpeg"))?;
    data_sets(corpus)?;
    indexes(corpus)?;
    texts(corpus)
}

/// Whole files of STL-10 and CIFAR-10 as their targets have them, shards, and packed files.
fn data_sets(corpus: &Path) -> Result<(), Box<dyn Error>> {
    let classes = "airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n";
    // Two images, two labels.
    let stl10 = [&[7, 0, 2, 0, 1, 10][..], classes.as_bytes()].concat();
    seed(corpus, "stl10", "two", &stl10)?;
    let cifar10 = [&[7, 0, 0, 1, 2, 3, 4, 5, 6, 9][..], classes.as_bytes()].concat();
    seed(corpus, "cifar10", "two", &cifar10)?;
    let shard = shard();
    seed(corpus, "tar_shard", "bmp", &shard)?;
    for (number, length) in [0, 600, 3000, shard.len() - 1100].into_iter().enumerate() {
        seed(corpus, "tar_shard", &format!("cut-{number}"), &shard[..length])?;
    }
    let [a, b] = [1, 2].map(bitmap);
    let folder = folder_with(&[("photos/cat/1.bmp", &a[..]), ("photos/dog/1.bmp", &b[..])]);
    let out = folder.path().join("out.tar");
    let photos = WholeSet::open(folder.path().join("photos"))?;
    let config = PackConfig::new(PackFormat::Raw);
    pack(&photos, &out, &config, |_| ControlFlow::Continue(()))?;
    let packed = fs::read(out)?;
    seed(corpus, "tar_shard", "packed", &packed)?;
    for length in [packed.len(), packed.len() / 2, 1536, 100] {
        seed(corpus, "packed", &length.to_string(), &packed[..length.min(packed.len())])?;
    }
    Ok(())
}

/// Index files of what the targets open by them.
fn indexes(corpus: &Path) -> Result<(), Box<dyn Error>> {
    let [a, b] = [1, 2].map(bitmap);
    let files =
        [("a.tar", &shard()[..]), ("photos/cat/1.bmp", &a[..]), ("photos/dog/1.bmp", &b[..])];
    let folder = folder_with(&files);
    let index = folder.path().join("data.index");
    set_time(&folder.path().join("a.tar"));
    Shards::open(folder.path().join("a.tar"))?.write_index(&index)?;
    seed(corpus, "shard_index", "three", &fs::read(&index)?)?;
    fs::remove_file(&index)?;
    let opening = Opening { index: Some(index.clone()), ..Opening::default() };
    let splits = Splits::open_with(folder.path().join("photos"), &opening)?;
    splits.index.ok_or("expected an index of the folder")?.write(&index)?;
    seed(corpus, "folder_index", "two", &fs::read(&index)?)
}

/// Tables, names, and the texts of a run.
fn texts(corpus: &Path) -> Result<(), Box<dyn Error>> {
    for (target, name, text) in [
        ("label_table", "labels", "name,label\n1.jpg,cat\ndeep/2.jpg,dog\n"),
        ("label_table", "classified", "image,class,probability\n1.jpg,cat,0.4\n1.jpg,dog,0.6\n"),
        ("label_table", "quoted", "name,label\n\"1.jpg\",\"cat, grey\"\n../x,y\n/etc/passwd,z\n"),
        ("names", "escaped", "a\\x0Ab/c\\\\d.png"),
        ("run_files", "config", "\0seed = 1\n[train]\nepochs = 2\nbatch_size = 8\n"),
        ("run_files", "metrics", "\u{1}{\"event\":\"epoch\",\"epoch\":1,\"loss\":1.5}\n"),
        ("run_files", "summary", "\u{2}{\"epochs\":1,\"loss_first\":1.5,\"loss_last\":1.0}"),
    ] {
        seed(corpus, target, name, text.as_bytes())?;
    }
    Ok(())
}

/// An image in each format that is read.
fn images(corpus: &Path) -> Result<(), Box<dyn Error>> {
    let image = Sample::new(SampleConfig { images: 10, size: 12, seed: 1 })?.image(0)?;
    for format in [
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Tiff,
        ImageFormat::WebP,
    ] {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format)?;
        seed(corpus, "decode", format.extensions_str()[0], &bytes.into_inner())?;
    }
    Ok(())
}

/// Policies and parameters of views.
fn views(corpus: &Path) -> Result<(), Box<dyn Error>> {
    for (name, policy) in
        [("imagenet", SimClrAugmentation::imagenet()), ("cifar10", SimClrAugmentation::cifar10())]
    {
        seed(corpus, "view_params", name, &serde_json::to_vec(policy.config())?)?;
        let params = policy.draw(ViewKey { seed: 1, pass: 2, index: 3, view: 0 }, 37, 23);
        seed(corpus, "view_params", &format!("{name}-view"), &serde_json::to_vec(&params)?)?;
    }
    Ok(())
}

/// Small JPEGs of each kind that cameras write, after a rectangle and a resolution.
fn jpegs(dir: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(dir)?;
    let sample = Sample::new(SampleConfig { images: 10, size: 40, seed: 1 })?;
    let samplings = [SamplingFactor::F_1_1, SamplingFactor::F_2_1, SamplingFactor::F_2_2];
    for (number, sampling) in samplings.into_iter().enumerate() {
        for (kind, restart) in [("plain", 0), ("restarts", 2)] {
            let image = sample.image(number)?;
            let mut bytes = vec![0, 0, 0, 0, 40, 0, 40, 0, number as u8];
            encode(&image, sampling, restart, &mut bytes)?;
            fs::write(dir.join(format!("{kind}-{number}")), bytes)?;
        }
    }
    Ok(())
}

fn encode(
    image: &RgbImage,
    sampling: SamplingFactor,
    restart: u16,
    bytes: &mut Vec<u8>,
) -> Result<(), Box<dyn Error>> {
    let mut encoder = Encoder::new(bytes, 80);
    encoder.set_sampling_factor(sampling);
    if restart > 0 {
        encoder.set_restart_interval(restart);
    }
    encoder.encode(image.as_raw(), image.width() as u16, image.height() as u16, ColorType::Rgb)?;
    Ok(())
}
