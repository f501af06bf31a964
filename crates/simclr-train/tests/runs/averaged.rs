//! Runs that average their weights.

use simclr_data::Splits;
use simclr_train::{MetricsLine, PretrainConfig};

use crate::support::{
    changed, config, fails_after, in_directory, lines, new_run, pretraining, resumed, run, sample,
    values,
};

fn averaging(epochs: usize) -> PretrainConfig {
    changed(epochs, |config| config.train.ema_decay = Some(0.9))
}

#[test]
fn a_run_that_averages_and_was_stopped_equals_one_in_one_go_and_trains_as_one_that_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let [whole_dir, parts_dir, plain_dir] =
        ["whole", "parts", "plain"].map(|name| folder.path().join(name));
    let whole = new_run(averaging(3), &whole_dir);
    let data = Splits { pretrain: fails_after(&sample(), 40), ..sample() };
    run(in_directory(pretraining(averaging(3)), &parts_dir), &data).map(drop).unwrap_err();
    let parts = run(resumed(pretraining(averaging(3)), &parts_dir), &sample()).unwrap();
    assert_eq!(values(&parts.encoder), values(&whole.encoder));
    assert_eq!(lines(&parts_dir), lines(&whole_dir));

    let plain = new_run(config(3), &plain_dir);
    assert_ne!(values(&plain.encoder), values(&whole.encoder));
    let losses = |dir| -> Vec<Option<f64>> {
        let loss = |line| match line {
            MetricsLine::Step { loss, .. } => Some(loss),
            _ => None,
        };
        lines(dir).into_iter().filter_map(loss).collect()
    };
    assert_eq!(losses(&whole_dir), losses(&plain_dir), "the average changes no step");

    // A run that has ended leaves the average when it is opened once more, too.
    let again = run(resumed(pretraining(averaging(3)), &whole_dir), &sample()).unwrap();
    let apart = values(&again.encoder)
        .iter()
        .zip(values(&whole.encoder))
        .fold(0.0_f32, |most, (a, b)| most.max((f32::from_bits(*a) - f32::from_bits(b)).abs()));
    assert!(apart < 1e-6, "{apart}");
}

#[test]
fn a_share_of_all_or_of_nothing_is_refused() {
    for bad in [0.0, 1.0, -0.5, f64::NAN] {
        let error = changed(1, |config| config.train.ema_decay = Some(bad)).check().unwrap_err();
        let expected = format!("expected ema_decay to be above 0 and below 1, found {bad}");
        assert_eq!(error.to_string(), expected);
    }
}
