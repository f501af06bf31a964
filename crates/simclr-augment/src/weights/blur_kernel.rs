use crate::config::BlurConfig;

/// Pixels that weigh less are left out: together they would change a view by some 0.001 of a level.
const SMALLEST_WEIGHT: f64 = 1e-6;

/// Sets `taps` to the kernel's weights from its centre outwards, up to the last that matters.
///
/// The kernel is `exp(-k^2 / (2 sigma^2))` for `k` in `-radius..=radius`, divided by its sum, as in
/// google's `gaussian_blur` and torchvision's.
pub(crate) fn set_blur_kernel(taps: &mut Vec<f32>, size: usize, sigma: f32) {
    let radius = BlurConfig::kernel_size(size as u32) as usize / 2;
    let sigma = f64::from(sigma);
    let weight = |k: usize| libm::exp(-((k * k) as f64) / (2.0 * sigma * sigma));
    let sum = 1.0 + 2.0 * (1..=radius).map(weight).sum::<f64>();
    let weights = (0..=radius).map(|k| weight(k) / sum);
    taps.clear();
    taps.extend(weights.take_while(|&weight| weight > SMALLEST_WEIGHT).map(|weight| weight as f32));
}
