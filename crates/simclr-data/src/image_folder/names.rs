//! Names of many files, one after the other.

use std::path::{Component, Path, PathBuf};

use crate::{
    escaped_name::{escape_bytes, unescape_name},
    index_file::{IndexFault, TableReader, TableWriter},
};

/// File names in one piece of text, [escaped](crate::escape_name), in the order of the names themselves: eight bytes each beside their
/// own length.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Names {
    text: String,
    /// Where each name ends.
    ends: Vec<u64>,
}

impl Names {
    /// The names of files in a folder, in any order.
    pub(super) fn of(mut names: Vec<std::ffi::OsString>) -> Self {
        names.sort_unstable();
        let mut text = String::with_capacity(names.iter().map(|name| name.len()).sum());
        let mut ends = Vec::with_capacity(names.len());
        for name in names {
            escape_bytes(name.as_encoded_bytes(), &mut text);
            ends.push(text.len() as u64);
        }
        Self { text, ends }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The name at `index`, escaped.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(super) fn escaped(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start as usize..self.ends[index] as usize]
    }

    /// The name at `index`.
    pub(super) fn name(&self, index: usize) -> PathBuf {
        unescape_name(self.escaped(index)).expect("checked, or escaped here")
    }

    /// The paths of all in `dir`.
    pub(crate) fn paths(&self, dir: &Path) -> impl Iterator<Item = PathBuf> {
        (0..self.len()).map(move |index| dir.join(self.name(index)))
    }

    /// How many names come before `name`.
    pub(super) fn before(&self, name: &Path) -> usize {
        let (mut first, mut end) = (0, self.len());
        while first < end {
            let middle = first.midpoint(end);
            if self.name(middle).as_path() < name {
                first = middle + 1;
            } else {
                end = middle;
            }
        }
        first
    }

    pub(super) fn write(&self, table: &mut TableWriter) {
        table.bytes(self.text.as_bytes());
        table.u64s(&self.ends);
    }

    /// Names that are each one of a file in its folder, whatever the table says.
    pub(super) fn read(table: &mut TableReader) -> Result<Self, IndexFault> {
        let (text, ends) = (table.text()?, table.u64s()?);
        let names = Self { text, ends };
        let mut start = 0;
        for &end in &names.ends {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let name = names.text.get(start..end).ok_or(IndexFault::Table("a name has no end"))?;
            if !is_file_name(name) {
                return Err(IndexFault::Table("a name is not that of a file"));
            }
            start = end;
        }
        if start == names.text.len() {
            Ok(names)
        } else {
            Err(IndexFault::Table("a name is missing"))
        }
    }
}

/// Whether a name, escaped, is one that leads to a file in a folder, and to nothing else.
fn is_file_name(name: &str) -> bool {
    let Some(path) = unescape_name(name) else { return false };
    let mut components = path.components();
    let is_one =
        matches!(components.next(), Some(Component::Normal(only)) if only == path.as_os_str());
    is_one && components.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_order_of_paths() {
        let names = ["b.png", "a.png", "\u{e9}.png", "A.png", "new\nline", "back\\slash"];
        let mut sorted: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        let names = Names::of(names.iter().map(Into::into).collect());
        sorted.sort();
        assert_eq!(names.paths(Path::new("")).collect::<Vec<_>>(), sorted);
        for (place, name) in sorted.iter().enumerate() {
            assert_eq!(names.before(name), place);
        }
        assert_eq!(names.before(Path::new("zz")), 5, "before the one that begins with é");
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for name in ["", ".", "..", "a/b", "/a", "../a", "a/", r"a\x", r"\q"] {
            assert!(!is_file_name(name), "{name:?}");
        }
        for name in ["a", "a.jpg", r"new\nline", r"back\\slash", r"caf\xE9", "..."] {
            assert!(is_file_name(name), "{name:?}");
        }
    }
}
