//! Reads any JSON as view parameters and as a policy. The result is a view without NaN, or an error.

#![no_main]

use image::{Rgb, RgbImage};
use libfuzzer_sys::fuzz_target;
use simclr_augment::{AugmentationConfig, SimClrAugmentation, ViewKey, ViewParams};

fuzz_target!(|bytes: &[u8]| {
    let image =
        RgbImage::from_fn(37, 23, |x, y| Rgb([(7 * x) as u8, (11 * y) as u8, (x * y) as u8]));
    if let Ok(params) = serde_json::from_slice::<ViewParams>(bytes) {
        check(&SimClrAugmentation::imagenet().with_size(20).unwrap(), &image, &params);
    }
    if let Ok(config) = serde_json::from_slice::<AugmentationConfig>(bytes)
        && let Ok(policy) = SimClrAugmentation::new(config)
        && let Ok(policy) = policy.with_size(24)
    {
        for view in 0..4 {
            let params = policy.draw(ViewKey { seed: 1, pass: 2, index: 3, view }, 37, 23);
            policy.view(&image, &params).expect("drawn for this image");
            check(&policy, &image, &params);
        }
    }
});

fn check(policy: &SimClrAugmentation, image: &RgbImage, params: &ViewParams) {
    let mut view = vec![f32::NAN; policy.view_len()];
    if policy.view_into(image, params, &mut view).is_ok() {
        assert!(view.iter().all(|value| !value.is_nan()), "{params:?}");
    }
}
