//! What doesn't train: plans, views, checks and conversions.

use crate::support::{TINY, failure, json, success, write_photos};
use image::GenericImageView;

#[test]
fn a_dry_run_prints_the_plan_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let arguments = [&["pretrain", "--data=photos", "--out=run", "--dry-run"], &TINY[..]].concat();
    let plan = json(here, &arguments);
    assert_eq!(plan["total_steps"].as_u64().unwrap(), 2 * (plan["images"].as_u64().unwrap() / 8));
    let config = &plan["config"];
    assert_eq!(config["images"]["encoder"], "resnet18x0.0625_cifar");
    assert_eq!(plan["peak_learning_rate"], config["train"]["learning_rate"]["base"]);
    assert_eq!(plan["device"], "flex");
    assert!(plan["memory_bytes"].as_f64().unwrap() > 1e5, "{plan}");
    assert!(plan["images_per_second"].as_f64().unwrap() > 1.0, "{plan}");
    let text = success(here, &arguments);
    for part in ["learning rate", "memory", "about", "run directory  run"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(std::fs::read_dir(here).unwrap().count(), 1);
}

#[test]
fn flags_override_a_config_file_which_overrides_a_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = "recipe = \"cifar10-google\"\nepochs = 7\nbatch_size = 8\n\
                encoder = \"resnet18x0.0625_cifar\"\n[augmentation]\nsize = 16\n[train]\nseed = 5\n";
    std::fs::write(here.join("run.toml"), text).unwrap();
    let arguments = [
        "pretrain",
        "--config=run.toml",
        "--images=40",
        "--epochs=19",
        "--smallest-crop=0.3",
        "--dry-run",
    ];
    let plan = json(here, &arguments);
    let (train, images) = (&plan["config"]["train"], &plan["config"]["images"]);
    assert_eq!(images["augmentation"]["crop"]["area"], serde_json::json!([0.3, 1.0]));
    assert_eq!((&train["epochs"], &train["seed"]), (&19.into(), &5.into()));
    assert_eq!(
        (&train["optimizer"]["kind"], &images["augmentation"]["size"]),
        (&"lars".into(), &16.into())
    );
}

#[test]
fn views_are_a_sheet_of_the_size_that_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    success(here, &["views", "--data=photos", "--image-size=24", "--rows=3", "--columns=5"]);
    let sheet = image::open(here.join("views.png")).unwrap();
    assert_eq!(sheet.dimensions(), (6 * 28 + 4, 3 * 28 + 4));
    let (code, error) = failure(here, &["views", "--data=photos", "--columns=100000"]);
    assert_eq!((code, error.contains("expected a sheet of at most")), (2, true), "{error}");
}

#[test]
fn a_check_counts_images_finds_torn_ones_and_leaks() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    std::fs::create_dir(here.join("split")).unwrap();
    std::fs::rename(here.join("photos"), here.join("split/train")).unwrap();
    let [train, test] = ["train", "test"].map(|split| here.join("split").join(split).join("dots"));
    std::fs::create_dir_all(&test).unwrap();
    std::fs::copy(train.join("03.png"), test.join("copy.png")).unwrap();
    std::fs::write(train.join("torn.png"), b"\x89PNG\r\n").unwrap();
    let found = json(here, &["data", "check", "split"]);
    let train = &found["sets"][1];
    assert_eq!(train["images"], 41);
    assert_eq!(train["classes"][0], serde_json::json!({ "class": "dots", "images": 21 }));
    assert_eq!(train["unreadable"], 1);
    let unreadable = &found["unreadable"][0];
    assert_eq!(unreadable["image"], "train/dots/torn.png");
    assert_eq!(
        unreadable["reason"],
        "expected JPEG, PNG, WebP, BMP, GIF or TIFF, found none that is known"
    );
    assert_eq!(train["width"], serde_json::json!([20, 21, 22]));
    let leak = &found["leaks"][0];
    assert_eq!(leak, &serde_json::json!(["test/dots/copy.png", "train/dots/03.png"]));
    let group = &found["duplicates"][0];
    assert_eq!(group, &serde_json::json!(["train/dots/03.png", "test/dots/copy.png"]));
    let text = success(here, &["data", "check", "split"]);
    assert!(text.contains("  train/dots/torn.png: expected JPEG"), "{text}");
}

#[test]
fn a_check_names_each_bad_file_with_its_reason_and_each_that_is_called_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let dots = here.join("photos/dots");
    for number in 0..7 {
        std::fs::write(dots.join(format!("bad {number}.jpg")), "").unwrap();
    }
    image::RgbImage::new(5, 5)
        .save_with_format(dots.join("a.jpg"), image::ImageFormat::Gif)
        .unwrap();
    let text = success(here, &["data", "check", "photos"]);
    for number in 0..7 {
        let line = format!(
            "dots/bad {number}.jpg: expected JPEG, PNG, WebP, BMP, GIF or TIFF, found an empty file"
        );
        assert!(text.contains(&line), "{text}");
    }
    assert!(text.contains("dots/a.jpg holds GIF"), "{text}");
    let found = json(here, &["data", "check", "photos"]);
    assert_eq!(found["unreadable"].as_array().unwrap().len(), 7);
    assert_eq!(found["misnamed"][0], serde_json::json!({ "image": "dots/a.jpg", "holds": "GIF" }));
}

/// A link to the process's own memory: a file whose first byte is an error of the system, whoever reads it.
#[cfg(target_os = "linux")]
#[test]
fn one_file_that_the_system_cannot_read_stops_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    std::os::unix::fs::symlink("/proc/self/mem", here.join("photos/dots/bad.png")).unwrap();
    let found = json(here, &["data", "check", "photos"]);
    assert_eq!(found["unreadable"][0]["image"], "dots/bad.png");
    assert!(found["unreadable"][0]["reason"].as_str().unwrap().contains("os error 5"), "{found}");
    let converted = json(here, &["data", "convert", "photos", "--out=new"]);
    assert_eq!((&converted["images"], &converted["skipped_images"]), (&40.into(), &1.into()));
    success(here, &["views", "--data=photos", "--rows=2"]);
    success(here, &[&["pretrain", "--data=photos", "--out=run"], &TINY[..]].concat());
}

#[test]
fn a_conversion_keeps_pixels_and_classes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let result = json(here, &["data", "convert", "photos", "--out=new"]);
    assert_eq!(result["images"], 40);
    assert!(!here.join("new.part").exists());
    std::fs::create_dir(here.join("again.part")).unwrap();
    let (code, error) = failure(here, &["data", "convert", "photos", "--out=again"]);
    assert_eq!((code, error.contains("remove it")), (2, true), "{error}");
    assert!(here.join("again.part").is_dir());
    let [before, after] = ["photos", "new"].map(|dir| json(here, &["data", "check", dir]));
    let count = |found: &serde_json::Value| {
        let sets = found["sets"].as_array().unwrap();
        sets.iter().map(|set| set["images"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(count(&before), count(&after));
    // The second image of a class is held out.
    for (name, split) in [("00", "train"), ("01", "test")] {
        let old = image::open(here.join(format!("photos/dots/{name}.png"))).unwrap();
        let new = image::open(here.join(format!("new/{split}/dots/{name}.png"))).unwrap();
        assert_eq!(old, new);
    }
    let again = json(here, &["data", "convert", "new", "--out=twice"]);
    assert_eq!(again["images"], 40);
    let small = json(
        here,
        &["data", "convert", "photos", "--out=small", "--short-side=9", "--format=jpeg"],
    );
    assert_eq!(small["images"], 40);
    let found = json(here, &["data", "check", "small"]);
    assert_eq!(found["sets"][0]["height"], serde_json::json!([9, 9, 9]));
}

#[test]
fn a_conversion_writes_unlabelled_images_once_and_gray_ones_in_one_channel() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    std::fs::create_dir(here.join("set")).unwrap();
    std::fs::rename(here.join("photos"), here.join("set/train")).unwrap();
    std::fs::create_dir(here.join("set/unlabeled")).unwrap();
    image::RgbImage::from_pixel(9, 9, image::Rgb([70; 3]))
        .save(here.join("set/unlabeled/x.png"))
        .unwrap();
    assert_eq!(json(here, &["data", "convert", "set", "--out=new"])["images"], 41);
    let gray = image::open(here.join("new/unlabeled/x.png")).unwrap();
    assert_eq!((gray.color(), gray.to_rgb8().get_pixel(0, 0).0), (image::ColorType::L8, [70; 3]));
    let files = std::fs::read_dir(here.join("new/unlabeled")).unwrap().count();
    assert_eq!(files, 1);
}

#[test]
fn views_pass_over_images_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    std::fs::write(here.join("photos/dots/00.png"), "").unwrap();
    let shown = json(here, &["views", "--data=photos", "--image-size=24", "--rows=2"]);
    assert_eq!(shown["images"], serde_json::json!(["dots/02.png", "stripes/00.png"]));
    let output = crate::support::simclr(here, &["views", "--data=photos", "--rows=2"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("00.png"));
}

#[test]
fn a_bench_of_data_names_the_stage_that_limits() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    std::fs::write(here.join("photos/dots/zz.jpg"), b"\xff\xd8\xff\xe0 no more").unwrap();
    let arguments = ["data", "bench", "--data=photos", "--image-size=24"];
    let report = json(here, &arguments);
    let speeds = report["speeds"].as_array().unwrap();
    assert_eq!(speeds[0]["threads"], 1);
    for speed in speeds {
        for stage in ["reading", "decoding", "views", "together"] {
            assert!(speed[stage].as_f64().unwrap() > 0.0, "{speed}");
        }
        let limit = speed["limit"].as_str().unwrap();
        assert!(["reading", "decoding", "views"].contains(&limit), "{limit}");
    }
    assert_eq!(report["skipped"].as_array().unwrap().len(), 1);
    let text = success(here, &arguments);
    for part in ["1 thread", "all together", " limits: "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, error) = failure(here, &["data", "bench", "--data=nowhere"]);
    assert_eq!(code, 3, "{error}");
    let (code, error) = failure(here, &["data", "bench", "--data=photos", "--image-size=1"]);
    assert_eq!(code, 2, "{error}");
}

#[test]
fn the_recipes_of_the_docs_are_configs_that_the_command_takes() {
    let folder = tempfile::tempdir().unwrap();
    let recipes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipes");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(recipes).unwrap() {
        let path = entry.unwrap().path();
        let config = format!("--config={}", path.display());
        // A tiny network and batch on the CPU, in place of what takes a GPU.
        let tiny = ["--device=flex", "--precision=f32", "--encoder=resnet18x0.0625_cifar"];
        let plan = ["pretrain", "--images=20", "--batch-size=4", "--dry-run", &config];
        let plan = json(folder.path(), &[&plan[..], &tiny].concat());
        let (train, images) = (&plan["config"]["train"], &plan["config"]["images"]);
        assert_eq!((&images["views"], &train["monitor_every"]), (&"device".into(), &10.into()));
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        found.push((
            name,
            train["epochs"].as_u64().unwrap(),
            images["augmentation"]["size"].clone(),
        ));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("cifar10-gpu", 1000, 32), ("stl10-gpu", 500, 96)];
    assert_eq!(found, expected.map(|(name, epochs, size)| (name.to_owned(), epochs, size.into())));
}
