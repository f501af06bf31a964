//! Copies among pictures of the built-in sample, made here.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use burn::tensor::Device;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use simclr_data::{ImageDataset, Sample, SampleConfig, WholeSet};
use simclr_embed::{
    DuplicateGroup, DuplicateSearch, Embedded, Features, Fingerprint, Fingerprinting, Relation,
};

/// Images of a list.
struct Images(Vec<RgbImage>);

impl ImageDataset for Images {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn image(&self, index: usize) -> Result<RgbImage, simclr_data::DataError> {
        Ok(self.0[index].clone())
    }
}

fn sample(images: usize, size: u32) -> Vec<RgbImage> {
    let sample = Sample::new(SampleConfig { images, size, seed: 7 }).unwrap();
    (0..images).map(|index| sample.image(index).unwrap()).collect()
}

fn prints(images: &dyn ImageDataset) -> Vec<Option<Fingerprint>> {
    let watched = Fingerprinting::new(images);
    (0..images.len()).for_each(|index| drop(watched.image(index).unwrap()));
    watched.into_fingerprints()
}

fn groups(images: &dyn ImageDataset, embedded: Option<&Embedded>) -> Vec<DuplicateGroup> {
    let fingerprints = prints(images);
    DuplicateSearch { images, fingerprints: &fingerprints, embedded, seed: 0 }
        .find(&Device::flex())
        .unwrap()
}

fn indices(group: &DuplicateGroup) -> Vec<usize> {
    group.members.iter().map(|member| member.index).collect()
}

/// All pairs that are in one group, the smaller index first.
fn pairs(groups: &[DuplicateGroup]) -> BTreeSet<(usize, usize)> {
    let of_group = |group: &DuplicateGroup| {
        let all = indices(group);
        let pairs = all.iter().flat_map(|&a| all.iter().map(move |&b| (a, b)));
        pairs.filter(|(a, b)| a < b).collect::<Vec<_>>()
    };
    groups.iter().flat_map(of_group).collect()
}

fn jpeg(image: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(Cursor::new(&mut bytes), quality);
    encoder.encode_image(image).unwrap();
    image::load_from_memory(&bytes).unwrap().to_rgb8()
}

/// A part of the image, without so many percent of a side at the left, the right, the top and the bottom.
fn crop(image: &RgbImage, percent: [u32; 4]) -> RgbImage {
    let (width, height) = image.dimensions();
    let [left, right] = [percent[0], percent[1]].map(|percent| width * percent / 100);
    let [top, bottom] = [percent[2], percent[3]].map(|percent| height * percent / 100);
    imageops::crop_imm(image, left, top, width - left - right, height - top - bottom).to_image()
}

fn resize(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    imageops::resize(image, width, height, FilterType::Triangle)
}

#[test]
fn copies_are_found_however_they_were_made_and_other_pictures_are_not() {
    let mut images = sample(600, 120);
    let make: [fn(&RgbImage) -> RgbImage; 8] = [
        |image| jpeg(&resize(image, 60, 60), 90),
        |image| jpeg(&resize(image, 200, 180), 90),
        |image| jpeg(image, 40),
        |image| jpeg(&crop(image, [5, 5, 5, 5]), 90),
        |image| crop(image, [5, 0, 0, 5]),
        |image| crop(image, [0, 5, 5, 0]),
        imageops::flip_horizontal,
        |image| jpeg(&resize(&crop(&imageops::flip_horizontal(image), [5, 5, 5, 5]), 80, 80), 60),
    ];
    let mut expected = BTreeSet::new();
    for (index, make) in make.into_iter().cycle().take(120).enumerate() {
        expected.insert((3 * index, images.len()));
        images.push(make(&images[3 * index]));
    }
    let images = Images(images);
    let found = pairs(&groups(&images, None));
    let right = found.intersection(&expected).count() as f64;
    let (precision, recall) = (right / found.len() as f64, right / expected.len() as f64);
    assert!(precision >= 0.95 && recall >= 0.95, "precision {precision}, recall {recall}");

    // An encoder that calls all pictures equal proposes other pairs, and confirms none.
    let blind = Embedded {
        features: Features::new(vec![1.0; images.len()], 1),
        indices: (0..images.len()).collect(),
        names: (0..images.len()).map(|index| images.name(index)).collect(),
        skipped: Vec::new(),
    };
    let more = pairs(&groups(&images, Some(&blind)));
    let right = more.intersection(&expected).count() as f64;
    assert!(more.is_superset(&found) && right / more.len() as f64 >= 0.95);
}

#[test]
fn the_best_copy_is_the_largest_and_each_other_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let pictures = sample(12, 96);
    for (index, picture) in pictures.iter().enumerate() {
        picture.save(here.join(format!("{index:02}.png"))).unwrap();
    }
    let copy = |from: &str, to: &str| std::fs::copy(here.join(from), here.join(to)).unwrap();
    copy("03.png", "a.png");
    pictures[3].save(here.join("b.bmp")).unwrap();
    resize(&pictures[3], 48, 48).save(here.join("c.png")).unwrap();
    copy("c.png", "d.png");
    imageops::flip_horizontal(&resize(&pictures[5], 192, 192)).save(here.join("e.png")).unwrap();
    let photos = WholeSet::open(here).unwrap();
    let found = groups(&photos, None);
    let name = |index: usize| photos.name(index);
    let said: Vec<Vec<(String, String)>> = found
        .iter()
        .map(|group| {
            let said = |relation: Relation| match relation {
                Relation::SameBytes { of } => format!("bytes of {}", name(of)),
                Relation::SamePixels { of } => format!("pixels of {}", name(of)),
                Relation::Near { of, mirrored, likeness } => {
                    assert!((0.87..=1.0 + 1e-9).contains(&likeness));
                    format!("near {}{}", name(of), if mirrored { ", mirrored" } else { "" })
                }
                _ => "best".to_owned(),
            };
            group.members.iter().map(|it| (name(it.index), said(it.relation))).collect()
        })
        .collect();
    let rows = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
        rows.iter().map(|(name, said)| ((*name).to_owned(), (*said).to_owned())).collect()
    };
    // A bitmap takes the most bytes.
    let third = rows(&[
        ("b.bmp", "best"),
        ("03.png", "pixels of b.bmp"),
        ("a.png", "bytes of 03.png"),
        ("c.png", "near b.bmp"),
        ("d.png", "bytes of c.png"),
    ]);
    let fifth = rows(&[("e.png", "best"), ("05.png", "near e.png, mirrored")]);
    assert_eq!(said, [third, fifth]);
}

#[test]
fn many_equal_images_hide_no_near_copy() {
    let mut images = sample(40, 64);
    let (first, near) = (images[0].clone(), jpeg(&images[0], 60));
    images.extend(std::iter::repeat_n(first, 60));
    images.push(near);
    let images = Images(images);
    let found = groups(&images, None);
    assert_eq!(found.len(), 1);
    let mut members = indices(&found[0]);
    members.sort_unstable();
    let expected: Vec<usize> = std::iter::once(0).chain(40..101).collect();
    assert_eq!(members, expected);
    assert!(matches!(found[0].members[1].relation, Relation::SamePixels { of: 0 }));
}

#[test]
fn plain_colours_are_copies_of_their_own_colour_alone() {
    let plain = |color: [u8; 3], size| RgbImage::from_pixel(size, size, Rgb(color));
    let images = Images(vec![
        plain([200, 0, 0], 60),
        plain([200, 0, 0], 80),
        plain([190, 0, 0], 60),
        plain([0, 0, 200], 60),
        sample(1, 64).remove(0),
    ]);
    let found = groups(&images, None);
    assert_eq!(found.iter().map(indices).collect::<Vec<_>>(), [[1, 0]]);
}

#[test]
fn what_cannot_be_read_is_left_out_and_few_images_are_no_trouble() {
    let images = Images(sample(3, 64));
    let find = |fingerprints: &[Option<Fingerprint>]| {
        DuplicateSearch { images: &images, fingerprints, embedded: None, seed: 0 }
            .find(&Device::flex())
    };
    let mut fingerprints = prints(&images);
    assert_eq!(find(&fingerprints).unwrap(), []);
    fingerprints[0] = None;
    fingerprints[2] = None;
    assert_eq!(find(&fingerprints).unwrap(), []);
    assert_eq!(find(&[None, None, None]).unwrap(), []);
    let error = find(&fingerprints[..2]).unwrap_err().to_string();
    assert_eq!(error, "expected a fingerprint for each of 3 images, found 2");
}

#[test]
fn the_groups_are_the_same_on_any_number_of_threads() {
    let mut images = sample(60, 64);
    let copies: Vec<RgbImage> = images.iter().step_by(4).map(|image| jpeg(image, 50)).collect();
    images.extend(copies);
    let images = Images(images);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| groups(&images, None))
    };
    assert_eq!(on(1), on(5));
}

#[test]
fn a_file_that_is_gone_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| sample(1, 64)[0].save(folder.path().join(name)).unwrap();
    ["a.png", "b.png"].into_iter().for_each(write);
    let photos = WholeSet::open(folder.path()).unwrap();
    let fingerprints = prints(&photos);
    std::fs::remove_file(folder.path().join("b.png")).unwrap();
    let search =
        DuplicateSearch { images: &photos, fingerprints: &fingerprints, embedded: None, seed: 0 };
    let error = search.find(&Device::flex()).unwrap_err().to_string();
    let path: &Path = &folder.path().join("b.png");
    assert_eq!(error, format!("cannot read {}", path.display()));
}
