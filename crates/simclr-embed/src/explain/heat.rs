//! Numbers as colours.

use image::Rgb;

use super::explanation::SimilarityMap;

/// Colours of what makes images more alike, and less: apart for readers who confuse red and green, too.
const MORE: [f32; 3] = [255.0, 106.0, 0.0];
const LESS: [f32; 3] = [0.0, 84.0, 255.0];
/// How much of a picture the strongest colour hides.
const STRONGEST: f32 = 0.8;

/// `ground` in grey, under the colour of a `share` in -1..=1.
pub(super) fn over(ground: Rgb<u8>, share: f32) -> Rgb<u8> {
    let [r, g, b] = ground.0.map(f32::from);
    let grey = 0.299 * r + 0.587 * g + 0.114 * b;
    let colour = if share < 0.0 { LESS } else { MORE };
    let weight = STRONGEST * share.abs().min(1.0);
    Rgb(colour.map(|colour| (grey + weight * (colour - grey)).round() as u8))
}

impl SimilarityMap {
    /// The value at a place of the square, in 0..=1 from the left and from the top: bilinear between the middles of
    /// regions.
    #[must_use]
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let [height, width] = self.size;
        let (left, right, from_left) = between(x, width);
        let (top, bottom, from_top) = between(y, height);
        let value = |row: usize, column: usize| self.values[row * width + column];
        let along =
            |row: usize| value(row, left) + from_left * (value(row, right) - value(row, left));
        along(top) + from_top * (along(bottom) - along(top))
    }
}

/// The regions of a row of `count` before and after a place in 0..=1, and how far it is between their middles.
fn between(place: f32, count: usize) -> (usize, usize, f32) {
    let last = count - 1;
    let at = (place * count as f32 - 0.5).clamp(0.0, last as f32);
    let before = at as usize;
    (before, (before + 1).min(last), at - before as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_regions_in_their_middles_and_lie_between_elsewhere() {
        let map = SimilarityMap { size: [1, 2], values: vec![1.0, 3.0] };
        for (x, expected) in [(0.0, 1.0), (0.25, 1.0), (0.5, 2.0), (0.75, 3.0), (1.0, 3.0)] {
            assert!((map.at(x, 0.3) - expected).abs() < 1e-6, "{x}");
        }
        let map = SimilarityMap { size: [2, 1], values: vec![-1.0, 1.0] };
        assert!((map.at(0.9, 0.25) + 1.0).abs() < 1e-6 && map.at(0.9, 0.5).abs() < 1e-6);
    }

    #[test]
    fn nothing_is_grey_and_signs_have_colours() {
        let ground = Rgb([90; 3]);
        assert_eq!(over(ground, 0.0), ground);
        let ([r, _, b], [less_r, _, less_b]) = (over(ground, 1.0).0, over(ground, -1.0).0);
        assert!(r > b && less_b > less_r);
        assert_eq!(over(ground, 7.0), over(ground, 1.0));
    }
}
