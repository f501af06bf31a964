//! Files of vectors on disks that fail.

use std::error::Error;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use simclr_augment::SimClrAugmentation;
use simclr_data::{ImageDataset, WholeSet};
use simclr_embed::{EmbedError, Embedder, VectorFile};
use simclr_files::faults;
use simclr_model::EncoderConfig;

const IMAGES: usize = 7;

/// Photos of two classes, of which one is no image.
fn photos(folder: &Path) -> WholeSet {
    for number in 0..IMAGES {
        let dir = folder.join(["cat", "dog"][number % 2]);
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join(format!("{number}.png"));
        if number == 3 {
            fs::write(&path, "torn").unwrap();
        } else {
            RgbImage::from_pixel(9, 9, Rgb([30 * number as u8, 60, 30])).save(path).unwrap();
        }
    }
    WholeSet::open(folder).unwrap()
}

fn embedder() -> Embedder {
    let device = Device::flex();
    let config: EncoderConfig = "mlp_i8_4_nonorm".parse().unwrap();
    let transform = SimClrAugmentation::cifar10().with_size(8).unwrap().evaluation();
    let embedder = Embedder::new(config.init(1, &device).unwrap(), transform, &device);
    embedder.with_batch_size(4).unwrap()
}

/// Begins a file or goes on with it, notes after some images how far it is, and ends it: what `simclr embed --resume` does.
fn write(out: &Path, embedder: &Embedder, photos: &WholeSet) -> Result<(), EmbedError> {
    let (size, preparation) = (embedder.feature_size(), embedder.preparation());
    let name = out.file_name().unwrap().to_str().unwrap();
    let progress = out.with_file_name(format!("{name}.unfinished/progress.json"));
    let mut file = if progress.exists() && !out.exists() {
        VectorFile::resume(out, size, &preparation, "photos")?
    } else {
        VectorFile::create(out, size, &preparation, "photos")?
    };
    for end in [3, 5, photos.len()] {
        if file.next() < end {
            let range = file.next()..end;
            embedder.embed_each(photos, range, |range, part| file.append(range, &part, photos))?;
            file.note()?;
        }
    }
    file.finish().map(drop)
}

fn with_causes(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_causes(cause)),
        None => error.to_string(),
    }
}

/// The files in a folder, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<_> = files.map(|path| (name(&path), fs::read(&path).unwrap())).collect();
    // What a process that was stopped leaves under a name of its own.
    files.retain(|(name, _)| Path::new(name).extension().is_none_or(|end| end != "part"));
    files.sort();
    files
}

#[test]
fn whatever_fails_vectors_are_absent_or_whole_and_can_be_resumed_to_the_same_bytes() {
    let data = tempfile::tempdir().unwrap();
    let (photos, embedder) = (photos(data.path()), embedder());
    for name in ["vectors.npy", "vectors.safetensors"] {
        let attempt = |folder: &Path| {
            write(&folder.join(name), &embedder, &photos).map_err(|error| with_causes(&error))
        };
        let once = tempfile::tempdir().unwrap();
        attempt(once.path()).unwrap();
        let expected = files(once.path());

        let count = faults::everywhere(
            |_| (),
            attempt,
            |after| {
                for (name, found) in files(after.folder) {
                    let whole = expected.iter().find(|(expected, _)| *expected == name);
                    assert!(whole.is_some_and(|(_, whole)| *whole == found), "{after:?}: {name}");
                }
                if !after.folder.join(name).exists() {
                    attempt(after.folder)
                        .unwrap_or_else(|error| panic!("{after:?}, again: {error}"));
                }
                assert!(files(after.folder) == expected, "{after:?}, again");
            },
        );
        assert!(count > 50, "only {count} faults of {name}");
    }
}
