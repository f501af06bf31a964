//! Where a search for a copy may begin.

use super::correlation::Correlation;
use super::placement::{Axis, Placement};
use super::pyramid::laid_under;

/// Scale and shift along an axis: a crop of a twentieth off both sides or off one, of either picture.
const AXES: [[f64; 2]; 7] = [
    [1.0, 0.0],
    [0.9, 0.0],
    [1.11, 0.0],
    [0.95, 0.05],
    [0.95, -0.05],
    [1.053, 0.053],
    [1.053, -0.053],
];

/// A picture as seen from each of the places, which is sampled once for all pictures that are laid over it.
#[derive(Debug, Clone)]
pub(super) struct Starts(Vec<(Placement, Vec<Option<f64>>)>);

impl Starts {
    pub(super) fn new(picture: &[f32]) -> Self {
        let axes = AXES.map(|[scale, shift]| Axis { scale, shift });
        let places = axes.iter().flat_map(|&x| axes.iter().map(move |&y| Placement { x, y }));
        Self(places.map(|place| (place, laid_under(picture, place))).collect())
    }

    /// The place at which brightness correlates best with `other`: the whole, or a crop of either picture.
    pub(super) fn likeliest(&self, other: &[f32]) -> Placement {
        let scored = self.0.iter().map(|(place, seen)| (correlation(seen, other), *place));
        scored.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Placement::WHOLE, |best| best.1)
    }
}

fn correlation(seen: &[Option<f64>], other: &[f32]) -> f64 {
    let mut correlation = Correlation::default();
    for (value, &target) in seen.iter().zip(other) {
        if let Some(value) = *value {
            correlation.add(value, f64::from(target));
        }
    }
    correlation.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crop_begins_where_it_was_cut() {
        let wave = |x: f64, y: f64| (40.0 * (3.1 * x).sin() + 30.0 * (2.3 * y + 0.4).cos()) as f32;
        let picture = |scale: f64, shift: f64| -> Vec<f32> {
            let at = |place: usize| scale * ((2 * place + 1) as f64 / 16.0 - 1.0) + shift;
            (0..256).map(|pixel| wave(at(pixel % 16), at(pixel / 16))).collect()
        };
        let starts = Starts::new(&picture(1.0, 0.0));
        for [scale, shift] in [[1.0, 0.0], [0.9, 0.0], [0.95, 0.05]] {
            let found = starts.likeliest(&picture(scale, shift));
            assert_eq!(found, Placement { x: Axis { scale, shift }, y: Axis { scale, shift } });
        }
    }
}
