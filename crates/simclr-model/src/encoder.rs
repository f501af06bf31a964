//! The interface of every encoder.

use std::sync::{Mutex, PoisonError};

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;

use crate::inference::Inference;

/// A network f(x) that turns each input of a batch into one feature vector h.
///
/// After training the encoder is kept and its features are used; the projection head is thrown away (Chen et al.
/// 2020, section 4.2). Nothing here assumes images: each encoder has an [`Input`](Self::Input) type of its own.
pub trait Encoder: Module + ModuleDisplay + 'static {
    /// A batch of inputs, for example `Tensor<4>` with shape `[n, channels, height, width]`.
    type Input: Clone + Send + 'static;

    /// The features h, computed in the number format of the weights, whatever the input's format.
    ///
    /// # Shapes
    ///
    /// - output: `[n, feature_size]`
    fn encode(&self, input: Self::Input) -> Tensor<2>;

    /// The encoder made ready for inference: the same features, up to rounding, without gradients and with the running
    /// statistics of its normalisations.
    ///
    /// It is a value of its own, with weights of its own: what is done with this encoder later doesn't change it, and it
    /// changes nothing about this encoder. Networks with batch normalisations fold them into the layers before them where
    /// that is faster. An encoder that doesn't say how is taken as it is.
    ///
    /// ```
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use simclr_model::{Encoder, EncoderConfig};
    ///
    /// let device = Device::flex();
    /// let encoder = "resnet18x0.25_cifar".parse::<EncoderConfig>()?.init(0, &device)?;
    /// let images = Tensor::random([2, 3, 32, 32], Distribution::Default, &device);
    /// let ready = encoder.inference();
    /// let difference = ready.encode(images.clone()) - encoder.encode(images);
    /// assert!(difference.abs().max().into_scalar::<f32>() < 1e-5);
    /// # Ok::<(), simclr_model::ModelError>(())
    /// ```
    fn inference(&self) -> Inference<Self::Input> {
        as_it_is(self)
    }

    /// The length of one feature vector.
    fn feature_size(&self) -> usize;
}

/// [`Encoder::inference`] of an encoder that stays as it is.
pub(crate) fn as_it_is<E: Encoder>(encoder: &E) -> Inference<E::Input> {
    // An encoder may be one that threads can't share, but each can have a copy, which shares the weights.
    let encoder = Mutex::new(encoder.valid());
    Inference::new(move |input| {
        let encoder = encoder.lock().unwrap_or_else(PoisonError::into_inner).clone();
        encoder.encode(input)
    })
}
