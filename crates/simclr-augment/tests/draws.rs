//! What is drawn follows the distributions that the documentation states, and depends on the key
//! alone.
//!
//! Seeds are fixed, so these tests cannot fail by chance; the thresholds are those of a test at a
//! level of about 0.001.

use std::collections::HashMap;

use simclr_augment::{
    CropBox, CropConfig, ErasingConfig, JitterFlavor, PaddedCropConfig, PaddedWindow, PaddingFill,
    RotationConfig, SimClrAugmentation, SolarizeConfig, ViewKey, ViewParams,
};

const DRAWS: u64 = 20_000;

fn key(index: u64) -> ViewKey {
    ViewKey { seed: 7, pass: 0, index, view: 0 }
}

fn draws_of(policy: &SimClrAugmentation, size: u32) -> Vec<ViewParams> {
    (0..DRAWS).map(|index| policy.draw(key(index), size, size)).collect()
}

/// ImageNet's policy with one change.
fn policy_with(change: impl FnOnce(&mut simclr_augment::AugmentationConfig)) -> SimClrAugmentation {
    let mut config = SimClrAugmentation::imagenet().config().clone();
    change(&mut config);
    SimClrAugmentation::new(config).unwrap()
}

/// Kolmogorov-Smirnov: the largest distance between the sample's distribution function and the
/// uniform one.
fn assert_uniform(name: &str, sample: impl IntoIterator<Item = f64>, [low, high]: [f64; 2]) {
    let mut sample: Vec<f64> =
        sample.into_iter().map(|value| (value - low) / (high - low)).collect();
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = sample
        .iter()
        .enumerate()
        .map(|(rank, value)| (value - rank as f64 / n).max((rank + 1) as f64 / n - value))
        .fold(0.0, f64::max);
    assert!(distance < 1.95 / n.sqrt(), "{name}: {distance} over {n} draws");
}

/// The share of views in which something happens, within 3.3 standard deviations.
fn assert_rate(name: &str, happened: impl Iterator<Item = bool>, probability: f64) {
    let rate = happened.filter(|&happened| happened).count() as f64 / DRAWS as f64;
    let deviation = (probability * (1.0 - probability) / DRAWS as f64).sqrt();
    assert!((rate - probability).abs() < 3.3 * deviation, "{name}: {rate}, not {probability}");
}

#[test]
fn steps_happen_as_often_as_the_paper_says() {
    let draws = draws_of(&SimClrAugmentation::imagenet(), 224);
    assert_rate("flip", draws.iter().map(|view| view.flip), 0.5);
    assert_rate("jitter", draws.iter().map(|view| view.jitter.is_some()), 0.8);
    assert_rate("grayscale", draws.iter().map(|view| view.grayscale), 0.2);
    assert_rate("blur", draws.iter().map(|view| view.blur_sigma.is_some()), 0.5);
}

#[test]
fn jitter_factors_are_uniform_in_their_ranges() {
    let draws = draws_of(&SimClrAugmentation::imagenet(), 224);
    let jitter: Vec<_> = draws.iter().filter_map(|view| view.jitter.as_ref()).collect();
    assert_uniform(
        "brightness",
        jitter.iter().map(|jitter| f64::from(jitter.brightness)),
        [0.2, 1.8],
    );
    assert_uniform("contrast", jitter.iter().map(|jitter| f64::from(jitter.contrast)), [0.2, 1.8]);
    assert_uniform(
        "saturation",
        jitter.iter().map(|jitter| f64::from(jitter.saturation)),
        [0.2, 1.8],
    );
    assert_uniform("hue", jitter.iter().map(|jitter| f64::from(jitter.hue)), [-0.2, 0.2]);
}

#[test]
fn a_range_that_reaches_below_zero_is_cut_at_zero() {
    let policy = policy_with(|config| config.color_jitter.brightness = 1.5);
    let draws = draws_of(&policy, 224);
    let jitter = draws.iter().filter_map(|view| view.jitter.as_ref());
    assert_uniform("brightness", jitter.map(|jitter| f64::from(jitter.brightness)), [0.0, 2.5]);
}

#[test]
fn google_v1_adds_a_uniform_brightness() {
    let policy = policy_with(|config| config.color_jitter.flavor = JitterFlavor::GoogleV1);
    let draws = draws_of(&policy, 224);
    let jitter = draws.iter().filter_map(|view| view.jitter.as_ref());
    assert_uniform("brightness", jitter.map(|jitter| f64::from(jitter.brightness)), [-0.8, 0.8]);
}

#[test]
fn the_steps_beyond_the_paper_happen_as_often_and_as_far_as_they_are_asked_to() {
    let policy = policy_with(|config| {
        config.vertical_flip_probability = 0.3;
        config.rotation = Some(RotationConfig { probability: 0.6, degrees: [-20.0, 50.0] });
        config.solarize = Some(SolarizeConfig { probability: 0.2, threshold: 0.25 });
        config.erasing =
            Some(ErasingConfig { probability: 0.7, area: [0.02, 0.2], aspect: [0.5, 2.0] });
        config.size = 16_000;
    });
    let draws = draws_of(&policy, 224);
    assert_rate("vertical flip", draws.iter().map(|view| view.vertical_flip), 0.3);
    assert_rate("rotation", draws.iter().map(|view| view.rotation.is_some()), 0.6);
    assert_rate("solarize", draws.iter().map(|view| view.solarize == Some(0.25)), 0.2);
    assert_rate("erase", draws.iter().map(|view| view.erase.is_some()), 0.7);
    let angles = draws.iter().filter_map(|view| view.rotation.map(f64::from));
    assert_uniform("degrees", angles, [-20.0, 50.0]);
    let boxes = || draws.iter().filter_map(|view| view.erase);
    let sides = boxes().map(|erase| [f64::from(erase.width), f64::from(erase.height)]);
    let shares = sides.clone().map(|[width, height]| width * height / 16_000.0_f64.powi(2));
    assert_uniform("erased area", shares, [0.02, 0.2]);
    let log_aspects = sides.map(|[width, height]| (width / height).ln());
    assert_uniform("erased aspect", log_aspects, [0.5_f64.ln(), 2.0_f64.ln()]);
    let places = boxes().map(|e| (f64::from(e.x) + 0.5) / f64::from(16_000 - e.width + 1));
    assert_uniform("erased x", places, [0.0, 1.0]);
}

#[test]
fn each_of_the_24_orders_is_equally_likely() {
    let policy = policy_with(|config| config.color_jitter.probability = 1.0);
    let mut counts = HashMap::new();
    for view in draws_of(&policy, 224) {
        *counts.entry(view.jitter.unwrap().order).or_insert(0_u32) += 1;
    }
    assert_eq!(counts.len(), 24);
    let expected = DRAWS as f64 / 24.0;
    let chi_square: f64 =
        counts.values().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    // The 0.999 quantile with 23 degrees of freedom.
    assert!(chi_square < 49.73, "{chi_square}");
}

#[test]
fn sigma_is_uniform() {
    let draws = draws_of(&SimClrAugmentation::imagenet(), 224);
    assert_uniform(
        "sigma",
        draws.iter().filter_map(|view| view.blur_sigma.map(f64::from)),
        [0.1, 2.0],
    );
}

/// On a square image no box of at most 0.7 of the area can fail to fit: 0.7 * 4/3 < 1.
#[test]
fn area_is_uniform_and_aspect_log_uniform_where_every_box_fits() {
    let policy = policy_with(|config| config.crop.area = [0.08, 0.7]);
    let side = 100_000;
    let draws = draws_of(&policy, side);
    let sides = |view: &ViewParams| (f64::from(view.crop.width), f64::from(view.crop.height));
    let area = |view| {
        let (width, height) = sides(view);
        width * height / f64::from(side).powi(2)
    };
    let log_aspect = |view| {
        let (width, height) = sides(view);
        (width / height).ln()
    };
    assert_uniform("area", draws.iter().map(area), [0.08, 0.7]);
    assert_uniform("aspect", draws.iter().map(log_aspect), [0.75_f64.ln(), (4.0 / 3.0_f64).ln()]);
}

#[test]
fn the_place_of_the_crop_is_uniform() {
    let side = 100_000;
    let draws = draws_of(&SimClrAugmentation::imagenet(), side);
    // A crop of the full width has only one place.
    let places = |start: fn(&ViewParams) -> (u32, u32)| {
        let draws: Vec<_> = draws.iter().map(start).collect();
        draws
            .into_iter()
            .filter(move |&(_, length)| length < side / 2)
            .map(move |(start, length)| (f64::from(start) + 0.5) / f64::from(side - length + 1))
    };
    assert_uniform("x", places(|view| (view.crop.x, view.crop.width)), [0.0, 1.0]);
    assert_uniform("y", places(|view| (view.crop.y, view.crop.height)), [0.0, 1.0]);
}

#[test]
fn the_window_of_a_padded_crop_is_uniform_over_all_its_places() {
    let padding = 40;
    let policy = policy_with(|config| {
        config.padded_crop = Some(PaddedCropConfig { padding, fill: PaddingFill::Black });
    });
    // Twice as wide as high: resized to 448 x 224, padded to 528 x 304.
    let draws: Vec<_> = (0..DRAWS).map(|index| policy.draw(key(index), 1000, 500)).collect();
    assert!(draws.iter().all(|view| view.crop == CropBox::whole(1000, 500)));
    let windows: Vec<PaddedWindow> = draws.iter().map(|view| view.padded.unwrap()).collect();
    let places = |start: fn(&PaddedWindow) -> u32, count: u32| {
        let place = move |window| (f64::from(start(window)) + 0.5) / f64::from(count);
        windows.iter().map(place).collect::<Vec<_>>()
    };
    assert_uniform("x", places(|window| window.x, 528 - 224 + 1), [0.0, 1.0]);
    assert_uniform("y", places(|window| window.y, 2 * padding + 1), [0.0, 1.0]);
}

/// Every number of a view, so that two views can be correlated.
fn numbers(view: &ViewParams) -> [f64; 9] {
    let jitter = view.jitter.as_ref().unwrap();
    [
        f64::from(view.crop.width),
        f64::from(view.crop.height),
        f64::from(u8::from(view.flip)),
        f64::from(jitter.brightness),
        f64::from(jitter.contrast),
        f64::from(jitter.saturation),
        f64::from(jitter.hue),
        f64::from(u8::from(view.grayscale)),
        f64::from(view.blur_sigma.unwrap()),
    ]
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut both, mut a, mut b) = (0.0, 0.0, 0.0);
    for pair in pairs {
        both += (pair.0 - mean_a) * (pair.1 - mean_b);
        a += (pair.0 - mean_a).powi(2);
        b += (pair.1 - mean_b).powi(2);
    }
    both / (a * b).sqrt()
}

#[test]
fn the_two_views_of_an_image_are_uncorrelated_and_so_are_neighbours() {
    let policy = policy_with(|config| {
        config.color_jitter.probability = 1.0;
        config.blur.as_mut().unwrap().probability = 1.0;
    });
    let neighbours: [fn(ViewKey) -> ViewKey; 4] = [
        |key| ViewKey { view: 1, ..key },
        |key| ViewKey { index: key.index + 1, ..key },
        |key| ViewKey { pass: 1, ..key },
        |key| ViewKey { seed: key.seed + 1, ..key },
    ];
    for neighbour in neighbours {
        let pairs: Vec<_> = (0..DRAWS)
            .map(|index| {
                let draw = |key| numbers(&policy.draw(key, 500, 500));
                (draw(key(index)), draw(neighbour(key(index))))
            })
            .collect();
        for number in 0..9 {
            let pairs: Vec<_> = pairs.iter().map(|(a, b)| (a[number], b[number])).collect();
            let correlation = correlation(&pairs);
            assert!(
                correlation.abs() < 4.0 / (DRAWS as f64).sqrt(),
                "number {number}: {correlation}"
            );
        }
    }
}

/// Pearson's chi-square: the counts of pairs of classes against those expected of independent classes.
fn chi_square(pairs: &[(usize, usize)], classes: usize) -> f64 {
    let mut table = vec![vec![0.0; classes]; classes];
    for &(a, b) in pairs {
        table[a][b] += 1.0;
    }
    let n = pairs.len() as f64;
    let of_a: Vec<f64> = table.iter().map(|row| row.iter().sum()).collect();
    let of_b: Vec<f64> = (0..classes).map(|b| table.iter().map(|row| row[b]).sum()).collect();
    let cells = (0..classes).flat_map(|a| (0..classes).map(move |b| (a, b)));
    let deviation = |(a, b): (usize, usize)| {
        let expected: f64 = of_a[a] * of_b[b] / n;
        (table[a][b] - expected).powi(2) / expected
    };
    cells.map(deviation).sum()
}

#[test]
fn the_steps_of_one_view_are_independent_of_those_of_the_other() {
    let policy = SimClrAugmentation::imagenet();
    let class = |index, view| {
        let view = policy.draw(ViewKey { view, ..key(index) }, 300, 300);
        [view.flip, view.jitter.is_some(), view.grayscale, view.blur_sigma.is_some()]
            .into_iter()
            .fold(0, |class, happened| 2 * class + usize::from(happened))
    };
    let pairs: Vec<_> = (0..100_000).map(|index| (class(index, 0), class(index, 1))).collect();
    let chi_square = chi_square(&pairs, 16);
    // The 0.999 quantile with 15 * 15 degrees of freedom.
    assert!(chi_square < 296.4, "{chi_square}");
}

/// Correlation finds linear dependence only; this test finds any.
#[test]
fn the_factors_of_one_view_are_independent_of_those_of_the_other() {
    let policy = policy_with(|config| config.color_jitter.probability = 1.0);
    let factors = |index, view| {
        let jitter = policy.draw(ViewKey { view, ..key(index) }, 300, 300).jitter.unwrap();
        let unit = |factor: f32| (f64::from(factor) - 0.2) / 1.6;
        [
            unit(jitter.brightness),
            unit(jitter.contrast),
            unit(jitter.saturation),
            (f64::from(jitter.hue) + 0.2) / 0.4,
        ]
    };
    let pairs: Vec<_> = (0..DRAWS).map(|index| (factors(index, 0), factors(index, 1))).collect();
    let eighth = |unit: f64| ((unit * 8.0) as usize).min(7);
    for a in 0..4 {
        for b in 0..4 {
            let pairs: Vec<_> =
                pairs.iter().map(|(one, other)| (eighth(one[a]), eighth(other[b]))).collect();
            let chi_square = chi_square(&pairs, 8);
            // The 0.9999 quantile with 7 * 7 degrees of freedom, for sixteen tests.
            assert!(chi_square < 94.8, "{a} and {b}: {chi_square}");
        }
    }
}

#[test]
fn the_numbers_within_a_view_are_uncorrelated() {
    let policy = policy_with(|config| {
        config.color_jitter.probability = 1.0;
        config.blur.as_mut().unwrap().probability = 1.0;
    });
    let views: Vec<_> = draws_of(&policy, 500).iter().map(numbers).collect();
    // Width and height (0 and 1) depend on each other by nature.
    for a in 1..9 {
        for b in a + 1..9 {
            let pairs: Vec<_> = views.iter().map(|view| (view[a], view[b])).collect();
            let correlation = correlation(&pairs);
            assert!(correlation.abs() < 4.0 / (DRAWS as f64).sqrt(), "{a} and {b}: {correlation}");
        }
    }
}

#[test]
fn one_steps_settings_do_not_change_another_steps_draws() {
    let paper = SimClrAugmentation::imagenet();
    let other = policy_with(|config| {
        config.crop =
            CropConfig { area: [1.0, 1.0], aspect: [1.0, 1.0], ..CropConfig::TORCHVISION };
        config.padded_crop = Some(PaddedCropConfig { padding: 9, fill: PaddingFill::Reflect });
        config.rotation = Some(RotationConfig { probability: 1.0, degrees: [-5.0, 5.0] });
        config.color_jitter.probability = 0.0;
    });
    for index in 0..1000 {
        let (a, b) = (paper.draw(key(index), 300, 200), other.draw(key(index), 300, 200));
        assert_eq!((a.flip, a.grayscale, a.blur_sigma), (b.flip, b.grayscale, b.blur_sigma));
    }
}

/// A later version must be able to resume a run: these views are part of the format.
#[test]
fn a_key_gives_the_same_views_in_every_version() {
    let json = [0, 1].map(|view| {
        let key = ViewKey { seed: 42, pass: 3, index: 1007, view };
        serde_json::to_string(&SimClrAugmentation::imagenet().draw(key, 640, 480)).unwrap()
    });
    assert_eq!(
        json[0],
        concat!(
            r#"{"crop":{"x":64,"y":102,"width":471,"height":371},"flip":false,"#,
            r#""vertical_flip":false,"rotation":null,"#,
            r#""jitter":{"flavor":"torchvision","order":["hue","saturation","brightness","contrast"],"brightness":0.85650516,"#,
            r#""contrast":1.6679691,"saturation":1.0467756,"hue":-0.18972105},"#,
            r#""grayscale":false,"blur_sigma":1.4038013,"#,
            r#""solarize":null,"erase":null,"custom_seed":null}"#,
        )
    );
    assert_eq!(
        json[1],
        concat!(
            r#"{"crop":{"x":239,"y":149,"width":300,"height":267},"flip":false,"#,
            r#""vertical_flip":false,"rotation":null,"#,
            r#""jitter":{"flavor":"torchvision","order":["saturation","brightness","contrast","hue"],"brightness":0.31554878,"#,
            r#""contrast":0.32941803,"saturation":1.5895405,"hue":-0.17375582},"#,
            r#""grayscale":true,"blur_sigma":null,"#,
            r#""solarize":null,"erase":null,"custom_seed":null}"#,
        )
    );
}
