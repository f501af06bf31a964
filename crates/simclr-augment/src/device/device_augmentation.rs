use burn::tensor::{Device, Tensor};
use image::RgbImage;

use super::prepared_view::PreparedView;
use super::{packed_views, tensor_ops};
use crate::draw::ViewParams;
use crate::error::AugmentationError;
use crate::simclr_augmentation::SimClrAugmentation;

/// Makes the views of a whole batch on any device. The same [`ViewParams`] give the same values as
/// [`SimClrAugmentation::view_into`], but for the last digits.
///
/// What goes to the device is the u8 pixels of each crop, four in a word, and 38 numbers for each view, among them
/// those from which the device computes the weights of the resize and of the blur. Burn's CubeCL backends (CUDA,
/// Vulkan, Metal, WebGPU) have kernels for this: at most four launches a batch, whatever its steps. They are in a build
/// with this crate's feature `cube`. On any other device tensor operations do the same: the resize is two batched matrix
/// products, the blur two more, and each colour operation runs for all views at once.
///
/// The work has two parts, so that no batch of whole photographs has to be in memory:
/// [`prepare`](Self::prepare) cuts the crop out of one image, on the CPU, on any thread;
/// [`views`](Self::views) does the rest for the batch.
///
/// ```
/// use burn::tensor::Device;
/// use image::{Rgb, RgbImage};
/// use simclr_augment::{DeviceAugmentation, SimClrAugmentation, ViewKey};
///
/// let policy = SimClrAugmentation::cifar10();
/// let device_policy = DeviceAugmentation::new(policy.clone())?;
/// let image = RgbImage::from_fn(40, 30, |x, y| Rgb([6 * x as u8, 8 * y as u8, 80]));
/// let prepared = [0, 1].map(|view| {
///     let key = ViewKey { seed: 42, pass: 0, index: 7, view };
///     device_policy.prepare(&image, &policy.draw(key, 40, 30)).unwrap()
/// });
/// let views = device_policy.views(&prepared, &Device::flex());
/// assert_eq!(views.dims(), [2, 3, 32, 32]);
/// # Ok::<(), simclr_augment::AugmentationError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DeviceAugmentation {
    policy: SimClrAugmentation,
}

impl DeviceAugmentation {
    /// The same policy on a device.
    ///
    /// # Errors
    /// [`AugmentationError::StepOnDevice`] if the policy has a [`ViewStep`](crate::ViewStep), which
    /// changes pixels on the CPU.
    pub fn new(policy: SimClrAugmentation) -> Result<Self, AugmentationError> {
        match policy.own_steps().first() {
            Some(step) => Err(AugmentationError::StepOnDevice { step: format!("{step:?}") }),
            None => Ok(Self { policy }),
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &SimClrAugmentation {
        &self.policy
    }

    /// Cuts a view's crop out of its image.
    ///
    /// A crop of more than four times the view's pixels is resized at once, so that no view takes more than
    /// `12 * size * size` bytes beside its parameters, nor more than the crop's pixels.
    ///
    /// # Errors
    /// As [`SimClrAugmentation::view_into`].
    pub fn prepare(
        &self,
        image: &RgbImage,
        params: &ViewParams,
    ) -> Result<PreparedView, AugmentationError> {
        let config = self.policy.config();
        params.check(image.dimensions().into(), config.size, false)?;
        Ok(PreparedView::new(image, params, config.size, config.crop.filter))
    }

    /// Makes the views: `[n, 3, size, size]` in f32, normalised, in the order of `prepared`. The kernels write them
    /// with the channels last in memory, as CubeCL's convolutions read them.
    ///
    /// # Panics
    /// If there are no views, or one was prepared for another size.
    #[must_use]
    pub fn views(&self, prepared: &[PreparedView], device: &Device) -> Tensor<4> {
        assert!(!prepared.is_empty(), "expected at least 1 prepared view, found 0");
        let size = self.policy.config().size;
        for view in prepared {
            let found = view.size();
            assert!(found == size, "expected views prepared for size {size}, found size {found}");
        }
        #[cfg(feature = "cube")]
        if super::cube::has_kernels(device) {
            return super::cube::views(prepared, self.policy.config(), device);
        }
        tensor_ops::views(prepared, self.policy.config(), device)
    }

    /// The bytes that [`views`](Self::views) sends to the device: the pixels and the parameters of all views.
    #[must_use]
    pub fn upload_bytes(prepared: &[PreparedView]) -> usize {
        prepared.iter().map(packed_views::upload_bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::cpu::{Planes, ViewStep};
    use crate::draw::{CropBox, Draws, ViewKey};

    fn image(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, (3 * y) as u8, (x * y) as u8]))
    }

    fn values(views: Tensor<4>) -> Vec<f32> {
        views.into_data().try_to_vec().unwrap()
    }

    #[test]
    fn a_view_does_not_depend_on_those_it_is_padded_with() {
        let policy = SimClrAugmentation::imagenet().with_size(16).unwrap();
        let on_device = DeviceAugmentation::new(policy.clone()).unwrap();
        let prepared: Vec<_> = [(20, 9), (90, 70), (1, 33), (16, 16)]
            .into_iter()
            .map(|(width, height)| {
                let key = ViewKey { seed: 0, pass: 0, index: 7, view: 1 };
                let params = policy.draw(key, width, height);
                on_device.prepare(&image(width, height), &params).unwrap()
            })
            .collect();
        let device = Device::flex();
        let together = values(on_device.views(&prepared, &device));
        for (view, together) in prepared.iter().zip(together.chunks(policy.view_len())) {
            let alone = values(on_device.views(std::slice::from_ref(view), &device));
            let close = alone.iter().zip(together).all(|(a, b)| (a - b).abs() < 1e-4);
            assert!(close, "{:?}", view.params());
        }
    }

    #[derive(Debug)]
    struct Nothing;

    impl ViewStep for Nothing {
        fn apply(&self, _: &mut Planes<'_>, _: &mut Draws) {}
    }

    #[test]
    fn a_step_for_the_cpu_is_refused_rather_than_left_out() {
        let policy = SimClrAugmentation::cifar10().with_step(Nothing);
        let error = DeviceAugmentation::new(policy).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a policy without steps of its own for a device, found Nothing"
        );
    }

    #[test]
    fn parameters_for_another_image_or_policy_are_an_error() {
        let on_device = DeviceAugmentation::new(SimClrAugmentation::cifar10()).unwrap();
        let params = ViewParams::only_crop(CropBox::whole(41, 30));
        let error = on_device.prepare(&image(40, 30), &params).unwrap_err();
        assert!(matches!(error, AugmentationError::CropOutsideImage { .. }), "{error}");
        let whole = ViewParams::only_crop(CropBox::whole(40, 30));
        let params = ViewParams { custom_seed: Some(1), ..whole };
        let error = on_device.prepare(&image(40, 30), &params).unwrap_err();
        assert!(error.to_string().contains("custom_seed"), "{error}");
    }

    #[test]
    #[should_panic(expected = "expected views prepared for size 32, found size 96")]
    fn views_of_another_size_are_refused() {
        let [small, large] = [SimClrAugmentation::cifar10(), SimClrAugmentation::stl10()]
            .map(|policy| DeviceAugmentation::new(policy).unwrap());
        let params = ViewParams::only_crop(CropBox::whole(9, 9));
        let prepared = large.prepare(&image(9, 9), &params).unwrap();
        let _ = small.views(&[prepared], &Device::flex());
    }
}
