//! Runs on tar archives and packed files.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use simclr_data::{
    DataError, ImageDataset, ImageFolder, Opening, PackConfig, PackFormat, Splits, WholeSet, pack,
};
use simclr_train::{RunDirectory, TrainError};

use crate::support::{config, in_directory, lines, pretraining, resumed, run, values};

/// Photos of two classes in `photos`, and `photos.tar` of the same files in the same order.
fn photos(dir: &Path) -> [PathBuf; 2] {
    let [folder, archive] = ["photos", "photos.tar"].map(|name| dir.join(name));
    for number in 0..30_u32 {
        let class = folder.join(if number % 2 == 0 { "even" } else { "odd" });
        fs::create_dir_all(&class).unwrap();
        let shade = |x: u32, y: u32| Rgb([(x * number) as u8, (y * 9) as u8, (number * 8) as u8]);
        RgbImage::from_fn(20, 24, shade).save(class.join(format!("{number:02}.png"))).unwrap();
    }
    let images = ImageFolder::open(&folder).unwrap();
    let mut builder = tar::Builder::new(File::create(&archive).unwrap());
    for index in 0..images.len() {
        builder.append_path_with_name(images.path(index).unwrap(), images.name(index)).unwrap();
    }
    builder.finish().unwrap();
    [folder, archive]
}

#[test]
fn a_run_on_shards_is_the_run_on_the_same_images_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let [photos, archive] = photos(folder.path());
    let packed = folder.path().join("packed.tar");
    let raw = PackConfig::new(PackFormat::Raw);
    pack(&WholeSet::open(&photos).unwrap(), &packed, &raw, |_| ControlFlow::Continue(())).unwrap();
    let run_of =
        |path: &Path| path.with_file_name(format!("run-{}", path.file_name().unwrap().display()));
    let trained = [&photos, &archive, &packed].map(|path| {
        let dir = run_of(path);
        let data = Splits::open(path).unwrap();
        let trained = run(in_directory(pretraining(config(2)), &dir), &data).unwrap();
        (values(&trained.encoder), lines(&dir))
    });
    assert!(trained[0].1.len() > 6);
    assert!(trained[0] == trained[1], "a tar archive");
    assert!(trained[0] == trained[2], "a packed file");
    // A run that began on the folder goes on with the archive: names and sizes are those of the files.
    let moved = run_of(&photos);
    let gone_on =
        run(resumed(pretraining(config(3)), &moved), &Splits::open(&archive).unwrap()).unwrap();
    assert_eq!(gone_on.summary.epochs, 3);
    let stays =
        run(resumed(pretraining(config(3)), &run_of(&archive)), &Splits::open(&photos).unwrap());
    assert!(values(&stays.unwrap().encoder) == values(&gone_on.encoder));
    // Packed pixels take other bytes.
    let error = run(resumed(pretraining(config(3)), &moved), &Splits::open(&packed).unwrap());
    let message = error.map(drop).unwrap_err().to_string();
    assert!(message.contains("have the same names and other sizes"), "{message}");
}

#[test]
fn a_run_keeps_an_index_of_its_images_and_goes_on_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let [photos, archive] = photos(folder.path());
    let dir = folder.path().join("run");
    run(in_directory(pretraining(config(1)), &dir), &Splits::open(&archive).unwrap()).unwrap();
    let index = RunDirectory::open(&dir).unwrap().data_index();
    let opening = Opening { index: Some(index.clone()), ..Opening::default() };
    let data = Splits::open_with(&archive, &opening).unwrap();
    assert!(data.index.is_none() && data.warnings.is_empty(), "{:?}", data.warnings);
    run(resumed(pretraining(config(2)), &dir), &data).unwrap();
    // One that is damaged is made anew.
    fs::write(&index, "no index").unwrap();
    let data = Splits::open_with(&archive, &opening).unwrap();
    assert_eq!(data.warnings.len(), 1);
    run(resumed(pretraining(config(3)), &dir), &data).unwrap();
    assert!(Splits::open_with(&archive, &opening).unwrap().index.is_none());
    // So does a run on a folder.
    let of_folder = folder.path().join("of a folder");
    run(in_directory(pretraining(config(1)), &of_folder), &Splits::open(&photos).unwrap()).unwrap();
    let index = Some(RunDirectory::open(&of_folder).unwrap().data_index());
    let opening = Opening { index, ..Opening::default() };
    let data = Splits::open_with(&photos, &opening).unwrap();
    assert!(data.warnings.is_empty(), "{:?}", data.warnings);
    run(resumed(pretraining(config(2)), &of_folder), &data).unwrap();
}

#[test]
fn a_shard_that_is_cut_off_during_a_run_ends_it_with_an_error_that_can_be_mended() {
    let folder = tempfile::tempdir().unwrap();
    let [_, archive] = photos(folder.path());
    let whole = fs::read(&archive).unwrap();
    let data = Splits::open(&archive).unwrap();
    let dir = folder.path().join("run");
    run(in_directory(pretraining(config(1)), &dir), &data).unwrap();
    File::options().write(true).open(&archive).unwrap().set_len(20_000).unwrap();
    let error = run(resumed(pretraining(config(2)), &dir), &data).map(drop).unwrap_err();
    assert!(matches!(error, TrainError::Data(DataError::Changed { .. })), "{error}");
    assert!(error.to_string().contains("photos.tar"), "{error}");
    fs::write(&archive, whole).unwrap();
    let mended = Splits::open(&archive).unwrap();
    assert_eq!(run(resumed(pretraining(config(2)), &dir), &mended).unwrap().summary.epochs, 2);
}
