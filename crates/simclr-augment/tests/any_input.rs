//! Any image, any key, and parameters from anywhere: a view or a typed error, never a panic.

use std::thread;

use image::{Rgb, RgbImage};
use proptest::prelude::*;
use simclr_augment::{
    AugmentationConfig, AugmentationError, CropBox, CropConfig, ErasingConfig, JitterFlavor,
    JitterParams, JitterStep, PaddedCropConfig, PaddedWindow, PaddingFill, RotationConfig,
    SimClrAugmentation, SolarizeConfig, ViewKey, ViewParams,
};

fn noise(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let hash =
            (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
        Rgb([(hash >> 24) as u8, (hash >> 16) as u8, (hash >> 8) as u8])
    })
}

fn view_of(policy: &SimClrAugmentation, image: &RgbImage, params: &ViewParams) -> Vec<f32> {
    let mut view = vec![f32::NAN; policy.view_len()];
    policy.view_into(image, params, &mut view).unwrap();
    view
}

/// Every step there is, each as often as not.
fn everything() -> SimClrAugmentation {
    let mut config = AugmentationConfig {
        crop: CropConfig::GOOGLE,
        vertical_flip_probability: 0.5,
        rotation: Some(RotationConfig { probability: 0.5, degrees: [-180.0, 180.0] }),
        solarize: Some(SolarizeConfig { probability: 0.5, threshold: 0.5 }),
        erasing: Some(ErasingConfig { probability: 0.5, area: [0.02, 0.33], aspect: [0.3, 3.3] }),
        ..SimClrAugmentation::imagenet().config().clone()
    };
    config.color_jitter.flavor = JitterFlavor::GoogleV1;
    SimClrAugmentation::new(config).unwrap()
}

prop_compose! {
    fn any_key()(numbers in any::<[u64; 4]>()) -> ViewKey {
        let [seed, pass, index, view] = numbers;
        ViewKey { seed, pass, index, view }
    }
}

prop_compose! {
    /// Parameters as a hostile file might hold them.
    fn any_params()(
        place in any::<[u32; 4]>(),
        small in any::<bool>(),
        order in any::<[u8; 4]>(),
        factors in any::<[f32; 4]>(),
        jitter in any::<bool>(),
        flags in any::<[bool; 3]>(),
        options in any::<[Option<f32>; 3]>(),
        erase in any::<Option<[u8; 4]>>(),
        window in any::<Option<([u8; 3], bool)>>(),
        flavor in 0..3,
    ) -> ViewParams {
        let [x, y, width, height] = if small { place.map(|length| length % 24) } else { place };
        let steps = [JitterStep::Brightness, JitterStep::Contrast, JitterStep::Saturation, JitterStep::Hue];
        let order = order.map(|step| steps[usize::from(step % 4)]);
        let [brightness, contrast, saturation, hue] = factors;
        let [rotation, blur_sigma, solarize] = options;
        let flavor = match flavor {
            0 => JitterFlavor::Torchvision,
            1 => JitterFlavor::GoogleV1,
            _ => JitterFlavor::GoogleV2,
        };
        let erase = erase.map(|place| {
            let [x, y, width, height] = place.map(|length| u32::from(length % 10));
            CropBox { x, y, width, height }
        });
        ViewParams {
            crop: CropBox { x, y, width, height },
            padded: window.map(|(numbers, reflects)| {
                let [x, y, padding] = numbers.map(|number| u32::from(number % 12));
                let fill = if reflects { PaddingFill::Reflect } else { PaddingFill::Black };
                PaddedWindow { x, y, padding, fill }
            }),
            flip: flags[0],
            vertical_flip: flags[2],
            rotation,
            jitter: jitter
                .then_some(JitterParams { flavor, order, brightness, contrast, saturation, hue }),
            grayscale: flags[1],
            blur_sigma,
            solarize,
            erase,
            custom_seed: None,
        }
    }
}

proptest! {
    #[test]
    fn any_image_and_key_give_a_crop_inside_and_a_finite_view(
        width in 1_u32..=64, height in 1_u32..=64, key in any_key(), size in 2_u32..40,
    ) {
        let policy = everything().with_size(size).unwrap();
        let params = policy.draw(key, width, height);
        let crop = params.crop;
        prop_assert!(crop.width >= 1 && crop.x + crop.width <= width, "{crop}");
        prop_assert!(crop.height >= 1 && crop.y + crop.height <= height, "{crop}");
        let view = view_of(&policy, &noise(width, height), &params);
        prop_assert!(view.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn any_image_and_key_give_a_finite_view_of_a_padded_crop(
        width in 1_u32..=64, height in 1_u32..=64, key in any_key(), size in 2_u32..40,
        share in 0.0..1.0, reflects: bool,
    ) {
        let mut config = everything().with_size(size).unwrap().config().clone();
        let fill = if reflects { PaddingFill::Reflect } else { PaddingFill::Black };
        let padding = (share * f64::from(size)) as u32;
        config.padded_crop = Some(PaddedCropConfig { padding, fill });
        let policy = SimClrAugmentation::new(config).unwrap();
        let view = view_of(&policy, &noise(width, height), &policy.draw(key, width, height));
        prop_assert!(view.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn the_same_key_gives_the_same_parameters_and_another_key_others(
        key in any_key(), number in 0_usize..4,
    ) {
        let policy = SimClrAugmentation::imagenet();
        let params = policy.draw(key, 500, 375);
        prop_assert_eq!(&params, &policy.draw(key, 500, 375));
        let mut other = key;
        *[&mut other.seed, &mut other.pass, &mut other.index, &mut other.view][number] ^= 1;
        prop_assert_ne!(&params, &policy.draw(other, 500, 375));
    }

    #[test]
    fn parameters_survive_json_to_the_last_bit(key in any_key()) {
        let params = everything().draw(key, 500, 375);
        let json = serde_json::to_string(&params).unwrap();
        prop_assert_eq!(serde_json::from_str::<ViewParams>(&json).unwrap(), params);
    }

    #[test]
    fn hostile_parameters_give_a_finite_view_or_an_error(params in any_params()) {
        let policy = SimClrAugmentation::imagenet().with_size(8).unwrap();
        let mut view = vec![f32::NAN; policy.view_len()];
        if policy.view_into(&noise(20, 20), &params, &mut view).is_ok() {
            prop_assert!(view.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn threads_make_the_same_bytes() {
    let policy = everything().with_size(48).unwrap();
    let image = noise(120, 90);
    let views = || -> Vec<Vec<f32>> {
        let key = |index| ViewKey { seed: 1, pass: 0, index, view: 0 };
        (0..20).map(|index| view_of(&policy, &image, &policy.draw(key(index), 120, 90))).collect()
    };
    let here = views();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(views)).collect();
        for worker in workers {
            assert!(worker.join().unwrap() == here);
        }
    });
}

#[test]
fn a_flip_mirrors_each_row() {
    let policy = SimClrAugmentation::cifar10();
    let image = noise(32, 32);
    let params = ViewParams { flip: true, ..ViewParams::only_crop(CropBox::whole(32, 32)) };
    assert_eq!(policy.view(&image, &params).unwrap(), image::imageops::flip_horizontal(&image));
}

#[test]
fn a_padded_crop_shifts_the_image_and_shows_black_or_its_mirror_beside_it() {
    let policy = SimClrAugmentation::cifar10();
    let image = noise(32, 32);
    let view = |fill, flip| {
        let window = PaddedWindow { x: 1, y: 7, padding: 4, fill }; // 3 to the right, 3 up
        let whole = ViewParams::only_crop(CropBox::whole(32, 32));
        policy.view(&image, &ViewParams { padded: Some(window), flip, ..whole }).unwrap()
    };
    let [black, mirror] = [PaddingFill::Black, PaddingFill::Reflect].map(|fill| view(fill, false));
    for (x, y) in (0..32).flat_map(|x| (0..32).map(move |y| (x, y))) {
        let (from_x, from_y) = (i64::from(x) - 3, i64::from(y) + 3);
        let reflected = |at: i64| if at > 31 { 62 - at } else { at.abs() } as u32;
        let reflected = *image.get_pixel(reflected(from_x), reflected(from_y));
        let inside = from_x >= 0 && from_y < 32;
        assert_eq!(mirror.get_pixel(x, y), &reflected, "{x} {y}");
        assert_eq!(*black.get_pixel(x, y), if inside { reflected } else { Rgb([0; 3]) });
    }
    let flipped = view(PaddingFill::Black, true);
    assert_eq!(flipped, image::imageops::flip_horizontal(&black), "the padding flips too");
}

#[test]
fn a_gray_view_has_three_equal_channels() {
    let policy = SimClrAugmentation::cifar10();
    let params = ViewParams { grayscale: true, ..ViewParams::only_crop(CropBox::whole(50, 40)) };
    let view = policy.view(&noise(50, 40), &params).unwrap();
    assert!(view.pixels().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
}

#[test]
fn a_vertical_flip_mirrors_each_column() {
    let policy = SimClrAugmentation::cifar10();
    let image = noise(32, 32);
    let params =
        ViewParams { vertical_flip: true, ..ViewParams::only_crop(CropBox::whole(32, 32)) };
    assert_eq!(policy.view(&image, &params).unwrap(), image::imageops::flip_vertical(&image));
}

#[test]
fn an_erased_box_has_the_mean_colour_and_nothing_else_changes() {
    let policy = SimClrAugmentation::cifar10();
    let image = noise(32, 32);
    let erase = CropBox { x: 3, y: 30, width: 9, height: 2 };
    let params = ViewParams { erase: Some(erase), ..ViewParams::only_crop(CropBox::whole(32, 32)) };
    let mut expected = image.clone();
    for (x, y) in (3..12).flat_map(|x| [(x, 30), (x, 31)]) {
        expected.put_pixel(x, y, Rgb([125, 123, 114])); // 255 times CIFAR-10's mean
    }
    assert_eq!(policy.view(&image, &params).unwrap(), expected);
    let normalised = view_of(&policy, &image, &params);
    assert!(normalised[30 * 32 + 3].abs() < 1e-6);
}

#[test]
fn a_policy_with_whole_images_shows_each_as_it_is() {
    let policy = everything().with_size(40).unwrap().with_whole_images();
    let image = noise(40, 40);
    for index in 0..20 {
        let key = ViewKey { seed: 1, pass: 2, index, view: 0 };
        assert_eq!(policy.view(&image, &policy.draw(key, 40, 40)).unwrap(), image);
    }
}

#[test]
fn a_crop_for_another_image_is_an_error() {
    let policy = SimClrAugmentation::stl10();
    let params = ViewParams::only_crop(CropBox { x: 90, y: 0, width: 10, height: 10 });
    let error = policy.view(&noise(96, 96), &params).unwrap_err();
    assert!(matches!(error, AugmentationError::CropOutsideImage { width: 96, .. }), "{error}");
}

#[test]
fn an_image_without_pixels_is_an_error() {
    let policy = SimClrAugmentation::stl10();
    let params = policy.draw(ViewKey { seed: 0, pass: 0, index: 0, view: 0 }, 0, 0);
    let error = policy.view(&RgbImage::new(0, 0), &params).unwrap_err();
    assert!(matches!(error, AugmentationError::CropOutsideImage { .. }), "{error}");
}

#[test]
fn an_output_of_the_wrong_length_is_an_error() {
    let policy = SimClrAugmentation::cifar10();
    let params = ViewParams::only_crop(CropBox::whole(32, 32));
    let error = policy.view_into(&noise(32, 32), &params, &mut [0.0; 3071]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected an output of 3072 values (3 x size x size), found 3071"
    );
}

/// Applies parameters with one change to a 96x96 image and returns the error's message.
fn refusal(change: impl FnOnce(&mut ViewParams, &mut JitterParams)) -> String {
    let mut jitter = JitterParams {
        flavor: JitterFlavor::Torchvision,
        order: [
            JitterStep::Hue,
            JitterStep::Contrast,
            JitterStep::Saturation,
            JitterStep::Brightness,
        ],
        brightness: 1.0,
        contrast: 1.0,
        saturation: 1.0,
        hue: 0.0,
    };
    let mut params = ViewParams::only_crop(CropBox::whole(96, 96));
    change(&mut params, &mut jitter);
    params.jitter = Some(jitter);
    SimClrAugmentation::stl10().view(&noise(96, 96), &params).unwrap_err().to_string()
}

#[test]
fn a_jitter_step_cannot_run_twice() {
    assert_eq!(
        refusal(|_, jitter| jitter.order[0] = JitterStep::Contrast),
        "expected jitter.order to be each of the four steps once, \
         found [Contrast, Contrast, Saturation, Brightness]"
    );
}

#[test]
fn a_jitter_factor_cannot_be_negative_or_nan() {
    assert_eq!(
        refusal(|_, jitter| jitter.brightness = -0.5),
        "expected jitter.brightness to be finite and at least 0, found -0.5"
    );
    assert!(refusal(|_, jitter| jitter.contrast = f32::NAN).contains("jitter.contrast"));
    assert!(refusal(|_, jitter| jitter.saturation = f32::INFINITY).contains("jitter.saturation"));
}

#[test]
fn an_added_brightness_may_be_negative_and_is_finite() {
    let message = refusal(|_, jitter| {
        (jitter.flavor, jitter.brightness) = (JitterFlavor::GoogleV1, f32::INFINITY);
    });
    assert_eq!(message, "expected jitter.brightness to be finite, found inf");
}

#[test]
fn a_hue_cannot_turn_by_more_than_half() {
    assert_eq!(
        refusal(|_, jitter| jitter.hue = 0.6),
        "expected jitter.hue to be in -0.5..=0.5, found 0.6"
    );
}

#[test]
fn a_sigma_is_finite_and_positive() {
    assert_eq!(
        refusal(|params, _| params.blur_sigma = Some(0.0)),
        "expected blur_sigma to be finite and at least 0.001, found 0"
    );
    assert!(refusal(|params, _| params.blur_sigma = Some(f32::NAN)).contains("blur_sigma"));
}

#[test]
fn a_window_lies_inside_the_padded_image() {
    let fill = PaddingFill::Black;
    let message = |x, y, padding| {
        refusal(|params, _| params.padded = Some(PaddedWindow { x, y, padding, fill }))
    };
    assert_eq!(
        message(0, 0, 96),
        "expected padded.padding to be below the size of a view, found 96"
    );
    let expected = "to be the start of a window inside the padded image, found 9";
    assert_eq!(message(9, 0, 4), format!("expected padded.x {expected}"));
    assert_eq!(message(8, 9, 4), format!("expected padded.y {expected}"));
}

#[test]
fn an_angle_is_at_most_half_a_turn() {
    assert_eq!(
        refusal(|params, _| params.rotation = Some(200.0)),
        "expected rotation to be in -180..=180, found 200"
    );
    assert!(refusal(|params, _| params.rotation = Some(f32::NAN)).contains("rotation"));
}

#[test]
fn a_threshold_is_a_number() {
    let message = refusal(|params, _| params.solarize = Some(f32::NAN));
    assert_eq!(message, "expected solarize to be a number, found NaN");
}

#[test]
fn an_erased_box_lies_inside_the_view() {
    let message = refusal(|params, _| {
        params.erase = Some(CropBox { x: 90, y: 0, width: 7, height: 1 });
    });
    assert_eq!(
        message,
        "expected erase to be a box of at least 1x1 pixel inside the view, found 7x1 at (90, 0)"
    );
}

#[test]
fn steps_of_another_policy_are_an_error_rather_than_left_out() {
    let message = refusal(|params, _| params.custom_seed = Some(7));
    assert_eq!(
        message,
        "expected custom_seed to be none for a policy without steps of its own, found 7"
    );
}

#[test]
fn a_single_pixel_cannot_be_blurred() {
    let mut config = SimClrAugmentation::cifar10().config().clone();
    config.size = 1;
    let policy = SimClrAugmentation::new(config).unwrap();
    let params =
        ViewParams { blur_sigma: Some(1.0), ..ViewParams::only_crop(CropBox::whole(9, 9)) };
    let error = policy.view(&noise(9, 9), &params).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected blur_sigma to be none for a view of one pixel, found 1"
    );
}
