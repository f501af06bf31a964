use pulp::{Arch, Simd, WithSimd};

use super::planes::Planes;
use crate::weights::set_blur_kernel;

/// A separable Gaussian blur with mirrored borders, with buffers that serve one view after the other.
///
/// The border mirrors without repeating the edge pixel, as in torchvision; TensorFlow's "SAME" padding,
/// which google's code uses, darkens the border instead.
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
    /// The view's size is above the kernel's radius, as that of any view from 2 pixels is: see
    /// [`BlurConfig::kernel_size`](crate::BlurConfig::kernel_size).
    pub(crate) fn apply(&mut self, view: &mut Planes, sigma: f32) {
        let size = view.size();
        set_blur_kernel(&mut self.taps, size, sigma);
        if self.taps.len() == 1 {
            return;
        }
        self.rows.resize(size * size, 0.0);
        for plane in view.channels() {
            self.blur_rows(plane, size);
            self.blur_columns(plane, size);
        }
    }

    fn blur_rows(&mut self, plane: &[f32], size: usize) {
        let radius = self.taps.len() - 1;
        self.padded.resize(size + 2 * radius, 0.0);
        for (row, out) in plane.chunks_exact(size).zip(self.rows.chunks_exact_mut(size)) {
            self.padded[radius..radius + size].copy_from_slice(row);
            for k in 1..=radius {
                self.padded[radius - k] = row[k];
                self.padded[radius + size - 1 + k] = row[size - 1 - k];
            }
            let shifted = |start: usize| &self.padded[start..start + size];
            let pair = |k: usize| (shifted(radius - k), shifted(radius + k));
            let sums = WeightedPairs { taps: &self.taps, centre: row, pair };
            Arch::new().dispatch(Write { sums, out });
        }
    }

    fn blur_columns(&self, plane: &mut [f32], size: usize) {
        let row = |y: usize| &self.rows[y * size..(y + 1) * size];
        for (y, out) in plane.chunks_exact_mut(size).enumerate() {
            let pair = |k: usize| {
                let below = if y + k < size { y + k } else { 2 * (size - 1) - (y + k) };
                (row(y.abs_diff(k)), row(below))
            };
            let sums = WeightedPairs { taps: &self.taps, centre: row(y), pair };
            Arch::new().dispatch(Write { sums, out });
        }
    }
}

/// `taps[0] * centre + sum over k of taps[k] * (a_k + b_k)`, where `pair(k)` gives the slices a and b.
/// The kernel is symmetric, so that two pixels share a multiplication.
///
/// Without fused multiply-adds, so that every processor gives the same bits.
#[derive(Clone, Copy)]
struct WeightedPairs<'a, P> {
    taps: &'a [f32],
    centre: &'a [f32],
    pair: P,
}

struct Write<'a, P> {
    sums: WeightedPairs<'a, P>,
    out: &'a mut [f32],
}

impl<'a, P: Fn(usize) -> (&'a [f32], &'a [f32])> WithSimd for Write<'a, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sums, out } = self;
        let len = out.len();
        let (vectors, rest) = S::as_mut_simd_f32s(out);
        let (fours, vectors) = vectors.as_chunks_mut::<4>();
        let (twos, one) = vectors.as_chunks_mut::<2>();
        let (twos_start, one_start) = (4 * fours.len(), 4 * fours.len() + 2 * twos.len());
        let rest_start = len - rest.len();
        for (index, out) in fours.iter_mut().enumerate() {
            *out = sums.vectors(simd, 4 * index);
        }
        for (index, out) in twos.iter_mut().enumerate() {
            *out = sums.vectors(simd, twos_start + 2 * index);
        }
        for out in one {
            [*out] = sums.vectors(simd, one_start);
        }
        for (index, out) in rest.iter_mut().enumerate() {
            *out = sums.value(rest_start + index);
        }
    }
}

impl<'a, P: Fn(usize) -> (&'a [f32], &'a [f32])> WeightedPairs<'a, P> {
    /// `N` vectors of the sums, from vector `first` on: enough of them to hide an addition's latency.
    #[inline(always)]
    fn vectors<S: Simd, const N: usize>(&self, simd: S, first: usize) -> [S::f32s; N] {
        let vectors = |slice: &'a [f32]| -> &'a [S::f32s; N] {
            let (vectors, _) = S::as_simd_f32s(slice);
            vectors[first..].first_chunk().expect("as long as the output")
        };
        let tap = simd.splat_f32s(self.taps[0]);
        let mut sums = vectors(self.centre).map(|centre| simd.mul_f32s(tap, centre));
        for (k, &tap) in self.taps.iter().enumerate().skip(1) {
            let tap = simd.splat_f32s(tap);
            let (a, b) = (self.pair)(k);
            for ((sum, &a), &b) in sums.iter_mut().zip(vectors(a)).zip(vectors(b)) {
                *sum = simd.add_f32s(*sum, simd.mul_f32s(tap, simd.add_f32s(a, b)));
            }
        }
        sums
    }

    #[inline(always)]
    fn value(&self, index: usize) -> f32 {
        let mut sum = self.taps[0] * self.centre[index];
        for (k, tap) in self.taps.iter().enumerate().skip(1) {
            let (a, b) = (self.pair)(k);
            sum += tap * (a[index] + b[index]);
        }
        sum
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
