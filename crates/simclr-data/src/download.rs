//! Fetching what others publish: the official archives of STL-10 and CIFAR-10, and weights.

mod archive;
mod checksum;
mod client;
mod error;
mod fetch;
mod progress;
mod redirect;
mod unpack;
mod validator;
mod weights;

use std::path::{Path, PathBuf};

use self::{archive::Archive, client::Client, unpack::Member};
pub use self::{
    error::DownloadError,
    progress::{DownloadProgress, DownloadStage},
    weights::{
        HubAddress, HubRefusal, HubToken, KnownWeights, PublishedWeights, WeightAddress,
        WeightCache, known_weights,
    },
};
use crate::{Cifar10, Stl10};

/// Address and sum as in torchvision's `STL10`.
const STL10_ARCHIVE: Archive<'static> = Archive {
    data_set: "STL-10",
    url: "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    file_name: "stl10_binary.tar.gz",
    md5: "91f7769df0f17e558f3565bffb0c7dfb",
    // The archive has 2.64 GB.
    most: 2_700_000_000,
    members: &[
        Member { name: "train_X.bin", most: 5_000 * 27_648 },
        Member { name: "train_y.bin", most: 5_000 },
        Member { name: "test_X.bin", most: 8_000 * 27_648 },
        Member { name: "test_y.bin", most: 8_000 },
        Member { name: "unlabeled_X.bin", most: 100_000 * 27_648 },
        Member { name: "class_names.txt", most: 1 << 20 },
        Member { name: "fold_indices.txt", most: 1 << 20 },
    ],
};

/// Address and sum as on the data set's page.
const CIFAR10_ARCHIVE: Archive<'static> = Archive {
    data_set: "CIFAR-10",
    url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    file_name: "cifar-10-binary.tar.gz",
    md5: "c32a1d4ab5d03f1284b67883e8d87530",
    // The archive has 170 MB.
    most: 180_000_000,
    members: &[
        Member { name: "data_batch_1.bin", most: 10_000 * 3_073 },
        Member { name: "data_batch_2.bin", most: 10_000 * 3_073 },
        Member { name: "data_batch_3.bin", most: 10_000 * 3_073 },
        Member { name: "data_batch_4.bin", most: 10_000 * 3_073 },
        Member { name: "data_batch_5.bin", most: 10_000 * 3_073 },
        Member { name: "test_batch.bin", most: 10_000 * 3_073 },
        Member { name: "batches.meta.txt", most: 1 << 20 },
        Member { name: "readme.html", most: 1 << 20 },
    ],
};

impl Stl10 {
    /// Puts the official STL-10 files into the folder `dir`, which is made if it does not exist, and returns it.
    ///
    /// If all files are there, nothing is done. Otherwise the archive (2.6 GB) is fetched into
    /// `stl10_binary.tar.gz.part`, from where an earlier download stopped, and its MD5 sum is checked. Then its files
    /// (3.1 GB) are unpacked, each under a temporary name first, so that a file with its final name is whole. Finally
    /// the archive is removed. An archive `stl10_binary.tar.gz` that is already in the folder is used instead, and
    /// kept.
    ///
    /// ```no_run
    /// use simclr_data::{Splits, Stl10};
    ///
    /// let dir = Stl10::download("data/stl10", &mut |progress| {
    ///     eprint!("\r{:?} {} MB", progress.stage, progress.bytes / 1_000_000);
    /// })?;
    /// let splits = Splits::open(dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`DownloadError`].
    pub fn download(
        dir: impl AsRef<Path>,
        on_progress: &mut dyn FnMut(DownloadProgress),
    ) -> Result<PathBuf, DownloadError> {
        download(&STL10_ARCHIVE, dir.as_ref(), on_progress)
    }
}

impl Cifar10 {
    /// Puts the official binary files of CIFAR-10 into the folder `dir`, which is made if it does not exist, and
    /// returns it. It fetches, checks and unpacks the archive `cifar-10-binary.tar.gz` (170 MB, for files of 184 MB) as
    /// [`Stl10::download`] does its own.
    ///
    /// ```no_run
    /// use simclr_data::{Cifar10, Splits};
    ///
    /// let dir = Cifar10::download("data/cifar10", &mut |progress| {
    ///     eprint!("\r{:?} {} MB", progress.stage, progress.bytes / 1_000_000);
    /// })?;
    /// let splits = Splits::open(dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`DownloadError`].
    pub fn download(
        dir: impl AsRef<Path>,
        on_progress: &mut dyn FnMut(DownloadProgress),
    ) -> Result<PathBuf, DownloadError> {
        download(&CIFAR10_ARCHIVE, dir.as_ref(), on_progress)
    }
}

fn download(
    archive: &Archive<'_>,
    dir: &Path,
    on_progress: &mut dyn FnMut(DownloadProgress),
) -> Result<PathBuf, DownloadError> {
    archive.obtain(&Client::new(), dir, on_progress)?;
    Ok(dir.to_owned())
}

#[cfg(test)]
mod tests;
