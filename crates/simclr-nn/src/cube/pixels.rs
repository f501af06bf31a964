//! Images as the kernels read them: a matrix with a row for each pixel, and a column for each channel.

use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::client::Client;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::ops::{permute_nchw_to_nhwc, permute_nhwc_to_nchw};
use burn_cubecl::tensor::CubeTensor;

use crate::ops::shape_of_words;

/// `[n, ..., c]` without gaps. CubeCL's convolutions return such images; any others are copied.
pub(super) struct Pixels(CubeTensor);

impl Pixels {
    /// From `[n, c, ...]`.
    pub(super) fn new(images: CubeTensor) -> Self {
        Self(into_contiguous(permute_nchw_to_nhwc(images)))
    }

    /// Memory for pixels like these.
    pub(super) fn empty_like(&self) -> Self {
        Self(self.empty(self.0.shape(), self.0.dtype))
    }

    /// Memory for f32 values in rows of one for each channel.
    pub(super) fn rows_of_channels(&self, rows: usize) -> CubeTensor {
        self.empty(Shape::new([rows, self.channels()]), DType::F32)
    }

    /// Memory for an f32 value for each channel.
    pub(super) fn per_channel(&self) -> CubeTensor {
        self.empty(Shape::new([self.channels()]), DType::F32)
    }

    pub(super) fn channels(&self) -> usize {
        let shape = self.0.shape();
        shape[shape.num_dims() - 1]
    }

    /// The number of pixels.
    pub(super) fn count(&self) -> usize {
        self.0.shape().num_elements() / self.channels()
    }

    /// Memory for a bit for each value: see [`Passed::Bits`](crate::ops::Passed::Bits).
    pub(super) fn words(&self) -> CubeTensor {
        let shape = Shape::new(shape_of_words(self.count(), self.channels()));
        self.empty(shape, DType::U32)
    }

    fn empty(&self, shape: Shape, dtype: DType) -> CubeTensor {
        let (client, device) = (self.0.client.clone(), self.0.device.clone());
        empty_device_contiguous_dtype(client, device, shape, dtype)
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(super) fn tensor(&self) -> &CubeTensor {
        &self.0
    }

    /// As `[n, c, ...]`, without a copy.
    pub(super) fn into_images(self) -> CubeTensor {
        permute_nhwc_to_nchw(self.0)
    }
}
