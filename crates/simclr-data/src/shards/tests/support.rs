//! Shards that tests make.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

use image::{ImageFormat, Rgb, RgbImage};
use tar::{Builder, EntryType, Header};

use super::super::Shards;
use crate::ImageDataset;

/// A PNG of one gray level, 6 x 4 pixels.
pub(super) fn png(level: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(6, 4, Rgb([level; 3])).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A folder with shards in it.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a shard of these members.
    pub(super) fn shard<'a>(
        &self,
        name: &str,
        members: impl IntoIterator<Item = (&'a str, Vec<u8>)>,
    ) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, archive(members)).unwrap();
        path
    }
}

/// An archive of these members.
pub(super) fn archive<'a>(members: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in members {
        add(&mut builder, name, EntryType::Regular, &bytes);
    }
    builder.into_inner().unwrap()
}

/// Appends a member whose name may be one that the `tar` crate itself would refuse.
pub(super) fn add(builder: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_entry_type(kind);
    if name.len() < 100 {
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    } else {
        builder.append_data(&mut header, name, bytes).unwrap();
    }
}

/// Name, class and gray level of each image.
pub(super) fn rows(shards: &Shards) -> Vec<(String, Option<&str>, u8)> {
    let class = |index| shards.label(index).map(|label| shards.class_names()[label].as_str());
    let level = |index| shards.image(index).unwrap().get_pixel(1, 1).0[0];
    (0..shards.len()).map(|index| (shards.name(index), class(index), level(index))).collect()
}

pub(super) fn open(path: impl AsRef<Path>) -> Shards {
    Shards::open(path).unwrap()
}

/// A row as [`rows`] has it.
pub(super) fn row<'a>(
    name: &str,
    class: Option<&'a str>,
    level: u8,
) -> (String, Option<&'a str>, u8) {
    (name.to_owned(), class, level)
}
