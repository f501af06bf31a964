//! Runs on disks that fail.

use std::error::Error;
use std::path::Path;

use simclr_files::faults;
use simclr_train::RunDirectory;

use crate::support::{
    config, in_directory, lines, new_run, pretraining, resumed, run, sample, values,
};

fn with_causes(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_causes(cause)),
        None => error.to_string(),
    }
}

/// Begins the run, or goes on with what is there.
fn attempt(folder: &Path) -> Result<Vec<u32>, String> {
    let dir = folder.join("run");
    let begun = RunDirectory::check_free(&dir).is_err();
    let pretraining = pretraining(config(2));
    let pretraining =
        if begun { resumed(pretraining, &dir) } else { in_directory(pretraining, &dir) };
    let trained = run(pretraining, &sample()).map_err(|error| with_causes(&error))?;
    Ok(values(&trained.encoder))
}

/// With `SIMCLR_EVERY_FAULT=1` in the environment at each operation, else at some.
#[test]
fn whatever_fails_a_run_resumes_to_the_same_weights() {
    let whole = tempfile::tempdir().unwrap();
    let dir = whole.path().join("run");
    let expected = values(&new_run(config(2), &dir).encoder);
    let expected_lines = lines(&dir);

    let step = if std::env::var_os("SIMCLR_EVERY_FAULT").is_some() { 1 } else { 37 };
    let count = faults::everywhere_but(
        step,
        |_| (),
        |folder| attempt(folder).map(drop),
        |after| {
            let again = attempt(after.folder);
            let weights = again.unwrap_or_else(|error| panic!("{after:?}, again: {error}"));
            assert!(weights == expected, "{after:?}: other weights");
            assert_eq!(lines(&after.folder.join("run")), expected_lines, "{after:?}");
        },
    );
    println!("{count} faults");
    assert!(count >= 5, "only {count} faults");
}
