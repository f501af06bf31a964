//! Images a second from JPEG files, as JSON lines: decoded, with two views of each, and through the loader.
//!
//! ```text
//! cargo bench --bench decode -- alone DIR 4 1               decoded at a quarter of the resolution, on 1 thread
//! cargo bench --bench decode -- views DIR 224 scaled 2      decoded as finely as needed (or `full`), and two views, on 2 threads
//! cargo bench --bench decode -- loader DIR 224 64           batches of 64 pairs of views through the loader, on all threads
//! cargo bench --bench decode -- packed DIR 224 256          views of JPEGs and of the same images packed raw with a short side of 256,
//!                                                           by turns, on 1 thread
//! cargo bench --bench decode -- difference DIR 224          what scaling changes about views, in levels of 255
//! ```
//!
//! The policy is ImageNet's at full strength. Images follow one another, with other crops each time, in rounds of a tenth of a second, of
//! which the best counts.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use simclr::augment::{SimClrAugmentation, ViewKey};
use simclr::data::{
    ImageDataset, ImageFolder, ImagePart, PackConfig, PackFormat, PartialImage, Resolution, Shards,
    WholeSet, pack,
};
use simclr::train::{Decoding, ImageViews, StepLayout, ViewLoader, device_from_name};

use rounds::items_per_second;

mod rounds;

/// Epochs of the loader, of which the best counts.
const EPOCHS: usize = 3;
/// Turns of reading packed images, and images of a turn.
const PACKED_ROUNDS: u64 = 12;
const PACKED_ITEMS: u64 = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u32>().expect("sizes and threads are whole numbers");
    let folder = |dir: &str| ImageFolder::open(Path::new(dir)).expect("a folder of images");
    let report = match arguments.as_slice() {
        // `cargo test --benches` runs it so.
        [] => return,
        ["alone", dir, divisor, threads] => alone(&folder(dir), number(divisor), number(threads)),
        ["views", dir, size, decoding, threads] => {
            views(&folder(dir), number(size), decoding_of(decoding), number(threads))
        }
        ["loader", dir, size, batch] => loader(folder(dir), number(size), number(batch) as usize),
        ["packed", dir, size, short_side] => {
            packed(Path::new(dir), number(size), number(short_side))
                .expect("photos that can be packed")
        }
        ["difference", dir, size] => difference(&folder(dir), number(size)),
        _ => panic!("expected: alone | views | loader | packed | difference, see the source"),
    };
    println!("{report}");
}

fn policy(size: u32) -> SimClrAugmentation {
    SimClrAugmentation::imagenet().with_size(size).expect("a legal size")
}

fn decoding_of(name: &str) -> Decoding {
    serde_json::from_value(name.into()).expect("scaled or full")
}

fn alone(folder: &ImageFolder, divisor: u32, threads: u32) -> serde_json::Value {
    let all = [Resolution::Full, Resolution::Half, Resolution::Quarter, Resolution::Eighth];
    let resolution = all.into_iter().find(|it| it.divisor() == divisor).expect("1, 2, 4 or 8");
    let whole = |width, height| ImagePart { resolution, ..ImagePart::whole(width, height) };
    let rate = items_per_second(threads, |number| {
        let index = number as usize % folder.len();
        black_box(folder.image_part(index, &mut { whole }).expect("an image of the bench"));
    });
    json!({ "work": "alone", "divisor": divisor, "threads": threads, "images_per_second": rate })
}

/// The part of an image that its views need, and both views.
fn pair(
    images: &dyn ImageDataset,
    policy: &SimClrAugmentation,
    decoding: Decoding,
    number: u64,
    mut view: impl FnMut(&PartialImage, &simclr::augment::ViewParams),
) {
    let mut drawn = None;
    let mut needed = |width, height| {
        let key = |view| ViewKey { seed: 0, pass: 0, index: number, view };
        let params = [0, 1].map(|view| policy.draw(key(view), width, height));
        let part = decoding.needed_part(params.iter().map(|view| (view, policy.config().size)));
        drawn = Some(params);
        part
    };
    let index = number as usize % images.len();
    let part = images.image_part(index, &mut needed).expect("an image of the bench");
    for params in drawn.expect("its size was told") {
        view(&part, &Decoding::within(&part, &params));
    }
}

thread_local! {
    static VIEW: std::cell::RefCell<Vec<f32>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Both views of an image.
fn make_views(
    images: &dyn ImageDataset,
    policy: &SimClrAugmentation,
    decoding: Decoding,
    number: u64,
) {
    pair(images, policy, decoding, number, |part, params| {
        VIEW.with_borrow_mut(|view| {
            view.resize(policy.view_len(), 0.0);
            policy.view_into(part.pixels(), params, view).expect("drawn for the image");
            black_box(&view);
        });
    });
}

fn views(folder: &ImageFolder, size: u32, decoding: Decoding, threads: u32) -> serde_json::Value {
    let policy = policy(size);
    let rate = items_per_second(threads, |number| make_views(folder, &policy, decoding, number));
    json!({ "work": "views", "size": size, "threads": threads, "images_per_second": rate })
}

fn loader(folder: ImageFolder, size: u32, batch: usize) -> serde_json::Value {
    let device = device_from_name("flex").expect("the CPU");
    let steps = folder.len() / batch;
    let layout = StepLayout { batch_size: batch, chunk_size: batch, steps_per_epoch: steps };
    let source = Arc::new(ImageViews::new(Arc::new(folder), policy(size), 0));
    let loader = ViewLoader::new(source, layout, 0, &[device]);
    let epoch = |epoch: usize| {
        let start = Instant::now();
        let mut views = loader.epoch(epoch + 1);
        while let Some(step) = views.next_step() {
            step.for_each(|chunk| drop(black_box(chunk.expect("images of the bench"))));
        }
        loader.examples_per_epoch() as f64 / start.elapsed().as_secs_f64()
    };
    let rate = (0..EPOCHS).map(epoch).fold(0.0, f64::max);
    json!({ "work": "loader", "size": size, "batch": batch, "images_per_second": rate })
}

/// Images decoded and read, with two views each and without, from JPEGs and from a raw packed file of the same: microseconds an image of the
/// best of rounds by turns.
fn packed(
    dir: &Path,
    size: u32,
    short_side: u32,
) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("raw.tar");
    let raw = PackConfig { short_side: Some(short_side), ..PackConfig::new(PackFormat::Raw) };
    pack(&WholeSet::open(dir)?, &out, &raw, |_| ControlFlow::Continue(()))?;
    let (photos, shards, policy) = (ImageFolder::open(dir)?, Shards::open(&out)?, policy(size));
    let read = |images: &dyn ImageDataset, number: u64| {
        pair(images, &policy, Decoding::Scaled, number, |part, _| {
            black_box(part.pixels());
        });
    };
    let works: [(&str, &dyn Fn(u64)); 4] = [
        ("jpeg", &|number| read(&photos, number)),
        ("jpeg_views", &|number| make_views(&photos, &policy, Decoding::Scaled, number)),
        ("raw", &|number| read(&shards, number)),
        ("raw_views", &|number| make_views(&shards, &policy, Decoding::Scaled, number)),
    ];
    let mut best = [f64::INFINITY; 4];
    for round in 0..PACKED_ROUNDS {
        for (best, (_, work)) in best.iter_mut().zip(&works) {
            let start = Instant::now();
            (0..PACKED_ITEMS).for_each(|item| work(round * PACKED_ITEMS + item));
            *best = best.min(start.elapsed().as_secs_f64() * 1e6 / PACKED_ITEMS as f64);
        }
    }
    let times: serde_json::Map<String, serde_json::Value> =
        works.iter().zip(best).map(|((name, _), time)| ((*name).to_owned(), time.into())).collect();
    let ratio = best[1] / best[3];
    Ok(
        json!({ "work": "packed", "size": size, "short_side": short_side, "microseconds": times, "ratio": ratio }),
    )
}

/// Views whose images were decoded at a scale, beside those of images decoded at full resolution: the resized crops alone, as all further
/// steps work on these.
fn difference(folder: &ImageFolder, size: u32) -> serde_json::Value {
    let policy = policy(size);
    let crops = |decoding| {
        let mut views = Vec::new();
        for index in 0..folder.len() {
            pair(folder, &policy, decoding, index as u64, |part, params| {
                let crop = simclr::augment::ViewParams::only_crop(params.crop);
                let view = policy.view(part.pixels(), &crop).expect("drawn for the image");
                views.push((part.resolution(), view));
            });
        }
        views
    };
    let (mut sum, mut squares, mut values, mut scaled) = (0.0, 0.0, 0.0, 0);
    for ((resolution, ours), (_, full)) in
        crops(Decoding::Scaled).iter().zip(&crops(Decoding::Full))
    {
        if *resolution == Resolution::Full {
            continue;
        }
        scaled += 1;
        for (a, b) in ours.as_raw().iter().zip(full.as_raw()) {
            let difference = f64::from(a.abs_diff(*b));
            sum += difference;
            squares += difference * difference;
            values += 1.0;
        }
    }
    let (views, mean, root_mean_square) =
        (2 * folder.len(), sum / values, (squares / values).sqrt());
    json!({ "work": "difference", "views": views, "scaled": scaled, "mean": mean, "rms": root_mean_square })
}
