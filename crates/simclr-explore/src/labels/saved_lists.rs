//! The files of labels, and of images that are set aside.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use simclr_data::{LabelTable, SortError};
use simclr_files::replace_file;

use super::label_session::LabelSession;
use crate::error::ExploreError;

const LABELS: &str = "labels.csv";
const ASIDE: &str = "aside.csv";
/// The class of images that are set aside, in their table.
const ASIDE_CLASS: &str = "aside";

/// `labels.csv` and `aside.csv` in a run's folder, as `simclr sort` reads them: `name,label`. Each is written as a whole. Names of images that are not there, because
/// the session is on other images or because they are gone, stay in their files.
#[derive(Debug)]
pub(crate) struct SavedLists {
    labels: SavedList,
    aside: SavedList,
    unsaved: Option<String>,
}

/// What the lists had when they were opened, by rows.
pub(crate) struct Restored {
    pub(crate) labels: Vec<(usize, String)>,
    pub(crate) aside: Vec<usize>,
}

#[derive(Debug)]
struct SavedList {
    path: PathBuf,
    /// Lines of images that are not there.
    others: Vec<(String, String)>,
    /// Of what the file holds.
    digest: Option<Vec<u8>>,
}

impl SavedLists {
    /// Reads what is in `folder`, of images of these names.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Labels`] for a file that is there and cannot be read.
    pub(crate) fn open(folder: &Path, names: &[String]) -> Result<(Self, Restored), ExploreError> {
        let rows: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
        let (labels, of_rows) = SavedList::open(folder.join(LABELS), &rows)?;
        let (aside, set_aside) = SavedList::open(folder.join(ASIDE), &rows)?;
        let aside_rows = set_aside.into_iter().map(|(row, _)| row).collect();
        let restored = Restored { labels: of_rows, aside: aside_rows };
        Ok((Self { labels, aside, unsaved: None }, restored))
    }

    /// Writes what has changed. A failure is kept, and so is everything that wasn't written: the next call tries again.
    pub(crate) fn save(&mut self, names: &[String], session: &LabelSession) {
        let labelled = session.by_class().into_iter();
        let labelled = labelled.map(|(row, class)| (&names[row][..], class));
        let aside = names.iter().zip(session.aside());
        let aside = aside.filter(|(_, aside)| **aside).map(|(name, _)| (&name[..], ASIDE_CLASS));
        let written = self.labels.save(labelled).and_then(|()| self.aside.save(aside));
        self.unsaved = written.err().map(|error| {
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", reason.unwrap_or_default())
        });
    }

    /// Why the last change is in memory alone; `None` if it is saved.
    pub(crate) fn unsaved(&self) -> Option<&str> {
        self.unsaved.as_deref()
    }
}

impl SavedList {
    fn open(
        path: PathBuf,
        rows: &HashMap<&str, usize>,
    ) -> Result<(Self, Vec<(usize, String)>), ExploreError> {
        let mut list = Self { path, others: Vec::new(), digest: None };
        if std::fs::symlink_metadata(&list.path).is_err() {
            return Ok((list, Vec::new()));
        }
        let table = match LabelTable::read(&list.path) {
            Ok(table) => table,
            // Every label was taken back.
            Err(SortError::NoLabels { .. }) => return Ok((list, Vec::new())),
            Err(error) => return Err(error.into()),
        };
        let mut found = Vec::new();
        for line in table.rows().iter().filter(|line| !line.class.is_empty()) {
            match rows.get(&line.name[..]) {
                Some(&row) => found.push((row, line.class.clone())),
                None => list.others.push((line.name.clone(), line.class.clone())),
            }
        }
        Ok((list, found))
    }

    fn save<'a>(
        &'a mut self,
        lines: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), ExploreError> {
        let others = self.others.iter().map(|(name, class)| (&name[..], &class[..]));
        let mut lines = lines.chain(others).peekable();
        // A list that never had a line needs no file.
        if lines.peek().is_none() && self.digest.is_none() && !self.path.exists() {
            return Ok(());
        }
        let text = label_table(["name", "label"], lines.map(|(name, class)| [name, class]));
        let digest = Sha256::digest(&text).to_vec();
        if self.digest.as_ref() == Some(&digest) {
            return Ok(());
        }
        replace_file(&self.path, |file| file.write_all(&text))
            .map_err(ExploreError::write(&self.path))?;
        self.digest = Some(digest);
        Ok(())
    }
}

/// A table of comma-separated values.
pub(crate) fn label_table<const N: usize>(
    header: [&str; N],
    lines: impl Iterator<Item = [impl AsRef<[u8]>; N]>,
) -> Vec<u8> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let memory = "memory takes what is written";
    table.write_record(header).expect(memory);
    for line in lines {
        table.write_record(line).expect(memory);
    }
    table.into_inner().expect(memory)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use simclr_embed::{ExperimentalDesign, Features};

    use super::*;

    fn names() -> Vec<String> {
        ["a.jpg", "b,\"c\".jpg", "</script>.jpg"].map(str::to_owned).to_vec()
    }

    fn session() -> LabelSession {
        let features = Features::new(vec![1.0, 0.0, 0.0, 1.0, 0.6, 0.8], 2);
        let design = ExperimentalDesign::of_points(features.clone());
        LabelSession::on_unit(Arc::new(features), Arc::new(design))
    }

    #[test]
    fn labels_come_back_and_those_of_other_images_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        fs::write(&path, "image,class\ngone.jpg,\"old, one\"\na.jpg,cat\nb,\n").unwrap();
        let (mut lists, restored) = SavedLists::open(folder.path(), &names()).unwrap();
        assert_eq!(restored.labels, [(0, "cat".to_owned())]);
        let mut session = session();
        session.restore(&restored.labels, &restored.aside).unwrap();
        session.label(&[1, 2], Some("=dog")).unwrap();
        session.set_aside(&[2], true).unwrap();
        lists.save(&names(), &session);
        assert_eq!(lists.unsaved(), None);
        let expected = "name,label\na.jpg,cat\n\"b,\"\"c\"\".jpg\",=dog\n</script>.jpg,=dog\ngone.jpg,\"old, one\"\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        let aside = fs::read_to_string(folder.path().join("aside.csv")).unwrap();
        assert_eq!(aside, "name,label\n</script>.jpg,aside\n");
        let (_, again) = SavedLists::open(folder.path(), &names()).unwrap();
        assert_eq!((again.labels.len(), again.aside), (3, vec![2]));
    }

    #[test]
    fn classes_keep_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let (mut lists, _) = SavedLists::open(folder.path(), &names()).unwrap();
        let mut session = session();
        session.label(&[2], Some("first")).unwrap();
        session.label(&[0], Some("second")).unwrap();
        session.label(&[1], Some("first")).unwrap();
        lists.save(&names(), &session);
        let (_, restored) = SavedLists::open(folder.path(), &names()).unwrap();
        let mut again = self::session();
        again.restore(&restored.labels, &restored.aside).unwrap();
        assert_eq!(again.classes(), ["first", "second"]);
        assert_eq!(again.labels(), session.labels());
    }

    #[test]
    fn labels_that_are_all_taken_back_leave_an_empty_table() {
        let folder = tempfile::tempdir().unwrap();
        let (mut lists, _) = SavedLists::open(folder.path(), &names()).unwrap();
        let mut session = session();
        lists.save(&names(), &session);
        assert!(!folder.path().join("labels.csv").exists());
        session.label(&[0], Some("cat")).unwrap();
        lists.save(&names(), &session);
        session.undo().unwrap();
        lists.save(&names(), &session);
        assert_eq!(fs::read_to_string(folder.path().join("labels.csv")).unwrap(), "name,label\n");
        assert!(!folder.path().join("aside.csv").exists());
        let (_, restored) = SavedLists::open(folder.path(), &names()).unwrap();
        assert!(restored.labels.is_empty() && restored.aside.is_empty());
    }

    #[test]
    fn a_file_that_is_no_table_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.csv");
        for text in ["notes\n", "name,label\na.jpg,cat\na.jpg,dog\n"] {
            fs::write(&path, text).unwrap();
            assert!(SavedLists::open(folder.path(), &names()).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_loses_nothing_and_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let (mut lists, _) = SavedLists::open(folder.path(), &names()).unwrap();
        let path = folder.path().join("labels.csv");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut session = session();
        session.label(&[0], Some("cat")).unwrap();
        lists.save(&names(), &session);
        let message = lists.unsaved().unwrap().to_owned();
        assert!(message.contains("labels.csv") && message.contains("No space left"), "{message}");
        fs::remove_file(&path).unwrap();
        lists.save(&names(), &session);
        assert_eq!(lists.unsaved(), None);
        assert_eq!(fs::read_to_string(&path).unwrap(), "name,label\na.jpg,cat\n");
    }
}
