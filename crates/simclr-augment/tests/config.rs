//! Each rule of the config, and the message of its refusal.

use simclr_augment::{
    AugmentationConfig, BlurConfig, ErasingConfig, OutOfRange, PaddedCropConfig, PaddingFill,
    RotationConfig, SimClrAugmentation, SolarizeConfig,
};

fn refusal(change: impl FnOnce(&mut AugmentationConfig)) -> String {
    let mut config = SimClrAugmentation::imagenet().config().clone();
    change(&mut config);
    let error: OutOfRange = SimClrAugmentation::new(config).unwrap_err();
    error.to_string()
}

#[test]
fn presets_pass_their_own_checks() {
    for preset in
        [SimClrAugmentation::imagenet(), SimClrAugmentation::cifar10(), SimClrAugmentation::stl10()]
    {
        let config = preset.config();
        assert_eq!(SimClrAugmentation::new(config.clone()).unwrap().config(), config);
    }
}

#[test]
fn a_config_survives_json() {
    let config = SimClrAugmentation::stl10().config().clone();
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<AugmentationConfig>(&json).unwrap(), config);
}

#[test]
fn an_absent_step_does_not_run() {
    let mut json = serde_json::to_value(SimClrAugmentation::cifar10().config()).unwrap();
    for step in ["blur", "rotation", "solarize", "erasing"] {
        json.as_object_mut().unwrap().remove(step);
    }
    let config = serde_json::from_value::<AugmentationConfig>(json).unwrap();
    assert_eq!(&config, SimClrAugmentation::cifar10().config());
}

#[test]
fn a_misspelt_field_is_refused() {
    let mut json = serde_json::to_value(SimClrAugmentation::cifar10().config()).unwrap();
    json["crop"]["areas"] = json["crop"]["area"].clone();
    let error = serde_json::from_value::<AugmentationConfig>(json).unwrap_err();
    assert!(error.to_string().contains("unknown field `areas`"), "{error}");
}

#[test]
fn size_is_at_least_one_and_has_a_limit() {
    for bad in [0, 16_385] {
        let message = refusal(|config| config.size = bad);
        assert_eq!(message, format!("expected size to be in 1..=16384, found {bad}"));
    }
}

#[test]
fn size_can_change_if_the_blur_still_fits() {
    let policy = SimClrAugmentation::imagenet();
    assert_eq!(policy.clone().with_size(2).unwrap().config().size, 2);
    let error = policy.with_size(1).unwrap_err();
    assert_eq!(error.to_string(), "expected size to be at least 2 with blur, found 1");
    assert!(SimClrAugmentation::cifar10().with_size(1).is_ok());
}

#[test]
fn crop_area_is_an_ordered_share_of_the_image() {
    for area in [[0.0, 1.0], [0.5, 0.4], [0.5, 1.1], [f64::NAN, 1.0], [0.1, f64::NAN]] {
        let message = refusal(|config| config.crop.area = area);
        assert_eq!(
            message,
            format!("expected crop.area to be [min, max] with 0 < min <= max <= 1, found {area:?}")
        );
    }
}

#[test]
fn crop_aspect_is_ordered_and_finite() {
    for aspect in [[0.0, 1.0], [2.0, 1.0], [1.0, f64::INFINITY], [f64::NAN, 1.0]] {
        let message = refusal(|config| config.crop.aspect = aspect);
        assert_eq!(
            message,
            format!(
                "expected crop.aspect to be [min, max] with 0 < min <= max, both finite, \
                 found {aspect:?}"
            )
        );
    }
}

#[test]
fn crop_attempts_are_limited() {
    for bad in [0, 1001] {
        let message = refusal(|config| config.crop.attempts = bad);
        assert_eq!(message, format!("expected crop.attempts to be in 1..=1000, found {bad}"));
    }
}

#[test]
fn padding_is_below_the_size_of_a_view() {
    let padded = |padding| Some(PaddedCropConfig { padding, fill: PaddingFill::Black });
    for bad in [224, u32::MAX] {
        let message = refusal(|config| config.padded_crop = padded(bad));
        let expected = "expected padded_crop.padding to be below 224, the size of a view";
        assert_eq!(message, format!("{expected}, found {bad}"));
    }
    let mut config = SimClrAugmentation::cifar10().config().clone();
    config.padded_crop = padded(31);
    let policy = SimClrAugmentation::new(config).unwrap();
    let message = policy.with_size(31).unwrap_err().to_string();
    assert!(message.starts_with("expected padded_crop.padding to be below 31"), "{message}");
}

#[test]
fn padding_is_black_unless_the_config_says_otherwise() {
    let read = |json: &str| serde_json::from_str::<PaddedCropConfig>(json);
    let fill = |json: &str| read(json).unwrap().fill;
    assert_eq!(fill(r#"{"padding":4}"#), PaddingFill::Black);
    assert_eq!(fill(r#"{"padding":4,"fill":"reflect"}"#), PaddingFill::Reflect);
    let error = read(r#"{"padding":4,"fill":"edge"}"#).unwrap_err().to_string();
    assert!(error.contains("expected `black` or `reflect`"), "{error}");
}

#[test]
fn angles_are_ordered_and_at_most_half_a_turn() {
    for degrees in [[-181.0, 0.0], [10.0, -10.0], [0.0, f64::NAN], [0.0, 180.5]] {
        let rotation = Some(RotationConfig { probability: 0.5, degrees });
        let message = refusal(|config| config.rotation = rotation);
        assert_eq!(
            message,
            format!(
                "expected rotation.degrees to be [min, max] with -180 <= min <= max <= 180, \
                 found {degrees:?}"
            )
        );
    }
}

#[test]
fn a_solarisation_threshold_is_a_value_of_a_view() {
    for threshold in [-0.1, 1.1, f64::NAN] {
        let solarize = Some(SolarizeConfig { probability: 0.5, threshold });
        let message = refusal(|config| config.solarize = solarize);
        assert_eq!(
            message,
            format!("expected solarize.threshold to be in 0..=1, found {threshold}")
        );
    }
}

#[test]
fn an_erased_area_and_its_aspect_are_ordered() {
    let erasing = |area, aspect| Some(ErasingConfig { probability: 0.5, area, aspect });
    let message = refusal(|config| config.erasing = erasing([0.0, 0.3], [0.3, 3.3]));
    assert_eq!(
        message,
        "expected erasing.area to be [min, max] with 0 < min <= max <= 1, found [0.0, 0.3]"
    );
    let message = refusal(|config| config.erasing = erasing([0.1, 0.3], [3.0, f64::INFINITY]));
    assert_eq!(
        message,
        "expected erasing.aspect to be [min, max] with 0 < min <= max, both finite, \
         found [3.0, inf]"
    );
}

#[test]
fn probabilities_lie_between_zero_and_one() {
    for bad in [-0.1, 1.1, f64::NAN] {
        let fields = [
            ("flip_probability", refusal(|config| config.flip_probability = bad)),
            ("vertical_flip_probability", refusal(|config| config.vertical_flip_probability = bad)),
            ("color_jitter.probability", refusal(|config| config.color_jitter.probability = bad)),
            ("grayscale_probability", refusal(|config| config.grayscale_probability = bad)),
            ("blur.probability", refusal(|config| config.blur.as_mut().unwrap().probability = bad)),
            ("rotation.probability", {
                let rotation = RotationConfig { probability: bad, degrees: [0.0, 9.0] };
                refusal(|config| config.rotation = Some(rotation))
            }),
            ("solarize.probability", {
                let solarize = SolarizeConfig { probability: bad, threshold: 0.5 };
                refusal(|config| config.solarize = Some(solarize))
            }),
            ("erasing.probability", {
                let erasing =
                    ErasingConfig { probability: bad, area: [0.1, 0.3], aspect: [0.3, 3.3] };
                refusal(|config| config.erasing = Some(erasing))
            }),
        ];
        for (field, message) in fields {
            assert_eq!(message, format!("expected {field} to be in 0..=1, found {bad}"));
        }
    }
}

#[test]
fn jitter_widths_are_finite_and_not_negative() {
    for bad in [-0.1, f64::INFINITY, f64::NAN] {
        let fields = [
            ("strength", refusal(|config| config.color_jitter.strength = bad)),
            ("brightness", refusal(|config| config.color_jitter.brightness = bad)),
            ("contrast", refusal(|config| config.color_jitter.contrast = bad)),
            ("saturation", refusal(|config| config.color_jitter.saturation = bad)),
            ("hue", refusal(|config| config.color_jitter.hue = bad)),
        ];
        for (field, message) in fields {
            assert_eq!(
                message,
                format!("expected color_jitter.{field} to be in 0..=1e6, found {bad}")
            );
        }
    }
}

#[test]
fn hue_turns_by_half_at_most() {
    assert_eq!(
        refusal(|config| config.color_jitter.strength = 3.0),
        "expected color_jitter.hue to be at most 0.5 / strength, found 0.2"
    );
}

#[test]
fn sigma_is_ordered_and_not_below_a_thousandth() {
    for sigma in [[0.0, 2.0], [2.0, 1.0], [0.1, f64::INFINITY], [f64::NAN, 1.0]] {
        let message = refusal(|config| config.blur = Some(BlurConfig { probability: 0.5, sigma }));
        assert_eq!(
            message,
            format!(
                "expected blur.sigma to be [min, max] with 0.001 <= min <= max, both finite, \
                 found {sigma:?}"
            )
        );
    }
}

#[test]
fn normalization_is_finite_and_never_divides_by_zero() {
    let mean = refusal(|config| config.normalization.mean[1] = f32::NAN);
    assert_eq!(
        mean,
        "expected normalization.mean to be three finite numbers, found [0.485, NaN, 0.406]"
    );
    let std = refusal(|config| config.normalization.std[2] = 0.0);
    assert_eq!(
        std,
        "expected normalization.std to be three finite, positive numbers with finite inverses, \
         found [0.229, 0.224, 0.0]"
    );
}
