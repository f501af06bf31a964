//! A tensor that an operation may do without.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType};
use burn::tensor::Tensor;

/// `Option<FloatTensor<B>>`, in the form that a backend extension can take.
#[derive(Clone, Debug, ExtensionType)]
pub(crate) enum OptionalTensor<B: Backend> {
    Absent,
    Present(FloatTensor<B>),
}

impl OptionalTensor<Dispatch> {
    pub(super) fn new<const D: usize>(tensor: Option<Tensor<D>>) -> Self {
        tensor.map_or(Self::Absent, |tensor| Self::Present(tensor.into_dispatch()))
    }
}

impl<B: Backend> OptionalTensor<B> {
    pub(super) fn as_ref(&self) -> Option<&FloatTensor<B>> {
        match self {
            Self::Absent => None,
            Self::Present(tensor) => Some(tensor),
        }
    }
}
