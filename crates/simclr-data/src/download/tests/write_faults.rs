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
        obtained.map(drop).map_err(|error| error.to_string())
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
            for (name, content) in [("train_X.bin", images()), ("class_names.txt", TEXT.to_vec())] {
                assert!(fs::read(data.join(name)).unwrap() == content, "{after:?}, again: {name}");
            }
            // Where only removing the archive failed, the members are complete, and nobody asks for it again.
            let others = file_names(&data).into_iter();
            let mut others =
                others.filter(|name| !MEMBERS.iter().any(|member| member.name == name));
            assert!(others.all(|name| name.starts_with("archive.tar.gz.part")), "{after:?}");
        },
    );
    assert!(count > 30, "only {count} faults");
}
