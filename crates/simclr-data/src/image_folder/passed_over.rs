//! Files that an image folder passes over.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::listing::Listing;
use crate::{DataError, decode::Content, escape_name, printable};

/// Extensions of files that lie beside images and are none.
const NO_IMAGES: [&str; 16] = [
    "txt", "xml", "json", "jsonl", "csv", "tsv", "md", "html", "yaml", "yml", "npy", "mat", "db",
    "ini", "zip", "pdf",
];
/// The most files of other names whose beginning is read.
const MOST_READ: usize = 1000;
/// The most of a kind that are named.
const NAMED: usize = 5;

/// The files in a folder that are not read, by kind, and the folders inside that cannot be.
#[derive(Debug, Clone, Default)]
pub(crate) struct PassedOver {
    /// The number of files of each extension, in lower case; of none: the empty one.
    kinds: BTreeMap<String, usize>,
    /// Files that begin like an image, and are not called like one.
    misnamed: Vec<PathBuf>,
    read: usize,
    /// Folders, and why they cannot be read.
    folders: Vec<(PathBuf, String)>,
}

impl PassedOver {
    /// What lies in a folder and is no image by its name.
    pub(super) fn add(&mut self, listing: &Listing) {
        for path in listing.other_paths() {
            let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            if self.read < MOST_READ && !NO_IMAGES.contains(&extension.as_str()) {
                self.read += 1;
                if let Some(Content::Image(_)) = Content::of_file(&path) {
                    self.misnamed.push(path);
                }
            }
            *self.kinds.entry(extension).or_default() += 1;
        }
    }

    /// A folder that cannot be read.
    pub(super) fn add_folder(&mut self, path: PathBuf, error: &DataError) {
        let reason = match error {
            DataError::Io { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        self.folders.push((path, reason));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (extension, count) in &other.kinds {
            *self.kinds.entry(extension.clone()).or_default() += count;
        }
        self.misnamed.extend(other.misnamed.iter().cloned());
        self.folders.extend(other.folders.iter().cloned());
    }

    /// A line for people on the files, and one on each of the first few folders.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.kinds.is_empty() {
            lines.push(self.files());
        }
        for (path, reason) in self.folders.iter().take(NAMED) {
            let path = escape_name(path);
            lines.push(format!("the folder {path} cannot be read and is left out: {reason}"));
        }
        if self.folders.len() > NAMED {
            let more = self.folders.len() - NAMED;
            lines.push(format!("{more} more folders cannot be read and are left out"));
        }
        lines
    }

    fn files(&self) -> String {
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let all: usize = self.kinds.values().sum();
        let files = if all == 1 { "file is" } else { "files are" };
        let kinds = kinds.iter().map(|(extension, count)| match extension.as_str() {
            "" => format!("{count} without extension"),
            extension => format!("{count} .{}", printable(extension)),
        });
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let line = format!("{all} other {files} passed over: {kinds}");
        if self.misnamed.is_empty() {
            return line;
        }
        let name = |path: &PathBuf| {
            format!("`{}`", escape_name(Path::new(path.file_name().unwrap_or_default())))
        };
        let names: Vec<_> = self.misnamed.iter().take(NAMED).map(name).collect();
        let more = if self.misnamed.len() > NAMED { ", ..." } else { "" };
        format!("{line}; images by their content: {}{more}", names.join(", "))
    }
}
