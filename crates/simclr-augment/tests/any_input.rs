//! Any image, any key, and parameters from anywhere: a view or a typed error, never a panic.

use std::thread;

use image::{Rgb, RgbImage};
use proptest::prelude::*;
use simclr_augment::{
    AugmentationError, CropBox, JitterParams, JitterStep, SimClrAugmentation, ViewKey, ViewParams,
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

prop_compose! {
    fn any_key()(numbers in any::<[u64; 4]>()) -> ViewKey {
        let [seed, epoch, index, view] = numbers;
        ViewKey { seed, epoch, index, view }
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
        flags in any::<[bool; 2]>(),
        blur_sigma in any::<Option<f32>>(),
    ) -> ViewParams {
        let [x, y, width, height] = if small { place.map(|length| length % 24) } else { place };
        let steps = [JitterStep::Brightness, JitterStep::Contrast, JitterStep::Saturation, JitterStep::Hue];
        let order = order.map(|step| steps[usize::from(step % 4)]);
        let [brightness, contrast, saturation, hue] = factors;
        ViewParams {
            crop: CropBox { x, y, width, height },
            flip: flags[0],
            jitter: jitter.then_some(JitterParams { order, brightness, contrast, saturation, hue }),
            grayscale: flags[1],
            blur_sigma,
        }
    }
}

proptest! {
    #[test]
    fn any_image_and_key_give_a_crop_inside_and_a_finite_view(
        width in 1_u32..=64, height in 1_u32..=64, key in any_key(), size in 2_u32..40,
    ) {
        let policy = SimClrAugmentation::imagenet().with_size(size).unwrap();
        let params = policy.draw(key, width, height);
        let crop = params.crop;
        prop_assert!(crop.width >= 1 && crop.x + crop.width <= width, "{crop}");
        prop_assert!(crop.height >= 1 && crop.y + crop.height <= height, "{crop}");
        let view = view_of(&policy, &noise(width, height), &params);
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
        *[&mut other.seed, &mut other.epoch, &mut other.index, &mut other.view][number] ^= 1;
        prop_assert_ne!(&params, &policy.draw(other, 500, 375));
    }

    #[test]
    fn parameters_survive_json_to_the_last_bit(key in any_key()) {
        let params = SimClrAugmentation::imagenet().draw(key, 500, 375);
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
    let policy = SimClrAugmentation::stl10();
    let image = noise(120, 90);
    let views = || -> Vec<Vec<f32>> {
        let key = |index| ViewKey { seed: 1, epoch: 0, index, view: 0 };
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
fn a_gray_view_has_three_equal_channels() {
    let policy = SimClrAugmentation::cifar10();
    let params = ViewParams { grayscale: true, ..ViewParams::only_crop(CropBox::whole(50, 40)) };
    let view = policy.view(&noise(50, 40), &params).unwrap();
    assert!(view.pixels().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
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
    let params = policy.draw(ViewKey { seed: 0, epoch: 0, index: 0, view: 0 }, 0, 0);
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
        "view parameter `jitter.order`: expected each of the four steps once, \
         found [Contrast, Contrast, Saturation, Brightness]"
    );
}

#[test]
fn a_jitter_factor_cannot_be_negative_or_nan() {
    assert_eq!(
        refusal(|_, jitter| jitter.brightness = -0.5),
        "view parameter `jitter.brightness`: expected a finite factor of at least 0, found -0.5"
    );
    assert!(refusal(|_, jitter| jitter.contrast = f32::NAN).contains("`jitter.contrast`"));
    assert!(refusal(|_, jitter| jitter.saturation = f32::INFINITY).contains("`jitter.saturation`"));
}

#[test]
fn a_hue_cannot_turn_by_more_than_half() {
    assert_eq!(
        refusal(|_, jitter| jitter.hue = 0.6),
        "view parameter `jitter.hue`: expected a turn in -0.5..=0.5, found 0.6"
    );
}

#[test]
fn a_sigma_is_finite_and_positive() {
    assert_eq!(
        refusal(|params, _| params.blur_sigma = Some(0.0)),
        "view parameter `blur_sigma`: expected a finite standard deviation of at least 0.001, found 0.0"
    );
    assert!(refusal(|params, _| params.blur_sigma = Some(f32::NAN)).contains("`blur_sigma`"));
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
        "view parameter `blur_sigma`: expected no blur at a size below 2, found 1"
    );
}
