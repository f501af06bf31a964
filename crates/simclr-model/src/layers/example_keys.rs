//! Draws that belong to an example, not to a moment.

use std::f64::consts::TAU;

use burn::module::{Flag, Param};
use burn::tensor::{DType, Tensor, TensorData};
use simclr_traffic::send;

/// One number for each example of a batch, `[n, 1]`, from which layers make their draws.
///
/// There is no generator and no counter: a draw is a function of the example, the layer and the seed. A view that is
/// encoded twice (chunk by chunk, or again after a resume) loses the same branches and units both times. The next pass
/// has other views, which lose others.
#[derive(Clone)]
pub(crate) struct ExampleKeys(Tensor<2>);

impl ExampleKeys {
    /// The mean of each of the `images`, `[n, channels, height, width]`.
    pub(crate) fn of_images(images: &Tensor<4>) -> Self {
        Self(images.clone().detach().mean_dims(&[1, 2, 3]).flatten(1, 3))
    }

    /// A sum of each of the `vectors`, `[n, size]`, with a weight of its own for every place: the means of standardised
    /// vectors are all alike.
    pub(crate) fn of_vectors(vectors: &Tensor<2>) -> Self {
        let [_, size] = vectors.dims();
        let weights = phases(size, vectors).sin() * (1.0 / (size as f64).sqrt());
        let products = vectors.clone().detach().cast(DType::F32) * weights;
        Self(products.sum_dim(1))
    }

    /// `[n, units]`: 0 with some `probability`, in 0..1, and else what keeps the mean, 1 / (1 - probability). `phase` is
    /// the layer's own offset of the draws, in radians.
    pub(crate) fn kept(&self, probability: f64, phase: f64, units: usize) -> Tensor<2> {
        // Keys differ by about 1 at most. A difference of 1e-4 already changes the low digits of the sine altogether.
        let angle = self.0.clone() * 127.1 + phase;
        let angle = if units == 1 { angle } else { angle + phases(units, &self.0) };
        let digits = (angle.sin() * 43_758.545).abs();
        let uniform = digits.clone() - digits.floor(); // in 0..1
        uniform.greater_equal_elem(probability as f32).float() * (1.0 / (1.0 - probability))
    }
}

/// `[1, count]`: angles that are spread evenly over the circle, wherever one stops (multiples of the golden section).
fn phases(count: usize, like: &Tensor<2>) -> Tensor<2> {
    const GOLDEN_SECTION: f64 = 0.618_033_988_749_894_9;
    let turns = (0..count).map(|number| (number as f64 * GOLDEN_SECTION).fract());
    let angles: Vec<f32> = turns.map(|turn| (turn * TAU) as f32).collect();
    send(TensorData::new(angles, [1, count]), &like.device())
}

/// Whether a layer is being trained: it is not frozen, and `x` can have gradients.
pub(crate) fn is_training<const D: usize>(training: &Param<Flag>, x: &Tensor<D>) -> bool {
    training.is_enabled() && x.device().is_autodiff()
}
