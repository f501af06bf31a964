//! `simclr search`: which queries an index answers.

use crate::support::{TINY, failure, json, simclr, success, write_photos, write_photos_and_run};

#[test]
fn an_index_by_other_weights_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    for (run, seed) in [("a", "--seed=1"), ("b", "--seed=2")] {
        let out = format!("--out={run}");
        let arguments = ["pretrain", "--data=photos", &out, "--epochs=1", seed];
        success(here, &[&arguments[..], &TINY[..3]].concat());
    }
    success(here, &["embed", "--run=a", "--data=photos"]);
    let arguments = ["search", "--run=b", "--index=a/index.safetensors", "photos/dots/00.png"];
    let (code, error) = failure(here, &arguments);
    assert_eq!(code, 2);
    assert!(error.contains("a/index.safetensors is of images prepared in another way"), "{error}");
    let (code, error) = failure(here, &["search", "--run=b", "photos/dots/00.png"]);
    assert_eq!(code, 2);
    assert!(error.contains("`simclr embed --run b --data DIR` makes it"), "{error}");
}

#[test]
fn an_index_refuses_queries_that_are_prepared_otherwise_and_says_how() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    success(here, &["embed", "--run=run", "--data=photos"]);
    let search = |more: &[&str]| {
        let weights =
            ["search", "--weights=run/encoder.safetensors", "--index=run/index.safetensors"];
        simclr(here, &[&weights, more, &["photos/dots/00.png"]].concat())
    };
    // The same weights by another way.
    assert!(search(&[]).status.success());
    let as_trained = [TINY[0], "--image-size=16", "--normalize=cifar10"];
    assert!(search(&as_trained).status.success());
    for (more, expected, found) in [
        ([TINY[0], "--image-size=32", "--normalize=cifar10"], "16 x 16 pixels", "32 x 32 pixels"),
        ([TINY[0], "--image-size=16", "--normalize=none"], "0.4914", "mean [0.0, 0.0, 0.0]"),
    ] {
        let output = search(&more);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        let (index, queries) = error.split_once("; found ").unwrap();
        assert!(index.contains(expected) && queries.contains(found), "{error}");
    }
}

#[test]
fn one_bad_query_does_not_lose_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    success(here, &["embed", "--run=run", "--data=photos"]);
    std::fs::write(here.join("torn.png"), b"\x89PNG\r\n").unwrap();
    let queries =
        ["torn.png", "photos/dots/03.png", "nowhere.png", "photos", "photos/stripes/04.png"];
    let output = simclr(here, &[&["search", "--run=run", "-c=1", "--json"], &queries[..]].concat());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    for bad in ["torn.png", "nowhere.png", "photos, found a folder"] {
        assert!(
            error.lines().any(|line| line.starts_with("skipped: ") && line.contains(bad)),
            "{error}"
        );
    }
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = |result: usize| &found["results"][result]["found"][0]["name"];
    assert_eq!((names(0), names(1)), (&"dots/03.png".into(), &"stripes/04.png".into()));
    assert_eq!(found["failed"].as_array().unwrap().len(), 3);
    let (code, error) = failure(here, &["search", "--run=run", "nowhere.png"]);
    assert!(code == 3 && error.contains("cannot read nowhere.png"), "{error}");
}

#[cfg(unix)]
#[test]
fn names_of_any_bytes_lead_from_an_index_to_their_files() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    std::fs::create_dir(here.join("odd")).unwrap();
    let names = [&b"caf\xe9.png"[..], b"caf\xe8.png", b"new\nline.png", b"back\\nslash.png"];
    for (number, name) in names.into_iter().enumerate() {
        let photo = here.join(format!("photos/dots/{number:02}.png"));
        std::fs::copy(photo, here.join("odd").join(OsStr::from_bytes(name))).unwrap();
    }
    success(here, &["embed", "--run=run", "--data=odd"]);
    for number in 0..names.len() {
        let query = format!("photos/dots/{number:02}.png");
        let found = json(here, &["search", "--run=run", "-c=1", &query]);
        let name = found["results"][0]["found"][0]["name"].as_str().unwrap();
        let file = here.join("odd").join(simclr::data::unescape_name(name).unwrap());
        assert_eq!(
            std::fs::read(file).unwrap(),
            std::fs::read(here.join(query)).unwrap(),
            "{name}"
        );
    }
}
