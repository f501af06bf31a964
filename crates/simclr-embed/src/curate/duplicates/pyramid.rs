//! A fingerprint's picture in several sizes.

use std::cell::OnceCell;

use super::fingerprint::{CHROMA, Fingerprint, LUMA, shrunk};
use super::placement::Placement;
use super::starts::Starts;

/// Brightness with 16 x 16, 32 x 32 and 64 x 64 pixels, and colours with 16 x 16; all in 0..=255.
#[derive(Debug, Clone)]
pub(super) struct Pyramid {
    pub(super) levels: [Vec<f32>; 3],
    /// Cb and Cr.
    pub(super) chroma: [Vec<f32>; 2],
    starts: OnceCell<Starts>,
}

/// A point of a picture: its value, and how fast it changes along the axes, a pixel.
pub(super) struct Sample {
    pub(super) value: f64,
    pub(super) slope: [f64; 2],
}

impl Pyramid {
    pub(super) fn new(print: &Fingerprint) -> Self {
        let floats = |bytes: &[u8]| -> Vec<f32> { bytes.iter().map(|&x| f32::from(x)).collect() };
        let fine = floats(&print.luma);
        let half = shrunk(&fine, 2);
        let coarse = shrunk(&half, 2);
        let (cb, cr) = print.chroma.split_at(CHROMA * CHROMA);
        debug_assert_eq!(coarse.len(), (LUMA / 4).pow(2));
        let starts = OnceCell::new();
        Self { levels: [coarse, half, fine], chroma: [floats(cb), floats(cr)], starts }
    }

    /// The same picture, seen in a mirror.
    pub(super) fn mirrored(&self) -> Self {
        let mirror = |plane: &Vec<f32>| -> Vec<f32> {
            let side = plane.len().isqrt();
            plane.chunks_exact(side).flat_map(|row| row.iter().rev()).copied().collect()
        };
        let [coarse, half, fine] = &self.levels;
        let [cb, cr] = &self.chroma;
        Self {
            levels: [mirror(coarse), mirror(half), mirror(fine)],
            chroma: [mirror(cb), mirror(cr)],
            starts: OnceCell::new(),
        }
    }

    /// The places where a search for a copy in this picture, at its coarsest, may begin.
    pub(super) fn starts(&self) -> &Starts {
        self.starts.get_or_init(|| Starts::new(&self.levels[0]))
    }
}

/// A square picture between its pixels, by bilinear interpolation; `None` outside.
pub(super) fn sample(picture: &[f32], side: usize, x: f64, y: f64) -> Option<Sample> {
    let last = (side - 1) as f64;
    let inside = -0.5..=last + 0.5;
    if !inside.contains(&x) || !inside.contains(&y) {
        return None;
    }
    let place = |at: f64| {
        let at = at.clamp(0.0, last);
        let first = (at as usize).min(side - 2);
        (first, at - first as f64)
    };
    let ((left, right), (top, bottom)) = (place(x), place(y));
    let at = |dx: usize, dy: usize| f64::from(picture[(top + dy) * side + left + dx]);
    let [a, b, c, d] = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
    let (upper, lower) = (a + (b - a) * right, c + (d - c) * right);
    Some(Sample {
        value: upper + (lower - upper) * bottom,
        slope: [(b - a) * (1.0 - bottom) + (d - c) * bottom, lower - upper],
    })
}

/// A plane of `picture`, as seen from each pixel of another that lies on it; `None` where that lies outside.
pub(super) fn laid_under(picture: &[f32], placement: Placement) -> Vec<Option<f64>> {
    let side = picture.len().isqrt();
    let at = |place: usize| {
        let x = placement.x.pixel(place % side, side);
        let y = placement.y.pixel(place / side, side);
        sample(picture, side, x, y).map(|sample| sample.value)
    };
    (0..side * side).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_pixels_a_slope_stays_a_slope_and_outside_there_is_nothing() {
        let picture: Vec<f32> = (0..16).map(|at| (2 * (at % 4) + 5 * (at / 4)) as f32).collect();
        let Sample { value, slope } = sample(&picture, 4, 1.25, 2.5).unwrap();
        assert!((value - 15.0).abs() < 1e-9, "{value}");
        assert!((slope[0] - 2.0).abs() < 1e-9 && (slope[1] - 5.0).abs() < 1e-9, "{slope:?}");
        assert!(
            sample(&picture, 4, 3.6, 0.0).is_none() && sample(&picture, 4, 0.0, -0.6).is_none()
        );
        assert!((sample(&picture, 4, 3.4, 0.0).unwrap().value - 6.0).abs() < 1e-9);
    }
}
