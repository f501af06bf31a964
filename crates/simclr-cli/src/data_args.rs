//! `--data`: which images.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use simclr::augment::Ground;
use simclr::data::{Labelled, ListingProgress, Opening, Splits};
use simclr::train::RunDirectory;

use crate::bar::Bar;
use crate::failure::usage;

#[derive(Args)]
pub(crate) struct DataArgs {
    /// Folder of photos (in class folders or not), of tar shards, or of STL-10's or CIFAR-10's binary
    /// files; or a tar file, a packed file, a Parquet file, or a pattern such as
    /// 'train-{000..146}.tar'; without it, the built-in sample of drawn shapes
    #[arg(long, value_name = "DATA")]
    data: Option<PathBuf>,
    /// Use only N images, drawn from all classes (the same ones each time), and a fifth as many test
    /// images [default: all; sample: 2000]
    #[arg(long, value_name = "N")]
    pub(crate) images: Option<usize>,
}

impl DataArgs {
    /// The folder of the images; `None` for the built-in sample.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// Opens the images of [`folder`](Self::folder), with transparent ones on `ground`, by an index file if there is one.
    pub(crate) fn open(&self, ground: Ground, index: Option<PathBuf>) -> Result<Splits> {
        self.open_at(self.folder(), ground, index)
    }

    /// Opens the images in `folder`, or the built-in sample.
    pub(crate) fn open_at(
        &self,
        folder: Option<&Path>,
        ground: Ground,
        index: Option<PathBuf>,
    ) -> Result<Splits> {
        let progress = Some(listing_progress());
        let opening = Opening { ground: ground.0, index, progress, ..Opening::default() };
        Ok(warned(Splits::open_or_sample(folder, self.images, &opening)?))
    }

    /// Opens labelled images, as [`open`](Self::open) does, and describes them.
    pub(crate) fn labelled(
        &self,
        ground: Ground,
        index: Option<PathBuf>,
    ) -> Result<(Labelled, String)> {
        let Splits { labelled, description, .. } = self.open(ground, index)?;
        let labelled = labelled.ok_or_else(|| {
            usage(format!(
                "expected labelled images (folders `train/CLASS` and `test/CLASS`, or `CLASS` alone), \
                 found none: {description}"
            ))
        })?;
        Ok((labelled, description))
    }
}

/// Says on standard error what was guessed or left out.
pub(crate) fn warned(splits: Splits) -> Splits {
    warn(&splits.warnings);
    splits
}

/// [`warned`], for what is no [`Splits`].
pub(crate) fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}

/// The index file that `run` keeps of the images in `data`, if they are those that it learnt from.
pub(crate) fn index_of_run(run: &RunDirectory, data: Option<&Path>) -> Option<PathBuf> {
    let source = run.config().ok()?.made_with.source?;
    let data = std::path::absolute(data?).ok()?;
    (source.folder == Some(data)).then(|| run.data_index())
}

/// Shows how many files were found so far.
pub(crate) fn listing_progress() -> ListingProgress {
    let bar = Bar::uncounted("listing", "files");
    ListingProgress::new(move |files| bar.set(files))
}
