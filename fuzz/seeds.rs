//! Writes the first inputs of the fuzz targets: `cargo run --bin seeds -- corpus`.

use std::{error::Error, fs, path::Path};

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use simclr_data::{ImageDataset, Sample, SampleConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = std::env::args().nth(1).ok_or("expected a folder")?;
    jpegs(&Path::new(&corpus).join("jpeg"))
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
