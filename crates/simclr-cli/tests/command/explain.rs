//! `simclr explain`.

use std::fs;

use crate::support::{failure, json, success, write_photos_and_run};

#[test]
fn two_photos_are_explained_by_a_picture_and_by_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let photos = ["photos/dots/03.png", "photos/stripes/04.png"];
    let command = ["explain", photos[0], photos[1], "--run=run"];
    let text = success(here, &[&command[..], &["--out=why.png"]].concat());
    assert!(text.starts_with("cosine ") && text.contains("written to why.png"), "{text}");
    let picture = image::open(here.join("why.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (1084, 335));

    let found = json(here, &command);
    assert!(here.join("explained.png").is_file());
    assert_eq!((&found["by"], &found["maps"][1]["image"]), (&"share".into(), &photos[1].into()));
    let values = found["maps"][0]["values"].as_array().unwrap();
    let mean = values.iter().map(|value| value.as_f64().unwrap()).sum::<f64>();
    let mean = mean / values.len() as f64;
    assert!((mean - found["cosine"].as_f64().unwrap()).abs() < 1e-4, "{found}");
}

#[test]
fn nothing_is_written_for_images_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let photo = "photos/dots/03.png";
    fs::write(here.join("torn.png"), b"\x89PNG\r\n").unwrap();
    for other in ["torn.png", "none.png"] {
        let (code, error) = failure(here, &["explain", photo, other, "--run=run"]);
        assert!([3, 4].contains(&code) && error.contains(other), "{code}: {error}");
    }
    let (code, error) = failure(here, &["explain", photo, photo, "--run=run", "--out=why.txt"]);
    assert!(code == 2 && error.contains("expected --out to end in .png or .jpg"), "{error}");
    assert!(!here.join("explained.png").exists() && !here.join("why.txt").exists());
}
