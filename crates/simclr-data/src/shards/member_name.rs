//! What the name of an archive's member says.

use crate::{
    escaped_name::escape_bytes,
    image_folder::{EXTENSIONS, is_no_data},
};

/// The extension of images as the packer writes them without compression.
pub(crate) const RAW_EXTENSION: &str = "ppm";

/// What a member is for, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An image: its whole extension says so (`.jpg`), or only the end of it (`.left.jpg`).
    Image {
        whole: bool,
    },
    /// The number of a class.
    Cls,
    Json,
    Archive,
    Other,
}

/// The name of a member that is data.
#[derive(Debug, PartialEq)]
pub(super) struct MemberName {
    /// The path as one line of text, divided by `/`, without what means nothing (`./`).
    pub(super) text: String,
    /// Bytes of `text` that several members of one image share: all up to the first dot of the file's name.
    pub(super) key: usize,
    pub(super) role: Role,
}

/// Why a member is none of the data.
#[derive(Debug, PartialEq)]
pub(super) enum NoData {
    /// What programs leave in archives, such as macOS's notes (`._1.jpg`), and tables of contents (`__index__`).
    Hidden,
    /// A path that leads out of the archive.
    LeadsOut,
}

impl MemberName {
    pub(super) fn of(path: &[u8]) -> Result<Self, NoData> {
        let mut text = String::with_capacity(path.len());
        for part in path.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => return Err(NoData::LeadsOut),
                part if is_no_data(part) => return Err(NoData::Hidden),
                part => {
                    if !text.is_empty() {
                        text.push('/');
                    }
                    escape_bytes(part, &mut text);
                }
            }
        }
        if text.starts_with("__") && text.ends_with("__") || text.is_empty() {
            return Err(NoData::Hidden);
        }
        let file = text.rfind('/').map_or(0, |slash| slash + 1);
        let key = text[file..].find('.').map_or(text.len(), |dot| file + dot);
        let role = role(text[key..].strip_prefix('.').unwrap_or_default());
        Ok(Self { text, key, role })
    }

    pub(super) fn key(&self) -> &str {
        &self.text[..self.key]
    }
}

/// Whether a member of this name is an image without compression.
pub(super) fn is_raw(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case(RAW_EXTENSION))
}

fn role(extension: &str) -> Role {
    let is = |extension: &str, known: &[&str]| {
        known.iter().any(|known| known.eq_ignore_ascii_case(extension))
    };
    let last = extension.rsplit('.').next().unwrap_or_default();
    match extension {
        _ if is(extension, &["cls"]) => Role::Cls,
        _ if is(extension, &["json"]) => Role::Json,
        _ if is(last, &EXTENSIONS) || is(last, &[RAW_EXTENSION]) => {
            Role::Image { whole: last.len() == extension.len() }
        }
        _ if is(last, &["tar", "tgz", "zip"]) => Role::Archive,
        _ if is(extension, &["tar.gz", "tar.zst", "tar.bz2", "tar.xz"]) => Role::Archive,
        _ => Role::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &[u8]) -> (String, String, Role) {
        let name = MemberName::of(path).unwrap();
        (name.key().to_owned(), name.text, name.role)
    }

    #[test]
    fn the_key_ends_at_the_first_dot_of_the_file_name() {
        let image = |whole| Role::Image { whole };
        for (path, key, role) in [
            (&b"000017.jpg"[..], "000017", image(true)),
            (b"000017.JPEG", "000017", image(true)),
            (b"a.b/c.d/17.left.png", "a.b/c.d/17", image(false)),
            (b"./dog//1.ppm", "dog/1", image(true)),
            (b"/etc/1.webp", "etc/1", image(true)),
            (b"17.cls", "17", Role::Cls),
            (b"17.json", "17", Role::Json),
            (b"17.seg.json", "17", Role::Other),
            (b"n01440764.tar", "n01440764", Role::Archive),
            (b"n01440764.tar.gz", "n01440764", Role::Archive),
            (b"readme", "readme", Role::Other),
        ] {
            let found = of(path);
            assert_eq!((found.0.as_str(), found.2), (key, role), "{}", found.1);
        }
        assert_eq!(of(b"./dog//1\n.ppm").1, r"dog/1\n.ppm");
    }

    #[test]
    fn what_is_no_data_is_told_apart() {
        let no_data = |path: &[u8]| MemberName::of(path).unwrap_err();
        for path in
            [&b"._1.jpg"[..], b".git/1.jpg", b"__MACOSX/dog/1.jpg", b"__index__", b"", b"./"]
        {
            assert_eq!(no_data(path), NoData::Hidden);
        }
        for path in [&b"../../etc/passwd.jpg"[..], b"dog/../../1.jpg", b"/.."] {
            assert_eq!(no_data(path), NoData::LeadsOut);
        }
    }
}
