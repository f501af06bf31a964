//! Runs that go on: with what is theirs, and with more epochs.

use burn::tensor::Device;
use simclr_data::{SampleConfig, Splits};
use simclr_model::{ResNetConfig, ResNetDepth, Stem};
use simclr_train::{ImageSource, MetricsLine, PretrainConfig, Pretraining, RunDirectory, Trainer};

use crate::support::{
    Sum, changed, config, in_directory, lines, new_run, pretraining, resumed, run, sample, values,
};

#[test]
fn a_run_by_an_own_loss_resumes_by_that_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let with_sum = |epochs, name| Pretraining::with_loss(config(epochs), name, Sum).unwrap();
    run(in_directory(with_sum(1, "sum"), &dir), &sample()).unwrap();

    let found = PretrainConfig::of_run(&RunDirectory::open(&dir).unwrap()).unwrap();
    let message = Pretraining::new(found).map(drop).unwrap_err().to_string();
    assert!(message.starts_with("expected loss to be a loss of this crate"), "{message}");
    assert!(message.ends_with("found \"sum\""), "{message}");
    let message = run(resumed(with_sum(2, "other"), &dir), &sample()).unwrap_err().to_string();
    assert!(message.contains("another train.loss"), "{message}");
    assert_eq!(run(resumed(with_sum(2, "sum"), &dir), &sample()).unwrap().summary.epochs, 2);
}

#[test]
fn resuming_with_another_config_or_other_images_names_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    new_run(config(1), &dir);
    let resume = |config: PretrainConfig, data: &Splits| {
        run(resumed(pretraining(config), &dir), data).unwrap_err().to_string()
    };
    let deeper = ResNetConfig::new(ResNetDepth::ResNet34, 2, Stem::Cifar).into();
    let message = resume(changed(1, |config| config.images.encoder = deeper), &sample());
    assert!(
        message.contains("another images.encoder") && message.contains("resnet34"),
        "{message}"
    );
    let message = resume(changed(1, |config| config.train.batch_size = 10), &sample());
    assert!(
        message.contains("another train.batch_size: the run in") && message.contains("has 8"),
        "{message}"
    );
    let other = SampleConfig { images: 31, size: 16, ..SampleConfig::default() };
    let message = resume(config(1), &Splits::sample(&other).unwrap());
    assert!(
        message.contains("the data is not the run's: it had 30 images and now has 31"),
        "{message}"
    );
}

#[test]
fn other_images_are_accepted_on_request_and_are_the_runs_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    new_run(config(1), &dir);
    let more = SampleConfig { images: 40, size: 16, ..SampleConfig::default() };
    let more = Splits::sample(&more).unwrap();
    let message = run(resumed(pretraining(config(2)), &dir), &more).unwrap_err().to_string();
    assert!(message.contains("it had 30 images and now has 40"), "{message}");
    let accepting =
        resumed(pretraining(config(2)), &dir).with_trainer(Trainer::with_other_data_accepted);
    assert_eq!(run(accepting, &more).unwrap().summary.epochs, 2);
    assert_eq!(run(resumed(pretraining(config(3)), &dir), &more).unwrap().summary.epochs, 3);
    assert!(run(resumed(pretraining(config(3)), &dir), &sample()).is_err());
}

#[test]
fn the_folder_tells_where_its_images_are() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let source = ImageSource { folder: Some("some/photos".into()), limit: Some(7) };
    run(in_directory(pretraining(config(1)).with_source(source.clone()), &dir), &sample()).unwrap();
    let recorded = || RunDirectory::open(&dir).unwrap().config().unwrap().made_with.source.unwrap();
    assert_eq!(recorded(), source.absolute());
    assert!(recorded().folder.unwrap().is_absolute());
    run(resumed(pretraining(config(2)), &dir), &sample()).unwrap();
    assert!(recorded().folder.unwrap().ends_with("some/photos"), "a resumed run keeps it");
}

#[test]
fn a_run_that_goes_on_with_more_devices_says_what_changes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    new_run(config(1), &dir);
    let warnings = || {
        let warning = |line| match line {
            MetricsLine::Warning { text, .. } => Some(text),
            _ => None,
        };
        lines(&dir).into_iter().filter_map(warning).collect::<Vec<_>>()
    };
    run(resumed(pretraining(config(2)), &dir), &sample()).unwrap();
    assert_eq!(warnings(), [""; 0]);
    let more = |epochs| {
        let pretraining = resumed(pretraining(config(epochs)), &dir);
        pretraining.with_trainer(|trainer| trainer.with_more_devices(&[Device::flex()]))
    };
    run(more(3), &sample()).unwrap();
    let [warning] = &warnings()[..] else { panic!("{:?}", warnings()) };
    assert!(
        warning.starts_with("the run had 1 device and goes on with 2: ")
            && warning.contains("sees 4 examples at a time, and saw 8"),
        "{warning}"
    );
    run(more(4), &sample()).unwrap();
    assert_eq!(warnings().len(), 1, "two devices are the run's own now");
}

/// The learning rate of each step of a run.
fn rates(dir: &std::path::Path) -> Vec<f64> {
    let rate = |line| match line {
        MetricsLine::Step { learning_rate, .. } => Some(learning_rate),
        _ => None,
    };
    lines(dir).into_iter().filter_map(rate).collect()
}

#[test]
fn added_epochs_stretch_the_schedule_and_stay_the_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, whole) = (folder.path().join("run"), folder.path().join("whole"));
    new_run(config(2), &dir);
    new_run(config(4), &whole);
    let longer = resumed(pretraining(config(4)), &dir);
    let change = longer.rate_change(&sample()).unwrap().unwrap();
    run(longer, &sample()).unwrap();

    let (found, of_four) = (rates(&dir), rates(&whole));
    assert_eq!(found[6..], of_four[6..], "three steps an epoch");
    assert_eq!((change.last, change.next), (found[5], found[6]));
    assert!(change.next > 2.0 * change.last, "{change}");
    let kept = PretrainConfig::of_run(&RunDirectory::open(&dir).unwrap()).unwrap();
    assert_eq!(kept, config(4));
    assert_eq!(resumed(pretraining(kept), &dir).rate_change(&sample()).unwrap(), None);
}

#[test]
fn a_restarted_schedule_is_that_of_a_new_run_also_after_another_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, three) = (folder.path().join("run"), folder.path().join("three"));
    new_run(config(2), &dir);
    let first = rates(&dir);
    let longer = |epochs| {
        let pretraining = resumed(pretraining(config(epochs)), &dir);
        pretraining.with_trainer(Trainer::with_restarted_schedule)
    };
    let error = run(longer(2), &sample()).unwrap_err().to_string();
    assert_eq!(error, "expected epochs to be above 2, the run's, for a new schedule, found 2");
    run(longer(5), &sample()).unwrap();
    new_run(config(3), &three);
    let expected = [first, rates(&three)].concat();
    assert_eq!(rates(&dir), expected);

    // As if it had been killed after epoch 4: its record alone tells the schedule.
    std::fs::remove_dir_all(dir.join("checkpoint/epoch-0005")).unwrap();
    run(resumed(pretraining(config(5)), &dir), &sample()).unwrap();
    assert_eq!(rates(&dir), expected);
}

#[test]
fn epochs_that_the_run_has_begun_cannot_be_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    new_run(config(2), &dir);
    let error = run(resumed(pretraining(config(1)), &dir), &sample()).unwrap_err().to_string();
    assert_eq!(error, "expected epochs to be at least 2, which the run has begun, found 1");
    let summary = RunDirectory::open(&dir).unwrap().summary().unwrap().unwrap();
    assert_eq!(summary.epochs, 2);
}

#[test]
fn a_run_without_a_checkpoint_begins_with_the_weights_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let [first, whole, stopped] =
        ["first", "whole", "stopped"].map(|name| folder.path().join(name));
    new_run(config(1), &first);
    let from_first = |dir| {
        let weights = first.join("encoder.safetensors");
        in_directory(pretraining(config(1)).with_weights(weights, None).unwrap(), dir)
    };
    let whole = run(from_first(&whole), &sample()).unwrap();
    let stopping = from_first(&stopped);
    stopping.interrupter().stop(None);
    run(stopping, &sample()).unwrap();
    let gone_on = run(resumed(pretraining(config(1)), &stopped), &sample()).unwrap();
    assert_eq!(values(&gone_on.encoder), values(&whole.encoder));
}
