//! The gradient of what was normalised.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::channels::Channels;
use super::passing::passed;
use super::rows::Rows;

/// The gradients of gamma and beta, in vectors of channels.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct ParameterGradients<N: Size> {
    gamma: Box<[Vector<f32, N>]>,
    beta: Box<[Vector<f32, N>]>,
}

/// The gradient of `x`, from `gradient`, the output's, and those of gamma and beta. `x` also acts through the statistics
/// of the batch.
///
/// ReLU in `channels` says that `gradient` has yet to be cut where the values normalised again aren't positive.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn gradient_of_input<F: Float, N: Size>(
    x: &[Vector<F, N>],
    gradient: &[Vector<F, N>],
    channels: &Channels<N>,
    of_parameters: &ParameterGradients<N>,
    of_x: &mut [Vector<F, N>],
    rows: &Rows,
    #[define(F)] _dtype: ElemType,
) {
    let column = rows.column();
    if !rows.has(column) {
        terminate!();
    }
    let channel = channels.of(column);
    let over_count = Vector::<f32, N>::new(1.0f32 / f32::cast_from(rows.count));
    let of_mean = of_parameters.beta[column] * over_count;
    let of_deviation = of_parameters.gamma[column] * over_count * channel.inverse_deviation;
    let end = rows.end();
    let mut row = rows.first();
    while row < end {
        let at = rows.at(row, column);
        let distance = Vector::<f32, N>::cast_from(x[at]) - channel.mean;
        let mut value = Vector::<f32, N>::cast_from(gradient[at]);
        if comptime![channels.relu] {
            value = passed::<N>(value, channel.normalised(distance));
        }
        of_x[at] =
            Vector::<F, N>::cast_from(channel.scale * (value - of_mean - distance * of_deviation));
        row += rows.stride();
    }
}
