//! The cache of published weights.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use simclr_files::{create_folders, replace_file};
use ureq::http::{Uri, uri::Scheme};

use super::{
    address::{HubAddress, WeightAddress},
    cache_folder::{own_cache, user_cache},
    cached_file::{CachedFile, Published},
    hub::{HUB_ENDPOINT, Hub, HubFile, HubRefusal, USUAL_FILES},
    known::KnownWeights,
    names::is_commit,
    token::HubToken,
};
use crate::download::{
    client::Client,
    error::DownloadError,
    progress::{DownloadProgress, OnProgress},
};

/// Where torchvision publishes its weights.
const TORCHVISION_ENDPOINT: &str = "https://download.pytorch.org/models";

/// Most bytes that a file of weights may have.
const MOST_BYTES: u64 = 16_000_000_000;

/// The branch of an address that names no revision.
const MAIN: &str = "main";

/// A folder that keeps published weights, and the way to those that are not there yet.
///
/// A file of the hub is kept by its commit, so that another one never takes its place. It gets its name when it is whole and
/// its SHA-256 sum is what the hub publishes (of torchvision's files, the eight digits in their names); the sum is checked again at each use.
/// What was received of a transfer that broke off is the beginning of the next one. Of two processes that want
/// the same file, one waits for the other.
///
/// Servers are not trusted: a file has at most 16 GB and no more than was announced, redirects lead to HTTPS alone, and the
/// hub's token goes to the hub alone. What is fetched is a file and nothing more: nothing in it is executed.
///
/// ```no_run
/// use simclr_data::WeightCache;
///
/// let cache = WeightCache::from_environment()?;
/// let weights = cache.fetch(&"hf:timm/resnet18.a1_in1k".parse()?, &mut |_| ())?;
/// println!("{} is {}", weights.address, weights.path.display());
/// # Ok::<(), simclr_data::DownloadError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WeightCache {
    folder: PathBuf,
    offline: bool,
    /// The hub's address, without a slash at its end.
    hub: String,
    pub(super) torchvision: String,
    token: Option<HubToken>,
    pub(super) most: u64,
}

/// Whether a variable of the environment means yes, as the hub's own tools read it.
fn is_true(value: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&value.to_ascii_lowercase().as_str())
}

/// Published weights in a file of the cache.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PublishedWeights {
    /// The file.
    pub path: PathBuf,
    /// The address that leads to this very file: with the commit and the file's name.
    pub address: WeightAddress,
    /// The file's SHA-256 sum, in lower-case hexadecimal digits.
    pub sha256: String,
    /// What is known of the weights.
    pub known: Option<&'static KnownWeights>,
}

impl WeightCache {
    /// The cache in `folder`, of the hub without a token.
    #[must_use]
    pub fn in_folder(folder: impl AsRef<Path>) -> Self {
        Self {
            folder: folder.as_ref().to_owned(),
            offline: false,
            hub: HUB_ENDPOINT.to_owned(),
            torchvision: TORCHVISION_ENDPOINT.to_owned(),
            token: None,
            most: MOST_BYTES,
        }
    }

    /// The cache of the user: in `SIMCLR_CACHE`, or else `simclr` in the folder of caches (`XDG_CACHE_HOME`, `~/.cache`, on
    /// Windows `LOCALAPPDATA`). The token of the hub is that of its own tools: `HF_TOKEN`, else the file `HF_TOKEN_PATH`,
    /// else `token` in `HF_HOME` or in `~/.cache/huggingface`. `HF_ENDPOINT` names a mirror of the hub, and `HF_HUB_OFFLINE`, if it is
    /// `1`, `true`, `yes` or `on`, makes the cache [offline](Self::offline).
    ///
    /// # Errors
    ///
    /// [`DownloadError::NoCache`] if the environment names no folder, [`DownloadError::Token`] for a token that cannot be
    /// one, [`DownloadError::Endpoint`] for an address of a mirror that is not HTTPS.
    pub fn from_environment() -> Result<Self, DownloadError> {
        let variable = |name: &str| std::env::var_os(name);
        let folder = own_cache(&variable).ok_or(DownloadError::NoCache)?;
        let cache = Self::in_folder(folder);
        let cache = match std::env::var("HF_ENDPOINT") {
            Ok(endpoint) if !endpoint.is_empty() => cache.with_endpoint(&endpoint)?,
            _ => cache,
        };
        let is_offline = std::env::var("HF_HUB_OFFLINE").is_ok_and(|value| is_true(&value));
        let cache = cache.offline(is_offline);
        Ok(cache.with_token(HubToken::found(&variable, user_cache(&variable))?))
    }

    /// The same cache, which fetches nothing if `offline`.
    #[must_use]
    pub fn offline(self, offline: bool) -> Self {
        Self { offline, ..self }
    }

    /// The same cache, which gives the hub this token.
    #[must_use]
    pub fn with_token(self, token: Option<HubToken>) -> Self {
        Self { token, ..self }
    }

    /// The same cache, with a mirror of the hub at the address `endpoint`.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Endpoint`] unless it is HTTPS, or this machine.
    pub fn with_endpoint(self, endpoint: &str) -> Result<Self, DownloadError> {
        let hub = endpoint.trim_end_matches('/');
        let wrong = |found: &str| DownloadError::Endpoint { found: found.to_owned() };
        if hub.contains('@') {
            return Err(wrong("one with a user's name")); // It may have a password, too.
        }
        let uri: Uri = hub.parse().map_err(|_| wrong(hub))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong(hub))?;
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let is_safe = uri.scheme() == Some(&Scheme::HTTPS)
            || (uri.scheme() == Some(&Scheme::HTTP) && is_here);
        if !is_safe || uri.query().is_some() {
            return Err(wrong(hub));
        }
        Ok(Self { hub: hub.to_owned(), ..self })
    }

    /// The weights at `address`: from the cache, or else fetched into it. A branch or tag is asked for at the hub each time;
    /// what a commit names is in the cache for good.
    ///
    /// # Errors
    ///
    /// [`DownloadError`]: weights that are not there, may not be read, are not what was published, or not in the cache of
    /// one that is [offline](Self::offline).
    pub fn fetch(
        &self,
        address: &WeightAddress,
        on_progress: &mut dyn FnMut(DownloadProgress),
    ) -> Result<PublishedWeights, DownloadError> {
        match address {
            WeightAddress::Torchvision(known) => self.fetch_torchvision(known, on_progress),
            WeightAddress::Hub(hub) => self.fetch_hub(hub, on_progress),
        }
    }

    fn fetch_torchvision(
        &self,
        known: &'static KnownWeights,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<PublishedWeights, DownloadError> {
        let address = WeightAddress::Torchvision(known);
        let name = known.file.unwrap_or_default();
        let file = CachedFile { path: self.folder.join("weights/torchvision").join(name) };
        let sum = if self.offline {
            let sum = file.whole(on_progress)?;
            sum.ok_or_else(|| self.nothing_offline(&address))?
        } else {
            let url = format!("{}/{name}", self.torchvision);
            let published = Published { url: &url, sha256: known.sum_in_name(), length: None };
            file.obtain(&self.client(), &published, self.most, on_progress)?
        };
        Ok(PublishedWeights { path: file.path, address, sha256: sum, known: Some(known) })
    }

    fn fetch_hub(
        &self,
        address: &HubAddress,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<PublishedWeights, DownloadError> {
        let revision = address.revision().unwrap_or(MAIN);
        let files = address.file().map_or_else(|| USUAL_FILES.to_vec(), |file| vec![file]);
        let commit = if is_commit(revision) {
            Some(revision.to_owned())
        } else if self.offline {
            self.noted_commit(address, revision)?
        } else {
            None
        };
        if let Some(commit) = &commit
            && let Some(kept) = self.kept(address, commit, &files, on_progress)?
        {
            return Ok(kept);
        }
        if self.offline {
            return Err(self.nothing_offline(&WeightAddress::Hub(address.clone())));
        }
        let client = self.client();
        let hub = Hub { client: &client, endpoint: &self.hub };
        for &file in &files {
            let Some(found) = hub.find(address, revision, file)? else { continue };
            let weights = self.fetch_found(&hub, address, file, &found, on_progress)?;
            self.note_commit(address, revision, &found.commit)?;
            return Ok(weights);
        }
        let reason = HubRefusal::NoFile { files: files.join(" or ") };
        Err(DownloadError::Hub { repository: address.repository(), reason })
    }

    /// The first of the files that is in the cache. A damaged one is none, if it can be fetched again.
    fn kept(
        &self,
        address: &HubAddress,
        commit: &str,
        files: &[&str],
        on_progress: &mut OnProgress<'_>,
    ) -> Result<Option<PublishedWeights>, DownloadError> {
        for &file in files {
            let cached = self.of_hub(address, commit, file);
            match cached.whole(on_progress) {
                Ok(Some(sum)) => return Ok(Some(of_commit(address, commit, file, cached, sum))),
                Ok(None) => {}
                Err(DownloadError::Checksum { .. }) if !self.offline => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The file that the hub has found.
    fn fetch_found(
        &self,
        hub: &Hub<'_>,
        address: &HubAddress,
        file: &str,
        found: &HubFile,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<PublishedWeights, DownloadError> {
        let HubFile { commit, sha256, length } = found;
        let url = hub.url(address, commit, file);
        if sha256.is_none() && length.is_none() {
            return Err(DownloadError::NotTheHub { url });
        }
        let cached = self.of_hub(address, commit, file);
        let sha256 = sha256.as_deref().unwrap_or("");
        let published = Published { url: &url, sha256, length: *length };
        let sum = cached.obtain(hub.client, &published, self.most, on_progress)?;
        Ok(of_commit(address, commit, file, cached, sum))
    }

    /// The client for one file: the token is for the hub, wherever the file is.
    fn client(&self) -> Client {
        #[cfg(not(test))]
        let client = Client::new();
        #[cfg(test)]
        let client = Client::for_tests();
        match self.hub.parse() {
            Ok(hub) => client.with_token(&hub, self.token.clone()),
            Err(_) => client,
        }
    }

    fn nothing_offline(&self, address: &WeightAddress) -> DownloadError {
        DownloadError::Offline { address: address.to_string(), folder: self.folder.clone() }
    }

    /// The folder of a repository. That of a mirror is another one.
    fn repository(&self, address: &HubAddress) -> PathBuf {
        let server = self.hub.split_once("://").map_or(&self.hub[..], |(_, server)| server);
        let server = server.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "_");
        let HubAddress { owner, repository, .. } = address;
        self.folder.join("weights").join(server).join(owner).join(repository)
    }

    fn of_hub(&self, address: &HubAddress, commit: &str, file: &str) -> CachedFile {
        CachedFile { path: self.repository(address).join(commit).join(file) }
    }

    /// Keeps the commit of a branch or tag, for the cache that is offline.
    fn note_commit(
        &self,
        address: &HubAddress,
        revision: &str,
        commit: &str,
    ) -> Result<(), DownloadError> {
        if is_commit(revision) {
            return Ok(());
        }
        let folder = self.repository(address).join("refs");
        create_folders(&folder).map_err(|source| DownloadError::io(&folder, source))?;
        let path = folder.join(revision);
        replace_file(&path, |file| writeln!(file, "{commit}"))
            .map_err(|source| DownloadError::io(&path, source))
    }

    fn noted_commit(
        &self,
        address: &HubAddress,
        revision: &str,
    ) -> Result<Option<String>, DownloadError> {
        let path = self.repository(address).join("refs").join(revision);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(DownloadError::io(&path, source)),
        };
        let mut text = Vec::new();
        file.take(64).read_to_end(&mut text).map_err(|source| DownloadError::io(&path, source))?;
        let commit = String::from_utf8_lossy(&text).trim().to_owned();
        Ok(is_commit(&commit).then_some(commit))
    }
}

fn of_commit(
    address: &HubAddress,
    commit: &str,
    file: &str,
    cached: CachedFile,
    sha256: String,
) -> PublishedWeights {
    let address = WeightAddress::Hub(HubAddress {
        revision: Some(commit.to_owned()),
        file: Some(file.to_owned()),
        ..address.clone()
    });
    PublishedWeights { path: cached.path, known: address.known(), address, sha256 }
}
