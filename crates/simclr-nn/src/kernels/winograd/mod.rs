//! 3x3 convolutions with stride 1 by Winograd's minimal filtering, F(4x4, 3x3).
//!
//! A tile of 4x4 outputs needs 144 multiplications for each pair of channels; at 36 points of the
//! polynomials whose product it is, it needs 36 (Lavin and Gray 2015, section 4.3). All three products
//! of a layer are the same sum read in three directions, so all three profit: the output, the input's
//! gradient (the same convolution of the output's gradient with the turned kernel), and the weight's.

mod by_strips;
mod forward;
mod outputs;
mod patches;
mod tiles;
mod transforms;
mod weight_gradient;
mod weights;

use self::tiles::Tiles;
use self::weights::{Direction, Weights};
use super::Geometry;

/// Whether these kernels can do a convolution of these sizes.
pub(crate) fn applies(geometry: &Geometry) -> bool {
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
    weights: &[f32],
    bias: Option<&[f32]>,
    result: &mut [f32],
) -> bool {
    let channels = [geometry.channels_out, geometry.channels_in];
    let tiles = Tiles {
        images: geometry.images,
        input: geometry.input,
        output: geometry.output(),
        padding: geometry.padding_before,
    };
    let weights = Weights::new(weights, channels, Direction::Forward);
    convolve(&tiles, input, weights, bias, result)
}

/// The gradient of the input, into `result`; false if not all of it is finite.
pub(crate) fn input_gradient(
    geometry: &Geometry,
    weights: &[f32],
    gradient: &[f32],
    result: &mut [f32],
) -> bool {
    let channels = [geometry.channels_out, geometry.channels_in];
    let tiles = Tiles {
        images: geometry.images,
        input: geometry.output(),
        output: geometry.input,
        padding: geometry.padding_before.map(|p| 2 - p),
    };
    let weights = Weights::new(weights, channels, Direction::Backward);
    convolve(&tiles, gradient, weights, None, result)
}

fn convolve(
    tiles: &Tiles,
    images: &[f32],
    weights: Weights<'_>,
    bias: Option<&[f32]>,
    result: &mut [f32],
) -> bool {
    if by_strips::applies(&weights) {
        by_strips::convolve(tiles, images, weights, bias, result)
    } else {
        forward::convolve(tiles, images, weights, bias, result)
    }
}

/// The gradient of the weights; `None` if not all of it is finite.
pub(crate) fn weight_gradient(
    geometry: &Geometry,
    input: &[f32],
    gradient: &[f32],
) -> Option<Vec<f32>> {
    let tiles = Tiles {
        images: geometry.images,
        input: geometry.input,
        output: geometry.output(),
        padding: geometry.padding_before,
    };
    let channels = [geometry.channels_out, geometry.channels_in];
    weight_gradient::weight_gradient(&tiles, channels, input, gradient)
}
