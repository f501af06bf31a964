//! The token of an account on the Hugging Face hub.

use std::{
    ffi::OsString,
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::PathBuf,
};

use ureq::http::HeaderValue;

use crate::download::error::DownloadError;

/// Longest token file that is read.
const MOST_BYTES: u64 = 4096;

/// The token of an account on the Hugging Face hub, for repositories that ask for one. It is sent to the hub alone, and
/// `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq)]
pub struct HubToken(String);

impl HubToken {
    /// `None` for an empty token.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Token`], which names `from` and not the token, if it holds anything but visible ASCII.
    pub fn new(token: &str, from: &str) -> Result<Option<Self>, DownloadError> {
        let token = token.trim();
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(DownloadError::Token { from: from.to_owned() });
        }
        Ok((!token.is_empty()).then(|| Self(token.to_owned())))
    }

    /// The token that the hub's own tools would take: that of `HF_TOKEN`, else of the file `HF_TOKEN_PATH`, else of the
    /// file `token` in `HF_HOME` or in `huggingface` of the user's cache folder. `variable` asks the environment.
    pub(super) fn found(
        variable: &dyn Fn(&str) -> Option<OsString>,
        user_cache: Option<PathBuf>,
    ) -> Result<Option<Self>, DownloadError> {
        if let Some(token) = variable("HF_TOKEN") {
            let text = token.to_str().ok_or_else(|| token_of("HF_TOKEN"))?;
            if let Some(token) = Self::new(text, "HF_TOKEN")? {
                return Ok(Some(token));
            }
        }
        let home = variable("HF_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(user_cache?.join("huggingface")));
        let file = variable("HF_TOKEN_PATH").map(PathBuf::from);
        let Some(path) = file.or_else(|| Some(home?.join("token"))) else { return Ok(None) };
        let mut text = String::new();
        match fs::metadata(&path) {
            Ok(found) if found.is_file() => {}
            Ok(_) => return Err(token_of(&path.display().to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(DownloadError::io(&path, source)),
        }
        let file = File::open(&path).map_err(|source| DownloadError::io(&path, source))?;
        match file.take(MOST_BYTES).read_to_string(&mut text) {
            Err(error) if error.kind() != io::ErrorKind::InvalidData => {
                Err(DownloadError::io(&path, error))
            }
            Err(_) => Err(token_of(&path.display().to_string())),
            Ok(_) => Self::new(&text, &path.display().to_string()),
        }
    }

    /// The value of the header `Authorization`.
    pub(in crate::download) fn bearer(&self) -> HeaderValue {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.0));
        let mut value = value.expect("visible ASCII is a value of a header");
        value.set_sensitive(true);
        value
    }
}

fn token_of(from: &str) -> DownloadError {
    DownloadError::Token { from: from.to_owned() }
}

/// Without the token.
impl fmt::Debug for HubToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HubToken(..)")
    }
}
