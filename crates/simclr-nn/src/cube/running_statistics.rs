//! The running statistics of a normalisation, after a batch.

use burn::backend::TensorMetadata;
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::{CubeCount, CubeDim};

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
            running_mean.into_buffer_arg(),
            running_variance.into_buffer_arg(),
            mean.into_buffer_arg(),
            variance.into_buffer_arg(),
            new_mean.clone().into_buffer_arg(),
            new_variance.clone().into_buffer_arg(),
            averaging.momentum as f32,
            averaging.unbiasing as f32,
            dtype,
        );
        (new_mean, new_variance)
    }
}
