//! Shards that are damaged, hostile, or change.

use std::{
    fs::{self, File},
    io::Write,
    time::{Duration, SystemTime},
};

use proptest::prelude::*;
use tar::{Builder, EntryType};

use super::support::{Folder, add, archive, open, png, row, rows};
use crate::{DataError, ImageDataset, shards::Shards};

fn three() -> Vec<u8> {
    archive([("1.png", png(1)), ("2.png", png(2)), ("3.png", png(3))])
}

/// The error of opening a file of these bytes.
fn error(name: &str, bytes: &[u8]) -> DataError {
    let folder = Folder::new();
    fs::write(folder.path(name), bytes).unwrap();
    Shards::open(folder.path(name)).err().unwrap()
}

#[test]
fn a_shard_that_is_cut_off_keeps_the_images_before_and_says_where_it_ends() {
    let folder = Folder::new();
    let bytes = three();
    // Within the third image, whose header is at 2 * 1024.
    fs::write(folder.path("a.tar"), &bytes[..2048 + 512 + 20]).unwrap();
    fs::write(folder.path("b.tar"), three()).unwrap();
    let shards = open(folder.path(""));
    assert_eq!(shards.len(), 6);
    assert_eq!(shards.image(1).unwrap().get_pixel(0, 0).0, [2; 3]);
    assert_eq!(shards.image(3).unwrap().get_pixel(0, 0).0, [1; 3]);
    let cut = shards.image(2).unwrap_err();
    assert!(
        matches!(&cut, DataError::Unreadable { path, .. } if path.ends_with("a.tar/3.png")),
        "{cut}"
    );
    let warnings = shards.warnings();
    let expected =
        "a.tar is cut off at byte 2580, within a member; 2 images come before. Fetch it again";
    assert!(warnings.len() == 1 && warnings[0].ends_with(expected), "{warnings:?}");
    // Within a header.
    fs::write(folder.path("a.tar"), &bytes[..2048 + 100]).unwrap();
    let shards = open(folder.path("a.tar"));
    assert_eq!(rows(&shards), [row("1.png", None, 1), row("2.png", None, 2)]);
    assert!(shards.warnings()[0].contains("cut off at byte 2148, within a member; 2 images"));
}

#[test]
fn wherever_a_shard_is_cut_off_it_is_said() {
    let bytes = three();
    let folder = Folder::new();
    let ends = [1, 2, 3].map(|level| (usize::from(level) - 1) * 1024 + 512 + png(level).len());
    for length in (1..bytes.len() - 1024).step_by(37) {
        fs::write(folder.path("a.tar"), &bytes[..length]).unwrap();
        let Ok(shards) = Shards::open(folder.path("a.tar")) else {
            assert!(length < 512, "{length}");
            continue;
        };
        let whole = ends.iter().filter(|&&end| end <= length).count();
        let begun = (0..3).filter(|place| place * 1024 + 512 <= length).count();
        assert_eq!((shards.len(), shards.warnings().len()), (begun, 1), "{length}");
        for index in 0..begun {
            match shards.image(index) {
                Ok(image) => {
                    assert_eq!((index < whole, image.as_raw()[0]), (true, index as u8 + 1));
                }
                Err(error) => assert!(index >= whole && error.is_one_image(), "{length}: {error}"),
            }
        }
    }
}

#[test]
fn a_shard_that_changes_is_an_error_and_never_another_image() {
    let folder = Folder::new();
    let path = folder.path("a.tar");
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let write = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    };
    let change = |shards: &Shards| match shards.image(1) {
        Err(error @ DataError::Changed { .. }) => {
            assert!(!error.is_one_image());
            error.to_string()
        }
        other => panic!("{other:?}"),
    };
    write(&three());
    let shards = open(&path);
    shards.image(0).unwrap();
    // Cut off while it is open.
    File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
    assert!(change(&shards).contains("it had 4096 bytes and now has 1000"), "{}", change(&shards));
    // Another archive of the same length and time, in the same file.
    write(&archive([("1.png", png(1)), ("x.png", png(2)), ("3.png", png(3))]));
    assert!(change(&shards).contains("another header is where one of an image was"));
    // Written to, and still of the same length.
    write(&three());
    shards.image(1).unwrap();
    File::options().append(true).open(&path).unwrap().write_all(b"").unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(time + Duration::from_secs(1))
        .unwrap();
    assert!(change(&shards).contains("it has been written to"));
    // Gone, before it was ever read.
    let shards = open(&path);
    fs::remove_file(&path).unwrap();
    assert!(matches!(shards.image(0), Err(DataError::Missing { .. })));
}

#[test]
fn compressed_and_nested_archives_say_what_to_do() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let message = error("a.tar.gz", &gzip(&three())).to_string();
    assert!(
        message.contains("found one in gzip") && message.contains("`gunzip` first"),
        "{message}"
    );
    let message = error("a.tar.zst", b"\x28\xb5\x2f\xfd and so on").to_string();
    assert!(message.contains("found one in Zstandard"), "{message}");
    let nested = archive([("n01440764.tar", three()), ("n01443537.tar", three())]);
    let message = error("train.tar", &nested).to_string();
    assert!(message.contains("found archives such as `n01440764.tar`; unpack it"), "{message}");
    // In a folder they are found too, rather than no images.
    let folder = Folder::new();
    fs::write(folder.path("train-000.tar.gz"), gzip(&three())).unwrap();
    assert!(matches!(crate::Splits::open(folder.path("")), Err(DataError::Compressed { .. })));
}

#[test]
fn other_files_are_told_by_what_they_are() {
    let reason = |bytes: &[u8]| match error("a.tar", bytes) {
        DataError::Archive { at: 0, images: 0, reason, .. } => reason,
        other => panic!("{other}"),
    };
    assert_eq!(reason(&png(1)), "expected a tar archive, found PNG");
    assert_eq!(reason(b"<html>"), "expected a tar archive, found a web page");
    assert_eq!(reason(&[b'x'; 4096]), "expected a tar archive, found text");
    assert!(matches!(error("a.tar", b""), DataError::EmptyFile { .. }));
    assert!(matches!(error("a.tar", &[0; 10_240]), DataError::NoImages { .. }));
    let missing = Shards::open("no/such-{0..3}.tar").unwrap_err().to_string();
    assert_eq!(missing, "expected a shard at no/such-0.tar, found nothing");
}

#[test]
fn damage_within_a_shard_is_an_error_that_says_where() {
    let mut bytes = three();
    bytes[2048..2148].fill(b'?');
    match error("a.tar", &bytes) {
        DataError::Archive { at: 2048, images: 2, reason, .. } => {
            assert_eq!(reason, "expected a tar header, found bytes with a wrong checksum");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn sizes_that_lie_are_refused_or_end_the_shard() {
    let with_size = |size: &[u8; 12]| {
        let mut bytes = three();
        bytes[1024 + 124..1024 + 136].copy_from_slice(size);
        bytes[1024 + 148..1024 + 156].fill(b' ');
        let sum: u32 = bytes[1024..1536].iter().copied().map(u32::from).sum();
        bytes[1024 + 148..1024 + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes
    };
    for hostile in [b"-0000000001\0", b"0000garbage\0", &[0xff; 12]] {
        assert!(matches!(
            error("a.tar", &with_size(hostile)),
            DataError::Archive { at: 1024, images: 1, .. }
        ));
    }
    let folder = Folder::new();
    for far in [
        b"77777777777\0",
        b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        fs::write(folder.path("a.tar"), with_size(far)).unwrap();
        let shards = open(folder.path("a.tar"));
        assert_eq!((shards.len(), shards.image(0).is_ok()), (2, true));
        assert!(shards.image(1).unwrap_err().is_one_image());
        assert!(shards.warnings()[0].contains("within a member; 1 images come before"));
    }
}

#[test]
fn long_names_and_records_beyond_reason_are_refused() {
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, "1.png", EntryType::Regular, &png(1));
        add(&mut builder, "long", kind, &vec![b'x'; 70_000]);
        add(&mut builder, "2.png", EntryType::Regular, &png(2));
        let error = error("a.tar", &builder.into_inner().unwrap());
        assert!(matches!(error, DataError::Archive { at: 1024, images: 1, .. }), "{error}");
    }
}

#[test]
fn two_archives_one_after_the_other_are_warned_of() {
    let folder = Folder::new();
    fs::write(folder.path("a.tar"), [three(), three()].concat()).unwrap();
    let shards = open(folder.path("a.tar"));
    assert_eq!(shards.len(), 3);
    assert!(shards.warnings()[0].contains("holds another archive behind its end, at byte 4096"));
}

#[test]
fn an_image_that_cannot_be_decoded_names_shard_and_member() {
    let folder = Folder::new();
    let half = png(1)[..40].to_vec();
    let shards =
        open(folder.shard("a.tar", [("dog/1.png", half), ("dog/2.png", b"<html>".to_vec())]));
    for (index, member) in ["a.tar/dog/1.png", "a.tar/dog/2.png"].into_iter().enumerate() {
        let error = shards.image(index).unwrap_err();
        assert!(
            matches!(&error, DataError::Decode { path, .. } if path.ends_with(member)),
            "{error}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_bytes_are_changed_nothing_panics(changes in prop::collection::vec((0..4096_usize, any::<u8>()), 1..6)) {
        let folder = Folder::new();
        let mut bytes = three();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        fs::write(folder.path("a.tar"), bytes).unwrap();
        if let Ok(shards) = Shards::open(folder.path("a.tar")) {
            for index in 0..shards.len() {
                let _ = (shards.image(index), shards.name(index), shards.label(index));
            }
        }
    }
}
