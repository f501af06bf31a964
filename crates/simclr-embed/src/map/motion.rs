//! How t-SNE moves its points.

/// Standard deviation of the start along x.
const START: f64 = 1e-4;

/// Where the points are: x and y apart, for the compiler's vectors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Places {
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
}

impl Places {
    /// `start`, shrunk such that the x have a standard deviation of [`START`].
    pub(super) fn start(start: &[[f64; 2]]) -> Self {
        let squares: f64 = start.iter().map(|place| place[0] * place[0]).sum();
        let deviation = (squares / start.len() as f64).sqrt();
        let scale = if deviation > 0.0 { START / deviation } else { 0.0 };
        Self {
            x: start.iter().map(|place| place[0] * scale).collect(),
            y: start.iter().map(|place| place[1] * scale).collect(),
        }
    }

    /// Moves the mean to the origin.
    pub(super) fn centre(&mut self) {
        for axis in [&mut self.x, &mut self.y] {
            let mean = axis.iter().sum::<f64>() / axis.len() as f64;
            for place in axis {
                *place -= mean;
            }
        }
    }
}

/// How the points move along one axis.
pub(super) struct Motion {
    velocity: Vec<f64>,
    gains: Vec<f64>,
}

impl Motion {
    /// Points at rest.
    pub(super) fn new(points: usize) -> Self {
        Self { velocity: vec![0.0; points], gains: vec![1.0; points] }
    }

    /// A step with momentum, and with gains that grow where the direction stays (Jacobs 1988, as in van
    /// der Maaten's code).
    pub(super) fn step(&mut self, places: &mut [f64], gradient: &[f64], momentum: f64, rate: f64) {
        let state = self.velocity.iter_mut().zip(&mut self.gains);
        for ((place, gradient), (velocity, gain)) in places.iter_mut().zip(gradient).zip(state) {
            let goes_on = (*velocity > 0.0) != (*gradient > 0.0);
            *gain = if goes_on { *gain + 0.2 } else { (*gain * 0.8).max(0.01) };
            *velocity = momentum * *velocity - rate * *gain * gradient;
            *place += *velocity;
        }
    }
}
