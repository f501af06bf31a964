//! How large a network is.

use burn::module::Module;

use crate::module_tensors::{ModuleTensor, TensorRole, module_tensors};

/// The number of values that training moves, as PyTorch's `parameters()` has them. Running statistics are left out;
/// Burn's own [`num_params`](Module::num_params) counts them.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_model::{EncoderConfig, count_parameters};
///
/// let encoder = "resnet18".parse::<EncoderConfig>()?.init(0, &Device::flex())?;
/// assert_eq!(count_parameters(&encoder), 11_176_512); // torchvision's without its classifier
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[must_use]
pub fn count_parameters(module: &impl Module) -> usize {
    let tensors = module_tensors(module);
    let parameters = tensors.iter().filter(|tensor| tensor.role != TensorRole::Statistic);
    parameters.map(ModuleTensor::count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EncoderConfig;
    use burn::tensor::Device;

    #[test]
    fn parameter_counts_equal_those_of_torchvision_and_timm() {
        // tests/golden/parameters.py prints these; classifiers are left out.
        for (name, expected) in COUNTS {
            let config: EncoderConfig = name.parse().unwrap();
            assert_eq!(
                count_parameters(&config.init(0, &Device::flex()).unwrap()),
                expected,
                "{name}"
            );
        }
    }

    const COUNTS: [(&str, usize); 20] = [
        ("resnet18", 11_176_512),
        ("resnet34", 21_284_672),
        ("resnet50", 23_508_032),
        ("resnet101", 42_500_160),
        ("resnet152", 58_143_808),
        ("efficientnet_b0", 4_007_548),
        ("efficientnet_b1", 6_513_184),
        ("efficientnet_b2", 7_700_994),
        ("efficientnet_b3", 10_696_232),
        ("vit_tiny_p16", 5_524_416),
        ("vit_small_p16", 21_665_664),
        ("vit_small_p32", 22_493_952),
        ("vit_base_p16", 85_798_656),
        ("convnext_tiny", 27_820_128),
        ("convnext_small", 49_454_688),
        ("convnext_base", 87_566_464),
        ("vit_small_p14_dinov2_i518", 22_056_192),
        ("vit_base_p14_reg4_dinov2_i518", 86_582_016),
        ("vit_small_p16_dinov3", 21_586_944),
        ("vit_base_p16_dinov3", 85_641_216),
    ];
}
