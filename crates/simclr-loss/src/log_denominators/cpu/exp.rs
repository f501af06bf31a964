//! e^x in vector registers.

use pulp::Simd;

/// Below this e^x is no normal f32 and becomes 0.
const SMALLEST_EXPONENT: f32 = -87.0;

/// 1.5 * 2^23: adding it leaves the nearest integer in the low bits of the sum.
const ROUNDER: f32 = 12_582_912.0;

/// ln 2 in two parts. The first has 15 trailing zero bits, so that n * `LN_2_HIGH` is exact.
const LN_2_HIGH: f32 = 355.0 / 512.0;
const LN_2_LOW: f32 = -0.000_212_194_44;

/// (e^f - 1 - f) / f² for |f| <= ln(2) / 2, lowest power first: a least-squares fit reweighted until
/// its error is level, 3e-9 relative to e^f. In f32 the whole function stays within 1e-7.
const TAIL: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_39, 0.008_368_745, 0.001_381_454];

/// e^x for x <= 0 (0 below -87, also for -infinity): e^x = 2^n e^f with n whole and f small.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let rounder = simd.splat_f32s(ROUNDER);
    let shifted = simd.mul_add_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), rounder);
    let n = simd.sub_f32s(shifted, rounder);
    let f = simd.mul_add_f32s(n, simd.splat_f32s(-LN_2_HIGH), x);
    let f = simd.mul_add_f32s(n, simd.splat_f32s(-LN_2_LOW), f);

    let mut tail = simd.splat_f32s(TAIL[4]);
    for power in (0..4).rev() {
        tail = simd.mul_add_f32s(tail, f, simd.splat_f32s(TAIL[power]));
    }
    let one = simd.splat_f32s(1.0);
    let mantissa = simd.mul_add_f32s(tail, simd.mul_f32s(f, f), simd.add_f32s(f, one));

    // Multiplies by 2^n: the low bits of `shifted` hold n, and an f32's exponent starts at bit 23.
    let exponent =
        simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let power =
        simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(mantissa), exponent));
    let underflows = simd.less_than_f32s(x, simd.splat_f32s(SMALLEST_EXPONENT));
    simd.select_f32s(underflows, simd.splat_f32s(0.0), power)
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::log_denominators::cpu::on_every_vector_type;

    fn exp_all<S: Simd>(simd: S, values: &mut [f32]) {
        let (vectors, rest) = S::as_mut_simd_f32s(values);
        assert!(rest.is_empty(), "the test takes whole vectors");
        for x in vectors {
            *x = exp(simd, *x);
        }
    }

    #[derive(Clone, Copy)]
    struct IsRightToTheSeventhDigit;

    impl WithSimd for IsRightToTheSeventhDigit {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let points: Vec<f32> = (0..1 << 16).map(|i| i as f32 * (-87.0 / 65535.0)).collect();
            let mut found = points.clone();
            exp_all(simd, &mut found);
            for (x, y) in points.iter().zip(found) {
                let exact = f64::from(*x).exp();
                let error = (f64::from(y) / exact - 1.0).abs();
                assert!(error < 1.2e-7, "{simd:?}: e^{x} = {exact}, found {y}");
            }
        }
    }

    #[derive(Clone, Copy)]
    struct IsZeroWhereItUnderflows;

    impl WithSimd for IsZeroWhereItUnderflows {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let mut values = [f32::NEG_INFINITY, -1e30, -88.0, -87.5].repeat(16);
            exp_all(simd, &mut values);
            assert!(values.iter().all(|&y| y == 0.0), "{simd:?}: {values:?}");
        }
    }

    #[test]
    fn exp_is_right_to_1e_7_from_0_down_to_minus_87() {
        on_every_vector_type(IsRightToTheSeventhDigit);
    }

    #[test]
    fn exp_of_what_underflows_is_zero() {
        on_every_vector_type(IsZeroWhereItUnderflows);
    }
}
