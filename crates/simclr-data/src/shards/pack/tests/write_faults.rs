//! Packing on disks that fail.

use simclr_files::faults;

use super::*;

#[test]
fn whatever_fails_the_packed_file_is_absent_or_whole_and_packing_goes_on_to_the_same_bytes() {
    let photos = photos(&NAMES);
    let set = whole(photos.path());
    let resume = PackConfig { resume: true, ..RAW };
    let attempt = |folder: &Path| {
        // Some pieces, so that an attempt has some of its images on the disk.
        let packed = pack(&set, folder.join("out.tar"), &resume, go_on);
        packed.map(drop).map_err(|error| error.to_string())
    };
    let once = tempfile::tempdir().unwrap();
    attempt(once.path()).unwrap();
    let expected = fs::read(once.path().join("out.tar")).unwrap();

    let count = faults::everywhere(
        |_| (),
        attempt,
        |after| {
            let out = after.folder.join("out.tar");
            if out.exists() {
                assert!(fs::read(&out).unwrap() == expected, "{after:?}");
                assert_eq!(files(after.folder), ["out.tar"], "{after:?}");
            } else {
                assert!(after.outcome.is_err(), "{after:?}");
                attempt(after.folder).unwrap_or_else(|error| panic!("{after:?}, again: {error}"));
                assert!(fs::read(&out).unwrap() == expected, "{after:?}, again");
            }
        },
    );
    assert!(count > 15, "only {count} faults");
}
