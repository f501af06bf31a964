use super::axis::Axis;
use crate::config::ResizeFilter;

/// The weights by which the pixels along one side of a crop add up to those of the view: for each output
/// pixel, the start of its window, and a weight for each pixel of the window.
///
/// All windows have the same length, so that the inner loops can be unrolled; zeros fill up a shorter
/// one, which stays inside the crop.
#[derive(Default)]
pub(crate) struct AxisWeights {
    taps: usize,
    starts: Vec<u32>,
    weights: Vec<f32>,
    /// One window before it is normalised.
    window: Vec<f64>,
}

impl AxisWeights {
    /// Weights for the pixels along `axis`. The weights of a window add up to `sum`; those of a black pixel
    /// are zeros.
    ///
    /// The windows are those of PIL's `precompute_coeffs`, which torchvision shares.
    pub(crate) fn set(&mut self, filter: ResizeFilter, axis: &Axis, sum: f64) {
        let &Axis { input, output, .. } = axis;
        let scale = f64::from(input) / f64::from(axis.resized);
        let stretch = scale.max(1.0);
        let reach = filter.radius() * stretch;
        let centre = |index: u32| (f64::from(index) + 0.5) * scale;
        let first = |index: u32| (centre(index) - reach + 0.5).max(0.0) as u32;
        let last = |index: u32| ((centre(index) + reach + 0.5) as u32).min(input);
        let sources = (0..output).filter_map(|place| axis.source(place));
        let taps = sources.map(|index| last(index) - first(index)).max().unwrap_or(0);

        self.taps = taps as usize;
        self.starts.clear();
        self.weights.clear();
        for place in 0..output {
            let Some(index) = axis.source(place) else {
                self.starts.push(0);
                self.weights.extend((0..taps).map(|_| 0.0));
                continue;
            };
            let start = first(index).min(input - taps);
            let inside = first(index)..last(index);
            self.window.clear();
            self.window.extend((start..start + taps).map(|pixel| {
                let distance = (f64::from(pixel) + 0.5 - centre(index)) / stretch;
                if inside.contains(&pixel) { filter.weight(distance) } else { 0.0 }
            }));
            let factor = sum / self.window.iter().sum::<f64>();
            self.starts.push(start);
            self.weights.extend(self.window.iter().map(|weight| (weight * factor) as f32));
        }
    }

    /// The number of pixels in each window.
    pub(crate) fn taps(&self) -> usize {
        self.taps
    }

    /// The first pixel of each output pixel's window.
    pub(crate) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The windows' weights, one window after the other.
    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// An output pixel's first pixel, and its weights.
    pub(crate) fn window(&self, index: usize) -> (usize, &[f32]) {
        let weights = &self.weights[index * self.taps..(index + 1) * self.taps];
        (self.starts[index] as usize, weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(filter: ResizeFilter, input: u32, output: u32, mirrored: bool) -> AxisWeights {
        let mut axis = AxisWeights::default();
        axis.set(filter, &Axis::whole(input, output, mirrored), 1.0);
        axis
    }

    #[test]
    fn windows_lie_inside_and_sum_to_one() {
        for filter in [ResizeFilter::Bilinear, ResizeFilter::Bicubic] {
            for (input, output) in [(1, 1), (1, 9), (2, 5), (5, 2), (7, 7), (400, 224), (20_000, 3)]
            {
                let axis = set(filter, input, output, false);
                for index in 0..output as usize {
                    let (start, weights) = axis.window(index);
                    assert!(start + weights.len() <= input as usize);
                    let sum: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
                    assert!((sum - 1.0).abs() < 1e-5, "{filter:?} {input} -> {output}: {sum}");
                }
            }
        }
    }

    #[test]
    fn the_same_size_copies() {
        for filter in [ResizeFilter::Bilinear, ResizeFilter::Bicubic] {
            let axis = set(filter, 9, 9, false);
            for index in 0..9 {
                let (start, weights) = axis.window(index);
                for (offset, &weight) in weights.iter().enumerate() {
                    let expected = f32::from(u8::from(start + offset == index));
                    assert!((weight - expected).abs() < 1e-7);
                }
            }
        }
    }

    #[test]
    fn a_mirrored_axis_is_the_other_one_backwards() {
        let (axis, mirrored) =
            [false, true].map(|mirrored| set(ResizeFilter::Bicubic, 31, 12, mirrored)).into();
        for index in 0..12 {
            assert_eq!(axis.window(index), mirrored.window(11 - index));
        }
    }
}
