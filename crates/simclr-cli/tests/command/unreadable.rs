//! Folders in which nothing can be read.

use crate::support::{TINY, failure, write_photos_and_run};

#[test]
fn a_folder_of_torn_photos_is_named_by_every_command_and_leaves_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    std::fs::create_dir(here.join("torn")).unwrap();
    for number in 0..16 {
        std::fs::write(here.join(format!("torn/{number}.png")), "torn").unwrap();
    }
    let all_may_be_skipped = ["--data=torn", "--out=other", "--max-skipped=1"];
    for (arguments, expected) in [
        (
            [&["pretrain"], &all_may_be_skipped[..], &TINY].concat(),
            "expected readable examples, found 16 that are not; the first: ",
        ),
        (
            vec!["report", "--run=run", "--data=torn", "--out=report.html"],
            "expected a pretraining image that can be read, found none among 16",
        ),
        (
            vec!["explore", "--run=run", "--data=torn"],
            "expected an image that can be read, found none among 16",
        ),
        (
            vec!["embed", "--run=run", "--data=torn", "--out=vectors.npy"],
            "expected at least one image in the index, found none",
        ),
    ] {
        let (code, error) = failure(here, &arguments);
        assert_eq!(code, 3, "{arguments:?}: {error}");
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    let left = ["report.html", "vectors.npy", "other/encoder.safetensors"];
    assert!(left.iter().all(|name| !here.join(name).exists()));
}
