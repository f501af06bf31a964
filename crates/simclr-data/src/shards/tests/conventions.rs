//! What shards of the usual kinds hold.

use std::fs;

use tar::{Builder, EntryType};

use super::support::{Folder, add, archive, open, png, row, rows};
use crate::{ImageDataset, ImageFolder, ImagePart, Resolution, Splits, WholeSet, shards::Shards};

#[test]
fn members_of_one_key_are_an_image_and_its_class() {
    let folder = Folder::new();
    let shard = folder.shard(
        "a.tar",
        [
            ("000017.txt", b"a caption".to_vec()),
            ("000017.jpg", png(1)),
            ("000017.cls", b"10".to_vec()),
            ("000018.cls", b"9\n".to_vec()),
            ("000018.PNG", png(2)),
            ("x/000019.mask.png", png(0)),
            ("x/000019.png", png(3)),
            ("x/000019.json", br#"{"label": 10, "caption": "y"}"#.to_vec()),
            ("000020.webp", png(4)),
            ("000020.cls", b"-1".to_vec()),
        ],
    );
    let shards = open(shard);
    let expected = [
        row("000017.jpg", Some("10"), 1),
        row("000018.PNG", Some("9"), 2),
        row("x/000019.png", Some("10"), 3),
        row("000020.webp", None, 4),
    ];
    assert_eq!(rows(&shards), expected);
    assert_eq!(shards.class_names(), ["9", "10"], "by number, not by digits");
    assert_eq!(
        shards.warnings(),
        [
            "1 images beside another one of the same key are passed over, such as `x/000019.mask.png`"
        ]
    );
}

#[test]
fn classes_have_the_names_that_json_members_tell() {
    let folder = Folder::new();
    let json = |text: &str| text.as_bytes().to_vec();
    folder.shard(
        "0.tar",
        [
            ("0.png", png(0)),
            ("0.json", json(r#"{"label": 517, "class_name": "crane"}"#)),
            ("1.png", png(1)),
            ("1.json", json(r#"{"label": 134, "class_name": "crane"}"#)),
            ("2.png", png(2)),
            ("2.json", json(r#"{"label": "zebra"}"#)),
        ],
    );
    let second = [
        ("0.png", png(3)),
        ("0.cls", json("517")),
        ("1.png", png(4)),
        ("1.cls", json("3")),
        ("1.json", json(r#"{"label": 99, "classname": "emu"}"#)),
        ("2.png", png(5)),
        ("2.json", json(r#"{"cls": "emu"}"#)),
    ];
    folder.shard("1.tar", second);
    let shards = open(folder.path(""));
    // Two numbers of one name are two classes, and `emu` is one.
    assert_eq!(shards.class_names(), ["emu", "crane (134)", "crane (517)", "zebra"]);
    let labels: Vec<_> = (0..6).map(|index| shards.label(index).unwrap()).collect();
    assert_eq!(labels, [2, 1, 3, 2, 0, 0]);
    assert_eq!(shards.name(4), "1.tar/1.png");
}

#[test]
fn a_tarred_folder_of_images_is_that_folder() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["dog/1.png", "cat/a.2.png", "cat/a.1.png", "dog/deep/3.png", "stray.png"];
    for (level, name) in names.iter().enumerate() {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, png(level as u8)).unwrap();
    }
    let in_folder = ImageFolder::open(dir.path()).unwrap();
    let order: Vec<String> = (0..in_folder.len()).map(|index| in_folder.name(index)).collect();
    let members =
        order.iter().map(|name| (name.as_str(), fs::read(dir.path().join(name)).unwrap()));
    let folder = Folder::new();
    let shards = open(folder.shard("photos.tar", members));
    assert_eq!(shards.class_names(), in_folder.class_names());
    for index in 0..in_folder.len() {
        assert_eq!(shards.name(index), in_folder.name(index));
        assert_eq!(shards.label(index), in_folder.label(index));
        assert_eq!(shards.stored_size(index), in_folder.stored_size(index));
        assert_eq!(shards.image(index).unwrap(), in_folder.image(index).unwrap());
    }
}

#[test]
fn folders_around_everything_are_no_classes() {
    let folder = Folder::new();
    folder.shard("0.tar", [("./photos/dog/1.png", png(1)), ("./photos/dog/2.png", png(2))]);
    folder.shard("1.tar", [("./photos/emu/1.png", png(3)), ("./photos/3.png", png(4))]);
    let shards = open(folder.path("{0..1}.tar"));
    let expected = [
        row("0.tar/photos/dog/1.png", Some("dog"), 1),
        row("0.tar/photos/dog/2.png", Some("dog"), 2),
        row("1.tar/photos/emu/1.png", Some("emu"), 3),
        row("1.tar/photos/3.png", None, 4),
    ];
    assert_eq!(rows(&shards), expected);
    let one_folder = folder.shard("only.tar", [("x/1.png", png(1)), ("x/2.png", png(2))]);
    assert_eq!(open(one_folder).class_names(), [""; 0]);
}

#[test]
fn long_names_pax_headers_and_prefixes_are_read() {
    let folder = Folder::new();
    let long = format!("{}/1.png", "folder".repeat(30));
    let mut builder = Builder::new(Vec::new());
    add(&mut builder, &long, EntryType::Regular, &png(1));
    // A pax header with another path, and with the size in place of a header that has none.
    let bytes = png(2);
    let record = |text: &str| format!("{} {text}\n", text.len() + 4);
    let records =
        [record(&format!("size={}", bytes.len())), record("path=pax/caf\u{e9}/2.png")].concat();
    add(&mut builder, "PaxHeaders/2", EntryType::XHeader, records.as_bytes());
    let mut header = tar::Header::new_gnu();
    header.set_path("other.bin").unwrap();
    header.set_size(0);
    header.set_cksum();
    builder.append(&header, bytes.as_slice()).unwrap();
    let mut header = tar::Header::new_ustar();
    let prefixed = format!("{}/3.png", ["p"; 60].join("/"));
    header.set_path(&prefixed).unwrap();
    header.set_size(png(3).len() as u64);
    header.set_cksum();
    builder.append(&header, png(3).as_slice()).unwrap();
    fs::write(folder.path("a.tar"), builder.into_inner().unwrap()).unwrap();
    let shards = open(folder.path("a.tar"));
    let found: Vec<_> = rows(&shards).into_iter().map(|(name, _, level)| (name, level)).collect();
    assert_eq!(found, [(long, 1), ("pax/caf\u{e9}/2.png".to_owned(), 2), (prefixed, 3)]);
}

#[test]
fn what_is_no_image_file_is_passed_over_and_counted() {
    let folder = Folder::new();
    let mut builder = Builder::new(Vec::new());
    for name in ["1.png", "._1.png", "__MACOSX/1.png", "__index__", "readme.txt", "more.zip"] {
        add(&mut builder, name, EntryType::Regular, &png(1));
    }
    add(&mut builder, "2.png", EntryType::Symlink, b"");
    add(&mut builder, "3.png", EntryType::Link, b"");
    add(&mut builder, "4.png", EntryType::Fifo, b"");
    add(&mut builder, "5.png", EntryType::GNUSparse, b"");
    add(&mut builder, "folder/", EntryType::Directory, b"");
    add(&mut builder, "../../6.png", EntryType::Regular, &png(6));
    add(&mut builder, "PaxHeaders/7", EntryType::XHeader, b"22 GNU.sparse.major=1\n");
    add(&mut builder, "7.png", EntryType::Regular, &png(7));
    fs::write(folder.path("a.tar"), builder.into_inner().unwrap()).unwrap();
    let shards = open(folder.path("a.tar"));
    assert_eq!(rows(&shards), [row("1.png", None, 1)]);
    assert_eq!(
        shards.warnings(),
        [
            "2 links in shards are passed over, such as `2.png`",
            "2 sparse files in shards are passed over, such as `5.png`",
            "1 members that are no files are passed over, such as `4.png`",
            "1 members whose names lead out of their archive are passed over, such as `../../6.png`",
            "1 archives within shards are passed over, such as `more.zip`",
        ]
    );
}

#[test]
fn labels_that_mean_nothing_are_counted_and_lose_no_image() {
    let folder = Folder::new();
    let members = [
        ("1.png", png(1)),
        ("1.cls", b"dog".to_vec()),
        ("2.png", png(2)),
        ("2.cls", vec![b'1'; 10_000]),
        ("3.png", png(3)),
        ("3.json", br#"{"label": [1]}"#.to_vec()),
        ("4.png", png(4)),
        (
            "4.json",
            [br#"{"caption": ""#.to_vec(), vec![b'x'; 100_000], br#"", "label": 4}"#.to_vec()]
                .concat(),
        ),
    ];
    let shards = open(folder.shard("a.tar", members));
    let labels: Vec<_> = (0..4).map(|index| shards.label(index)).collect();
    assert_eq!(labels, [None, None, None, Some(0)]);
    assert_eq!(
        shards.warnings(),
        ["3 labels in shards cannot be understood, and their images have none, such as `1.cls`"]
    );
}

#[test]
fn an_image_without_compression_has_its_pixels() {
    let folder = Folder::new();
    let pixels: Vec<u8> = (0..18).collect();
    let ppm = |header: &str, bytes: &[u8]| [header.as_bytes(), bytes].concat();
    let shards = open(folder.shard(
        "a.tar",
        [
            ("1.ppm", ppm("P6\n3 2\n255\n", &pixels)),
            ("2.ppm", ppm("P6\n3 2\n255\n", &pixels[1..])),
            ("3.ppm", ppm("P6\n3000000000 2863311531\n255\n", &pixels)),
            ("4.ppm", ppm("P3\n3 2\n255\n", &pixels)),
        ],
    ));
    assert_eq!(shards.image(0).unwrap().into_raw(), pixels);
    for index in 1..4 {
        let error = shards.image(index).unwrap_err();
        assert!(error.is_one_image(), "{error:?}");
    }
}

#[test]
fn splits_are_known_by_the_names_of_shards_and_classes_match_by_name() {
    let folder = Folder::new();
    let cls = |class: &str| class.as_bytes().to_vec();
    folder.shard("in-train-000.tar", [("0.png", png(0)), ("0.cls", cls("3"))]);
    folder.shard("in-train-001.tar", [("0.png", png(1)), ("0.cls", cls("7"))]);
    let val = [("0.png", png(2)), ("0.cls", cls("7")), ("1.png", png(3)), ("1.cls", cls("5"))];
    folder.shard("in-val-000.tar", val);
    folder.shard("in-unlabeled.tar", [("0.png", png(4))]);
    let splits = Splits::open(folder.path("")).unwrap();
    let labelled = splits.labelled.unwrap();
    assert_eq!(labelled.train.class_names(), ["3", "7"]);
    assert_eq!((labelled.test.len(), labelled.test.label(0)), (1, Some(1)));
    assert_eq!(labelled.test.name(0), "in-val-000.tar/0.png");
    assert_eq!(splits.pretrain.len(), 3);
    assert_eq!(splits.pretrain.name(0), "in-unlabeled.tar/0.png");
    assert_eq!(splits.warnings, ["classes of `val` that the training set lacks are left out: 5"]);
    let expected = "tar shards: 3 images to pretrain on, 2 labelled ones of 2 classes in the training set and 1 in the test set (`val`)";
    assert_eq!(splits.description, expected);
    let whole = WholeSet::open(folder.path("")).unwrap();
    let found: Vec<_> = (0..5).map(|index| (whole.split(index), whole.class(index))).collect();
    let (train, val) = ("train", "val");
    assert_eq!(
        found,
        [
            (train, Some("3")),
            (train, Some("7")),
            (val, Some("7")),
            (val, Some("5")),
            ("unlabelled", None)
        ]
    );
}

#[test]
fn splits_are_known_by_folders_around_shards_and_inside_them() {
    let folder = Folder::new();
    let of_class = |class: &'static str| [(class, png(1))];
    folder.shard("train/0.tar", of_class("dog/1.png"));
    folder.shard("train/1.tar", of_class("emu/1.png"));
    folder.shard("val/0.tar", [("emu/1.png", png(1)), ("dog/1.png", png(1))]);
    let by_folder = Splits::open(folder.path("")).unwrap().labelled.unwrap();
    assert_eq!(by_folder.train.class_names(), ["dog", "emu"]);
    assert_eq!(by_folder.test.name(1), "val/0.tar/dog/1.png");
    let single = folder.shard(
        "one/photos.tar",
        [
            ("photos/train/dog/1.png", png(1)),
            ("photos/train/emu/1.png", png(2)),
            ("photos/test/emu/1.png", png(3)),
            ("photos/notes/1.png", png(4)),
        ],
    );
    let splits = Splits::open(single).unwrap();
    assert_eq!(splits.warnings, ["1 images of shards that are no split are left out"]);
    let labelled = splits.labelled.unwrap();
    assert_eq!(labelled.train.class_names(), ["dog", "emu"]);
    assert_eq!((labelled.test.len(), labelled.test.label(0)), (1, Some(1)));
    assert_eq!(labelled.test.name(0), "photos/test/emu/1.png");
}

#[test]
fn shards_of_one_split_or_of_none_hold_out_a_test_set() {
    let folder = Folder::new();
    let members = ["a/1.png", "a/2.png", "b/1.png", "b/2.png"].map(|name| (name, png(7)));
    for name in ["photos.tar", "train.tar", "val-000.tar"] {
        let path = folder.shard(name, members.clone());
        let splits = Splits::open(path).unwrap();
        assert_eq!((splits.pretrain.len(), splits.labelled.unwrap().test.len()), (2, 2), "{name}");
        fs::remove_file(folder.path(name)).unwrap();
    }
}

#[test]
fn the_first_member_may_be_called_as_other_files_begin() {
    let folder = Folder::new();
    for name in ["BZh.png", "<html>.png", "%PDF.png", "{x}.png"] {
        assert_eq!(rows(&open(folder.shard("a.tar", [(name, png(1))]))), [row(name, None, 1)]);
    }
}

#[test]
fn a_list_of_shards_keeps_its_order() {
    let folder = Folder::new();
    let paths =
        ["b.tar", "a.tar"].map(|name| folder.shard(name, [("0.png", png(name.as_bytes()[0]))]));
    let shards = Shards::of_files(paths.to_vec(), &crate::Opening::default()).unwrap();
    assert_eq!(rows(&shards), [row("b.tar/0.png", None, b'b'), row("a.tar/0.png", None, b'a')]);
    assert_eq!(shards.name(2), "[2]");
    assert!(matches!(shards.image(2), Err(crate::DataError::IndexOutOfRange { index: 2, len: 2 })));
}

#[test]
fn an_archive_of_old_times_and_one_without_its_end_are_read() {
    let folder = Folder::new();
    let mut bytes = archive([("1.png", png(1)), ("2.png", png(2))]);
    bytes.truncate(bytes.len() - 1024);
    fs::write(folder.path("a.tar"), &bytes).unwrap();
    let shards = open(folder.path("a.tar"));
    assert_eq!(rows(&shards), [row("1.png", None, 1), row("2.png", None, 2)]);
    let warnings = shards.warnings();
    assert!(
        warnings[0].contains("without the mark of a whole archive, after 2 images"),
        "{warnings:?}"
    );
    // The format before POSIX: no magic, and a zero for a file.
    let mut header = tar::Header::new_old();
    header.set_path("3.png").unwrap();
    header.set_size(png(3).len() as u64);
    header.as_old_mut().linkflag = [0];
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&header, png(3).as_slice()).unwrap();
    fs::write(folder.path("old.tar"), builder.into_inner().unwrap()).unwrap();
    assert_eq!(rows(&open(folder.path("old.tar"))), [row("3.png", None, 3)]);
}

#[test]
fn a_part_of_an_image_is_that_of_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let photo =
        image::RgbImage::from_fn(320, 240, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
    photo.save(dir.path().join("1.jpg")).unwrap();
    let in_folder = ImageFolder::open(dir.path()).unwrap();
    let folder = Folder::new();
    let bytes = fs::read(dir.path().join("1.jpg")).unwrap();
    let shards = open(folder.shard("a.tar", [("1.jpg", bytes)]));
    let mut asked = Vec::new();
    let mut choose = |width, height| {
        asked.push((width, height));
        ImagePart { x: 60, y: 40, width: 200, height: 160, resolution: Resolution::Half }
    };
    let [here, there] = [&shards as &dyn ImageDataset, &in_folder]
        .map(|images| images.image_part(0, &mut choose).unwrap());
    assert_eq!(here, there);
    assert_eq!((here.resolution(), asked), (Resolution::Half, vec![(320, 240); 2]));
}
