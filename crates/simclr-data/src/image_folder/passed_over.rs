//! Files that an image folder passes over.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::printable;

/// Extensions of files that lie beside images and are none.
const NO_IMAGES: [&str; 16] = [
    "txt", "xml", "json", "jsonl", "csv", "tsv", "md", "html", "yaml", "yml", "npy", "mat", "db",
    "ini", "zip", "pdf",
];
/// The most files of other names whose beginning is read.
const MOST_READ: usize = 1000;
/// The most of them that are named.
const NAMED: usize = 5;

/// The files in a folder that are not read, by kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct PassedOver {
    /// The number of files of each extension, in lower case; of none: the empty one.
    kinds: BTreeMap<String, usize>,
    /// Files that begin like an image, and are not called like one.
    misnamed: Vec<PathBuf>,
    read: usize,
}

impl PassedOver {
    pub(super) fn add(&mut self, files: Vec<PathBuf>) {
        for path in files {
            let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            if self.read < MOST_READ && !NO_IMAGES.contains(&extension.as_str()) {
                self.read += 1;
                if begins_like_an_image(&path) {
                    self.misnamed.push(path);
                }
            }
            *self.kinds.entry(extension).or_default() += 1;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (extension, count) in &other.kinds {
            *self.kinds.entry(extension.clone()).or_default() += count;
        }
        self.misnamed.extend(other.misnamed.iter().cloned());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let all: usize = self.kinds.values().sum();
        let files = if all == 1 { "file is" } else { "files are" };
        let kinds = kinds.iter().map(|(extension, count)| match extension.as_str() {
            "" => format!("{count} without extension"),
            extension => format!("{count} .{}", printable(extension)),
        });
        write!(f, "{all} other {files} passed over: {}", kinds.collect::<Vec<_>>().join(", "))?;
        if self.misnamed.is_empty() {
            return Ok(());
        }
        let name = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            format!("`{}`", printable(&name))
        };
        let names: Vec<_> = self.misnamed.iter().take(NAMED).map(name).collect();
        let more = if self.misnamed.len() > NAMED { ", ..." } else { "" };
        write!(f, "; images by their content: {}{more}", names.join(", "))
    }
}

/// Whether the file's first bytes are those of an image that is read if it is called like one.
fn begins_like_an_image(path: &Path) -> bool {
    let mut beginning = [0; 16];
    let read = File::open(path).and_then(|mut file| file.read(&mut beginning));
    read.is_ok_and(|length| {
        use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
        let format = image::guess_format(&beginning[..length]);
        matches!(format, Ok(Bmp | Gif | Jpeg | Png | Tiff | WebP))
    })
}
