//! Sums and maxima of rows in a fixed order: that of 16 numbers at a time, on every machine.

/// Numbers that are added at a time, each to a sum of its own: a vector of AVX-512.
pub(super) const LANES: usize = 16;

/// The sum of all lanes.
#[inline(always)]
pub(super) fn folded_sum(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// The largest lane. NaN is no number to compare with.
#[inline(always)]
pub(super) fn folded_maximum(lanes: [f32; LANES]) -> f32 {
    let mut maximum = lanes[0];
    for lane in lanes {
        maximum = if lane > maximum { lane } else { maximum };
    }
    maximum
}
