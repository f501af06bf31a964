//! The commands in the blocks of the pages: they exist, with the flags that they have there. Those that `tutorials`, `curate`, `published_weights`
//! and CI run are more than that.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::support::success;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// README and the pages of `docs`; none of a packaged crate.
fn pages() -> Vec<PathBuf> {
    let docs = root().join("docs").read_dir().into_iter().flatten();
    let pages = docs.map(|entry| entry.unwrap().path()).chain([root().join("README.md")]);
    pages.filter(|path| path.is_file() && path.extension().is_some_and(|end| end == "md")).collect()
}

/// The commands in the blocks `sh` of a page, each in one line and without its comment.
fn commands(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap().replace("\\\n", " ");
    let blocks = text.split("\n```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines);
    let code = lines.map(|line| line.split(" #").next().unwrap_or_default().trim().to_owned());
    code.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The help of a command, asked once.
#[derive(Default)]
struct Help(HashMap<String, String>);

impl Help {
    fn of(&mut self, command: &[&str]) -> &str {
        let asked = [command, &["--help"]].concat();
        self.0.entry(command.join(" ")).or_insert_with(|| success(Path::new("."), &asked))
    }
}

/// What is wrong with the arguments of `simclr`.
fn unknown(arguments: &[&str], help: &mut Help) -> Vec<String> {
    let (first, rest) = arguments.split_first().expect("a command after `simclr`");
    let is_inner = |second: &str, help: &mut Help| {
        let listed = help.of(&[first]).lines();
        listed.clone().any(|line| line == "Commands:")
            && listed.clone().any(|line| line.split_whitespace().next() == Some(second))
    };
    let command = match rest.first() {
        Some(second) if is_inner(second, help) => vec![*first, *second],
        _ => vec![*first],
    };
    let help = help.of(&command);
    let flags = rest.iter().filter_map(|argument| argument.strip_prefix("--"));
    let flags = flags.map(|flag| format!("--{}", flag.split('=').next().unwrap_or_default()));
    let known = |flag: &String| {
        help.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == flag)
    };
    flags.filter(|flag| !known(flag)).map(|flag| format!("{} {flag}", command.join(" "))).collect()
}

/// What a command of Cargo, Python or the shell names that is not there.
fn missing(words: &[&str]) -> Vec<String> {
    let mut paths: Vec<(String, Vec<PathBuf>)> = Vec::new();
    let crates = root().join("crates").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<PathBuf> = crates.chain([root()]).collect();
    for pair in words.windows(2) {
        let places = |inner: &str| {
            let name = pair[1];
            let in_folder = |folder: &PathBuf| {
                let inner = folder.join(inner);
                [inner.join(format!("{name}.rs")), inner.join(name).join("main.rs")]
            };
            (name.to_owned(), folders.iter().flat_map(in_folder).collect())
        };
        match pair[0] {
            "--example" => paths.push(places("examples")),
            "--bench" => paths.push(places("benches")),
            "python3" | "--path" | "bash" => {
                paths.push((pair[1].to_owned(), vec![root().join(pair[1])]));
            }
            _ => {}
        }
    }
    let is_missing =
        |(_, places): &(String, Vec<PathBuf>)| !places.iter().any(|path| path.exists());
    paths.into_iter().filter(is_missing).map(|(name, _)| name).collect()
}

#[test]
fn every_command_of_the_pages_exists_with_its_flags() {
    let mut help = Help::default();
    let (mut count, mut wrong) = (0, Vec::new());
    for page in pages() {
        for command in commands(&page) {
            let words: Vec<&str> = command.split_whitespace().collect();
            let found = match words[..] {
                ["simclr", ref arguments @ ..] => unknown(arguments, &mut help),
                _ => missing(&words),
            };
            count += 1;
            wrong.extend(found.iter().map(|what| format!("{}: {what}", page.display())));
        }
    }
    assert!(wrong.is_empty(), "expected commands that exist, found {wrong:#?}");
    assert!(count > 60 || pages().is_empty(), "found only {count} commands");
}
