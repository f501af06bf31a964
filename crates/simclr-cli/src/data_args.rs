//! `--data`: which images.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use simclr::augment::Ground;
use simclr::data::{Labelled, ListingProgress, Opening, Splits};

use crate::bar::Bar;
use crate::failure::usage;

#[derive(Args)]
pub(crate) struct DataArgs {
    /// Folder of photos (in class folders or not), of tar shards, or of STL-10's or CIFAR-10's binary
    /// files; or a tar file, a packed file, or a pattern such as 'train-{000..146}.tar'; without it,
    /// the built-in sample of drawn shapes
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

    /// Opens the images of [`folder`](Self::folder), with transparent ones on `ground`.
    pub(crate) fn open(&self, ground: Ground) -> Result<Splits> {
        self.open_at(self.folder(), ground)
    }

    /// Opens the images in `folder`, or the built-in sample, with transparent images on `ground`.
    pub(crate) fn open_at(&self, folder: Option<&Path>, ground: Ground) -> Result<Splits> {
        let progress = Some(listing_progress());
        let opening = Opening { ground: ground.0, progress, ..Opening::default() };
        Ok(warned(Splits::open_or_sample(folder, self.images, &opening)?))
    }

    /// Opens labelled images, with transparent ones on `ground`, and describes them.
    pub(crate) fn labelled(&self, ground: Ground) -> Result<(Labelled, String)> {
        let Splits { labelled, description, .. } = self.open(ground)?;
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

/// Shows how many files were found so far.
pub(crate) fn listing_progress() -> ListingProgress {
    let bar = Bar::uncounted("listing", "files");
    ListingProgress::new(move |files| bar.set(files))
}
