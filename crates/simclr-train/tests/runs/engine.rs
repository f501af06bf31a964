//! What a run trains, and on what.

use burn::tensor::Device;
use simclr_data::Splits;
use simclr_loss::Temperature;
use simclr_train::{ChunkStatistics, LossConfig, Pretraining, ViewPath};

use crate::support::{Sum, changed, config, pretraining, run, sample, values};

#[test]
fn the_same_seed_gives_the_same_encoder_and_another_seed_another() {
    let train = |seed| {
        let config = changed(2, |config| config.train.seed = seed);
        values(&run(pretraining(config), &sample()).unwrap().encoder)
    };
    let first = train(3);
    assert_eq!(first, train(3));
    assert_ne!(first, train(4));
}

#[test]
fn every_loss_of_the_config_and_a_loss_of_the_caller_train_by_their_own_formula() {
    let temperature = Temperature::new(0.5).unwrap();
    let train = |pretraining| run(pretraining, &sample()).unwrap().summary.loss_last.unwrap();
    let nt_xent = train(pretraining(config(1)));
    let decoupled = LossConfig::DecoupledNtXent { temperature };
    let decoupled = train(pretraining(changed(1, |config| config.train.loss = decoupled)));
    let sup_con = LossConfig::SupCon { temperature };
    let sup_con = train(pretraining(changed(1, |config| config.train.loss = sup_con)));
    let own = train(Pretraining::with_loss(config(1), "sum", Sum).unwrap());
    assert!(
        nt_xent > decoupled,
        "the positive pair leaves the denominator: {decoupled}, {nt_xent}"
    );
    assert!((sup_con - nt_xent).abs() > 1e-6 && sup_con > 0.0, "{sup_con}, {nt_xent}");
    assert!(own < 1.0, "{own}");
}

#[test]
fn training_changes_weights_and_lowers_the_loss() {
    let summary = run(pretraining(config(8)), &sample()).unwrap().summary;
    assert!(summary.loss_last < summary.loss_first, "{summary:?}");
}

#[test]
fn views_from_the_device_train_like_views_from_the_cpu() {
    let first_loss = |views| {
        let config = changed(1, |config| config.images.views = views);
        run(pretraining(config), &sample()).unwrap().summary.loss_first.unwrap()
    };
    let (cpu, device) = (first_loss(ViewPath::Cpu), first_loss(ViewPath::Device));
    assert!((cpu - device).abs() < 1e-3, "{cpu} and {device}");
}

#[test]
fn several_devices_make_the_encoder_that_one_makes_of_the_same_chunks() {
    let chunked = changed(2, |config| config.train.chunk_size = Some(2));
    let one = run(pretraining(chunked.clone()), &sample()).unwrap();
    for devices in [2, 4] {
        let more = vec![Device::flex(); devices - 1];
        let pretraining = pretraining(chunked.clone()).with_trainer(|t| t.with_more_devices(&more));
        let several = run(pretraining, &sample()).unwrap();
        if devices == 4 {
            assert_eq!(values(&several.encoder), values(&one.encoder));
        }
        // Two devices with two chunks each add the gradients in another order.
        let [found, expected] = [&several, &one].map(|run| run.summary.loss_last.unwrap());
        assert!((found - expected).abs() < 1e-3 * expected, "{found}, {expected}");
    }
}

#[test]
fn a_batch_that_the_devices_cannot_share_is_refused() {
    let pretraining = pretraining(config(1))
        .with_trainer(|t| t.with_more_devices(&[Device::flex(), Device::flex()]));
    let message = run(pretraining, &sample()).unwrap_err().to_string();
    assert_eq!(
        message,
        "expected batch_size to be a multiple of 3, the number of devices, found 8"
    );
}

#[test]
fn chunks_of_an_encoder_with_batch_normalisation_can_be_refused() {
    let strict = changed(1, |config| {
        config.train.chunk_size = Some(4);
        config.train.chunk_statistics = ChunkStatistics::Refuse;
    });
    let message = run(pretraining(strict.clone()), &sample()).unwrap_err().to_string();
    assert!(message.starts_with("expected chunk_size to be the batch size, 8"), "{message}");
    let whole = changed(1, |config| config.train.chunk_size = Some(8));
    run(pretraining(whole), &sample()).unwrap();
}

#[test]
fn images_without_labels_are_trained_on_without_knn() {
    let data = Splits { labelled: None, ..sample() };
    let summary = run(pretraining(config(1)), &data).unwrap().summary;
    assert_eq!((summary.knn_top1_initial, summary.knn_top1), (None, None));
    assert_eq!(summary.linear_probe, None);
}
