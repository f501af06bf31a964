//! A cache on a disk that fails.

use simclr_files::faults;

use super::*;

#[test]
fn whatever_fails_the_cache_has_the_whole_file_or_none_and_the_next_try_fetches_it() {
    let server = hub();
    let attempt = |folder: &Path| {
        let fetched = fetch(&cache(folder, &server), "hf:owner/net");
        let fetched = fetched.map_err(|error| error.to_string())?;
        assert!(fs::read(&fetched.path).unwrap() == weights(), "{}", fetched.path.display());
        Ok(())
    };
    let count = faults::everywhere(
        |_| (),
        attempt,
        |after| {
            // What the cache gives without a network is the file or nothing.
            let offline = cache(after.folder, &server).offline(true);
            if let Ok(kept) = fetch(&offline, "hf:owner/net") {
                assert!(fs::read(&kept.path).unwrap() == weights(), "{after:?}");
            }
            attempt(after.folder).unwrap_or_else(|error| panic!("{after:?}, again: {error}"));
            let kept = fetch(&offline, "hf:owner/net").unwrap();
            assert!(fs::read(&kept.path).unwrap() == weights(), "{after:?}, again");
        },
    );
    assert!(count > 30, "only {count} faults");
}
