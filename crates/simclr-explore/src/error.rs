//! What can go wrong between a run, its images and a page.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use simclr_data::{DataError, SortError};
use simclr_embed::EmbedError;
use simclr_eval::EvalError;
use simclr_range::OutOfRange;
use thiserror::Error;

/// Images that cannot be explored, or labels that cannot be given or kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExploreError {
    /// A value is out of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// None of the images can be read.
    #[error("expected an image that can be read, found none among {images}")]
    NoImages {
        /// How many there are.
        images: usize,
    },
    /// A class whose name cannot be one.
    #[error("expected the name of a class, found {found:?}: {reason}")]
    Class {
        /// What was given.
        found: String,
        /// Why it cannot be one.
        reason: &'static str,
    },
    /// Another process explores this run. Two would overwrite each other's labels.
    #[error("expected no other process that explores {}, found one", path.display())]
    Running {
        /// The run's folder.
        path: PathBuf,
    },
    /// The labels of an earlier session cannot be read. Nothing was overwritten.
    #[error(transparent)]
    Labels(#[from] SortError),
    /// A file cannot be made, or written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Nobody can listen at the port, for example because another program does.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The system has no random numbers for the page's token.
    #[error("the system gives no random numbers: {0}")]
    NoToken(String),
    /// The server failed.
    #[error("the server failed")]
    Server(#[source] io::Error),
    /// The data set failed as a whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Images cannot be embedded, or vectors cannot be compared.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// Labels cannot be learnt from.
    #[error(transparent)]
    Eval(#[from] EvalError),
}

impl ExploreError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}
