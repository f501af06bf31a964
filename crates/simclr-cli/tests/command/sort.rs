//! `simclr sort`.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{failure, json, success, write_photos, write_photos_and_run};

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn what_classify_writes_becomes_folders_of_classes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let eval = ["eval", "linear", "--run=run", "--data=photos", "--save=c.safetensors"];
    success(here, &eval);
    let classify =
        ["classify", "--classifier=c.safetensors", "--top=2", "photos", "--out=said.csv"];
    success(here, &classify);
    let sort = ["sort", "--labels=said.csv", "--data=photos", "--out=sorted"];
    let plan = success(here, &[&sort[..], &["--dry-run"]].concat());
    assert!(plan.contains("copy photos/dots/00.png to sorted/"), "{plan}");
    assert!(plan.ends_with("40 photos to copy into sorted\n"), "{plan}");
    assert!(!here.join("sorted").exists());
    let text = success(here, &sort);
    assert!(text.ends_with("40 photos copied into sorted\n"), "{text}");
    let classes = ["dots", "stripes"].map(|class| here.join("sorted").join(class));
    let files: usize = classes
        .iter()
        .flat_map(|class| ["dots", "stripes"].map(|folder| count(&class.join(folder))))
        .sum();
    assert_eq!((files, count(&here.join("sorted")) <= 2), (40, true));
    let again = json(here, &sort);
    assert_eq!((&again["to_do"], &again["already_there"]), (&json!(0), &json!(40)));
}

#[test]
fn labels_of_a_list_move_photos_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let labels = "name,label\ndots/00.png,round\nstripes/00.png,\"long, thin\"\n";
    fs::write(here.join("labels.csv"), labels).unwrap();
    let sort = ["sort", "--labels=labels.csv", "--data=photos", "--out=sorted"];
    let found = json(here, &[&sort[..], &["--link=hard"]].concat());
    assert_eq!((&found["action"], &found["done"]), (&json!("hard_link"), &json!(2)));
    let found = json(here, &[&sort[..], &["--move"]].concat());
    assert_eq!(found["classes"], json!({ "long, thin": 1, "round": 1 }));
    assert!(here.join("sorted/long, thin/stripes/00.png").is_file());
    assert_eq!((count(&here.join("photos/dots")), count(&here.join("photos/stripes"))), (19, 19));
    let (code, _) = failure(here, &[&sort[..], &["--move", "--link=hard"]].concat());
    assert_eq!(code, 2);
}

#[test]
fn hostile_tables_end_before_anything_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let sort = ["sort", "--labels=labels.csv", "--data=photos", "--out=sorted"];
    for (labels, code, part) in [
        ("name,label\ndots/00.png,../up\n", 4, "in line 2, found \"../up\""),
        ("name,label\ndots/00.png,\n", 4, "found \"\": it is empty"),
        ("name,label\ndots/00.png,a\u{1b}[2J\n", 4, "a\\u{1b}[2J"),
        ("name,label\ndots/00.png,nul\n", 4, "a device"),
        ("name,label\n../labels.csv,cat\n", 3, "expected the name of a file below photos"),
        (
            "name,label\ndots/99.png,cat\n",
            3,
            "below photos, found 1 missing, the first dots/99.png in line 2",
        ),
        ("name,label\ndots/00.png,cat\ndots/00.png,dog\n", 4, "expected one class for dots/00.png"),
        ("file,label\ndots/00.png,cat\n", 4, "expected a header"),
    ] {
        fs::write(here.join("labels.csv"), labels).unwrap();
        let (found, error) = failure(here, &sort);
        assert!(found == code && error.contains(part), "{found}: {error}");
        assert!(!here.join("sorted").exists() && !error.contains('\u{1b}'), "{error}");
    }
    fs::write(here.join("labels.csv"), "name,label\ndots/00.png,cat\n").unwrap();
    fs::create_dir_all(here.join("sorted/cat/dots")).unwrap();
    fs::write(here.join("sorted/cat/dots/00.png"), "mine").unwrap();
    let (code, error) = failure(here, &sort);
    assert!(code == 4 && error.contains("hint: nothing is overwritten"), "{error}");
    assert_eq!(fs::read(here.join("sorted/cat/dots/00.png")).unwrap(), b"mine");
}
