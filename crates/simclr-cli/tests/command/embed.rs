//! `simclr embed`: every data set that a run takes, with its labels.

use std::path::Path;

use simclr::burn::tensor::Device;
use simclr::data::WholeSet;
use simclr::embed::{Embedder, VectorFile};
use simclr::model::{EncoderConfig, save_weights};
use simclr::train::DataChecksum;

use crate::support::{failure, json, simclr, success, write_photos_and_run};

/// The lines of a table, without its header.
fn table(path: impl AsRef<Path>) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(str::to_owned);
    assert_eq!(lines.next().as_deref(), Some("name,split,class,label"));
    lines.collect()
}

#[test]
fn every_split_is_embedded_with_names_splits_and_classes_beside() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let found = json(here, &["embed", "--run=run", "--data=photos"]);
    assert_eq!((&found["images"], &found["labels"]), (&40.into(), &"run/index.labels.csv".into()));
    let lines = table(here.join("run/index.labels.csv"));
    assert_eq!(lines.len(), 40);
    assert_eq!(lines[..2], ["dots/00.png,train,dots,0", "dots/01.png,test,dots,0"]);
    assert_eq!(lines[20], "stripes/00.png,train,stripes,1");

    for split in ["train", "val"] {
        std::fs::create_dir_all(here.join("split").join(split)).unwrap();
    }
    std::fs::rename(here.join("photos/dots"), here.join("split/train/dots")).unwrap();
    std::fs::rename(here.join("photos/stripes"), here.join("split/val/stripes")).unwrap();
    std::fs::write(here.join("split/train/dots/notes.heic"), "").unwrap();
    let output = simclr(here, &["embed", "--run=run", "--data=split", "--out=v.npy"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{error}");
    assert!(error.contains("passed over: 1 .heic"), "{error}");
    let lines = table(here.join("v.labels.csv"));
    assert_eq!((lines.len(), &lines[39]), (40, &"val/stripes/19.png,val,stripes,1".to_owned()));
    let names = std::fs::read_to_string(here.join("v.txt")).unwrap();
    let of_table: Vec<&str> = lines.iter().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(names.lines().collect::<Vec<_>>(), of_table);
}

#[test]
fn binaries_are_embedded_with_their_classes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let cifar = here.join("cifar/cifar-10-batches-bin");
    std::fs::create_dir_all(&cifar).unwrap();
    let record = |label: u8| [vec![label], vec![20 * label; 3 * 32 * 32]].concat();
    std::fs::write(cifar.join("data_batch_1.bin"), [record(3), record(5), record(3)].concat())
        .unwrap();
    std::fs::write(cifar.join("test_batch.bin"), record(9)).unwrap();
    success(here, &["embed", "--run=run", "--data=cifar", "--out=c.safetensors"]);
    let lines = table(here.join("c.labels.csv"));
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1], "data_batch_1.bin[1],train,dog,5");
    assert_eq!(lines[3], "test_batch.bin[0],test,truck,9");

    let stl = here.join("stl");
    std::fs::create_dir(&stl).unwrap();
    let images = |count: usize| vec![7_u8; count * 3 * 96 * 96];
    std::fs::write(stl.join("train_X.bin"), images(2)).unwrap();
    std::fs::write(stl.join("train_y.bin"), [1, 10]).unwrap();
    std::fs::write(stl.join("unlabeled_X.bin"), images(1)).unwrap();
    success(here, &["embed", "--run=run", "--data=stl", "--out=s.npy"]);
    let lines = table(here.join("s.labels.csv"));
    assert_eq!(lines[1..], ["train_X.bin[1],train,truck,9", "unlabeled_X.bin[0],unlabelled,,"]);
}

#[test]
fn vectors_that_were_begun_are_gone_on_with_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let embed = ["embed", "--run=run", "--data=photos", "--out=v.npy"];
    let (code, error) = failure(here, &[&embed[..], &["--resume"]].concat());
    assert!(code == 4 && error.contains("expected vectors that are not finished"), "{error}");
    assert!(error.contains("without --resume the command begins anew"), "{error}");
    success(here, &embed);
    let whole = std::fs::read(here.join("v.npy")).unwrap();

    // As if it had been killed before it moved the vectors to their name.
    let started = Embedder::open(here.join("run"), &Device::flex()).unwrap();
    let photos = WholeSet::open(here.join("photos")).unwrap();
    let checksum = DataChecksum::new(&photos);
    let data =
        format!("40 images, of names {:.12} and file sizes {:.12}", checksum.names, checksum.sizes);
    let (size, preparation) = (started.feature_size(), started.preparation());
    let out = here.join("w.npy");
    let mut file = VectorFile::create(&out, size, &preparation, &data).unwrap();
    started.embed_each(&photos, 0..13, |range, part| file.append(range, &part, &photos)).unwrap();
    file.note().unwrap();
    drop(file);
    let embed = ["embed", "--run=run", "--data=photos", "--out=w.npy"];
    let (code, error) = failure(here, &embed);
    assert!(code == 4 && error.contains("expected no unfinished vectors, found 13 in"), "{error}");
    assert!(error.contains("--resume goes on with them"), "{error}");
    let (code, error) =
        failure(here, &["embed", "--run=run", "--data=run/..", "--out=w.npy", "--resume"]);
    assert!(code == 2 && error.contains("to be of the data"), "{code} {error}");
    let flags = ["--resume", "--batch-size=5", "--device=flex,flex"];
    let found = json(here, &[&embed[..], &flags].concat());
    assert_eq!((&found["images"], &found["skipped_images"]), (&40.into(), &0.into()));
    let resumed = std::fs::read(here.join("w.npy")).unwrap();
    assert_eq!(resumed.len(), whole.len());
    assert_eq!(resumed[..128], whole[..128]);
    let values = |bytes: &[u8]| -> Vec<f32> {
        bytes[128..].as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
    };
    for (a, b) in values(&resumed).iter().zip(values(&whole)) {
        assert!((a - b).abs() < 1e-5, "{a}, not {b}");
    }
    let (code, error) = failure(here, &["embed", "--run=run", "--data=photos", "--out=v.csv"]);
    assert!(code == 2 && error.contains("ends in .npy or .safetensors, found v.csv"), "{error}");
    let (code, error) = failure(here, &[&embed[..], &["--batch-size=0"]].concat());
    assert!(code == 2 && error.contains("batch_size to be at least 1"), "{error}");
}

#[test]
fn features_of_patches_are_of_transformers_and_go_into_a_file_for_numpy() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    write_photos_and_run(here);
    let config: EncoderConfig = "vit_tiny_p8_i16".parse().unwrap();
    let encoder = config.init(0, &Device::flex()).unwrap();
    save_weights(&encoder, here.join("vit.safetensors")).unwrap();
    let vit = [
        "--weights=vit.safetensors",
        "--encoder=vit_tiny_p8_i16",
        "--image-size=16",
        "--normalize=centred",
        "--data=photos",
        "--patches",
    ];
    let found = json(here, &[&["embed", "--out=v.npy"], &vit[..]].concat());
    let expected = (&40.into(), &4.into(), &192.into());
    assert_eq!((&found["images"], &found["patches"], &found["feature_size"]), expected);
    let bytes = std::fs::read(here.join("v.npy")).unwrap();
    assert_eq!(bytes.len(), 128 + 40 * 4 * 192 * 4);
    assert!(String::from_utf8_lossy(&bytes[..128]).contains("'shape': (40, 4, 192)"));

    let (code, error) = failure(here, &[&["embed", "--out=v.safetensors"], &vit[..]].concat());
    assert!(code == 1 && error.contains("ends in .npy for features of patches"), "{code}: {error}");
    let of_run = ["embed", "--run=run", "--data=photos", "--out=w.npy", "--patches"];
    let (code, error) = failure(here, &of_run);
    assert!(code == 1 && error.contains("expected an encoder of patches"), "{code}: {error}");
    assert!(!here.join("w.npy.unfinished").exists());
}
