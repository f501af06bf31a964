//! Vectors that are written as they are computed: whole, resumed, and refused.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use simclr_augment::SimClrAugmentation;
use simclr_data::{ImageDataset, WholeSet};
use simclr_embed::{EmbedError, Embedder, ImageIndex, VectorFile, VectorsWritten};
use simclr_model::EncoderConfig;

const IMAGES: usize = 23;

/// Photos of two classes; every tenth is no image.
fn photos(folder: &Path) -> WholeSet {
    for number in 0..IMAGES {
        let dir = folder.join("photos").join(["cat, grey", "dog"][number % 2]);
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join(format!("{number:02}.png"));
        if number % 10 == 3 {
            fs::write(&path, "torn").unwrap();
        } else {
            RgbImage::from_pixel(9, 9, Rgb([10 * number as u8, 60, 30])).save(path).unwrap();
        }
    }
    WholeSet::open(folder.join("photos")).unwrap()
}

fn embedder(seed: u64) -> Embedder {
    let device = Device::flex();
    let config: EncoderConfig = "mlp_i8_4_nonorm".parse().unwrap();
    let transform = SimClrAugmentation::cifar10().with_size(8).unwrap().evaluation();
    let embedder = Embedder::new(config.init(seed, &device).unwrap(), transform, &device);
    embedder.with_batch_size(4).unwrap()
}

/// Appends the images from where the file is to `end`.
fn append(file: &mut VectorFile, end: usize, embedder: &Embedder, photos: &WholeSet) {
    let from = file.next();
    embedder
        .embed_each(photos, from..end, |range, part| file.append(range, &part, photos))
        .unwrap();
}

fn create(out: &Path) -> Result<VectorFile, EmbedError> {
    VectorFile::create(out, 4, &embedder(1).preparation(), "photos")
}

fn resume(out: &Path) -> Result<VectorFile, EmbedError> {
    VectorFile::resume(out, 4, &embedder(1).preparation(), "photos")
}

/// The bytes of all files in a folder, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_file_of_vectors_holds_what_embed_gives_in_each_format() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (photos, embedder) = (photos(here), embedder(1));
    let embedded = embedder.embed(&photos).unwrap();
    assert_eq!((embedded.features.len(), embedded.skipped.len()), (21, 2));
    let expected = VectorsWritten { vectors: 21, skipped: 2 };
    for name in ["v.npy", "v.safetensors"] {
        let out = here.join(name);
        let mut file = create(&out).unwrap();
        append(&mut file, photos.len(), &embedder, &photos);
        assert!(!out.exists(), "complete or absent");
        assert_eq!(file.finish().unwrap(), expected);
        embedded.write_table(&photos, here.join("expected.csv")).unwrap();
        let [table, expected] = ["v.labels.csv", "expected.csv"]
            .map(|name| fs::read_to_string(here.join(name)).unwrap());
        assert_eq!(table, expected);
        assert!(table.contains("\"cat, grey/00.png\",train,\"cat, grey\",0"), "{table}");
        assert!(!here.join(format!("{name}.unfinished")).exists());
    }
    let index = ImageIndex::load(here.join("v.safetensors")).unwrap();
    assert_eq!(index.names(), embedded.names);
    assert_eq!(index.features().values(), embedded.features.values());
    index.preparation().check(&embedder.preparation()).unwrap();
    let bytes = fs::read(here.join("v.npy")).unwrap();
    let read = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(read.shape(), [21, 4]);
    assert_eq!(read.into_vec::<f32>().unwrap(), embedded.features.values());
    let names = fs::read_to_string(here.join("v.txt")).unwrap();
    assert_eq!(names.lines().collect::<Vec<_>>(), embedded.names);
}

#[test]
fn a_file_that_is_stopped_anywhere_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (photos, embedder) = (photos(here), embedder(1));
    for format in ["npy", "safetensors"] {
        let whole = here.join(format!("whole-{format}"));
        fs::create_dir(&whole).unwrap();
        let out = whole.join("v").with_extension(format);
        let mut file = create(&out).unwrap();
        append(&mut file, photos.len(), &embedder, &photos);
        file.finish().unwrap();

        for stop in 0..=photos.len() {
            let parts = here.join(format!("{format}-{stop}"));
            fs::create_dir(&parts).unwrap();
            let out = parts.join("v").with_extension(format);
            let mut file = create(&out).unwrap();
            append(&mut file, stop, &embedder, &photos);
            drop(file); // Notes nothing, as a process that is killed.
            let mut file = resume(&out).unwrap();
            assert!(file.next() <= stop && file.vectors() <= file.next());
            append(&mut file, photos.len(), &embedder, &photos);
            file.finish().unwrap();
            assert!(files(&parts) == files(&whole), "stopped after {stop} images");
            fs::remove_dir_all(&parts).unwrap();
        }
    }
}

#[test]
fn several_devices_write_the_same_vectors_in_the_same_order() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path());
    let one = embedder(1).embed(&photos).unwrap();
    let three = embedder(1).with_more_devices(&[Device::flex(), Device::flex()]);
    let three = three.embed(&photos).unwrap();
    assert_eq!(three.features, one.features);
    assert_eq!((three.names, three.indices), (one.names, one.indices));
    assert_eq!(three.skipped.len(), one.skipped.len());
}

#[test]
fn what_was_begun_is_neither_lost_nor_mixed_with_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (photos, embedder) = (photos(here), embedder(1));
    let out = here.join("v.npy");
    let message = |result: Result<VectorFile, EmbedError>| result.unwrap_err().to_string();
    let nothing = message(resume(&out));
    assert!(nothing.contains("expected vectors that are not finished in"), "{nothing}");

    let mut file = create(&out).unwrap();
    append(&mut file, photos.len(), &embedder, &photos);
    drop(file);
    let again = message(create(&out));
    assert!(again.starts_with("expected no unfinished vectors, found 21 in "), "{again}");
    let other = VectorFile::resume(&out, 4, &self::embedder(2).preparation(), "photos");
    let other = message(other);
    assert!(other.contains("to be of 8 x 8 pixels"), "{other}");
    let other = message(VectorFile::resume(&out, 4, &embedder.preparation(), "flowers"));
    assert!(other.ends_with("to be of the data flowers; found the data photos"), "{other}");
    assert_eq!(resume(&out).unwrap().finish().unwrap().vectors, 21);

    for name in ["v", "v.csv", ""] {
        let error = create(&here.join(name)).unwrap_err();
        assert!(matches!(error, EmbedError::FileName { .. }), "{name}: {error}");
    }
    let error = create(&here.join("no/such/v.npy")).unwrap_err();
    assert!(matches!(error, EmbedError::Write { .. }), "{error}");
}

#[test]
fn damaged_notes_and_parts_that_are_too_short_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (photos, embedder) = (photos(here), embedder(1));
    let (out, parts) = (here.join("v.npy"), here.join("v.npy.unfinished"));
    let mut file = create(&out).unwrap();
    append(&mut file, photos.len(), &embedder, &photos);
    drop(file);
    let is_file_error = |what: &str| {
        let error = resume(&out).unwrap_err();
        assert!(matches!(error, EmbedError::File { .. }), "{what}: {error}");
    };
    for part in ["vectors", "names.txt", "labels.csv"] {
        let whole = fs::read(parts.join(part)).unwrap();
        fs::write(parts.join(part), &whole[..whole.len() - 1]).unwrap();
        is_file_error(part);
        fs::write(parts.join(part), whole).unwrap();
    }
    let progress = fs::read_to_string(parts.join("progress.json")).unwrap();
    for (from, to) in [
        ("\"format\":1", "\"format\":2"),
        ("\"size\":4", "\"size\":0"),
        ("\"rows\":21", "\"rows\":18446744073709551615"),
        ("\"tried\":23", "\"tried\":24"),
        ("{", "["),
    ] {
        let damaged = progress.replacen(from, to, 1);
        assert_ne!(damaged, progress);
        fs::write(parts.join("progress.json"), damaged).unwrap();
        is_file_error(to);
    }
    fs::write(parts.join("progress.json"), progress).unwrap();
    // Killed after the vectors had moved: nothing is left to do.
    fs::rename(parts.join("vectors"), &out).unwrap();
    is_file_error("finished");
    assert!(!parts.exists());
}

#[test]
fn images_of_which_none_can_be_read_leave_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::create_dir(here.join("photos")).unwrap();
    fs::write(here.join("photos/1.png"), "torn").unwrap();
    let photos = WholeSet::open(here.join("photos")).unwrap();
    let out = here.join("v.npy");
    let mut file = create(&out).unwrap();
    append(&mut file, photos.len(), &embedder(1), &photos);
    let error = file.finish().unwrap_err();
    assert!(matches!(error, EmbedError::NoImages { .. }), "{error}");
    assert!(!out.exists() && !here.join("v.npy.unfinished").exists());
}

#[test]
fn features_of_patches_are_an_array_of_three_axes_stopped_and_resumed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path());
    let device = Device::flex();
    let config: EncoderConfig = "vit_tiny_p8_i16".parse().unwrap();
    let transform = SimClrAugmentation::cifar10().with_size(16).unwrap().evaluation();
    let embedder = Embedder::new(config.init(1, &device).unwrap(), transform, &device);
    let embedder = embedder.with_batch_size(4).unwrap();
    let (patches, size) = (embedder.patches().unwrap(), embedder.feature_size());
    assert_eq!((patches, size), (4, 192));

    let preparation = embedder.preparation();
    let out = folder.path().join("patches.npy");
    let create = VectorFile::create(&out, patches * size, &preparation, "photos").unwrap();
    let mut file = create.with_patches(patches).unwrap();
    let append = |file: &mut VectorFile, end: usize| {
        let range = file.next()..end;
        let each = |range, part| file.append(range, &part, &photos);
        embedder.embed_patches_each(&photos, range, each).unwrap();
    };
    append(&mut file, 8);
    file.note().unwrap();
    drop(file);
    let resume = VectorFile::resume(&out, patches * size, &preparation, "photos").unwrap();
    let mut file = resume.with_patches(patches).unwrap();
    append(&mut file, IMAGES);
    assert_eq!(file.finish().unwrap(), VectorsWritten { vectors: 21, skipped: 2 });

    let array = npyz::NpyFile::new(fs::File::open(&out).unwrap()).unwrap();
    assert_eq!(array.shape(), [21, 4, 192]);
    let values: Vec<f32> = array.into_vec().unwrap();
    let image = photos.image(20).unwrap();
    let expected = &embedder.embed_patches(&[image]).unwrap()[0];
    // Two images before it could not be read.
    let found = &values[18 * patches * size..][..patches * size];
    let apart = found.iter().zip(expected.values()).map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f32::max) < 1e-5);

    let index = folder.path().join("patches.safetensors");
    let file = VectorFile::create(&index, patches * size, &preparation, "photos").unwrap();
    let error = file.with_patches(patches).unwrap_err();
    assert!(matches!(error, EmbedError::PatchesInIndex { .. }), "{error}");
}
