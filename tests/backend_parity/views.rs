//! Views made on each backend, by kernels or by tensor operations, against those of the CPU path.

use burn::tensor::Device;
use image::{Rgb, RgbImage};
use simclr::augment::{
    AugmentationConfig, BlurConfig, CropConfig, DeviceAugmentation, ErasingConfig, JitterFlavor,
    Normalization, PaddedCropConfig, PaddingFill, ResizeFilter, RotationConfig, SimClrAugmentation,
    SolarizeConfig, ViewKey,
};

use crate::backends::Case;

pub(crate) const CASES: &[Case] = &[
    Case { name: "imagenets_views_match_the_cpu_path", run: imagenet },
    Case { name: "views_with_googles_flavours_match_the_cpu_path", run: google },
    Case { name: "views_with_every_step_match_the_cpu_path", run: every_step },
    Case { name: "views_of_large_photographs_match_the_cpu_path", run: large_crops },
    Case { name: "padded_crops_match_the_cpu_path", run: padded_crops },
    Case { name: "views_with_wide_blurs_match_the_cpu_path", run: wide_blurs },
    Case { name: "views_made_twice_have_the_same_bits", run: twice },
];

/// Mean and largest difference that is allowed, in levels of 255.
const MEAN: f64 = 0.05;
const LARGEST: f64 = 0.5;

fn imagenet(device: &Device) -> Result<(), String> {
    let policy = SimClrAugmentation::imagenet().with_size(24).expect("a valid size");
    compare(device, &policy, &[[30, 40], [48, 20], [1, 1], [7, 48]])
}

fn google(device: &Device) -> Result<(), String> {
    for flavor in [JitterFlavor::GoogleV1, JitterFlavor::GoogleV2] {
        let mut config = SimClrAugmentation::imagenet().config().clone();
        (config.size, config.crop, config.color_jitter.flavor) = (21, CropConfig::GOOGLE, flavor);
        let policy = SimClrAugmentation::new(config).expect("a valid config");
        compare(device, &policy, &[[30, 40], [40, 20]])?;
    }
    Ok(())
}

fn every_step(device: &Device) -> Result<(), String> {
    let config = AugmentationConfig {
        size: 20,
        vertical_flip_probability: 0.5,
        rotation: Some(RotationConfig { probability: 0.7, degrees: [-180.0, 180.0] }),
        // A value just below the threshold and one just above are half inverted: no jump there.
        solarize: Some(SolarizeConfig { probability: 0.5, threshold: 0.5 }),
        erasing: Some(ErasingConfig { probability: 0.5, area: [0.02, 0.33], aspect: [0.3, 3.3] }),
        ..SimClrAugmentation::imagenet().config().clone()
    };
    compare(device, &SimClrAugmentation::new(config).expect("a valid config"), &[[25, 33]])
}

fn large_crops(device: &Device) -> Result<(), String> {
    let policy = SimClrAugmentation::stl10().with_size(16).expect("a valid size");
    // The last one has fewer pixels than four views, and stays a crop.
    compare(device, &policy, &[[200, 150], [33, 32], [500, 3], [300, 3]])
}

fn wide_blurs(device: &Device) -> Result<(), String> {
    let mut config = SimClrAugmentation::imagenet().config().clone();
    (config.size, config.blur) = (100, Some(BlurConfig { probability: 0.9, sigma: [0.1, 4.0] }));
    compare(device, &SimClrAugmentation::new(config).expect("a valid config"), &[[120, 90]])
}

/// On devices with kernels of ours each unit's share of a sum is the same every time.
fn twice(device: &Device) -> Result<(), String> {
    let policy = SimClrAugmentation::imagenet().with_size(40).expect("a valid size");
    let on_device = DeviceAugmentation::new(policy.clone()).expect("no steps of its own");
    let image = image(70, 60);
    let prepared: Vec<_> = (0..9)
        .map(|view| {
            let params = policy.draw(ViewKey { seed: 3, pass: 0, index: 0, view }, 70, 60);
            on_device.prepare(&image, &params).expect("drawn for the image")
        })
        .collect();
    let bits = || -> Vec<u32> {
        let values = on_device.views(&prepared, device).into_data().try_to_vec::<f32>();
        values.expect("f32").into_iter().map(f32::to_bits).collect()
    };
    if bits() == bits() { Ok(()) } else { Err("expected the same bits twice".to_owned()) }
}

fn padded_crops(device: &Device) -> Result<(), String> {
    for (fill, filter) in [
        (PaddingFill::Black, ResizeFilter::Bilinear),
        (PaddingFill::Reflect, ResizeFilter::Bicubic),
    ] {
        let mut config = SimClrAugmentation::cifar10().config().clone();
        (config.size, config.crop.filter) = (20, filter);
        config.padded_crop = Some(PaddedCropConfig { padding: 6, fill });
        let policy = SimClrAugmentation::new(config).expect("a valid config");
        compare(device, &policy, &[[20, 20], [31, 24], [9, 40], [150, 100]])?;
    }
    Ok(())
}

/// Twelve views of an image of each size, not normalised, as one batch.
fn compare(device: &Device, policy: &SimClrAugmentation, sizes: &[[u32; 2]]) -> Result<(), String> {
    let config =
        AugmentationConfig { normalization: Normalization::NONE, ..policy.config().clone() };
    let policy = SimClrAugmentation::new(config).expect("still valid");
    let on_device = DeviceAugmentation::new(policy.clone()).expect("no steps of its own");
    let (mut prepared, mut expected) = (Vec::new(), Vec::new());
    for (index, &[width, height]) in sizes.iter().enumerate() {
        let image = image(width, height);
        for view in 0..12 {
            let key = ViewKey { seed: 3, pass: 0, index: index as u64, view };
            let params = policy.draw(key, width, height);
            let mut values = vec![0.0; policy.view_len()];
            policy.view_into(&image, &params, &mut values).expect("drawn for the image");
            expected.append(&mut values);
            prepared.push(on_device.prepare(&image, &params).expect("drawn for the image"));
        }
    }
    let found: Vec<f64> = on_device.views(&prepared, device).to_data_as::<f64>().iter().collect();
    assert_eq!(found.len(), expected.len());
    let levels: Vec<f64> =
        found.iter().zip(&expected).map(|(a, b)| 255.0 * (a - f64::from(*b)).abs()).collect();
    let mean = levels.iter().sum::<f64>() / levels.len() as f64;
    let largest = levels.iter().copied().fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a });
    println!("views: mean difference {mean:.5} levels, largest {largest:.5}");
    if mean <= MEAN && largest <= LARGEST {
        return Ok(());
    }
    Err(format!("expected at most {MEAN} and {LARGEST} levels, found {mean} and {largest}"))
}

/// Waves with hard edges where they wrap.
fn image(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([7 * x + 3 * y, x * y, 511 + 11 * y - (4 * x).min(511)]
            .map(|value| (value % 256) as u8))
    })
}
