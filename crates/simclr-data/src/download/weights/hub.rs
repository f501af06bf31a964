//! What the Hugging Face hub says of a file.

use ureq::http::{HeaderMap, StatusCode, header};

use super::{
    address::HubAddress,
    names::{is_commit, sha256_in},
};
use crate::download::{
    client::{Client, refused},
    error::DownloadError,
};

/// The hub's own address.
pub(super) const HUB_ENDPOINT: &str = "https://huggingface.co";

/// The files of an address that names none, the first of which is there.
pub(super) const USUAL_FILES: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

const COMMIT: &str = "x-repo-commit";
const LINKED_TAG: &str = "x-linked-etag";
const LINKED_SIZE: &str = "x-linked-size";
const ERROR_CODE: &str = "x-error-code";

/// Why the hub doesn't hand out a file of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HubRefusal {
    /// The repository is gated, and no token was given.
    #[error(
        "it is gated: accept its terms on its page, and give a token of your account in HF_TOKEN or by `hf auth login`"
    )]
    Gated,
    /// The repository is gated, and the token's account has no access.
    #[error(
        "it is gated, and the account of the token has no access: ask for it on the repository's page"
    )]
    NoAccess,
    /// There is no such repository, or none that may be read without a token.
    #[error(
        "expected a repository, found none that may be read without a token; if it is private, give one in HF_TOKEN"
    )]
    NoRepository,
    /// There is no such repository, or none that the token's account may read.
    #[error("expected a repository, found none that the account of the token may read")]
    NoRepositoryForAccount,
    /// The token is not valid.
    #[error("expected a valid token, found one that the hub refuses")]
    Token,
    /// There is no such branch, tag or commit.
    #[error("expected the revision `{revision}`, found none of that name")]
    NoRevision {
        /// The branch, tag or commit.
        revision: String,
    },
    /// The repository has none of the files.
    #[error("expected {files}, found no such file")]
    NoFile {
        /// The files that were asked for, in words.
        files: String,
    },
}

/// A file, as the hub describes it.
#[derive(Debug)]
pub(super) struct HubFile {
    pub(super) commit: String,
    /// Published for large files, which weights are.
    pub(super) sha256: Option<String>,
    /// In bytes.
    pub(super) length: Option<u64>,
}

/// The hub, or a mirror of it.
pub(super) struct Hub<'a> {
    pub(super) client: &'a Client,
    /// Its address, without a slash at its end.
    pub(super) endpoint: &'a str,
}

impl Hub<'_> {
    /// The address of `file` at a revision.
    pub(super) fn url(&self, address: &HubAddress, revision: &str, file: &str) -> String {
        format!("{}/{}/resolve/{revision}/{file}", self.endpoint, address.repository())
    }

    /// Asks for `file` at a revision; `None` if the repository has no such file.
    pub(super) fn find(
        &self,
        address: &HubAddress,
        revision: &str,
        file: &str,
    ) -> Result<Option<HubFile>, DownloadError> {
        let url = self.url(address, revision, file);
        let answer = self.client.head(&url, |headers| headers.contains_key(COMMIT))?;
        let (status, headers) = (answer.status(), answer.headers());
        if !status.is_success() && !status.is_redirection() {
            return match self.refusal(status, headers, revision) {
                None if status == StatusCode::NOT_FOUND => Ok(None),
                None => Err(refused(&url, status)),
                Some(reason) => {
                    Err(DownloadError::Hub { repository: address.repository(), reason })
                }
            };
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(commit) = text(COMMIT).filter(|commit| is_commit(commit)) else {
            return Err(DownloadError::NotTheHub { url });
        };
        if is_commit(revision) && revision != commit {
            return Err(DownloadError::NotTheHub { url });
        }
        // A redirect's own tag and length are not the file's.
        let own = |name: &str| text(name).filter(|_| status.is_success());
        let length = text(LINKED_SIZE).or_else(|| own(header::CONTENT_LENGTH.as_str()));
        let tag = text(LINKED_TAG).or_else(|| own(header::ETAG.as_str()));
        Ok(Some(HubFile {
            commit: commit.to_owned(),
            sha256: tag.and_then(sha256_in),
            length: length.and_then(|length| length.parse().ok()),
        }))
    }

    /// Why the hub refuses, as far as it says it.
    fn refusal(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        revision: &str,
    ) -> Option<HubRefusal> {
        let code = headers.get(ERROR_CODE).and_then(|code| code.to_str().ok()).unwrap_or("");
        let with_token = self.client.has_token();
        match (code, status) {
            ("EntryNotFound", _) => None,
            ("RevisionNotFound", _) => {
                Some(HubRefusal::NoRevision { revision: revision.to_owned() })
            }
            ("GatedRepo", _) if with_token => Some(HubRefusal::NoAccess),
            ("GatedRepo", _) => Some(HubRefusal::Gated),
            ("RepoNotFound", _) if with_token => Some(HubRefusal::NoRepositoryForAccount),
            ("RepoNotFound", _) => Some(HubRefusal::NoRepository),
            (_, StatusCode::UNAUTHORIZED) if with_token => Some(HubRefusal::Token),
            (_, StatusCode::UNAUTHORIZED) => Some(HubRefusal::NoRepository),
            (_, StatusCode::FORBIDDEN) if with_token => Some(HubRefusal::NoAccess),
            (_, StatusCode::FORBIDDEN) => Some(HubRefusal::Gated),
            _ => None,
        }
    }
}
