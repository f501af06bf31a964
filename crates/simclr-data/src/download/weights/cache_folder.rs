//! Folders of the user.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Where programs keep what they can fetch again: `XDG_CACHE_HOME`, else `.cache` of the user's home, else Windows's
/// `LOCALAPPDATA`. `None` if the environment says none of them.
pub(super) fn user_cache(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let folder = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    folder("XDG_CACHE_HOME")
        .or_else(|| Some(folder("HOME")?.join(".cache")))
        .or_else(|| folder("LOCALAPPDATA"))
}

/// Our own cache: `SIMCLR_CACHE`, else `simclr` in the user's.
pub(super) fn own_cache(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let own = variable("SIMCLR_CACHE").filter(|own| !own.is_empty());
    let own = own.map(|own| absolute(Path::new(&own)));
    own.or_else(|| Some(user_cache(variable)?.join("simclr")))
}

/// The absolute path; `path` itself if it cannot be told.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn own(variables: &[(&str, &str)]) -> Option<PathBuf> {
        own_cache(&|name| {
            let known = variables.iter().find(|(own, _)| *own == name);
            known.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_cache_is_where_the_user_wants_it() {
        let home = ("HOME", "/home/u");
        let (xdg, ours) = (("XDG_CACHE_HOME", "/cache"), ("SIMCLR_CACHE", "/ours"));
        assert_eq!(own(&[home, xdg, ours]), Some("/ours".into()));
        assert_eq!(own(&[home, xdg, ("SIMCLR_CACHE", "")]), Some("/cache/simclr".into()));
        assert_eq!(own(&[home, ("XDG_CACHE_HOME", "x")]), Some("/home/u/.cache/simclr".into()));
        assert_eq!(own(&[]), None);
    }
}
