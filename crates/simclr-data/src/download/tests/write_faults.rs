//! Downloads to disks that fail.

use simclr_files::faults;

use super::*;

#[test]
fn whatever_fails_a_member_is_absent_or_whole_and_the_next_try_completes_them() {
    let archive = good_archive();
    let md5 = md5_of(&archive);
    // More than are asked.
    let (url, _) = serve(archive, vec![ALL; 10_000]);
    let attempt = |folder: &Path| {
        let obtained = obtain(&url, &md5, &folder.join("data"));
        obtained.map(drop).map_err(|error| format!("{error}: {error:?}"))
    };
    let count = faults::everywhere(
        |_| (),
        attempt,
        |after| {
            let data = after.folder.join("data");
            for (name, content) in [("train_X.bin", images()), ("class_names.txt", TEXT.to_vec())] {
                match fs::read(data.join(name)) {
                    Ok(found) => assert!(found == content, "{after:?}: {name} is torn"),
                    Err(_) => assert!(after.outcome.is_err(), "{after:?}: no {name}"),
                }
            }
            attempt(after.folder).unwrap_or_else(|error| panic!("{after:?}, again: {error}"));
            let part = data.join("archive.tar.gz.part");
            // Where only removing it failed, the members are complete, and the archive is not looked for again.
            let left = part.exists() && after.struck;
            if !left {
                assert_complete(&data);
            }
        },
    );
    assert!(count > 30, "only {count} faults");
}
