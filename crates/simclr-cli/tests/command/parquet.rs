//! Parquet files as `--data`: seven photos, of which the last is a null, as pyarrow writes them.

use std::fs;
use std::path::Path;

use crate::support::failure;

/// Copies the files of `simclr-data`'s tests.
fn write_parquet(here: &Path) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../simclr-data/tests/golden");
    for name in ["photos.parquet", "photos_without_index.parquet"] {
        fs::copy(golden.join(name), here.join(name)).unwrap();
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_the_feature_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(folder.path());
    let (code, error) = failure(folder.path(), &["data", "check", "photos.parquet"]);
    let expected = "expected a build with the feature `parquet` to read photos.parquet";
    assert_eq!((code, error.contains(expected)), (2, true), "{error}");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_files_are_checked_learnt_from_embedded_packed_and_timed() {
    use crate::support::{TINY, json, success};

    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_parquet(here);
    let checked = json(here, &["data", "check", "photos.parquet"]);
    assert_eq!(checked["unreadable"].as_array().unwrap().len(), 1, "{checked}");
    let run = [
        "pretrain",
        "--data=photos.parquet",
        "--out=run",
        "--batch-size=4",
        "--epochs=2",
        "--set=train.max_skipped=1",
    ];
    let text = success(here, &[&run[..], &TINY[..2]].concat());
    assert!(text.contains("Parquet file: "), "{text}");
    let found = json(here, &["embed", "--run=run", "--data=photos.parquet"]);
    assert_eq!((&found["images"], &found["skipped_images"]), (&6.into(), &1.into()));
    let table = fs::read_to_string(here.join("run/index.labels.csv")).unwrap();
    assert!(table.contains("photos.parquet[2],train,crane (2),2"), "{table}");
    json(here, &["data", "bench", "--data=photos.parquet", "--images=6", "--image-size=8"]);

    let (code, error) = failure(here, &["data", "check", "photos_without_index.parquet"]);
    assert_eq!(
        (code, error.contains("`simclr data pack --data photos_without_index.parquet")),
        (3, true),
        "{error}"
    );
    let pack = ["data", "pack", "--data=photos_without_index.parquet", "--out=photos.tar"];
    let packed = json(here, &pack);
    assert_eq!((&packed["images"], &packed["skipped_images"]), (&6.into(), &1.into()));
    let checked = json(here, &["data", "check", "photos.tar"]);
    assert_eq!(checked["unreadable"].as_array().unwrap().len(), 0, "{checked}");
}
