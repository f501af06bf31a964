//! How many kernels a batch of views takes on wgpu. The count is that of the whole process, so that this file holds one test.

use std::sync::{Arc, Mutex};

use burn::cubecl::logging::{LaunchObservation, LaunchObserver};
use burn::tensor::{Device, Tensor};
use image::{Rgb, RgbImage};
use simclr::augment::{
    AugmentationConfig, DeviceAugmentation, ErasingConfig, PreparedView, RotationConfig,
    SimClrAugmentation, SolarizeConfig, ViewKey,
};

#[path = "backend_parity/backends.rs"]
#[expect(dead_code, reason = "the parity suite compares; this test opens a device")]
mod backends;

const VIEWS: u64 = 64;
const SIZE: u32 = 64;

#[derive(Default)]
struct Launched(Mutex<Vec<&'static str>>);

impl LaunchObserver for Launched {
    fn launched(&self, kernel: &'static str) {
        self.0.lock().expect("no panic while it is held").push(kernel);
    }
}

/// Names of the kernels that `work` launches on the device.
fn launches(device: &Device, work: impl FnOnce() -> Tensor<4>) -> Vec<&'static str> {
    let launched = Arc::new(Launched::default());
    let observation = LaunchObservation::new(launched.clone());
    let result = work();
    device.sync().expect("the kernels run");
    drop(observation);
    drop(result);
    launched.0.lock().expect("no panic while it is held").clone()
}

fn prepare(policy: &DeviceAugmentation) -> Vec<PreparedView> {
    let image = RgbImage::from_fn(100, 80, |x, y| Rgb([x as u8, (3 * y) as u8, (x * y) as u8]));
    let prepared = |view| {
        let key = ViewKey { seed: 0, pass: 0, index: 0, view };
        policy.prepare(&image, &policy.policy().draw(key, 100, 80)).expect("drawn for the image")
    };
    (0..VIEWS).map(prepared).collect()
}

fn policy(config: AugmentationConfig) -> DeviceAugmentation {
    let policy = SimClrAugmentation::new(config).expect("a valid config");
    DeviceAugmentation::new(policy).expect("no steps of its own")
}

#[test]
fn a_batch_of_views_takes_four_launches_at_most() {
    let device = match backends::Backend::open("wgpu") {
        Ok(backend) => backend.device,
        Err(reason) => {
            let required = std::env::var("SIMCLR_REQUIRE_BACKENDS").unwrap_or_default();
            assert!(!required.split(',').any(|name| name.trim() == "wgpu"), "wgpu: {reason}");
            return;
        }
    };
    let imagenet =
        AugmentationConfig { size: SIZE, ..SimClrAugmentation::imagenet().config().clone() };
    let every_step = AugmentationConfig {
        rotation: Some(RotationConfig { probability: 0.7, degrees: [-180.0, 180.0] }),
        solarize: Some(SolarizeConfig { probability: 0.5, threshold: 0.5 }),
        erasing: Some(ErasingConfig { probability: 0.5, area: [0.02, 0.33], aspect: [0.3, 3.3] }),
        ..imagenet.clone()
    };
    let whole = AugmentationConfig { whole_images: true, ..imagenet.clone() };
    for (config, most) in [(imagenet, 4), (every_step, 4), (whole, 2)] {
        let policy = policy(config);
        let prepared = prepare(&policy);
        let launched = launches(&device, || policy.views(&prepared, &device));
        let bytes = DeviceAugmentation::upload_bytes(&prepared) / VIEWS as usize;
        println!("{} launches, {bytes} bytes a view", launched.len());
        assert!(!launched.is_empty(), "expected launches that are seen, found none");
        assert!(launched.len() <= most, "expected at most {most} launches, found {launched:#?}");
    }
}
