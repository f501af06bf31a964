//! The example that both tests run.

use std::path::PathBuf;

/// `cargo test` builds the examples beside the tests' own folder.
pub(crate) fn example() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows its own path");
    path.pop();
    path.pop();
    path.join("examples").join(format!("stl10_pretrain{}", std::env::consts::EXE_SUFFIX))
}
