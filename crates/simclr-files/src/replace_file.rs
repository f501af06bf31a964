//! Files that are written as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::unfinished_file::UnfinishedFile;
use crate::written_file::WrittenFile;

/// Replaces the file at `path` by what `write` writes, in one step: a reader sees the old file or the new one. The new
/// file has the mode that [`File::create`] would give it. On return it is on the disk. If anything fails, the old file is
/// untouched and nothing else is left; only if nothing but the disk's answer to the new name fails, the new file is there.
///
/// Until it is whole, the new file lies beside the old one, under a name of its own that ends in `.part`. A process
/// that is killed meanwhile leaves it there.
///
/// A link stays, and the file that it leads to is replaced. A pipe or a device, such as `/dev/null`, is written to
/// instead, as there is nothing to replace.
///
/// # Errors
///
/// The errors of `write` and of the system, for example if the folder does not exist or the disk is full.
///
/// ```
/// use simclr_files::replace_file;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("names.txt");
/// replace_file(&path, |file| file.write_all(b"cat\ndog\n"))?;
/// assert_eq!(std::fs::read_to_string(&path)?, "cat\ndog\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn replace_file(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let path = path.as_ref();
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        let mut writer = BufWriter::new(WrittenFile::open(path, File::options().write(true))?);
        write(&mut writer)?;
        return writer.flush();
    }
    // `/dev/stdout` is such a link: where output goes to a file, that file is replaced.
    let behind_links = fs::canonicalize(path);
    let path = behind_links.as_deref().unwrap_or(path);
    let mut writer = BufWriter::new(UnfinishedFile::beside(path)?);
    write(&mut writer)?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.replace(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{self, Fault};

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        fs::read_dir(folder).unwrap().map(|entry| name(entry).into_string().unwrap()).collect()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_device_is_written_to_and_stays_a_device() {
        let full = Path::new("/dev/full");
        let error = replace_file(full, |file| file.write_all(b"text")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!fs::metadata(full).unwrap().is_file());
        assert!(names(Path::new("/dev")).iter().all(|name| !name.contains(".part")));
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        replace_file(&path, |file| file.write_all(b"old")).unwrap();
        let error = replace_file(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(error.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = replace_file(folder.path().join("no/a.csv"), |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_has_the_mode_of_any_other_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (whole, plain) = (folder.path().join("whole"), folder.path().join("plain"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        File::create(&plain).unwrap();
        for _ in 0..2 {
            replace_file(&whole, |file| file.write_all(b"text")).unwrap();
            assert_eq!(mode(&whole), mode(&plain));
        }
    }

    #[test]
    fn whatever_fails_the_old_file_is_there_or_the_new_one() {
        let texts = ["old".repeat(5000), "new!".repeat(5000)];
        let count = faults::everywhere(
            |folder| fs::write(folder.join("a.csv"), &texts[0]).unwrap(),
            |folder| {
                replace_file(folder.join("a.csv"), |file| {
                    texts[1].as_bytes().chunks(3000).try_for_each(|part| file.write_all(part))
                })
                .map_err(|error| format!("a.csv: {error}"))
            },
            |after| {
                let found = fs::read_to_string(after.folder.join("a.csv")).unwrap();
                assert!(texts.contains(&found), "{after:?}: {} bytes", found.len());
                assert!(found == texts[1] || after.outcome.is_err(), "{after:?}");
                let names = names(after.folder);
                let others = names.iter().filter(|name| *name != "a.csv");
                let is_unfinished =
                    |name: &String| name.starts_with("a.csv.") && name.ends_with("part");
                assert!(others.clone().all(is_unfinished), "{after:?}: {names:?}");
                assert!(
                    others.count() <= usize::from(after.fault == Fault::Stopped),
                    "{after:?}: {names:?}"
                );
            },
        );
        assert!(count > 20, "only {count} faults");
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        replace_file(&link, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("file"));
    }
}
