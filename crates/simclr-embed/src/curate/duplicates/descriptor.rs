//! A short vector of an image's pixels, near those of its copies.

use super::fingerprint::{CHROMA, Fingerprint, LUMA, shrunk};
use crate::vectors::Features;

/// Sides of the blocks of brightness, and of colours, whose means a descriptor has.
const LUMA_BLOCKS: usize = 8;
const CHROMA_BLOCKS: usize = 4;

/// A descriptor of each fingerprint, of length 96: means of blocks of brightness and colours, less their mean over all images.
///
/// An image and its mirror image have the same one: of two blocks that a mirror exchanges, it has the mean and the absolute difference.
pub(super) fn descriptors(prints: &[&Fingerprint]) -> Features {
    let mut rows: Vec<Vec<f32>> = prints.iter().map(|print| descriptor(print)).collect();
    let size = rows.first().map_or(1, Vec::len);
    for place in 0..size {
        let sum: f64 = rows.iter().map(|row| f64::from(row[place])).sum();
        let mean = (sum / rows.len() as f64) as f32;
        for row in &mut rows {
            row[place] -= mean;
        }
    }
    Features::new(rows.concat(), size)
}

fn descriptor(print: &Fingerprint) -> Vec<f32> {
    let floats = |bytes: &[u8]| -> Vec<f32> { bytes.iter().map(|&x| f32::from(x)).collect() };
    let luma = shrunk(&floats(&print.luma), LUMA / LUMA_BLOCKS);
    let colors = print.chroma.chunks_exact(CHROMA * CHROMA);
    let colors = colors.map(|plane| shrunk(&floats(plane), CHROMA / CHROMA_BLOCKS));
    let mut descriptor = Vec::new();
    for blocks in std::iter::once(luma).chain(colors) {
        let side = blocks.len().isqrt();
        for row in blocks.chunks_exact(side) {
            let pairs = row.iter().zip(row.iter().rev()).take(side / 2);
            descriptor.extend(pairs.flat_map(|(a, b)| [(a + b) / 2.0, (a - b).abs() / 2.0]));
        }
    }
    descriptor
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::imageops::flip_horizontal;
    use simclr_data::{ImageDataset, Sample, SampleConfig};

    #[test]
    fn a_mirror_changes_nothing() {
        let images = Sample::new(SampleConfig { images: 2, size: 64, seed: 1 }).unwrap();
        let image = images.image(1).unwrap();
        let [print, mirrored] =
            [&image, &flip_horizontal(&image)].map(|image| Fingerprint::new(image).unwrap());
        let far = descriptor(&Fingerprint::new(&images.image(0).unwrap()).unwrap());
        let (a, b) = (descriptor(&print), descriptor(&mirrored));
        assert_eq!(a.len(), 96);
        let distance =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(distance(&a, &b) < 1.0 && distance(&a, &far) > 5.0);
    }
}
