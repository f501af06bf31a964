//! Published weights by name: `--weights hf:OWNER/REPO`, and `simclr weights`.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use simclr::model::Naming;

use crate::hub::{COMMIT, Hub, TOKEN};
use crate::published::publish;
use crate::support::{failure, json, success, write_photos};

const NAME: &str = "resnet18x0.0625_cifar";

/// A hub with `o/r/model.safetensors`: the weights of a small network with torchvision's names.
fn small_hub(here: &Path) -> Hub {
    publish(here, "published.safetensors", NAME, Naming::Torchvision);
    let weights = std::fs::read(here.join("published.safetensors")).unwrap();
    Hub::new(&[("o/r/model.safetensors", &weights), ("gated/r/model.safetensors", &weights)])
}

fn done(output: &Output) -> (String, String) {
    let [out, error] = [&output.stdout, &output.stderr];
    let [out, error] = [out, error].map(|bytes| String::from_utf8(bytes.clone()).unwrap());
    assert!(output.status.success(), "{error}");
    (out, error)
}

fn failed(output: &Output) -> (i32, String) {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !error.contains("panicked"), "{error}");
    (output.status.code().unwrap(), error)
}

#[test]
fn weights_of_the_hub_serve_every_command_and_a_run_says_which_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    let hub = small_hub(here);
    let pinned = format!("hf:o/r@{COMMIT}/model.safetensors");
    let (encoder, size) = (format!("--encoder={NAME}"), "--image-size=16");
    let named = ["--weights=hf:o/r", &encoder, size];

    let embed = ["embed", "--data=photos", "--out=v.npy", "--json"];
    let (out, error) = done(&hub.run(here, &[&embed[..], &named].concat()));
    let result: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(result["weights"]["name"], pinned.as_str());
    assert_eq!(result["weights"]["sha256"].as_str().unwrap().len(), 64);
    assert!(error.contains(&format!("{pinned}: 100 tensors with torchvision's names")), "{error}");
    assert_eq!(hub.asked(), ["o/r/model.safetensors"]);

    let export = ["export", "--to=torchvision", "--out=again.safetensors"];
    done(&hub.run(here, &[&export[..], &named].concat()));
    let bytes = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert!(bytes("again.safetensors") == bytes("published.safetensors"), "other weights");
    let knn = ["eval", "knn", "--data=photos", "-k=3"];
    let (out, _) = done(&hub.run(here, &[&knn[..], &named].concat()));
    assert!(out.contains(&pinned), "{out}");
    let find = ["lr-find", "--data=photos", "--steps=10", "--batch-size=8"];
    hub.run(here, &[&find[..], &named].concat());

    let run = ["pretrain", "--data=photos", "--epochs=1", "--batch-size=8", "--out=run"];
    done(&hub.run(here, &[&run[..], &named].concat()));
    let config = std::fs::read_to_string(here.join("run/config.toml")).unwrap();
    assert!(config.contains(&format!("address = \"{pinned}\"")), "{config}");
    let summary: Value = serde_json::from_slice(&bytes("run/summary.json")).unwrap();
    assert_eq!(summary["first_weights"], pinned.as_str());
    assert!(hub.asked().is_empty(), "they are in the cache");

    // The run's own file repeats it: on another machine the weights are fetched again, by the commit.
    std::fs::remove_dir_all(here.join("cache")).unwrap();
    let again = ["pretrain", "--config=run/config.toml", "--data=photos", "--out=again"];
    let (code, error) = failed(&hub.run(here, &[&again[..], &["--offline"]].concat()));
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("hint: --offline or HF_HUB_OFFLINE forbids it"), "{error}");
    // The variable of the hub's own tools.
    let mut command = hub.command(here, &again);
    let (code, error) = failed(&command.env("HF_HUB_OFFLINE", "1").output().unwrap());
    assert!(code == 4 && error.contains("--offline"), "{code}: {error}");
    done(&hub.command(here, &again).env("HF_HUB_OFFLINE", "0").output().unwrap());
    assert_eq!(hub.asked(), ["o/r/model.safetensors"]);
    let trained = |run: &str| {
        let out = format!("--out={run}.safetensors");
        let run = format!("--run={run}");
        success(here, &["export", "--to=torchvision", &run, &out]);
        bytes(&out["--out=".len()..])
    };
    assert!(trained("again") == trained("run"), "another run");

    let other = config.replace("sha256 = \"", "sha256 = \"0");
    std::fs::write(here.join("other.toml"), other).unwrap();
    let other = ["pretrain", "--config=other.toml", "--data=photos", "--out=other"];
    let (code, error) = failed(&hub.run(here, &other));
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("which the run has recorded, found "), "{error}");
    assert!(!here.join("other").exists());
}

#[test]
fn known_weights_bring_network_size_and_normalisation() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("photos")).unwrap();
    crate::published::stripes(3, 7).save(here.join("photos/a.png")).unwrap();
    publish(here, "vit.safetensors", "vit_tiny_p16", Naming::Timm);
    let weights = std::fs::read(here.join("vit.safetensors")).unwrap();
    let repository = "timm/vit_tiny_patch16_224.augreg_in21k";
    let hub = Hub::new(&[(&format!("{repository}/model.safetensors"), &weights)]);
    let known = format!("--weights=hf:{repository}");
    let embed = |out: &str, more: &[&str]| {
        let arguments = ["embed", "--data=photos", out, &known];
        let (_, error) = done(&hub.run(here, &[&arguments[..], more].concat()));
        (std::fs::read(here.join(&out["--out=".len()..])).unwrap(), error)
    };
    let (by_default, said) = embed("--out=a.npy", &[]);
    assert!(said.contains("normalisation: centred (the weights' own"), "{said}");
    let told = ["--encoder=vit_tiny_p16", "--image-size=224", "--normalize=centred"];
    assert!(by_default == embed("--out=b.npy", &told).0, "other vectors");
    let (other, said) = embed("--out=c.npy", &["--normalize=imagenet"]);
    assert!(said.contains("imagenet (as asked for)") && by_default != other, "{said}");

    let plan = ["pretrain", "--dry-run", "--images=20", "--batch-size=4", "--json", &known];
    let plan = [&plan[..], &["--encoder=vit_tiny_p16_i32", "--image-size=32"]].concat();
    let (out, _) = done(&hub.run(here, &plan));
    let plan: Value = serde_json::from_str(&out).unwrap();
    let normalization = &plan["config"]["images"]["augmentation"]["normalization"];
    assert_eq!(normalization["mean"][0], 0.5, "{plan}");
}

#[test]
fn known_weights_need_no_encoder_and_refuse_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    publish(here, "vit.safetensors", "vit_tiny_p16", Naming::Timm);
    publish(here, "resnet.safetensors", "resnet18", Naming::Torchvision);
    let [vit, resnet] = ["vit", "resnet"]
        .map(|name| std::fs::read(here.join(format!("{name}.safetensors"))).unwrap());
    let hub = Hub::new(&[
        ("timm/vit_tiny_patch16_224.augreg_in21k/model.safetensors", &vit),
        ("timm/resnet18.a1_in1k/model.safetensors", &resnet),
    ]);
    let vit = "--weights=hf:timm/vit_tiny_patch16_224.augreg_in21k";
    let resnet = "--weights=hf:timm/resnet18.a1_in1k";
    // The encoder and the size of views.
    let planned = |more: &[&str]| {
        let plan = ["pretrain", "--dry-run", "--data=photos", "--images=4", "--batch-size=2"];
        let (out, said) = done(&hub.run(here, &[&plan[..], &["--json"], more].concat()));
        let plan: Value = serde_json::from_str(&out).unwrap();
        let images = &plan["config"]["images"];
        let encoder = images["encoder"].as_str().unwrap().to_owned();
        assert!(said.contains("tensors with "), "{said}");
        (encoder, images["augmentation"]["size"].as_u64().unwrap(), said)
    };
    let (encoder, size, said) = planned(&[vit]);
    assert_eq!((encoder.as_str(), size), ("vit_tiny_p16", 224));
    assert!(said.contains("encoder: vit_tiny_p16 (the weights' own)"), "{said}");
    let (encoder, size, said) = planned(&[vit, "--image-size=32"]);
    assert_eq!((encoder.as_str(), size), ("vit_tiny_p16_i32", 32));
    assert!(said.contains("resampled from 14 x 14 to 2 x 2"), "{said}");
    // Networks for images of any size take the views that there are, and those of recipes.
    let (encoder, size, _) = planned(&[resnet]);
    assert!(encoder == "resnet18" && size < 64, "{encoder}, {size}");
    let (encoder, size, _) = planned(&[resnet, "--recipe=cifar10-paper"]);
    assert_eq!((encoder.as_str(), size), ("resnet18", 32));
    // What computes the same with the weights is no contradiction.
    let (encoder, ..) = planned(&[resnet, "--encoder=resnet18_gamma1"]);
    assert_eq!(encoder, "resnet18_gamma1");

    let find = ["lr-find", "--data=photos", "--steps=10", "--batch-size=8", resnet];
    let found = String::from_utf8(hub.run(here, &find).stderr).unwrap();
    assert!(found.contains("encoder: resnet18 (the weights' own)"), "{found}");

    std::fs::write(here.join("other.toml"), "encoder = \"resnet34\"\n").unwrap();
    let run = ["--data=photos", "--out=run", resnet];
    let expected = "expected the encoder resnet18, which the weights hf:timm/resnet18.a1_in1k are of, found resnet";
    for arguments in [
        &["pretrain", "--encoder=resnet50"][..],
        &["pretrain", "--encoder=resnet18_cifar"],
        &["pretrain", "--set=images.encoder=resnet34"],
        &["pretrain", "--config=other.toml"],
    ] {
        let (code, error) = failed(&hub.run(here, &[arguments, &run].concat()));
        assert!(code == 2 && error.contains(expected), "{arguments:?}: {error}");
        assert!(!here.join("run").exists());
    }
    let photos = ["--data=photos", resnet];
    for arguments in [
        &["lr-find", "--encoder=resnet50", "--steps=10"][..],
        &["embed", "--encoder=resnet34", "--image-size=32", "--out=v.npy"],
    ] {
        let (code, error) = failed(&hub.run(here, &[arguments, &photos].concat()));
        assert!(code == 2 && error.contains(expected), "{arguments:?}: {error}");
    }
}

/// What `hf:facebook/dinov2-small` brings: the names that `transformers` has.
#[test]
fn a_dinov2_as_it_is_on_the_hub_embeds_without_more_words() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("photos")).unwrap();
    crate::published::stripes(3, 7).save(here.join("photos/a.png")).unwrap();
    publish(here, "hub.safetensors", "vit_small_p14_dinov2", Naming::Transformers);
    publish(here, "timm.safetensors", "vit_small_p14_dinov2", Naming::Timm);
    let weights = std::fs::read(here.join("hub.safetensors")).unwrap();
    let hub = Hub::new(&[("facebook/dinov2-small/model.safetensors", &weights)]);
    let embed = ["embed", "--data=photos"];
    let by_name = ["--weights=hf:facebook/dinov2-small", "--out=a.npy"];
    let (_, said) = done(&hub.run(here, &[&embed[..], &by_name].concat()));
    assert!(said.contains("222 tensors with transformers's names"), "{said}");
    let timm = ["--weights=timm.safetensors", "--encoder=vit_small_p14_dinov2", "--image-size=224"];
    success(here, &[&embed[..], &timm, &["--out=b.npy"]].concat());
    let vectors = |name: &str| std::fs::read(here.join(name)).unwrap();
    assert!(vectors("a.npy") == vectors("b.npy"), "other vectors");
}

#[test]
fn a_pickle_that_calls_something_calls_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    // A file of PyTorch before 1.6 that asks for `os.system("touch called")`.
    let pickle = [
        &b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."[..],
        b"\x80\x02M\xe9\x03.",
        b"\x80\x02}.",
        b"\x80\x02cposix\nsystem\nX\x0c\0\0\0touch called\x85R.",
        b"\x80\x02].",
    ]
    .concat();
    let hub = Hub::new(&[("evil/r/pytorch_model.bin", &pickle)]);
    let arguments = ["embed", "--weights=hf:evil/r", "--encoder=resnet18", "--image-size=32"];
    let arguments = [&arguments[..], &["--data=photos", "--out=v.npy"]].concat();
    let (code, error) = failed(&hub.run(here, &arguments));
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("pytorch_model.bin"), "{error}");
    assert!(!here.join("called").exists() && !here.join("v.npy").exists());
}

#[test]
fn a_gated_repository_takes_a_token_and_nothing_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let hub = small_hub(here);
    let fetch = ["weights", "fetch", "hf:gated/r"];
    let (code, error) = failed(&hub.run(here, &fetch));
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("give a token of your account in HF_TOKEN"), "{error}");

    let wrong = hub.command(here, &fetch).env("HF_TOKEN", "hf_other").output().unwrap();
    let (_, error) = failed(&wrong);
    assert!(error.contains("has no access") && !error.contains("hf_other"), "{error}");
    let broken = hub.command(here, &fetch).env("HF_TOKEN", "hf_a b").output().unwrap();
    let (code, error) = failed(&broken);
    assert!(code == 2 && error.contains("HF_TOKEN") && !error.contains("hf_a b"), "{error}");

    std::fs::create_dir(here.join("hf")).unwrap();
    std::fs::write(here.join("hf/token"), format!("{TOKEN}\n")).unwrap();
    let output = hub.command(here, &fetch).env("RUST_LOG", "trace").output().unwrap();
    let (out, error) = done(&output);
    assert!(out.contains(&format!("hf:gated/r@{COMMIT}/model.safetensors: ")), "{out}");
    assert!(!out.contains(TOKEN) && !error.contains(TOKEN), "{error}");
}

#[test]
fn two_processes_fetch_a_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let hub = small_hub(here);
    let start = || {
        let mut command = hub.command(here, &["weights", "fetch", "hf:o/r", "--json"]);
        command.stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let both = [start(), start()].map(|process| process.wait_with_output().unwrap());
    let [one, other] = both.map(|output| done(&output).0);
    assert_eq!(one, other);
    assert_eq!(hub.asked(), ["o/r/model.safetensors"]);
}

#[test]
fn the_table_of_known_weights_is_for_people_and_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let text = success(here, &["weights", "list"]);
    let line = text.lines().find(|line| line.contains("vit_small_patch16_224.augreg_in21k_ft"));
    let line = line.unwrap();
    for part in ["vit_small_p16", "224", "84.1", "centred", "apache-2.0", "ImageNet-21k's labels"] {
        assert!(line.contains(part), "{line}");
    }
    let list = json(here, &["weights", "list"]);
    let first = &list["weights"][0];
    assert_eq!(first["weights"], "torchvision:resnet18@IMAGENET1K_V1");
    assert_eq!((&first["encoder"], &first["image_size"]), (&"resnet18".into(), &224.into()));
    assert_eq!(list["weights"].as_array().unwrap().len(), text.lines().count() - 1);
}

#[test]
fn hostile_and_misspelt_names_are_mistakes_of_the_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos(here);
    for name in [
        "hf:../../x",
        "hf:o/r/../../x.bin",
        "hf:o/r//etc/passwd.bin",
        "hf:o/%2e%2e",
        "hf:o/r@..",
        "torchvision:resnet50@V9",
        "torchvision:../x",
        "hf:o/r\u{1b}[2J",
    ] {
        let weights = format!("--weights={name}");
        let embed = ["embed", "--data=photos", "--out=v.npy", &weights];
        for arguments in [&embed[..], &["weights", "fetch", name], &["pretrain", &weights]] {
            let (code, error) = failure(here, arguments);
            assert_eq!(code, 2, "{arguments:?}: {error}");
            assert!(error.contains("expected "), "{error}");
        }
    }
    let slip = ["export", "--weights=timm:resnet18", "--to=timm", "--out=a.safetensors"];
    let (code, error) = failure(here, &slip);
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("hint: published weights are hf:OWNER/REPO"), "{error}");
    // A flag that needs the network's name, for a file of which nothing is known.
    std::fs::write(here.join("w.pth"), "x").unwrap();
    let half = ["embed", "--data=photos", "--out=v.npy", "--weights=w.pth", "--normalize=none"];
    let (code, error) = failure(here, &half);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("expected --encoder NAME and --image-size N"), "{error}");
}
