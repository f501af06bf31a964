//! A user who labels what the session asks for.

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use simclr_augment::SimClrAugmentation;
use simclr_data::{ImageDataset, Sample, SampleConfig};
use simclr_embed::{Features, raw_pixels};
use simclr_explore::LabelSession;

/// The share of images whose class is guessed after `labels` labels, of the images that `next` chooses.
fn accuracy(
    session: &LabelSession,
    truth: &[usize],
    labels: usize,
    next: impl Fn(&LabelSession, usize) -> usize,
) -> f64 {
    let mut session = session.clone();
    for given in 0..labels {
        let row = next(&session, given);
        assert!(session.labels()[row].is_none(), "image {row} has a label");
        session.label(&[row], Some(&format!("class {}", truth[row]))).unwrap();
    }
    let guesses = session.guesses().expect("two classes have labels");
    let name = |row: usize| &session.classes()[usize::from(guesses.classes[row])];
    let right = (0..truth.len()).filter(|&row| *name(row) == format!("class {}", truth[row]));
    right.count() as f64 / truth.len() as f64
}

#[test]
fn what_is_asked_for_teaches_more_than_chance() {
    // Kinds of very different frequency: chance leaves the rare ones out.
    let sizes = [300, 150, 70, 30, 20, 15, 15];
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut normal = move || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
    let (mut values, mut truth) = (Vec::new(), Vec::new());
    for (kind, size) in sizes.into_iter().enumerate() {
        let centre: Vec<f32> = (0..24).map(|_| normal()).collect();
        for _ in 0..size {
            values.extend(centre.iter().map(|x| 4.0 + x + 0.7 * normal()));
            truth.push(kind);
        }
    }
    let session = LabelSession::new(Features::new(values, 24), &Device::flex()).unwrap();
    let asked = accuracy(&session, &truth, 21, |session, _| session.next_to_label(1)[0]);
    let chance: f64 = (0..5)
        .map(|seed| {
            let mut rows: Vec<usize> = (0..truth.len()).collect();
            rand::seq::SliceRandom::shuffle(&mut rows[..], &mut ChaCha8Rng::seed_from_u64(seed));
            accuracy(&session, &truth, 21, |_, given| rows[given]) / 5.0
        })
        .sum();
    assert!(asked > 0.9 && asked > chance + 0.05, "{asked} asked for, {chance} by chance");
}

#[test]
fn the_sample_is_learnt_from_what_is_asked_for() {
    let config = SampleConfig { images: 300, size: 32, ..SampleConfig::default() };
    let sample = Sample::new(config).unwrap();
    let transform = SimClrAugmentation::cifar10().with_size(8).unwrap().evaluation();
    let pixels = raw_pixels(&sample, &transform).unwrap().labelled;
    let truth = pixels.labels().to_vec();
    let session = LabelSession::new(pixels.features().clone(), &Device::flex()).unwrap();
    let few = accuracy(&session, &truth, 20, |session, _| session.next_to_label(1)[0]);
    let many = accuracy(&session, &truth, 150, |session, _| session.next_to_label(1)[0]);
    // Ten classes; pixels tell little of shapes. Of the 150, the labels are guessed right.
    assert!(sample.class_names().len() == 10 && few > 0.1 && many > few + 0.1, "{few} {many}");
}

#[test]
fn every_image_is_asked_for_once_and_those_set_aside_never() {
    let features = Features::new((0..120).map(|i| ((i * 7) % 13) as f32 + 0.5).collect(), 4);
    let mut session = LabelSession::new(features, &Device::flex()).unwrap();
    session.set_aside(&[3, 4], true).unwrap();
    let mut asked = Vec::new();
    while let Some(&row) = session.next_to_label(5).first() {
        asked.push(row);
        session.label(&[row], Some(["a", "b", "c"][row % 3])).unwrap();
    }
    asked.sort_unstable();
    assert_eq!(asked, (0..30).filter(|row| ![3, 4].contains(row)).collect::<Vec<_>>());
    assert!(session.held_out().unwrap().unwrap().labels == 28);
}

#[test]
fn a_label_teaches_ten_thousand_images_at_once() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let values = (0..10_000 * 128).map(|_| random.random::<f32>() - 0.5).collect();
    let mut session = LabelSession::new(Features::new(values, 128), &Device::flex()).unwrap();
    for row in 0..100 {
        session.label(&[row], Some(&format!("{}", row % 10))).unwrap();
    }
    let started = std::time::Instant::now();
    session.label(&[100], Some("5")).unwrap();
    let guesses = session.guesses().unwrap();
    println!("a label of 10,000 images: {:.0} ms", 1000.0 * started.elapsed().as_secs_f64());
    assert_eq!(guesses.classes.len(), 10_000);
}
