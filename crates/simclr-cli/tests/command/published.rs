//! What others publish, made here: a network's weights, and a data set.

use std::path::Path;

use image::{Rgb, RgbImage};
use simclr::burn::tensor::Device;
use simclr::model::{EncoderConfig, Naming, save_published_weights};

const SIDE: usize = 96;

/// The weights that the library of `naming` would publish of a network.
pub(crate) fn publish(folder: &Path, file: &str, encoder: &str, naming: Naming) {
    let config: EncoderConfig = encoder.parse().unwrap();
    let encoder = config.init(1, &Device::flex()).unwrap();
    save_published_weights(&encoder, naming, folder.join(file)).unwrap();
}

/// Stripes as wide as the class says, in the colour of the number.
pub(crate) fn stripes(class: usize, number: usize) -> RgbImage {
    RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
        let on = ((x as usize + number) / (2 + class)).is_multiple_of(2);
        if on { Rgb([(number * 20) as u8, 200, 30]) } else { Rgb([20, y as u8, 90]) }
    })
}

/// A data set in STL-10's layout in `folder/name`, with two images of each class to learn from, one to test, and 16 without a label.
pub(crate) fn write_stl10(folder: &Path, name: &str) {
    let dir = folder.join(name);
    std::fs::create_dir(&dir).unwrap();
    for (split, images) in [("train", 20), ("test", 10), ("unlabeled", 16)] {
        let mut pixels = Vec::new();
        for index in 0..images {
            let image = stripes(index % 10, index);
            for channel in 0..3 {
                // Column by column.
                for x in 0..SIDE as u32 {
                    pixels.extend((0..SIDE as u32).map(|y| image.get_pixel(x, y).0[channel]));
                }
            }
        }
        std::fs::write(dir.join(format!("{split}_X.bin")), pixels).unwrap();
        let labels: Vec<u8> = (0..images).map(|index| (index % 10 + 1) as u8).collect();
        if split != "unlabeled" {
            std::fs::write(dir.join(format!("{split}_y.bin")), labels).unwrap();
        }
    }
    stripes(3, 40).save(folder.join("photo.png")).unwrap();
}
