//! How fast images are read from folders, shards and packed files, on one thread, in one process and by turns.
//!
//! ```sh
//! cargo bench -p simclr-data --bench reading             # 20,000 small images and 2,000 photos: some minutes, 2 GB
//! cargo bench -p simclr-data --bench reading -- --small  # a tenth of that
//! cargo bench -p simclr-data --bench reading -- --open PATH  # opens shards, such as those of the example `many_images`
//! ```

use std::{
    error::Error,
    fs::{self, File},
    hint::black_box,
    ops::ControlFlow,
    path::Path,
    time::Instant,
};

use image::{Rgb, RgbImage};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use simclr_data::{
    ImageDataset, ImageFolder, Opening, PackConfig, PackFormat, Shards, WholeSet, pack,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Times each thing is measured; the best counts.
const ROUNDS: usize = 3;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "--open") {
        return opening(Path::new(arguments.get(place + 1).ok_or("expected a path after --open")?));
    }
    let small = arguments.iter().any(|argument| argument == "--small");
    let share = if small { 10 } else { 1 };
    let dir = tempfile::tempdir()?;
    access(&dir.path().join("small"), 20_000 / share)?;
    packing(&dir.path().join("photos"), 2000 / share)
}

/// Opening shards by their headers and by an index, and the memory that it takes.
fn opening(path: &Path) -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let index = dir.path().join("a.index");
    let before = anonymous_memory();
    let start = Instant::now();
    let shards = Shards::open(path)?;
    let (seconds, images) = (start.elapsed().as_secs_f64(), shards.len());
    println!("{images} images by their headers: {seconds:.2} s");
    let name_bytes: usize = (0..images).map(|index| shards.name(index).len()).sum();
    let each = |bytes: f64| bytes / images as f64;
    println!("  names: {:.1} bytes an image", each(name_bytes as f64));
    if let Some((before, after)) = before.zip(anonymous_memory()) {
        println!("  memory: {:.1} bytes an image", each((after - before) * 1024.0));
    }
    shards.write_index(&index)?;
    println!("  index file: {:.1} bytes an image", each(fs::metadata(&index)?.len() as f64));
    drop(shards);
    let opening = Opening { index: Some(index), ..Opening::default() };
    let start = Instant::now();
    let shards = Shards::open_with(path, &opening)?;
    println!("{} images by the index: {:.2} s", shards.len(), start.elapsed().as_secs_f64());
    Ok(())
}

/// Anonymous memory of this process in KiB, where Linux tells it.
fn anonymous_memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Opening, and reading in random order, of images that take next to no time to decode.
fn access(dir: &Path, images: usize) -> Outcome<()> {
    let (photos, archive, index) = (dir.join("photos"), dir.join("a.tar"), dir.join("a.index"));
    write(&photos, images, 64, 48)?;
    tar_of(&photos, &archive)?;
    Shards::open(&archive)?.write_index(&index)?;
    let opening = Opening { index: Some(index), ..Opening::default() };
    println!("{images} JPEGs of 64 x 48, opened (ms):");
    let open = |what: &str, open: &dyn Fn() -> Outcome<usize>| -> Outcome<()> {
        println!("  {what:<24} {:>9.1}", 1e3 * best(open)?);
        Ok(())
    };
    open("folder", &|| Ok(ImageFolder::open(&photos)?.len()))?;
    open("tar", &|| Ok(Shards::open(&archive)?.len()))?;
    open("tar, by its index", &|| Ok(Shards::open_with(&archive, &opening)?.len()))?;
    println!("read in random order (images/s):");
    let (folder, shards) = (ImageFolder::open(&photos)?, Shards::open(&archive)?);
    rates(&[("folder", &folder), ("tar", &shards)], &random_order(images))
}

/// Packing photos, and reading them.
fn packing(dir: &Path, images: usize) -> Outcome<()> {
    let photos = dir.join("photos");
    write(&photos, images, 500, 375)?;
    let whole = WholeSet::open(&photos)?;
    let size = |path: &Path| fs::metadata(path).map(|file| file.len() as f64 / images as f64 / 1e3);
    println!("{images} JPEGs of 500 x 375, packed with a short side of 256 on all cores:");
    let mut packed = Vec::new();
    for (name, format) in [("raw", PackFormat::Raw), ("JPEG 90", PackFormat::Jpeg { quality: 90 })]
    {
        let out = dir.join(format!("{name}.tar"));
        let config = PackConfig { short_side: Some(256), ..PackConfig::new(format) };
        let seconds = best(&|| {
            fs::remove_file(&out).ok();
            pack(&whole, &out, &config, |_| ControlFlow::Continue(()))?;
            Ok(())
        })?;
        let rate = images as f64 / seconds;
        println!("  {name:<24} {rate:>9.0} images/s, {:.1} kB an image", size(&out)?);
        packed.push((name, Shards::open(out)?));
    }
    let archive = dir.join("originals.tar");
    tar_of(&photos, &archive)?;
    let (folder, originals) = (ImageFolder::open(&photos)?, Shards::open(&archive)?);
    println!(
        "read and decoded in random order, originals of {:.1} kB (images/s):",
        size(&archive)?
    );
    let mut sets: Vec<(&str, &dyn ImageDataset)> = vec![("folder", &folder), ("tar", &originals)];
    sets.extend(packed.iter().map(|(name, set)| (*name, set as &dyn ImageDataset)));
    rates(&sets, &random_order(images))
}

/// The best rate of each set, which take turns.
fn rates(sets: &[(&str, &dyn ImageDataset)], order: &[usize]) -> Outcome<()> {
    let mut seconds = vec![f64::INFINITY; sets.len()];
    for _ in 0..ROUNDS {
        for (seconds, (_, set)) in seconds.iter_mut().zip(sets) {
            let start = Instant::now();
            for &index in order {
                black_box(set.image(index)?);
            }
            *seconds = seconds.min(start.elapsed().as_secs_f64());
        }
    }
    for (seconds, (name, _)) in seconds.into_iter().zip(sets) {
        println!("  {name:<24} {:>9.0}", order.len() as f64 / seconds);
    }
    Ok(())
}

/// The shortest time in seconds.
fn best<T>(work: &dyn Fn() -> Outcome<T>) -> Outcome<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(work()?);
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best)
}

fn random_order(images: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut order: Vec<(u64, usize)> = (0..images).map(|index| (rng.next_u64(), index)).collect();
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

/// Writes JPEGs into a hundred class folders. Few of them differ, as drawing takes long.
fn write(dir: &Path, images: usize, width: u32, height: u32) -> Outcome<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut bodies = Vec::new();
    for _ in 0..images.min(50) {
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        let image = photo(&mut rng, width, height);
        let sides = [width, height].map(|side| side as u16);
        encoder.encode(image.as_raw(), sides[0], sides[1], jpeg_encoder::ColorType::Rgb)?;
        bodies.push(bytes);
    }
    for index in 0..images {
        let class = dir.join(format!("class{:02}", index % 100));
        fs::create_dir_all(&class)?;
        fs::write(class.join(format!("{index:06}.jpg")), &bodies[index % bodies.len()])?;
    }
    Ok(())
}

/// An image with detail at every scale, as photos have it: each octave twice as fine and half as strong.
fn photo(rng: &mut ChaCha8Rng, width: u32, height: u32) -> RgbImage {
    let mut values = vec![[120.0_f32; 3]; (width * height) as usize];
    let (mut step, mut strength) = (128, 60.0);
    while step > 0 {
        let columns = width.div_ceil(step) + 2;
        let rows = height.div_ceil(step) + 2;
        let draw =
            |_| [0; 3].map(|_| (rng.next_u32() as f32 / u32::MAX as f32 - 0.5) * 2.0 * strength);
        let grid: Vec<[f32; 3]> = (0..columns * rows).map(draw).collect();
        for (place, value) in values.iter_mut().enumerate() {
            let (x, y) = (place as u32 % width, place as u32 / width);
            let (right, down) = ((x % step) as f32 / step as f32, (y % step) as f32 / step as f32);
            let at = |dx, dy| grid[((y / step + dy) * columns + x / step + dx) as usize];
            for (channel, value) in value.iter_mut().enumerate() {
                let mix = |a: f32, b: f32, share: f32| a + (b - a) * share;
                let top = mix(at(0, 0)[channel], at(1, 0)[channel], right);
                let bottom = mix(at(0, 1)[channel], at(1, 1)[channel], right);
                *value += mix(top, bottom, down);
            }
        }
        (step, strength) = (step / 2, strength * 0.72);
    }
    RgbImage::from_fn(width, height, |x, y| Rgb(values[(y * width + x) as usize].map(|v| v as u8)))
}

/// An archive of a folder's images, in the folder's order.
fn tar_of(photos: &Path, archive: &Path) -> Outcome<()> {
    let images = ImageFolder::open(photos)?;
    let mut builder = tar::Builder::new(File::create(archive)?);
    for index in 0..images.len() {
        let path = images.path(index).ok_or("expected a file for each image")?;
        builder.append_path_with_name(path, images.name(index))?;
    }
    Ok(builder.finish()?)
}
