//! A convolution of 16-bit numbers whose weights' gradient is summed in 32 bits.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{FloatDType, Tensor};

use super::graph::{Tracked, node, wanted};

/// The convolution of `images` with `weight`, both in 16 bits.
///
/// An element of the weights' gradient is a sum over every pixel of a batch, millions of products. Among the kernels that autotune
/// chooses from is one that sums in the type of its tensors: in f16 such a sum stops growing at 2^11 times its terms. So
/// that gradient is computed of tensors cast to f32. The output and the images' gradient are sums of some thousand products
/// at most, and stay as Burn computes them.
pub(crate) fn narrow_conv2d(
    images: Tensor<4>,
    weight: Tensor<4>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let (images, weight) = (images.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(<Dispatch as NarrowConv2dBackend>::narrow_conv2d(images, weight, options))
}

#[backend_extension(Autodiff, Cube: cfg(feature = "cube"), Fusion: cfg(feature = "fusion"))]
pub(crate) trait NarrowConv2dBackend: Backend {
    /// The convolution of `x` with `weight`.
    #[fusion(default)]
    fn narrow_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d(x, weight, None, options)
    }
}

impl NarrowConv2dBackend for burn_cubecl::CubeBackend {}

/// A node whose parents are the input and the weights.
#[derive(Debug)]
struct NarrowConvolution;

const INPUT: usize = 0;
const WEIGHT: usize = 1;

impl<B: NarrowConv2dBackend> Backward<B, 2> for NarrowConvolution {
    /// The input, the weights, and the options.
    type State = (NodeId, NodeId, ConvOptions<2>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, saved: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let (x, weight, options) = &ops.state;
        let x = saved.retrieve_node_output::<FloatTensor<B>>(*x);
        let weight = saved.retrieve_node_output::<FloatTensor<B>>(*weight);
        if let Some(id) = wanted(&ops, WEIGHT) {
            let narrow = weight.dtype().into();
            let [x, weight, gradient] = [x.clone(), weight.clone(), gradient.clone()]
                .map(|tensor| B::float_cast(tensor, FloatDType::F32));
            let of_weight = B::conv2d_weight_backward(x, weight, gradient, options.clone());
            grads.register::<B>(id, B::float_cast(of_weight, narrow));
        }
        if let Some(id) = wanted(&ops, INPUT) {
            let of_input = B::conv2d_x_backward(x, weight, gradient, options.clone());
            grads.register::<B>(id, of_input);
        }
    }
}

impl<B: NarrowConv2dBackend, C: CheckpointStrategy> NarrowConv2dBackend for Autodiff<B, C> {
    fn narrow_conv2d(
        x: Tracked<B, C>,
        weight: Tracked<B, C>,
        options: ConvOptions<2>,
    ) -> Tracked<B, C> {
        let parents = [x.node(), weight.node()];
        let [input, kernel] = [&x, &weight].map(|tensor| tensor.primitive().clone());
        let output = <B as NarrowConv2dBackend>::narrow_conv2d(input, kernel, options.clone());
        node::<_, B, C, 2>(NarrowConvolution, parents, output, |prepared, _| {
            (prepared.checkpoint(&x), prepared.checkpoint(&weight), options)
        })
    }
}
