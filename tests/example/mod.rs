//! The examples that tests run.

use std::path::PathBuf;

/// `cargo test` builds the examples beside the tests' own folder.
pub(crate) fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows its own path");
    path.pop();
    path.pop();
    path.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
