use std::fs;

use image::{Rgb, RgbaImage};

use super::*;

fn write_png(path: &Path, level: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    RgbImage::from_pixel(4, 3, Rgb([level; 3]))
        .save_with_format(path, image::ImageFormat::Png)
        .unwrap();
}

fn names(folder: &ImageFolder) -> Vec<String> {
    (0..folder.len()).map(|index| folder.name(index)).collect()
}

#[test]
fn classes_are_sub_folders_in_name_order_and_images_lie_at_any_depth() {
    let dir = tempfile::tempdir().unwrap();
    for (path, level) in [("b/2.PNG", 4), ("b/1.jpeg", 3), ("a/deep/er/z.webp", 2), ("a/y.jpg", 1)]
    {
        write_png(&dir.path().join(path), level);
    }
    fs::write(dir.path().join("b/notes.txt"), "not an image").unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let folder = ImageFolder::open(dir.path()).unwrap();
    assert_eq!(folder.class_names(), ["a", "b"]);
    assert_eq!(names(&folder), ["a/deep/er/z.webp", "a/y.jpg", "b/1.jpeg", "b/2.PNG"]);
    assert_eq!((folder.label(1), folder.label(2), folder.label(4)), (Some(0), Some(1), None));
    assert_eq!(
        folder.image(3).unwrap().get_pixel(3, 2).0,
        [4; 3],
        "decoded by content, whatever the extension"
    );
}

#[test]
fn a_flat_folder_has_no_labels() {
    let dir = tempfile::tempdir().unwrap();
    write_png(&dir.path().join("2.png"), 2);
    write_png(&dir.path().join("10.png"), 10);
    write_png(&dir.path().join(".hidden.png"), 0);
    let folder = ImageFolder::open(dir.path()).unwrap();
    assert_eq!(names(&folder), ["10.png", "2.png"]);
    assert_eq!((folder.label(0), folder.class_names().len()), (None, 0));
    assert_eq!(folder.path(1), Some(dir.path().join("2.png")));
}

#[test]
fn an_empty_folder_is_an_error_that_names_the_extensions() {
    let dir = tempfile::tempdir().unwrap();
    let message = ImageFolder::open(dir.path()).unwrap_err().to_string();
    assert!(
        message.starts_with(
            "expected images (jpg, jpeg, jpe, jfif, png, webp, bmp, gif, tif, tiff) in"
        ),
        "{message}"
    );
}

#[test]
fn a_missing_folder_is_named() {
    let message = ImageFolder::open("no/such/folder").unwrap_err().to_string();
    assert_eq!(message, "expected a folder of images at no/such/folder, found nothing");
}

#[test]
fn a_corrupt_image_is_found_when_it_is_read_and_named() {
    let dir = tempfile::tempdir().unwrap();
    write_png(&dir.path().join("1.png"), 9);
    let mut half = fs::read(dir.path().join("1.png")).unwrap();
    half.truncate(half.len() / 2);
    fs::write(dir.path().join("2.png"), half).unwrap();
    fs::write(dir.path().join("3.jpg"), b"\xff\xd8\xff\xe0 no more than a beginning").unwrap();
    fs::write(dir.path().join("4.jpg"), b"").unwrap();
    let folder = ImageFolder::open(dir.path()).unwrap();
    assert!(folder.image(0).is_ok());
    for (index, name) in [(1, "2.png"), (2, "3.jpg"), (3, "4.jpg")] {
        let error = folder.image(index).unwrap_err();
        assert!(error.is_one_image(), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn a_file_that_vanished_or_that_the_system_cannot_read_is_one_image() {
    let dir = tempfile::tempdir().unwrap();
    write_png(&dir.path().join("1.png"), 9);
    let folder = ImageFolder::open(dir.path()).unwrap();
    fs::remove_file(dir.path().join("1.png")).unwrap();
    let error = folder.image(0).unwrap_err();
    assert!(error.is_one_image(), "{error:?}");
    assert!(error.to_string().ends_with("1.png"), "{error}");
    // A folder in the place of the file: reading it is an error for everyone, whatever the permissions.
    fs::create_dir(dir.path().join("1.png")).unwrap();
    let error = folder.image(0).unwrap_err();
    assert!(matches!(&error, DataError::Unreadable { .. }) && error.is_one_image(), "{error:?}");
}

/// The header of a PNG that claims 30,000 x 30,000 pixels, which would be 3.6 GB.
#[test]
fn an_image_that_claims_to_be_huge_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb.png");
    write_png(&path, 0);
    let mut bytes = fs::read(&path).unwrap();
    // IHDR: length 4, type 4, width 4, height 4, five more bytes, checksum 4.
    bytes[16..20].copy_from_slice(&30_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&30_000u32.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    match ImageFolder::open(dir.path()).unwrap().image(0) {
        Err(DataError::Decode { source, .. }) => assert_eq!(
            source.to_string(),
            "expected at most 20000 pixels a side, found 30000 x 30000"
        ),
        other => panic!("expected the limits to refuse it, found {other:?}"),
    }
}

/// The checksum of PNG chunks, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

#[test]
fn what_is_transparent_lies_on_white_or_on_the_ground_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    for (name, alpha, expected) in
        [("1.png", 0, [255; 3]), ("2.png", 255, [10, 20, 30]), ("3.png", 51, [206, 208, 210])]
    {
        let image = RgbaImage::from_pixel(2, 2, image::Rgba([10, 20, 30, alpha]));
        image.save(dir.path().join(name)).unwrap();
        let found = crate::decode_image(dir.path().join(name)).unwrap();
        assert_eq!(found.get_pixel(1, 1).0, expected, "alpha {alpha}");
    }
    let first = |folder: ImageFolder| folder.image(0).unwrap().get_pixel(1, 1).0;
    assert_eq!(first(ImageFolder::open(dir.path()).unwrap()), [255; 3]);
    for ground in [[0; 3], [1, 2, 3]] {
        assert_eq!(first(ImageFolder::open_on(dir.path(), ground).unwrap()), ground);
        let splits = crate::Splits::open_on(dir.path(), ground).unwrap();
        assert_eq!(splits.pretrain.image(0).unwrap().get_pixel(1, 1).0, ground);
        let whole = crate::WholeSet::open_on(dir.path(), ground).unwrap();
        assert_eq!(whole.image(0).unwrap().get_pixel(1, 1).0, ground);
        // What is opaque has no ground.
        assert_eq!(whole.image(1).unwrap().get_pixel(1, 1).0, [10, 20, 30]);
    }
}

#[test]
fn files_are_read_by_all_usual_extensions_and_others_are_counted_by_kind() {
    use image::ImageFormat;
    let dir = tempfile::tempdir().unwrap();
    let image = RgbImage::from_pixel(8, 8, Rgb([200, 100, 50]));
    for (name, format) in [
        ("1.jfif", ImageFormat::Jpeg),
        ("2.JPE", ImageFormat::Jpeg),
        ("3.bmp", ImageFormat::Bmp),
        ("4.gif", ImageFormat::Gif),
        ("5.tif", ImageFormat::Tiff),
        ("6.TIFF", ImageFormat::Tiff),
        ("download", ImageFormat::Png),
        ("photo.jpg?w=640", ImageFormat::Jpeg),
    ] {
        image.save_with_format(dir.path().join(name), format).unwrap();
    }
    for name in ["a.heic", "b.HEIC", "notes.txt"] {
        fs::write(dir.path().join(name), b"\0\0\0\x18ftypheic").unwrap();
    }
    let folder = ImageFolder::open(dir.path()).unwrap();
    assert_eq!(folder.len(), 6);
    for index in 0..6 {
        let found = folder.image(index).unwrap().get_pixel(4, 4).0;
        let near = found.iter().zip([200, 100, 50]).all(|(found, made)| found.abs_diff(made) < 6);
        assert!(near, "{}: {found:?}", folder.name(index));
    }
    assert_eq!(
        folder.warnings(),
        ["5 other files are passed over: 2 .heic, 1 without extension, 1 .jpg?w=640, 1 .txt; \
         images by their content: `download`, `photo.jpg?w=640`"]
    );
}

#[test]
fn an_image_past_the_end_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    write_png(&dir.path().join("1.png"), 9);
    let folder = ImageFolder::open(dir.path()).unwrap();
    assert!(matches!(folder.image(1), Err(DataError::IndexOutOfRange { index: 1, len: 1 })));
}

#[cfg(unix)]
#[test]
fn circles_of_links_end() {
    let dir = tempfile::tempdir().unwrap();
    write_png(&dir.path().join("a/1.png"), 1);
    std::os::unix::fs::symlink(dir.path().join("a"), dir.path().join("a/again")).unwrap();
    std::os::unix::fs::symlink(dir.path(), dir.path().join("a/up")).unwrap();
    std::os::unix::fs::symlink("nowhere.png", dir.path().join("a/2.png")).unwrap();
    let folder = ImageFolder::open(dir.path()).unwrap();
    assert_eq!(folder.class_names(), ["a"]);
    assert_eq!(names(&folder), ["a/1.png", "a/2.png"]);
    assert!(folder.image(1).unwrap_err().is_one_image(), "a link to nowhere");
}

#[test]
fn a_folder_inside_that_cannot_be_read_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    write_png(&dir.path().join("a/1.png"), 1);
    write_png(&dir.path().join("b/1.png"), 1);
    let denied = dir.path().join("b");
    let list = |folder: &Path| {
        if folder != denied {
            return Listing::of(folder).map(Arc::new);
        }
        let source = std::io::Error::other("permission denied");
        Err(DataError::Io { path: folder.to_owned(), source })
    };
    let (mut images, mut passed_over) = (0, PassedOver::default());
    visit(dir.path(), list, |folder, listing| {
        match listing {
            Ok(listing) => images += listing.images.len(),
            Err(error) => passed_over.add_folder(folder.to_owned(), error),
        }
        true
    });
    assert_eq!(images, 1);
    let name = denied.display();
    assert_eq!(
        passed_over.warnings(),
        [format!("the folder {name} cannot be read and is left out: permission denied")]
    );
}

/// Permissions bind everyone but the system's administrator.
#[cfg(unix)]
#[test]
fn opening_goes_on_past_a_folder_without_permission() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    write_png(&dir.path().join("a/1.png"), 1);
    write_png(&dir.path().join("b/1.png"), 1);
    fs::set_permissions(dir.path().join("b"), fs::Permissions::from_mode(0o000)).unwrap();
    let denied = fs::read_dir(dir.path().join("b")).is_err();
    let folder = ImageFolder::open(dir.path()).unwrap();
    assert_eq!(folder.len(), if denied { 1 } else { 2 });
    assert_eq!(folder.warnings().len(), usize::from(denied));
}

#[cfg(unix)]
#[test]
fn names_lead_back_to_their_files_whatever_bytes_they_hold() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let dir = tempfile::tempdir().unwrap();
    for class in [&b"caf\xe8"[..], b"caf\xe9", b"two\nlines"] {
        for file in [&b"\xe8.png"[..], b"\xe9.png", b"back\\slash.png"] {
            let below = Path::new(OsStr::from_bytes(class)).join(OsStr::from_bytes(file));
            write_png(&dir.path().join(below), 1);
        }
    }
    let folder = ImageFolder::open(dir.path()).unwrap();
    assert_eq!(folder.class_names(), [r"caf\xE8", r"caf\xE9", r"two\nlines"]);
    assert_eq!(folder.name(0), r"caf\xE8/back\\slash.png");
    for index in 0..9 {
        let below = crate::unescape_name(&folder.name(index)).unwrap();
        assert_eq!(folder.path(index), Some(dir.path().join(below)));
    }
}

mod index {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::{Opening, Splits};

    /// Two classes, one of them with a folder inside, and captions beside the images; not changed for an hour.
    fn folder_of_yesterday() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a/1.png", "a/3.png", "a/2/1.png", "b/1.png", "b/new\nline.png"] {
            write_png(&dir.path().join(path), 1);
        }
        fs::write(dir.path().join("b/notes.txt"), "a caption").unwrap();
        settle(dir.path());
        dir
    }

    /// Sets the time of every folder back: what changed just now is never believed.
    fn settle(dir: &Path) {
        for folder in ["", "a", "a/2", "b"] {
            let folder = fs::File::open(dir.join(folder)).unwrap();
            folder
                .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
                .unwrap();
        }
    }

    fn open(dir: &Path, index: &Path) -> Splits {
        let index = Some(index.to_owned());
        Splits::open_with(dir, &Opening { index, ..Opening::default() }).unwrap()
    }

    fn names(splits: &Splits) -> Vec<String> {
        let images = &splits.pretrain;
        let name = |index| format!("{} {:?}", images.name(index), images.label(index));
        (0..images.len()).map(name).collect()
    }

    #[test]
    fn an_index_file_tells_the_same_and_nothing_is_listed_again() {
        let dir = folder_of_yesterday();
        let index = dir.path().join(".index");
        let first = open(dir.path(), &index);
        first.index.as_ref().expect("a new index").write(&index).unwrap();
        settle(dir.path());
        let second = open(dir.path(), &index);
        assert!(second.index.is_none(), "all of it came from the index");
        assert_eq!(names(&second), names(&first));
        assert_eq!(second.warnings, first.warnings);
        assert_eq!(second.pretrain.path(1), first.pretrain.path(1));
    }

    #[test]
    fn folders_whose_time_has_changed_are_listed_anew_and_the_others_are_not() {
        let dir = folder_of_yesterday();
        let index = dir.path().join(".index");
        open(dir.path(), &index).index.unwrap().write(&index).unwrap();
        settle(dir.path());
        write_png(&dir.path().join("a/2/0.png"), 1);
        fs::remove_file(dir.path().join("a/3.png")).unwrap();
        let splits = open(dir.path(), &index);
        assert!(splits.index.is_some(), "some folders are new");
        assert_eq!(names(&splits), names(&Splits::open(dir.path()).unwrap()));
    }

    #[test]
    fn a_folder_that_changed_just_now_is_not_believed() {
        let dir = folder_of_yesterday();
        let index = dir.path().join(".index");
        write_png(&dir.path().join("b/2.png"), 1);
        open(dir.path(), &index).index.unwrap().write(&index).unwrap();
        let splits = open(dir.path(), &index);
        assert!(splits.index.is_some(), "`b` is listed again");
    }

    #[test]
    fn lengths_of_files_are_kept_and_those_of_some_are_asked_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = |number: usize| dir.path().join(format!("{number:03}.png"));
        for number in 0..130 {
            fs::write(file(number), vec![b'x'; 10 + number]).unwrap();
        }
        let settle = || {
            let folder = fs::File::open(dir.path()).unwrap();
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
            folder.set_modified(then).unwrap();
        };
        let sizes = |splits: &Splits| -> Vec<u64> {
            (0..130).map(|index| splits.pretrain.stored_size(index).unwrap()).collect()
        };
        settle();
        let elsewhere = tempfile::tempdir().unwrap();
        let index = elsewhere.path().join("a.index");
        let first = open(dir.path(), &index);
        let expected: Vec<u64> = (10..140).collect();
        assert_eq!(sizes(&first), expected);
        first.index.as_ref().unwrap().write(&index).unwrap();
        // Each third file is asked again; what is written to others in their places goes unnoticed.
        fs::write(file(1), b"").unwrap();
        settle();
        assert_eq!(sizes(&open(dir.path(), &index)), expected);
        fs::write(file(3), b"").unwrap();
        settle();
        let found = sizes(&open(dir.path(), &index));
        assert_eq!((found[1], found[3], &found[4..]), (0, 0, &expected[4..]));
    }

    #[test]
    fn a_damaged_or_hostile_index_is_ignored_with_a_reason() {
        let dir = folder_of_yesterday();
        let index = dir.path().join(".index");
        let first = open(dir.path(), &index);
        first.index.as_ref().unwrap().write(&index).unwrap();
        settle(dir.path());
        let bytes = fs::read(&index).unwrap();
        let damaged = |place: usize| {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            damaged
        };
        for content in [
            bytes[..bytes.len() - 1].to_vec(),
            damaged(30),
            damaged(bytes.len() / 2),
            b"text".to_vec(),
        ] {
            fs::write(&index, content).unwrap();
            settle(dir.path());
            let splits = open(dir.path(), &index);
            assert_eq!(names(&splits), names(&first));
            assert!(splits.index.is_some());
            let reason = splits.warnings.iter().any(|line| {
                line.starts_with("the index ") && line.contains(" is not used, and made anew: ")
            });
            assert!(reason, "{:?}", splits.warnings);
        }
    }
}
