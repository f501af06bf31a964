//! The order in which files go to the disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Event, Operation};
use crate::folders::folder_of;

/// Checks that a machine that loses its power at any moment keeps no name without what it stands for. Whenever a file or folder gets another
/// name,
///
/// - no byte has been written to it since it was last on the disk, nor to a file in it;
/// - each folder in it is on the disk with the names of its files;
/// - and the name goes to the disk before the next file gets another name, is removed, or all is done.
///
/// A second name must be on the disk when the first is removed.
///
/// # Panics
///
/// With the operation that comes too early.
pub fn assert_durable(events: &[Event]) {
    let mut state = Unsynced::default();
    for event in events {
        state.take(event);
    }
    assert!(state.renamed_in.is_none(), "a name is never on the disk: in {:?}", state.renamed_in);
}

/// What a machine would lose that loses its power now.
#[derive(Default)]
struct Unsynced {
    /// Files that were written to.
    files: BTreeSet<PathBuf>,
    /// Folders in which there are new names.
    folders: BTreeSet<PathBuf>,
    /// The folder with the name that was given last.
    renamed_in: Option<PathBuf>,
    /// Files with a second name, and the folders of those.
    links: Vec<(PathBuf, PathBuf)>,
}

impl Unsynced {
    fn take(&mut self, event: &Event) {
        let Event { operation, path, to } = event;
        match operation {
            Operation::Open | Operation::MakeFolder => {
                self.folders.insert(folder_of(path).to_owned());
            }
            Operation::Write | Operation::Resize => {
                self.files.insert(path.clone());
            }
            Operation::Sync => {
                self.files.remove(path);
                self.folders.remove(path);
                if self.renamed_in.as_ref() == Some(path) {
                    self.renamed_in = None;
                }
                self.links.retain(|(_, folder)| folder != path);
            }
            Operation::Remove => {
                self.assert_named(event);
                let link = self.links.iter().find(|(first, _)| first == path);
                assert!(
                    link.is_none(),
                    "{event:?} before its second name is on the disk: {link:?}"
                );
            }
            Operation::Link => {
                let to = to.as_deref().unwrap_or(path);
                self.links.push((path.clone(), folder_of(to).to_owned()));
            }
            Operation::Rename => {
                self.assert_named(event);
                let inside =
                    |lost: &BTreeSet<PathBuf>| lost.iter().any(|lost| lost.starts_with(path));
                assert!(!inside(&self.files), "{event:?} before {:?}", self.files);
                assert!(!inside(&self.folders), "{event:?} before {:?}", self.folders);
                let folder = to.as_deref().map_or(Path::new(""), folder_of).to_owned();
                self.folders.insert(folder.clone());
                self.renamed_in = Some(folder);
            }
        }
    }

    fn assert_named(&self, event: &Event) {
        let folder = &self.renamed_in;
        assert!(folder.is_none(), "{event:?} before the names in {folder:?} are on the disk");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::inject;
    use super::*;
    use crate::{WrittenFile, hard_link, remove_file, rename, sync_folder};

    /// The operations of a file that gets its name, with and without its bytes on the disk.
    fn events(is_synced: bool) -> Vec<Event> {
        let folder = tempfile::tempdir().unwrap();
        let (part, path) = (folder.path().join("a.part"), folder.path().join("a"));
        let (written, trace) = inject(folder.path(), None, || {
            let mut file = WrittenFile::create(&part)?;
            file.write_all(b"text")?;
            if is_synced {
                file.sync_all()?;
            }
            rename(&part, &path)
        });
        written.unwrap();
        trace.events
    }

    #[test]
    fn a_name_may_follow_its_bytes() {
        let events = events(true);
        assert_eq!(events.len(), 5);
        assert_durable(&events);
    }

    #[test]
    #[should_panic(expected = "Rename")]
    fn a_name_may_not_come_before_its_bytes() {
        assert_durable(&events(false));
    }

    /// A file is linked to another name, and loses its first.
    fn moved(is_synced: bool) -> Vec<Event> {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&from, "text").unwrap();
        let (moved, trace) = inject(folder.path(), None, || {
            hard_link(&from, &to)?;
            if is_synced {
                sync_folder(folder.path())?;
            }
            remove_file(&from)
        });
        moved.unwrap();
        trace.events
    }

    #[test]
    fn a_first_name_may_go_after_the_second_is_on_the_disk() {
        assert_durable(&moved(true));
    }

    #[test]
    #[should_panic(expected = "before its second name is on the disk")]
    fn a_first_name_may_not_go_before_the_second_is_on_the_disk() {
        assert_durable(&moved(false));
    }

    #[test]
    #[should_panic(expected = "a name is never on the disk")]
    fn a_name_must_go_to_the_disk() {
        assert_durable(&events(true)[..4]);
    }
}
