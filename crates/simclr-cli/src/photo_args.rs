//! An encoder and the images that it embeds.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use simclr::data::{Opening, WholeSet};
use simclr::embed::{Embedded, Embedder, Fingerprint, Fingerprinting};

use crate::data_args::{listing_progress, warn};
use crate::encoder_args::EncoderArgs;
use crate::failure::Partial;
use crate::output::print_skipped;
use crate::watched::watched;

#[derive(Args)]
pub(crate) struct PhotoArgs {
    #[command(flatten)]
    pub(crate) encoder: EncoderArgs,
    /// Folder of photos (in folders of splits and classes or not), of tar shards, or of STL-10's or
    /// CIFAR-10's binary files; or a tar file, or a pattern such as 'train-{000..146}.tar': all of the
    /// images are embedded
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// Images that go through the encoder at a time [default: 256, or fewer of more than 128 pixels]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
}

/// Images, and what an encoder makes of those that can be read.
pub(crate) struct Photos {
    pub(crate) embedder: Embedder,
    pub(crate) images: WholeSet,
    pub(crate) embedded: Embedded,
}

impl PhotoArgs {
    /// Where the images are.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The encoder, and the images that it is to embed.
    pub(crate) fn open(&self) -> Result<(Embedder, WholeSet)> {
        let mut embedder = self.encoder.load()?;
        if let Some(images) = self.batch_size {
            embedder = embedder.with_batch_size(images)?;
        }
        let opening = Opening {
            ground: embedder.transform().ground().0,
            index: self.encoder.data_index(Some(&self.data)),
            progress: Some(listing_progress()),
            ..Opening::default()
        };
        let images = WholeSet::open_with(&self.data, &opening)?;
        warn(images.warnings());
        Ok((embedder, images))
    }

    /// Embeds all images at once.
    pub(crate) fn embed(&self) -> Result<Photos> {
        let (embedder, images) = self.open()?;
        let embedded = embedder.embed(&watched("embedding", &images))?;
        Photos { embedder, images, embedded }.checked()
    }

    /// Embeds all images, and takes their fingerprints.
    pub(crate) fn embed_with_fingerprints(&self) -> Result<(Photos, Vec<Option<Fingerprint>>)> {
        let (embedder, images) = self.open()?;
        let watched = Fingerprinting::new(watched("embedding", &images));
        let embedded = embedder.embed(&watched)?;
        let prints = watched.into_fingerprints();
        Ok((Photos { embedder, images, embedded }.checked()?, prints))
    }
}

impl Photos {
    /// Says which images could not be read; refuses if none could.
    fn checked(self) -> Result<Self> {
        print_skipped(&self.embedded.skipped);
        if self.embedded.names.is_empty() {
            return Err(Partial("no image could be read".to_owned()).into());
        }
        Ok(self)
    }

    /// The names of the images that were embedded, row by row.
    pub(crate) fn names(&self) -> &[String] {
        &self.embedded.names
    }
}
