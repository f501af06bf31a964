//! An encoder and a linear layer as one network on a device.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use simclr_embed::EmbedError;
use simclr_model::Encoder;

use crate::error::EvalError;
use crate::linear_layer::LinearLayer;

/// A classifier's encoder and linear layer as tensors: `encoder.*`, `classifier.weight` `[features, classes]` and
/// `classifier.bias` `[classes]`.
#[derive(Module, Debug)]
pub(crate) struct Network<E> {
    pub(crate) encoder: E,
    pub(crate) classifier: Linear,
}

impl<E: Encoder> Network<E> {
    /// The encoder with `layer`, which is put on `device`.
    pub(crate) fn new(encoder: E, layer: &LinearLayer, device: &Device) -> Self {
        let shape = [layer.classes(), layer.feature_size()];
        let weights = TensorData::new(layer.weights().to_vec(), shape);
        let weights = Tensor::<2>::from_data(weights, device).transpose();
        let biases = TensorData::new(layer.biases().to_vec(), [layer.classes()]);
        let classifier = Linear {
            weight: Param::from_tensor(weights),
            bias: Some(Param::from_tensor(Tensor::from_data(biases, device))),
        };
        Self { encoder, classifier }
    }

    /// A score for each class, before the softmax.
    ///
    /// # Shapes
    ///
    /// - output: `[n, classes]`
    pub(crate) fn logits(&self, input: E::Input) -> Tensor<2> {
        self.classifier.forward(self.encoder.encode(input))
    }

    /// The linear layer, read back to the host.
    pub(crate) fn layer(&self) -> Result<LinearLayer, EvalError> {
        let weights = to_host(self.classifier.weight.val().transpose())?;
        let bias = self.classifier.bias.as_ref().expect("every network here has biases");
        Ok(LinearLayer::new(weights, to_host(bias.val())?))
    }
}

/// The values of a tensor, row after row.
pub(crate) fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, EvalError> {
    Ok(tensor.try_into_vec_as::<f32>().map_err(EmbedError::device)?)
}
