//! The order in which the numbers of `[n, c, ...]` lie in memory, and copies from one order to the other.

use std::borrow::Cow;
use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Device, Shape, Tensor};

use crate::kernels::{self, to_channels_first, to_channels_last};

/// In which order an image's numbers lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// `[n, c, h, w]`: Burn's own.
    ChannelsFirst,
    /// `[n, h, w, c]`, which Burn sees as a permuted `[n, c, h, w]`.
    ChannelsLast,
}

/// Whether the kernels can read `tensor`: f32 on flex.
pub(super) fn is_readable<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && tensor.device() == Device::flex()
}

/// The order of a tensor's numbers in memory.
pub(super) fn order(tensor: &FlexTensor) -> Order {
    if channels_last_start(tensor).is_some() { Order::ChannelsLast } else { Order::ChannelsFirst }
}

/// Where the numbers begin, if they lie in channels-last order without gaps.
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

/// How many pixels an image `[n, c, ...]` has.
fn pixels(shape: &Shape) -> usize {
    shape.iter().skip(2).product()
}

/// The numbers of `[n, c, ...]` as `[n, ..., c]`, copied only if they lie in another order.
pub(super) fn channels_last_values(tensor: &FlexTensor) -> Cow<'_, [f32]> {
    if let Some(start) = channels_last_start(tensor) {
        let len = tensor.layout().num_elements();
        return Cow::Borrowed(&tensor.storage::<f32>()[start..start + len]);
    }
    let shape = tensor.shape();
    let contiguous = contiguous(tensor);
    Cow::Owned(to_channels_last(slice(&contiguous), shape[1], pixels(&shape)))
}

/// `tensor` itself if it is in channels-last order and shares its memory with no other, else a copy in that order.
pub(super) fn owned_channels_last(tensor: FlexTensor) -> FlexTensor {
    if channels_last_start(&tensor) == Some(0) && tensor.is_unique() {
        return tensor;
    }
    let values = match channels_last_values(&tensor) {
        Cow::Owned(values) => values,
        Cow::Borrowed(values) => {
            let mut copy = kernels::memory(values.len());
            copy.copy_from_slice(values);
            copy
        }
    };
    from_channels_last(values, tensor.shape(), Order::ChannelsLast)
}

/// Gives the memory of a tensor that is no longer used to the next results, if no other tensor shares it.
pub(super) fn recycle(tensor: FlexTensor) {
    let bytes = tensor.data_arc();
    drop(tensor);
    if let Some(Ok(values)) = Arc::into_inner(bytes).map(Bytes::try_into_vec::<f32>) {
        kernels::recycle(values);
    }
}

/// The numbers of a tensor that [`owned_channels_last`] returned.
pub(super) fn channels_last_values_mut(tensor: &mut FlexTensor) -> &mut [f32] {
    let len = tensor.layout().num_elements();
    &mut tensor.storage_mut::<f32>()[..len]
}

/// `tensor` in the order that is `wanted`, copied only if it lies in the other.
pub(super) fn in_order(tensor: FlexTensor, wanted: Order) -> FlexTensor {
    if order(&tensor) == wanted {
        return tensor;
    }
    from_channels_last(channels_last_values(&tensor).into_owned(), tensor.shape(), wanted)
}

/// A tensor of `shape` `[n, c, ...]` from numbers `[n, ..., c]`, in memory as `order` says.
pub(super) fn from_channels_last(values: Vec<f32>, shape: Shape, order: Order) -> FlexTensor {
    match order {
        Order::ChannelsLast => {
            let strides = channels_last_strides(&shape);
            FlexTensor::new(Bytes::from_elems(values), Layout::new(shape, strides, 0), DType::F32)
        }
        Order::ChannelsFirst => {
            from_values(to_channels_first(&values, shape[1], pixels(&shape)), shape)
        }
    }
}

/// A contiguous tensor.
pub(super) fn from_values(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(values), Layout::contiguous(shape), DType::F32)
}

/// The numbers of a tensor in the order of its axes.
pub(super) fn values(tensor: &FlexTensor) -> Cow<'_, [f32]> {
    match contiguous(tensor) {
        Cow::Borrowed(tensor) => Cow::Borrowed(slice(tensor)),
        Cow::Owned(tensor) => Cow::Owned(slice(&tensor).to_vec()),
    }
}

/// `tensor`, copied only if it isn't contiguous.
fn contiguous(tensor: &FlexTensor) -> Cow<'_, FlexTensor> {
    if tensor.as_slice::<f32>().is_some() {
        Cow::Borrowed(tensor)
    } else {
        Cow::Owned(tensor.to_contiguous())
    }
}

fn slice(contiguous: &FlexTensor) -> &[f32] {
    contiguous.as_slice().expect("a contiguous f32 tensor is a slice")
}
