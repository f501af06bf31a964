//! The example `ablate_views`: its views, and the program as a user meets it.

mod example;
#[path = "../examples/ablate_views/one_sided_views.rs"]
mod one_sided_views;
#[expect(dead_code, reason = "the example uses all of it")]
#[path = "../examples/ablate_views/results.rs"]
mod results;
#[path = "../examples/ablate_views/transformation.rs"]
mod transformation;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use burn::tensor::Device;
use example::example;
use image::{Rgb, RgbImage};
use one_sided_views::OneSidedViews;
use results::Cell;
use simclr::augment::{Normalization, SimClrAugmentation};
use simclr::data::{ImageDataset, Sample, SampleConfig};
use simclr::train::ViewSource;
use transformation::Transformation::{
    self, Blur, Color, Crop, Cutout, Flip, Gray, Rotate, Solarize,
};

const SIZE: usize = 16;

/// Values of a view, channel by channel.
type View = Vec<f32>;

/// Both views of a few images, not normalised, by the transformations of a cell.
fn views(pair: [Transformation; 2]) -> Vec<[View; 2]> {
    let mut config = SimClrAugmentation::cifar10().with_size(SIZE as u32).unwrap().config().clone();
    config.normalization = Normalization::NONE;
    let policy = SimClrAugmentation::new(config).unwrap();
    let sample = Sample::new(SampleConfig { images: 6, size: 32, ..SampleConfig::default() });
    let images: Arc<dyn ImageDataset> = Arc::new(sample.unwrap());
    let source = OneSidedViews::new(&images, &policy, &Cell::untrained(pair, 0)).unwrap();
    let views = source.views(0, &[0, 1, 2, 3, 4, 5], &Device::flex()).unwrap().views.unwrap();
    let [input] = &views.into_inputs()[..] else { panic!("views of one size") };
    let values = input.to_data().try_to_vec::<f32>().unwrap();
    let (a, b) = values.split_at(values.len() / 2);
    let view = 3 * SIZE * SIZE;
    let pairs = a.chunks(view).zip(b.chunks(view));
    pairs.map(|(a, b)| [a.to_vec(), b.to_vec()]).collect()
}

fn mirrored(view: &View) -> View {
    view.chunks(SIZE).flat_map(|row| row.iter().rev().copied()).collect()
}

fn is_gray(view: &View) -> bool {
    let (red, rest) = view.split_at(SIZE * SIZE);
    red == &rest[..SIZE * SIZE] && red == &rest[SIZE * SIZE..]
}

#[test]
fn the_first_view_is_the_same_crop_in_every_cell() {
    let first = |pair| views(pair).into_iter().map(|[a, _]| a).collect::<Vec<_>>();
    let crops = first([Flip, Flip]);
    assert!(!crops.iter().any(is_gray));
    for pair in [[Crop, Crop], [Cutout, Color], [Gray, Solarize], [Blur, Rotate], [Rotate, Crop]] {
        assert_eq!(first(pair), crops, "{pair:?}");
    }
}

#[test]
fn a_cell_of_the_diagonal_transforms_once_and_every_transformation_does_something() {
    let flipped = views([Flip, Flip]);
    assert!(flipped.iter().all(|[a, b]| b == a || *b == mirrored(a)));
    assert!(flipped.iter().any(|[a, b]| b != a));
    for name in [Crop, Cutout, Color, Gray, Solarize, Blur, Rotate] {
        // A blur of the smallest sigma is none.
        let changed = views([name, name]).iter().filter(|[a, b]| a != b).count();
        assert!(changed >= 4, "{name}: {changed} of 6");
    }
    // Twice would give the crop back.
    let level = |value: f32| (255.0 * value).round() as i32;
    for [a, b] in views([Solarize, Solarize]) {
        for (a, b) in a.into_iter().zip(b) {
            let inverted = if level(a) >= 128 { 255 - level(a) } else { level(a) };
            assert_eq!(level(b), inverted);
        }
    }
}

#[test]
fn transformations_run_in_the_order_of_the_pair() {
    let second = |pair| views(pair).into_iter().map(|[_, b]| b).collect::<Vec<_>>();
    let (colour_last, gray_last) = (second([Gray, Color]), second([Color, Gray]));
    assert!(gray_last.iter().all(is_gray));
    assert_ne!(colour_last, gray_last);
    // The square that is cut out last is whole: 8 x 8 black pixels, where nothing is normalised.
    let black = |view: &View| view[..SIZE * SIZE].iter().filter(|&&value| value == 0.0).count();
    assert!(second([Blur, Cutout]).iter().all(|view| black(view) >= 64));
    assert!(second([Cutout, Crop]).iter().any(|view| black(view) != 64));
}

/// Runs the example on two transformations and a tiny network, with `arguments` on top.
fn ablate(folder: &Path, arguments: &[&str]) -> Output {
    let tiny = ["--images=20", "--epochs=1", "--encoder=resnet18x0.03125", "--out=out"];
    let name = |flag: &str| flag.split('=').next().unwrap_or(flag).to_owned();
    let given = |flag: &&&str| !arguments.iter().any(|argument| name(argument) == name(flag));
    Command::new(example("ablate_views"))
        .current_dir(folder)
        .args(tiny.iter().filter(given))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    stdout + &stderr
}

/// The table without the last column, which is a time.
fn table(folder: &Path) -> Vec<String> {
    let table = std::fs::read_to_string(folder.join("out/cells.csv")).unwrap();
    table.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
}

#[test]
fn every_pair_has_its_figures_and_a_stopped_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--pairs=crop,gray", "--seed=0,1"];
    let output = ablate(folder.path(), &arguments);
    let printed = text(&output);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("8 of 8 cells to train"), "{printed}");
    assert!(printed.contains("standard deviation between seeds"), "{printed}");
    let lines = table(folder.path());
    assert_eq!(lines.len(), 9);
    assert!(lines[2].starts_with("crop,gray,0,"), "{lines:?}");

    // The picture has the mean over the seeds of each cell, and over each row.
    let picture = std::fs::read_to_string(folder.path().join("out/matrix.svg")).unwrap();
    let linear = |line: usize| lines[line].split(',').nth(3).unwrap().parse::<f64>().unwrap();
    let cell = |line: usize| f64::midpoint(linear(line), linear(line + 4));
    let shown = |share: f64| picture.contains(&format!(">{:.1}</text>", 100.0 * share));
    assert!((1..=4).all(|line| shown(cell(line))), "{picture}");
    assert!(shown(f64::midpoint(cell(1), cell(2))) && shown(f64::midpoint(cell(3), cell(4))));
    assert_eq!(picture.matches(">gray</text>").count(), 2);

    let path = folder.path().join("out/cells.csv");
    let whole = std::fs::read_to_string(&path).unwrap();
    let stopped: String = whole.lines().take(8).map(|line| line.to_owned() + "\n").collect();
    std::fs::write(&path, stopped).unwrap();
    let printed = text(&ablate(folder.path(), &arguments));
    assert!(printed.contains("1 of 8 cells to train"), "{printed}");
    assert_eq!(table(folder.path()), lines);
}

#[test]
fn mistakes_are_named_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("photos")).unwrap();
    for number in 0..20 {
        let image = RgbImage::from_pixel(20, 20, Rgb([12 * number; 3]));
        image.save(folder.path().join(format!("photos/{number}.png"))).unwrap();
    }
    assert!(ablate(folder.path(), &["--pairs=flip"]).status.success());
    let before = table(folder.path());
    for (arguments, message) in [
        (&["--pairs=crop,blur,crop"][..], "found crop twice"),
        (&["--pairs=crop,sobel"], "invalid value 'sobel'"),
        (&["--epochs=0"], "expected epochs to be at least 1, found 0"),
        (&["--seed=x"], "invalid value 'x'"),
        (&["--encoder=vgg16"], "vgg16"),
        (&["--data=photos", "--out=photos/out"], "expected labelled images"),
        (&["--data=nowhere"], "nowhere"),
        (&["--epochs=2"], "expected the settings of out"),
        (&["--out=photos"], "expected photos to be empty"),
        (&["--device=abacus"], "expected a device out of"),
    ] {
        let output = ablate(folder.path(), arguments);
        let printed = text(&output);
        assert!(!output.status.success() && printed.contains(message), "{message}: {printed}");
        assert!(!printed.contains("panicked"), "{printed}");
    }
    assert_eq!(table(folder.path()), before);
    assert!(!folder.path().join("photos/out").exists());

    let path = folder.path().join("out/cells.csv");
    let broken = std::fs::read_to_string(&path).unwrap() + "crop,flip,0,NaN,0.5,1.0,2.0\n";
    std::fs::write(&path, &broken).unwrap();
    let printed = text(&ablate(folder.path(), &["--pairs=flip"]));
    assert!(printed.contains("line 3: expected a cell, found \"crop,flip,0,NaN"), "{printed}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), broken);
}
