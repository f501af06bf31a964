//! Convolutions.

use crate::attribute::Attribute;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// A 2D convolution with its weights.
#[derive(Debug, Clone)]
pub struct Convolution {
    /// `[channels_out, channels_in / groups, kernel_height, kernel_width]`.
    pub weight: Weights,
    /// `[channels_out]`.
    pub bias: Option<Vec<f32>>,
    /// Pixels from one output to the next, down and across.
    pub stride: [usize; 2],
    /// Zeros around the images.
    pub padding: Padding,
    /// Pixels from one kernel element to the next, down and across.
    pub dilation: [usize; 2],
    /// The number of separate convolutions that the channels are split into.
    pub groups: usize,
}

/// Zeros around an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Above, on the left, below, on the right.
    Explicit([usize; 4]),
    /// As many as give one output for each stride, an odd one below and on the right: TensorFlow's "same".
    Same,
}

impl Padding {
    /// The attribute of an operation that pads.
    pub(crate) fn attribute(self) -> (&'static str, Attribute) {
        match self {
            Self::Explicit(sides) => ("pads", ints(sides)),
            Self::Same => ("auto_pad", Attribute::Text("SAME_UPPER")),
        }
    }
}

pub(crate) fn ints<const N: usize>(values: [usize; N]) -> Attribute {
    Attribute::Ints(values.map(|value| value as i64).to_vec())
}

impl Graph {
    /// A convolution of `images`, `[n, channels_in, height, width]`. Its weights get `name`.
    pub fn convolution(&mut self, images: &Value, name: &str, convolution: &Convolution) -> Value {
        let Convolution { weight, bias, stride, padding, dilation, groups } = convolution;
        self.within(name, |graph| {
            let mut inputs = vec![images.clone(), graph.weights("weight", weight)];
            if let Some(bias) = bias {
                let bias = Weights::new([bias.len()], bias.clone());
                inputs.push(graph.weights("bias", &bias));
            }
            let attributes = vec![
                ("strides", ints(*stride)),
                ("dilations", ints(*dilation)),
                ("group", Attribute::Int(*groups as i64)),
                padding.attribute(),
            ];
            graph.operation("Conv", &inputs.iter().collect::<Vec<_>>(), attributes)
        })
    }

    /// The largest value of each window of `kernel` by `kernel` pixels. `padding` is never the largest.
    pub fn max_pool(
        &mut self,
        images: &Value,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
    ) -> Value {
        let attributes =
            vec![("kernel_shape", ints(kernel)), ("strides", ints(stride)), padding.attribute()];
        self.operation("MaxPool", &[images], attributes)
    }

    /// The mean of each window of `kernel` by `kernel` pixels. Where a window reaches beyond the image, it is the mean of
    /// the pixels inside.
    pub fn average_pool(
        &mut self,
        images: &Value,
        kernel: [usize; 2],
        stride: [usize; 2],
    ) -> Value {
        let attributes = vec![
            ("kernel_shape", ints(kernel)),
            ("strides", ints(stride)),
            ("ceil_mode", Attribute::Int(1)),
            ("count_include_pad", Attribute::Int(0)),
        ];
        self.operation("AveragePool", &[images], attributes)
    }

    /// The mean of each channel, `[n, channels, 1, 1]`.
    pub fn global_average_pool(&mut self, images: &Value) -> Value {
        self.operation("GlobalAveragePool", &[images], vec![])
    }
}
