//! 3x3 convolutions with stride 1 by Winograd's minimal filtering, F(4x4, 3x3).
//!
//! A tile of 4x4 outputs needs 144 multiplications for each pair of channels. At the 36 points where the polynomials
//! behind it are evaluated, it needs 36 (Lavin and Gray 2015, section 4.3). The output, the input's gradient (the
//! same convolution of the output's gradient with the kernel turned by 180 degrees) and the weights' gradient are one
//! sum read in three directions, so all three profit.

mod by_strips;
mod by_tiles;
mod convolution;
mod outputs;
mod patches;
mod points;
mod tiles;
mod transforms;
mod weight_gradient;
mod weights;

use self::convolution::Convolution;
use self::tiles::Tiles;
use super::{Finish, Geometry, PackedWeights};

/// Tiles for which it pays to take many weights to the points.
const MANY_TILES: usize = 32;

/// Whether these kernels can do a convolution of these sizes, and are the faster ones.
pub(crate) fn applies(geometry: &Geometry) -> bool {
    let weights = geometry.channels_in * geometry.channels_out * geometry.positions();
    let pays = || Tiles::of_output(geometry).all() >= MANY_TILES || !by_strips::is_large(weights);
    can_do(geometry) && pays()
}

fn can_do(geometry: &Geometry) -> bool {
    geometry.kernel == [3, 3]
        && geometry.stride == [1, 1]
        && geometry.dilation == [1, 1]
        && geometry.padding_before.iter().chain(&geometry.padding_after).all(|&p| p <= 2)
        && geometry.channels_in.is_multiple_of(16)
        && geometry.channels_out.is_multiple_of(16)
        && geometry.channels_in > 0
        && geometry.channels_out > 0
}

/// The convolution, into `result`; false if not all of it is finite.
pub(crate) fn forward(
    geometry: &Geometry,
    input: &[f32],
    weights: &PackedWeights,
    finish: Finish<'_>,
    result: &mut [f32],
) -> bool {
    let tiles = &Tiles::of_output(geometry);
    convolve(Convolution { tiles, images: input, weights, finish }, result)
}

/// The gradient of the input, into `result`; false if not all of it is finite.
pub(crate) fn input_gradient(
    geometry: &Geometry,
    weights: &PackedWeights,
    gradient: &[f32],
    result: &mut [f32],
) -> bool {
    let tiles = &Tiles::of_input_gradient(geometry);
    let finish = Finish::with_bias(None);
    convolve(Convolution { tiles, images: gradient, weights, finish }, result)
}

fn convolve(convolution: Convolution<'_>, result: &mut [f32]) -> bool {
    if by_strips::applies(convolution.weights) {
        by_strips::convolve(convolution, result)
    } else {
        by_tiles::convolve(convolution, result)
    }
}

/// The gradient of the weights; `None` if not all of it is finite.
pub(crate) fn weight_gradient(
    geometry: &Geometry,
    input: &[f32],
    gradient: &[f32],
) -> Option<Vec<f32>> {
    weight_gradient::weight_gradient(
        &Tiles::of_output(geometry),
        geometry.channels(),
        input,
        gradient,
    )
}
