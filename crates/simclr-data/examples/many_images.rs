//! Makes as many images as ImageNet has, for tests of scale: small JPEGs of 1,000 classes, in 147 tar shards or in folders.
//!
//! ```sh
//! cargo run --release -p simclr-data --example many_images -- shards DIR   # 1,281,167 images, 4 GB
//! cargo run --release -p simclr-data --example many_images -- folders DIR 20000
//! ```
//!
//! Some hundred images differ. In shards each is stored again; in folders they are hard links.

use std::{
    error::Error,
    fs::{self, File},
    io::{BufWriter, Cursor, Write},
    path::Path,
};

use image::{ImageFormat, RgbImage};
use simclr_data::{ImageDataset, Sample, SampleConfig};
use tar::{Builder, Header};

const CLASSES: usize = 1000;
const SHARDS: usize = 147;
const DIFFERENT: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (kind, dir, images) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [kind, dir] => (kind, Path::new(dir), 1_281_167),
        [kind, dir, images] => (kind, Path::new(dir), images.parse()?),
        _ => {
            return Err("expected `shards` or `folders`, DIR and perhaps a number of images".into());
        }
    };
    fs::create_dir_all(dir)?;
    let bodies = bodies()?;
    match kind {
        "shards" => shards(dir, images, &bodies),
        "folders" => folders(dir, images, &bodies),
        other => Err(format!("expected `shards` or `folders`, found `{other}`").into()),
    }
}

/// The files of the images that differ: shapes of 48 pixels.
fn bodies() -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let sample = Sample::new(SampleConfig { seed: 1, images: DIFFERENT, size: 48 })?;
    let jpeg = |image: RgbImage| -> Result<Vec<u8>, Box<dyn Error>> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Jpeg)?;
        Ok(bytes.into_inner())
    };
    (0..DIFFERENT).map(|index| jpeg(sample.image(index)?)).collect()
}

/// Writes `train-000.tar` and so on: images in no order of their classes, as shards usually are, each with its `.cls`.
fn shards(dir: &Path, images: usize, bodies: &[Vec<u8>]) -> Result<(), Box<dyn Error>> {
    for shard in 0..SHARDS {
        let file = File::create(dir.join(format!("train-{shard:03}.tar")))?;
        let mut builder = Builder::new(BufWriter::with_capacity(1 << 20, file));
        for index in images * shard / SHARDS..images * (shard + 1) / SHARDS {
            // The body tells the class's remainder, so that there is something to learn.
            let class = index * 7919 % CLASSES;
            let (name, body) = (format!("n{class:04}_{index:07}"), &bodies[class % bodies.len()]);
            for (extension, bytes) in [("jpg", &body[..]), ("cls", class.to_string().as_bytes())] {
                let mut header = Header::new_ustar();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                builder.append_data(&mut header, format!("{name}.{extension}"), bytes)?;
            }
        }
        builder.into_inner()?.flush()?;
    }
    Ok(())
}

/// Writes `n0000/0000000.jpg` and so on.
fn folders(dir: &Path, images: usize, bodies: &[Vec<u8>]) -> Result<(), Box<dyn Error>> {
    for class in 0..CLASSES {
        let folder = dir.join(format!("n{class:04}"));
        fs::create_dir_all(&folder)?;
        // A file of each class, as a file system may allow 65,000 links to one.
        let mut first = None;
        for index in images * class / CLASSES..images * (class + 1) / CLASSES {
            let path = folder.join(format!("{index:07}.jpg"));
            match &first {
                Some(first) => fs::hard_link(first, path)?,
                None => {
                    fs::write(&path, &bodies[class % bodies.len()])?;
                    first = Some(path);
                }
            }
        }
    }
    Ok(())
}
