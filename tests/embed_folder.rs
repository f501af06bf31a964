//! The example `embed_folder` as a user meets it.

mod example;

use std::path::Path;
use std::process::{Command, Output};

use burn::tensor::{Device, Tensor, TensorData};
use example::example;
use image::{Rgb, RgbImage};
use simclr::augment::Normalization;
use simclr::model::{Encoder, EncoderConfig, Naming, save_published_weights, save_weights};

const ENCODER: &str = "resnet18x0.0625_cifar";
const SIZE: u32 = 12;

fn embed(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(example("embed_folder"))
        .current_dir(folder)
        .args(["--data=images", &format!("--image-size={SIZE}")])
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    stdout + &stderr
}

/// Images of the asked size, which must not be resampled, written out of order.
fn write_images(folder: &Path) -> Vec<RgbImage> {
    std::fs::create_dir(folder.join("images")).unwrap();
    let image = |number: u32| {
        RgbImage::from_fn(SIZE, SIZE, |x, y| {
            Rgb([(x * y * 7 + number * 50) as u8, (x * 20) as u8, (y * number * 9) as u8])
        })
    };
    let images: Vec<RgbImage> = (0..5).map(image).collect();
    for number in [3, 0, 4, 1, 2] {
        images[number].save(folder.join(format!("images/{number}.png"))).unwrap();
    }
    images
}

/// What the encoder gives for normalised pixels.
fn expected(images: &[RgbImage], Normalization { mean, std }: &Normalization) -> Vec<f32> {
    let device = Device::flex();
    let side = SIZE as usize;
    let mut pixels = Vec::new();
    for image in images {
        for channel in 0..3 {
            let value = |pixel: &Rgb<u8>| f32::from(pixel.0[channel]) / 255.0;
            let normalise = |value: f32| (value - mean[channel]) / std[channel];
            pixels.extend(image.pixels().map(|pixel| normalise(value(pixel))));
        }
    }
    let data = TensorData::new(pixels, [images.len(), 3, side, side]);
    let encoder = ENCODER.parse::<EncoderConfig>().unwrap().init(1, &device).unwrap();
    encoder.encode(Tensor::from_data(data, &device)).into_data().try_to_vec().unwrap()
}

fn assert_close(bytes: &[u8], expected: &[f32]) {
    let found: Vec<f32> =
        bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-5 * expected.abs().max(1.0),
            "expected {expected}, found {found}"
        );
    }
}

#[test]
fn vectors_of_a_folder_are_the_encoders_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let images = write_images(folder.path());
    let encoder = ENCODER.parse::<EncoderConfig>().unwrap().init(1, &Device::flex()).unwrap();
    save_weights(&encoder, folder.path().join("ours.safetensors")).unwrap();
    let published = folder.path().join("published.safetensors");
    save_published_weights(&encoder, Naming::Torchvision, &published).unwrap();

    // Nothing says how the pixels were normalised: as for published weights.
    let of_imagenet = expected(&images, &Normalization::IMAGENET);
    let arguments = ["--weights=ours.safetensors", "--encoder", ENCODER, "--out=vectors.npy"];
    let query = ["--query=images/3.png", "--neighbours=2"];
    let output = embed(folder.path(), &[&arguments[..], &query].concat());
    let printed = text(&output);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("most like images/3.png:\n  1.0000  3.png\n"), "{printed}");
    let file = std::fs::read(folder.path().join("vectors.npy")).unwrap();
    let header =
        b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (5, 32, ), }";
    assert!(file.starts_with(header), "{}", String::from_utf8_lossy(&file[..128]));
    assert_eq!(file[127], b'\n');
    assert_close(&file[128..], &of_imagenet);
    assert!(printed.contains("; normalisation: imagenet\n"), "{printed}");
    let names = std::fs::read_to_string(folder.path().join("vectors.txt")).unwrap();
    assert_eq!(names, "0.png\n1.png\n2.png\n3.png\n4.png\n");
    let table = std::fs::read_to_string(folder.path().join("vectors.labels.csv")).unwrap();
    assert!(table.starts_with("name,split,class,label\n0.png,train,,\n"), "{table}");

    let arguments =
        ["--weights=published.safetensors", "--encoder", ENCODER, "--out=vectors.safetensors"];
    let output = embed(folder.path(), &[&arguments[..], &["--normalize=none"]].concat());
    assert!(output.status.success(), "{}", text(&output));
    let file = std::fs::read(folder.path().join("vectors.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
    let as_told = expected(&images, &Normalization::NONE);
    assert_close(tensors.tensor("vectors").unwrap().data(), &as_told);
    let names = tensors.tensor("names").unwrap().data();
    assert_eq!(names, br#"["0.png","1.png","2.png","3.png","4.png"]"#);
}

#[test]
fn mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    write_images(folder.path());
    std::fs::write(folder.path().join("torn.pth"), b"PK\x03\x04 and no more").unwrap();
    let encoder = ENCODER.parse::<EncoderConfig>().unwrap().init(1, &Device::flex()).unwrap();
    save_weights(&encoder, folder.path().join("ours.safetensors")).unwrap();
    for (arguments, message) in [
        (["--weights=ours.safetensors", "--encoder=vgg16", "--out=v.npy"], "found \"vgg16\""),
        (
            ["--weights=none.pth", "--encoder=resnet18", "--out=v.npy"],
            "cannot load weights from none.pth",
        ),
        (["--weights=torn.pth", "--encoder=resnet18", "--out=v.npy"], "the file is cut off"),
        (
            ["--weights=ours.safetensors", "--encoder=resnet18", "--out=v.npy"],
            "of shape [64, 3, 7, 7], found",
        ),
        (
            ["--weights=ours.safetensors", "--encoder=resnet34", "--out=v.txt"],
            "expected --out to end in",
        ),
        (
            ["--weights=ours.safetensors", "--encoder=vit_tiny_p16", "--out=v.npy"],
            "expected images of 224 x 224 pixels, found 12 x 12",
        ),
    ] {
        let output = embed(folder.path(), &arguments);
        let printed = text(&output);
        assert!(!output.status.success() && printed.contains(message), "{message}: {printed}");
        assert!(!printed.contains("panicked"), "{printed}");
    }
}
