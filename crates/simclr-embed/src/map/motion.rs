//! How t-SNE moves its points.

/// The longest step along an axis of a point: Fourier transforms of a grid must not have to follow a single one far away.
const LONGEST_STEP: f64 = 5.0;

/// How the points move.
pub(super) struct Motion {
    velocity: Vec<[f64; 2]>,
    gains: Vec<[f64; 2]>,
}

impl Motion {
    /// Points at rest.
    pub(super) fn new(points: usize) -> Self {
        Self { velocity: vec![[0.0; 2]; points], gains: vec![[1.0; 2]; points] }
    }

    /// A step with momentum, and with gains that grow where the direction stays (Jacobs 1988, as in van der Maaten's
    /// code). The mean stays at the origin.
    pub(super) fn step(
        &mut self,
        places: &mut [[f64; 2]],
        gradient: &[[f64; 2]],
        momentum: f64,
        rate: f64,
    ) {
        let state = self.velocity.iter_mut().zip(&mut self.gains);
        for ((place, gradient), (velocity, gain)) in places.iter_mut().zip(gradient).zip(state) {
            for axis in 0..2 {
                let goes_on = (velocity[axis] > 0.0) != (gradient[axis] > 0.0);
                gain[axis] = if goes_on { gain[axis] + 0.2 } else { (gain[axis] * 0.8).max(0.01) };
                let step = momentum * velocity[axis] - rate * gain[axis] * gradient[axis];
                velocity[axis] = step.clamp(-LONGEST_STEP, LONGEST_STEP);
                place[axis] += velocity[axis];
            }
        }
        centre(places);
    }
}

/// Moves the mean to the origin.
fn centre(places: &mut [[f64; 2]]) {
    for axis in 0..2 {
        let mean = places.iter().map(|place| place[axis]).sum::<f64>() / places.len() as f64;
        for place in places.iter_mut() {
            place[axis] -= mean;
        }
    }
}
