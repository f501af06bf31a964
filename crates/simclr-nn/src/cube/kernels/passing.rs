//! What ReLU lets pass.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// `values` where `output` isn't zero or less, and zero elsewhere. With the values themselves as the output, this is
/// ReLU. NaN passes, as in Burn's ReLU.
#[cube]
pub(super) fn passed<N: Size>(values: Vector<f32, N>, output: Vector<f32, N>) -> Vector<f32, N> {
    let zero = Vector::<f32, N>::new(0.0f32);
    select_many(output.less_equal(&zero), zero, values)
}

/// The bits, for a vector at `place` of its run, of what [`passed`] lets pass.
#[cube]
pub(super) fn bits<N: Size>(output: Vector<f32, N>, #[comptime] place: usize) -> u32 {
    let cut = output.less_equal(&Vector::<f32, N>::new(0.0f32));
    let set = select_many(cut, Vector::<u32, N>::new(0u32), bit_of_each::<N>(place));
    let mut bits = 0u32;
    #[unroll]
    for channel in 0..set.vector_size() {
        bits |= set.extract(channel);
    }
    bits
}

/// `values` whose bit is set, and zero elsewhere.
#[cube]
pub(super) fn passed_by_bits<N: Size>(
    values: Vector<f32, N>,
    bits: u32,
    #[comptime] place: usize,
) -> Vector<f32, N> {
    let zero = Vector::<u32, N>::new(0u32);
    let own = Vector::<u32, N>::new(bits) & bit_of_each::<N>(place);
    select_many(own.equal(&zero), Vector::<f32, N>::new(0.0f32), values)
}

/// The bit of each channel of a vector at `place` of its run.
#[cube]
fn bit_of_each<N: Size>(#[comptime] place: usize) -> Vector<u32, N> {
    let mut bits = Vector::<u32, N>::new(0u32);
    let channels = bits.vector_size();
    #[unroll]
    for channel in 0..channels {
        bits.insert(channel, comptime![1u32 << (place * channels + channel)].runtime());
    }
    bits
}
