//! The running statistics of a normalisation, after a batch.

use burn::backend::TensorMetadata;
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::{CubeCount, CubeDim, Float};

use super::kernels::StatisticsLaunch;
use super::{element, kernels};
use crate::ops::{Averaging, RunningStatisticsBackend};

const UNITS: usize = 64;

impl RunningStatisticsBackend for CubeBackend {
    fn averaged(
        running_mean: CubeTensor,
        running_variance: CubeTensor,
        mean: CubeTensor,
        variance: CubeTensor,
        averaging: Averaging,
    ) -> (CubeTensor, CubeTensor) {
        let tensors = [running_mean, running_variance, mean, variance].map(into_contiguous);
        let [running_mean, running_variance, mean, variance] = tensors;
        let (client, shape) = (running_mean.client.clone(), running_mean.shape());
        let channels = shape.num_elements();
        let empty = || {
            let (client, device) = (client.clone(), running_mean.device.clone());
            empty_device_contiguous_dtype(client, device, shape.clone(), running_mean.dtype)
        };
        let (new_mean, new_variance) = (empty(), empty());
        let dtype = element(&running_mean);
        kernels::averaged_statistics::launch(
            &client,
            CubeCount::Static(channels.div_ceil(UNITS) as u32, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            statistics(running_mean, running_variance),
            statistics(mean, variance),
            statistics(new_mean.clone(), new_variance.clone()),
            averaging.momentum as f32,
            averaging.unbiasing as f32,
            dtype,
        );
        (new_mean, new_variance)
    }
}

fn statistics<F: Float>(mean: CubeTensor, variance: CubeTensor) -> StatisticsLaunch<F> {
    StatisticsLaunch::new(mean.into_buffer_arg(), variance.into_buffer_arg())
}
