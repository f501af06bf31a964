//! Runs with more than two views of each image.

use simclr_data::Splits;
use simclr_loss::{PolyViewForm, Temperature};
use simclr_model::EncoderConfig;
use simclr_train::{
    ChunkStatistics, GrowingViews, LocalViews, LossConfig, MetricsLine, PretrainConfig, TrainError,
};

use crate::support::{
    changed, config, fails_after, in_directory, lines, new_run, pretraining, resumed, run, sample,
    values,
};

/// Four views of each image, and two smaller ones.
fn many(epochs: usize) -> PretrainConfig {
    changed(epochs, |config| {
        config.images.views_per_image = 4;
        config.images.local_views = Some(LocalViews { size: Some(8), ..LocalViews::new(2) });
    })
}

#[test]
fn a_run_of_many_views_that_was_stopped_equals_one_in_one_go() {
    let folder = tempfile::tempdir().unwrap();
    let (whole_dir, parts_dir) = (folder.path().join("whole"), folder.path().join("parts"));
    let whole = new_run(many(3), &whole_dir);

    // A run that a data set stops by failing in epoch 2.
    let data = Splits { pretrain: fails_after(&sample(), 24), ..sample() };
    run(in_directory(pretraining(many(3)), &parts_dir), &data).map(drop).unwrap_err();
    let parts = run(resumed(pretraining(many(3)), &parts_dir), &sample()).unwrap();
    assert_eq!(values(&parts.encoder), values(&whole.encoder));
    assert_eq!(lines(&parts_dir), lines(&whole_dir));

    let of_two = new_run(config(3), &folder.path().join("two"));
    assert_ne!(values(&of_two.encoder), values(&whole.encoder));
    let message = run(resumed(pretraining(config(3)), &parts_dir), &sample()).unwrap_err();
    assert!(message.to_string().contains("another images."), "{message}");
}

#[test]
fn every_loss_of_many_views_trains_in_chunks_too() {
    let temperature = Temperature::new(0.2).unwrap();
    let losses = [
        LossConfig::NtXent { temperature },
        LossConfig::PolyView { temperature, form: PolyViewForm::Arithmetic },
        LossConfig::PolyView { temperature, form: PolyViewForm::SufficientStatistics },
        LossConfig::SupCon { temperature },
    ];
    for loss in losses {
        for chunk_size in [None, Some(4)] {
            let mut config = many(1);
            config.train.loss = loss.clone();
            config.train.chunk_size = chunk_size;
            config.train.chunk_statistics = ChunkStatistics::PerChunk;
            let trained = run(pretraining(config), &sample()).unwrap();
            assert!(trained.summary.loss_last.is_some_and(f64::is_finite));
        }
    }
}

#[test]
fn a_loss_of_two_views_refuses_more_before_anything_is_trained() {
    let mut config = many(1);
    config.train.loss = LossConfig::DecoupledNtXent { temperature: Temperature::new(0.2).unwrap() };
    let error = run(pretraining(config), &sample()).err().unwrap();
    assert!(matches!(error, TrainError::OutOfRange(_)), "{error}");
    assert!(error.to_string().starts_with("expected views to be 2, since"), "{error}");
}

#[test]
fn views_out_of_range_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut PretrainConfig)| {
        changed(1, |config| change(config)).check().unwrap_err().to_string()
    };
    for views in [0, 1, 17] {
        let error = refused(&|config| config.images.views_per_image = views);
        assert_eq!(error, format!("expected views_per_image to be 2 to 16, found {views}"));
    }
    let local = |local: LocalViews| refused(&|c| c.images.local_views = Some(local.clone()));
    let error = local(LocalViews::new(0));
    assert_eq!(error, "expected local_views.count to be 1 to 16, found 0");
    let error = local(LocalViews { area: [0.4, 0.1], ..LocalViews::new(2) });
    assert!(error.contains("expected crop.area"), "{error}");
    let error = local(LocalViews { size: Some(0), ..LocalViews::new(2) });
    assert!(error.contains("expected size"), "{error}");
    // A vision transformer takes images of one size.
    let error = refused(&|config| {
        config.images.encoder = "vit_tiny_p8_i16".parse::<EncoderConfig>().unwrap();
        config.images.local_views = Some(LocalViews::new(2));
    });
    assert!(error.contains("expected"), "{error}");
}

#[test]
fn configs_of_two_views_are_written_as_before() {
    let text = toml::to_string(&config(1)).unwrap();
    assert!(!text.contains("views_per_image") && !text.contains("local_views"), "{text}");
    let text = toml::to_string(&many(1)).unwrap();
    assert_eq!(toml::from_str::<PretrainConfig>(&text).unwrap(), many(1));
}

/// Views of 8 pixels, then 12, then 16; smaller ones of half of that.
fn growing(epochs: usize) -> PretrainConfig {
    changed(epochs, |config| {
        config.images.local_views = Some(LocalViews::new(2));
        config.images.growing_views = Some(GrowingViews { first_size: 8, passes: 2 });
    })
}

#[test]
fn a_run_of_growing_views_that_was_stopped_equals_one_in_one_go_and_begins_as_one_of_small_views() {
    let folder = tempfile::tempdir().unwrap();
    let [whole_dir, parts_dir, small_dir] =
        ["whole", "parts", "small"].map(|name| folder.path().join(name));
    let whole = new_run(growing(3), &whole_dir);
    let data = Splits { pretrain: fails_after(&sample(), 24), ..sample() };
    run(in_directory(pretraining(growing(3)), &parts_dir), &data).map(drop).unwrap_err();
    let parts = run(resumed(pretraining(growing(3)), &parts_dir), &sample()).unwrap();
    assert_eq!(values(&parts.encoder), values(&whole.encoder));
    assert_eq!(lines(&parts_dir), lines(&whole_dir));

    let mut small = growing(3).with_image_size(8).unwrap();
    small.images.growing_views = None;
    new_run(small, &small_dir);
    let losses = |run| -> Vec<f64> {
        let loss = |line| match line {
            MetricsLine::Step { loss, .. } => loss,
            _ => None,
        };
        lines(run).into_iter().filter_map(loss).collect()
    };
    let (growing, small) = (losses(&whole_dir), losses(&small_dir));
    let steps = growing.len() / 3;
    assert_eq!(growing[..steps], small[..steps], "the first pass is one of small views");
    assert_ne!(growing[steps..], small[steps..]);
}

#[test]
fn growing_views_larger_than_the_full_size_or_that_an_encoder_does_not_take_are_refused() {
    let mut config = growing(1);
    config.images.growing_views = Some(GrowingViews { first_size: 17, passes: 2 });
    let error = config.check().unwrap_err().to_string();
    assert!(error.starts_with("expected growing_views.first_size to be 1 to 16"), "{error}");
    // A vision transformer takes images of one size.
    let mut config = changed(1, |config| {
        config.images.encoder = "vit_tiny_p8_i16".parse::<EncoderConfig>().unwrap();
    });
    config.check().unwrap();
    config.images.growing_views = Some(GrowingViews { first_size: 8, passes: 2 });
    assert!(config.check().is_err());
}
