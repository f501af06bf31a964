//! A copy to the host that is queued behind the work so far.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use burn::tensor::Tensor;
use burn_cubecl::cubecl;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::server::{CopyDescriptor, ServerError};
use simclr_traffic::count_receive;

type Copied = Result<cubecl::bytes::Bytes, ServerError>;

/// See [`QueuedRead`](crate::QueuedRead).
pub(crate) enum QueuedCopy {
    Done(Copied),
    Pending(Pin<Box<dyn Future<Output = Copied> + Send>>),
}

impl QueuedCopy {
    /// Queues the copy of f32 values.
    pub(crate) fn new(values: Tensor<1>) -> Self {
        let values = into_contiguous(primitive(values));
        let CubeTensor { client, handle, meta, dtype, .. } = values;
        let descriptor = CopyDescriptor::new(
            handle.binding(),
            meta.shape().clone(),
            meta.strides().clone(),
            dtype.size(),
        );
        let mut copy: Pin<Box<dyn Future<Output = Copied> + Send>> =
            Box::pin(async move { client.read_one_tensor_async(descriptor).await });
        // The first poll hands the copy to the device.
        match copy.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(copied) => Self::Done(copied),
            Poll::Pending => Self::Pending(copy),
        }
    }

    pub(crate) fn wait(self) -> Vec<f32> {
        let copied = match self {
            Self::Done(copied) => copied,
            Self::Pending(copy) => burn::tensor::read_sync(copy),
        };
        let bytes =
            copied.unwrap_or_else(|error| panic!("the device's values can't be read: {error}"));
        count_receive(bytes.len());
        let value = |bytes: &[u8]| f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        bytes.chunks_exact(4).map(value).collect()
    }
}

/// The tensor on the device, after all that fusion has held back for it.
fn primitive(values: Tensor<1>) -> CubeTensor {
    let tensor = values
        .try_into_primitive::<burn_cubecl::Cube>()
        .unwrap_or_else(|_| panic!("expected a tensor of CubeCL, asked for before"));
    #[cfg(feature = "fusion")]
    {
        let client = tensor.client.clone();
        client.resolve_tensor_float::<burn_cubecl::CubeBackend>(tensor)
    }
    #[cfg(not(feature = "fusion"))]
    tensor
}
