//! A thread that makes views allocates nothing once its buffers have grown.

use image::{Rgb, RgbImage};
use simclr_augment::{
    AugmentationConfig, CropConfig, ErasingConfig, PaddedCropConfig, PaddingFill, RotationConfig,
    SimClrAugmentation, SolarizeConfig, ViewKey,
};

#[test]
fn drawing_and_making_a_view_allocates_nothing_in_the_long_run() {
    for padded_crop in [None, Some(PaddedCropConfig { padding: 9, fill: PaddingFill::Reflect })] {
        // Buffers are a thread's own: a new one has to grow them.
        std::thread::spawn(|| check(padded_crop)).join().unwrap();
    }
}

fn check(padded_crop: Option<PaddedCropConfig>) {
    let policy = SimClrAugmentation::new(AugmentationConfig {
        size: 40,
        padded_crop,
        crop: CropConfig::GOOGLE,
        rotation: Some(RotationConfig { probability: 0.5, degrees: [-90.0, 90.0] }),
        solarize: Some(SolarizeConfig { probability: 0.5, threshold: 0.5 }),
        erasing: Some(ErasingConfig { probability: 0.5, area: [0.02, 0.33], aspect: [0.3, 3.3] }),
        ..SimClrAugmentation::imagenet().config().clone()
    })
    .unwrap();
    let image = RgbImage::from_fn(120, 90, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
    let mut view = vec![0.0; policy.view_len()];
    let mut make = |index: u64| {
        let key = ViewKey { seed: 0, pass: 0, index, view: 0 };
        let params = policy.draw(key, image.width(), image.height());
        policy.view_into(&image, &params, &mut view).unwrap();
    };
    let growing = allocation_counter::measure(|| (0..400).for_each(&mut make));
    assert!(growing.count_total > 0);
    let steady = allocation_counter::measure(|| (0..400).for_each(&mut make));
    assert_eq!(steady.count_total, 0, "{steady:?}");
}
