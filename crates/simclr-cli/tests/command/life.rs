//! The whole life of a folder of photos: pretrain, evaluate, embed, search.

use simclr::burn::tensor::Device;
use simclr::data::Splits;
use simclr::eval::Classifier;

use crate::support::{TINY, json, success, write_photos};

#[test]
fn photos_are_pretrained_on_evaluated_embedded_and_searched() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);

    let pretrain = ["pretrain", "--data=photos", "--out=run"];
    let summary = json(here, &[&pretrain[..], &TINY].concat());
    assert_eq!((&summary["epochs"], &summary["run"]), (&2.into(), &"run".into()));
    assert!(summary["knn_top1"].as_f64().is_some_and(|top1| top1 <= 1.0), "{summary}");

    let again = ["pretrain", "--config=run/config.toml", "--data=photos", "--dry-run"];
    let again = &json(here, &again)["config"];
    assert_eq!((&again["train"]["epochs"], &again["train"]["seed"]), (&2.into(), &3.into()));
    assert_eq!(again["images"]["encoder"], "resnet18x0.0625_cifar");

    let knn = json(here, &["eval", "knn", "--run=run", "--data=photos", "-k=3"]);
    assert_eq!(knn["report"]["evaluated"]["source"], "encoder");
    let images = |set: &str| knn["report"]["evaluated"][set].as_u64().unwrap();
    assert_eq!(images("train_images") + images("test_images"), 40);
    // The run's own last figure is by the same encoder, with the same neighbours but for k.
    let same = json(here, &["eval", "linear", "--run=run", "--data=photos"]);
    let probe = summary["linear_probe"].as_f64().unwrap();
    assert!((same["report"]["top1"].as_f64().unwrap() - probe).abs() < 1e-9, "{same}, {probe}");

    let text = success(here, &["embed", "--run=run", "--data=photos"]);
    assert!(text.starts_with("40 vectors of length 32 in run/index.safetensors"), "{text}");
    let query = "photos/dots/07.png";
    let found = json(here, &["search", "--run=run", query, "-c=3"]);
    let best = &found["results"][0]["found"][0];
    assert_eq!(best["name"], "dots/07.png");
    assert!(best["cosine"].as_f64().unwrap() > 0.999, "{found}");
    assert_eq!(found["results"][0]["found"].as_array().unwrap().len(), 3);
    let text = success(here, &["search", "--run=run", query]);
    assert!(text.starts_with("most like photos/dots/07.png:\n  1.0000  dots/07.png\n"), "{text}");

    // The run's weights say what they are.
    success(here, &["embed", "--weights=run/encoder.safetensors", "--data=photos", "--out=v.npy"]);
    let names = std::fs::read_to_string(here.join("v.txt")).unwrap();
    assert!(names.lines().count() == 40 && names.starts_with("dots/00.png\n"), "{names}");
}

#[test]
fn every_way_to_evaluate_says_what_it_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    success(
        here,
        &[&["pretrain", "--data=photos", "--out=run", "--epochs=1"], &TINY[..3]].concat(),
    );
    let eval = |arguments: &[&str]| {
        json(here, &[&["eval"], arguments, &["--run=run", "--data=photos"]].concat())
    };
    let of = |result: &serde_json::Value| result["of"].as_str().unwrap().to_owned();

    let raw = eval(&["knn", "--of=raw-pixels"]);
    assert_eq!(
        (of(&raw), &raw["report"]["evaluated"]["source"]),
        ("raw pixels instead of run".into(), &"raw_pixels".into())
    );
    assert_eq!(raw["report"]["evaluated"]["feature_size"], 3 * 16 * 16);
    let random = eval(&["knn", "--of=random-weights"]);
    assert_eq!(of(&random), "random weights instead of run");
    let said = |what: &str| {
        eval(&["knn", what, "--predictions=said.json"]);
        std::fs::read_to_string(here.join("said.json")).unwrap()
    };
    assert_ne!(said("--of=random-weights"), said("--of=encoder"));
    let sgd = eval(&["linear", "--sgd"]);
    assert!(sgd["report"]["evaluated"]["protocol"].as_str().unwrap().contains("SGD"));
    let few = eval(&["linear", "--labels-per-class=2"]);
    assert_eq!(few["train_images"], serde_json::json!([4, 4, 4, 4, 4]));

    let tuned =
        eval(&["finetune", "--epochs=2", "--labels-per-class=5", "--save=tuned.safetensors"]);
    assert_eq!(tuned["report"]["evaluated"]["train_images"], 10);
    let protocol = tuned["report"]["evaluated"]["protocol"].as_str().unwrap();
    assert!(protocol.starts_with("fine-tuning (AdamW), 2 epochs"), "{protocol}");
    assert!(here.join("tuned.safetensors").is_file());
    let random = eval(&["finetune", "--epochs=1", "--from-random-weights", "--paper"]);
    let protocol = random["report"]["evaluated"]["protocol"].as_str().unwrap();
    assert!(protocol.contains("linear layer from zeros"), "{protocol}");

    let saved = eval(&["linear", "--save=classifier.safetensors", "--predictions=said.csv"]);
    assert!(here.join("classifier.safetensors").is_file());
    let csv = std::fs::read_to_string(here.join("said.csv")).unwrap();
    let tested = saved["report"]["evaluated"]["test_images"].as_u64().unwrap();
    assert_eq!(csv.lines().count() as u64, 1 + tested);
    assert!(csv.starts_with("image,name,class,predicted,score of dots,score of stripes"));
}

#[test]
fn a_saved_classifier_is_the_one_that_was_measured_with_few_labels_too() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    success(
        here,
        &[&["pretrain", "--data=photos", "--out=run", "--epochs=1"], &TINY[..3]].concat(),
    );
    let test = Splits::open(here.join("photos")).unwrap().labelled.unwrap().test;
    let images: Vec<_> = (0..test.len()).map(|index| test.image(index).unwrap()).collect();
    let labels: Vec<usize> = (0..test.len()).map(|index| test.label(index).unwrap()).collect();

    for (few, top1) in [(None, "/report/top1"), (Some("--labels-per-class=3"), "/accuracies/0")] {
        let arguments = ["eval", "linear", "--run=run", "--data=photos", "--predictions=said.json"];
        let save = ["--save=classifier.safetensors"];
        let result = json(here, &[&arguments, &save[..], few.as_slice()].concat());
        let said = std::fs::read_to_string(here.join("said.json")).unwrap();
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();

        let file = here.join("classifier.safetensors");
        let classifier = Classifier::open(file, &Device::flex()).unwrap();
        let predictions = classifier.predict(&images).unwrap();
        let measured = result.pointer(top1).unwrap().as_f64().unwrap();
        assert!((predictions.accuracy(&labels, 1) - measured).abs() < 1e-9, "{few:?}: {result}");
        for (row, said) in predictions.rows().zip(said["predictions"].as_array().unwrap()) {
            let said = said["scores"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap());
            for (score, said) in row.iter().zip(said) {
                assert!((f64::from(*score) - said).abs() < 1e-5, "{few:?}: {score}, not {said}");
            }
        }
    }
}
