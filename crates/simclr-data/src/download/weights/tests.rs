mod server;
mod write_faults;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use sha2::{Digest, Sha256};

use self::server::{Asked, Reply, Server};
use super::{cache::WeightCache, *};
use crate::download::{
    error::DownloadError,
    progress::{DownloadProgress, DownloadStage},
};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const TOKEN: &str = "hf_aVerySecretToken";

fn weights() -> Vec<u8> {
    (0..60_000_u32).map(|i| ((i * i) >> 3) as u8).collect()
}

fn sum_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What the hub answers to a request for a large file: where it is, and what it is.
fn linked(asked: &Asked, file: &[u8]) -> Reply {
    Reply::redirect(&format!("/blob{}", asked.path))
        .with("X-Repo-Commit", COMMIT)
        .with("X-Linked-Etag", &format!("\"{}\"", sum_of(file)))
        .with("X-Linked-Size", &file.len())
}

/// A hub with `model.safetensors` in every repository, which `answer` hands out.
fn hub_with(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
    Server::new(move |asked| {
        if asked.path.starts_with("/blob") {
            answer(asked)
        } else if asked.path.ends_with("/model.safetensors") {
            linked(asked, &weights())
        } else {
            Reply::status(404).with("X-Error-Code", "EntryNotFound")
        }
    })
}

fn hub() -> Server {
    hub_with(|asked| Reply::range(&weights(), asked.start()))
}

fn cache(folder: &Path, server: &Server) -> WeightCache {
    WeightCache::in_folder(folder).with_endpoint(&server.address).unwrap()
}

fn fetch(cache: &WeightCache, address: &str) -> Result<PublishedWeights, DownloadError> {
    cache.fetch(&address.parse().unwrap(), &mut |_| ())
}

/// The files below a folder, by their paths in it, without locks.
fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|end| end != "lock") {
                files.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

/// Nothing is left that a later run could take for a whole file.
fn assert_nothing_whole(folder: &Path) {
    let whole = files(folder).into_iter().filter(|name| name.ends_with(".safetensors"));
    assert_eq!(whole.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_file_of_the_hub_is_kept_by_its_commit_and_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = hub();
    let cache = cache(folder.path(), &server);
    let found = fetch(&cache, "hf:o/r").unwrap();
    assert_eq!(fs::read(&found.path).unwrap(), weights());
    assert_eq!(found.sha256, sum_of(&weights()));
    let pinned = format!("hf:o/r@{COMMIT}/model.safetensors");
    assert_eq!(found.address.to_string(), pinned);
    let asked: Vec<_> = server.asked().into_iter().map(|a| (a.method, a.path)).collect();
    let of = |revision: &str| format!("/o/r/resolve/{revision}/model.safetensors");
    let (by_branch, by_commit) = (of("main"), of(COMMIT));
    assert_eq!(
        asked,
        [
            ("HEAD".to_owned(), by_branch),
            ("GET".to_owned(), by_commit.clone()),
            ("GET".to_owned(), format!("/blob{by_commit}")),
        ]
    );
    let names = files(folder.path());
    let server_folder = server.address.replace("http://", "").replace(':', "_");
    let of_commit = format!("weights/{server_folder}/o/r/{COMMIT}/model.safetensors");
    let reference = format!("weights/{server_folder}/o/r/refs/main");
    assert_eq!(names, [of_commit.clone(), format!("{of_commit}.sha256"), reference]);
    let noted = fs::read_to_string(folder.path().join(format!("{of_commit}.sha256"))).unwrap();
    assert_eq!(noted, format!("{}  model.safetensors\n", sum_of(&weights())));

    // A branch may have moved; a commit doesn't.
    assert_eq!(fetch(&cache, "hf:o/r").unwrap(), found);
    assert_eq!(server.asked().len(), 1);
    assert_eq!(fetch(&cache, &pinned).unwrap(), found);
    assert_eq!(fetch(&cache, &format!("hf:o/r@{COMMIT}")).unwrap(), found);
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn an_address_without_a_file_takes_tensors_first_and_else_pytorchs_file() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(|asked| match &asked.path {
        path if path.starts_with("/blob") => Reply::body(b"a pickle"),
        path if path.ends_with("/pytorch_model.bin") => linked(asked, b"a pickle"),
        _ => Reply::status(404).with("X-Error-Code", "EntryNotFound"),
    });
    let cache = cache(folder.path(), &server);
    let found = fetch(&cache, "hf:o/r").unwrap();
    assert!(found.path.ends_with("pytorch_model.bin"));
    let error = fetch(&cache, "hf:o/r/other.safetensors").unwrap_err().to_string();
    let expected =
        "cannot fetch from the repository o/r: expected other.safetensors, found no such file";
    assert_eq!(error, expected);
    let offline = cache.offline(true);
    assert_eq!(fetch(&offline, "hf:o/r").unwrap(), found);
}

#[test]
fn a_small_file_that_the_hub_hands_out_itself_is_whole_by_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(|asked| {
        if asked.method == "GET" && asked.path.starts_with("/api/") {
            return Reply::range(&weights(), asked.start());
        }
        if asked.path.starts_with("/api/") {
            return Reply::body(&weights()).with("X-Repo-Commit", COMMIT).with("ETag", "\"abc\"");
        }
        Reply::status(307).with("Location", &format!("/api/resolve-cache{}", asked.path))
    });
    let found = fetch(&cache(folder.path(), &server), "hf:o/r").unwrap();
    assert_eq!(found.sha256, sum_of(&weights()));
}

#[test]
fn offline_nothing_is_asked_and_what_is_kept_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let server = hub();
    let online = cache(folder.path(), &server);
    let offline = online.clone().offline(true);
    for address in ["hf:o/r", &format!("hf:o/r@{COMMIT}"), "torchvision:resnet18"] {
        let error = fetch(&offline, address).unwrap_err();
        assert!(matches!(error, DownloadError::Offline { .. }), "{error}");
    }
    assert!(server.asked().is_empty());
    let found = fetch(&online, "hf:o/r").unwrap();
    server.asked();
    assert_eq!(fetch(&offline, "hf:o/r").unwrap(), found);
    assert_eq!(fetch(&offline, &format!("hf:o/r@{COMMIT}")).unwrap(), found);
    let other = fetch(&offline, "hf:o/r@other").unwrap_err().to_string();
    assert!(other.contains("expected hf:o/r@other in the cache in "), "{other}");
    assert!(server.asked().is_empty());
}

#[test]
fn a_transfer_that_breaks_off_goes_on_where_it_stopped_even_in_a_later_run() {
    let folder = tempfile::tempdir().unwrap();
    let broken = AtomicUsize::new(0);
    let server = hub_with(move |asked| {
        let reply = Reply::range(&weights(), asked.start()).with("ETag", "\"one\"");
        // The second one brings nothing at all, which ends the first run.
        match broken.fetch_add(1, Ordering::Relaxed) {
            0 => reply.cut_at(20_000),
            1 => reply.cut_at(0),
            _ => reply,
        }
    });
    let cache = cache(folder.path(), &server);
    let error = fetch(&cache, "hf:o/r").unwrap_err();
    assert!(matches!(error, DownloadError::Interrupted { received: 20_000, .. }), "{error}");
    assert_nothing_whole(folder.path());
    let offline = fetch(&cache.clone().offline(true), &format!("hf:o/r@{COMMIT}")).unwrap_err();
    assert!(matches!(offline, DownloadError::Offline { .. }), "{offline}");
    server.asked();
    let found = fetch(&cache, "hf:o/r").unwrap();
    assert_eq!(fs::read(found.path).unwrap(), weights());
    let last = server.asked().pop().unwrap();
    assert_eq!((last.start(), last.header("if-range")), (20_000, Some("\"one\"")));
    assert!(files(folder.path()).iter().all(|name| !name.contains(".part")));
}

#[test]
fn a_file_that_has_changed_since_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let server = hub_with(|asked| match asked.header("if-range") {
        None if asked.start() == 0 => {
            Reply::body(&vec![9; 30_000]).with("ETag", "\"old\"").cut_at(20_000)
        }
        Some("\"old\"") => Reply::body(&weights()).with("ETag", "\"new\""),
        _ => Reply::status(500),
    });
    let found = fetch(&cache(folder.path(), &server), "hf:o/r").unwrap();
    assert_eq!(fs::read(found.path).unwrap(), weights());
}

#[test]
fn more_bytes_than_announced_are_refused_whoever_announced_them() {
    let folder = tempfile::tempdir().unwrap();
    let longer = [&weights()[..], b"more"].concat();
    let (with_length, without) = (longer.clone(), longer);
    for server in [
        hub_with(move |_| Reply::body(&with_length)),
        hub_with(move |_| Reply::body(&without).without_length()),
        hub_with(|_| Reply::endless()),
    ] {
        let error = fetch(&cache(folder.path(), &server), "hf:o/r").unwrap_err();
        assert!(matches!(error, DownloadError::TooLong { most: 60_000, .. }), "{error}");
        assert!(files(folder.path()).is_empty());
    }
}

#[test]
fn a_file_beyond_the_limit_is_refused_before_it_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let server = hub();
    let mut small = cache(folder.path(), &server);
    small.most = 59_999;
    let error = fetch(&small, "hf:o/r").unwrap_err();
    assert!(matches!(error, DownloadError::TooLong { most: 59_999, .. }), "{error}");
    assert!(server.asked().iter().all(|asked| asked.method == "HEAD"));

    let endless = Server::new(|_| Reply::endless());
    small.torchvision.clone_from(&endless.address);
    let error = fetch(&small, "torchvision:resnet18").unwrap_err();
    assert!(matches!(error, DownloadError::TooLong { most: 59_999, .. }), "{error}");
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_wrong_sum_names_both_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = AtomicUsize::new(0);
    let server = hub_with(move |_| match wrong.fetch_add(1, Ordering::Relaxed) {
        0 => Reply::body(&vec![1; 60_000]),
        _ => Reply::body(&weights()),
    });
    let cache = cache(folder.path(), &server);
    let error = fetch(&cache, "hf:o/r").unwrap_err();
    assert!(matches!(error, DownloadError::Checksum { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&sum_of(&weights())) && text.contains(&sum_of(&vec![1; 60_000])),
        "{text}"
    );
    assert!(files(folder.path()).is_empty());
    fetch(&cache, "hf:o/r").unwrap();
}

#[test]
fn redirects_that_never_end_or_lead_elsewhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (location, part) in [
        ("/blob/again", "expected at most 10 redirects, found more"),
        ("file:///etc/passwd", "expected HTTP or HTTPS, found `file:`"),
        ("ftp://127.0.0.1/x", "expected HTTP or HTTPS, found `ftp:`"),
    ] {
        let server = hub_with(move |_| Reply::redirect(location));
        let error = fetch(&cache(folder.path(), &server), "hf:o/r").unwrap_err();
        assert!(matches!(error, DownloadError::Redirect { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(files(folder.path()).is_empty());
    }
}

#[test]
fn the_token_goes_to_the_hub_alone_and_is_in_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = Server::new(|asked| Reply::range(&weights(), asked.start()));
    let cdn = elsewhere.address.clone();
    let hub = Server::new(move |_| {
        Reply::redirect(&format!("{cdn}/signed"))
            .with("X-Repo-Commit", COMMIT)
            .with("X-Linked-Etag", &sum_of(&weights()))
            .with("X-Linked-Size", &weights().len())
    });
    let token = HubToken::new(TOKEN, "the test").unwrap();
    let mut cache = cache(folder.path(), &hub).with_token(token);
    fetch(&cache, "hf:o/r").unwrap();
    let bearer = format!("Bearer {TOKEN}");
    let told = hub.asked();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|asked| asked.header("authorization") == Some(&bearer)));
    let told = elsewhere.asked();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].header("authorization"), None);
    assert!(!format!("{told:?}").contains(TOKEN));
    assert!(!format!("{cache:?}").contains(TOKEN));

    // Nor to torchvision's server.
    let torchvision = Server::new(|_| Reply::status(404));
    cache.torchvision.clone_from(&torchvision.address);
    let error = fetch(&cache, "torchvision:resnet18").unwrap_err();
    assert_eq!(torchvision.asked()[0].header("authorization"), None);
    assert!(!format!("{error:?} {error}").contains(TOKEN));
}

#[test]
fn refusals_say_in_plain_words_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (status, code, with_token, part) in [
        (401, "GatedRepo", false, "it is gated: accept its terms on its page, and give a token"),
        (403, "GatedRepo", true, "the account of the token has no access"),
        (403, "", false, "HF_TOKEN or by `hf auth login`"),
        (403, "", true, "the account of the token has no access"),
        (401, "RepoNotFound", false, "found none that may be read without a token"),
        (404, "RepoNotFound", true, "found none that the account of the token may read"),
        (401, "", true, "found one that the hub refuses"),
        (404, "RevisionNotFound", false, "expected the revision `v9`, found none of that name"),
        (404, "EntryNotFound", false, "expected model.safetensors or pytorch_model.bin, found no"),
        (404, "", false, "expected model.safetensors or pytorch_model.bin, found no such file"),
        (429, "", false, "to answer with status 200 or 206, found 429"),
        (500, "", true, "to answer with status 200 or 206, found 500"),
    ] {
        let server = Server::new(move |_| Reply::status(status).with("X-Error-Code", code));
        let token = if with_token { HubToken::new(TOKEN, "the test").unwrap() } else { None };
        let cache = cache(folder.path(), &server).with_token(token);
        let error = fetch(&cache, "hf:o/r@v9").unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(part) && !text.contains(TOKEN), "{status} {code}: {text}");
        assert!(files(folder.path()).is_empty());
    }
}

#[test]
fn what_is_no_hub_names_no_folder_of_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    for commit in ["../../../../tmp/x", "main", "", &COMMIT[1..], &COMMIT.to_uppercase()] {
        let commit = commit.to_owned();
        let server = Server::new(move |_| Reply::body(b"x").with("X-Repo-Commit", &commit));
        let error = fetch(&cache(folder.path(), &server), "hf:o/r").unwrap_err();
        assert!(matches!(error, DownloadError::NotTheHub { .. }), "{error}");
    }
    // Another commit than the one that was asked for.
    let server = hub();
    let other = format!("hf:o/r@{}", "f".repeat(40));
    let error = fetch(&cache(folder.path(), &server), &other).unwrap_err();
    assert!(matches!(error, DownloadError::NotTheHub { .. }), "{error}");
    // Neither a length nor a sum.
    let server = Server::new(|_| Reply::body(b"x").without_length().with("X-Repo-Commit", COMMIT));
    let error = fetch(&cache(folder.path(), &server), "hf:o/r").unwrap_err();
    assert!(matches!(error, DownloadError::NotTheHub { .. }), "{error}");
    assert!(files(folder.path()).is_empty());
}

#[test]
fn two_that_want_the_same_file_fetch_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = hub_with(|asked| {
        thread::sleep(std::time::Duration::from_millis(300));
        Reply::range(&weights(), asked.start())
    });
    let cache = cache(folder.path(), &server);
    let waited = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut watch = |progress: DownloadProgress| {
                    if progress.stage == DownloadStage::Waiting {
                        waited.fetch_add(1, Ordering::Relaxed);
                    }
                };
                let found = cache.fetch(&"hf:o/r".parse().unwrap(), &mut watch).unwrap();
                assert_eq!(fs::read(found.path).unwrap(), weights());
            });
        }
    });
    let blobs = server.asked().into_iter().filter(|asked| asked.path.starts_with("/blob"));
    assert_eq!(blobs.count(), 1);
    assert_eq!(waited.into_inner(), 3);
}

fn cached_path(cache: &WeightCache) -> PathBuf {
    fetch(cache, "hf:o/r").unwrap().path
}

#[test]
fn a_damaged_file_is_fetched_again_and_refused_offline() {
    let folder = tempfile::tempdir().unwrap();
    let server = hub();
    let cache = cache(folder.path(), &server);
    let path = cached_path(&cache);
    let offline = cache.clone().offline(true);
    for damage in [&weights()[..59_999], &vec![0; 60_000], b""] {
        fs::write(&path, damage).unwrap();
        let error = fetch(&offline, "hf:o/r").unwrap_err();
        assert!(matches!(error, DownloadError::Checksum { .. }), "{error}");
        assert_eq!(cached_path(&cache), path);
        assert_eq!(fs::read(&path).unwrap(), weights());
        fs::write(&path, damage).unwrap();
        fetch(&cache, &format!("hf:o/r@{COMMIT}")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), weights());
    }
    // A file without a sum is none that this cache has fetched.
    fs::remove_file(path.with_added_extension("sha256")).unwrap();
    let error = fetch(&offline, "hf:o/r").unwrap_err();
    assert!(matches!(error, DownloadError::Offline { .. }), "{error}");
    fs::write(path.with_added_extension("sha256"), [0xff; 9]).unwrap();
    assert!(matches!(fetch(&offline, "hf:o/r"), Err(DownloadError::Offline { .. })));
}

#[test]
fn a_reference_that_is_no_commit_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = hub();
    let cache = cache(folder.path(), &server);
    let path = cached_path(&cache);
    let reference = path.parent().unwrap().with_file_name("refs").join("main");
    for hostile in ["../../../x", "", "\u{0}", &"f".repeat(1 << 20)] {
        fs::write(&reference, hostile).unwrap();
        let error = fetch(&cache.clone().offline(true), "hf:o/r").unwrap_err();
        assert!(matches!(error, DownloadError::Offline { .. }), "{error}");
    }
}

#[test]
fn torchvisions_files_are_checked_by_the_digits_in_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::new(|asked| Reply::range(&weights(), asked.start()));
    let mut cache = WeightCache::in_folder(folder.path());
    cache.torchvision.clone_from(&server.address);
    let error = fetch(&cache, "torchvision:resnet18").unwrap_err().to_string();
    assert!(error.contains("a SHA-256 that begins with f37072fd, found "), "{error}");
    assert!(files(folder.path()).is_empty());
    assert_eq!(server.asked()[0].path, "/resnet18-f37072fd.pth");
}

#[test]
fn a_mirror_is_https_or_this_machine_and_an_error_shows_no_password() {
    let cache = WeightCache::in_folder("cache");
    for good in ["https://mirror.example", "https://mirror.example/hf/", "http://localhost:8080"] {
        cache.clone().with_endpoint(good).unwrap();
    }
    for bad in [
        "http://mirror.example",
        "ftp://mirror.example",
        "mirror.example",
        "https://user:secret@mirror.example",
        "http://localhost@mirror.example",
        "https://mirror.example/?x",
        "file:///etc",
        "https://",
    ] {
        let error = cache.clone().with_endpoint(bad).unwrap_err();
        assert!(matches!(error, DownloadError::Endpoint { .. }), "{bad}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn a_token_is_found_where_the_hubs_tools_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("hf");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("token"), "hf_file\n").unwrap();
    fs::write(folder.path().join("other"), "hf_other").unwrap();
    fs::write(folder.path().join("wrong"), "hf_se cret\n").unwrap();
    let found = |variables: &[(&str, &str)]| {
        let variable = |name: &str| {
            let known = variables.iter().find(|(own, _)| *own == name);
            known.map(|(_, value)| match name {
                "HF_TOKEN" => (*value).into(),
                _ => folder.path().join(value).into_os_string(),
            })
        };
        HubToken::found(&variable, Some(folder.path().join("nothing")))
    };
    let token = |text: &str| HubToken::new(text, "the test").unwrap();
    assert_eq!(found(&[]).unwrap(), None);
    assert_eq!(found(&[("HF_HOME", "hf")]).unwrap(), token("hf_file"));
    let both = [("HF_HOME", "hf"), ("HF_TOKEN_PATH", "other")];
    assert_eq!(found(&both).unwrap(), token("hf_other"));
    let named = [("HF_TOKEN", " hf_named\n"), ("HF_TOKEN_PATH", "other")];
    assert_eq!(found(&named).unwrap(), token("hf_named"));
    assert_eq!(found(&[("HF_TOKEN", ""), ("HF_HOME", "hf")]).unwrap(), token("hf_file"));
    for wrong in [("HF_TOKEN", "hf_se\ncret"), ("HF_TOKEN_PATH", "wrong"), ("HF_TOKEN_PATH", "hf")]
    {
        let error = found(&[wrong]).unwrap_err();
        assert!(matches!(error, DownloadError::Token { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("cret"), "{error}");
    }
}
