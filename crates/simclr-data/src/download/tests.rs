mod server;
mod write_faults;

use std::{fs, net::TcpListener};

use flate2::{Compression, write::GzEncoder};
use md5::{Digest, Md5};
use tar::{EntryType, Header};

use self::server::{ALL, Answer, serve};
use super::*;

const MEMBERS: &[Member] =
    &[Member { name: "train_X.bin", most: 100_000 }, Member { name: "class_names.txt", most: 100 }];

/// One entry of an archive: its type, its path as in the header, its content.
type Content<'a> = (EntryType, &'a str, &'a [u8]);

const TEXT: &[u8] = b"airplane\nbird\n";

fn archive_of(entries: &[Content<'_>]) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    for &(kind, path, content) in entries {
        let mut header = Header::new_ustar();
        // Into the field itself, since `set_path` refuses hostile paths.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        if kind == EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn images() -> Vec<u8> {
    (0..60_000u32).map(|i| ((i * i) >> 3) as u8).collect()
}

fn good_archive() -> Vec<u8> {
    archive_of(&[
        (EntryType::Directory, "stl10_binary/", b""),
        (EntryType::Regular, "stl10_binary/train_X.bin", &images()),
        (EntryType::Regular, "stl10_binary/class_names.txt", TEXT),
    ])
}

fn md5_of(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

fn obtain(url: &str, md5: &str, dir: &Path) -> Result<Vec<DownloadProgress>, DownloadError> {
    let archive = Archive {
        data_set: "STL-10",
        url,
        file_name: "archive.tar.gz",
        md5,
        most: 1_000_000,
        members: MEMBERS,
    };
    let mut seen = Vec::new();
    archive.obtain(&Client::for_tests(), dir, &mut |progress| seen.push(progress))?;
    Ok(seen)
}

/// Obtains `archive` from a server that answers so. Returns the result and the first byte of each request.
fn run(
    archive: &[u8],
    answers: Vec<Answer>,
    dir: &Path,
) -> (Result<Vec<DownloadProgress>, DownloadError>, Vec<usize>) {
    let (url, server) = serve(archive.to_vec(), answers);
    let result = obtain(&url, &md5_of(archive), dir);
    (result, server.join().unwrap())
}

fn file_names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn assert_complete(dir: &Path) {
    assert_eq!(file_names(dir), ["class_names.txt", "train_X.bin"]);
    assert_eq!(fs::read(dir.join("train_X.bin")).unwrap(), images());
    assert_eq!(fs::read(dir.join("class_names.txt")).unwrap(), TEXT);
}

#[test]
fn a_download_leaves_the_members_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("new/folder");
    let archive = good_archive();
    let (result, starts) = run(&archive, vec![ALL], &inner);
    let progress = result.unwrap();
    assert_complete(&inner);
    assert_eq!(starts, [0]);
    let whole = archive.len() as u64;
    for stage in [DownloadStage::Fetching, DownloadStage::Verifying] {
        let last = progress.iter().rfind(|progress| progress.stage == stage).unwrap();
        assert_eq!((last.bytes, last.total), (whole, Some(whole)));
    }
}

#[test]
fn a_complete_folder_is_not_downloaded_again() {
    let dir = tempfile::tempdir().unwrap();
    for member in MEMBERS {
        fs::write(dir.path().join(member.name), "mine").unwrap();
    }
    let progress = obtain("http://127.0.0.1:9/nobody-there", "", dir.path()).unwrap();
    assert!(progress.is_empty());
}

#[test]
fn a_transfer_continues_where_the_connection_broke() {
    let dir = tempfile::tempdir().unwrap();
    let answers = vec![Answer::Range { cut_at: 20_000 }, Answer::Range { cut_at: 30_000 }, ALL];
    let (result, starts) = run(&good_archive(), answers, dir.path());
    result.unwrap();
    assert_complete(dir.path());
    assert_eq!(starts, [0, 20_000, 30_000]);
}

#[test]
fn a_later_run_continues_what_an_interrupted_one_left() {
    let dir = tempfile::tempdir().unwrap();
    let archive = good_archive();
    let (result, _) = run(&archive, vec![Answer::Range { cut_at: 20_000 }; 2], dir.path());
    assert!(
        matches!(result, Err(DownloadError::Interrupted { received: 20_000, .. })),
        "{result:?}"
    );
    let (result, starts) = run(&archive, vec![ALL], dir.path());
    assert_eq!(result.unwrap()[0].bytes, 20_000);
    assert_complete(dir.path());
    assert_eq!(starts, [20_000]);
}

#[test]
fn a_connection_that_gives_nothing_is_an_error_with_the_bytes_received() {
    let dir = tempfile::tempdir().unwrap();
    let archive = good_archive();
    let part = dir.path().join("archive.tar.gz.part");
    fs::write(&part, &archive[..5000]).unwrap();
    let (result, _) = run(&archive, vec![Answer::Range { cut_at: 5000 }], dir.path());
    match result.unwrap_err() {
        DownloadError::Interrupted { received: 5000, .. } => {}
        other => panic!("expected an interruption after 5000 bytes, found {other:?}"),
    }
    assert_eq!(fs::metadata(part).unwrap().len(), 5000);
}

#[test]
fn a_server_without_ranges_starts_over() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("archive.tar.gz.part"), "the beginning of something").unwrap();
    let (result, starts) = run(&good_archive(), vec![Answer::Whole], dir.path());
    result.unwrap();
    assert_complete(dir.path());
    assert_eq!(starts, [26]);
}

#[test]
fn a_range_that_was_not_requested_starts_over() {
    let dir = tempfile::tempdir().unwrap();
    let archive = good_archive();
    fs::write(dir.path().join("archive.tar.gz.part"), &archive[..5000]).unwrap();
    let (result, starts) = run(&archive, vec![Answer::WrongRange, ALL], dir.path());
    result.unwrap();
    assert_complete(dir.path());
    assert_eq!(starts, [5000, 0]);
}

#[test]
fn an_archive_that_was_received_whole_is_not_received_again() {
    let dir = tempfile::tempdir().unwrap();
    let archive = good_archive();
    fs::write(dir.path().join("archive.tar.gz.part"), &archive).unwrap();
    let (result, starts) = run(&archive, vec![ALL], dir.path());
    result.unwrap();
    assert_complete(dir.path());
    assert_eq!(starts, [archive.len()]);
}

#[test]
fn an_archive_that_was_there_before_is_used_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let archive = good_archive();
    fs::write(dir.path().join("archive.tar.gz"), &archive).unwrap();
    obtain("http://127.0.0.1:9/nobody-there", &md5_of(&archive), dir.path()).unwrap();
    assert_eq!(file_names(dir.path()), ["archive.tar.gz", "class_names.txt", "train_X.bin"]);
}

#[test]
fn a_wrong_checksum_names_both_sums_and_the_next_try_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let archive = good_archive();
    let (url, server) = serve(archive.clone(), vec![ALL]);
    let expected = "0".repeat(32);
    let message = obtain(&url, &expected, dir.path()).unwrap_err().to_string();
    server.join().unwrap();
    assert!(message.contains(&expected) && message.contains(&md5_of(&archive)), "{message}");
    assert!(file_names(dir.path()).is_empty());
}

#[test]
fn a_refusal_is_an_error_with_the_status() {
    let dir = tempfile::tempdir().unwrap();
    let (result, _) = run(&good_archive(), vec![Answer::Status(404)], dir.path());
    let message = result.unwrap_err().to_string();
    assert!(message.ends_with("to answer with status 200 or 206, found 404"), "{message}");
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = obtain(&format!("http://{closed}/"), "", dir.path()).unwrap_err();
    assert!(matches!(error, DownloadError::Request { .. }), "{error:?}");
}

#[test]
fn a_server_that_sends_too_much_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let (result, _) = run(&vec![0; 1_500_000], vec![ALL], dir.path());
    assert!(matches!(result, Err(DownloadError::TooLong { most: 1_000_000, .. })), "{result:?}");
    assert!(file_names(dir.path()).is_empty());
}

/// Unpacks an archive of these entries into a folder inside a folder, and checks that neither changes.
fn unpack_hostile(entries: &[Content<'_>]) -> DownloadError {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("data");
    fs::create_dir(&dir).unwrap();
    let archive = archive_of(entries);
    fs::write(dir.join("archive.tar.gz"), &archive).unwrap();
    let error = obtain("http://127.0.0.1:9/nobody-there", &md5_of(&archive), &dir).unwrap_err();
    assert_eq!(file_names(outer.path()), ["data"]);
    assert_eq!(file_names(&dir), ["archive.tar.gz"]);
    error
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for path in ["../train_X.bin", "/tmp/train_X.bin", "stl10_binary/../../train_X.bin", "passwd"] {
        let error = unpack_hostile(&[(EntryType::Regular, path, b"x")]);
        assert!(
            matches!(&error, DownloadError::UnexpectedEntry { entry, .. } if entry == path),
            "{error:?}"
        );
    }
}

#[test]
fn links_and_devices_are_refused_even_under_a_known_name() {
    for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::Char] {
        let error = unpack_hostile(&[(kind, "train_X.bin", b"")]);
        assert!(matches!(error, DownloadError::UnexpectedEntry { .. }), "{error:?}");
    }
}

#[test]
fn a_file_beyond_its_size_is_refused_and_removed() {
    let error = unpack_hostile(&[(EntryType::Regular, "class_names.txt", &[b'a'; 101])]);
    assert!(matches!(error, DownloadError::EntryTooLong { most: 100, .. }), "{error:?}");
}

#[test]
fn an_archive_without_a_member_is_an_error_that_names_it() {
    let error = unpack_hostile(&[(EntryType::Directory, "stl10_binary/", b"")]);
    assert!(matches!(error, DownloadError::MissingEntry { .. }), "{error:?}");
}

#[test]
fn a_stray_file_is_no_file_of_the_archives_own_data_set() {
    for (official, data_set) in [(STL10_ARCHIVE, "STL-10"), (CIFAR10_ARCHIVE, "CIFAR-10")] {
        let dir = tempfile::tempdir().unwrap();
        let bytes = archive_of(&[(EntryType::Regular, "stray.txt", b"x")]);
        fs::write(dir.path().join(official.file_name), &bytes).unwrap();
        let archive = Archive { md5: &md5_of(&bytes), ..official };
        let error =
            archive.obtain(&Client::for_tests(), dir.path(), &mut |_| ()).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("expected only the files of {data_set} in ")),
            "{error}"
        );
        let end = format!("{}, found the file `stray.txt`", official.file_name);
        assert!(error.ends_with(&end), "{error}");
    }
}

#[test]
fn a_file_that_is_no_archive_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("archive.tar.gz"), "no gzip").unwrap();
    let error =
        obtain("http://127.0.0.1:9/nobody-there", &md5_of(b"no gzip"), dir.path()).unwrap_err();
    assert!(matches!(error, DownloadError::Archive { .. }), "{error:?}");
}
