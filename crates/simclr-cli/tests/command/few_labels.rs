//! Evaluations that have less to learn from than was asked for, and say so.

use crate::support::{failure, simclr, write_photos_and_run};

#[test]
fn a_rare_class_gives_all_that_it_has_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    // Seventeen of twenty: two are left to learn from, and one is held out.
    for number in 3..20 {
        std::fs::remove_file(here.join(format!("photos/stripes/{number:02}.png"))).unwrap();
    }
    for protocol in ["knn", "linear", "finetune"] {
        let arguments = ["eval", protocol, "--run=run", "--data=photos", "--labels-per-class=5"];
        let epochs = (protocol == "finetune").then_some("--epochs=1");
        let output = simclr(here, &[&arguments[..], &["--json"], epochs.as_slice()].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{protocol}: {error}");
        let expected = "warning: 1 of 2 classes have fewer than 5 labels to learn from, and give all: stripes 2";
        assert!(error.contains(expected), "{protocol}: {error}");
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let learnt_from = match protocol {
            "finetune" => &found["report"]["evaluated"]["train_images"],
            _ => &found["train_images"][4],
        };
        assert_eq!(learnt_from, 7, "{protocol}: {found}");
    }
}

#[test]
fn classes_that_only_the_test_set_has_are_named_by_every_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let test = here.join("photos/test");
    for (class, photo) in [("dots", "00.png"), ("waves", "01.png")] {
        std::fs::create_dir_all(test.join(class)).unwrap();
        let photo = here.join("photos/dots").join(photo);
        std::fs::rename(photo, test.join(class).join("1.png")).unwrap();
    }
    for protocol in ["knn", "linear", "finetune"] {
        let arguments = ["eval", protocol, "--run=run", "--data=photos"];
        let epochs = (protocol == "finetune").then_some("--epochs=1");
        let output = simclr(here, &[&arguments[..], epochs.as_slice()].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{protocol}: {error}");
        let expected = "classes of `test` that the training set lacks are left out: waves";
        assert!(error.contains(expected), "{protocol}: {error}");
    }
}

#[test]
fn one_class_alone_is_refused_before_an_image_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    for split in ["train", "test"] {
        let class = here.join("one").join(split).join("dots");
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join("1.png"), "no image").unwrap();
    }
    for protocol in ["linear", "finetune"] {
        let (code, error) = failure(here, &["eval", protocol, "--run=run", "--data=one"]);
        assert_eq!(code, 3, "{error}");
        assert!(error.contains("expected examples of at least two classes"), "{error}");
    }
}
