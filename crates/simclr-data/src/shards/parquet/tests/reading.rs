use std::{ops::ControlFlow, path::Path};

use parquet::{basic::Compression, file::properties::WriterVersion};

use super::support::{Layout, colour, png, rows, write_flat};
use crate::{
    DataError, ImageDataset, Opening, PackConfig, PackFormat, ParquetImages, Splits, WholeSet, pack,
};

fn open(path: &Path) -> Result<ParquetImages, DataError> {
    ParquetImages::open(path, &Opening::default())
}

fn pixel(images: &dyn ImageDataset, index: usize) -> [u8; 3] {
    images.image(index).unwrap().get_pixel(5, 3).0
}

#[test]
fn every_image_is_that_of_its_row_however_the_file_is_laid_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    for dictionary in [false, true] {
        for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY] {
            for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
                for [rows_of_page, rows_of_group] in [[1, 4], [3, 7], [100, 100]] {
                    let layout = Layout {
                        rows_of_page,
                        rows_of_group,
                        dictionary,
                        compression,
                        version,
                        ..Layout::default()
                    };
                    layout.write(&path, &rows(23));
                    let images = open(&path).unwrap();
                    assert_eq!(
                        (images.len(), images.class_names()),
                        (23, &["0", "1", "2"].map(str::to_owned)[..])
                    );
                    for index in (0..23).map(|step| step * 5 % 23) {
                        assert_eq!(pixel(&images, index), colour(index), "{index} of {layout:?}");
                        assert_eq!(images.label(index), Some(index % 3));
                        assert_eq!(images.name(index), format!("photos.parquet[{index}]"));
                        assert!(images.stored_size(index).is_some());
                    }
                }
            }
        }
    }
}

#[test]
fn an_image_takes_the_reading_of_one_page() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    Layout::default().write(&path, &rows(20));
    let places: Vec<_> = {
        let images = open(&path).unwrap();
        let chunks = images.0.files[0].chunks.iter();
        chunks.flat_map(|chunk| chunk.pages.iter().map(|page| page.place)).collect()
    };
    // Pages of 2, 2 and 1 rows in each group of 5.
    assert_eq!(places.len(), 12);
    let whole = std::fs::read(&path).unwrap();
    for (kept, &rows) in [[0, 2], [2, 4], [4, 5], [5, 7]].iter().enumerate() {
        let mut bytes = whole.clone();
        for (_, place) in places.iter().enumerate().filter(|(page, _)| *page != kept) {
            bytes[place.at as usize..][..place.length as usize].fill(0);
        }
        std::fs::write(&path, &bytes).unwrap();
        let images = open(&path).unwrap();
        for index in 0..20 {
            let is_kept = (rows[0]..rows[1]).contains(&index);
            match images.image(index) {
                Ok(image) => assert!(is_kept && image.get_pixel(0, 0).0 == colour(index)),
                Err(error) => assert!(!is_kept && error.is_one_image(), "{error}"),
            }
        }
    }
}

#[test]
fn files_of_a_pattern_are_one_set_with_splits_by_their_names() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("data")).unwrap();
    let features = Some(
        r#"{"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["cat", "dog", "emu", "fox"]}}"#,
    );
    let layout = Layout { features, ..Layout::default() };
    for (name, count) in
        [("train-00000-of-00002", 7), ("train-00001-of-00002", 8), ("test-00000-of-00001", 6)]
    {
        layout.write(&dir.path().join(format!("data/{name}.parquet")), &rows(count));
    }
    let splits = Splits::open(dir.path()).unwrap();
    let labelled = splits.labelled.unwrap();
    assert_eq!([splits.pretrain.len(), labelled.train.len(), labelled.test.len()], [15, 15, 6]);
    assert_eq!(labelled.train.class_names(), ["cat", "dog", "emu"]);
    assert_eq!(splits.pretrain.name(9), "train-00001-of-00002.parquet[2]");
    assert_eq!(pixel(&splits.pretrain, 9), colour(2));

    let pattern = dir.path().join("data/train-{00000..00001}-of-00002.parquet");
    let train = Splits::open(&pattern).unwrap();
    assert_eq!(train.pretrain.len() + train.labelled.unwrap().test.len(), 15);
    let whole = WholeSet::open(dir.path()).unwrap();
    assert_eq!((whole.len(), whole.split(14), whole.split(15)), (21, "train", "test"));
    assert_eq!((whole.class(1), whole.class(2)), (Some("dog"), Some("emu")));
}

#[test]
fn a_plain_column_of_bytes_is_a_column_of_images_without_classes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    for schema in [
        "message a { required binary jpg; }",
        "message a { required group picture { required binary bytes; } }",
    ] {
        write_flat(&path, schema, &[png(0), png(1), png(2)]);
        let images = open(&path).unwrap();
        assert_eq!((images.len(), images.label(1), images.class_names().len()), (3, None, 0));
        assert_eq!(pixel(&images, 2), colour(2));
    }
}

#[test]
fn the_files_that_pyarrow_writes_are_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let images = open(&golden.join("photos.parquet")).unwrap();
    assert_eq!(images.class_names(), ["cat", "crane (1)", "crane (2)"]);
    let labels: Vec<_> = (0..7).map(|index| images.label(index)).collect();
    assert_eq!(labels, [Some(0), Some(1), Some(2), Some(0), Some(1), None, Some(2)]);
    for row in 0..6_u8 {
        let image = images.image(row.into()).unwrap();
        assert_eq!(image.dimensions(), (6, 4));
        assert_eq!(image.get_pixel(3, 2).0, [30 * row, 200 - 20 * row, 7]);
    }
    let error = images.image(6).unwrap_err();
    assert!(error.is_one_image());
    let without = golden.join("photos_without_index.parquet");
    assert!(matches!(open(&without), Err(DataError::NoPageIndex { .. })));
    let in_order = Opening { in_order: true, ..Opening::default() };
    let images = ParquetImages::open(&without, &in_order).unwrap();
    assert_eq!(pixel(&images, 4), [120, 120, 7]);
}

#[test]
fn a_file_without_a_page_index_is_packed_as_one_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let packed = |index: bool, dictionary: bool| {
        let folder = dir.path().join(format!("{index} {dictionary}"));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("photos.parquet");
        let layout =
            Layout { index, dictionary, rows_of_page: 40, rows_of_group: 90, ..Layout::default() };
        layout.write(&path, &rows(200));
        if !index {
            let error = Splits::open(&path).err().unwrap().to_string();
            assert!(error.contains("convert it once with `simclr data pack --data"), "{error}");
        }
        let opening = Opening { in_order: true, ..Opening::default() };
        let images = WholeSet::open_with(&path, &opening).unwrap();
        let out = folder.join("photos.tar");
        let config = PackConfig::new(PackFormat::Raw);
        let packed = pack(&images, &out, &config, |_| ControlFlow::Continue(())).unwrap();
        assert_eq!((packed.images, packed.skipped.len()), (200, 0));
        let set = WholeSet::open(&out).unwrap();
        // The test set comes last.
        assert_eq!((set.split(150), set.name(150)), ("train", "photos.parquet[189]".to_owned()));
        assert_eq!(pixel(&set, 150), colour(189));
        std::fs::read(out).unwrap()
    };
    let expected = packed(true, false);
    assert!(packed(false, false) == expected && packed(false, true) == expected);
}

#[test]
fn pages_of_many_images_are_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    Layout { rows_of_page: 50, rows_of_group: 100, ..Layout::default() }.write(&path, &rows(100));
    let warnings = open(&path).unwrap().warnings().to_vec();
    assert!(warnings[0].starts_with("a page has 50 images"), "{warnings:?}");
}
