//! What is computed in f32 in a network of 16-bit numbers, because it sums or divides small differences: layer
//! normalisation and softmax, as PyTorch's autocast has it.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::LayerNorm;
use burn::tensor::{FloatDType, Tensor, activation};

/// `norm` of `tokens`, in the type of `tokens`.
pub(crate) fn layer_norm<const D: usize>(norm: &LayerNorm, tokens: Tensor<D>) -> Tensor<D> {
    let dtype = tokens.dtype();
    if !is_narrow(&tokens) {
        return norm.forward(tokens);
    }
    norm.clone().map(&mut InF32).forward(tokens.cast(FloatDType::F32)).cast(dtype)
}

/// Softmax of `values` along the axis `dim`, in the type of `values`.
pub(crate) fn softmax<const D: usize>(values: Tensor<D>, dim: usize) -> Tensor<D> {
    let dtype = values.dtype();
    if !is_narrow(&values) {
        return activation::softmax(values, dim);
    }
    activation::softmax(values.cast(FloatDType::F32), dim).cast(dtype)
}

fn is_narrow<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype().size() < 4
}

struct InF32;

impl ModuleMapper for InF32 {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|values| values.cast(FloatDType::F32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LayerNormConfig;
    use burn::tensor::Device;

    /// 4096 tokens' numbers, whose mean is far from zero: 16 bits hold each, but not their sum.
    fn tokens(device: &Device) -> Tensor<2> {
        let ramp = Tensor::<1, burn::tensor::Int>::arange(0..4096, device).float();
        ((ramp * 0.37).sin() + 20.0).reshape([1, 4096]).cast(FloatDType::F16)
    }

    #[test]
    fn a_layer_norm_of_16_bits_is_as_exact_as_its_input() {
        let device = Device::flex();
        let norm = LayerNormConfig::new(4096).init(&device);
        let exact = norm.forward(tokens(&device).cast(FloatDType::F32));
        let found = layer_norm(&norm.map(&mut InF16), tokens(&device)).cast(FloatDType::F32);
        let worst = (found - exact).abs().max().into_scalar::<f32>();
        assert!(worst < 2e-3, "{worst}");
    }

    #[test]
    fn a_softmax_of_16_bits_adds_up_to_one() {
        let found = softmax(tokens(&Device::flex()), 1);
        let sum = found.clone().cast(FloatDType::F32).sum().into_scalar::<f32>();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
        assert_eq!(found.dtype(), burn::tensor::DType::F16);
    }

    struct InF16;

    impl ModuleMapper for InF16 {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|values| values.cast(FloatDType::F16))
        }
    }
}
