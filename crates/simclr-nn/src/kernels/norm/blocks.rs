//! How the values are cut into blocks, and each block into periods of whole pixels.

/// Values in a task's block: a second sweep over them reads from cache.
const BLOCK: usize = 16 * 1024;
/// The smallest period: long enough for the vector loops inside it.
const PERIOD: usize = 256;

/// The length of a row of coefficients: the channels, repeated so that a vector loop has a long way to run.
fn period(channels: usize) -> usize {
    channels * PERIOD.div_ceil(channels)
}

/// Values in a block: whole periods.
pub(in crate::kernels) fn block(channels: usize) -> usize {
    period(channels) * (BLOCK / period(channels)).max(1)
}

/// One value for each channel, repeated over a period.
pub(super) fn repeated(
    of_channels: impl Iterator<Item = f32> + Clone,
    channels: usize,
) -> Vec<f32> {
    of_channels.cycle().take(period(channels)).collect()
}

/// A period of zeros, to sum into.
pub(in crate::kernels) fn zeros(channels: usize) -> Vec<f32> {
    vec![0.0; period(channels)]
}

/// The sum of each channel, from the sums over a period.
pub(in crate::kernels) fn folded(sums: &[f32], channels: usize) -> Vec<f64> {
    let mut folded = vec![0.0; channels];
    for row in sums.chunks_exact(channels) {
        for (slot, &sum) in folded.iter_mut().zip(row) {
            *slot += f64::from(sum);
        }
    }
    folded
}
