//! Views by kernels of our own on Burn's CubeCL backend, which runs on CUDA, Vulkan, Metal and WebGPU.
//!
//! 1. [`resample`](kernels::resample): crops, resizes and turns; then the colour operations up to the one that needs
//!    the means of the view, and the sums for those.
//! 2. [`recolor`](kernels::recolor): the rest of the colour operations.
//! 3. [`blur_rows`](kernels::blur_rows), if any view is blurred.
//! 4. [`finish`](kernels::finish): the blur along the columns, solarisation, erasing and normalisation.

mod kernels;
mod launches;
mod views_backend;

use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{Device, Tensor};

use self::views_backend::{ViewsBackend, ViewsOptions};
use super::packed_views::PackedViews;
use super::prepared_view::PreparedView;
use crate::config::{AugmentationConfig, ResizeFilter};

/// Whether a device is of a kind that the kernels run on.
pub(super) fn has_kernels(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), DispatchDevice::Cube(_))
}

/// The views, `[n, 3, size, size]`, of at least one prepared view.
pub(super) fn views(
    prepared: &[PreparedView],
    config: &AugmentationConfig,
    device: &Device,
) -> Tensor<4> {
    let params = || prepared.iter().map(PreparedView::params);
    let options = ViewsOptions {
        size: config.size as usize,
        bicubic: config.crop.filter == ResizeFilter::Bicubic,
        recolors: params().any(|params| params.jitter.is_some() || params.grayscale),
        blurs: params().any(|params| params.blur_sigma.is_some()),
    };
    let packed = PackedViews::new(prepared, &config.normalization);
    let (words, table) = packed.upload(&device.clone().inner());
    let (words, table) = (words.into_dispatch(), table.into_dispatch());
    let views = Tensor::from_dispatch(<Dispatch as ViewsBackend>::views(words, table, options));
    match device.gradient_checkpointing_strategy() {
        Some(strategy) => views.autodiff().with_gradient_checkpointing_strategy(strategy),
        None => views,
    }
}
