use super::planes::Planes;
use crate::weights::Turn;

/// Turns a view bilinearly and zooms in until no corner is empty. Outside the view its edge pixels
/// continue.
#[derive(Default)]
pub(crate) struct Rotation {
    source: Vec<f32>,
}

impl Rotation {
    pub(crate) fn apply(&mut self, view: &mut Planes, degrees: f32) {
        let size = view.size();
        let Turn { a, b } = Turn::new(degrees);
        let last = (size - 1) as f32;
        let centre = last / 2.0;
        for plane in view.channels() {
            self.source.clear();
            self.source.extend_from_slice(plane);
            for (y, row) in plane.chunks_exact_mut(size).enumerate() {
                let dy = y as f32 - centre;
                for (x, value) in row.iter_mut().enumerate() {
                    let dx = x as f32 - centre;
                    let x = (a * dx - b * dy + centre).clamp(0.0, last);
                    let y = (b * dx + a * dy + centre).clamp(0.0, last);
                    *value = interpolate(&self.source, size, x, y);
                }
            }
        }
    }
}

/// Between the four pixels around a place inside the plane.
fn interpolate(plane: &[f32], size: usize, x: f32, y: f32) -> f32 {
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(size - 1), (top + 1).min(size - 1));
    let (to_right, to_bottom) = (x - left as f32, y - top as f32);
    let along = |y: usize| {
        let (a, b) = (plane[y * size + left], plane[y * size + right]);
        a + to_right * (b - a)
    };
    let (above, below) = (along(top), along(bottom));
    above + to_bottom * (below - above)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(size: usize, values: &[f32], degrees: f32) -> Vec<f32> {
        let mut values = values.to_vec();
        Rotation::default().apply(&mut Planes::new(size, &mut values), degrees);
        values
    }

    #[test]
    fn a_quarter_turn_moves_the_right_edge_to_the_top() {
        let size = 3;
        let plane = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0].map(|value: f32| value / 9.0);
        let values = [plane; 3].concat();
        let expected = [3.0, 6.0, 9.0, 2.0, 5.0, 8.0, 1.0, 4.0, 7.0].map(|value: f32| value / 9.0);
        for (found, expected) in turned(size, &values, 90.0).chunks(9).zip([expected; 3]) {
            let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
            assert!(close, "{found:?}");
        }
    }

    #[test]
    fn no_turn_and_a_full_circle_of_turns_leave_the_view_alone() {
        let values: Vec<f32> = (0..3 * 64).map(|i| (i * i % 31) as f32 / 30.0).collect();
        assert_eq!(turned(8, &values, 0.0), values);
        let back = turned(8, &turned(8, &values, 180.0), -180.0);
        assert!(back.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-5));
    }

    #[test]
    fn a_single_pixel_can_be_turned() {
        assert_eq!(turned(1, &[0.1, 0.2, 0.3], 33.0), [0.1, 0.2, 0.3]);
    }
}
