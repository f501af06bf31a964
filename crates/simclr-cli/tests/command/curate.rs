//! `simclr duplicates`, `odd`, `groups` and `pick`.

use std::fs;

use image::imageops;
use serde_json::{Value, json};

use crate::support::{failure, json, success, write_photos, write_photos_and_run};

/// [`write_photos_and_run`], and three copies beside them.
fn write_copies(here: &std::path::Path) {
    write_photos_and_run(here);
    fs::copy(here.join("photos/dots/03.png"), here.join("photos/dots/copy.png")).unwrap();
    let photo = image::open(here.join("photos/stripes/04.png")).unwrap().to_rgb8();
    let mirrored = imageops::flip_horizontal(&photo);
    imageops::resize(&mirrored, 60, 54, imageops::FilterType::CatmullRom)
        .save(here.join("photos/stripes/large.png"))
        .unwrap();
}

#[test]
fn copies_are_named_with_the_best_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_copies(here);
    let command = ["duplicates", "--run=run", "--data=photos"];
    let text = success(here, &[&command[..], &["--out=copies.csv"]].concat());
    assert!(text.contains("  same bytes             dots/copy.png (20 x 18)"), "{text}");
    assert!(text.contains("copies of the same bytes, 0 of the same pixels"), "{text}");
    let table = fs::read_to_string(here.join("copies.csv")).unwrap();
    let header = "group,name,relation,of,likeness,mirrored,width,height,bytes\n";
    assert!(table.starts_with(header), "{table}");
    assert!(table.contains("dots/copy.png,same_bytes,dots/03.png,,,20,18,"), "{table}");
    let found = json(here, &command);
    assert_eq!((&found["images"], &found["same_bytes"]), (&json!(42), &json!(1)));
    let groups = found["groups"].as_array().unwrap();
    let large = groups.iter().find(|group| group["best"] == "stripes/large.png").unwrap();
    let copy = large["images"].as_array().unwrap();
    let copy = copy.iter().find(|image| image["name"] == "stripes/04.png").unwrap();
    assert_eq!(copy["relation"], "near", "{copy}");
}

#[test]
fn an_odd_image_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    // Of each photo but one there is another.
    for class in ["dots", "stripes"] {
        for number in 0..20 {
            let photo = here.join(format!("photos/{class}/{number:02}.png"));
            fs::copy(&photo, photo.with_extension("copy.png")).unwrap();
        }
    }
    fs::remove_file(here.join("photos/dots/07.copy.png")).unwrap();
    let command = ["odd", "--run=run", "--data=photos", "--neighbours=1", "--count=2"];
    let text = success(here, &[&command[..], &["--out=odd.csv"]].concat());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("  dots/07.png") && !lines[0].starts_with("0.0000"), "{text}");
    assert!(lines[1].starts_with("0.0000  ") && lines[2] == "table: odd.csv", "{text}");
    let table = fs::read_to_string(here.join("odd.csv")).unwrap();
    assert_eq!(table.lines().count(), 80);
    assert!(table.starts_with("name,distance\ndots/07.png,0."), "{table}");
    let found = json(here, &command);
    assert_eq!(found["odd"].as_array().unwrap().len(), 2);
    let (code, error) = failure(here, &[&command[..3], &["--neighbours=0"]].concat());
    assert!(code == 2 && error.contains("expected k to be at least 1"), "{error}");
}

#[test]
fn groups_hold_every_image_and_one_stands_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let command = ["groups", "--run=run", "--data=photos"];
    let found = json(here, &[&command[..], &["--count=3", "--out=groups.csv"]].concat());
    let groups = found["groups"].as_array().unwrap();
    let names = |group: &Value| group["names"].as_array().unwrap().clone();
    assert_eq!((groups.len(), groups.iter().map(|it| names(it).len()).sum::<usize>()), (3, 40));
    assert!(groups.iter().all(|group| names(group).contains(&group["medoid"])));
    assert_eq!(found["silhouettes"], json!([]));
    let table = fs::read_to_string(here.join("groups.csv")).unwrap();
    assert!(table.starts_with("name,group,cosine,medoid\ndots/00.png,"), "{table}");
    assert_eq!(table.lines().filter(|line| line.ends_with(",1")).count(), 3);

    let auto = json(here, &command);
    let silhouettes = auto["silhouettes"].as_array().unwrap();
    let value = |it: &Value| it["silhouette"].as_f64().unwrap();
    let best = silhouettes.iter().max_by(|a, b| value(a).total_cmp(&value(b))).unwrap();
    assert_eq!(best["count"], auto["count"]);
    assert!(success(here, &command).contains(" images such as "));
    for (count, part) in [("41", "to be at most 40"), ("0", "or auto"), ("many", "or auto")] {
        let (code, error) = failure(here, &[&command[..], &["--count", count]].concat());
        assert!(code == 2 && error.contains(part), "{error}");
    }
}

#[test]
fn a_pick_is_filled_in_and_what_is_labelled_is_not_picked_again() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let command = ["pick", "--run=run", "--data=photos", "--count=4"];
    let text = success(here, &[&command[..], &["--out=pick.csv"]].concat());
    let picked: Vec<&str> = text.lines().take(4).collect();
    let table = fs::read_to_string(here.join("pick.csv")).unwrap();
    assert_eq!(table, format!("name,label\n{},\n", picked.join(",\n")));
    assert_eq!(json(here, &command)["picked"], json!(picked));

    fs::write(here.join("labels.csv"), table.replace(",\n", ",dots\n")).unwrap();
    let more = json(here, &[&command[..], &["--labelled=labels.csv"]].concat());
    let more: Vec<&str> =
        more["picked"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(more.len() == 4 && more.iter().all(|name| !picked.contains(name)), "{more:?}");
    fs::write(here.join("labels.csv"), "name,label\nnowhere.png,dots\n").unwrap();
    let (code, error) = failure(here, &[&command[..], &["--labelled=labels.csv"]].concat());
    assert!(code == 2 && error.contains("line 2 of --labelled, found nowhere.png"), "{error}");
}

#[test]
fn what_cannot_be_read_is_left_out_and_mistakes_are_found_first() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    fs::write(here.join("photos/dots/torn\u{1b}.png"), b"\x89PNG\r\n").unwrap();
    let arguments = ["pretrain", "--data=photos", "--out=run", "--epochs=1"];
    success(here, &[&arguments[..], &crate::support::TINY[..3]].concat());
    for command in ["duplicates", "odd", "groups"] {
        let found = json(here, &[command, "--run=run", "--data=photos"]);
        assert_eq!((&found["images"], &found["skipped_images"]), (&json!(40), &json!(1)));
        let (code, error) =
            failure(here, &[command, "--run=run", "--data=photos", "--out=table.xls"]);
        assert!(code == 2 && error.contains("expected --out to end in .csv"), "{error}");
        let (code, _) = failure(here, &[command, "--run=run", "--data=photos", "--out=no/t.csv"]);
        assert_eq!(code, 4);
        let (code, error) = failure(here, &[command, "--data=photos"]);
        assert!(code == 2 && error.contains("--run"), "{error}");
    }
    fs::create_dir(here.join("torn")).unwrap();
    fs::write(here.join("torn/1.png"), b"\x89PNG\r\n").unwrap();
    let (code, error) = failure(here, &["odd", "--run=run", "--data=torn"]);
    assert!(code == 3 && error.contains("no image could be read"), "{error}");
}
