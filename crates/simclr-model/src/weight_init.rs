//! Initial weights, drawn on the host from a seed.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand::distr::Distribution;
use rand_chacha::ChaCha8Rng;
use rand_distr::{StandardNormal, StandardUniform};

/// Draws initial weights: for one seed, the same on every device.
///
/// Burn's own initialisers draw on the device from a generator that the whole process shares, so that a second model,
/// another thread or another backend changes the weights. Here the host draws them, in the order in which the layers
/// are built.
pub struct WeightInit {
    rng: ChaCha8Rng,
    device: Device,
}

impl WeightInit {
    /// A source of weights for `device`.
    #[must_use]
    pub fn new(seed: u64, device: &Device) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), device: device.clone() }
    }

    /// The device that the weights are put on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// A convolution without bias whose weights are He-normal over the fan-out: the initialisation of a `ResNet` (He et
    /// al. 2015, as in torchvision and in google's SimCLR).
    ///
    /// # Panics
    ///
    /// If the config's groups don't divide its channels.
    pub fn conv2d(&mut self, config: &Conv2dConfig) -> Conv2d {
        let mut conv = config.clone().with_bias(false).init(&self.device);
        let [channels_out, channels_in, height, width] = conv.weight.dims();
        let fan_out = (channels_out / config.groups * height * width) as f64;
        let std = (2.0 / fan_out).sqrt();
        let shape = [channels_out, channels_in, height, width];
        conv.weight = self.param(shape, |rng| {
            let z: f64 = StandardNormal.sample(rng);
            z * std
        });
        conv
    }

    /// [`conv2d`](Self::conv2d) with a bias of zeros.
    ///
    /// # Panics
    ///
    /// If the config's groups don't divide its channels.
    pub fn conv2d_with_zero_bias(&mut self, config: &Conv2dConfig) -> Conv2d {
        let mut conv = self.conv2d(config);
        conv.bias = Some(Param::from_tensor(Tensor::zeros([config.channels[1]], &self.device)));
        conv
    }

    /// A parameter from a normal distribution with mean 0 and standard deviation `std`, cut off at two of it: the
    /// initialisation of vision transformers.
    pub fn truncated_normal<const D: usize>(
        &mut self,
        shape: [usize; D],
        std: f64,
    ) -> Param<Tensor<D>> {
        self.param(shape, |rng| {
            loop {
                let z: f64 = StandardNormal.sample(rng);
                if z.abs() <= 2.0 {
                    break z * std;
                }
            }
        })
    }

    /// A fully connected layer whose weight is [`truncated_normal`](Self::truncated_normal) and whose bias is zero.
    ///
    /// # Panics
    ///
    /// If a size is zero.
    pub fn truncated_normal_linear(&mut self, config: &LinearConfig, std: f64) -> Linear {
        let mut linear = config.init(&self.device);
        linear.weight = self.truncated_normal([config.d_input, config.d_output], std);
        let zeros = || Param::from_tensor(Tensor::zeros([config.d_output], &self.device));
        linear.bias = config.bias.then(zeros);
        linear
    }

    /// A convolution whose weights are [`truncated_normal`](Self::truncated_normal) and whose bias is zero.
    ///
    /// # Panics
    ///
    /// If the config's groups don't divide its channels.
    pub fn truncated_normal_conv2d(&mut self, config: &Conv2dConfig, std: f64) -> Conv2d {
        let mut conv = config.clone().with_bias(false).init(&self.device);
        conv.weight = self.truncated_normal(conv.weight.dims(), std);
        conv.bias = Some(Param::from_tensor(Tensor::zeros([config.channels[1]], &self.device)));
        conv
    }

    /// A number in 0..1.
    pub(crate) fn uniform(&mut self) -> f64 {
        StandardUniform.sample(&mut self.rng)
    }

    /// A fully connected layer whose weight and bias are uniform in ±1/√inputs: PyTorch's default.
    ///
    /// # Panics
    ///
    /// If a size is zero.
    pub fn linear(&mut self, config: &LinearConfig) -> Linear {
        let mut linear = config.init(&self.device);
        let bound = 1.0 / (config.d_input as f64).sqrt();
        let mut uniform = |rng: &mut ChaCha8Rng| {
            let u: f64 = StandardUniform.sample(rng);
            (2.0 * u - 1.0) * bound
        };
        linear.weight = self.param([config.d_input, config.d_output], &mut uniform);
        linear.bias = config.bias.then(|| self.param([config.d_output], &mut uniform));
        linear
    }

    fn param<const D: usize>(
        &mut self,
        shape: [usize; D],
        mut draw: impl FnMut(&mut ChaCha8Rng) -> f64,
    ) -> Param<Tensor<D>> {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| draw(&mut self.rng) as f32).collect();
        Param::from_data(TensorData::new(values, shape), &self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn convolution_weights_have_the_he_deviation_over_the_fan_out() {
        let conv = WeightInit::new(7, &Device::flex()).conv2d(&Conv2dConfig::new([16, 64], [3, 3]));
        let weights: Vec<f64> = conv.weight.val().to_data_as::<f64>().iter::<f64>().collect();
        let variance = weights.iter().map(|w| w * w).sum::<f64>() / weights.len() as f64;
        assert!((variance / (2.0 / (64.0 * 9.0)) - 1.0).abs() < 0.05, "{variance}");
        assert!(conv.bias.is_none());
    }

    #[test]
    fn linear_weights_stay_within_their_bound_and_fill_it() {
        let linear = WeightInit::new(7, &Device::flex()).linear(&LinearConfig::new(100, 50));
        let weights: Vec<f64> = linear.weight.val().to_data_as::<f64>().iter::<f64>().collect();
        let (low, high) =
            weights.iter().fold((0.0_f64, 0.0_f64), |(l, h), &w| (l.min(w), h.max(w)));
        assert!((-0.1..=-0.099).contains(&low) && (0.099..=0.1).contains(&high), "{low} {high}");
    }

    #[test]
    fn truncated_weights_are_cut_at_two_deviations() {
        let weights = WeightInit::new(7, &Device::flex()).truncated_normal([100, 50], 0.02).val();
        let weights: Vec<f64> = weights.to_data_as::<f64>().iter::<f64>().collect();
        let largest = weights.iter().fold(0.0_f64, |largest, w| largest.max(w.abs()));
        assert!((0.039..0.0401).contains(&largest), "{largest}");
        // The standard deviation of a standard normal that is cut at 2: 0.8796.
        let variance = weights.iter().map(|w| w * w).sum::<f64>() / weights.len() as f64;
        assert!((variance.sqrt() / (0.02 * 0.8796) - 1.0).abs() < 0.03, "{variance}");
    }
}
