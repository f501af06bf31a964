//! What holds for every crate's sources: files are written in one way, and unsafe code is listed.

use std::fs;
use std::path::{Path, PathBuf};

/// The crates' folders, and the workspace's own; none where only a package is.
fn crates() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = root.join("crates").read_dir() else { return Vec::new() };
    let crates = entries.map(|entry| entry.unwrap().path());
    crates.filter(|folder| folder.is_dir()).chain([root.to_owned()]).collect()
}

/// The files of Rust below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}

/// Path, number and text of the lines of a crate's sources, without comments, and without its tests.
fn lines(of: &Path) -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    for path in sources(&of.join("src")) {
        let name = path.strip_prefix(of).unwrap().to_str().unwrap().replace('\\', "/");
        if name.ends_with("/tests.rs") || name.contains("/tests/") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = text.lines().enumerate();
        let code = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
        found.extend(code.map(|(at, line)| (name.clone(), at + 1, line.to_owned())));
    }
    found
}

/// Ways to change what is on a disk without `simclr-files`, by which no fault of a test would happen. Files that are only locked are
/// opened in another way.
const PAST_THE_LAYER: [&str; 10] = [
    "fs::write(",
    "fs::rename(",
    "fs::copy(",
    "fs::hard_link(",
    "fs::remove_",
    "fs::create_dir",
    " File::create",
    "(File::create",
    ".persist(",
    ".persist_noclobber(",
];

#[test]
fn files_are_written_through_simclr_files_alone() {
    let mut others = Vec::new();
    for folder in crates() {
        if folder.ends_with("simclr-files") {
            continue;
        }
        for (path, number, line) in lines(&folder) {
            if PAST_THE_LAYER.iter().any(|way| line.contains(way)) {
                others.push(format!("{}/{path}:{number}: {}", folder.display(), line.trim()));
            }
        }
    }
    assert!(others.is_empty(), "expected simclr-files to write, found {others:#?}");
}

/// Every use of unsafe code, as docs/testing.md lists it.
const UNSAFE: [(&str, &str); 1] = [("simclr-data", "src/binary/mapped_file.rs")];

#[test]
fn unsafe_code_is_listed_and_says_why_it_is_sound() {
    let mut found = Vec::new();
    for folder in crates() {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let forbids = manifest.contains("[lints]\nworkspace = true")
            || manifest.contains("unsafe_code = \"forbid\"");
        let is_listed = UNSAFE.iter().any(|(crate_name, _)| *crate_name == name);
        assert!(forbids != is_listed, "{name}: expected unsafe code to be forbidden or listed");
        for (path, number, line) in lines(&folder) {
            let opens = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"];
            if !opens.iter().any(|open| line.contains(open)) {
                continue;
            }
            let text = fs::read_to_string(folder.join(&path)).unwrap();
            let before: Vec<&str> = text.lines().take(number - 1).collect();
            let comment = before.iter().rev().take_while(|line| line.trim().starts_with("//"));
            assert!(
                comment.clone().any(|line| line.contains("SAFETY:")),
                "{name}/{path}:{number}: expected a comment `SAFETY:` before it"
            );
            found.push((name.clone(), path));
        }
    }
    if crates().is_empty() {
        return;
    }
    let expected = UNSAFE.map(|(name, path)| (name.to_owned(), path.to_owned()));
    assert_eq!(found, expected);
}
