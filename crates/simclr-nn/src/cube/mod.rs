//! The operations on Burn's CubeCL backend, which runs on CUDA, Vulkan, Metal and WebGPU.
//!
//! Each operation chooses the order in memory and the size of a launch; the kernels are in `kernels`.

mod batch_norm;
mod grid;
mod kernels;
mod pack;
mod pixels;
mod queued_copy;

pub(crate) use self::queued_copy::QueuedCopy;

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};
use burn_cubecl::cubecl::ir::ElemType;
use burn_cubecl::tensor::CubeTensor;

/// Whether the kernels can normalise `input` with the statistics of the batch: floats of 32 or 16 bits, and parameters
/// of 32.
pub(crate) fn supports_batch_norm<const D: usize>(
    input: &Tensor<D>,
    gamma: &Tensor<1>,
    residual: Option<&Tensor<D>>,
) -> bool {
    let dtype = input.dtype();
    matches!(dtype, DType::F32 | DType::F16 | DType::BF16)
        && gamma.dtype() == DType::F32
        && residual.is_none_or(|residual| residual.dtype() == dtype)
        && input.shape().num_elements() > 0
        && has_kernels(&input.device())
}

/// Whether the gradient of `weight` would be a sum of 16-bit numbers on CubeCL.
pub(crate) fn sums_narrow_numbers(images: &Tensor<4>, weight: &Tensor<4>) -> bool {
    images.device().is_autodiff()
        && matches!(weight.dtype(), DType::F16 | DType::BF16)
        && images.dtype() == weight.dtype()
        && has_kernels(&images.device())
}

/// Whether `device` is one of CubeCL's.
pub(crate) fn has_kernels(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), DispatchDevice::Cube(_))
}

/// The type of a tensor's elements, for a kernel.
fn element(tensor: &CubeTensor) -> ElemType {
    burn::backend::cubecl::dtype_to_storage_type(tensor.dtype)
}
