//! The server, asked by clients that are not the page.

mod support;

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use simclr_explore::ExploreError;

use support::{Client, Running, embedder, exploration, photos, sample};

fn rows(client: &Client, images: usize) -> Vec<u16> {
    let answer = client.get("api/rows");
    assert_eq!(answer.body.len(), 6 * images);
    answer.body[..2 * images].as_chunks::<2>().0.iter().map(|it| u16::from_le_bytes(*it)).collect()
}

#[test]
fn only_who_knows_the_address_is_answered() {
    let run = tempfile::tempdir().unwrap();
    let server = Running::start(exploration(run.path(), sample(12)));
    let client = server.client();
    assert_eq!(client.get("").status, 200);
    let host = client.host();
    let page = format!("/{}/", client.token());
    let about = format!("{page}api/about");
    let wrong = format!("/{}/api/about", "0".repeat(32));
    for (path, headers, status) in [
        (&about[..], format!("Host: {host}"), 200),
        (&about, format!("Host: {}", host.replace("127.0.0.1", "localhost")), 200),
        (&about, format!("Host: {host}\r\nOrigin: http://{host}"), 200),
        // Another host, as of a page that rebinds its name; another port; none; two.
        (&about, "Host: evil.example".to_owned(), 403),
        (&about, format!("Host: evil.example:{}", host.split(':').nth(1).unwrap()), 403),
        (&about, "Host: 127.0.0.1:1".to_owned(), 403),
        (&about, "X: y".to_owned(), 403),
        (&about, format!("Host: {host}\r\nHost: evil.example"), 403),
        // Another origin.
        (&about, format!("Host: {host}\r\nOrigin: http://evil.example"), 403),
        (&about, format!("Host: {host}\r\nOrigin: null"), 403),
        (&about, format!("Host: {host}\r\nOrigin: https://{host}"), 403),
        // Another token, or none.
        (&wrong, format!("Host: {host}"), 403),
        ("/", format!("Host: {host}"), 403),
        ("/favicon.ico", format!("Host: {host}"), 403),
        ("/api/about", format!("Host: {host}"), 403),
        (&page[..20], format!("Host: {host}"), 403),
        ("/../../etc/passwd", format!("Host: {host}"), 403),
        // Nothing but the images, the page, and its answers.
        (&format!("{page}api"), format!("Host: {host}"), 404),
        (&format!("{page}labels.csv"), format!("Host: {host}"), 404),
        (&format!("{page}../../etc/passwd"), format!("Host: {host}"), 404),
        (&format!("{page}..%2f..%2fetc%2fpasswd"), format!("Host: {host}"), 404),
        (&format!("{page}api/photo/12"), format!("Host: {host}"), 404),
        (&format!("{page}api/photo/-1"), format!("Host: {host}"), 400),
        (&format!("{page}api/photo/..%2f..%2fencoder.safetensors"), format!("Host: {host}"), 400),
        (&format!("{page}api/photo/0"), format!("Host: {host}"), 200),
    ] {
        let answer = client
            .raw(&format!("GET {path} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n"), b"");
        // Without a host it is no HTTP/1.1.
        assert!(
            answer.status == status || headers == "X: y" && answer.status == 400,
            "{path} {headers}: {}",
            answer.status
        );
        if answer.status != 400 {
            for header in [
                "content-security-policy: default-src 'none'; script-src 'self'",
                "x-content-type-options: nosniff",
                "referrer-policy: no-referrer",
                "x-frame-options: deny",
            ] {
                assert!(answer.head.to_lowercase().contains(header), "{path}: {header}");
            }
        }
    }
    // Nor by another method.
    assert_eq!(client.ask("DELETE", "api/photo/0", "", b"").status, 405);
    assert_eq!(client.ask("PUT", "api/labels", "", b"").status, 405);
    server.stop().unwrap();
}

#[test]
fn what_is_asked_wrongly_is_refused_and_changes_nothing() {
    let run = tempfile::tempdir().unwrap();
    let server = Running::start(exploration(run.path(), sample(12)));
    let client = server.client();
    for (path, question, status) in [
        ("api/labels", "{}", 400),
        ("api/labels", "[1,2]", 400),
        ("api/labels", "{\"rows\":[0],\"class\":\"a\",\"path\":\"/etc\"}", 400),
        ("api/labels", "{\"rows\":[12],\"class\":\"a\"}", 400),
        ("api/labels", "{\"rows\":[-1],\"class\":\"a\"}", 400),
        ("api/labels", "{\"rows\":[0],\"class\":\"\"}", 400),
        ("api/labels", "{\"rows\":[0],\"class\":\"a\\nb\"}", 400),
        ("api/labels", "not json \u{0}", 400),
        ("api/aside", "{\"rows\":[99],\"aside\":true}", 400),
        ("api/search", "{\"like\":[],\"count\":3}", 400),
        ("api/search", "{\"like\":[{\"row\":12}],\"count\":3}", 404),
        ("api/search", "{\"like\":[{\"upload\":7}],\"count\":3}", 404),
        ("api/search", "{\"like\":[{\"path\":\"/etc/passwd\"}],\"count\":3}", 400),
    ] {
        let answer = client.post(path, question);
        assert_eq!(answer.status, status, "{path} {question}: {}", answer.text());
        assert!(answer.json()["error"].is_string(), "{path} {question}");
    }
    // A form of another page cannot say that it is JSON.
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let asked = json!({ "rows": [0], "class": "a" }).to_string();
    assert_eq!(client.ask("POST", "api/labels", kind, asked.as_bytes()).status, 415);
    assert_eq!(client.ask("POST", "api/labels", "", asked.as_bytes()).status, 415);
    // More than is read.
    let kind = "Content-Type: application/json\r\n";
    assert_eq!(client.ask("POST", "api/labels", kind, &vec![b' '; 5 << 20]).status, 413);
    let answer = client.ask("POST", "api/upload", "", b"no image");
    assert!(
        answer.status == 422 && answer.text().contains("expected an image"),
        "{}",
        answer.text()
    );
    for count in ["0", "1001", "x"] {
        assert_eq!(client.get(&format!("api/groups/{count}")).status, 400, "{count}");
    }
    assert_eq!(client.get("api/labels").json()["labels"], 0);
    assert!(!run.path().join("labels.csv").exists());
    server.stop().unwrap();
}

#[test]
fn labels_are_saved_undone_and_read_again() {
    let run = tempfile::tempdir().unwrap();
    let server = Running::start(exploration(run.path(), sample(12)));
    let client = server.client();
    let first = client.post("api/labels", r#"{"rows":[0,3],"class":" two words "}"#).json();
    assert_eq!(first["classes"], json!([{ "name": "two words", "labels": 2 }]));
    assert_eq!((&first["guesses"], &first["unsaved"]), (&json!(false), &Value::Null));
    let second = client.post("api/labels", r#"{"rows":[1],"class":"dog"}"#).json();
    assert_eq!((&second["labels"], &second["guesses"]), (&json!(3), &json!(true)));
    client.post("api/aside", r#"{"rows":[5],"aside":true}"#);
    let table = fs::read_to_string(run.path().join("labels.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "name,label");
    assert!(lines[1].ends_with("/0,two words") && lines.len() == 4, "{table}");
    assert!(fs::read_to_string(run.path().join("aside.csv")).unwrap().contains(",aside\n"));
    assert_eq!(client.get("export/labels.csv").text(), table);
    let predictions = client.get("export/predictions.csv");
    assert!(predictions.head.contains("attachment; filename=\"predictions.csv\""));
    let lines = predictions.text();
    assert_eq!(lines.lines().next(), Some("name,class,probability,source"));
    assert_eq!(lines.matches(",label\n").count(), 3);
    assert_eq!(lines.matches(",prediction\n").count(), 8, "{lines}");

    for (undoable, labels, aside) in [(2, 3, 0), (1, 2, 0), (0, 0, 0), (0, 0, 0)] {
        let now = client.post("api/undo", "{}").json();
        assert_eq!(
            (&now["undoable"], &now["labels"], &now["aside"]),
            (&json!(undoable), &json!(labels), &json!(aside))
        );
    }
    assert_eq!(fs::read_to_string(run.path().join("labels.csv")).unwrap(), "name,label\n");
    client.post("api/labels", r#"{"rows":[7],"class":"cat"}"#);
    client.post("api/labels", r#"{"rows":[8,9],"class":"dog"}"#);
    server.stop().unwrap();

    let server = Running::start(exploration(run.path(), sample(12)));
    let now = server.client().get("api/labels").json();
    assert_eq!(
        (&now["labels"], &now["undoable"], &now["guesses"]),
        (&json!(3), &json!(0), &json!(true))
    );
    let labels = rows(&server.client(), 12);
    assert_eq!((labels[7], labels[8], labels[9], labels[0]), (1, 0, 0, u16::MAX));
    // What an earlier session gave can be taken away, too.
    let now = server.client().post("api/labels", r#"{"rows":[7],"class":null}"#).json();
    assert_eq!(now["labels"], 2);
    server.stop().unwrap();
}

#[test]
fn two_pages_share_one_session_and_two_commands_share_no_run() {
    let run = tempfile::tempdir().unwrap();
    let server = Running::start(exploration(run.path(), sample(12)));
    let [one, other] = [server.client(), server.client()];
    one.post("api/labels", r#"{"rows":[0],"class":"cat"}"#);
    other.post("api/labels", r#"{"rows":[1],"class":"dog"}"#);
    assert_eq!(one.get("api/labels").json()["labels"], 2);
    let second =
        simclr_explore::Exploration::open(run.path(), sample(12), embedder(), &|_| ()).err();
    assert!(matches!(second, Some(ExploreError::Running { .. })), "{second:?}");
    server.stop().unwrap();
    drop(exploration(run.path(), sample(12)));
}

#[test]
fn hostile_names_stay_text() {
    let folder = tempfile::tempdir().unwrap();
    let run = tempfile::tempdir().unwrap();
    let hostile = [
        "<img src=x onerror=alert(1)>.png",
        "<script>\"'&.png",
        "a,b\n\u{1b}[2J.png",
        "=1+1.png",
        "\u{202e}gnp.exe.png",
    ];
    photos(folder.path(), &hostile);
    let images = simclr_data::WholeSet::open(folder.path()).unwrap();
    let server = Running::start(exploration(run.path(), Arc::new(images)));
    let client = server.client();
    let mut names = Vec::new();
    for row in 0..hostile.len() {
        let answer = client.get(&format!("api/image/{row}"));
        assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
        names.push(answer.json()["name"].as_str().unwrap().to_owned());
    }
    names.sort_unstable();
    let mut expected: Vec<String> =
        hostile.iter().map(|name| simclr_data::escape_name(name.as_ref())).collect();
    expected.sort_unstable();
    assert_eq!(names, expected);
    let class = "</title><script>alert(1)</script>";
    client.post("api/labels", &json!({ "rows": [0, 1, 2, 3, 4], "class": class }).to_string());
    assert_eq!(client.get("api/labels").json()["classes"][0]["name"], class);
    server.stop().unwrap();
    let table = simclr_data::LabelTable::read(run.path().join("labels.csv")).unwrap();
    assert!(table.rows().iter().all(|row| row.class == class) && table.rows().len() == 5);
}

#[test]
fn an_image_that_vanished_is_said_and_the_others_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let run = tempfile::tempdir().unwrap();
    photos(folder.path(), &["a.png", "b.png", "c.png"]);
    let images = Arc::new(simclr_data::WholeSet::open(folder.path()).unwrap());
    let server = Running::start(exploration(run.path(), Arc::clone(&images) as _));
    let client = server.client();
    fs::remove_file(folder.path().join("b.png")).unwrap();
    let answer = client.get("api/thumbnail/1");
    assert!(answer.status == 404 && answer.text().contains("b.png"), "{}", answer.text());
    for row in [0, 2] {
        let answer = client.get(&format!("api/photo/{row}"));
        assert_eq!(answer.status, 200);
        assert!(image::load_from_memory(&answer.body).is_ok(), "row {row}");
    }
    // It can be labelled and looked for, and is no copy.
    client.post("api/labels", r#"{"rows":[1],"class":"gone"}"#);
    assert_eq!(
        client.post("api/search", r#"{"like":[{"row":1}],"count":9}"#).json()["results"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    client.post("api/copies", "{}");
    let copies = client.until("api/copies", |found| found["state"] == "done");
    assert!(copies["groups"].as_array().unwrap().is_empty(), "{copies}");
    server.stop().unwrap();
    // The next session is on the images that there are, and keeps the label.
    let images = Arc::new(simclr_data::WholeSet::open(folder.path()).unwrap());
    let server = Running::start(exploration(run.path(), images as _));
    assert_eq!(server.client().get("api/about").json()["images"], 2);
    server.client().post("api/labels", r#"{"rows":[0],"class":"here"}"#);
    server.stop().unwrap();
    let table = fs::read_to_string(run.path().join("labels.csv")).unwrap();
    assert_eq!(table, "name,label\na.png,here\nb.png,gone\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_loses_no_label() {
    let run = tempfile::tempdir().unwrap();
    let path = run.path().join("labels.csv");
    let server = Running::start(exploration(run.path(), sample(12)));
    let client = server.client();
    client.post("api/labels", r#"{"rows":[0],"class":"cat"}"#);
    let before = fs::read_to_string(&path).unwrap();
    fs::rename(&path, run.path().join("kept")).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let now = client.post("api/labels", r#"{"rows":[1],"class":"dog"}"#).json();
    let reason = now["unsaved"].as_str().unwrap();
    assert!(reason.contains("labels.csv") && reason.contains("No space left"), "{reason}");
    assert_eq!(now["labels"], 2);
    assert_eq!(fs::read_to_string(run.path().join("kept")).unwrap(), before);
    fs::remove_file(&path).unwrap();
    // Without another label: the server tries again.
    let now = client.until("api/labels", |now| now["unsaved"].is_null());
    assert_eq!(now["labels"], 2);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    // Full to the end: the command says so.
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    client.post("api/labels", r#"{"rows":[2],"class":"dog"}"#);
    let error = server.stop().unwrap_err();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        reason.contains("labels are not saved") && reason.contains("No space left"),
        "{reason}"
    );
}

#[test]
fn neighbours_examples_and_dropped_files_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let run = tempfile::tempdir().unwrap();
    photos(folder.path(), &["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"]);
    let images = Arc::new(simclr_data::WholeSet::open(folder.path()).unwrap());
    let server = Running::start(exploration(run.path(), images as _));
    let client = server.client();
    let file = fs::read(folder.path().join("d.png")).unwrap();
    let upload = client.ask("POST", "api/upload", "Content-Type: image/png\r\n", &file).json();
    assert_eq!((&upload["width"], &upload["height"]), (&json!(40), &json!(30)));
    let question = json!({ "like": [{ "upload": upload["upload"] }], "count": 2 }).to_string();
    let found = client.post("api/search", &question).json();
    assert_eq!(found["results"][0]["item"]["name"], "d.png");
    assert!(found["results"][0]["cosine"].as_f64().unwrap() > 0.9999, "{found}");
    assert_eq!(found["results"].as_array().unwrap().len(), 2);
    // An example is no result.
    let question =
        json!({ "like": [{ "row": 0 }, { "row": 1 }], "unlike": [{ "row": 2 }], "count": 9 });
    let found = client.post("api/search", &question.to_string()).json();
    let mut names: Vec<&str> = found["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["item"]["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["d.png", "e.png", "f.png"]);
    server.stop().unwrap();
}

#[test]
fn map_groups_odd_ones_and_copies_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let run = tempfile::tempdir().unwrap();
    photos(folder.path(), &["a.png", "b.png", "c.png", "d.png", "e.png", "f.png", "g.png"]);
    fs::copy(folder.path().join("c.png"), folder.path().join("copy.png")).unwrap();
    let images = Arc::new(simclr_data::WholeSet::open(folder.path()).unwrap());
    let server = Running::start(exploration(run.path(), images as _));
    let client = server.client();
    let places = client.get("api/map").body;
    let places: Vec<f32> =
        places.as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it)).collect();
    assert!(places.len() == 16 && places.iter().all(|x| (0.0..=1.0).contains(x)), "{places:?}");
    let groups = client.get("api/groups/3").json();
    let sizes: u64 =
        groups["groups"].as_array().unwrap().iter().map(|it| it["size"].as_u64().unwrap()).sum();
    assert_eq!((sizes, groups["of"].as_array().unwrap().len()), (8, 8));
    let odd = client.get("api/odd/3").json();
    assert_eq!(odd["odd"].as_array().unwrap().len(), 3);
    assert_eq!(client.get("api/copies").json()["state"], "not asked");
    client.post("api/copies", "{}");
    let copies = client.until("api/copies", |found| found["state"] == "done");
    let group = &copies["groups"][0];
    assert_eq!(
        (&group[0]["item"]["name"], &group[1]["item"]["name"]),
        (&json!("c.png"), &json!("copy.png"))
    );
    assert_eq!(group[1]["relation"], "same bytes");
    let row = group[1]["item"]["row"].as_u64().unwrap();
    client.post("api/aside", &json!({ "rows": [row], "aside": true }).to_string());
    assert_eq!(client.get("api/aside").json()["aside"][0]["name"], "copy.png");
    // A list: the photo is where it was.
    assert!(folder.path().join("copy.png").exists());
    server.stop().unwrap();
}

#[test]
fn sixty_four_clients_at_once_are_answered() {
    let run = tempfile::tempdir().unwrap();
    let server = Running::start(exploration(run.path(), sample(64)));
    std::thread::scope(|scope| {
        for row in 0..64 {
            let client = server.client();
            scope.spawn(move || {
                assert_eq!(client.get("").status, 200);
                assert_eq!(client.get(&format!("api/photo/{row}")).status, 200);
                let class = if row % 2 == 0 { "even" } else { "odd" };
                let question = json!({ "rows": [row], "class": class }).to_string();
                assert_eq!(client.post("api/labels", &question).status, 200);
                assert_eq!(client.get("api/next/5").status, 200);
                assert_eq!(client.get("api/held-out").status, 200);
                let question = json!({ "like": [{ "row": row }], "count": 5 }).to_string();
                assert_eq!(
                    client.post("api/search", &question).json()["results"]
                        .as_array()
                        .unwrap()
                        .len(),
                    5
                );
            });
        }
    });
    let now = server.client().get("api/labels").json();
    assert_eq!((&now["labels"], &now["undoable"]), (&json!(64), &json!(64)));
    assert!(server.client().get("api/next/5").json()["next"].as_array().unwrap().is_empty());
    server.stop().unwrap();
    let table = fs::read_to_string(run.path().join("labels.csv")).unwrap();
    assert_eq!(table.lines().count(), 65);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let run = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error =
        simclr_explore::Server::bind(exploration(run.path(), sample(12)), port).err().unwrap();
    assert_eq!(error.to_string(), format!("cannot listen at 127.0.0.1:{port}"));
}

#[test]
fn a_damaged_table_of_labels_stops_the_opening_and_stays() {
    let run = tempfile::tempdir().unwrap();
    let path = run.path().join("labels.csv");
    fs::write(&path, "name,label\na,cat\na,dog\n").unwrap();
    let opened = simclr_explore::Exploration::open(run.path(), sample(12), embedder(), &|_| ());
    assert!(matches!(opened.err(), Some(ExploreError::Labels(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "name,label\na,cat\na,dog\n");
}
