//! Images of flex in channels-last order, and back.

use std::borrow::Cow;

use burn::backend::TensorMetadata;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

use crate::kernels::{to_channels_first, to_channels_last};

/// In which order an image's numbers lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// `[n, c, h, w]`: Burn's own.
    ChannelsFirst,
    /// `[n, h, w, c]`, seen by Burn as a permuted `[n, c, h, w]`.
    ChannelsLast,
}

/// The sizes of `[n, channels, ...]`, and where channels-last numbers begin if that is their order.
fn sizes(tensor: &FlexTensor) -> (usize, usize, usize) {
    let shape = tensor.shape();
    let pixels = shape.iter().skip(2).product();
    (shape[0], shape[1], pixels)
}

/// How a tensor's numbers lie in memory.
pub(crate) fn order(tensor: &FlexTensor) -> Order {
    if channels_last_start(tensor).is_some() { Order::ChannelsLast } else { Order::ChannelsFirst }
}

/// Where the numbers begin if they lie in channels-last order without gaps.
fn channels_last_start(tensor: &FlexTensor) -> Option<usize> {
    let shape = tensor.shape();
    let expected = channels_last_strides(&shape);
    let strides = tensor.layout().strides();
    let matches =
        (0..shape.num_dims()).all(|axis| shape[axis] == 1 || strides[axis] == expected[axis]);
    matches.then(|| tensor.layout().start_offset())
}

fn channels_last_strides(shape: &Shape) -> Vec<isize> {
    let rank = shape.num_dims();
    let mut strides = vec![1; rank];
    let mut stride = shape[1] as isize;
    for axis in (2..rank).rev() {
        strides[axis] = stride;
        stride *= shape[axis] as isize;
    }
    strides[0] = stride;
    strides
}

/// The numbers of `[n, c, ...]` as `[n, ..., c]`, copied only if they lie otherwise.
pub(crate) fn channels_last_values(tensor: &FlexTensor) -> Cow<'_, [f32]> {
    if let Some(start) = channels_last_start(tensor) {
        let len = tensor.layout().num_elements();
        return Cow::Borrowed(&tensor.storage::<f32>()[start..start + len]);
    }
    let (_, channels, pixels) = sizes(tensor);
    if let Some(values) = tensor.as_slice::<f32>() {
        return Cow::Owned(to_channels_last(values, channels, pixels));
    }
    let copy = tensor.to_contiguous();
    let values = copy.as_slice::<f32>().expect("a contiguous f32 tensor is a slice");
    Cow::Owned(to_channels_last(values, channels, pixels))
}

/// The tensor itself if it is in channels-last order and nobody else has it, else a copy that is.
pub(crate) fn owned_channels_last(tensor: FlexTensor) -> FlexTensor {
    if channels_last_start(&tensor) == Some(0) && tensor.is_unique() {
        return tensor;
    }
    let values = channels_last_values(&tensor).into_owned();
    from_channels_last(values, tensor.shape(), Order::ChannelsLast)
}

/// The numbers of what [`owned_channels_last`] gave.
pub(crate) fn channels_last_values_mut(tensor: &mut FlexTensor) -> &mut [f32] {
    let len = tensor.layout().num_elements();
    &mut tensor.storage_mut::<f32>()[..len]
}

/// A tensor of `shape` `[n, c, ...]` from numbers `[n, ..., c]`, in memory as `order` says.
pub(crate) fn from_channels_last(values: Vec<f32>, shape: Shape, order: Order) -> FlexTensor {
    let layout = match order {
        Order::ChannelsLast => {
            let strides = channels_last_strides(&shape);
            Layout::new(shape, strides, 0)
        }
        Order::ChannelsFirst => {
            let pixels = shape.iter().skip(2).product();
            let values = to_channels_first(&values, shape[1], pixels);
            return FlexTensor::new(
                Bytes::from_elems(values),
                Layout::contiguous(shape),
                DType::F32,
            );
        }
    };
    FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
}

/// A contiguous tensor.
pub(crate) fn from_values(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(shape), DType::F32)
}

/// The numbers of a tensor in its own order.
pub(crate) fn values(tensor: &FlexTensor) -> Cow<'_, [f32]> {
    if let Some(values) = tensor.as_slice::<f32>() {
        return Cow::Borrowed(values);
    }
    let copy = tensor.to_contiguous();
    Cow::Owned(copy.as_slice::<f32>().expect("contiguous").to_vec())
}
