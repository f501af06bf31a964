use burn::tensor::{Device, Tensor, TensorData};
use image::RgbImage;

use super::prepared_view::PreparedView;
use super::{blur, color, resampling, rotation};
use crate::draw::ViewParams;
use crate::error::AugmentationError;
use crate::simclr_augmentation::SimClrAugmentation;

/// The most values of padded crops on the device at a time: 64 MiB. They bound the memory, whatever the
/// size of the batch and of its images.
const LARGEST_CHUNK: usize = 1 << 24;

/// Makes the views of a whole batch with tensor operations, on any device. The same [`ViewParams`] give
/// the same values as [`SimClrAugmentation::view_into`], but for the last digits.
///
/// Crop, flips and resizing are two batched matrix products with a pair of resampling matrices for each
/// view, the same weights as on the CPU; a blur is two more. The colour operations have one factor for
/// each view and run in each view's own order.
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
    /// A crop of more than twice the view's width or height is resized at once, so that no view takes
    /// more than `12 * size * size` bytes.
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

    /// Makes the views: `[n, 3, size, size]`, normalised, in the order of `prepared`.
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
        let mut rest = prepared;
        let mut views = Vec::new();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(chunk_len(rest));
            views.push(self.chunk(chunk, device));
            rest = after;
        }
        if views.len() == 1 { views.remove(0) } else { Tensor::cat(views, 0) }
    }

    fn chunk(&self, prepared: &[PreparedView], device: &Device) -> Tensor<4> {
        let config = self.policy.config();
        let params: Vec<&ViewParams> = prepared.iter().map(PreparedView::params).collect();
        let mut views = resampling::resample(prepared, config.crop.filter, device);
        views = rotation::rotate(views, &params);
        views = color::jitter(views, &params);
        views = color::gray(views, &params);
        views = blur::blur(views, &params);
        views = color::solarize(views, &params);
        views = color::erase(views, &params, config.normalization.mean);
        let [means, factors] =
            [config.normalization.mean, config.normalization.std.map(f32::recip)].map(|values| {
                Tensor::from_data(TensorData::new(values.to_vec(), [1, 1, 3, 1]), device)
            });
        ((views - means) * factors).swap_dims(1, 2)
    }
}

/// The number of views that fit into a chunk, padded to the widest and the highest of them; at least one.
fn chunk_len(prepared: &[PreparedView]) -> usize {
    let (mut width, mut height) = (0, 0);
    let fits = |(count, view): &(usize, &PreparedView)| {
        width = width.max(view.width());
        height = height.max(view.height());
        (count + 1) * 3 * width * height <= LARGEST_CHUNK
    };
    prepared.iter().enumerate().take_while(fits).count().max(1)
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

    #[test]
    fn crops_of_any_size_take_a_bounded_number_of_values() {
        let policy = SimClrAugmentation::imagenet().with_size(224).unwrap();
        let on_device = DeviceAugmentation::new(policy).unwrap();
        let prepare = |width, height| {
            let params = ViewParams::only_crop(CropBox::whole(width, height));
            on_device.prepare(&image(width, height), &params).unwrap()
        };
        let large = prepare(3000, 20);
        assert_eq!((large.width(), large.height()), (224, 224));
        let at_the_limit = prepare(448, 448);
        assert_eq!((at_the_limit.width(), at_the_limit.height()), (448, 448));
        let batch = vec![at_the_limit; 60];
        let chunk = chunk_len(&batch);
        assert!(chunk > 20 && chunk * 3 * 448 * 448 <= LARGEST_CHUNK, "{chunk}");
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
