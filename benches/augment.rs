//! Views a second on the CPU, as JSON lines: by size, with decoding, and by the number of threads.
//!
//! ```text
//! cargo bench --bench augment                                 every case
//! cargo bench --bench augment -- views 400 224 1              one case: source, size, threads
//! cargo bench --bench augment -- decode 400 224 1 DIR         from the JPEG files in DIR
//! cargo bench --bench augment -- device 400 224 DEVICE        a batch of 64 on a device
//! cargo bench --bench augment -- write 400 DIR                the images of the bench, as JPEG files
//! ```
//!
//! The policy is ImageNet's at full strength, blur only above 32 px; a view ends as normalised f32
//! planes. A figure is the best of thirty rounds of a tenth of a second, since whatever else the machine
//! does only ever takes time away.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use rayon::prelude::*;
use serde_json::json;
use simclr::augment::{DeviceAugmentation, SimClrAugmentation, ViewKey};
use simclr::data::{ImageDataset, ImageFolder};
use simclr::train::device_from_name;

use rounds::items_per_second;

mod rounds;

const IMAGES: u32 = 16;
/// The views of a batch on a device.
const BATCH: u64 = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u32>().expect("sizes and threads are whole numbers");
    match arguments.as_slice() {
        [] => {
            for (source, size) in [(32, 32), (96, 96), (400, 224)] {
                for threads in [1, 2] {
                    views(source, size, threads);
                }
            }
            device(400, 224, "flex");
        }
        ["views", source, size, threads] => views(number(source), number(size), number(threads)),
        ["decode", source, size, threads, dir] => {
            decode(number(source), number(size), number(threads), Path::new(dir));
        }
        ["device", source, size, name] => device(number(source), number(size), name),
        ["write", source, dir] => write(number(source), Path::new(dir)),
        _ => panic!("expected no arguments, or: views | decode | device | write, see the source"),
    }
}

fn policy(size: u32) -> SimClrAugmentation {
    let mut config = SimClrAugmentation::imagenet().config().clone();
    config.size = size;
    if size <= 32 {
        config.blur = None;
    }
    SimClrAugmentation::new(config).expect("a valid config")
}

/// A soft picture with some texture: waves of a few lengths in each channel.
fn image(side: u32, number: u32) -> RgbImage {
    let place = |x: u32| x as f32 / side as f32;
    RgbImage::from_fn(side, side, |x, y| {
        let (u, v) = (place(x), place(y));
        let texture = ((x * 7 + y * 13 + x * y * number) % 23) as f32;
        let wave = |phase: f32| {
            let shift = phase + number as f32;
            127.0 + 70.0 * (6.0 * u + shift).sin() * (9.0 * v - shift).cos() + texture
        };
        Rgb([wave(0.0), wave(1.3), wave(2.1)].map(|value| value as u8))
    })
}

fn images(side: u32) -> Vec<RgbImage> {
    (0..IMAGES).map(|number| image(side, number)).collect()
}

thread_local! {
    static VIEW: std::cell::RefCell<Vec<f32>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn make(policy: &SimClrAugmentation, image: &RgbImage, index: u64) {
    VIEW.with_borrow_mut(|view| {
        view.resize(policy.view_len(), 0.0);
        let key = ViewKey { seed: 0, pass: 0, index, view: 0 };
        let params = policy.draw(key, image.width(), image.height());
        policy.view_into(image, &params, view).expect("drawn for the image");
        black_box(&view);
    });
}

fn views(source: u32, size: u32, threads: u32) {
    let (policy, images) = (policy(size), images(source));
    let rate = items_per_second(threads, |index| {
        make(&policy, &images[index as usize % images.len()], index);
    });
    report("views", source, size, &threads.to_string(), rate);
}

fn decode(source: u32, size: u32, threads: u32, dir: &Path) {
    let (policy, folder) = (policy(size), ImageFolder::open(dir).expect("a folder of images"));
    let rate = items_per_second(threads, |index| {
        let image = folder.image(index as usize % folder.len()).expect("an image of the bench");
        make(&policy, &image, index);
    });
    report("decode", source, size, &threads.to_string(), rate);
}

fn device(source: u32, size: u32, name: &str) {
    let device: Device = device_from_name(name).expect("a device of this build");
    let policy = policy(size);
    let on_device = DeviceAugmentation::new(policy.clone()).expect("no steps of its own");
    let images = images(source);
    let batch = |round: u64| {
        let start = Instant::now();
        let prepared: Vec<_> = (0..BATCH)
            .into_par_iter()
            .map(|index| {
                let key = ViewKey { seed: 0, pass: round, index, view: 0 };
                let image = &images[index as usize % images.len()];
                let params = policy.draw(key, source, source);
                on_device.prepare(image, &params).expect("drawn for the image")
            })
            .collect();
        let views = on_device.views(&prepared, &device);
        black_box(views.sum().into_scalar::<f32>()); // Waits for the device.
        BATCH as f64 / start.elapsed().as_secs_f64()
    };
    report("device", source, size, name, (0..8).map(batch).fold(0.0, f64::max));
}

fn write(source: u32, dir: &Path) {
    std::fs::create_dir_all(dir).expect("a folder can be made");
    for (number, image) in images(source).iter().enumerate() {
        let path = dir.join(format!("{number:02}.jpg"));
        let file = std::fs::File::create(&path).expect("a file can be made");
        JpegEncoder::new_with_quality(file, 90).encode_image(image).expect("a picture as JPEG");
    }
}

fn report(work: &str, source: u32, size: u32, on: &str, views_per_second: f64) {
    let line = json!({
        "work": work,
        "source": source,
        "size": size,
        "on": on,
        "views_per_second": views_per_second,
    });
    println!("{line}");
}
