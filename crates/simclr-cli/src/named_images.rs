//! Images that the command line names.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use image::RgbImage;
use serde_json::{Value, json};
use simclr::data::{
    DataError, ImageDataset, Shards, WholeSet, decode_image_on, escape_name, printable,
};
use simclr::embed::Embedded;

use crate::data_args::warn;
use crate::failure::Partial;
use crate::output::{print_skipped, with_causes};

/// Image files, and the images of folders and of shards, in the order of the arguments. What cannot be read doesn't lose the others.
pub(crate) struct NamedImages {
    images: Vec<Source>,
    ground: [u8; 3],
    folders: Vec<(PathBuf, WholeSet)>,
    /// The arguments that are neither an image nor a folder of images.
    failed: Vec<Failed>,
}

/// Where an image comes from.
enum Source {
    File(PathBuf),
    InFolder { folder: usize, index: usize },
}

/// An argument that there is no result for.
pub(crate) struct Failed {
    name: String,
    reason: String,
}

impl NamedImages {
    /// Looks at files alone. What is transparent lies on `ground`.
    pub(crate) fn files(arguments: &[PathBuf], ground: [u8; 3]) -> Self {
        Self::open(arguments, ground, |path| {
            let found = if path.is_dir() { "a folder" } else { "an archive of images" };
            Err(format!("expected an image at {}, found {found}", path.display()))
        })
    }

    /// Looks at files, and at the folders that `simclr pretrain` takes. What is transparent lies on `ground`.
    pub(crate) fn files_and_folders(arguments: &[PathBuf], ground: [u8; 3]) -> Self {
        Self::open(arguments, ground, |path| {
            WholeSet::open_on(path, ground).map_err(|error| with_causes(&error))
        })
    }

    fn open(
        arguments: &[PathBuf],
        ground: [u8; 3],
        folder: impl Fn(&Path) -> Result<WholeSet, String>,
    ) -> Self {
        let (images, folders, failed) = (Vec::new(), Vec::new(), Vec::new());
        let mut named = Self { images, ground, folders, failed };
        for path in arguments {
            if let Err(reason) = named.add(path, &folder) {
                named.failed.push(Failed { name: escape_name(path), reason });
            }
        }
        named
    }

    fn add(
        &mut self,
        path: &Path,
        open: impl Fn(&Path) -> Result<WholeSet, String>,
    ) -> Result<(), String> {
        let cannot = |error: io::Error| format!("cannot read {}: {error}", path.display());
        let is_set = Shards::are_named_by(path);
        let found = fs::metadata(path);
        if is_set || found.as_ref().is_ok_and(Metadata::is_dir) {
            let (folder, set) = (self.folders.len(), open(path)?);
            warn(set.warnings());
            self.images.extend((0..set.len()).map(|index| Source::InFolder { folder, index }));
            self.folders.push((path.to_owned(), set));
            return Ok(());
        }
        if found.map_err(cannot)?.is_file() {
            // Whoever may not read it knows at once; a pipe would block.
            File::open(path).map_err(cannot)?;
        }
        self.images.push(Source::File(path.to_owned()));
        Ok(())
    }

    /// Says on standard error which images cannot be read, now that all others are `embedded`.
    pub(crate) fn failures(mut self, embedded: &Embedded) -> Failures {
        let unreadable =
            (0..self.len()).filter(|index| embedded.indices.binary_search(index).is_err());
        let mut in_folders = Vec::new();
        let mut files = Vec::new();
        for (index, error) in unreadable.zip(&embedded.skipped) {
            match self.images[index] {
                Source::File(_) => {
                    files.push(Failed { name: self.name(index), reason: with_causes(error) });
                }
                Source::InFolder { .. } => in_folders.push(error),
            }
        }
        self.failed.extend(files);
        for Failed { reason, .. } in &self.failed {
            eprintln!("skipped: {}", printable(reason));
        }
        print_skipped(&in_folders);
        Failures {
            named: self.failed,
            in_folders: in_folders.len(),
            images: embedded.indices.len(),
        }
    }
}

/// What there is no result for.
pub(crate) struct Failures {
    named: Vec<Failed>,
    /// Images in folders that were left out.
    pub(crate) in_folders: usize,
    /// Images that there is a result for.
    images: usize,
}

impl Failures {
    /// The arguments without a result, for machines.
    pub(crate) fn json(&self) -> Value {
        let failed = |Failed { name, reason }: &Failed| json!({ "image": name, "error": reason });
        self.named.iter().map(failed).collect()
    }

    /// The end of a command whose results are out: a failure if something that was named has none.
    pub(crate) fn into_result(self) -> Result<()> {
        match (self.named.len(), self.images) {
            (0, 0) => Err(Partial("no image could be read".to_owned()).into()),
            (0, _) => Ok(()),
            (1, _) => {
                Err(Partial("one of the arguments has no result: see above".to_owned()).into())
            }
            (count, _) => {
                Err(Partial(format!("{count} of the arguments have no result: see above")).into())
            }
        }
    }
}

impl ImageDataset for NamedImages {
    fn len(&self) -> usize {
        self.images.len()
    }

    fn image(&self, index: usize) -> Result<RgbImage, DataError> {
        match &self.images[index] {
            Source::File(path) => decode_image_on(path, self.ground),
            Source::InFolder { folder, index } => self.folders[*folder].1.image(*index),
        }
    }

    /// The path, from where the command runs, as [`escape_name`] writes it.
    fn name(&self, index: usize) -> String {
        match &self.images[index] {
            Source::File(path) => escape_name(path),
            Source::InFolder { folder, index } => {
                let (path, set) = &self.folders[*folder];
                let folder = escape_name(path);
                format!("{}/{}", folder.trim_end_matches('/'), set.name(*index))
            }
        }
    }
}
