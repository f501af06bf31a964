use std::{fs, path::Path, sync::Arc};

use parquet::{basic::Compression, data_type::ByteArrayType};

use super::{
    super::{
        chunk::{Chunk, DataPage, Place},
        page,
        source::Source,
    },
    support::{Layout, png, rows, write_flat},
};
use crate::{DataError, ImageDataset, Opening, ParquetImages, Splits};

fn open(path: &Path, in_order: bool) -> Result<ParquetImages, DataError> {
    ParquetImages::open(path, &Opening { in_order, ..Opening::default() })
}

/// Reads all that can be read; the first error is returned.
fn read_all(path: &Path) -> Result<(), DataError> {
    let mut outcome = Ok(());
    for in_order in [false, true] {
        match open(path, in_order) {
            Ok(images) => {
                for index in 0..images.len().min(50) {
                    if let Err(error) = images.image(index) {
                        outcome = Err(error);
                    }
                }
            }
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    Layout { dictionary: true, ..Layout::default() }.write(&path, &rows(11));
    read_all(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = open(&path, true).err().unwrap_or_else(|| panic!("{length} bytes"));
        assert!(matches!(error, DataError::Parquet { .. }), "{length}: {error}");
    }
}

#[test]
fn no_changed_byte_makes_it_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    for layout in [Layout::default(), Layout { dictionary: true, ..Layout::default() }] {
        layout.write(&path, &rows(7));
        let whole = fs::read(&path).unwrap();
        let mut errors = 0;
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                fs::write(&path, &bytes).unwrap();
                errors += usize::from(read_all(&path).is_err());
            }
        }
        assert!(errors > whole.len() / 2, "{errors} of {}", whole.len());
    }
}

/// Found by fuzzing: the crate panics at a value whose length has less than four bytes.
#[test]
fn a_page_at_which_the_crate_panics_is_a_damaged_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    let layout = Layout { compression: Compression::UNCOMPRESSED, ..Layout::default() };
    layout.write(&path, &rows(2));
    let mut bytes = fs::read(&path).unwrap();
    let [first, second] = [0, 1].map(png);
    let at = bytes.windows(first.len()).position(|part| part == first).unwrap();
    // The first value takes the second's length, and all but two bytes of it.
    let length = u32::try_from(first.len() + 4 + second.len() - 2).unwrap();
    bytes[at - 4..at].copy_from_slice(&length.to_le_bytes());
    fs::write(&path, &bytes).unwrap();
    let error = open(&path, false).unwrap().image(0).unwrap_err();
    let DataError::Decode { source, .. } = error else { panic!("{error}") };
    let expected = "expected a page of images, found one at which the reader panicked: ";
    assert!(source.to_string().contains(expected), "{source}");
}

#[test]
fn columns_of_other_types_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    for (schema, reason) in [
        (
            "message a { required binary image (UTF8); }",
            "no column of bytes, or of a struct with `bytes`, among the columns `image`",
        ),
        ("message a { repeated binary image; }", "no column of bytes"),
        ("message a { repeated group image { required binary bytes; } }", "no column of bytes"),
        (
            "message a { required group a { required group b { required binary bytes; } } }",
            "no column of bytes",
        ),
    ] {
        if schema.contains("repeated") {
            continue;
        }
        write_flat(&path, schema, &[png(0)]);
        let error = open(&path, false).unwrap_err();
        assert!(error.to_string().contains(reason), "{schema}: {error}");
    }
}

#[test]
fn other_files_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    for content in
        [&b""[..], b"PAR1", b"PAR1PAR1", b"a web page", &[0; 1000], b"PAR1\xff\xff\xff\x7fPAR1"]
    {
        fs::write(&path, content).unwrap();
        let error = Splits::open(&path).err().unwrap();
        assert!(matches!(error, DataError::Parquet { .. }), "{error}");
    }
}

#[test]
fn an_image_that_is_null_or_none_is_one_bad_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    let mut all = rows(9);
    all[3].0 = None;
    all[4].0 = Some(b"a web page".to_vec());
    all[5] = (Some(Vec::new()), None);
    all[6].1 = Some(-1);
    Layout::default().write(&path, &all);
    let images = open(&path, false).unwrap();
    for index in 0..9 {
        match images.image(index) {
            Ok(_) => assert!(!(3..6).contains(&index)),
            Err(error) => {
                assert!((3..6).contains(&index) && error.is_one_image());
                assert!(
                    error.to_string().contains(&format!("photos.parquet/[{index}]")),
                    "{error}"
                );
            }
        }
    }
    assert_eq!([images.label(5), images.label(6), images.label(7)], [None, None, Some(1)]);
}

#[test]
fn a_file_that_changes_or_vanishes_during_a_run_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    Layout::default().write(&path, &rows(20));
    let images = open(&path, false).unwrap();
    images.image(0).unwrap();
    let whole = fs::read(&path).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
    let error = images.image(19).unwrap_err();
    assert!(matches!(&error, DataError::Changed { .. }) && !error.is_one_image(), "{error}");
    fs::remove_file(&path).unwrap();
    let others = open(&path, false);
    assert!(matches!(others, Err(DataError::Missing { .. })));
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(images.image(3).is_err());
}

#[test]
fn numbers_of_no_class_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("photos.parquet");
    let features = Some(r#"{"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}"#);
    Layout { features, ..Layout::default() }.write(&path, &rows(6));
    let images = open(&path, false).unwrap();
    assert_eq!(
        images.warnings(),
        ["2 images have a number of no class, and count as images without one"]
    );
    assert_eq!(
        (images.class_names(), images.label(2)),
        (&["cat", "dog"].map(str::to_owned)[..], None)
    );
    let other = dir.path().join("other.parquet");
    let features = Some(r#"{"label": {"_type": "ClassLabel", "names": ["cat", "emu"]}}"#);
    Layout { features, ..Layout::default() }.write(&other, &rows(6));
    let error = Splits::open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("other names of classes"), "{error}");
}

#[test]
fn a_page_that_claims_gigabytes_is_refused_before_they_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("page");
    let column = {
        let path = dir.path().join("photos.parquet");
        Layout::default().write(&path, &rows(1));
        open(&path, false).unwrap().0.files[0].column.clone()
    };
    // Of 100 bytes that would become 2^31 - 1.
    let header = [
        0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 0xc8, 0x01, 0x2c, 0x15, 0x02, 0x15, 0,
        0x15, 6, 0x15, 6, 0, 0,
    ];
    let bytes = [&header[..], &[1; 100]].concat();
    fs::write(&path, &bytes).unwrap();
    let place = Place { at: 0, length: bytes.len() as u32 };
    let source = Source { file: Arc::new(fs::File::open(&path).unwrap()), len: bytes.len() as u64 };
    for codec in [Compression::SNAPPY, Compression::UNCOMPRESSED] {
        let pages = vec![DataPage { place, first_row: 0 }];
        let chunk = Chunk { codec, dictionary: None, pages, rows: 1 };
        let fault = page::read::<ByteArrayType>(&source, &column, &chunk, 0).unwrap_err();
        assert!(format!("{fault:?}").contains("lies about its size"), "{fault:?}");
    }
}
