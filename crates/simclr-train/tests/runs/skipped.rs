//! Images that cannot be read.

use std::path::Path;

use image::{Rgb, RgbImage};
use simclr_data::Splits;
use simclr_train::{MetricsLine, RunDirectory, TrainError, read_metrics};

use crate::support::{changed, in_directory, pretraining, resumed, run};

/// Twenty photos without labels, of which `broken` are none.
fn photos(dir: &Path, broken: usize) -> Splits {
    std::fs::create_dir_all(dir).unwrap();
    for number in 0..20_u32 {
        let path = dir.join(format!("{number:02}.png"));
        let shade = |x: u32, y: u32| Rgb([(x * number) as u8, (y * 9) as u8, 200]);
        RgbImage::from_fn(20, 20, shade).save(&path).unwrap();
        if (number as usize) < broken {
            std::fs::write(path, "no image").unwrap();
        }
    }
    Splits::open(dir).unwrap()
}

#[test]
fn a_skipped_image_is_named_once_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, data) = (folder.path().join("run"), photos(&folder.path().join("photos"), 2));
    let config = changed(3, |config| config.train.batch_size = 10);
    let trained = run(in_directory(pretraining(config.clone()), &dir), &data).unwrap();
    assert_eq!((trained.skipped.len(), trained.summary.skipped_images), (2, 2));

    let longer = changed(4, |config| config.train.batch_size = 10);
    let gone_on = run(resumed(pretraining(longer), &dir), &data).unwrap();
    assert_eq!(gone_on.skipped, trained.skipped);
    let lines = read_metrics(&RunDirectory::open(&dir).unwrap().metrics()).unwrap();
    let skipped = lines.iter().filter_map(|line| match line {
        MetricsLine::Skipped { epoch, index, reason } => Some((*epoch, *index, reason)),
        _ => None,
    });
    let mut skipped: Vec<_> = skipped.collect();
    skipped.sort_by_key(|(_, index, _)| *index);
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    assert!(
        skipped[1].0 == 1 && skipped[1].1 == 1 && skipped[1].2.contains("01.png"),
        "{skipped:?}"
    );
}

#[test]
fn more_unreadable_images_than_allowed_stop_the_run_which_goes_on_when_more_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, data) = (folder.path().join("run"), photos(&folder.path().join("photos"), 3));
    let config = |share| {
        changed(1, |config| (config.train.batch_size, config.train.max_skipped) = (10, share))
    };
    let error = run(in_directory(pretraining(config(0.1)), &dir), &data).unwrap_err();
    assert!(matches!(error, TrainError::TooManySkipped { examples: 20, .. }), "{error}");
    assert!(error.to_string().contains(".png"), "the first is named: {error}");
    let trained = run(resumed(pretraining(config(0.15)), &dir), &data).unwrap();
    assert_eq!((trained.summary.epochs, trained.summary.skipped_images), (1, 3));
}

#[test]
fn a_share_of_zero_stops_at_the_first_unreadable_image() {
    let folder = tempfile::tempdir().unwrap();
    let data = photos(&folder.path().join("photos"), 1);
    let strict =
        changed(1, |config| (config.train.batch_size, config.train.max_skipped) = (10, 0.0));
    let error = run(pretraining(strict.clone()), &data).unwrap_err();
    assert!(matches!(error, TrainError::TooManySkipped { skipped: 1, .. }), "{error}");
    let whole = photos(&folder.path().join("whole"), 0);
    run(pretraining(strict), &whole).map(drop).unwrap();
}

#[test]
fn a_run_with_one_unreadable_image_in_a_hundred_ends_as_others_do_and_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    for number in 0..200_u32 {
        let class = photos.join(if number % 2 == 0 { "dark" } else { "light" });
        std::fs::create_dir_all(&class).unwrap();
        let level = if number % 2 == 0 { 10 } else { 200 };
        let shade = |x: u32, y: u32| Rgb([level, (x * number) as u8 % 50, level + y as u8]);
        let path = class.join(format!("{number:03}.png"));
        RgbImage::from_fn(20, 20, shade).save(&path).unwrap();
        // One that is learnt from, and one of the test set: the second of each five.
        match number {
            40 => std::fs::write(path, "no image").unwrap(),
            103 => std::fs::write(&path, &std::fs::read(&path).unwrap()[..60]).unwrap(),
            _ => {}
        }
    }
    let data = Splits::open(&photos).unwrap();
    assert_eq!(data.pretrain.len(), 160);
    let dir = folder.path().join("run");
    let config = changed(2, |config| {
        config.train.batch_size = 20;
        config.train.steps_per_epoch = None;
    });
    let trained = run(in_directory(pretraining(config), &dir), &data).unwrap();
    let names: Vec<&str> = trained.skipped.iter().map(|skipped| skipped.reason.as_str()).collect();
    assert_eq!((names.len(), trained.summary.epochs), (1, 2), "{names:?}");
    assert!(names[0].contains("040.png"), "{names:?}");
    let accuracy = trained.summary.linear_probe;
    assert!(accuracy.is_some_and(|top1| top1 > 0.5), "{accuracy:?}");
}
