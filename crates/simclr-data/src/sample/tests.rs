use super::*;

fn sample(seed: u64, images: usize, size: u32) -> Sample {
    Sample::new(SampleConfig { seed, images, size }).unwrap()
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn a_picture_depends_on_seed_and_index_only() {
    let (few, many) = (sample(3, 8, 32), sample(3, 1000, 32));
    let _ = many.image(900).unwrap();
    assert_eq!(few.image(7).unwrap(), many.image(7).unwrap());
    assert_ne!(few.image(7).unwrap(), sample(4, 8, 32).image(7).unwrap());
    assert_ne!(many.image(7).unwrap(), many.image(17).unwrap());
}

/// Golden values: checksums of the first pictures of seed 0. If they change, so does the sample, and figures measured
/// on the new one cannot be compared with earlier ones.
#[test]
fn pictures_are_the_same_bytes_on_every_machine() {
    let sample = sample(0, 10, 96);
    let found: Vec<u64> = (0..10).map(|i| checksum(sample.image(i).unwrap().as_raw())).collect();
    assert_eq!(found, GOLDEN);
}

const GOLDEN: [u64; 10] = [
    0xf070_ccab_3247_b117,
    0x9bd6_125b_278a_49d1,
    0x848c_955d_8674_90a8,
    0xbc8f_67fb_53f2_9c5a,
    0xb086_aecc_a851_65d9,
    0x2af6_5e6a_c298_c4e0,
    0x889c_2920_53f7_070f,
    0x0125_0ff3_2bd3_624e,
    0x004a_1b11_b69c_b776,
    0xdf21_ed89_6fe6_a22a,
];

#[test]
fn classes_are_balanced() {
    let sample = sample(0, 50, 8);
    let mut counts = [0; 10];
    for index in 0..sample.len() {
        counts[sample.label(index).unwrap()] += 1;
    }
    assert_eq!(counts, [5; 10]);
    assert_eq!(sample.class_names().len(), 10);
}

#[test]
fn every_size_in_range_can_be_drawn() {
    for size in [8, 9, 33, 200] {
        assert_eq!(sample(0, 10, size).image(9).unwrap().dimensions(), (size, size));
    }
}

#[test]
fn a_larger_picture_shows_the_same_scene() {
    use image::imageops::{FilterType, resize};
    let (large, small) = (sample(0, 10, 192), sample(0, 10, 96));
    for index in 0..10 {
        let shrunk = resize(&large.image(index).unwrap(), 48, 48, FilterType::Triangle);
        let same = resize(&small.image(index).unwrap(), 48, 48, FilterType::Triangle);
        let difference: u64 = shrunk
            .as_raw()
            .iter()
            .zip(same.as_raw())
            .map(|(&a, &b)| u64::from(a.abs_diff(b)))
            .sum();
        assert!(
            difference / (shrunk.as_raw().len() as u64) < 4,
            "image {index} differs by {difference}"
        );
    }
}

#[test]
fn the_pictures_that_follow_continue_the_sequence() {
    let (start, all) = (sample(5, 13, 16), sample(5, 20, 16));
    let rest = start.following(7);
    assert_eq!(
        (rest.len(), rest.label(0), rest.name(0)),
        (7, Some(3), "sample/triangle/13".to_owned())
    );
    assert_eq!(rest.image(6).unwrap(), all.image(19).unwrap());
}

#[test]
fn a_sample_needs_at_least_one_image() {
    let error = Sample::new(SampleConfig { images: 0, ..SampleConfig::default() }).unwrap_err();
    assert_eq!(error.to_string(), "expected images to be in 1..=4294967295, found 0");
}

#[test]
fn a_picture_of_less_than_eight_pixels_is_refused() {
    let error = Sample::new(SampleConfig { size: 7, ..SampleConfig::default() }).unwrap_err();
    assert_eq!(error.to_string(), "expected size to be in 8..=4096 pixels, found 7");
}

#[test]
fn an_image_past_the_end_is_an_error() {
    assert!(matches!(
        sample(0, 3, 8).image(3),
        Err(DataError::IndexOutOfRange { index: 3, len: 3 })
    ));
    assert_eq!(sample(0, 3, 8).label(3), None);
}

/// An encoder has to beat this: raw pixels must not tell the class.
#[test]
fn nearest_neighbours_of_raw_pixels_are_hardly_better_than_chance() {
    let (train, test) = (600, 200);
    let sample = sample(1, train + test, 32);
    let mut pixels: Vec<Vec<f32>> = (0..sample.len())
        .map(|index| {
            sample.image(index).unwrap().as_raw().iter().map(|&byte| f32::from(byte)).collect()
        })
        .collect();
    for image in &mut pixels {
        let mean = image.iter().sum::<f32>() / image.len() as f32;
        let norm = image.iter().map(|value| (value - mean).powi(2)).sum::<f32>().sqrt();
        for value in image.iter_mut() {
            *value = (*value - mean) / norm;
        }
    }
    let right = (train..sample.len())
        .filter(|&index| vote(&pixels[..train], &pixels[index]) == index % 10)
        .count();
    let accuracy = right as f32 / test as f32;
    assert!(accuracy < 0.2, "kNN of raw pixels finds {accuracy}");
}

/// The most frequent class among the 20 images of the training set with the highest cosine. Image i is of class i % 10.
fn vote(train: &[Vec<f32>], test: &[f32]) -> usize {
    let cosine = |image: &[f32]| image.iter().zip(test).map(|(a, b)| a * b).sum::<f32>();
    let mut ranked: Vec<_> =
        train.iter().enumerate().map(|(index, image)| (cosine(image), index % 10)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut votes = [0; 10];
    for (_, class) in &ranked[..20] {
        votes[*class] += 1;
    }
    (0..10).max_by_key(|&class| votes[class]).unwrap()
}
