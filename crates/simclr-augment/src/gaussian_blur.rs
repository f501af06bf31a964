use crate::BlurConfig;
use crate::planes::Planes;

/// A separable Gaussian blur with mirrored borders, and the buffers it uses again for every view.
///
/// The kernel is `exp(-k^2 / (2 sigma^2))` for `k` in `-radius..=radius`, divided by its sum, as in
/// google's `gaussian_blur` and torchvision's. The border mirrors without repeating the edge pixel,
/// as in torchvision; TensorFlow's "SAME" padding, which google's code uses, darkens the border
/// instead.
#[derive(Default)]
pub(crate) struct GaussianBlur {
    /// The kernel's weights from its centre outwards: `radius + 1` values.
    taps: Vec<f32>,
    /// One row and the mirrored pixels on both sides: `size + 2 * radius` values.
    padded: Vec<f32>,
    /// One plane, blurred along its rows.
    rows: Vec<f32>,
}

impl GaussianBlur {
    /// The view's size is above the kernel's radius: any size from 2, see
    /// [`BlurConfig::kernel_size`].
    pub(crate) fn apply(&mut self, view: &mut Planes, sigma: f32) {
        let size = view.size();
        let radius = BlurConfig::kernel_size(size as u32) as usize / 2;
        self.set_kernel(radius, f64::from(sigma));
        for plane in view.channels() {
            self.blur_rows(plane, size);
            self.blur_columns(plane, size);
        }
    }

    fn set_kernel(&mut self, radius: usize, sigma: f64) {
        let weight = |k: usize| (-((k * k) as f64) / (2.0 * sigma * sigma)).exp();
        let sum = 1.0 + 2.0 * (1..=radius).map(weight).sum::<f64>();
        self.taps.clear();
        self.taps.extend((0..=radius).map(|k| (weight(k) / sum) as f32));
    }

    fn blur_rows(&mut self, plane: &[f32], size: usize) {
        let radius = self.taps.len() - 1;
        self.padded.resize(size + 2 * radius, 0.0);
        self.rows.resize(size * size, 0.0);
        for (row, blurred) in plane.chunks_exact(size).zip(self.rows.chunks_exact_mut(size)) {
            self.padded[radius..radius + size].copy_from_slice(row);
            for k in 1..=radius {
                self.padded[radius - k] = row[k];
                self.padded[radius + size - 1 + k] = row[size - 1 - k];
            }
            let shifted = |start: usize| &self.padded[start..start + size];
            set_scaled(blurred, shifted(radius), self.taps[0]);
            for (k, &tap) in self.taps.iter().enumerate().skip(1) {
                add_pair(blurred, shifted(radius - k), shifted(radius + k), tap);
            }
        }
    }

    fn blur_columns(&self, plane: &mut [f32], size: usize) {
        let row = |y: usize| &self.rows[y * size..(y + 1) * size];
        for (y, blurred) in plane.chunks_exact_mut(size).enumerate() {
            set_scaled(blurred, row(y), self.taps[0]);
            for (k, &tap) in self.taps.iter().enumerate().skip(1) {
                let above = y.abs_diff(k);
                let below = if y + k < size { y + k } else { 2 * (size - 1) - (y + k) };
                add_pair(blurred, row(above), row(below), tap);
            }
        }
    }
}

fn set_scaled(out: &mut [f32], centre: &[f32], tap: f32) {
    for (out, centre) in out.iter_mut().zip(centre) {
        *out = tap * centre;
    }
}

/// The kernel is symmetric, so two pixels share one multiplication.
fn add_pair(out: &mut [f32], before: &[f32], after: &[f32], tap: f32) {
    for ((out, before), after) in out.iter_mut().zip(before).zip(after) {
        *out += tap * (before + after);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Walks back and forth between the borders until the index is inside.
    fn mirrored(mut index: i64, size: i64) -> usize {
        while !(0..size).contains(&index) {
            index = if index < 0 { -index } else { 2 * (size - 1) - index };
        }
        usize::try_from(index).unwrap()
    }

    /// The two-dimensional sum, pixel by pixel, in double precision.
    fn oracle(plane: &[f32], size: usize, radius: i64, sigma: f64) -> Vec<f64> {
        let side = i64::try_from(size).unwrap();
        let mut blurred = Vec::with_capacity(plane.len());
        for y in 0..side {
            for x in 0..side {
                let (mut sum, mut weights) = (0.0, 0.0);
                for dy in -radius..=radius {
                    for dx in -radius..=radius {
                        let weight = (-((dx * dx + dy * dy) as f64) / (2.0 * sigma * sigma)).exp();
                        let index = mirrored(y + dy, side) * size + mirrored(x + dx, side);
                        sum += weight * f64::from(plane[index]);
                        weights += weight;
                    }
                }
                blurred.push(sum / weights);
            }
        }
        blurred
    }

    fn blurred(size: usize, mut values: Vec<f32>, sigma: f32) -> Vec<f32> {
        GaussianBlur::default().apply(&mut Planes::new(size, &mut values), sigma);
        values
    }

    fn checkered(size: usize, salt: usize) -> Vec<f32> {
        (0..3 * size * size).map(|i| ((i * i + salt * i) % 97) as f32 / 96.0).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn blur_agrees_with_the_oracle(
            size in prop::sample::select(vec![2_usize, 3, 8, 31, 40, 60]),
            sigma in 0.001_f32..4.0,
            salt in 0_usize..97,
        ) {
            let values = checkered(size, salt);
            let area = size * size;
            let radius = if size < 40 { 1 } else { i64::try_from(size / 20).unwrap() };
            let ours = blurred(size, values.clone(), sigma);
            for (plane, ours) in values.chunks(area).zip(ours.chunks(area)) {
                for (expected, found) in oracle(plane, size, radius, f64::from(sigma)).iter().zip(ours) {
                    prop_assert!((expected - f64::from(*found)).abs() < 1e-5, "{expected} {found}");
                }
            }
        }
    }

    #[test]
    fn a_flat_image_stays_flat_up_to_its_borders() {
        let values = blurred(96, vec![0.25; 3 * 96 * 96], 1.5);
        assert!(values.iter().all(|value| (value - 0.25).abs() < 1e-6));
    }

    #[test]
    fn a_tiny_sigma_leaves_the_image_alone() {
        let values = checkered(20, 5);
        assert_eq!(blurred(20, values.clone(), 0.001), values);
    }

    #[test]
    fn buffers_of_a_large_view_do_not_leak_into_a_small_one() {
        let mut blur = GaussianBlur::default();
        blur.apply(&mut Planes::new(60, &mut checkered(60, 1)), 2.0);
        let mut values = checkered(8, 3);
        blur.apply(&mut Planes::new(8, &mut values), 1.0);
        assert_eq!(values, blurred(8, checkered(8, 3), 1.0));
    }
}
