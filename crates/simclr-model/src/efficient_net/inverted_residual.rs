//! The building block of an `EfficientNet`.

use burn::module::Module;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::Tensor;
use simclr_nn::{Conv2d, squeeze_excite};
use simclr_onnx::{Graph, ToOnnx, Value};

use crate::layers::{
    ConvLayer, ConvNorm, ExampleKeys, FoldedConvNorm, StochasticDepth, convolution,
};
use crate::weight_init::WeightInit;

/// The sizes of an [`InvertedResidual`].
#[derive(Debug, Clone, Copy)]
pub(super) struct InvertedResidualShape {
    pub(super) channels_in: usize,
    /// Channels of the depthwise convolution.
    pub(super) expanded: usize,
    pub(super) channels_out: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
}

/// The mobile inverted bottleneck with squeeze and excitation (Tan and Le 2019, section 4; Sandler et al. 2018; Hu et
/// al. 2017): a 1x1 convolution to more channels, a depthwise one, a scale for every channel, and a 1x1 convolution
/// back.
#[derive(Module, Debug)]
pub(super) struct InvertedResidual<C = ConvNorm> {
    /// `None` where the block doesn't widen.
    expand: Option<C>,
    depthwise: C,
    excitation: SqueezeExcitation,
    project: C,
    /// `None` where the block changes the shape and so has no shortcut.
    stochastic_depth: Option<StochasticDepth>,
}

impl InvertedResidual {
    /// In training, a block with a shortcut drops its branch with `drop_probability`.
    pub(super) fn new(
        shape: InvertedResidualShape,
        drop_probability: f64,
        init: &mut WeightInit,
    ) -> Self {
        let InvertedResidualShape { channels_in, expanded, channels_out, kernel, stride } = shape;
        Self {
            expand: (expanded != channels_in)
                .then(|| ConvNorm::new([channels_in, expanded], 1, 1, init)),
            depthwise: ConvNorm::depthwise(expanded, kernel, stride, init),
            // The paper's ratio of 0.25 refers to the block's input channels, not to the expanded ones.
            excitation: SqueezeExcitation::new(expanded, (channels_in / 4).max(1), init),
            project: ConvNorm::new([expanded, channels_out], 1, 1, init),
            stochastic_depth: (stride == 1 && channels_in == channels_out)
                .then(|| StochasticDepth::new(drop_probability, init)),
        }
    }

    /// With the padding and the eps of TensorFlow's original.
    pub(super) fn like_tensorflow(self) -> Self {
        Self {
            expand: self.expand.map(ConvNorm::like_tensorflow),
            depthwise: self.depthwise.like_tensorflow(),
            project: self.project.like_tensorflow(),
            ..self
        }
    }

    /// The block for inference.
    pub(super) fn folded(&self) -> InvertedResidual<FoldedConvNorm> {
        InvertedResidual {
            expand: self.expand.as_ref().map(ConvNorm::folded),
            depthwise: self.depthwise.folded(),
            excitation: self.excitation.valid(),
            project: self.project.folded(),
            stochastic_depth: self.stochastic_depth.as_ref().map(Module::valid),
        }
    }
}

impl<C: ConvLayer> InvertedResidual<C> {
    pub(super) fn forward(&self, x: Tensor<4>, keys: &ExampleKeys) -> Tensor<4> {
        let branch = match &self.expand {
            Some(expand) => expand.forward_silu(x.clone()),
            None => x.clone(),
        };
        let branch = self.excitation.forward(self.depthwise.forward_silu(branch));
        match &self.stochastic_depth {
            None => self.project.forward(branch),
            Some(depth) if depth.drops(&x) => depth.add(x, self.project.forward(branch), keys),
            Some(_) => self.project.forward_add(branch, x),
        }
    }
}

impl ToOnnx for InvertedResidual {
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let mut x = input.clone();
        if let Some(expand) = &self.expand {
            x = graph.within("expand", |graph| expand.to_onnx(graph, &x));
            x = graph.silu(&x);
        }
        x = graph.within("depthwise", |graph| self.depthwise.to_onnx(graph, &x));
        x = graph.silu(&x);
        x = graph.within("excitation", |graph| self.excitation.to_onnx(graph, &x));
        x = graph.within("project", |graph| self.project.to_onnx(graph, &x));
        match self.stochastic_depth {
            Some(_) => graph.sum(&x, input),
            None => x,
        }
    }
}

/// Scales every channel of an image by a number in 0..1 that depends on the means of all channels (Hu et al. 2017).
#[derive(Module, Debug)]
struct SqueezeExcitation {
    reduce: Conv2d,
    expand: Conv2d,
}

impl SqueezeExcitation {
    fn new(channels: usize, squeezed: usize, init: &mut WeightInit) -> Self {
        let mut one_by_one = |channels_in, channels_out| {
            let config = Conv2dConfig::new([channels_in, channels_out], [1, 1]);
            Conv2d::from(init.conv2d_with_zero_bias(&config))
        };
        Self { reduce: one_by_one(channels, squeezed), expand: one_by_one(squeezed, channels) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        squeeze_excite(x, &self.reduce, &self.expand)
    }
}

impl ToOnnx for SqueezeExcitation {
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let means = graph.global_average_pool(input);
        let squeezed = graph.convolution(&means, "reduce", &convolution(&self.reduce));
        let squeezed = graph.silu(&squeezed);
        let scales = graph.convolution(&squeezed, "expand", &convolution(&self.expand));
        let scales = graph.sigmoid(&scales);
        graph.product(input, &scales)
    }
}
