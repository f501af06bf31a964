//! What fine-tuning learns.

use std::ops::ControlFlow;

use burn::tensor::Device;
use simclr_data::{ImageDataset, Labelled};
use simclr_embed::{Embedder, FeatureSource};
use simclr_eval::{
    Classifier, FineTune, FineTuneConfig, FineTuneOptimizer, LabelBudget, LinearStart,
    LogisticRegression, evaluate,
};
use simclr_model::ResNet;

use crate::support::{embedder, encoder, fit, go_on, labelled, pictures, quick, weights};

/// An encoder whose running averages are those of the sample, as pretraining leaves it. Those of random weights have
/// not seen an image.
fn acquainted(images: &dyn ImageDataset) -> Embedder<ResNet> {
    let config = FineTuneConfig { epochs: 8, start: LinearStart::Zero, ..quick() };
    fit(config, images).unwrap().classifier.embedder().clone()
}

#[test]
fn it_goes_on_from_the_probe_on_the_frozen_encoder_and_leaves_it_behind() {
    let train = labelled(100).train;
    let embedder = acquainted(&train);
    let features = embedder.embed_labelled(&train).unwrap().labelled;
    let probe = LogisticRegression::default();
    let frozen = evaluate(&probe, &features, &features, &[]).unwrap().report.top1;
    let config = FineTuneConfig { epochs: 40, batch_size: 25, learning_rate: 3e-3, ..quick() };
    let config = FineTuneConfig { crop_area: [0.9, 1.0], ..config };
    let mut losses = Vec::new();
    let tuned = FineTune::new(config).unwrap().fit(&embedder, &train, |progress| {
        losses.push(progress.loss);
        ControlFlow::Continue(())
    });
    let top1 = tuned.unwrap().evaluate(&train).unwrap().report.top1;
    println!("frozen {frozen}, fine-tuned {top1}, losses {losses:?}");
    assert!(top1 > frozen + 0.1, "{top1}, frozen {frozen}");
    assert!(losses[39] < 0.6 * losses[0], "{losses:?}");
}

#[test]
fn the_encoder_that_was_given_stays_as_it_was() {
    let (given, images) = (embedder(), labelled(40).train);
    let before = weights(given.encoder());
    let tuned = FineTune::new(quick()).unwrap().fit(&given, &images, go_on).unwrap();
    assert_eq!(weights(given.encoder()), before);
    assert_ne!(weights(tuned.classifier.embedder().encoder()), before);
}

#[test]
fn the_seed_decides_and_the_number_of_threads_does_not() {
    let images = labelled(40).train;
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let tuned = pool.install(|| fit(FineTuneConfig { seed, ..quick() }, &images).unwrap());
        (weights(tuned.classifier.embedder().encoder()), tuned.classifier.layer().clone())
    };
    let one = run(1, 7);
    assert_eq!(run(3, 7), one);
    assert_ne!(run(3, 8), one);
}

#[test]
fn its_figures_say_what_they_are_of() {
    let Labelled { train, test } = labelled(100);
    let few = LabelBudget::per_class(2).unwrap().subset(&train, 3).unwrap();
    let evaluated = fit(quick(), &few).unwrap().evaluate(&test).unwrap().report.evaluated;
    assert_eq!(
        evaluated.protocol,
        "fine-tuning (AdamW), 2 epochs, batch 16, rate 0.001, cosine, weight decay 0, crops of 0.2 to 1, \
         linear layer from logistic regression (L-BFGS), C = 1, seed 0"
    );
    assert_eq!((evaluated.source, evaluated.feature_size), (FeatureSource::Encoder, 32));
    assert_eq!((evaluated.train_images, evaluated.test_images), (20, 20));
}

#[test]
fn the_papers_settings_start_from_zeros() {
    let paper = FineTuneConfig::paper(1, 4096);
    assert!((paper.learning_rate - 0.8).abs() < 1e-12);
    assert_eq!((paper.optimizer, paper.start), (FineTuneOptimizer::Nesterov, LinearStart::Zero));
    let mut loss = 0.0;
    let config = FineTuneConfig { batch_size: 40, ..paper };
    let tuned = FineTune::new(config).unwrap().fit(&embedder(), &labelled(40).train, |p| {
        loss = p.loss;
        ControlFlow::Continue(())
    });
    assert!((loss - 10_f64.ln()).abs() < 1e-5, "{loss}: the first step's is that of guessing");
    assert!(tuned.unwrap().classifier.layer().weights().iter().any(|weight| weight.abs() > 0.0));
}

#[test]
fn a_classifier_that_was_saved_says_the_same() {
    let Labelled { train, test } = labelled(40);
    let tuned = fit(quick(), &train).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier.safetensors");
    tuned.classifier.save(&path).unwrap();
    let loaded = Classifier::load(&path, encoder(), &Device::flex()).unwrap();
    let said = loaded.predict(&pictures(&test)).unwrap();
    assert_eq!(said, tuned.classifier.predict(&pictures(&test)).unwrap());
    assert_eq!(said, tuned.evaluate(&test).unwrap().predictions);
}

#[test]
fn it_tells_of_each_epoch_and_can_be_stopped_after_one() {
    let config = FineTuneConfig { epochs: 9, ..quick() };
    let images = labelled(40).train;
    let mut epochs = Vec::new();
    let stopped = FineTune::new(config).unwrap().fit(&embedder(), &images, |progress| {
        assert!(progress.images_per_second > 0.0 && progress.epochs == 9);
        epochs.push(progress.epoch);
        if progress.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let stopped = stopped.unwrap();
    assert_eq!((epochs, stopped.epochs), (vec![1, 2], 2));
    let protocol = stopped.evaluate(&images).unwrap().report.evaluated.protocol;
    assert!(protocol.contains("stopped after 2 of 9 epochs"), "{protocol}");
}
