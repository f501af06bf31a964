//! The number format that the encoder computes in.

use std::fmt;
use std::str::FromStr;

use burn::module::{ModuleMapper, Param, ParamGroup};
use burn::tensor::{Device, FloatDType, Tensor};
use serde::{Deserialize, Serialize};
use simclr_model::Encoder;
use simclr_nn::batch_norms;
use simclr_range::OutOfRange;

use crate::engine::device::device_name;

/// The number format of the encoder's weights and activations during training.
///
/// In 16 bits, precision is mixed. The learnt weights, the optimiser, batch normalisation, the head and the loss stay
/// f32. The encoder's products use copies of the weights in 16 bits, and each weight's gradient is cast back to f32.
/// Evaluation is in f32.
///
/// An encoder of your own takes part if [`encode`](Encoder::encode) casts its input to the type of its weights, and
/// normalises by `simclr_nn::BatchNorm` or in layers that take 16-bit parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Precision {
    /// 32 bits, 24 of them for precision.
    #[default]
    F32,
    /// 16 bits, 8 of them for precision, with the range of f32. GPUs have it since 2020.
    Bf16,
    /// 16 bits, 11 of them for precision, from 6e-8 to 65504. The loss is multiplied by a factor before the backward pass
    /// and the gradients are divided by it afterwards, since small ones would vanish. The factor moves as in PyTorch's
    /// `torch.amp.GradScaler`: from 65536, doubled after 2000 steps without overflow, halved at each that overflows.
    ///
    /// A step that overflows is skipped: it changes neither weights nor the optimiser's state, and counts in the schedule
    /// all the same, as in PyTorch. Running statistics stay, too; PyTorch's move in the forward pass, and an activation that
    /// overflowed would stay in them. The log counts such steps. [`TrainError::Overflow`](crate::TrainError::Overflow) ends
    /// a run whose steps overflow at a factor of 1.
    F16,
}

impl Precision {
    const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::F16];

    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    fn lowered(self) -> Option<FloatDType> {
        match self {
            Self::F32 => None,
            Self::Bf16 => Some(FloatDType::BF16),
            Self::F16 => Some(FloatDType::F16),
        }
    }

    /// Refuses devices that cannot compute in this format.
    pub(crate) fn check(self, devices: &[Device]) -> Result<(), OutOfRange> {
        let Some(dtype) = self.lowered() else { return Ok(()) };
        match devices.iter().find(|device| !device.supports_dtype(dtype)) {
            None => Ok(()),
            Some(device) => {
                let expected = format!("f32 on {}, which has no such numbers", device_name(device));
                Err(OutOfRange::new("precision", expected, self))
            }
        }
    }

    /// The features of `input` in f32, computed in this format.
    pub(crate) fn encode<E: Encoder>(self, encoder: &E, input: E::Input) -> Tensor<2> {
        match self.lowered() {
            None => encoder.encode(input),
            Some(dtype) => {
                let kept = batch_norms(encoder);
                let lowered = encoder.clone().map(&mut Lowering { dtype, kept });
                lowered.encode(input).cast(FloatDType::F32)
            }
        }
    }

    /// The features of each input in turn, in f32, one below the other.
    pub(crate) fn encode_all<E: Encoder>(self, encoder: &E, inputs: Vec<E::Input>) -> Tensor<2> {
        let mut features: Vec<_> =
            inputs.into_iter().map(|input| self.encode(encoder, input)).collect();
        match features.len() {
            1 => features.remove(0),
            _ => Tensor::cat(features, 0),
        }
    }

    /// Whether gradients need a [loss scale](crate::engine::loss_scale::LossScale).
    pub(crate) fn scales_loss(self) -> bool {
        matches!(self, Self::F16)
    }
}

/// Casts weights in the graph, so that gradients arrive at the originals.
struct Lowering {
    dtype: FloatDType,
    /// The tensors that stay in f32: batch normalisation's parameters and running statistics.
    kept: ParamGroup,
}

impl ModuleMapper for Lowering {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let kept = self.kept.matches(&param.id, None);
        if kept { param } else { param.map(|weight| weight.cast(self.dtype)) }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = OutOfRange;

    /// `f32`, `bf16` or `f16`.
    fn from_str(name: &str) -> Result<Self, OutOfRange> {
        let found = Self::ALL.into_iter().find(|precision| precision.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            OutOfRange::new("precision", format!("one of {known}"), format!("\"{name}\""))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Module;
    use burn::optim::GradientsParams;
    use simclr_model::EncoderConfig;

    #[test]
    fn every_architecture_computes_in_sixteen_bits_with_gradients_in_f32() {
        let device = Device::flex().autodiff();
        for name in ["resnet18x0.25_cifar", "efficientnet_b0", "vit_tiny_p8_i32", "mlp_i32_64_16"] {
            let encoder = name.parse::<EncoderConfig>().unwrap().init(0, &device).unwrap();
            let images = Tensor::<1, burn::tensor::Int>::arange(0..2 * 3 * 32 * 32, &device);
            let images = (images.float() * 0.37).sin().reshape([2, 3, 32, 32]);
            // In evaluation, since the batch statistics of two images magnify any rounding.
            let (evaluated, input) = (encoder.valid(), images.clone().inner());
            let features = |precision: Precision| precision.encode(&evaluated, input.clone());
            let exact = features(Precision::F32);
            for precision in [Precision::Bf16, Precision::F16] {
                let found = features(precision);
                let length = |x: Tensor<2>| x.square().sum().sqrt().into_scalar::<f32>();
                let apart = length(found.clone() - exact.clone()) / length(exact.clone());
                assert!((1e-5..0.1).contains(&apart), "{name} in {precision}: {apart}");
                let loss = precision.encode(&encoder, images.clone()).sum();
                let gradients = GradientsParams::from_grads(loss.backward(), &encoder);
                assert!(gradients.len() > 3, "{name}");
            }
        }
    }

    #[test]
    fn the_error_for_an_unknown_format_lists_the_known_ones() {
        let error = "f8".parse::<Precision>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected precision to be one of f32, bf16, f16, found \"f8\""
        );
    }
}
