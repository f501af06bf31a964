//! What views take on their way to a device, counted in a process of its own.

use std::sync::Arc;

use burn::tensor::Device;
use simclr_augment::{DeviceAugmentation, SimClrAugmentation, ViewKey};
use simclr_data::{ImageDataset, Sample, SampleConfig};
use simclr_traffic::Traffic;
use simclr_train::{ImageViews, ViewSource};

const IMAGES: usize = 8;
const SEED: u64 = 3;

/// The bytes of the views of all images.
fn sent(views: &ImageViews) -> u64 {
    let before = Traffic::so_far();
    let indices: Vec<usize> = (0..IMAGES).collect();
    let made = views.views(1, &indices, &Device::flex()).unwrap();
    assert_eq!(made.views.unwrap().examples(), IMAGES);
    (Traffic::so_far() - before).sent
}

#[test]
fn views_of_the_cpu_go_up_as_f32_and_crops_for_the_device_as_u8() {
    let config = SampleConfig { images: IMAGES, size: 96, seed: 0 };
    let images: Arc<dyn ImageDataset> = Arc::new(Sample::new(config).unwrap());
    let policy = SimClrAugmentation::stl10().with_size(64).unwrap();

    let by_cpu = sent(&ImageViews::new(Arc::clone(&images), policy.clone(), SEED));
    assert_eq!(by_cpu, (2 * IMAGES * 3 * 64 * 64 * size_of::<f32>()) as u64);

    let augmentation = DeviceAugmentation::new(policy.clone()).unwrap();
    let by_device = sent(&ImageViews::on_device(images, augmentation, SEED));
    let mut expected = 0;
    for index in 0..IMAGES as u64 {
        for view in [0, 1] {
            let crop = policy.draw(ViewKey { seed: SEED, pass: 1, index, view }, 96, 96).crop;
            // Pixels, four bytes in a word, and the parameters.
            expected += (3 * u64::from(crop.width * crop.height)).next_multiple_of(4) + 152;
        }
    }
    assert_eq!(by_device, expected);
    assert!(5 * by_device < 2 * by_cpu, "{by_device} and {by_cpu} bytes");
}
