//! How many parameters an encoder has at least, before memory is taken for them.

use simclr_model::{EncoderConfig, VisionTransformerConfig};

/// A lower bound of the number of an encoder's parameters.
///
/// A file's header may name an encoder of terabytes. It is believed only if the file holds as many values. The
/// bound counts the layers that grow with a size in the name; all others are of a fixed size or a fixed number of
/// times as large, so that no more than some thirty times the file's size is ever allocated on a header's word, or
/// what the standard architectures take.
pub(super) fn fewest_parameters(config: &EncoderConfig) -> u128 {
    match config {
        // A 3x3 convolution of the last stage, which has eight times the channels of the first.
        EncoderConfig::ResNet(config) => 9 * product(&[8, config.width, 8, config.width]),
        EncoderConfig::VisionTransformer(VisionTransformerConfig {
            patch_size,
            image_size,
            family,
            ..
        }) => {
            let side = image_size / patch_size.max(&1);
            let side = if family.learns_positions() { side } else { 0 };
            // One channel at least, of the patches' embedding and of the positions.
            product(&[3, *patch_size, *patch_size]) + product(&[side, side])
        }
        EncoderConfig::Mlp { image_size, hidden_sizes, feature_size, .. } => {
            let mut inputs = product(&[3, *image_size, *image_size]);
            let mut sum = 0;
            for &outputs in hidden_sizes.iter().chain([feature_size]) {
                sum += inputs * outputs as u128;
                inputs = outputs as u128;
            }
            sum
        }
        _ => 0,
    }
}

fn product(sizes: &[usize]) -> u128 {
    sizes.iter().map(|&size| size as u128).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use simclr_model::count_parameters;

    #[test]
    fn no_encoder_has_fewer_parameters_than_the_bound() {
        for name in [
            "resnet18x0.25",
            "resnet50x0.25_cifar",
            "efficientnet_b0",
            "vit_tiny_p4_i32",
            "vit_tiny_p32_i32",
            "vit_tiny_p4_reg4_dinov2_i64",
            "vit_tiny_p4_dinov3_i512",
            "mlp_i8_32_16",
            "mlp_i8_32_16_nonorm",
            "mlp_i8_16",
        ] {
            let config: EncoderConfig = name.parse().unwrap();
            let parameters = count_parameters(&config.init(0, &Device::flex()).unwrap());
            let bound = fewest_parameters(&config);
            assert!(bound <= parameters as u128, "{name}: {bound} of {parameters}");
        }
    }

    #[test]
    fn a_name_of_terabytes_is_seen_through() {
        for name in ["resnet152x1000", "mlp_i16384_65535_8", "vit_tiny_p16384_i16384"] {
            assert!(fewest_parameters(&name.parse().unwrap()) > 1 << 28, "{name}");
        }
    }
}
