//! The whole network: encoder and head.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::encoder::Encoder;
use crate::projection_head::ProjectionHead;

/// An encoder and the projection head that it is trained under.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{ProjectionHeadConfig, ResNetConfig, ResNetDepth, SimClr, Stem};
///
/// let device = Device::flex();
/// let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 8, Stem::Cifar);
/// let encoder = encoder.init(0, &device)?;
/// let head = ProjectionHeadConfig::default().init(64, 1, &device)?;
/// let model = SimClr { encoder, head };
///
/// let images = Tensor::<4>::zeros([2, 3, 32, 32], &device);
/// assert_eq!(model.project(images.clone()).dims(), [2, 128]); // for the loss
/// assert_eq!(model.encode(images).dims(), [2, 64]); // for everything after training
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Module, Debug)]
pub struct SimClr<E> {
    /// f: inputs to features h.
    pub encoder: E,
    /// g: features h to projections z.
    pub head: ProjectionHead,
}

impl<E: Encoder> SimClr<E> {
    /// The features h = f(x), `[n, feature_size]`, for use after training.
    pub fn encode(&self, input: E::Input) -> Tensor<2> {
        self.encoder.encode(input)
    }

    /// The projections z = g(f(x)), `[n, output_size]`, for the loss.
    pub fn project(&self, input: E::Input) -> Tensor<2> {
        self.head.forward(self.encode(input))
    }
}
