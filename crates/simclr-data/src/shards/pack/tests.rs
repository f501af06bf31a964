mod write_faults;

use std::{
    fs::{self, File},
    io::{Read, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use image::{Rgb, RgbImage};

use super::{super::pack_index::INDEX_NAME, *};
use crate::{Shards, Splits};

const RAW: PackConfig = PackConfig { short_side: None, format: PackFormat::Raw, resume: false };

/// A folder with images of 40 x 30 pixels, each of other colours.
fn photos(names: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (level, name) in names.iter().enumerate() {
        let path = dir.path().join("photos").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let image =
            RgbImage::from_fn(40, 30, |x, y| Rgb([10 * level as u8, 3 * x as u8, 5 * y as u8]));
        image.save(path).unwrap();
    }
    dir
}

const NAMES: [&str; 7] = [
    "train/dog/1.png",
    "train/dog/2.final.png",
    "train/emu/1.png",
    "val/dog/1.png",
    "val/emu/1.png",
    "unlabeled/deep/1.png",
    "unlabeled/2.png",
];

fn whole(dir: &Path) -> WholeSet {
    WholeSet::open(dir.join("photos")).unwrap()
}

fn go_on(_: PackProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn pack_all(dir: &Path, config: &PackConfig) -> Result<Packed, PackError> {
    pack(&whole(dir), dir.join("out.tar"), config, go_on)
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "photos")
        .collect();
    names.sort();
    names
}

#[test]
fn a_packed_file_is_the_data_set_with_names_classes_and_splits() {
    let dir = photos(&NAMES);
    let packed = pack_all(dir.path(), &RAW).unwrap();
    assert_eq!((packed.images, packed.resumed, packed.skipped.len()), (7, 0, 0));
    assert_eq!(packed.bytes, fs::metadata(dir.path().join("out.tar")).unwrap().len());
    assert_eq!(files(dir.path()), ["out.tar"]);
    let [before, after] =
        ["photos", "out.tar"].map(|name| Splits::open(dir.path().join(name)).unwrap());
    let sets = |splits: &Splits| {
        let labelled = splits.labelled.clone().unwrap();
        [splits.pretrain.clone(), labelled.train, labelled.test]
    };
    for (before, after) in sets(&before).into_iter().zip(sets(&after)) {
        assert_eq!(after.class_names(), before.class_names());
        assert_eq!(after.len(), before.len());
        for index in 0..before.len() {
            assert_eq!(after.name(index), before.name(index));
            assert_eq!(after.label(index), before.label(index));
            assert_eq!(after.image(index).unwrap(), before.image(index).unwrap());
        }
    }
    let ends = [&before, &after].map(|of| of.description.split_once(": ").unwrap().1);
    assert_eq!(ends[0], ends[1]);
    let (before, after) = (whole(dir.path()), WholeSet::open(dir.path().join("out.tar")).unwrap());
    for index in 0..7 {
        assert_eq!(after.name(index), before.name(index));
        assert_eq!(
            (after.split(index), after.class(index)),
            (before.split(index), before.class(index))
        );
    }
}

#[test]
fn images_that_are_held_out_stay_so() {
    let names = ["b/1.png", "b/2.png", "b/3.png", "a/1.png", "a/2.png", "stray.png"];
    let dir = photos(&names);
    pack_all(dir.path(), &RAW).unwrap();
    let [before, after] =
        ["photos", "out.tar"].map(|name| Splits::open(dir.path().join(name)).unwrap());
    let names = |set: &dyn ImageDataset| (0..set.len()).map(|i| set.name(i)).collect::<Vec<_>>();
    assert_eq!(names(&after.pretrain), names(&before.pretrain));
    let [before, after] = [before, after].map(|of| of.labelled.unwrap());
    assert_eq!(names(&after.test), names(&before.test));
    assert_eq!(names(&after.train), names(&before.train));
}

#[test]
fn other_programs_see_a_tar_archive_with_keys_and_classes() {
    let dir = photos(&NAMES[..4]);
    pack_all(dir.path(), &RAW).unwrap();
    let mut archive = tar::Archive::new(File::open(dir.path().join("out.tar")).unwrap());
    let mut found = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        match name.rsplit_once('.') {
            Some((_, "cls")) => {
                found.push(format!("{name}={}", String::from_utf8(content).unwrap()));
            }
            Some((_, "ppm")) => {
                assert_eq!(content.len(), 13 + 40 * 30 * 3);
                assert!(content.starts_with(b"P6\n40 30\n255\n"));
                found.push(name);
            }
            _ => found.push(name),
        }
    }
    let expected = [
        "__simclr_pack__",
        "train/dog/1.ppm",
        "train/dog/1.cls=0",
        "train/dog/2_final.ppm",
        "train/dog/2_final.cls=0",
        "train/emu/1.ppm",
        "train/emu/1.cls=1",
        "val/dog/1.ppm",
        "val/dog/1.cls=0",
        "__simclr_index__",
    ];
    assert_eq!(found, expected);
}

#[test]
fn images_are_shrunk_to_their_short_side_and_never_enlarged() {
    let dir = photos(&["1.png"]);
    RgbImage::new(10, 8).save(dir.path().join("photos/2.png")).unwrap();
    RgbImage::new(3, 300).save(dir.path().join("photos/3.png")).unwrap();
    for format in [PackFormat::Raw, PackFormat::Jpeg { quality: 95 }] {
        let config = PackConfig { short_side: Some(15), ..PackConfig::new(format) };
        pack_all(dir.path(), &config).unwrap();
        let shards = Shards::open(dir.path().join("out.tar")).unwrap();
        let sizes: Vec<_> = (0..3).map(|index| shards.image(index).unwrap().dimensions()).collect();
        assert_eq!(sizes, [(20, 15), (10, 8), (3, 300)]);
        // As an image at half the size would have it.
        let pixel = shards.image(0).unwrap().get_pixel(10, 7).0;
        for (found, expected) in pixel.into_iter().zip([0_u8, 61, 72]) {
            assert!(found.abs_diff(expected) <= 6, "{pixel:?}");
        }
        fs::remove_file(dir.path().join("out.tar")).unwrap();
    }
}

#[test]
fn packing_that_stops_anywhere_goes_on_to_the_same_file() {
    let dir = photos(&NAMES);
    fs::write(dir.path().join("photos/train/emu/0.png"), "broken").unwrap();
    fs::write(dir.path().join("photos/val/emu/2.png"), "broken").unwrap();
    let broken = |packed: &Packed| {
        packed.skipped.iter().map(|error| error.to_string().contains("/emu/")).collect::<Vec<_>>()
    };
    let packed = pack_all(dir.path(), &RAW).unwrap();
    assert_eq!((packed.images, broken(&packed)), (7, vec![true, true]));
    let expected = fs::read(dir.path().join("out.tar")).unwrap();
    fs::remove_file(dir.path().join("out.tar")).unwrap();
    let part = dir.path().join("out.tar.part");
    let resume = PackConfig { resume: true, ..RAW };
    let mut counts = Vec::new();
    // Killed at any byte: within headers, images, classes and the index.
    for length in (0..expected.len()).step_by(509) {
        fs::write(&part, &expected[..length]).unwrap();
        assert!(matches!(pack_all(dir.path(), &RAW), Err(PackError::Unfinished { .. })));
        let packed = pack_all(dir.path(), &resume).unwrap();
        assert_eq!((packed.images, broken(&packed)), (7, vec![true, true]), "{length}");
        assert!(fs::read(dir.path().join("out.tar")).unwrap() == expected, "killed at {length}");
        assert_eq!(files(dir.path()), ["out.tar"]);
        fs::remove_file(dir.path().join("out.tar")).unwrap();
        counts.push(packed.resumed);
    }
    assert!(
        counts.is_sorted() && counts.first() == Some(&0) && counts.last() == Some(&7),
        "{counts:?}"
    );
}

#[test]
fn what_the_disk_lost_is_packed_again() {
    let dir = photos(&NAMES);
    pack_all(dir.path(), &RAW).unwrap();
    let expected = fs::read(dir.path().join("out.tar")).unwrap();
    fs::remove_file(dir.path().join("out.tar")).unwrap();
    let mut lost = expected.clone();
    let third = Shards::open({
        fs::write(dir.path().join("whole.tar"), &expected).unwrap();
        dir.path().join("whole.tar")
    });
    let at = third.unwrap().0.table.images.offsets[2] as usize;
    lost[at + 100..at + 612].fill(0);
    fs::write(dir.path().join("out.tar.part"), lost).unwrap();
    let packed = pack_all(dir.path(), &PackConfig { resume: true, ..RAW }).unwrap();
    assert_eq!(packed.resumed, 2);
    assert!(fs::read(dir.path().join("out.tar")).unwrap() == expected);
}

#[test]
fn a_caller_may_stop_and_go_on() {
    let names: Vec<String> = (0..400).map(|number| format!("{number:03}.png")).collect();
    let dir = photos(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut pieces = 0;
    let stop = |progress: PackProgress| {
        pieces += 1;
        assert_eq!(progress.total, 400);
        if pieces == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let stopped = pack(&whole(dir.path()), dir.path().join("out.tar"), &RAW, stop).unwrap_err();
    let PackError::Stopped { path, done, total: 400 } = stopped else { panic!("{stopped}") };
    assert_eq!(files(dir.path()), ["out.tar.part"]);
    assert!(path.ends_with("out.tar.part") && done > 0 && done < 400, "{done}");
    let packed = pack_all(dir.path(), &PackConfig { resume: true, ..RAW }).unwrap();
    assert_eq!((packed.images, packed.resumed), (400, done));
}

#[test]
fn other_images_or_settings_do_not_go_on_with_a_file() {
    let dir = photos(&NAMES);
    let stop = |_: PackProgress| ControlFlow::Break(());
    pack(&whole(dir.path()), dir.path().join("out.tar"), &RAW, stop).unwrap_err();
    let part = fs::read(dir.path().join("out.tar.part")).unwrap();
    let small = PackConfig { short_side: Some(9), resume: true, ..RAW };
    let error = pack_all(dir.path(), &small).unwrap_err();
    assert!(matches!(error, PackError::OtherSettings { .. }), "{error}");
    assert!(error.to_string().contains(r#""short_side":9"#), "{error}");
    RgbImage::new(4, 4).save(dir.path().join("photos/train/emu/2.png")).unwrap();
    let error = pack_all(dir.path(), &PackConfig { resume: true, ..RAW }).unwrap_err();
    assert!(matches!(error, PackError::OtherSettings { .. }), "{error}");
    assert_eq!(fs::read(dir.path().join("out.tar.part")).unwrap(), part);
    // A file that is none of ours is never written over.
    fs::write(dir.path().join("out.tar.part"), vec![b'x'; 5000]).unwrap();
    let error = pack_all(dir.path(), &PackConfig { resume: true, ..RAW }).unwrap_err();
    assert!(matches!(error, PackError::OtherSettings { .. }), "{error}");
    assert_eq!(fs::read(dir.path().join("out.tar.part")).unwrap(), [b'x'; 5000]);
    fs::write(dir.path().join("out.tar.part"), "short").unwrap();
    let error = pack_all(dir.path(), &PackConfig { resume: true, ..RAW }).unwrap_err();
    assert!(error.to_string().ends_with("found another file"), "{error}");
}

#[test]
fn a_file_that_is_there_stays() {
    let dir = photos(&NAMES);
    fs::write(dir.path().join("out.tar"), "precious").unwrap();
    assert!(matches!(pack_all(dir.path(), &RAW), Err(PackError::Exists { .. })));
    assert_eq!(fs::read(dir.path().join("out.tar")).unwrap(), b"precious");
    assert_eq!(files(dir.path()), ["out.tar"]);
}

#[test]
fn two_do_not_pack_into_one_file() {
    let dir = photos(&NAMES);
    let part = File::create(dir.path().join("out.tar.part")).unwrap();
    part.lock().unwrap();
    let error = pack_all(dir.path(), &PackConfig { resume: true, ..RAW }).unwrap_err();
    assert!(matches!(error, PackError::Busy { .. }), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let dir = photos(&NAMES);
    let out = dir.path().join("out.tar");
    // Every write to this device finds the disk full.
    std::os::unix::fs::symlink("/dev/full", dir.path().join("out.tar.part")).unwrap();
    let error =
        pack(&whole(dir.path()), &out, &PackConfig { resume: true, ..RAW }, go_on).unwrap_err();
    let PackError::Write { path, source } = &error else { panic!("{error}") };
    assert!(path.ends_with("out.tar.part"));
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert!(!out.exists());
}

#[test]
fn changed_bytes_of_an_image_are_noticed() {
    let dir = photos(&NAMES);
    for format in [PackFormat::Raw, PackFormat::Jpeg { quality: 90 }] {
        pack_all(dir.path(), &PackConfig::new(format)).unwrap();
        let path = dir.path().join("out.tar");
        let table = Shards::open(&path).unwrap();
        let at = table.0.table.images.offsets[1] as usize + 300;
        let mut bytes = fs::read(&path).unwrap();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let shards = Shards::open(&path).unwrap();
        let error = shards.image(1).unwrap_err();
        let DataError::Decode { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains("expected bytes with the checksum"), "{source}");
        assert!(error.is_one_image() && shards.image(0).is_ok() && shards.image(2).is_ok());
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn without_its_index_a_packed_file_is_an_archive_like_others_and_still_verified() {
    let dir = photos(&NAMES);
    pack_all(dir.path(), &RAW).unwrap();
    let path: PathBuf = dir.path().join("out.tar");
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    let lies = [
        ("no mark", length - 1024 - 1),
        ("another place", length - 1024 - 24),
        ("damage", length - 1600),
    ];
    for (what, at) in lies {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x55;
        fs::write(&path, bytes).unwrap();
        let shards = Shards::open(&path).unwrap();
        assert_eq!((shards.len(), shards.name(1).as_str()), (7, "train/dog/2_final.ppm"), "{what}");
        assert_eq!(shards.class_names(), ["0", "1"]);
        assert_eq!(shards.image(6).unwrap().dimensions(), (40, 30));
    }
    let at = Shards::open(&path).unwrap().0.table.images.offsets[0] as usize + 77;
    bytes[at] ^= 1;
    bytes[length - 1025] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(Shards::open(&path).unwrap().image(0).unwrap_err().is_one_image());
    assert!(bytes.windows(INDEX_NAME.len()).any(|window| window == INDEX_NAME.as_bytes()));
}

#[test]
fn several_packed_files_are_one_set_whose_classes_match_by_name() {
    let dir = photos(&["cat/1.png", "cat/2.png", "dog/1.png"]);
    pack_all(dir.path(), &RAW).unwrap();
    let other = photos(&["dog/1.png", "emu/1.png", "emu/2.png"]);
    pack_all(other.path(), &RAW).unwrap();
    fs::rename(other.path().join("out.tar"), dir.path().join("two.tar")).unwrap();
    let shards = Shards::open(dir.path().join("{out,two}.tar")).unwrap();
    assert_eq!(shards.class_names(), ["cat", "dog", "emu"]);
    let labels: Vec<_> = (0..6).map(|index| shards.label(index).unwrap()).collect();
    assert_eq!(labels, [0, 0, 1, 1, 2, 2]);
    assert_eq!(shards.name(3), "two.tar/dog/1.png");
}

#[test]
fn settings_out_of_range_and_sets_without_images_are_refused() {
    let dir = photos(&["1.png"]);
    for config in [
        PackConfig::new(PackFormat::Jpeg { quality: 0 }),
        PackConfig::new(PackFormat::Jpeg { quality: 101 }),
        PackConfig { short_side: Some(0), ..RAW },
    ] {
        let error = pack_all(dir.path(), &config).unwrap_err();
        assert!(matches!(error, PackError::Data(DataError::OutOfRange(_))), "{error}");
    }
    File::create(dir.path().join("photos/1.png")).unwrap().write_all(b"broken").unwrap();
    let error = pack_all(dir.path(), &RAW).unwrap_err();
    assert!(matches!(error, PackError::Data(DataError::NoImages { .. })), "{error}");
    assert_eq!(files(dir.path()), [""; 0]);
}

#[test]
fn names_longer_than_a_header_has_room_for_are_kept() {
    let long = format!("{}/{}.png", "c".repeat(120), "f\u{fc}".repeat(40));
    let dir = photos(&[&long, &format!("d/{}.png", "x".repeat(96))]);
    pack_all(dir.path(), &RAW).unwrap();
    let path = dir.path().join("out.tar");
    assert_eq!(Shards::open(&path).unwrap().name(0), long);
    let mut bytes = fs::read(&path).unwrap();
    let mark = bytes.len() - 1025;
    bytes[mark] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(Shards::open(&path).unwrap().name(0), long.replace(".png", ".ppm"));
}
