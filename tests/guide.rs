//! The pages of the guide: their links lead somewhere, and the rustdoc of `simclr::loss` has their pictures.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of Markdown that people read: at the root, in `docs` and of each crate.
fn pages() -> Vec<PathBuf> {
    let entries = |folder: &str| {
        let entries = root().join(folder).read_dir().into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let crates = entries("crates").into_iter().map(|folder| folder.join("README.md"));
    let files = [entries("."), entries("docs"), entries("docs/adr"), crates.collect()].concat();
    let is_page =
        |path: &PathBuf| path.is_file() && path.extension().is_some_and(|end| end == "md");
    files.into_iter().filter(is_page).collect()
}

/// The text without blocks and spans of code, in which brackets are no links.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    prose
}

/// Targets of `[text](target)`, and of definitions `[name]: target`.
fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let defined = prose.lines().filter(|line| line.starts_with('['));
    let defined = defined.filter_map(|line| line.split_once("]: ").map(|(_, target)| target));
    inline.chain(defined).map(str::to_owned).collect()
}

/// The anchors of a page's headings, as code hosts and rustdoc make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_between_pages_leads_to_a_file_and_a_heading() {
    if !root().join("CONTRIBUTING.md").exists() {
        return; // A published package has not all of them.
    }
    let pages = pages();
    assert!(pages.len() > 10, "found only {pages:?}");
    let mut broken = Vec::new();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in targets(&text) {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            let leads = path.exists()
                && (anchor.is_empty()
                    || anchors(&std::fs::read_to_string(path).unwrap())
                        .contains(&anchor.to_owned()));
            if !leads {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "expected no broken link, found {broken:#?}");
}

/// `docs/SUMMARY.md` is the book's table of contents.
#[test]
fn every_page_of_the_guide_is_in_the_book_once() {
    let docs = root().join("docs");
    let Ok(summary) = std::fs::read_to_string(docs.join("SUMMARY.md")) else { return };
    if !docs.join("adr").is_dir() {
        return; // A published package has not all of them.
    }
    let mut listed: Vec<PathBuf> =
        targets(&summary).iter().map(|target| docs.join(target)).collect();
    let mut pages: Vec<PathBuf> =
        pages().into_iter().filter(|page| page.starts_with(&docs)).collect();
    pages.retain(|page| !page.ends_with("SUMMARY.md"));
    listed.sort();
    pages.sort();
    assert_eq!(listed, pages);
}

/// An address that holds the picture itself, as rustdoc copies no files.
fn data_uri(svg: &[u8]) -> String {
    let mut uri = String::from("data:image/svg+xml,");
    for &byte in svg {
        if byte.is_ascii_alphanumeric() || b"-_.~:/=;,".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").unwrap();
        }
    }
    uri
}

/// With `SIMCLR_WRITE=1` in the environment it writes the links anew.
#[test]
fn rustdoc_has_the_guides_pictures_and_finds_its_pages() {
    let guide = std::fs::read_to_string(root().join("docs/nt-xent.md")).unwrap();
    let mut expected = String::new();
    for line in guide.lines().filter(|line| line.starts_with('[') && line.contains("]: ")) {
        let (name, target) = line.split_once("]: ").unwrap();
        if Path::new(target).extension().is_some_and(|end| end == "svg") {
            let svg = std::fs::read(root().join("docs").join(target)).unwrap();
            writeln!(expected, "{name}]: {}", data_uri(&svg)).unwrap();
        } else if !target.contains("://") {
            let page = "https://docs.rs/crate/simclr/latest/source/docs";
            writeln!(expected, "{name}]: {page}/{target}").unwrap();
        }
    }
    let path = root().join("src/guide_links.md");
    if std::env::var_os("SIMCLR_WRITE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(found == expected, "SIMCLR_WRITE=1 cargo test --release --test guide writes {path:?}");
}

/// rustdoc shows the guide elsewhere: a relative link would lead nowhere from there.
#[test]
fn the_guide_names_files_in_definitions_alone() {
    let guide = std::fs::read_to_string(root().join("docs/nt-xent.md")).unwrap();
    for target in prose(&guide).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(target.contains("://") || target.starts_with('#'), "found {target}");
    }
}
