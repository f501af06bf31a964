//! `--data`: which images.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use simclr::data::{Labelled, SampleConfig, Splits, Subset};

use crate::failure::usage;

/// Images of the built-in sample that are drawn unless told otherwise.
const SAMPLE_IMAGES: usize = 2000;

#[derive(Args)]
pub(crate) struct DataArgs {
    /// Folder of photos (in class folders or not), or of STL-10's or CIFAR-10's binary files; without
    /// it, the built-in sample of drawn shapes
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Use only the first N images, and a fifth as many held-out ones [default: all; sample: 2000]
    #[arg(long, value_name = "N")]
    pub(crate) images: Option<usize>,
}

impl DataArgs {
    /// Opens or draws the images.
    pub(crate) fn open(&self) -> Result<Splits> {
        self.open_or(None)
    }

    /// Opens the images, by default those in `folder`.
    pub(crate) fn open_or(&self, folder: Option<PathBuf>) -> Result<Splits> {
        if self.images == Some(0) {
            return Err(usage("expected --images to be at least 1, found 0"));
        }
        let Some(dir) = self.data.clone().or(folder) else {
            let images = self.images.unwrap_or(SAMPLE_IMAGES);
            return Ok(Splits::sample(&SampleConfig { images, ..SampleConfig::default() })?);
        };
        let mut data = Splits::open(dir)?;
        if let Some(images) = self.images {
            data.pretrain = Arc::new(Subset::first(data.pretrain, images));
            data.labelled = data.labelled.map(|labelled| first(labelled, images));
            data.description = format!("{}; the first {images} of them", data.description);
        }
        Ok(data)
    }

    /// Labelled images to learn from and to ask about.
    pub(crate) fn labelled(&self) -> Result<(Labelled, String)> {
        let data = self.open()?;
        let Some(labelled) = data.labelled else {
            return Err(usage(format!(
                "expected labelled images (folders `train/CLASS` and `test/CLASS`, or `CLASS` alone), \
                 found none: {}",
                data.description
            )));
        };
        Ok((labelled, data.description))
    }
}

fn first(labelled: Labelled, images: usize) -> Labelled {
    Labelled {
        train: Arc::new(Subset::first(labelled.train, images)),
        test: Arc::new(Subset::first(labelled.test, images.div_ceil(5))),
    }
}
