//! What a normalisation knows of its channels.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// Statistics and parameters of each channel, in vectors, and whether ReLU follows.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Channels<N: Size> {
    mean: Box<[Vector<f32, N>]>,
    variance: Box<[Vector<f32, N>]>,
    gamma: Box<[Vector<f32, N>]>,
    beta: Box<[Vector<f32, N>]>,
    epsilon: f32,
    #[cube(comptime)]
    pub(super) relu: bool,
}

/// The channels of a unit.
#[derive(CubeType)]
pub(super) struct Channel<N: Size> {
    pub(super) mean: Vector<f32, N>,
    pub(super) inverse_deviation: Vector<f32, N>,
    /// The factor of the normalised values: gamma over the deviation.
    pub(super) scale: Vector<f32, N>,
    beta: Vector<f32, N>,
}

#[cube]
impl<N: Size> Channels<N> {
    pub(super) fn of(&self, column: usize) -> Channel<N> {
        let deviation = (self.variance[column] + Vector::<f32, N>::new(self.epsilon)).sqrt();
        let inverse_deviation = Vector::<f32, N>::new(1.0f32) / deviation;
        Channel::<N> {
            mean: self.mean[column],
            inverse_deviation,
            scale: self.gamma[column] * inverse_deviation,
            beta: self.beta[column],
        }
    }
}

#[cube]
impl<N: Size> Channel<N> {
    /// The normalised values, from their distances from the mean.
    pub(super) fn normalised(&self, distance: Vector<f32, N>) -> Vector<f32, N> {
        distance * self.scale + self.beta
    }
}
